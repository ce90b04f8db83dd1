/* Ranges of user ids, and the files that remember them. */
#include "node-agent/network/inside.h"

#include "base/limits.h"
#include "tests/unit/unit.h"

#include <string.h>

enum { FIRST = 1879048192, EACH = 65536 };

static struct err err;

TEST(refuses_a_first_id_that_cannot_be)
{
    static const uint32_t wrong[] = {1, EACH - 1, FIRST + 1, (uint32_t)LIMIT_USERS_END, UINT32_MAX};
    struct users users;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        err = (struct err){0};
        assert_false(users_init(&users, wrong[i], 256, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, "2147418112")); /* the last that can */
    }
}

TEST(a_node_without_them_has_no_range)
{
    struct users users;
    uint32_t first;
    assert_true(users_init(&users, 0, 256, &err));
    assert_int_equal(users.count, 0);
    assert_false(users_take(&users, &first, &err));
    users_mark(&users, FIRST, true);
    users_done(&users);
}

TEST(gives_each_range_once_and_in_turn)
{
    struct users users;
    uint32_t first = 0;
    assert_true(users_init(&users, FIRST, 8, &err));
    assert_int_equal(users.count, 8 + LIMIT_NETWORK_PREPARED_MAX);
    for (uint32_t i = 0; i < users.count; i++) {
        assert_true(users_take(&users, &first, &err));
        assert_int_equal(first, FIRST + i * EACH);
    }
    assert_false(users_take(&users, &first, &err));
    assert_int_equal(err.code, ERR_NO_CAPACITY);
    users_mark(&users, FIRST + 5 * EACH, false);
    users_mark(&users, FIRST + 3 * EACH, false);
    assert_true(users_take(&users, &first, &err));
    assert_int_equal(first, FIRST + 3 * EACH);
    assert_true(users_take(&users, &first, &err));
    assert_int_equal(first, FIRST + 5 * EACH);
    users_done(&users);
}

TEST(does_not_give_a_range_again_at_once)
{
    struct users users;
    uint32_t one = 0, two = 0;
    assert_true(users_init(&users, FIRST, 8, &err));
    assert_true(users_take(&users, &one, &err));
    users_mark(&users, one, false);
    assert_true(users_take(&users, &two, &err));
    assert_int_not_equal(one, two);
    users_done(&users);
}

TEST(ends_before_the_ids_that_cannot_be)
{
    struct users users;
    uint32_t first = 0;
    assert_true(users_init(&users, (uint32_t)(LIMIT_USERS_END - 2 * EACH), 65536, &err));
    assert_int_equal(users.count, 2);
    assert_true(users_take(&users, &first, &err) && users_take(&users, &first, &err));
    assert_int_equal((int64_t)first + EACH, LIMIT_USERS_END);
    assert_false(users_take(&users, &first, &err));
    users_done(&users);
}

TEST(remembers_ids_of_another_setting_where_they_are_its_own)
{
    struct users users;
    uint32_t first = 0;
    assert_true(users_init(&users, FIRST + EACH, 8, &err));
    users_mark(&users, FIRST, true); /* below: nobody's here */
    users_mark(&users, FIRST + EACH, true);
    users_mark(&users, FIRST + 1000u * EACH, true); /* beyond the last */
    assert_true(users_take(&users, &first, &err));
    assert_int_equal(first, FIRST + 2 * EACH);
    users_done(&users);
}

TEST(reads_what_it_wrote_and_nothing_else)
{
    static const char *const wrong[] = {"", "0", "-5", "x", "99999999999"};
    char folder[] = "/tmp/berth-users-XXXXXX", path[64];
    uint32_t first = 7;
    assert_non_null(mkdtemp(folder));
    assert_false(users_read(folder, &first));
    text_format(path, sizeof path, "%s/users", folder);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_true(line_write(path, wrong[i], &err));
        assert_false(users_read(folder, &first));
    }
    assert_int_equal(first, 7);
    assert_true(users_write(folder, FIRST, &err));
    assert_true(users_read(folder, &first));
    assert_int_equal(first, FIRST);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_first_id_that_cannot_be),
        cmocka_unit_test(a_node_without_them_has_no_range),
        cmocka_unit_test(gives_each_range_once_and_in_turn),
        cmocka_unit_test(does_not_give_a_range_again_at_once),
        cmocka_unit_test(ends_before_the_ids_that_cannot_be),
        cmocka_unit_test(remembers_ids_of_another_setting_where_they_are_its_own),
        cmocka_unit_test(reads_what_it_wrote_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
