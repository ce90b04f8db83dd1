/* The book of one commit. Most commits touch one subscription in one location, so entries are looked for from the
 * newest on. */
#include "store/quotas.h"

#include "base/limits.h"
#include "store/statements.h"
#include "store/tx.h"

#include <string.h>

/* ---- entries ---- */

static bool load(struct tx *tx, struct quota_entry *entry, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_quota_load);
    bind_int(q, P_subscription_key, entry->subscription_key);
    bind_text(q, P_location, entry->location);
    while (statement_next(q, err)) {
        int64_t quota = column_int(q, C_quota);
        if (quota >= 0 && quota < QUOTA_USES)
            entry->used[quota] = entry->stored[quota] = column_int(q, C_used);
    }
    return statement_ok(q, err);
}

/* The array, with room for one more; NULL: there is no memory, and it stays as it is. */
static void *roomy(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    size_t wanted = *capacity ? *capacity * 2 : 64;
    void *more = realloc(items, wanted * size);
    if (more)
        *capacity = wanted;
    return more;
}

static bool no_memory(struct err *err)
{
    return err_set(err, ERR_BUSY, "no memory to count quotas");
}

/* -1 with err set: it could not be read. */
static int64_t entry_of(struct tx *tx, const struct group_row *row, struct err *err)
{
    struct quota_book *book = &tx->quotas;
    for (size_t i = book->entries_count; i-- > 0;)
        if (book->entries[i].subscription_key == row->subscription_key &&
            strcmp(book->entries[i].location, row->location) == 0)
            return (int64_t)i;
    struct quota_entry *entries =
        roomy(book->entries, book->entries_count, &book->entries_capacity, sizeof *book->entries);
    if (!entries) {
        no_memory(err);
        return -1;
    }
    book->entries = entries;
    struct quota_entry *entry = &book->entries[book->entries_count];
    *entry = (struct quota_entry){.subscription_key = row->subscription_key};
    CHECK(text_copy(entry->location, sizeof entry->location, row->location));
    return load(tx, entry, err) ? (int64_t)book->entries_count++ : -1;
}

/* ---- asking ---- */

/* "9.5" of 9500; a quota of groups as it is. */
static const char *amount_text(struct tx *tx, enum quota quota, int64_t amount)
{
    if (!quota_kinds[quota].cores)
        return arena_format(tx->scratch, "%lld", (long long)amount);
    const char *text = arena_format(tx->scratch, "%lld.%03lld", (long long)(amount / 1000),
                                    (long long)(amount % 1000));
    size_t size = text ? strlen(text) : 0;
    while (size > 0 && text[size - 1] == '0')
        size--;
    if (size > 0 && text[size - 1] == '.')
        size--;
    return text ? arena_text_n(tx->scratch, text, size) : NULL;
}

static bool refuse(struct tx *tx, const struct group_row *row, enum quota quota, int64_t used,
                   int64_t more, struct err *err)
{
    const char *usage = amount_text(tx, quota, used), *requested = amount_text(tx, quota, more);
    return err_set(err, ERR_QUOTA,
                   "Resource type 'Microsoft.ContainerInstance/containerGroups' container group "
                   "quota '%s' exceeded in region '%s'. Limit: '%lld', Usage: '%s' Requested: "
                   "'%s'. %s",
                   quota_kinds[quota].name, row->location, (long long)row->limits->most[quota],
                   usage ? usage : "?", requested ? requested : "?",
                   quota_kinds[quota].cores
                       ? "Container groups that are stopped or have finished hold no cores."
                       : "A container group counts until it is deleted.");
}

static bool allows(struct tx *tx, const struct group_row *row, size_t entry, enum quota quota,
                   int64_t more, struct err *err)
{
    int64_t used = tx->quotas.entries[entry].used[quota];
    int64_t most = row->limits->most[quota] * (quota_kinds[quota].cores ? 1000 : 1);
    return more <= 0 || used + more <= most || refuse(tx, row, quota, used, more, err);
}

/* What the row, as it was read, counts for in this quota. */
static int64_t counted_in(const struct group_row *row, enum quota quota)
{
    const struct quota_pair *pair = &quota_pairs[row->counted_class];
    return quota == pair->groups  ? row->counted.groups
           : quota == pair->cores ? row->counted.cpu_milli
                                  : 0;
}

