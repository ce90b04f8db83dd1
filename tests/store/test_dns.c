/* Names below the DNS zone: one group has each, whoever comes first, and what an outside server was told is never lost. */
#include "base/limits.h"
#include "tests/store/try.h"

#include <pthread.h>

struct naming {
    struct group_row row;
    const char *name, *dns_name;
    struct err err;
};

static void naming_init(struct naming *naming, const char *name, const char *dns_name)
{
    *naming = (struct naming){.name = name, .dns_name = dns_name};
    naming->row = (struct group_row){.subscription = TRY_SUBSCRIPTION,
                                     .resource_group = "rg",
                                     .name = name,
                                     .location = "westus",
                                     .spec = TRY_SPEC,
                                     .os = OS_LINUX,
                                     .dns_name = dns_name,
                                     .shape = {1000, 1024}};
}

static bool create_work(struct tx *tx, void *data, struct err *err)
{
    struct naming *naming = data;
    return store_group_create(tx, &naming->row, "{}", err);
}

static enum err_code create(struct trial *trial, const char *name, const char *dns_name)
{
    struct naming naming;
    naming_init(&naming, name, dns_name);
    return store_write(trial->store, create_work, &naming, &naming.err) ? ERR_OK : naming.err.code;
}

/* A PUT over the group that changes nothing but its label. */
static bool rename_work(struct tx *tx, void *data, struct err *err)
{
    struct naming *naming = data;
    AUTO(arena) *arena = arena_new(1 << 20);
    struct resource_id id = {TRY_SUBSCRIPTION, "rg", naming->name};
    struct group_row *row = store_group_find(tx, &id, true, arena, err);
    if (!row)
        return false;
    row->dns_name = naming->dns_name;
    return store_group_update(tx, row, NULL, false, err);
}

static enum err_code rename_to(struct trial *trial, const char *name, const char *dns_name)
{
    struct naming naming = {.name = name, .dns_name = dns_name};
    return store_write(trial->store, rename_work, &naming, &naming.err) ? ERR_OK : naming.err.code;
}

static struct dns_found find(struct trial *trial, const char *name)
{
    struct err err = {0};
    struct dns_found found;
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_non_null(tx);
    assert_true(store_dns_find(tx, name, trial->arena, &found, &err));
    return found;
}

static void report_address(struct trial *trial, struct trial_node *node, int64_t key,
                           const char *address)
{
    const struct group_row *row = trial_get(trial, key);
    struct group_status status = {.uid = row->uid,
                                  .incarnation = row->incarnation,
                                  .state = GROUP_RUNNING,
                                  .provisioned = true,
                                  .address = address};
    struct report report = {.statuses = &status, .statuses_count = 1};
    assert_int_equal(trial_report(trial, node, &report), ERR_OK);
}

static int64_t running(struct trial *trial, struct trial_node *node, const char *name,
                       const char *dns_name, const char *address)
{
    assert_int_equal(create(trial, name, dns_name), ERR_OK);
    int64_t key = trial_find(trial, name)->key;
    assert_int_equal(trial_place(trial, key, node), ERR_OK);
    report_address(trial, node, key, address);
    return key;
}

/* ---- who has a name ---- */

TEST(a_name_that_is_taken_is_refused_whatever_its_case)
{
    AUTO(trial) *trial = trial_new();
    assert_int_equal(create(trial, "first", "aci-demo.westus"), ERR_OK);
    assert_int_equal(create(trial, "second", "aci-demo.westus"), ERR_DNS_LABEL_TAKEN);
    assert_int_equal(create(trial, "second", "ACI-demo.WestUS"), ERR_DNS_LABEL_TAKEN);
    assert_null(trial_find(trial, "second"));
    assert_int_equal(create(trial, "second", "aci-demo.eastus"), ERR_OK);
    assert_string_equal(trial_find(trial, "first")->dns_name, "aci-demo.westus");
}

TEST(the_refusal_names_label_and_group)
{
    AUTO(trial) *trial = trial_new();
    struct naming naming;
    assert_int_equal(create(trial, "first", "aci-demo.abc.westus"), ERR_OK);
    naming_init(&naming, "second", "aci-demo.abc.westus");
    assert_false(store_write(trial->store, create_work, &naming, &naming.err));
    assert_string_equal(naming.err.text, "The DNS name label 'aci-demo' in container group "
                                         "'second' is not available. Try using a different label.");
}

TEST(a_name_is_free_once_its_group_is_removed)
{
    AUTO(trial) *trial = trial_new();
    assert_int_equal(create(trial, "first", "aci-demo.westus"), ERR_OK);
    assert_int_equal(trial_order(trial, "first", ORDER_REMOVE), ERR_OK);
    assert_false(find(trial, "aci-demo.westus").exists);
    assert_int_equal(create(trial, "second", "aci-demo.westus"), ERR_OK);
}

