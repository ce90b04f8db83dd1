/* The layers of an image that this node does not have: fetched side by side (fetch.c) and unpacked side by
 * side as they arrive, each into a folder of its own. What a layer owes to those below it is settled in
 * their order, and each moves to its place as soon as it and all below it are whole: also when others
 * failed, so that the next try need not begin anew.
 *
 *     fetch    ────1──3────2──▶            one thread, skopeo
 *     unpack      ╰─1──╮╰─3──╮ ╰─2──╮      LIMIT_PULL_UNPACKS threads
 *     settle                        1 2 3  the leader, in order
 */
#include "node-agent/image/layers.h"
#include "node-agent/image/room.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "node-agent/image/tree.h"
#include "node-agent/image/unpacker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

enum { LOOK_AGAIN_MS = 10, TELL_EVERY_MS = 1000 };

/* ---- folders of layers below ---- */

struct stack {
    int fds
        [LIMIT_IMAGE_LAYERS_MAX]; /* of the layers below, nearest first, at the end of the array */
    size_t count;
};

static int *stack_top(struct stack *stack)
{
    return stack->fds + COUNT_OF(stack->fds) - stack->count;
}

static void stack_close(struct stack *stack)
{
    for (size_t i = 0; i < stack->count; i++)
        close(stack_top(stack)[i]);
    stack->count = 0;
}

static bool stack_push(struct stack *stack, const struct disk *disk, const char *chain,
                       struct err *err)
{
    char path[PATH_MAX];

    disk_path(disk, path, "layers/%s/fs", digest_hex(chain));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set_os(err, ERR_IO, errno, "cannot open %s", path);
    CHECK(stack->count < COUNT_OF(stack->fds));
    stack->count++;
    *stack_top(stack) = fd;
    return true;
}

/* ---- one layer ---- */

enum { LAYER_PRESENT, LAYER_WAITS, LAYER_BUSY, LAYER_UNPACKED };

struct making_layer {
    atomic_int state;
    struct unpacked unpacked;
    struct tree_debts debts;
};

struct making {
    struct pull *pull;
    char temp[PATH_MAX];
    struct making_layer *layers;
    size_t count;
    int64_t bytes_present;
    atomic_bool fetched; /* for good or ill: no more layers arrive */
    struct bell ready;   /* something ended */
    struct err fetch_err;
    atomic_flag failed; /* the first that fails says why */
    struct err err;
};

static const struct descriptor *descriptor_of(const struct making *making, size_t index)
{
    return &making->pull->registry->image.manifest.layers[index];
}

static bool folder_of(const struct making *making, size_t index, char out[PATH_MAX])
{
    return text_format(out, PATH_MAX, "%s/layer-%zu", making->temp, index);
}

