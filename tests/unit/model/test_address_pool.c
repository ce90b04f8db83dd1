#include "model/address_pool.h"

#include "tests/unit/unit.h"

#include <string.h>

static struct err err;

static struct arena *arena(void)
{
    struct arena *made = arena_new(1 << 16);
    assert_non_null(made);
    return made;
}

TEST(reads_addresses_ranges_and_networks_without_their_ends)
{
    AUTO(arena) *memory = arena();
    struct address_pool pool;
    assert_true(address_pool_parse("westus",
                                   "198.51.100.8/29, 203.0.113.5-203.0.113.9,10.0.0.1 10.0.1.0/31",
                                   memory, &pool, &err));
    assert_int_equal(pool.ranges_count, 4);
    assert_int_equal(pool.ranges[0].first, 0xc6336409);
    assert_int_equal(pool.ranges[0].last, 0xc633640e);
    assert_int_equal(pool.ranges[1].last - pool.ranges[1].first, 4);
    assert_int_equal(pool.ranges[2].first, pool.ranges[2].last);
    assert_int_equal(address_pool_size(&pool), 6 + 5 + 1 + 2);
    const struct address_pool *copy = address_pool_copy(&pool, memory);
    assert_string_equal(copy->location, "westus");
    assert_int_equal(address_pool_size(copy), address_pool_size(&pool));
}

TEST(says_which_word_is_no_range)
{
    static const char *const wrong[] = {"198.51.100.9/29", "198.51.100.0/7",
                                        "198.51.100.0/33", "10.0.0.9-10.0.0.1",
                                        "10.0.0",          "::1",
                                        "10.0.0.1-",       "/24"};
    AUTO(arena) *memory = arena();
    struct address_pool pool;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(address_pool_parse("westus", wrong[i], memory, &pool, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, wrong[i]));
    }
    assert_false(address_pool_parse("westus", " , ", memory, &pool, &err));
    assert_non_null(strstr(err.text, "is empty"));
}

TEST(ports_of_a_node_are_written_and_read_back)
{
    struct port_set set = {{80, 53 | PORT_SET_UDP, 65535 | PORT_SET_UDP, 1, 65534}, 5}, back;
    char text[PORT_SET_TEXT_SIZE];
    port_set_show(&set, text);
    assert_string_equal(text, "tcp/80 udp/53 udp/65535 tcp/1 tcp/65534");
    port_set_read(text, &back);
    assert_memory_equal(&back, &set, sizeof set);
    port_set_read("nonsense udp/70000 tcp/", &back);
    assert_int_equal(back.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_addresses_ranges_and_networks_without_their_ends),
        cmocka_unit_test(says_which_word_is_no_range),
        cmocka_unit_test(ports_of_a_node_are_written_and_read_back),
    };
    return RUN_TESTS(tests);
}
