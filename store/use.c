/* Measured use: the newest sample of each container, for charts. Never for the bill. */
#include "store/use.h"

#include "base/limits.h"
#include "store/group_life.h"
#include "store/statements.h"

#include <string.h>

static bool put(struct tx *tx, int64_t group_key, const struct use_sample *sample, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_use_put);
    bind_int(q, P_group_key, group_key);
    bind_text(q, P_container, sample->container ? sample->container : "");
    bind_int(q, P_incarnation, sample->incarnation);
    bind_int(q, P_second, sample->second);
    bind_int(q, P_cpu_ns, sample->cpu_ns);
    bind_int(q, P_memory_bytes, sample->memory_bytes);
    bind_int(q, P_rx_bytes, sample->rx_bytes);
    bind_int(q, P_tx_bytes, sample->tx_bytes);
    return statement_run(q, err);
}

bool use_tell(struct tx *tx, const struct use_sample *samples, size_t count, struct err *err)
{
    const char *uid = "";
    int64_t group_key = 0, unused;
    for (size_t i = 0; i < count; i++) {
        /* Samples of one group stand together. */
        if (strcmp(samples[i].uid, uid) != 0 &&
            !usage_group_find(tx, samples[i].uid, &group_key, &unused, err))
            return false;
        uid = samples[i].uid;
        if (group_key != 0 && !put(tx, group_key, &samples[i], err))
            return false;
    }
    return true;
}

bool store_use_list(struct tx *tx, int64_t group_key, struct arena *arena, struct use_row **rows,
                    size_t *count, struct err *err)
{
    struct use_row *found = arena_array(arena, (size_t)LIMIT_CONTAINERS_MAX, sizeof *found);
    size_t found_count = 0;
    AUTO(statement) *q = tx_statement(tx, SQL_use_list);
    bind_int(q, P_group_key, group_key);
    if (!found)
        return arena_full(err);
    while (found_count < (size_t)LIMIT_CONTAINERS_MAX && statement_next(q, err))
        found[found_count++] = (struct use_row){
            .container = column_text(q, C_container, arena),
            .incarnation = column_int(q, C_incarnation),
            .second = column_int(q, C_second),
            .cpu_ns = column_int(q, C_cpu_ns),
            .memory_bytes = column_int(q, C_memory_bytes),
            .rx_bytes = column_int(q, C_rx_bytes),
            .tx_bytes = column_int(q, C_tx_bytes),
        };
    if (!statement_ok(q, err))
        return false;
    *rows = found;
    *count = found_count;
    return true;
}
