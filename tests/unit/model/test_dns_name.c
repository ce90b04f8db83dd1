/* What a label and its scope make of a name. */
#include "model/container_group.h"
#include "model/dns_name.h"
#include "tests/unit/unit.h"

#include <ctype.h>
#include <string.h>

static struct dns_owner owner_of(int scope)
{
    return (struct dns_owner){.label = "sse-lab-10",
                              .scope = scope,
                              .tenant = "T-1",
                              .subscription = "S-1",
                              .resource_group = "Rg",
                              .location = "westus"};
}

static void make(struct dns_owner owner, char out[DNS_NAME_SIZE])
{
    assert_true(dns_name_make(&owner, out));
}

static bool same(struct dns_owner left, struct dns_owner right)
{
    char one[DNS_NAME_SIZE], other[DNS_NAME_SIZE];
    make(left, one);
    make(right, other);
    return strcmp(one, other) == 0;
}

TEST(without_a_scope_the_label_stands_before_the_location)
{
    char name[DNS_NAME_SIZE];
    make(owner_of(LABEL_UNSECURE), name);
    assert_string_equal(name, "sse-lab-10.westus");
}

TEST(a_scope_puts_sixteen_letters_and_digits_in_between)
{
    for (int scope = LABEL_TENANT; scope <= LABEL_NO_REUSE; scope++) {
        char name[DNS_NAME_SIZE];
        make(owner_of(scope), name);
        assert_int_equal(strlen(name), strlen("sse-lab-10..westus") + DNS_HASH_SIZE);
        assert_memory_equal(name, "sse-lab-10.", 11);
        for (size_t i = 0; i < DNS_HASH_SIZE; i++)
            assert_true(islower(name[11 + i]) || isdigit(name[11 + i]));
        assert_string_equal(name + 11 + DNS_HASH_SIZE, ".westus");
    }
}

/* Names are handed out and written down elsewhere: they are the same with every build. */
TEST(a_hash_never_changes)
{
    char name[DNS_NAME_SIZE];
    make(owner_of(LABEL_TENANT), name);
    assert_string_equal(name, "sse-lab-10.bydehh6wkugxi6qs.westus");
}

TEST(the_hash_says_who_may_have_the_label)
{
    struct dns_owner other_group = owner_of(LABEL_TENANT), other_subscription, other_tenant;
    other_group.resource_group = "other";
    other_subscription = other_group;
    other_subscription.subscription = "S-2";
    other_tenant = other_subscription;
    other_tenant.tenant = "T-2";
    assert_true(same(owner_of(LABEL_TENANT), other_subscription));
    assert_false(same(owner_of(LABEL_TENANT), other_tenant));
    other_group.scope = other_subscription.scope = LABEL_SUBSCRIPTION;
    assert_true(same(owner_of(LABEL_SUBSCRIPTION), other_group));
    assert_false(same(owner_of(LABEL_SUBSCRIPTION), other_subscription));
    other_group.scope = LABEL_RESOURCE_GROUP;
    assert_true(same(owner_of(LABEL_RESOURCE_GROUP), owner_of(LABEL_RESOURCE_GROUP)));
    assert_false(same(owner_of(LABEL_RESOURCE_GROUP), other_group));
    other_group.resource_group = "rG";
    assert_true(same(owner_of(LABEL_RESOURCE_GROUP), other_group));
}

TEST(without_reuse_it_is_another_each_time)
{
    assert_false(same(owner_of(LABEL_NO_REUSE), owner_of(LABEL_NO_REUSE)));
}

TEST(what_is_too_long_is_no_name)
{
    char name[DNS_NAME_SIZE], label[80];
    struct dns_owner owner = owner_of(LABEL_TENANT);
    memset(label, 'a', sizeof label);
    label[DNS_LABEL_MAX] = '\0';
    owner.label = owner.location = label;
    assert_true(dns_name_make(&owner, name));
    label[DNS_LABEL_MAX] = 'a';
    label[DNS_LABEL_MAX + 1] = '\0';
    assert_false(dns_name_make(&owner, name));
}

TEST(a_zone_is_labels_between_dots)
{
    static const char *const good[] = {"berth.internal", "lan", "a-b.9.example"};
    static const char *const bad[] = {"",     ".",    "a.",  ".a", "a..b", "Berth.example",
                                      "-a.b", "a-.b", "a_b", "a b"};
    char longest[DNS_ZONE_MAX + 2];
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(dns_zone_valid(good[i]));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(dns_zone_valid(bad[i]));
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = i % 2 ? '.' : 'a';
    longest[DNS_ZONE_MAX + 1] = '\0';
    assert_false(dns_zone_valid(longest));
    longest[DNS_ZONE_MAX - 1] = '\0';
    assert_true(dns_zone_valid(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_scope_the_label_stands_before_the_location),
        cmocka_unit_test(a_scope_puts_sixteen_letters_and_digits_in_between),
        cmocka_unit_test(a_hash_never_changes),
        cmocka_unit_test(the_hash_says_who_may_have_the_label),
        cmocka_unit_test(without_reuse_it_is_another_each_time),
        cmocka_unit_test(what_is_too_long_is_no_name),
        cmocka_unit_test(a_zone_is_labels_between_dots),
    };
    return RUN_TESTS(tests);
}
