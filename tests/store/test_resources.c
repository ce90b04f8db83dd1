/* Groups listed as resources, and the tags they are found by. */
#include "base/file.h"
#include "base/text.h"
#include "store/backend.h"
#include "tests/store/try.h"

#include <string.h>
#include <unistd.h>

#define SPEC_WITH(tags) \
    "\"properties\":{\"tags\":{\"not\":\"one\"}},\"location\":\"westus\",\"tags\":" tags

struct creation {
    const char *resource_group, *name, *spec;
    int64_t key;
};

static bool put_parent(struct tx *tx, void *data, struct err *err)
{
    struct resource_group_row row = {
        .subscription = TRY_SUBSCRIPTION, .name = data, .location = "westus", .tags = "{}"};
    bool created;
    return store_resource_group_put(tx, &row, &created, err);
}

static bool create(struct tx *tx, void *data, struct err *err)
{
    struct creation *creation = data;
    struct group_row row = {.subscription = TRY_SUBSCRIPTION,
                            .resource_group = creation->resource_group,
                            .name = creation->name,
                            .location = "westus",
                            .spec = creation->spec,
                            .os = OS_LINUX,
                            .shape = {1000, 1024}};
    bool created = store_group_create(tx, &row, "{}", err);
    creation->key = row.key;
    return created;
}

static int64_t make(struct trial *trial, const char *resource_group, const char *name,
                    const char *spec)
{
    struct creation creation = {resource_group, name, spec, 0};
    trial_write(trial, create, &creation);
    return creation.key;
}

/* Names of all that the question finds, page by page. */
static const char *list(struct trial *trial, struct resource_question question, size_t rows_max)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    AUTO(text) *names = text_new(4096);
    struct resource_page page = {0};
    question.subscription = TRY_SUBSCRIPTION;
    do {
        assert_true(
            store_resource_list(tx, &question, page.next_key, rows_max, trial->arena, &page, &err));
        assert_true(page.count <= rows_max);
        for (size_t i = 0; i < page.count; i++)
            if (page.rows[i].key != 0)
                text_addf(names, "%s/%s ", page.rows[i].resource_group, page.rows[i].name);
    } while (page.next_key);
    assert_true(text_ok(names));
    return arena_text_n(trial->arena, names->bytes, names->size);
}

static struct trial *trial_with_four(void)
{
    struct trial *trial = trial_new();
    trial_write(trial, put_parent, "two");
    make(trial, "rg", "a", SPEC_WITH("{\"Env\":\"prod\",\"team\":\"x\"}"));
    make(trial, "two", "a", SPEC_WITH("{\"env\":\"test\"}"));
    make(trial, "rg", "b", SPEC_WITH("{}"));
    make(trial, "two", "c", SPEC_WITH("{\"ENV\":\"prod\"}"));
    return trial;
}

TEST(lists_are_narrowed_and_come_in_pages)
{
    AUTO(trial) *trial = trial_with_four();
    for (size_t rows = 1; rows < 6; rows++) {
        assert_string_equal(list(trial, (struct resource_question){0}, rows),
                            "rg/a two/a rg/b two/c ");
        assert_string_equal(list(trial, (struct resource_question){.resource_group = "RG"}, rows),
                            "rg/a rg/b ");
        assert_string_equal(list(trial, (struct resource_question){.name = "A"}, rows),
                            "rg/a two/a ");
        assert_string_equal(list(trial, (struct resource_question){.tag = "env"}, rows),
                            "rg/a two/a two/c ");
        assert_string_equal(
            list(trial, (struct resource_question){.tag = "env", .value = "prod"}, rows),
            "rg/a two/c ");
    }
    assert_string_equal(list(trial, (struct resource_question){.resource_group = "none"}, 4), "");
    assert_string_equal(list(trial, (struct resource_question){.tag = "not"}, 4), "");
    assert_string_equal(list(trial, (struct resource_question){.tag = "env", .value = "PROD"}, 4),
                        "");
}

TEST(a_row_says_when_it_was_made_and_what_tags_it_has)
{
    AUTO(trial) *trial = trial_with_four();
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    struct resource_page page;
    struct resource_question question = {.subscription = TRY_SUBSCRIPTION};
    assert_true(store_resource_list(tx, &question, 0, 1, trial->arena, &page, &err));
    const struct resource_row *row = &page.rows[0];
    assert_string_equal(row->location, "westus");
    assert_int_equal(row->provisioning, PROVISIONING_PENDING);
    assert_true(row->created_ms > 0 && row->changed_ms == row->created_ms);
    assert_int_equal(row->tags.count, 2);
    assert_string_equal(row->tags.items[0].key, "Env");
    assert_string_equal(row->tags.items[0].value, "prod");
    assert_string_equal(row->tags.items[1].key, "team");
}

struct change_of {
    const char *name, *spec;
};

