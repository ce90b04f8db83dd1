/* Public addresses: each has one group at most, whoever comes first, until nothing of the group is left. */
#include "tests/store/try.h"

#include <semaphore.h>
#include <string.h>

enum { POOL_SIZE = 6, MANY = 40 };

static struct address_range ranges[] = {{0x0a000001, 0x0a000004}, {0xc6336428, 0xc6336429}};
static const struct address_pool pool = {"westus", ranges, COUNT_OF(ranges)};

struct making {
    struct group_row row;
    char name[16];
    struct err err;
    bool failed;
    sem_t *told;
};

static void making_init(struct making *making, int number, const struct address_pool *from)
{
    *making = (struct making){0};
    text_format(making->name, sizeof making->name, "g%d", number);
    making->row = (struct group_row){.subscription = TRY_SUBSCRIPTION,
                                     .resource_group = "rg",
                                     .name = making->name,
                                     .location = "westus",
                                     .spec = TRY_SPEC,
                                     .os = OS_LINUX,
                                     .pool = from,
                                     .shape = {1000, 1024}};
}

static bool make(struct tx *tx, void *data, struct err *err)
{
    struct making *making = data;
    return store_group_create(tx, &making->row, "{}", err);
}

static enum err_code create(struct trial *trial, int number, const struct address_pool *from,
                            struct err *err)
{
    struct making making;
    making_init(&making, number, from);
    return store_write(trial->store, make, &making, err) ? ERR_OK : err->code;
}

static const char *address_of(struct trial *trial, int number)
{
    char name[16];
    text_format(name, sizeof name, "g%d", number);
    return trial_find(trial, name)->public_address;
}

static bool in_pool(const char *address)
{
    return strcmp(address, "10.0.0.1") == 0 || strcmp(address, "10.0.0.2") == 0 ||
           strcmp(address, "10.0.0.3") == 0 || strcmp(address, "10.0.0.4") == 0 ||
           strcmp(address, "198.51.100.40") == 0 || strcmp(address, "198.51.100.41") == 0;
}

static void fill(struct trial *trial)
{
    struct err err = {0};
    for (int i = 0; i < POOL_SIZE; i++)
        assert_int_equal(create(trial, i, &pool, &err), ERR_OK);
}

TEST(gives_each_address_of_a_pool_once_and_then_names_the_pool)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    fill(trial);
    for (int i = 0; i < POOL_SIZE; i++) {
        assert_true(in_pool(address_of(trial, i)));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(address_of(trial, i), address_of(trial, j));
    }
    assert_int_equal(create(trial, 99, &pool, &err), ERR_ADDRESS_POOL_EMPTY);
    assert_non_null(strstr(err.text, "location 'westus'"));
    assert_non_null(strstr(err.text, "all 6 are reserved"));
    assert_null(trial_find(trial, "g99"));
    assert_int_equal(create(trial, 99, NULL, &err), ERR_OK);
    assert_null(address_of(trial, 99));
}

TEST(an_address_stays_over_stop_and_start_and_is_free_when_its_group_is_gone)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    fill(trial);
    const char *address = address_of(trial, 3);
    assert_int_equal(trial_order(trial, "g3", ORDER_STOP), ERR_OK);
    assert_string_equal(address_of(trial, 3), address);
    assert_int_equal(trial_order(trial, "g3", ORDER_START), ERR_OK);
    assert_string_equal(address_of(trial, 3), address);
    trial_reopen(trial);
    assert_string_equal(address_of(trial, 3), address);
    assert_int_equal(trial_order(trial, "g3", ORDER_REMOVE), ERR_OK);
    assert_int_equal(create(trial, 50, &pool, &err), ERR_OK);
    assert_string_equal(address_of(trial, 50), address);
}

TEST(an_address_is_not_free_while_a_node_still_has_to_forget_its_group)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    fill(trial);
    struct trial_node node = trial_join(trial, "n1");
    int64_t key = trial_find(trial, "g1")->key;
    const char *uid = trial_find(trial, "g1")->uid;
    assert_int_equal(trial_place(trial, key, &node), ERR_OK);
    assert_string_equal(trial_desired(trial, &node, 0)->assignments[0].public_address,
                        address_of(trial, 1));
    assert_int_equal(trial_order(trial, "g1", ORDER_REMOVE), ERR_OK);
    assert_int_equal(create(trial, 50, &pool, &err), ERR_ADDRESS_POOL_EMPTY);
    struct group_status status = {.uid = uid, .incarnation = 1, .released = true, .removed = true};
    struct report report = {.statuses = &status, .statuses_count = 1};
    assert_int_equal(trial_report(trial, &node, &report), ERR_OK);
    assert_int_equal(create(trial, 50, &pool, &err), ERR_OK);
}

