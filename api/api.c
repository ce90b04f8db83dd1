/* The server as a whole: beginning, reloading, ending. */
#include "api/api.h"

#include "api/assets.h"
#include "api/http_server.h"
#include "api/image_looks.h"
#include "api/inside.h"
#include "base/log.h"

#include <unistd.h>

enum { THREADS_MAX = 16, TICK_MS = 250 };

static int threads_wanted(int configured)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (configured > 0)
        return configured;
    return cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (int)cores;
}

static void node_asked(void *waits, int64_t node_key)
{
    waits_node_asked(waits, node_key);
}

static struct streams *streams_begin(struct api *api, const struct api_options *options,
                                     struct err *err)
{
    struct streams_options wanted = {
        .idle_ms = options->stream_idle_ms, .node_asked = node_asked, .context = api->waits};

    return streams_new(&wanted, err);
}

struct api *api_new(const struct api_options *options, struct err *err)
{
    AUTO(api) *api = calloc(1, sizeof *api);

    if (!api) {
        err_set(err, ERR_BUSY, "out of memory");
        return NULL;
    }
    lock_init(&api->spare_lock, LOCK_API_REQUESTS);
    api->clock_bell.fd = -1;
    api->store = options->store;
    api->hooks = options->hooks;
    api->port = options->listen_port;
    api->auth = options->auth;
    api->tls = options->tls;
    api->threads = threads_wanted(options->threads);
    (void)text_copy(api->address, sizeof api->address,
                    options->listen_address ? options->listen_address : "127.0.0.1");
    (void)text_copy(api->dns_zone, sizeof api->dns_zone,
                    options->dns_zone ? options->dns_zone : "berth.internal");
    struct settings *settings = settings_new(options, err);
    atomic_store(&api->settings, settings);
    api->waits = settings ? waits_new(err) : NULL;
    api->streams = api->waits ? streams_begin(api, options, err) : NULL;
    api->assets = api->streams ? assets_new(options->docs_dir, err) : NULL;
    api->rates = api->assets ? rates_new(err) : NULL;
    if (!api->rates || !bell_init(&api->clock_bell, err))
        return NULL;
    if (options->image_check.on &&
        !(api->looks = image_looks_new(&options->image_check, api->store, api->waits, err)))
        return NULL;
    store_listen(api->store, waits_changed, api->waits);
    return TAKE(api);
}

static void *clock_run(void *context)
{
    struct api *api = context;

    for (int64_t tick = 0; !bell_wait(&api->clock_bell, TICK_MS); tick++) {
        waits_tick(api->waits);
        if (tick % (1000 / TICK_MS) == 0)
            http_server_tick(api->server);
    }
    return NULL;
}

bool api_start(struct api *api, struct err *err)
{
    if (!http_server_start(api, err))
        return false;
    api->port = http_server_port(api->server);
    api->has_clock = thread_start(&api->clock, "http-clock", clock_run, api, err);
    if (!api->has_clock) {
        api_stop(api);
        return false;
    }
    log_info("api_started", "address=%s port=%d threads=%d tls=%s", api->address, api->port,
             api->threads, api->tls ? "on" : "off");
    return true;
}

int api_port(const struct api *api)
{
    return api->port;
}

bool api_reload(struct api *api, const struct api_options *options, struct err *err)
{
    struct settings *settings = settings_new(options, err);

    if (!settings)
        return false;
    settings->older = atomic_load(&api->settings);
    atomic_store(&api->settings, settings);
    return true;
}

/* ---- the end ---- */

static void pause_ms(int ms)
{
    (void)usleep((useconds_t)ms * 1000);
}

/* Those that have begun get their replies; slow clients only so much time. A commit under way is
 * waited for in any case: its request's memory is in the writer's hands. */
static void requests_finish(struct api *api)
{
    int64_t end_ns = clock_boot_ns() + (int64_t)LIMIT_HTTP_STOP_TIMEOUT_MS * 1000000;

    waits_stop(api->waits);
    streams_stop(api->streams);
    image_looks_stop(api->looks);
    while (http_server_busy(api->server) > 0 && clock_boot_ns() < end_ns)
        pause_ms(5);
    atomic_store(&api->refusing, true);
    while (http_server_parked(api->server) > 0)
        pause_ms(5);
}

void api_stop(struct api *api)
{
    if (!api->server)
        return;
    http_server_quiesce(api->server);
    requests_finish(api);
    if (api->has_clock) {
        bell_ring(&api->clock_bell);
        (void)pthread_join(api->clock, NULL);
        api->has_clock = false;
    }
    log_info("api_stopped", "unfinished=%d", http_server_busy(api->server));
    http_server_stop(api->server);
    api->server = NULL; /* its threads looked at it to the end */
}

void api_free(struct api *api)
{
    if (!api)
        return;
    CHECK(!api->server);
    requests_drop(api);
    lock_done(&api->spare_lock);
    bell_done(&api->clock_bell);
    image_looks_free(api->looks);
    streams_free(api->streams);
    waits_free(api->waits);
    assets_free(api->assets);
    rates_free(api->rates);
    settings_free(atomic_load(&api->settings));
    free(api);
}
