/* Tells an outside server each change of the zone, oldest first, some names in one message:
 *
 *     unsent names ─▶ "unknown" committed ─▶ message ─▶ the server's signed yes ─▶ "sent" committed ─┐
 *          ▲  ▲                                             └─ anything else: later, with patience    │
 *          │  └───────────────────────────────────────────────────────────────────────────────────────┘
 *          └── the bell: a name changed
 *
 * Each message says all there is to say of its names, so it may be sent twice. At the start everything is doubted
 * and told again: the server may be another one, or the database an older one. */
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "dns/exchange.h"
#include "dns/room.h"
#include "dns/update_wire.h"

#include <string.h>

enum {
    SECRET_MAX = 4096,
    ARENA_MAX = 1 << 20,
};

struct updater {
    struct store *store;
    union address server;
    struct arena *arena; /* of one round */
    char *zone, *names_zone, *key_name, *algorithm, *secret;
    struct update_words words;
    struct bell bell;
    pthread_t thread;
    bool started, failed; /* failed: it was told, until it works again */
    atomic_bool stopping;
    int64_t wait_ms; /* before the next try; 0: it works */
};

struct round {
    struct dns_name_row *rows;
    size_t count;
    char after[DNS_NAME_SIZE], next[DNS_NAME_SIZE];
    bool more;
};

/* ---- one round ---- */

static bool read_unsent(struct updater *updater, struct round *round, struct err *err)
{
    AUTO(tx) *tx = store_read(updater->store, err);
    return tx && store_dns_unsent(tx, (size_t)LIMIT_DNS_UPDATE_NAMES, updater->arena, &round->rows,
                                  &round->count, err);
}

static bool sending_work(struct tx *tx, void *data, struct err *err)
{
    const struct round *round = data;
    return store_dns_sending(tx, round->rows, round->count, err);
}

static bool sent_work(struct tx *tx, void *data, struct err *err)
{
    const struct round *round = data;
    return store_dns_sent(tx, round->rows, round->count, err);
}

static bool tell(struct updater *updater, const struct round *round, struct err *err)
{
    size_t size, reply_size;
    uint8_t *reply;
    AUTO(update_message) *message =
        update_message_new(&updater->words, round->rows, round->count, err);
    if (!message)
        return false;
    const uint8_t *bytes = update_message_bytes(message, &size);
    return exchange(&updater->server, &updater->stopping, updater->arena, bytes, size, &reply,
                    &reply_size, err) &&
           update_message_done(message, &updater->words, reply, reply_size, err);
}

/* True in *more: there may be others. */
static bool tell_some(struct updater *updater, bool *more, struct err *err)
{
    struct round round = {0};
    arena_reset(updater->arena);
    if (!read_unsent(updater, &round, err))
        return false;
    *more = round.count > 0;
    if (!*more)
        return true;
    if (!store_write(updater->store, sending_work, &round, err) || !tell(updater, &round, err) ||
        !store_write(updater->store, sent_work, &round, err))
        return false;
    metric_add(METRIC_dns_names_told_total, (int64_t)round.count);
    return true;
}

static bool doubt_work(struct tx *tx, void *data, struct err *err)
{
    struct round *round = data;
    return store_dns_doubt(tx, round->after, round->next, &round->more, err);
}

static bool doubt_all(struct updater *updater, struct err *err)
{
    struct round round = {.more = true};
    while (round.more && !atomic_load(&updater->stopping)) {
        if (!store_write(updater->store, doubt_work, &round, err))
            return false;
        memcpy(round.after, round.next, sizeof round.after);
    }
    return true;
}

/* ---- the thread ---- */

static void settle(struct updater *updater, bool good, const struct err *err)
{
    if (good && updater->failed)
        log_info("dns_update_works_again", "zone=%s", updater->zone);
    if (!good && !updater->failed && !atomic_load(&updater->stopping))
        log_failure("dns_update_failed", err);
    updater->failed = !good;
    int64_t longer = updater->wait_ms * 2;
    if (good)
        updater->wait_ms = 0;
    else if (updater->wait_ms == 0)
        updater->wait_ms = LIMIT_DNS_RETRY_MIN_MS;
    else
        updater->wait_ms = longer < LIMIT_DNS_RETRY_MAX_MS ? longer : LIMIT_DNS_RETRY_MAX_MS;
}

