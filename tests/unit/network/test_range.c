#include "node-agent/network/inside.h"

#include "tests/unit/unit.h"

#include <string.h>

TEST(reads_ranges_and_says_what_is_wrong_with_others)
{
    static const char *const wrong[] = {"10.101.0.0",
                                        "10.101.0.0/15",
                                        "10.101.0.0/30",
                                        "10.101.0.5/24",
                                        "10.101.0/24",
                                        "fd00::/24",
                                        "10.101.0.0/+24",
                                        "/24",
                                        "300.1.0.0/24",
                                        "10.101.0.0/24 ",
                                        ""};
    struct err err;
    uint32_t first = 0;
    int prefix = 0;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        err = (struct err){0};
        assert_false(range_parse(wrong[i], &first, &prefix, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, *wrong[i] ? wrong[i] : "\"\""));
    }
    assert_true(range_parse("10.101.4.0/22", &first, &prefix, &err));
    assert_int_equal(first, 0x0a650400);
    assert_int_equal(prefix, 22);
}

TEST(gives_each_address_once_and_then_says_that_all_are_used)
{
    struct range range;
    struct err err = {0};
    uint32_t address;
    bool seen[8] = {0};
    assert_true(range_init(&range, "10.101.0.8/29", &err));
    for (int i = 0; i < 5; i++) {
        assert_true(range_take(&range, &address, &err));
        assert_true(range_has(&range, address));
        assert_true(address - range.first >= 2 && address - range.first <= 6);
        assert_false(seen[address - range.first]);
        seen[address - range.first] = true;
    }
    assert_false(range_take(&range, &address, &err));
    assert_int_equal(err.code, ERR_NO_CAPACITY);
    range_give(&range, range.first + 4);
    assert_true(range_take(&range, &address, &err));
    assert_int_equal(address, range.first + 4);
    range_done(&range);
}

TEST(reuses_an_address_as_late_as_possible)
{
    struct range range;
    struct err err = {0};
    uint32_t first, next;
    assert_true(range_init(&range, "10.101.0.0/24", &err));
    assert_true(range_take(&range, &first, &err));
    for (int i = 0; i < 252; i++) {
        range_give(&range, first);
        assert_true(range_take(&range, &next, &err));
        assert_int_not_equal(next, first);
        range_give(&range, next);
    }
    assert_true(range_take(&range, &next, &err));
    assert_int_equal(next, first);
    range_done(&range);
}

TEST(knows_which_ranges_overlap)
{
    struct range range;
    struct err err = {0};
    assert_true(range_init(&range, "10.101.4.0/22", &err));
    assert_true(range_overlaps(&range, 0x0a000000, 8));
    assert_true(range_overlaps(&range, 0x0a650700, 24));
    assert_true(range_overlaps(&range, 0x0a650480, 32));
    assert_false(range_overlaps(&range, 0x0a650800, 24));
    assert_false(range_overlaps(&range, 0x0a650300, 24));
    assert_false(range_overlaps(&range, 0xc0a80000, 16));
    assert_true(range_overlaps(&range, 0, 0));
    range_done(&range);
}

TEST(names_links_by_bridge_and_group)
{
    char one[NETWORK_LINK_SIZE], two[NETWORK_LINK_SIZE], other[NETWORK_LINK_SIZE];
    link_name("berth0", "0190b6a0-0000-7000-8000-000000000001", one);
    link_name("berth0", "0190b6a0-0000-7000-8000-000000000002", two);
    link_name("berth1", "0190b6a0-0000-7000-8000-000000000001", other);
    assert_string_not_equal(one, two);
    assert_string_not_equal(one, other);
    assert_int_equal(strlen(one), 14);
}

TEST(accepts_only_uids_that_are_harmless_as_a_folder)
{
    assert_true(uid_valid("0190b6a0-0000-7000-8000-000000000001"));
    assert_true(uid_valid("g1"));
    assert_false(uid_valid(""));
    assert_false(uid_valid(".."));
    assert_false(uid_valid("a/b"));
    assert_false(uid_valid("-rf"));
    assert_false(uid_valid("0190b6a0-0000-7000-8000-0000000000012"));
}

TEST(keeps_of_resolv_conf_what_works_inside_a_group)
{
    static const char content[] = "# made by something\n"
                                  "nameserver 127.0.0.53\n"
                                  "nameserver ::1\n"
                                  "nameserver fe80::1%eth0\n"
                                  "nameserver\t192.0.2.53\n"
                                  "options edns0 trust-ad\n"
                                  "search example.org\n"
                                  "nameservers 1.2.3.4\n"
                                  "nameserver 2001:db8::53";
    AUTO(text) *out = text_new(1024);
    assert_int_equal(resolv_filter(content, out), 2);
    assert_string_equal(out->bytes,
                        "nameserver\t192.0.2.53\noptions edns0 trust-ad\nsearch example.org\n"
                        "nameserver 2001:db8::53\n");
    text_clear(out);
    assert_int_equal(resolv_filter("", out), 0);
    assert_int_equal(resolv_filter("nameserver \n", out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_ranges_and_says_what_is_wrong_with_others),
        cmocka_unit_test(gives_each_address_once_and_then_says_that_all_are_used),
        cmocka_unit_test(reuses_an_address_as_late_as_possible),
        cmocka_unit_test(knows_which_ranges_overlap),
        cmocka_unit_test(names_links_by_bridge_and_group),
        cmocka_unit_test(accepts_only_uids_that_are_harmless_as_a_folder),
        cmocka_unit_test(keeps_of_resolv_conf_what_works_inside_a_group),
    };
    return RUN_TESTS(tests);
}