TEST(a_changed_label_frees_the_old_name_in_the_same_moment)
{
    AUTO(trial) *trial = trial_new();
    assert_int_equal(create(trial, "first", "one-one.westus"), ERR_OK);
    assert_int_equal(create(trial, "second", "two-two.westus"), ERR_OK);
    assert_int_equal(rename_to(trial, "first", "two-two.westus"), ERR_DNS_LABEL_TAKEN);
    assert_true(find(trial, "one-one.westus").exists);
    assert_int_equal(rename_to(trial, "first", "three.westus"), ERR_OK);
    assert_false(find(trial, "one-one.westus").exists);
    assert_int_equal(rename_to(trial, "second", "one-one.westus"), ERR_OK);
    assert_int_equal(rename_to(trial, "first", NULL), ERR_OK);
    assert_false(find(trial, "three.westus").exists);
    assert_null(trial_find(trial, "first")->dns_name);
}

struct racing {
    struct trial *trial;
    char name[24];
    enum err_code code;
};

static void *race(void *context)
{
    struct racing *racing = context;
    racing->code = create(racing->trial, racing->name, "wanted.westus");
    return NULL;
}

TEST(of_many_that_ask_at_once_one_gets_it)
{
    enum { RACERS = 24 };
    AUTO(trial) *trial = trial_new();
    struct racing racing[RACERS];
    pthread_t threads[RACERS];
    int won = 0;
    for (int i = 0; i < RACERS; i++) {
        racing[i] = (struct racing){.trial = trial};
        text_format(racing[i].name, sizeof racing[i].name, "g%d", i);
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racing[i]), 0);
    }
    for (int i = 0; i < RACERS; i++) {
        pthread_join(threads[i], NULL);
        won += racing[i].code == ERR_OK;
        assert_true(racing[i].code == ERR_OK || racing[i].code == ERR_DNS_LABEL_TAKEN);
        assert_int_equal(trial_find(trial, racing[i].name) != NULL, racing[i].code == ERR_OK);
    }
    assert_int_equal(won, 1);
}

/* ---- what it stands for ---- */

TEST(a_name_has_the_address_of_its_group_while_it_has_one)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n");
    int64_t key = running(trial, &node, "web", "aci-demo.westus", "10.0.0.7");
    assert_string_equal(find(trial, "ACI-DEMO.westus").address, "10.0.0.7");
    report_address(trial, &node, key, "10.0.0.8");
    assert_string_equal(find(trial, "aci-demo.westus").address, "10.0.0.8");
    assert_int_equal(rename_to(trial, "web", "another.westus"), ERR_OK);
    assert_string_equal(find(trial, "another.westus").address, "10.0.0.8");
    assert_int_equal(trial_lose(trial, &node, true), ERR_OK);
    assert_null(find(trial, "another.westus").address);
    assert_int_equal(find(trial, "another.westus").group_key, key);
}

TEST(names_between_a_label_and_the_zone_are_there_as_long_as_it_is)
{
    AUTO(trial) *trial = trial_new();
    assert_int_equal(create(trial, "web", "aci-demo.0123456789abcdef.westus"), ERR_OK);
    assert_true(find(trial, "0123456789abcdef.westus").exists);
    assert_true(find(trial, "westus").exists);
    assert_int_equal(find(trial, "westus").group_key, 0);
    assert_false(find(trial, "eastus").exists);
    assert_int_equal(trial_order(trial, "web", ORDER_REMOVE), ERR_OK);
    assert_false(find(trial, "0123456789abcdef.westus").exists);
    assert_false(find(trial, "westus").exists);
}

/* ---- what an outside server was told ---- */

struct telling {
    struct dns_name_row *rows;
    size_t count;
    const char *after;
    char next[DNS_NAME_SIZE];
    bool more;
};

static bool sending_work(struct tx *tx, void *data, struct err *err)
{
    struct telling *telling = data;
    return store_dns_sending(tx, telling->rows, telling->count, err);
}

static bool sent_work(struct tx *tx, void *data, struct err *err)
{
    struct telling *telling = data;
    return store_dns_sent(tx, telling->rows, telling->count, err);
}

static bool doubt_work(struct tx *tx, void *data, struct err *err)
{
    struct telling *telling = data;
    return store_dns_doubt(tx, telling->after, telling->next, &telling->more, err);
}

static struct telling unsent(struct trial *trial)
{
    struct telling telling = {0};
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_true(tx && store_dns_unsent(tx, 100, trial->arena, &telling.rows, &telling.count, &err));
    return telling;
}

/* "name=address name=-" of what an outside server would be told next. */
static const char *unsent_text(struct trial *trial)
{
    struct telling telling = unsent(trial);
    const char *text = "";
    for (size_t i = 0; i < telling.count; i++)
        text = arena_format(trial->arena, "%s%s%s=%s", text, i > 0 ? " " : "", telling.rows[i].name,
                            telling.rows[i].address ? telling.rows[i].address : "-");
    return text;
}