/* A bell that rings while the server is out of reach does not shorten the wait. */
static void pause_for(struct updater *updater)
{
    int64_t until_ns = clock_boot_ns() + updater->wait_ms * 1000000;
    if (updater->wait_ms == 0)
        (void)bell_wait(&updater->bell, -1);
    while (updater->wait_ms > 0 && !atomic_load(&updater->stopping) && clock_boot_ns() < until_ns)
        (void)bell_wait(&updater->bell, (until_ns - clock_boot_ns()) / 1000000 + 1);
}

static void *run(void *context)
{
    struct updater *updater = context;
    bool doubted = false;
    while (!atomic_load(&updater->stopping)) {
        struct err err = {0};
        bool more = true, good = doubted || (doubted = doubt_all(updater, &err));
        while (good && more && !atomic_load(&updater->stopping))
            good = tell_some(updater, &more, &err);
        settle(updater, good, &err);
        pause_for(updater);
    }
    return NULL;
}

void updater_wake(struct updater *updater)
{
    bell_ring(&updater->bell);
}

/* ---- beginning and end ---- */

static bool secret_read(struct updater *updater, const char *path, struct err *err)
{
    size_t size;
    if (!file_read(path, SECRET_MAX, &updater->secret, &size, err))
        return err_add(err, "while reading dns_update_secret_file");
    updater->secret[strcspn(updater->secret, " \t\r\n")] = '\0';
    return true;
}

/* The key is tried at once: a wrong one is told at the start. */
static bool key_try(struct updater *updater, struct err *err)
{
    AUTO(update_message) *message = update_message_new(&updater->words, NULL, 0, err);
    return message || err_add(err, "dns_update_secret_file holds no key in base64");
}

static bool words_take(struct updater *updater, const struct dns_options *options, struct err *err)
{
    const struct dns_update_options *update = &options->update;
    updater->names_zone = strdup(options->zone);
    updater->zone = strdup(update->zone ? update->zone : options->zone);
    updater->key_name = strdup(update->key_name);
    updater->algorithm = strdup(update->algorithm);
    updater->arena = arena_new(ARENA_MAX);
    if (!updater->names_zone || !updater->zone || !updater->key_name || !updater->algorithm ||
        !updater->arena)
        return err_set(err, ERR_BUSY, "out of memory for DNS updates");
    if (!address_parse(update->server, &updater->server))
        return err_set_field(err, ERR_INVALID, "dns_update_server",
                             "'%.60s' is no address with a port", update->server);
    if (!secret_read(updater, update->secret_file, err))
        return false;
    updater->words = (struct update_words){.names_zone = updater->names_zone,
                                           .zone = updater->zone,
                                           .ttl_s = (uint32_t)options->ttl_s,
                                           .key_name = updater->key_name,
                                           .algorithm = updater->algorithm,
                                           .secret = updater->secret};
    return key_try(updater, err) && bell_init(&updater->bell, err);
}

struct updater *updater_new(const struct dns_options *options, struct err *err)
{
    AUTO(updater) *updater = calloc(1, sizeof *updater);
    if (!updater) {
        err_set(err, ERR_BUSY, "out of memory for DNS updates");
        return NULL;
    }
    updater->bell.fd = -1;
    updater->store = options->store;
    return words_take(updater, options, err) ? TAKE(updater) : NULL;
}

bool updater_start(struct updater *updater, struct err *err)
{
    updater->started = thread_start(&updater->thread, "dns-update", run, updater, err);
    return updater->started;
}

void updater_stop(struct updater *updater)
{
    if (!updater || !updater->started)
        return;
    atomic_store(&updater->stopping, true);
    bell_ring(&updater->bell);
    pthread_join(updater->thread, NULL);
    updater->started = false;
}

void updater_free(struct updater *updater)
{
    if (!updater)
        return;
    updater_stop(updater);
    bell_done(&updater->bell);
    if (updater->secret)
        explicit_bzero(updater->secret, strlen(updater->secret));
    arena_free(updater->arena);
    free(updater->names_zone);
    free(updater->zone);
    free(updater->key_name);
    free(updater->algorithm);
    free(updater->secret);
    free(updater);
}
