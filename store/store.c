/* Opening and closing: the file's lock, the database, the key, the threads, in this order and back. */
#include "store/store.h"

#include "base/text.h"
#include "store/statements.h"
#include "store/store_room.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

enum { CHECK_MS = 500, PATH_SIZE = 4096 };
static const char key_check_name[] = "key_check",
                  key_check_text[] = "this key seals the secrets of this database";

/* Two programs on one database would each believe to be the only writer. */
static bool lock_file(struct store *store, struct err *err)
{
    char path[PATH_SIZE];
    if (!text_format(path, sizeof path, "%s.lock", store->path))
        return err_set(err, ERR_STORAGE, "the database's path is too long");
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0)
        return err_set_os(err, ERR_STORAGE, errno, "cannot make %s", path);
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return err_set(err, ERR_STORAGE,
                       "the database is in use by another process: stop that one first");
    return err_set_os(err, ERR_STORAGE, errno, "cannot lock %s", path);
}

static bool open_database(struct store *store, struct err *err)
{
    store->writer = backend_open(store->path, BACKEND_WRITER, err);
    return store->writer && store_migrate(store->writer, MIGRATIONS_ALL, err) &&
           backend_prepare(store->writer, err) && backend_check(store->writer, CHECK_MS, err);
}

/* ---- the key ---- */

static bool key_is_recorded(struct store *store, bool *recorded, struct err *err)
{
    AUTO(statement) *q = backend_statement(store->writer, SQL_setting_get);
    bind_text(q, P_name, key_check_name);
    *recorded = statement_next(q, err);
    return statement_ok(q, err);
}

static bool secrets_exist(struct store *store, bool *exist, struct err *err)
{
    AUTO(statement) *q = backend_statement(store->writer, SQL_group_spec_any_sealed);
    *exist = statement_next(q, err);
    return statement_ok(q, err);
}

static bool record_key(struct store *store, struct err *err)
{
    unsigned char sealed[sizeof key_check_text + SEAL_OVERHEAD];
    size_t size = strlen(key_check_text);
    if (!seal_close(store->seal, key_check_name, key_check_text, size, sealed, err))
        return false;
    AUTO(statement) *q = backend_statement(store->writer, SQL_setting_put);
    bind_text(q, P_name, key_check_name);
    bind_bytes(q, P_value, sealed, size + SEAL_OVERHEAD);
    return statement_run(q, err);
}

static bool key_fits(struct store *store, bool *fits, struct err *err)
{
    AUTO(arena) *arena = arena_new(1 << 16);
    AUTO(statement) *q = backend_statement(store->writer, SQL_setting_get);
    bind_text(q, P_name, key_check_name);
    if (!arena || !statement_next(q, err))
        return arena ? statement_ok(q, err) : arena_full(err);
    size_t size;
    const unsigned char *sealed = column_bytes(q, C_value, &size);
    struct err why; /* only whether */
    *fits = seal_text(store->seal, key_check_name, sealed, size, arena, &why) != NULL;
    return true;
}

/* A database without secrets takes any key; one with secrets only the key that sealed them. */
static bool open_key(struct store *store, const char *key_path, struct err *err)
{
    bool recorded = false, exist = false, fits = false;
    if (!key_is_recorded(store, &recorded, err) || !secrets_exist(store, &exist, err))
        return false;
    store->seal = seal_open(key_path, !exist, err);
    if (!store->seal)
        return exist && err->code == ERR_NOT_FOUND
                   ? err_set(err, ERR_STORAGE,
                             "the key file %s is missing and the database holds secrets sealed "
                             "with it: put the "
                             "key file back",
                             key_path)
                   : false;
    if (recorded && !key_fits(store, &fits, err))
        return false;
    if (fits)
        return true;
    if (exist)
        return err_set(err, ERR_STORAGE,
                       "the key in %s is not the one that sealed the secrets in this database: put "
                       "the right key "
                       "file back",
                       key_path);
    return record_key(store, err);
}

/* ---- open, close ---- */

static struct store *store_new(const char *path, struct err *err)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store) {
        err_set(err, ERR_BUSY, "no memory for the store");
        return NULL;
    }
    store->lock_fd = store->queue.bell.fd = store->syncer.bell.fd = store->checkpointer.bell.fd =
        -1;
    lock_init(&store->readers_lock, LOCK_STORE_READERS);
    store->path = strdup(path);
    store->readers = calloc((size_t)LIMIT_STORE_READERS_MAX, sizeof *store->readers);
    if (queue_init(&store->queue, err) && store->path && store->readers)
        return store;
    store_close(store);
    return NULL;
}

struct store *store_open(const struct store_options *options, struct err *err)
{
    struct store *store = store_new(options->path, err);
    if (!store)
        return NULL;
    if (lock_file(store, err) && open_database(store, err) &&
        open_key(store, options->key_path, err) && checkpointer_start(store, err) &&
        readers_open(store, err) && writer_start(store, err))
        return store;
    err_add(err, "cannot open the store %s", options->path);
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    writer_stop(store);
    checkpointer_stop(store);
    readers_free(store);
    backend_free(store->writer); /* the last connection empties the log */
    seal_free(store->seal);
    queue_done(&store->queue);
    lock_done(&store->readers_lock);
    auto_close_fd(&store->lock_fd); /* unlocks */
    free(store->path);
    free(store);
}

void store_listen(struct store *store, store_listener listener, void *context)
{
    CHECK(store->listeners_count < LISTENERS_MAX);
    store->listeners[store->listeners_count++] = (struct listener){listener, context};
}
