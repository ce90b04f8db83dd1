/* A journal cut off or damaged at any byte gives back a state that once was, never half of one. */
#include "tests/unit/meter/world.h"

#include "base/file.h"
#include "base/limits.h"

#include "tests/unit/unit.h"

#include <string.h>

enum { MOMENTS = 64 };

static struct {
    size_t size; /* of the journal */
    char *state;
} moments[MOMENTS];
static size_t moments_count;
static struct world world;
static struct err err;

/* All that the book knows of intervals, as records. Samples may be cut between one and the next. */
static char *state_of(const struct book *book)
{
    AUTO(text) *out = text_new(1 << 20);
    struct book plain = *book;
    plain.samples_count = plain.series_count = 0;
    plain.sequence = plain.sample_number = 0;
    record_all(&plain, out);
    AUTO(text) *hex = text_new(1 << 21);
    for (size_t i = 0; i < out->size; i++)
        text_addf(hex, "%02x", (unsigned char)out->bytes[i]);
    assert_true(text_ok(hex));
    return text_take(hex, NULL);
}

static void moment(void)
{
    moments[moments_count].size = (size_t)world.meter->journal.size;
    moments[moments_count++].state = state_of(&world.meter->book);
}

static void live(void)
{
    struct use_sample sample = {.uid = "g1", .incarnation = 1, .container = "web", .cpu_ns = 1};
    struct meter_report report;
    AUTO(arena) *arena = arena_new(1 << 20);
    moment();
    for (int i = 1; i <= 4; i++) {
        char uid[8];
        text_format(uid, sizeof uid, "g%d", i);
        world.real_ms += 700;
        assert_true(
            meter_begin(world.meter, uid, 1, &(struct meter_amounts){500, 128, 0, 0}, 0, &err));
        moment();
        if (i % 2) {
            world.real_ms += 1100;
            assert_true(meter_end(world.meter, uid, 1, 0, &err));
            moment();
        }
        world.real_ms += 1000;
        assert_true(meter_use(world.meter, &sample, 1, &err));
        assert_true(meter_report(world.meter, 0, arena, &report, &err));
        if (i == 3)
            meter_ack(world.meter, report.sequence);
        assert_true(meter_tick(world.meter, &err));
        moment();
    }
}

static char *recovered(const char *bytes, size_t size)
{
    struct book book;
    assert_true(book_init(&book, &err));
    records_apply(&book, bytes, size);
    char *state = state_of(&book);
    book_done(&book);
    return state;
}

static bool is_a_moment(const char *state, size_t *index)
{
    for (size_t i = 0; i < moments_count; i++) {
        if (strcmp(moments[i].state, state) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

static char *journal_bytes(size_t *size)
{
    char path[128], *bytes;
    world_path(&world, path);
    assert_true(file_read(path, 1 << 20, &bytes, size, &err));
    return bytes;
}

TEST(a_journal_cut_anywhere_gives_back_what_was_whole)
{
    size_t size;
    AUTO_FREE char *bytes = journal_bytes(&size);
    for (size_t cut = moments[0].size; cut <= size; cut++) {
        AUTO_FREE char *copy = malloc(cut + 1); /* so that reading past the cut is seen */
        memcpy(copy, bytes, cut);
        AUTO_FREE char *found = recovered(copy, cut);
        size_t index = 0, expected = 0;
        assert_true(is_a_moment(found, &index));
        while (expected + 1 < moments_count && moments[expected + 1].size <= cut)
            expected++;
        assert_string_equal(found, moments[expected].state);
    }
}

TEST(a_damaged_byte_ends_the_journal_there)
{
    size_t size;
    AUTO_FREE char *bytes = journal_bytes(&size);
    for (size_t at = moments[0].size; at < size; at++) {
        size_t index = 0;
        bytes[at] ^= 0x41;
        AUTO_FREE char *found = recovered(bytes, size);
        bytes[at] ^= 0x41;
        assert_true(is_a_moment(found, &index));
        assert_true(moments[index].size <= at);
    }
}

TEST(a_cut_journal_opens_and_says_how_much_was_lost)
{
    char path[128];
    size_t size;
    AUTO_FREE char *bytes = journal_bytes(&size);
    world_path(&world, path);
    world_kill(&world);
    for (size_t cut = 0; cut < size; cut += 7) {
        assert_true(file_replace(path, bytes, cut, 0600, false, &err));
        world_open(&world);
        assert_in_range(meter_dropped(world.meter), 0, cut);
        assert_true(
            meter_begin(world.meter, "new", 9, &(struct meter_amounts){1, 1, 0, 0}, 0, &err));
        world_kill(&world);
    }
    assert_true(file_replace(path, bytes, size - 1, 0600, false, &err));
    world_open(&world);
    assert_true(meter_dropped(world.meter) > 0);
}

TEST(random_bytes_are_no_journal)
{
    char noise[600];
    for (int round = 0; round < 2000; round++) {
        struct book book;
        assert_true(book_init(&book, &err));
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (char)world_dice(&world, round % 2 ? 256 : 3);
        assert_int_equal(records_apply(&book, noise, sizeof noise), 0);
        book_done(&book);
    }
}

static int up(void **state UNUSED)
{
    world_begin(&world, 7);
    live();
    return 0;
}

static int down(void **state UNUSED)
{
    world_end(&world);
    for (size_t i = 0; i < moments_count; i++)
        free(moments[i].state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_journal_cut_anywhere_gives_back_what_was_whole),
        cmocka_unit_test(a_damaged_byte_ends_the_journal_there),
        cmocka_unit_test(random_bytes_are_no_journal),
        cmocka_unit_test(a_cut_journal_opens_and_says_how_much_was_lost),
    };
    return cmocka_run_group_tests(tests, up, down);
}