static void tell_all(struct trial *trial)
{
    struct telling telling = unsent(trial);
    trial_write(trial, sending_work, &telling);
    trial_write(trial, sent_work, &telling);
}

TEST(what_changed_is_told_in_order_until_it_is_confirmed)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n");
    int64_t first = running(trial, &node, "a", "aaaaa.westus", "10.0.0.1");
    running(trial, &node, "b", "bbbbb.westus", "10.0.0.2");
    assert_string_equal(unsent_text(trial), "aaaaa.westus=10.0.0.1 bbbbb.westus=10.0.0.2");
    report_address(trial, &node, first, "10.0.0.9");
    assert_string_equal(unsent_text(trial), "bbbbb.westus=10.0.0.2 aaaaa.westus=10.0.0.9");
    tell_all(trial);
    assert_string_equal(unsent_text(trial), "");
    assert_int_equal(trial_order(trial, "a", ORDER_REMOVE), ERR_OK);
    assert_string_equal(unsent_text(trial), "aaaaa.westus=-");
    tell_all(trial);
    assert_string_equal(unsent_text(trial), "");
}

TEST(a_name_that_never_had_an_address_is_not_told)
{
    AUTO(trial) *trial = trial_new();
    assert_int_equal(create(trial, "a", "aaaaa.westus"), ERR_OK);
    assert_string_equal(unsent_text(trial), "");
    assert_int_equal(trial_order(trial, "a", ORDER_REMOVE), ERR_OK);
    assert_string_equal(unsent_text(trial), "");
}

TEST(what_was_sent_and_not_confirmed_is_sent_again_even_when_it_is_gone)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n");
    running(trial, &node, "a", "aaaaa.westus", "10.0.0.1");
    struct telling telling = unsent(trial);
    trial_write(trial, sending_work, &telling);
    trial_reopen(trial);
    assert_string_equal(unsent_text(trial), "aaaaa.westus=10.0.0.1");
    assert_int_equal(trial_order(trial, "a", ORDER_REMOVE), ERR_OK);
    assert_string_equal(unsent_text(trial), "aaaaa.westus=-");
}

TEST(a_name_taken_again_before_its_removal_was_told_is_told_as_it_is)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n");
    running(trial, &node, "a", "aaaaa.westus", "10.0.0.1");
    tell_all(trial);
    assert_int_equal(trial_order(trial, "a", ORDER_REMOVE), ERR_OK);
    running(trial, &node, "b", "aaaaa.westus", "10.0.0.2");
    assert_string_equal(unsent_text(trial), "aaaaa.westus=10.0.0.2");
}

TEST(a_confirmation_that_comes_late_does_not_hide_a_newer_change)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n");
    int64_t key = running(trial, &node, "a", "aaaaa.westus", "10.0.0.1");
    struct telling telling = unsent(trial);
    trial_write(trial, sending_work, &telling);
    report_address(trial, &node, key, "10.0.0.2");
    trial_write(trial, sent_work, &telling);
    assert_string_equal(unsent_text(trial), "aaaaa.westus=10.0.0.2");
}

TEST(in_doubt_everything_is_told_again)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n");
    running(trial, &node, "a", "aaaaa.westus", "10.0.0.1");
    assert_int_equal(create(trial, "b", "bbbbb.westus"), ERR_OK);
    tell_all(trial);
    struct telling telling = {.after = ""};
    trial_write(trial, doubt_work, &telling);
    assert_false(telling.more);
    assert_string_equal(unsent_text(trial), "aaaaa.westus=10.0.0.1 bbbbb.westus=-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_is_taken_is_refused_whatever_its_case),
        cmocka_unit_test(the_refusal_names_label_and_group),
        cmocka_unit_test(a_name_is_free_once_its_group_is_removed),
        cmocka_unit_test(a_changed_label_frees_the_old_name_in_the_same_moment),
        cmocka_unit_test(of_many_that_ask_at_once_one_gets_it),
        cmocka_unit_test(a_name_has_the_address_of_its_group_while_it_has_one),
        cmocka_unit_test(names_between_a_label_and_the_zone_are_there_as_long_as_it_is),
        cmocka_unit_test(what_changed_is_told_in_order_until_it_is_confirmed),
        cmocka_unit_test(a_name_that_never_had_an_address_is_not_told),
        cmocka_unit_test(what_was_sent_and_not_confirmed_is_sent_again_even_when_it_is_gone),
        cmocka_unit_test(a_name_taken_again_before_its_removal_was_told_is_told_as_it_is),
        cmocka_unit_test(a_confirmation_that_comes_late_does_not_hide_a_newer_change),
        cmocka_unit_test(in_doubt_everything_is_told_again),
    };
    return RUN_TESTS(tests);
}
