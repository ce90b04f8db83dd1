/* The scheduler with its thread, asked by several others while groups come and go: for the thread sanitizer, and for
 * locks that are taken in the wrong order. */
#include "tests/sim/sim.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>

#define SUBSCRIPTION "11111111-2222-3333-4444-555555555555"

enum { GROUPS = 300, ASKERS = 3, NODES = 4, CPU_OF_NODE = 100000 };

struct region {
    char folder[64], path[96], key_path[96];
    struct store *store;
    struct scheduler *scheduler;
    int64_t node_keys[NODES];
    atomic_bool ending;
};

static bool nodes_join(struct tx *tx, void *data, struct err *err)
{
    struct region *region = data;
    struct node_capacity capacity = {CPU_OF_NODE, 200000};
    AUTO(arena) *arena = arena_new(1 << 20);
    for (int i = 0; i < NODES; i++) {
        char name[16];
        const char *credential;
        struct node_row row;
        text_format(name, sizeof name, "n%d", i);
        struct join_request request = {.name = name,
                                       .boot_id = "b",
                                       .location = "",
                                       .os = "Linux",
                                       .architecture = "amd64",
                                       .address = "127.0.0.1",
                                       .version = "1",
                                       .capacity = &capacity};
        if (!store_node_join(tx, &request, &row, &credential, arena, err))
            return false;
        region->node_keys[i] = row.key;
    }
    struct resource_group_row row = {
        .subscription = SUBSCRIPTION, .name = "rg", .location = "westus", .tags = "{}"};
    bool created;
    return store_resource_group_put(tx, &row, &created, err);
}

static const struct shape shape = {100, 100};

struct making {
    char name[16];
    struct promised_place place;
};

static bool group_create(struct tx *tx, void *data, struct err *err)
{
    const struct making *making = data;
    struct group_row row = {.subscription = SUBSCRIPTION,
                            .resource_group = "rg",
                            .name = making->name,
                            .location = "westus",
                            .spec = "\"location\":\"westus\"",
                            .os = OS_LINUX,
                            .shape = shape,
                            .promised = making->place};
    return store_group_create(tx, &row, "{}", err);
}

/* Every third goes where it was admitted, every third waits with a promise, every third nobody asked for. */
static void make(struct region *region, int number)
{
    struct err err = {0};
    struct making making = {0};
    char why[300];
    text_format(making.name, sizeof making.name, "g%d", number);
    bool asked = number % 3 != 0;
    for (int i = 0; asked && i < 1000 && making.place.promise == 0; i++) {
        if (!scheduler_admit(region->scheduler, &shape, OS_LINUX, "westus", 0, &making.place, why,
                             sizeof why))
            usleep(1000); /* it has not read of the nodes yet */
    }
    assert_true(!asked || making.place.promise != 0);
    if (number % 3 == 1)
        making.place.node_key = 0;
    assert_true(store_write(region->store, group_create, &making, &err));
}

static int64_t held_count(struct region *region)
{
    int64_t held = 0;
    for (int i = 0; i < NODES; i++) {
        struct node_room room;
        assert_true(scheduler_node_room(region->scheduler, region->node_keys[i], &room));
        assert_int_equal(CPU_OF_NODE - room.cpu_milli, room.groups * shape.cpu_milli);
        held += room.groups;
    }
    return held;
}

static void *ask(void *context)
{
    struct region *region = context;
    char why[300];
    struct node_room room;
    while (!atomic_load(&region->ending)) {
        struct promised_place place;
        if (scheduler_admit(region->scheduler, &shape, OS_LINUX, "westus", 0, &place, why,
                            sizeof why))
            scheduler_admit_undo(region->scheduler, place.promise);
        for (int i = 0; i < NODES; i++) {
            scheduler_node_seen(region->scheduler, region->node_keys[i], 1);
            (void)scheduler_node_room(region->scheduler, region->node_keys[i], &room);
        }
        CHECK(scheduler_set_queue(region->scheduler, "westus", true));
    }
    return NULL;
}

static int64_t pending_count(struct region *region)
{
    struct err err = {0};
    struct pending_row *rows = NULL;
    size_t count = 0;
    AUTO(arena) *arena = arena_new(1 << 22);
    AUTO(tx) *tx = store_read(region->store, &err);
    assert_true(tx && store_pending_list(tx, 0, GROUPS, arena, &rows, &count, &err));
    return (int64_t)count;
}

TEST(places_everything_while_others_ask)
{
    struct err err = {0};
    struct region region = {0};
    pthread_t askers[ASKERS];
    static const struct scheduler_location locations[] = {{"westus", false}};
    log_configure(LOG_ERROR, false);
    text_copy(region.folder, sizeof region.folder, "/tmp/berth-threads-XXXXXX");
    assert_non_null(mkdtemp(region.folder));
    text_format(region.path, sizeof region.path, "%s/berth.db", region.folder);
    text_format(region.key_path, sizeof region.key_path, "%s/key", region.folder);
    region.store =
        store_open(&(struct store_options){.path = region.path, .key_path = region.key_path}, &err);
    assert_non_null(region.store);
    struct scheduler_options options = {.store = region.store,
                                        .locations = locations,
                                        .locations_count = 1,
                                        .default_location = "westus",
                                        .beat_ms = 1000,
                                        .fence_ms = 8000,
                                        .lost_ms = 10000};
    region.scheduler = scheduler_start(&options, &err);
    assert_non_null(region.scheduler);
    assert_true(scheduler_ready(region.scheduler));
    assert_true(store_write(region.store, nodes_join, &region, &err));
    for (int i = 0; i < ASKERS; i++)
        assert_true(thread_start(&askers[i], "asker", ask, &region, &err));
    for (int i = 0; i < GROUPS; i++)
        make(&region, i);
    for (int64_t until_ns = clock_boot_ns() + 20000000000;
         pending_count(&region) > 0 && clock_boot_ns() < until_ns;)
        usleep(2000);
    assert_int_equal(pending_count(&region), 0);
    atomic_store(&region.ending, true);
    for (int i = 0; i < ASKERS; i++)
        pthread_join(askers[i], NULL);
    for (int64_t until_ns = clock_boot_ns() + 20000000000;
         held_count(&region) != GROUPS && clock_boot_ns() < until_ns;)
        usleep(2000);
    assert_int_equal(held_count(&region), GROUPS);
    scheduler_stop(region.scheduler);
    assert_false(scheduler_ready(region.scheduler));
    store_close(region.store);
    scheduler_free(region.scheduler);
    assert_true(file_remove_tree(region.folder, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places_everything_while_others_ask)};
    return RUN_TESTS(tests);
}
