/* Images that nodes hold, and what a location's nodes are. */
#include "base/limits.h"
#include "base/text.h"
#include "model/resource_id.h"
#include "tests/store/try.h"

#include <string.h>

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static void tell(struct trial *trial, struct trial_node *node, struct node_image *items,
                 size_t count)
{
    struct node_images images = {.items = items, .items_count = count};
    struct report report = {.images = &images};

    assert_int_equal(trial_report(trial, node, &report), ERR_OK);
}

/* The names of a page, a blank behind each; "…" when there are more. */
static const char *list(struct trial *trial, const char *location, const char *after, size_t max)
{
    struct err err = {0};
    struct location_image *rows;
    size_t count;
    bool more;
    AUTO(tx) *tx = store_read(trial->store, &err);
    AUTO(text) *out = text_new(1 << 20);

    assert_true(
        store_location_images(tx, location, after, max, trial->arena, &rows, &count, &more, &err));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(rows[i].os, "Linux");
        text_addf(out, "%s ", rows[i].image);
    }
    text_add(out, more ? "..." : "");
    return arena_text(trial->arena, out->bytes ? out->bytes : "");
}

TEST(a_location_lists_each_image_once_and_none_that_needed_a_credential)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a"), b = trial_join(trial, "b");
    struct node_image of_a[] = {{"r/web:1", D1, true}, {"r/db:1", D1, true}};
    struct node_image of_b[] = {{"r/web:1", D2, true}, {"r/secret:1", D1, false}};

    tell(trial, &a, of_a, COUNT_OF(of_a));
    tell(trial, &b, of_b, COUNT_OF(of_b));
    assert_string_equal(list(trial, "westus", "", 10), "r/db:1 r/web:1 ");
    assert_string_equal(list(trial, "eastus", "", 10), "");
}

TEST(a_list_of_images_goes_on_behind_a_name)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    struct node_image images[] = {{"c", D1, true}, {"a", D1, true}, {"b", D1, true}};

    tell(trial, &a, images, COUNT_OF(images));
    assert_string_equal(list(trial, "westus", "", 2), "a b ...");
    assert_string_equal(list(trial, "westus", "b", 2), "c ");
    assert_string_equal(list(trial, "westus", "c", 2), "");
}

TEST(what_a_node_tells_replaces_what_it_told_before)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    struct node_image before[] = {{"kept", D1, true}, {"gone", D1, true}, {"closed", D1, true}};
    struct node_image now[] = {{"new", D1, true}, {"kept", D2, true}, {"closed", D2, false}};
    struct report silent = {0};

    tell(trial, &a, before, COUNT_OF(before));
    assert_string_equal(list(trial, "westus", "", 10), "closed gone kept ");
    assert_int_equal(trial_report(trial, &a, &silent), ERR_OK);
    assert_string_equal(list(trial, "westus", "", 10), "closed gone kept ");
    tell(trial, &a, now, COUNT_OF(now));
    assert_string_equal(list(trial, "westus", "", 10), "kept new ");
    tell(trial, &a, NULL, 0);
    assert_string_equal(list(trial, "westus", "", 10), "");
}

TEST(images_of_lost_and_removed_nodes_are_not_listed)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a"), b = trial_join(trial, "b");
    struct node_image images[] = {{"web", D1, true}};

    tell(trial, &a, images, 1);
    tell(trial, &b, images, 1);
    trial_remove_node(trial, &a);
    assert_string_equal(list(trial, "westus", "", 10), "web ");
    assert_int_equal(trial_lose(trial, &b, true), ERR_OK);
    assert_string_equal(list(trial, "westus", "", 10), "");
    trial_rejoin(trial, &b);
    assert_string_equal(list(trial, "westus", "", 10), "web ");
}

TEST(no_node_makes_the_store_keep_more_than_the_ceiling)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    size_t count = (size_t)LIMIT_NODE_IMAGES_MAX + 5;
    struct node_image *images = arena_array(trial->arena, count, sizeof *images);

    for (size_t i = 0; i < count; i++)
        images[i] = (struct node_image){arena_format(trial->arena, "i%05zu", i), D1, true};
    tell(trial, &a, images, count);
    const char *all = list(trial, "westus", "", count);
    assert_non_null(strstr(all, "i00999 "));
    assert_null(strstr(all, "i01000"));
}