bool quota_allows(struct tx *tx, const struct group_row *row, struct err *err)
{
    struct quota_hold then = quota_hold_of(true, GROUP_PENDING, row->shape.cpu_milli);
    const struct quota_pair *pair = &quota_pairs[row->quota_class];
    if (!row->limits)
        return true;
    int64_t entry = entry_of(tx, row, err);
    return entry >= 0 &&
           allows(tx, row, (size_t)entry, pair->groups, then.groups - counted_in(row, pair->groups),
                  err) &&
           allows(tx, row, (size_t)entry, pair->cores,
                  then.cpu_milli - counted_in(row, pair->cores), err);
}

/* ---- counting ---- */

static bool add(struct tx *tx, size_t entry, enum quota quota, int64_t amount, struct err *err)
{
    struct quota_book *book = &tx->quotas;
    if (amount == 0)
        return true;
    struct quota_note *notes =
        roomy(book->notes, book->notes_count, &book->notes_capacity, sizeof *book->notes);
    if (!notes)
        return no_memory(err);
    book->notes = notes;
    book->notes[book->notes_count++] = (struct quota_note){entry, quota, amount};
    book->entries[entry].used[quota] += amount;
    return true;
}

bool quota_count(struct tx *tx, struct group_row *row, struct err *err)
{
    struct quota_hold now = quota_hold_of(row->living, row->state, row->shape.cpu_milli);
    const struct quota_pair *pair = &quota_pairs[row->quota_class],
                            *old = &quota_pairs[row->counted_class];
    if (pair == old && now.groups == row->counted.groups && now.cpu_milli == row->counted.cpu_milli)
        return true;
    int64_t entry = entry_of(tx, row, err);
    if (entry < 0 || !add(tx, (size_t)entry, old->groups, -row->counted.groups, err) ||
        !add(tx, (size_t)entry, old->cores, -row->counted.cpu_milli, err) ||
        !add(tx, (size_t)entry, pair->groups, now.groups, err) ||
        !add(tx, (size_t)entry, pair->cores, now.cpu_milli, err))
        return false;
    row->counted = now;
    row->counted_class = row->quota_class;
    return true;
}

/* ---- the commit ---- */

void quotas_begin(struct tx *tx)
{
    tx->quotas.entries_count = tx->quotas.notes_count = 0;
}

void quotas_forget(struct tx *tx, size_t notes_count)
{
    struct quota_book *book = &tx->quotas;
    while (book->notes_count > notes_count) {
        const struct quota_note *note = &book->notes[--book->notes_count];
        book->entries[note->entry].used[note->quota] -= note->amount;
    }
}

static bool put(struct tx *tx, const struct quota_entry *entry, int quota, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_quota_put);
    bind_int(q, P_subscription_key, entry->subscription_key);
    bind_text(q, P_location, entry->location);
    bind_int(q, P_quota, quota);
    bind_int(q, P_used, entry->used[quota]);
    return statement_run(q, err);
}

bool quotas_save(struct tx *tx, struct err *err)
{
    for (size_t i = 0; i < tx->quotas.entries_count; i++) {
        const struct quota_entry *entry = &tx->quotas.entries[i];
        for (int quota = 0; quota < QUOTA_USES; quota++)
            if (entry->used[quota] != entry->stored[quota] && !put(tx, entry, quota, err))
                return false;
    }
    return true;
}

void quotas_done(struct quota_book *book)
{
    free(book->entries);
    free(book->notes);
    *book = (struct quota_book){0};
}

/* ---- the question ---- */

bool store_quota_use(struct tx *tx, const char *subscription, const char *location,
                     struct quota_use *use, struct err *err)
{
    struct quota_use found = {0};
    AUTO(statement) *q = tx_statement(tx, SQL_quota_use);
    CHECK(!tx->writes);
    bind_text(q, P_subscription, subscription);
    bind_text(q, P_location, location);
    while (statement_next(q, err)) {
        int64_t quota = column_int(q, C_quota);
        if (quota >= 0 && quota < QUOTA_USES)
            found.used[quota] = column_int(q, C_used);
    }
    if (!statement_ok(q, err))
        return false;
    *use = found;
    return true;
}