TEST(an_address_is_free_once_the_node_that_has_to_forget_its_group_is_fenced)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    fill(trial);
    struct trial_node first = trial_join(trial, "n1"), second = trial_join(trial, "n2");
    int64_t deleted = trial_find(trial, "g1")->key, moved = trial_find(trial, "g2")->key;
    assert_int_equal(trial_place(trial, deleted, &first), ERR_OK);
    assert_int_equal(trial_place(trial, moved, &first), ERR_OK);
    assert_int_equal(trial_order(trial, "g1", ORDER_REMOVE), ERR_OK);
    assert_int_equal(create(trial, 50, &pool, &err), ERR_ADDRESS_POOL_EMPTY);
    assert_int_equal(trial_lose(trial, &first, true), ERR_OK);
    assert_int_equal(create(trial, 50, &pool, &err), ERR_OK);
    const char *uid = trial_find(trial, "g2")->uid;
    assert_int_equal(trial_place(trial, moved, &second), ERR_OK);
    assert_int_equal(trial_order(trial, "g2", ORDER_REMOVE), ERR_OK);
    assert_int_equal(create(trial, 51, &pool, &err), ERR_ADDRESS_POOL_EMPTY);
    struct group_status status = {.uid = uid, .incarnation = 2, .released = true, .removed = true};
    struct report report = {.statuses = &status, .statuses_count = 1};
    assert_int_equal(trial_report(trial, &second, &report), ERR_OK);
    assert_int_equal(create(trial, 51, &pool, &err), ERR_OK);
}

TEST(an_address_is_not_free_while_a_node_that_was_never_fenced_is_away)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    fill(trial);
    struct trial_node node = trial_join(trial, "n1");
    assert_int_equal(trial_place(trial, trial_find(trial, "g1")->key, &node), ERR_OK);
    assert_int_equal(trial_order(trial, "g1", ORDER_REMOVE), ERR_OK);
    assert_int_equal(trial_lose(trial, &node, false), ERR_OK);
    assert_int_equal(create(trial, 50, &pool, &err), ERR_ADDRESS_POOL_EMPTY);
}

static void made(void *data, const struct err *err)
{
    struct making *making = data;
    making->failed = err != NULL;
    if (err)
        making->err = *err;
    sem_post(making->told);
}

TEST(of_many_at_once_as_many_get_one_as_there_are)
{
    static struct making makings[MANY];
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    sem_t told;
    int got = 0;
    sem_init(&told, 0, 0);
    for (int i = 0; i < MANY; i++) {
        making_init(&makings[i], i, &pool);
        makings[i].told = &told;
        assert_true(store_submit(trial->store, make, made, &makings[i], &err));
    }
    for (int i = 0; i < MANY; i++)
        sem_wait(&told);
    for (int i = 0; i < MANY; i++) {
        got += !makings[i].failed;
        assert_true(!makings[i].failed || makings[i].err.code == ERR_ADDRESS_POOL_EMPTY);
    }
    assert_int_equal(got, POOL_SIZE);
    sem_destroy(&told);
}

TEST(a_name_that_stands_is_told_before_an_empty_pool)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    fill(trial);
    assert_int_equal(create(trial, 2, &pool, &err), ERR_CONFLICT);
}

TEST(ports_of_a_nodes_own_address_are_kept_with_the_group)
{
    AUTO(trial) *trial = trial_new();
    struct making making;
    struct err err = {0};
    making_init(&making, 1, NULL);
    making.row.shape.ports = (struct port_set){{80, 53 | PORT_SET_UDP}, 2};
    assert_true(store_write(trial->store, make, &making, &err));
    const struct group_row *row = trial_find(trial, "g1");
    assert_true(shape_equal(&row->shape, &making.row.shape));
    struct trial_node node = trial_join(trial, "n1");
    assert_int_equal(trial_place(trial, row->key, &node), ERR_OK);
    AUTO(tx) *tx = store_read(trial->store, &err);
    struct assignment_row *rows;
    size_t count;
    assert_true(store_assignment_list(tx, trial->arena, &rows, &count, &err));
    assert_int_equal(count, 1);
    assert_true(shape_equal(&rows[0].shape, &making.row.shape));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_address_of_a_pool_once_and_then_names_the_pool),
        cmocka_unit_test(an_address_stays_over_stop_and_start_and_is_free_when_its_group_is_gone),
        cmocka_unit_test(an_address_is_not_free_while_a_node_still_has_to_forget_its_group),
        cmocka_unit_test(an_address_is_free_once_the_node_that_has_to_forget_its_group_is_fenced),
        cmocka_unit_test(an_address_is_not_free_while_a_node_that_was_never_fenced_is_away),
        cmocka_unit_test(of_many_at_once_as_many_get_one_as_there_are),
        cmocka_unit_test(a_name_that_stands_is_told_before_an_empty_pool),
        cmocka_unit_test(ports_of_a_nodes_own_address_are_kept_with_the_group),
    };
    return RUN_TESTS(tests);
}
