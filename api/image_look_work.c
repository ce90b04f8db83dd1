/* The workers: each takes a look that waits, asks the registry, and wakes those who wait for it. */
#include "api/image_looks_inner.h"

#include "api/waits.h"
#include "base/clock.h"
#include "base/metrics.h"

#include <string.h>

enum { PLATFORMS_ARENA_MAX = 1 << 20 };

/* ---- the workers ---- */

/* Waits for one; NULL when the workers end. */
static struct look *next_look(struct image_looks *looks)
{
    WITH_LOCK(&looks->lock);
    struct look *look = NULL;

    while (!looks->stopping && (look = look_take_queued(looks)) == NULL)
        pthread_cond_wait(&looks->wake, &looks->lock.mutex);
    return look;
}

/* The image must run on some node of the location; on this machine when there is no node yet. */
static bool look_for_platforms(struct registry_question *question,
                               const struct node_platform *platforms, size_t count,
                               char digest[DIGEST_SIZE], struct err *err)
{
    struct registry_facts facts;

    question->platform = platform_of_machine();
    for (size_t i = 0; i < count || i == 0; i++) {
        if (i < count)
            question->platform = (struct platform){"linux", platforms[i].architecture, NULL};
        question->for_ms = LIMIT_IMAGE_LOOK_MS;
        if (registry_look(question, &facts, err)) {
            memcpy(digest, facts.digest, sizeof facts.digest);
            return true;
        }
        if (err->code != ERR_IMAGE_PLATFORM)
            return false;
    }
    return false;
}

static bool look_at(struct image_looks *looks, const struct look *look, char digest[DIGEST_SIZE],
                    struct err *err)
{
    AUTO(arena) *arena = arena_new(PLATFORMS_ARENA_MAX);
    AUTO(tx) *tx = arena ? store_read(looks->store, err) : NULL;
    struct image_credential credential = {look->server, look->username, look->password};
    struct registry_question question = {
        .skopeo = looks->skopeo,
        .insecure = looks->insecure,
        .certs = looks->certs,
        .reference = &look->reference,
        .credential = look->password ? &credential : NULL,
        .cancel_fd = looks->cancel.fd,
    };
    struct node_platform *platforms;
    size_t count;

    if (!tx)
        return arena ? false : err_set(err, ERR_BUSY, "out of memory");
    if (!store_node_platforms(tx, look->key.location, arena, &platforms, &count, err))
        return false;
    tx_free(TAKE(tx)); /* a view is not held while others are waited for */
    return look_for_platforms(&question, platforms, count, digest, err);
}

static int64_t end_look(struct image_looks *looks, struct look *look, const char *digest,
                        const struct err *outcome)
{
    WITH_LOCK(&looks->lock);

    look_ended(looks, look, digest, outcome);
    pthread_cond_broadcast(&looks->wake); /* one of the same registry may begin now */
    return look->number;
}

static void *worker_run(void *context)
{
    struct image_looks *looks = context;
    struct look *look;

    while ((look = next_look(looks)) != NULL) {
        struct err outcome = {0};
        char digest[DIGEST_SIZE] = "";
        int64_t begun_ns = clock_boot_ns();
        if (!look_at(looks, look, digest, &outcome))
            CHECK(outcome.code != ERR_OK);
        else
            outcome.code = ERR_OK; /* a platform tried before may have failed */
        metric_add(METRIC_image_looks_total, 1);
        metric_observe_ns(METRIC_image_look_seconds, clock_boot_ns() - begun_ns);
        waits_image_known(looks->waits, end_look(looks, look, digest, &outcome));
    }
    return NULL;
}

/* ---- beginning and ending ---- */

static bool options_take(struct image_looks *looks, const struct api_image_check *options,
                         struct err *err)
{
    const char **items = arena_array(looks->arena, options->insecure.count + 1, sizeof *items);

    looks->skopeo = arena_text(looks->arena, options->skopeo ? options->skopeo : "skopeo");
    for (size_t i = 0; items && i < options->insecure.count; i++) {
        items[i] = arena_text(looks->arena, options->insecure.items[i]);
        if (!items[i])
            items = NULL;
    }
    looks->certs = arena_text(looks->arena, options->certs);
    if (!items || !looks->skopeo || (options->certs && !looks->certs))
        return err_set(err, ERR_BUSY, "out of memory");
    if (!registry_program_there(looks->skopeo))
        return err_set_field(err, ERR_INVALID, "skopeo",
                             "there is no program '%.200s' to look at images with: install skopeo, "
                             "or set image_check to off",
                             looks->skopeo);
    looks->insecure = (struct text_list){true, items, options->insecure.count};
    looks->workers = options->workers < 1 ? 1 : options->workers;
    if (looks->workers > LOOK_WORKERS_MAX)
        looks->workers = LOOK_WORKERS_MAX;
    looks->cache_ms = options->cache_ms;
    return true;
}

static bool begin(struct image_looks *looks, const struct api_image_check *options, struct err *err)
{
    if (!looks->arena || !options_take(looks, options, err) || !bell_init(&looks->cancel, err))
        return looks->arena ? false : err_set(err, ERR_BUSY, "out of memory");
    looks->threads = calloc((size_t)looks->workers, sizeof *looks->threads);
    if (!looks->threads)
        return err_set(err, ERR_BUSY, "out of memory");
    for (; looks->threads_count < looks->workers; looks->threads_count++) {
        if (!thread_start(&looks->threads[looks->threads_count], "image-look", worker_run, looks,
                          err))
            return false;
    }
    return true;
}

struct image_looks *image_looks_new(const struct api_image_check *options, struct store *store,
                                    struct waits *waits, struct err *err)
{
    AUTO(image_looks) *looks = calloc(1, sizeof *looks);

    if (!looks) {
        err_set(err, ERR_BUSY, "out of memory");
        return NULL;
    }
    lock_init(&looks->lock, LOCK_IMAGE_LOOKS);
    pthread_cond_init(&looks->wake, NULL);
    looks->cancel.fd = -1;
    looks->queue_end = &looks->queue;
    looks->store = store;
    looks->waits = waits;
    looks->arena = arena_new(LIMIT_CONFIG_FILE_MAX);
    id_token(looks->key);
    return begin(looks, options, err) ? TAKE(looks) : NULL;
}

void image_looks_stop(struct image_looks *looks)
{
    if (!looks)
        return;
    lock_take(&looks->lock);
    looks->stopping = true;
    pthread_cond_broadcast(&looks->wake);
    lock_release(&looks->lock);
    if (looks->cancel.fd >= 0)
        bell_ring(&looks->cancel);
    while (looks->threads_count > 0)
        pthread_join(looks->threads[--looks->threads_count], NULL);
}

void image_looks_free(struct image_looks *looks)
{
    if (!looks)
        return;
    image_looks_stop(looks);
    looks_drop_all(looks);
    free(looks->threads);
    if (looks->cancel.fd >= 0)
        bell_done(&looks->cancel);
    arena_free(looks->arena);
    pthread_cond_destroy(&looks->wake);
    lock_done(&looks->lock);
    free(looks);
}
