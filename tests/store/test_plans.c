/* Every statement is asked how it would go about it. A walk over a whole table is refused unless the statement says
 * why; so is sorting, unless it sorts a handful. */
#include "base/text.h"
#include "store/backend.h"
#include "store/statements.h"
#include "tests/store/try.h"

#include <string.h>

/* Sorted after the rows were found by an index: as many as one group or page has. */
static const int sorts_few[] = {SQL_assignment_of_group, SQL_usage_by_time};

static bool may_sort(int sql)
{
    for (size_t i = 0; i < COUNT_OF(sorts_few); i++)
        if (sorts_few[i] == sql)
            return true;
    return false;
}

static bool is_walk(const char *line)
{
    return strncmp(line, "SCAN ", 5) == 0 && !strstr(line, "CONSTANT ROW") &&
           !strstr(line, "SCAN (");
}

/* The first line that walks or sorts; "" when there is none. */
static void look(const char *plan, int sql, char *found, size_t size)
{
    found[0] = '\0';
    for (const char *line = plan; *line && !found[0]; line = strchr(line, '\n') + 1) {
        size_t length = strcspn(line, "\n");
        char one[512];
        text_format(one, sizeof one, "%.*s", (int)length, line);
        if (is_walk(one) || (strstr(one, "TEMP B-TREE") && !may_sort(sql)))
            text_copy(found, size, one);
    }
}

static struct backend *open_backend(struct trial *trial)
{
    struct err err = {0};
    struct backend *backend = backend_open(trial->path, BACKEND_READER, &err);
    assert_non_null(backend);
    return backend;
}

TEST(no_statement_walks_a_whole_table_without_saying_why)
{
    AUTO(trial) *trial = trial_new();
    AUTO(backend) *backend = open_backend(trial);
    size_t faults = 0;
    for (int i = 0; i < sql_catalog.statements_count; i++) {
        AUTO(text) *plan = text_new(1 << 20);
        struct err err = {0};
        char found[512];
        if (!backend_plan(backend, i, plan, &err))
            fail_msg("%s", err.text);
        look(plan->bytes, i, found, sizeof found);
        if (found[0] && !sql_catalog.statements[i].scan) {
            print_error("%s: %s\n", sql_catalog.statements[i].name, found);
            faults++;
        }
    }
    assert_int_equal(faults, 0);
}

TEST(a_reason_for_a_walk_is_given_only_where_there_is_one)
{
    AUTO(trial) *trial = trial_new();
    AUTO(backend) *backend = open_backend(trial);
    for (int i = 0; i < sql_catalog.statements_count; i++) {
        AUTO(text) *plan = text_new(1 << 20);
        struct err err = {0};
        char found[512];
        if (!sql_catalog.statements[i].scan)
            continue;
        assert_true(backend_plan(backend, i, plan, &err));
        look(plan->bytes, i, found, sizeof found);
        assert_true(found[0] != '\0');
    }
}

/* Where another index would do for few rows and not for many. */
TEST(lists_walk_the_index_that_is_made_for_them)
{
    static const struct {
        int sql;
        const char *part; /* of the plan */
    } cases[] = {
        {SQL_resource_list, "container_groups_of_subscription"},
        {SQL_resource_list_in, "resource_group_key=? AND living=?"},
        {SQL_resource_list_named, "resource_groups_of_subscription"},
        {SQL_resource_list_named, "container_groups_name "},
        {SQL_resource_list_tagged, "tags_of_name"},
        {SQL_resource_list_valued, "tags_of_value"},
        {SQL_resource_group_list_tagged, "tags_of_name"},
        {SQL_resource_group_list_valued, "tags_of_value"},
        {SQL_resource_group_deleting, "resource_groups_deleting"},
        {SQL_resource_group_hide, "resource_group_key=? AND living=?"},
        {SQL_resource_group_groups, "resource_group_key=? AND living=?"},
        {SQL_usage_by_time, "usage_intervals_of_subscription (subscription_key=? AND "
                            "span=? AND start_s>? AND start_s<?)"},
        {SQL_usage_of_resource_group, "usage_groups_of_resource_group"},
        {SQL_usage_ended, "usage_intervals_ended (subscription_key=? AND "},
    };
    AUTO(trial) *trial = trial_new();
    AUTO(backend) *backend = open_backend(trial);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(text) *plan = text_new(1 << 20);
        struct err err = {0};
        assert_true(backend_plan(backend, cases[i].sql, plan, &err));
        if (!strstr(plan->bytes, cases[i].part))
            fail_msg("%s does not say %s: %s", sql_catalog.statements[cases[i].sql].name,
                     cases[i].part, plan->bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_statement_walks_a_whole_table_without_saying_why),
        cmocka_unit_test(a_reason_for_a_walk_is_given_only_where_there_is_one),
        cmocka_unit_test(lists_walk_the_index_that_is_made_for_them),
    };
    return RUN_TESTS(tests);
}
