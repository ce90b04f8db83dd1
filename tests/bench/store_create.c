/* Durable creates by the store alone: N submitters, each with one create on its way at any time, for some seconds.
 *
 *     store_create FOLDER [SUBMITTERS [SECONDS [random]]]
 *
 * Names rise, or are random with the last word. Prints creates/s; the wait for a commit; CPU (of all threads) and bytes
 * given to the disk for one create. */
#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "store/store.h"

#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { SPEC_SIZE = 2048, SAMPLES_MAX = 4000000 };

struct submitter {
    struct group_row row;
    char name[64];
    int64_t begun_ns;
    sem_t *idle;
};

static char spec[SPEC_SIZE + 1];
static struct store *opened;
static int64_t *waits_ns;
static size_t waits_count;
static int64_t until_ns;
static int64_t serial;
static bool random_names;
static struct quota_limits limits_of_all;
static struct arena *arena; /* of the writer's thread */

static bool create(struct tx *tx, void *data, struct err *err)
{
    struct submitter *submitter = data;
    struct resource_id id = {submitter->row.subscription, submitter->row.resource_group,
                             submitter->row.name};
    arena_reset(arena);
    return !store_group_find(tx, &id, false, arena, err) && err->code == ERR_OK &&
           store_group_create(tx, &submitter->row, "{}", err);
}

static void submit(struct submitter *submitter);

/* On the writer's thread: the next create goes out at once, as a waiting client's would. */
static void created(void *data, const struct err *err)
{
    struct submitter *submitter = data;
    if (err) {
        fprintf(stderr, "%s\n", err->text);
        exit(1);
    }
    if (waits_count < SAMPLES_MAX)
        waits_ns[waits_count++] = clock_boot_ns() - submitter->begun_ns;
    submit(submitter);
}

