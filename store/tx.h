/* Inside a transaction: what the subjects of this room (groups.c, life.c, ledger.c, …) share.
 * Not for: other rooms.   Threads: one transaction belongs to one thread. */
#ifndef STORE_TX_H
#define STORE_TX_H

#include "base/arena.h"
#include "store/backend.h"
#include "store/quotas.h"
#include "store/store.h"

struct tx {
    struct store *store;
    struct backend *backend;
    bool writes;
    int64_t revision;      /* newest one given out (writing) or seen (reading) */
    int64_t now_ms;        /* of the commit, the same for all its work */
    struct arena *scratch; /* of one piece of work */
    struct change *changes;
    size_t changes_count, changes_capacity;
    struct quota_book quotas;
    bool short_of_memory; /* a change could not be noted: the work must fail */
};

/* How far a transaction is, to go back to when a work fails. */
struct tx_mark {
    int64_t revision;
    size_t changes_count, quotas_count;
};

struct statement *tx_statement(struct tx *tx, int sql);

/* The next number of the revision sequence, for a row that listeners are not told of. */
int64_t tx_next_revision(struct tx *tx);
/* The same, and listeners are told after the commit. */
int64_t tx_note(struct tx *tx, struct change change);

/* Runs a statement whose only parameter is :key. */
bool tx_run_key(struct tx *tx, int sql, int64_t key, struct err *err) MUST_CHECK;

/* The canonical ARM id of a row with the columns subscription, resource_group and name; NULL when the arena is full. */
const char *resource_text(struct statement *q, struct arena *arena);

/* The failure that says it. */
static inline bool arena_full(struct err *err)
{
    return err_set(err, ERR_BUSY, "an answer does not fit in its memory");
}

/* Seals and opens secrets with the store's key. */
struct seal *tx_seal(struct tx *tx);

#endif