TEST(a_location_is_what_its_nodes_are)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    struct node_platform *rows;
    struct node_size *sizes;
    size_t count;
    struct trial_node a = trial_join(trial, "a");
    struct node_capacity large = {640000, 1000000};
    struct report report = {.capacity = &large};

    (void)trial_join(trial, "b");
    assert_int_equal(trial_report(trial, &a, &report), ERR_OK);
    {
        AUTO(tx) *tx = store_read(trial->store, &err);
        assert_true(store_node_platforms(tx, "westus", trial->arena, &rows, &count, &err));
        assert_int_equal(count, 1);
        assert_string_equal(rows[0].os, "Linux");
        assert_string_equal(rows[0].architecture, "amd64");
        assert_true(store_node_sizes(tx, "westus", trial->arena, &sizes, &count, &err));
        assert_int_equal(count, 1);
        assert_int_equal(sizes[0].cpu_milli, 640000);
        assert_int_equal(sizes[0].memory_mib, 1000000);
        assert_true(store_node_platforms(tx, "eastus", trial->arena, &rows, &count, &err));
        assert_int_equal(count, 0);
    }
    assert_int_equal(trial_lose(trial, &a, true), ERR_OK);
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_true(store_node_sizes(tx, "westus", trial->arena, &sizes, &count, &err));
    assert_true(sizes[0].cpu_milli < 640000);
}

/* ---- what the names of a group's images mean ---- */

static const struct image_pin *to_be;
static size_t to_be_count;

static bool update_with_pins(struct tx *tx, void *data UNUSED, struct err *err)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct resource_id id = {
        .subscription = TRY_SUBSCRIPTION, .resource_group = "rg", .group = "web"};
    struct group_row *row = store_group_find(tx, &id, true, arena, err);

    row->pins = to_be;
    row->pins_count = to_be_count;
    return store_group_update(tx, row, NULL, true, err);
}

static void update(struct trial *trial, const struct image_pin *pins, size_t count)
{
    to_be = pins;
    to_be_count = count;
    trial_write(trial, update_with_pins, NULL);
}

/* What the node is told that "alpine" means. */
static const char *ordered(struct trial *trial, const struct trial_node *node)
{
    struct desired *desired = trial_desired(trial, node, 0);

    assert_int_equal(desired->assignments_count, 1);
    const char *digest =
        image_pin_find(desired->assignments[0].pins, desired->assignments[0].pins_count, "alpine");
    return digest ? digest : "";
}

static void tell_found(struct trial *trial, struct trial_node *node, const char *digest)
{
    struct group_row *row = trial_find(trial, "web");
    struct image_pin found = {"alpine", digest};
    struct group_status status = {.uid = row->uid,
                                  .incarnation = row->incarnation,
                                  .state = GROUP_RUNNING,
                                  .provisioned = true,
                                  .pins = &found,
                                  .pins_count = 1};
    struct report report = {.statuses = &status, .statuses_count = 1};

    assert_int_equal(trial_report(trial, node, &report), ERR_OK);
}

TEST(what_an_image_means_is_kept_until_a_new_version_says_otherwise)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a"), b = trial_join(trial, "b");
    int64_t key = trial_create(trial, "web");
    const struct image_pin first[] = {{"alpine", D1}}, again[] = {{"alpine", NULL}},
                           moved[] = {{"alpine", D2}};

    assert_int_equal(trial_place(trial, key, &a), ERR_OK);
    update(trial, first, 1);
    assert_string_equal(ordered(trial, &a), D1);
    update(trial, again, 1); /* nobody could look: it goes on meaning what it meant */
    assert_string_equal(ordered(trial, &a), D1);
    assert_int_equal(trial_lose(trial, &a, true), ERR_OK);
    assert_int_equal(trial_place(trial, key, &b), ERR_OK);
    assert_string_equal(ordered(trial, &b), D1);
    update(trial, moved, 1);
    assert_string_equal(ordered(trial, &b), D2);
    trial_reopen(trial);
    assert_string_equal(ordered(trial, &b), D2);
}

TEST(what_a_node_found_first_is_what_an_image_means_where_nothing_was_said)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    int64_t key = trial_create(trial, "web");

    assert_int_equal(trial_place(trial, key, &a), ERR_OK);
    assert_string_equal(ordered(trial, &a), "");
    tell_found(trial, &a, D1);
    assert_string_equal(ordered(trial, &a), D1);
    tell_found(trial, &a, D2);
    assert_string_equal(ordered(trial, &a), D1);
    update(trial, NULL, 0);
    assert_string_equal(ordered(trial, &a), "");
    tell_found(trial, &a, D2);
    assert_string_equal(ordered(trial, &a), D2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_location_lists_each_image_once_and_none_that_needed_a_credential),
        cmocka_unit_test(a_list_of_images_goes_on_behind_a_name),
        cmocka_unit_test(what_a_node_tells_replaces_what_it_told_before),
        cmocka_unit_test(images_of_lost_and_removed_nodes_are_not_listed),
        cmocka_unit_test(no_node_makes_the_store_keep_more_than_the_ceiling),
        cmocka_unit_test(a_location_is_what_its_nodes_are),
        cmocka_unit_test(what_an_image_means_is_kept_until_a_new_version_says_otherwise),
        cmocka_unit_test(what_a_node_found_first_is_what_an_image_means_where_nothing_was_said),
    };
    return RUN_TESTS(tests);
}
