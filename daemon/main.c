/* berthd: reads its configuration, begins the rooms, and waits for signals.
 *
 *   0  ended by SIGTERM or SIGINT     1  could not begin     2  the configuration is wrong */
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "daemon/wiring.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFIG_ARENA_MAX = 8 << 20, PATH_SIZE = 4096 };

/* What a reload replaces. */
struct loaded {
    struct arena *arena;
    struct config config;
    struct tokens tokens;
};

/* ---- the process ---- */

/* Secrets are in this process's memory and its files: it leaves no core and lets nobody look. */
static void no_dumps(void)
{
    struct rlimit none = {0, 0};
    umask(077);
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Each node holds a connection open, so as many files as may be. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < (rlim_t)LIMIT_HTTP_CONNECTIONS_MAX + 64)
        log_warn("few_open_files_allowed", "limit=%llu wanted=%d",
                 (unsigned long long)limit.rlim_max, LIMIT_HTTP_CONNECTIONS_MAX + 64);
}

/* Signals are taken by one thread, one after the other; all threads begin with them blocked. */
static sigset_t signals_block(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return set;
}

static bool state_dir_check(const char *path, struct err *err)
{
    if (!file_make_folders(path, 0700, err))
        return err_add(err, "state_dir %s cannot be made", path);
    if (access(path, R_OK | W_OK | X_OK) != 0)
        return err_set_os(err, ERR_IO, errno, "state_dir %s is not writable", path);
    return true;
}

/* ---- who it is: STATE_DIR/berthd.json while it listens ---- */

static void note_path(const struct config *config, char path[PATH_SIZE])
{
    text_format(path, PATH_SIZE, "%s/berthd.json", config->state_dir);
}

static bool note_write(const struct config *config, int port, int dns_port, struct err *err)
{
    char path[PATH_SIZE];
    bool is_v6 = strchr(config->listen_address, ':') != NULL;
    AUTO(text) *note = text_new(PATH_SIZE);
    note_path(config, path);
    text_addf(note, "{\"url\":\"%s://%s%s%s:%d\",\"port\":%d,\"pid\":%lld,\"version\":\"%s\"",
              config->tls ? "https" : "http", is_v6 ? "[" : "", config->listen_address,
              is_v6 ? "]" : "", port, port, (long long)getpid(), BERTH_VERSION);
    if (dns_port > 0)
        text_addf(note, ",\"dns_port\":%d", dns_port);
    text_add(note, "}\n");
    if (!text_ok(note))
        return err_set(err, ERR_BUSY, "out of memory for %s", path);
    return file_replace(path, note->bytes, note->size, 0600, false, err);
}

static void note_remove(const struct config *config)
{
    char path[PATH_SIZE];
    note_path(config, path);
    unlink(path);
}

/* Without room for it the service goes on: whoever named a port knows where it is. */
static bool note_tell(const struct config *config, int port, int dns_port, struct err *err)
{
    if (note_write(config, port, dns_port, err))
        return true;
    if (config->listen_port == 0)
        return false;
    log_failure("note_not_written", err);
    note_remove(config); /* one of a berthd before would mislead */
    return true;
}

/* ---- reload ---- */

static enum options_outcome load(int argc, char **argv, struct loaded *loaded, struct err *err)
{
    *loaded = (struct loaded){.arena = arena_new(CONFIG_ARENA_MAX)};
    if (!loaded->arena) {
        err_set(err, ERR_BUSY, "out of memory reading the configuration");
        return OPTIONS_WRONG;
    }
    return config_load(argc, argv, loaded->arena, &loaded->config, err);
}

static void tell_differences(const struct loaded *was, const struct loaded *now)
{
    AUTO(text) *reloaded = text_new(4096);
    AUTO(text) *restart = text_new(4096);
    if (!reloaded || !restart)
        return;
    config_differences(&was->config, &now->config, reloaded, restart);
    bool tokens = !text_equal_secret(was->tokens.token, now->tokens.token) ||
                  !text_equal_secret(was->tokens.join_token, now->tokens.join_token);
    log_info("configuration_reloaded", "changed=%s tokens=%s",
             reloaded->size > 0 ? reloaded->bytes : "-", tokens ? "changed" : "same");
    if (restart->size > 0)
        log_warn("restart_needed", "settings=%s", restart->bytes);
}