static int make_root(const char *folder, struct err *err)
{
    char fs[PATH_MAX];
    int root = -1;

    if (text_format(fs, sizeof fs, "%s/fs", folder) && mkdir(folder, 0700) == 0 &&
        mkdir(fs, 0755) == 0 && chmod(fs, 0755) == 0)
        root = open(fs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        err_set_os(err, errno == ENOSPC ? ERR_STORAGE : ERR_IO, errno,
                   "cannot make a folder for a layer");
    return root;
}

/* `below` NULL: the layers below may not be there yet. */
static bool unpack_one(struct making *making, size_t index, struct stack *below, struct err *err)
{
    struct pull *pull = making->pull;
    struct making_layer *layer = &making->layers[index];
    char folder[PATH_MAX], blob[PATH_MAX];
    const char *digest = descriptor_of(making, index)->digest;
    AUTO_CLOSE int root = folder_of(making, index, folder) ? make_root(folder, err) : -1;
    AUTO_CLOSE int source = -1;

    if (root < 0)
        return false;
    if (layer_blob_path(making->temp, digest, blob))
        source = open(blob, O_RDONLY | O_CLOEXEC);
    if (source < 0)
        return err_set_os(err, ERR_IO, errno, "cannot open a layer that was fetched");
    const struct unpack unpack = {.blob = source,
                                  .root = root,
                                  .lowers = below ? stack_top(below) : NULL,
                                  .lowers_count = below ? below->count : 0,
                                  .debts = below || index == 0 ? NULL : &layer->debts,
                                  .digest = digest,
                                  .diff_id = pull->registry->image.config.diff_ids.items[index],
                                  .bytes_max =
                                      (int64_t)LIMIT_IMAGE_BYTES_MAX - making->bytes_present,
                                  .files_max = LIMIT_IMAGE_FILES_MAX,
                                  .cancel_fd = pull->cancel_fd};
    return unpacker_run(pull->store->options.unpacker, &unpack, &layer->unpacked, err) ||
           err_add(err, "%s", pull->text);
}

/* ---- side by side ---- */

static void note_failure(struct making *making, const struct err *err)
{
    if (atomic_flag_test_and_set(&making->failed))
        return;
    making->err = *err;
    bell_ring(&making->pull->stop); /* the others need not go on */
}

static bool is_stopped(const struct making *making, int wait_ms)
{
    struct pollfd asked = {.fd = making->pull->cancel_fd, .events = POLLIN};

    return poll(&asked, 1, wait_ms) > 0;
}

/* Takes a layer that has arrived; `more` says whether one may come later. */
static bool take_arrived(struct making *making, size_t *index, bool *more)
{
    bool fetched = atomic_load(&making->fetched);
    char path[PATH_MAX];

    *more = false;
    for (size_t i = 0; i < making->count; i++) {
        int waits = LAYER_WAITS;
        if (atomic_load(&making->layers[i].state) != LAYER_WAITS)
            continue;
        if (!layer_blob_path(making->temp, descriptor_of(making, i)->digest, path) ||
            access(path, F_OK) != 0) {
            *more |= !fetched;
            continue;
        }
        if (atomic_compare_exchange_strong(&making->layers[i].state, &waits, LAYER_BUSY)) {
            *index = i;
            return true;
        }
    }
    return false;
}

static void *unpack_some(void *context)
{
    struct making *making = context;
    size_t index;
    bool more = true;

    while (more && !is_stopped(making, 0)) {
        struct err err = {0};
        if (!take_arrived(making, &index, &more)) {
            (void)(more && is_stopped(making, LOOK_AGAIN_MS));
            continue;
        }
        more = true;
        if (unpack_one(making, index, NULL, &err))
            atomic_store(&making->layers[index].state, LAYER_UNPACKED);
        else
            note_failure(making, &err);
    }
    bell_ring(&making->ready);
    return NULL;
}

static void *fetch_all(void *context)
{
    struct making *making = context;

    if (!layers_fetch(making->pull, making->temp, &making->fetch_err))
        note_failure(making, &making->fetch_err);
    atomic_store(&making->fetched, true);
    bell_ring(&making->ready);
    return NULL;
}

/* ---- how far it is ---- */

static void tell(struct making *making, int64_t total, int64_t done, int *told)
{
    const struct image_request *request = making->pull->request;
    int percent = total > 0 && done < total ? (int)(done * 100 / total) : 100;
    AUTO(text) *words = text_new(2048);

    if (percent == *told || !request->progress)
        return;
    *told = percent;
    text_addf(words, "pulling image \"%s\": %d %% of %lld MB", request->reference, percent,
              (long long)((total + 999999) / 1000000));
    if (text_ok(words))
        request->progress(words->bytes, request->context);
}

/* A registry may stop in the middle of a layer and keep the connection: nobody below would notice for half an hour. */
static void note_stall(struct making *making)
{
    const struct pull *pull = making->pull;
    struct err err;

    err_set(&err, ERR_TIMEOUT, "%s: its registry sent nothing for %lld s", pull->text,
            (long long)(pull->store->options.stall_ms / 1000));
    note_failure(making, &err);
}

/* Until all that was fetched is unpacked, or something failed. */
static void watch(struct making *making)
{
    int64_t total = layers_bytes(making->pull), before = -1, still_since = clock_boot_ns();
    int told = -1;

    while (!atomic_load(&making->fetched)) {
        if (bell_wait(&making->ready, TELL_EVERY_MS))
            continue;
        int64_t done = layers_bytes_fetched(making->pull, making->temp), now = clock_boot_ns();
        tell(making, total, done, &told);
        if (done != before)
            still_since = now;
        before = done;
        if ((now - still_since) / 1000000 > making->pull->store->options.stall_ms)
            note_stall(making);
    }
}

static void make_side_by_side(struct making *making, size_t wanted)
{
    pthread_t fetcher, unpackers[LIMIT_PULL_UNPACKS];
    size_t most = wanted < COUNT_OF(unpackers) ? wanted : COUNT_OF(unpackers), started = 0;
    struct err unstarted;
    bool fetching = thread_start(&fetcher, "fetch", fetch_all, making, &unstarted);

    while (fetching && started < most &&
           thread_start(&unpackers[started], "unpack", unpack_some, making, &unstarted))
        started++;
    if (fetching)
        watch(making);
    else
        fetch_all(making);
    unpack_some(making); /* helps, and does it alone when no thread could be had */
    while (started > 0)
        pthread_join(unpackers[--started], NULL);
    if (fetching)
        pthread_join(fetcher, NULL);
}

/* ---- in order ---- */

static bool add_layer(struct pull *pull, const char *chain, int64_t bytes, const char *looks,
                      struct err *err)
{
    WITH_LOCK(&pull->store->table.lock);
    return table_add_layer(&pull->store->table, chain, bytes, false, looks, err);
}

/* What could not be noted is unpacked once more, on top of what is there now. */
static bool unpack_again(struct making *making, size_t index, const char *folder,
                         struct stack *below, struct err *err)
{
    log_debug("layer_unpacked_again", "image=%s layer=%zu", making->pull->text, index);
    disk_remove(folder);
    return unpack_one(making, index, below, err);
}

static bool settle(struct making *making, size_t index, struct stack *below, struct err *err)
{
    struct making_layer *layer = &making->layers[index];
    char folder[PATH_MAX], fs[PATH_MAX], looks[LOOKS_SIZE];

    if (!folder_of(making, index, folder) || !text_format(fs, sizeof fs, "%s/fs", folder))
        return err_set(err, ERR_IO, "the path of a layer is too long");
    if (layer->debts.unsettled) {
        if (!unpack_again(making, index, folder, below, err))
            return false;
    } else {
        AUTO_CLOSE int root = open(fs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0 || !tree_settle(&layer->debts, root, stack_top(below), below->count, err))
            return root >= 0 ? false : err_set_os(err, ERR_IO, errno, "cannot open %s", fs);
    }
    return disk_put_layer(&making->pull->store->disk, folder, making->pull->names[index],
                          layer->unpacked.bytes, layer->unpacked.files, looks, err) &&
           add_layer(making->pull, making->pull->names[index], layer->unpacked.bytes, looks, err);
}

static int64_t bytes_of_layer(struct pull *pull, const char *chain)
{
    WITH_LOCK(&pull->store->table.lock);
    const struct layer *layer = table_layer(&pull->store->table, chain);

    CHECK(layer); /* named by our job, so it stays */
    return layer->bytes;
}

/* The lowest layers that are whole; false with the reason when that are not all. */
static bool settle_all(struct making *making, struct err *err)
{
    struct stack below = {.count = 0};
    int64_t total = making->bytes_present;
    bool whole = true;

    for (size_t i = 0; whole && i < making->count; i++) {
        int state = atomic_load(&making->layers[i].state);
        if (state == LAYER_WAITS || state == LAYER_BUSY)
            whole = is_stopped(making, 0)
                        ? err_set(err, ERR_CLOSED, "the pull was cancelled")
                        : err_set(err, ERR_IO, "a layer that was fetched is not there");
        else if (state == LAYER_UNPACKED)
            whole = settle(making, i, &below, err);
        if (whole && state == LAYER_UNPACKED)
            total += making->layers[i].unpacked.bytes;
        if (whole && total > (int64_t)LIMIT_IMAGE_BYTES_MAX)
            whole = err_set(err, ERR_IMAGE_INACCESSIBLE,
                            "%s: the image unpacks to too many bytes (it may have 15 GB)",
                            making->pull->text);
        whole =
            whole && stack_push(&below, &making->pull->store->disk, making->pull->names[i], err);
    }
    stack_close(&below);
    image_set_bytes(making->pull->image, total);
    return whole;
}

/* ---- all of it ---- */

static size_t begin_layers(struct making *making)
{
    size_t wanted = 0;

    for (size_t i = 0; i < making->count; i++) {
        if (making->pull->claimed[i])
            wanted++;
        else
            making->bytes_present += bytes_of_layer(making->pull, making->pull->names[i]);
        atomic_init(&making->layers[i].state,
                    making->pull->claimed[i] ? LAYER_WAITS : LAYER_PRESENT);
    }
    return wanted;
}

static bool make_layers(struct making *making, struct err *err)
{
    struct err unsettled = {0};
    size_t wanted = begin_layers(making);

    if (wanted > 0 &&
        !room_make(making->pull->store, making->pull->text, layers_bytes(making->pull), err))
        return false;
    if (wanted > 0)
        make_side_by_side(making, wanted);
    bool settled = settle_all(making, &unsettled);
    if (settled)
        return true;
    *err = making->err.code != ERR_OK ? making->err : unsettled;
    return false;
}

bool pull_layers(struct pull *pull, struct err *err)
{
    struct making making = {.pull = pull,
                            .count = pull->registry->image.manifest.layers_count,
                            .failed = ATOMIC_FLAG_INIT};
    bool made = false;

    making.layers = calloc(making.count, sizeof *making.layers);
    if (!making.layers)
        return err_set(err, ERR_BUSY, "no memory for the layers of an image");
    if (bell_init(&making.ready, err)) {
        if (disk_temp(&pull->store->disk, making.temp, err)) {
            made = make_layers(&making, err);
            disk_remove(making.temp);
        }
        bell_done(&making.ready);
    }
    for (size_t i = 0; i < making.count; i++)
        tree_debts_done(&making.layers[i].debts);
    free(making.layers);
    return made;
}