static bool retag(struct tx *tx, void *data, struct err *err)
{
    const struct change_of *change = data;
    AUTO(arena) *arena = arena_new(1 << 20);
    struct resource_id id = {TRY_SUBSCRIPTION, "rg", change->name};
    struct group_row *row = store_group_find(tx, &id, true, arena, err);
    assert_non_null(row);
    row->spec = change->spec;
    return store_group_update(tx, row, NULL, false, err);
}

TEST(new_tags_take_the_place_of_old_ones)
{
    AUTO(trial) *trial = trial_with_four();
    struct change_of change = {"a", SPEC_WITH("{\"owner\":\"me\"}")}, bare = {"a", SPEC_WITH("{}")};
    trial_write(trial, retag, &change);
    assert_string_equal(list(trial, (struct resource_question){.tag = "owner"}, 4), "rg/a ");
    assert_string_equal(list(trial, (struct resource_question){.tag = "team"}, 4), "");
    trial_write(trial, retag, &bare);
    assert_string_equal(list(trial, (struct resource_question){.tag = "owner"}, 4), "");
}

TEST(what_is_removed_is_found_no_more_while_its_node_still_has_it)
{
    AUTO(trial) *trial = trial_with_four();
    struct trial_node node = trial_join(trial, "n");
    trial_place(trial, trial_find(trial, "a")->key, &node);
    assert_int_equal(trial_order(trial, "a", ORDER_REMOVE), ERR_OK);
    assert_string_equal(list(trial, (struct resource_question){.tag = "env"}, 4), "two/a two/c ");
    assert_string_equal(list(trial, (struct resource_question){.name = "a"}, 4), "two/a ");
    make(trial, "rg", "a", SPEC_WITH("{\"env\":\"new\"}"));
    assert_string_equal(list(trial, (struct resource_question){.tag = "env"}, 4),
                        "two/a two/c rg/a ");
}

TEST(pages_are_stable_while_others_come_and_go)
{
    AUTO(trial) *trial = trial_with_four();
    struct resource_question question = {.subscription = TRY_SUBSCRIPTION, .tag = "env"};
    struct resource_page first, second;
    struct err err = {0};
    {
        AUTO(tx) *tx = store_read(trial->store, &err);
        assert_true(store_resource_list(tx, &question, 0, 1, trial->arena, &first, &err));
    }
    assert_int_equal(trial_order(trial, "a", ORDER_REMOVE), ERR_OK);
    make(trial, "rg", "new", SPEC_WITH("{\"env\":\"new\"}"));
    {
        AUTO(tx) *tx = store_read(trial->store, &err);
        assert_true(
            store_resource_list(tx, &question, first.next_key, 9, trial->arena, &second, &err));
    }
    assert_int_equal(second.count, 3);
    assert_string_equal(second.rows[0].name, "a");
    assert_string_equal(second.rows[2].name, "new");
}

/* ---- older databases ---- */

static void script(struct trial *trial, const char *text)
{
    struct err err = {0};
    AUTO(backend) *backend = backend_open(trial->path, BACKEND_WRITER, &err);
    assert_non_null(backend);
    assert_true(backend_script(backend, text, &err));
}

TEST(tags_of_an_older_database_are_found)
{
    AUTO(trial) *trial = trial_new();
    AUTO_FREE char *saved = NULL;
    struct err err = {0};
    size_t size;
    trial_close(trial);
    assert_int_equal(unlink(trial->path), 0);
    assert_int_equal(unlink(trial->key_path), 0);
    assert_true(file_read(SAVED_DATABASES "/version-0001.sql", 1 << 20, &saved, &size, &err));
    script(trial, saved);
    script(trial, "update group_specs set spec = replace(spec, '\"tags\":{}', "
                  "'\"tags\":{\"env\":\"prod\",\"Env\":\"two\"}') where group_key = 3;"
                  "update resource_groups set tags = '{\"team\":\"a\"}';");
    trial_reopen(trial);
    assert_string_equal(list(trial, (struct resource_question){.tag = "env", .value = "prod"}, 4),
                        "rg/Saved ");
    assert_string_equal(list(trial, (struct resource_question){0}, 4), "rg/Saved rg/waiting ");
    AUTO(tx) *tx = store_read(trial->store, &err);
    struct resource_group_page page;
    struct resource_group_question question = {TRY_SUBSCRIPTION, "team", "a"};
    assert_true(store_resource_group_list(tx, &question, 0, 4, trial->arena, &page, &err));
    assert_int_equal(page.count, 1);
    assert_string_equal(page.rows[0].name, "rg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_narrowed_and_come_in_pages),
        cmocka_unit_test(a_row_says_when_it_was_made_and_what_tags_it_has),
        cmocka_unit_test(new_tags_take_the_place_of_old_ones),
        cmocka_unit_test(what_is_removed_is_found_no_more_while_its_node_still_has_it),
        cmocka_unit_test(pages_are_stable_while_others_come_and_go),
        cmocka_unit_test(tags_of_an_older_database_are_found),
    };
    return RUN_TESTS(tests);
}
