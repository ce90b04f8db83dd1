/* Public addresses: of a location's pool, one for a group, from the PUT that asks for it to the group's last trace.
 *
 * The search begins anywhere in the pool, so that an address that was given back is not the next one given: what still
 * means its former owner does not meet a new one. */
#include "store/group_life.h"
#include "store/statements.h"

#include <string.h>

static bool is_taken(struct tx *tx, int64_t address, bool *taken, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_public_taken);
    bind_int(q, P_address, address);
    *taken = statement_next(q, err);
    return statement_ok(q, err);
}

/* The lowest free one from `first` to `last`; 0: none. */
static bool find_free(struct tx *tx, int64_t first, int64_t last, int64_t *address, struct err *err)
{
    bool taken;
    *address = 0;
    if (first > last)
        return true;
    if (!is_taken(tx, first, &taken, err))
        return false;
    if (!taken) {
        *address = first;
        return true;
    }
    AUTO(statement) *q = tx_statement(tx, SQL_public_gap);
    bind_int(q, P_first, first);
    bind_int(q, P_last, last);
    if (statement_next(q, err))
        *address = column_int(q, C_address);
    return statement_ok(q, err);
}

/* Spread over the pool by the group's number (Knuth's multiplier). */
static void start_of(const struct address_pool *pool, int64_t key, size_t *range, int64_t *address)
{
    uint64_t at = (uint64_t)key * 2654435761u % (uint64_t)address_pool_size(pool);
    for (*range = 0; *range < pool->ranges_count; ++*range) {
        uint64_t size = (uint64_t)pool->ranges[*range].last - pool->ranges[*range].first + 1;
        if (at < size)
            break;
        at -= size;
    }
    *address = pool->ranges[*range].first + (int64_t)at;
}

/* From the start to the end of its range, all other ranges, and its own up to the start. */
static bool take(struct tx *tx, struct group_row *row, int64_t *address, struct err *err)
{
    const struct address_pool *pool = row->pool;
    size_t begin, count = pool->ranges_count;
    int64_t start;
    start_of(pool, row->key, &begin, &start);
    for (size_t i = 0; i <= count; i++) {
        const struct address_range *range = &pool->ranges[(begin + i) % count];
        if (!find_free(tx, i == 0 ? start : range->first, i == count ? start - 1 : range->last,
                       address, err))
            return false;
        if (*address != 0)
            return true;
    }
    return err_set_field(
        err, ERR_ADDRESS_POOL_EMPTY, "properties.ipAddress.type",
        "The pool of public addresses of location '%s' has no free address: all "
        "%lld are reserved by container groups. Delete a group with an 'ipAddress' "
        "of type 'Public', use type 'Private', or another location.",
        pool->location, (long long)address_pool_size(pool));
}

static bool publish(struct tx *tx, const struct group_row *row, int64_t address, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_group_publish);
    bind_int(q, P_key, row->key);
    if (address != 0)
        bind_int(q, P_public_address, address);
    else
        bind_null(q, P_public_address);
    char ports[PORT_SET_TEXT_SIZE];
    port_set_show(&row->shape.ports, ports);
    bind_text(q, P_node_ports, ports[0] ? ports : NULL);
    return statement_run(q, err);
}

static bool ports_moved(struct tx *tx, const struct group_row *row, bool *moved, struct err *err)
{
    char ports[PORT_SET_TEXT_SIZE];
    AUTO(statement) *q = tx_statement(tx, SQL_group_node_ports);
    bind_int(q, P_key, row->key);
    const char *before = statement_next(q, err) ? column_text(q, C_node_ports, tx->scratch) : NULL;
    port_set_show(&row->shape.ports, ports);
    *moved = ports[0] && strcmp(before ? before : "", ports) != 0;
    return statement_ok(q, err);
}

const char *public_address_text(int64_t address, struct arena *arena)
{
    char text[ADDRESS_TEXT_SIZE];
    if (address == 0)
        return NULL;
    address_show((uint32_t)address, text);
    return arena_text(arena, text);
}

bool public_address_settle(struct tx *tx, struct group_row *row, bool *moved, struct err *err)
{
    int64_t address = row->pool ? row->public_number : 0;
    if (!ports_moved(tx, row, moved, err))
        return false;
    if (row->pool && address == 0 && !take(tx, row, &address, err))
        return false;
    if (!publish(tx, row, address, err))
        return false;
    row->public_number = address;
    address_show((uint32_t)address, row->public_text);
    row->public_address = address != 0 ? row->public_text : NULL;
    return true;
}

bool public_address_leave(struct tx *tx, const struct group_row *row, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_assignment_reachable);
    bind_int(q, P_group_key, row->key);
    bool held = statement_next(q, err);
    return statement_ok(q, err) && (held || row->public_number == 0 || publish(tx, row, 0, err));
}