static struct text_list list_keep(struct arena *arena, const struct text_list *list)
{
    const char **items = arena_array(arena, list->count + 1, sizeof *items);

    for (size_t i = 0; items && i < list->count; i++)
        items[i] = arena_text(arena, list->items[i]);
    return (struct text_list){list->given, items, items ? list->count : 0};
}

/* Settings that need a restart stay as they are until then, so that the next reload names them again. */
static void keep_fixed(const struct loaded *was, struct loaded *now)
{
    struct config *config = &now->config;
    config->listen_address = arena_text(now->arena, was->config.listen_address);
    config->listen_port = was->config.listen_port;
    config->threads = was->config.threads;
    config->tls = was->config.tls;
    config->plain_http_anywhere = was->config.plain_http_anywhere;
    config->tenant_id = arena_text(now->arena, was->config.tenant_id);
    config->state_dir = arena_text(now->arena, was->config.state_dir);
    config->default_location = arena_text(now->arena, was->config.default_location);
    config->beat_ms = was->config.beat_ms;
    config->fence_ms = was->config.fence_ms;
    config->lost_ms = was->config.lost_ms;
    config->operation_keep_hours = was->config.operation_keep_hours;
    config->image_check = arena_text(now->arena, was->config.image_check);
    config->image_check_workers = was->config.image_check_workers;
    config->image_check_cache_s = was->config.image_check_cache_s;
    config->insecure_registries = list_keep(now->arena, &was->config.insecure_registries);
    config->skopeo = arena_text(now->arena, was->config.skopeo);
    config->registry_certs_dir = arena_text(now->arena, was->config.registry_certs_dir);
}

static void reload(int argc, char **argv, struct wiring *wiring, struct loaded *loaded)
{
    struct err err = {0};
    struct loaded now;
    if (load(argc, argv, &now, &err) != OPTIONS_RUN ||
        !tokens_load(&now.config, now.arena, &now.tokens, &err)) {
        log_failure("reload_refused", &err);
        arena_free(now.arena);
        return;
    }
    tell_differences(loaded, &now);
    keep_fixed(loaded, &now);
    if (!wiring_reload(wiring, &now.config, &now.tokens, &err)) {
        log_failure("reload_refused", &err);
        arena_free(now.arena);
        return;
    }
    log_configure(config_log_level(&now.config), now.config.log_json);
    arena_free(loaded->arena);
    *loaded = now;
}

/* ---- running ---- */

static void serve(int argc, char **argv, const sigset_t *signals, struct wiring *wiring,
                  struct loaded *loaded)
{
    for (;;) {
        int number = sigwaitinfo(signals, NULL);
        if (number == SIGHUP) {
            reload(argc, argv, wiring, loaded);
        } else if (number > 0) {
            log_info("stopping", "signal=%s", number == SIGTERM ? "SIGTERM" : "SIGINT");
            return;
        }
    }
}

static int run(int argc, char **argv, struct loaded *loaded)
{
    struct err err = {0};
    sigset_t signals = signals_block();
    struct config *config = &loaded->config;
    raise_file_limit();
    struct wiring *wiring = NULL;
    if (state_dir_check(config->state_dir, &err) &&
        tokens_load(config, loaded->arena, &loaded->tokens, &err))
        wiring = wiring_start(config, &loaded->tokens, &err);
    if (!wiring || !note_tell(config, wiring_port(wiring), wiring_dns_port(wiring), &err)) {
        log_failure("start_failed", &err);
        wiring_stop(wiring);
        return 1;
    }
    log_info("listening", "address=%s port=%d version=%s", config->listen_address,
             wiring_port(wiring), BERTH_VERSION);
    serve(argc, argv, &signals, wiring, loaded);
    note_remove(config);
    wiring_stop(wiring);
    log_info("stopped", "pid=%lld", (long long)getpid());
    return 0;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct loaded loaded;
    int status = 0;
    no_dumps();
    switch (load(argc, argv, &loaded, &err)) {
    case OPTIONS_EXIT:
        break;
    case OPTIONS_WRONG:
        log_failure("configuration_refused", &err);
        status = 2;
        break;
    case OPTIONS_RUN:
        log_configure(config_log_level(&loaded.config), loaded.config.log_json);
        status = run(argc, argv, &loaded);
        break;
    }
    arena_free(loaded.arena);
    return status;
}
