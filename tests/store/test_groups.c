#include "base/limits.h"
#include "tests/store/try.h"

#include <string.h>

TEST(creates_finds_and_lists)
{
    AUTO(trial) *trial = trial_new();
    int64_t key = trial_create(trial, "Web");
    struct group_row *row = trial_find(trial, "wEB");
    assert_non_null(row);
    assert_int_equal(row->key, key);
    assert_string_equal(row->name, "Web");
    assert_string_equal(row->spec, TRY_SPEC);
    assert_int_equal(row->state, GROUP_PENDING);
    assert_int_equal(row->provisioning, PROVISIONING_PENDING);
    assert_true(row->waits);
    struct operation_row *operation = trial_operation(trial, row->operation_key);
    assert_string_equal(operation->id, row->operation_id);
    assert_int_equal(operation->kind, OPERATION_CREATE);
    assert_int_equal(operation->status, OPERATION_PENDING);
    assert_string_equal(operation->subscription, TRY_SUBSCRIPTION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates_finds_and_lists),
    };
    return RUN_TESTS(tests);
}