static void submit(struct submitter *submitter)
{
    struct err err = {0};
    if (clock_boot_ns() > until_ns) {
        sem_post(submitter->idle);
        return;
    }
    char id[ID_SIZE];
    if (random_names)
        id_random(id);
    else
        text_format(id, sizeof id, "%012lld", (long long)++serial);
    text_format(submitter->name, sizeof submitter->name, "g-%s", id);
    submitter->row = (struct group_row){.subscription = "11111111-2222-3333-4444-555555555555",
                                        .resource_group = "bench",
                                        .name = submitter->name,
                                        .location = "westus",
                                        .spec = spec,
                                        .restart_policy = RESTART_ALWAYS,
                                        .os = OS_LINUX,
                                        .limits = &limits_of_all,
                                        .shape = {100, 128}};
    submitter->begun_ns = clock_boot_ns();
    if (!store_submit(opened, create, created, submitter, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

static bool make_resource_group(struct tx *tx, void *data, struct err *err)
{
    struct resource_group_row row = {.subscription = "11111111-2222-3333-4444-555555555555",
                                     .name = "bench",
                                     .location = "westus",
                                     .tags = "{}"};
    return store_resource_group_put(tx, &row, data, err);
}

static int by_size(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static double ms(double part)
{
    return waits_count ? (double)waits_ns[(size_t)(part * (double)(waits_count - 1))] / 1e6 : 0;
}

/* ---- placing what was created, in batches as the scheduler does ---- */

enum { PLACE_BATCH = 256 };

struct placing {
    int64_t node_key, epoch, after, placed;
};

static bool join(struct tx *tx, void *data, struct err *err)
{
    struct placing *placing = data;
    struct node_capacity capacity = {1000000000, 1000000000};
    struct join_request request = {.name = "n",
                                   .boot_id = "b",
                                   .os = "Linux",
                                   .architecture = "amd64",
                                   .location = "westus",
                                   .capacity = &capacity};
    struct node_row row;
    const char *credential;
    bool ok = store_node_join(tx, &request, &row, &credential, arena, err);
    placing->node_key = row.key;
    placing->epoch = row.epoch;
    return ok;
}

static bool place(struct tx *tx, void *data, struct err *err)
{
    struct placing *placing = data;
    struct pending_row *rows;
    size_t count;
    arena_reset(arena);
    if (!store_pending_list(tx, placing->after, PLACE_BATCH, arena, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++, placing->placed++)
        if (!store_assignment_place(tx, rows[i].group_key, rows[i].incarnation, placing->node_key,
                                    placing->epoch, err))
            return false;
    return true;
}

static bool place_all(struct placing *placing, struct err *err)
{
    int64_t before;
    if (!store_write(opened, join, placing, err))
        return false;
    do {
        before = placing->placed;
        if (!store_write(opened, place, placing, err))
            return false;
    } while (placing->placed > before);
    return true;
}

/* ---- listing ---- */

enum { LIST_PAGE = 100, LIST_MAX = 10000 };

/* Rows listed; the time of the first page. */
static size_t list(double *first_ms, struct err *err)
{
    struct group_page page = {0};
    size_t count = 0;
    int64_t begun_ns = clock_boot_ns();
    do {
        AUTO(tx) *tx = store_read(opened, err);
        arena_reset(arena);
        if (!tx || !store_group_list(tx, "11111111-2222-3333-4444-555555555555", NULL,
                                     page.next_key, LIST_PAGE, arena, &page, err))
            return 0;
        if (count == 0)
            *first_ms = (double)(clock_boot_ns() - begun_ns) / 1e6;
        count += page.count;
    } while (page.next_key && count < LIST_MAX);
    return count;
}

static double cpu_us(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static double written_bytes(void)
{
    char *io = NULL;
    struct err err;
    size_t size;
    double bytes = 0;
    if (!file_read("/proc/self/io", 4096, &io, &size, &err))
        return 0;
    const char *line = strstr(io, "wchar: ");
    if (line)
        bytes = strtod(line + 7, NULL);
    free(io);
    return bytes;
}

int main(int argc, char **argv)
{
    int64_t submitters_count = 32, seconds = 5;
    char path[512], key_path[512];
    struct err err = {0};
    bool fresh;
    sem_t idle;
    if (argc < 2 || (argc > 2 && !text_to_int(argv[2], &submitters_count)) ||
        (argc > 3 && !text_to_int(argv[3], &seconds)))
        return fprintf(stderr, "store_create FOLDER [SUBMITTERS [SECONDS [random]]]\n"), 2;
    random_names = argc > 4;
    memset(spec, 'x', SPEC_SIZE);
    quota_limits_fill(NULL, 0, "", NULL, &limits_of_all);
    text_format(path, sizeof path, "%s/bench.db", argv[1]);
    text_format(key_path, sizeof key_path, "%s/bench.key", argv[1]);
    opened = store_open(&(struct store_options){path, key_path}, &err);
    arena = arena_new(1 << 20);
    waits_ns = malloc(SAMPLES_MAX * sizeof *waits_ns);
    if (!opened || !waits_ns || !arena || !store_write(opened, make_resource_group, &fresh, &err))
        return fprintf(stderr, "%s\n", err.text), 1;
    sem_init(&idle, 0, 0);
    struct submitter *submitters = calloc((size_t)submitters_count, sizeof *submitters);
    double cpu_before_us = cpu_us(), bytes_before = written_bytes();
    int64_t begun_ns = clock_boot_ns();
    until_ns = begun_ns + seconds * 1000000000;
    for (int64_t i = 0; submitters && i < submitters_count; i++) {
        submitters[i].idle = &idle;
        submit(&submitters[i]);
    }
    for (int64_t i = 0; i < submitters_count; i++)
        sem_wait(&idle);
    double took_s = (double)(clock_boot_ns() - begun_ns) / 1e9;
    double cpu_used_us = cpu_us() - cpu_before_us, bytes = written_bytes() - bytes_before;
    struct placing placing = {0};
    cpu_before_us = cpu_us();
    begun_ns = clock_boot_ns();
    if (!place_all(&placing, &err))
        return fprintf(stderr, "%s\n", err.text), 1;
    double place_s = (double)(clock_boot_ns() - begun_ns) / 1e9,
           place_us = cpu_us() - cpu_before_us;
    double first_ms = 0;
    begun_ns = clock_boot_ns();
    size_t listed = list(&first_ms, &err);
    double list_ms = (double)(clock_boot_ns() - begun_ns) / 1e6;
    store_close(opened);
    qsort(waits_ns, waits_count, sizeof *waits_ns, by_size);
    printf("%.0f creates/s, wait p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, worst %.2f ms\n",
           (double)waits_count / took_s, ms(0.5), ms(0.99), ms(0.999), ms(1));
    printf("%.1f us CPU and %.0f bytes written for one\n", cpu_used_us / (double)waits_count,
           bytes / (double)waits_count);
    printf("placed %.0f/s, %.1f us CPU for one\n", (double)placing.placed / place_s,
           place_us / (double)placing.placed);
    printf("listed %zu in %.1f ms, first page %.2f ms\n", listed, list_ms, first_ms);
    free(submitters);
    free(waits_ns);
    arena_free(arena);
    return 0;
}
