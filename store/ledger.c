/* The ledger: intervals in which a group held resources on a node.
 *
 * A node tells (group, incarnation, from, to), to 0 while it holds. The same is told again until the node knows
 * that it was taken, so the key is what was told: (group, incarnation, from, node). Told twice changes nothing, and
 * an end never moves once it is set.
 *
 * What is counted of an interval is [start, to). The intervals of a group stand in the order of (incarnation, from),
 * and no second is counted in two of them: whatever came to the ledger first stands, a later one is clipped by its two
 * neighbours. This settles what clocks of two nodes disagree on by a second, and a lost node that comes back and
 * claims seconds in which the group ran elsewhere already.
 *
 *      run 1, node a   |=============|............   open: counted up to a's watermark ...
 *      run 2, node b                 ^   |=========  ... or to here, where the next run begins (cap)
 *                              watermark
 *
 * An open interval of a lost node thus ends at the node's watermark by itself, and is closed exactly when the node
 * comes back and tells its end. */
#include "base/metrics.h"
#include "store/group_life.h"
#include "store/row_id.h"
#include "store/statements.h"

/* ---- who ---- */

bool usage_group_put(struct tx *tx, const struct group_row *row, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_usage_group_put);
    bind_int(q, P_key, row->key);
    bind_text(q, P_uid, row->uid);
    bind_int(q, P_subscription_key, row->subscription_key);
    bind_int(q, P_resource_group_key, row->resource_group_key);
    bind_text(q, P_name, row->name);
    return statement_run(q, err);
}

bool usage_group_find(struct tx *tx, const char *uid, int64_t *group_key, int64_t *subscription_key,
                      struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_usage_group_find);
    bind_int(q, P_key, row_id_key(uid));
    bind_text(q, P_uid, uid);
    bool any = statement_next(q, err);
    *group_key = any ? column_int(q, C_group_key) : 0;
    *subscription_key = any ? column_int(q, C_subscription_key) : 0;
    return statement_ok(q, err);
}

/* ---- telling ---- */

struct interval {
    int64_t key, group_key, subscription_key, node_key, incarnation, from_s;
    int64_t start_s, to_s, cap_s;
    int64_t gpus, price_class;
    bool known, closed, capped, classed;
};

static void bind_name(struct statement *q, const struct interval *interval)
{
    bind_int(q, P_group_key, interval->group_key);
    bind_int(q, P_incarnation, interval->incarnation);
    bind_int(q, P_from_s, interval->from_s);
    bind_int(q, P_node_key, interval->node_key);
}

static bool find(struct tx *tx, struct interval *interval, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_interval_find);
    bind_name(q, interval);
    interval->known = statement_next(q, err);
    if (interval->known) {
        interval->key = column_int(q, C_key);
        interval->start_s = column_int(q, C_start_s);
        interval->capped = !column_is_null(q, C_cap_s);
        interval->cap_s = column_int(q, C_cap_s);
        interval->closed = !column_is_null(q, C_to_s);
    }
    return statement_ok(q, err);
}

static int64_t clamp(int64_t value, int64_t lowest, int64_t highest)
{
    return value > highest ? highest : value < lowest ? lowest : value;
}

/* Where the neighbour before it ends; the neighbour's key when that is open. */
static bool look_before(struct tx *tx, const struct interval *interval, int64_t *ends_s,
                        int64_t *open_key, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_interval_before);
    bind_name(q, interval);
    bool any = statement_next(q, err);
    *ends_s = any ? column_int(q, C_to_s) : INT64_MIN;
    *open_key = any && column_int(q, C_open) ? column_int(q, C_key) : 0;
    return statement_ok(q, err);
}

static bool look_after(struct tx *tx, struct interval *interval, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_interval_after);
    bind_name(q, interval);
    interval->capped = statement_next(q, err);
    if (interval->capped)
        interval->cap_s = column_int(q, C_start_s);
    return statement_ok(q, err);
}

static bool cap(struct tx *tx, int64_t key, int64_t cap_s, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_interval_cap);
    bind_int(q, P_key, key);
    bind_int(q, P_cap_s, cap_s);
    return statement_run(q, err);
}

/* Finds its place between its neighbours. */
static bool place(struct tx *tx, struct interval *interval, struct err *err)
{
    int64_t before_ends_s, open_key;
    if (!look_before(tx, interval, &before_ends_s, &open_key, err) ||
        !look_after(tx, interval, err))
        return false;
    interval->start_s =
        clamp(interval->from_s, before_ends_s, interval->capped ? interval->cap_s : INT64_MAX);
    return open_key == 0 || cap(tx, open_key, interval->start_s, err);
}

static void bind_or_null(struct statement *q, int parameter, bool given, int64_t value)
{
    if (given)
        bind_int(q, parameter, value);
    else
        bind_null(q, parameter);
}

static bool insert(struct tx *tx, const struct interval *interval,
                   const struct usage_interval *told, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_interval_insert);
    int64_t key = tx_next_revision(tx);
    bind_int(q, P_key, key);
    bind_name(q, interval);
    bind_int(q, P_subscription_key, interval->subscription_key);
    bind_int(q, P_start_s, interval->start_s);
    bind_or_null(q, P_cap_s, interval->capped, interval->cap_s);
    bind_or_null(q, P_to_s, interval->closed, interval->to_s);
    bind_int(q, P_cpu_milli, told->cpu_milli);
    bind_int(q, P_memory_mib, told->memory_mib);
    bind_int(q, P_gpus, interval->gpus);
    bind_or_null(q, P_price_class, interval->classed, interval->price_class);
    bind_or_null(q, P_ended, interval->closed, key);
    return statement_run(q, err);
}

static bool close_it(struct tx *tx, const struct interval *interval, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_interval_close);
    bind_int(q, P_key, interval->key);
    bind_int(q, P_to_s, interval->to_s);
    bind_int(q, P_ended, tx_next_revision(tx));
    return statement_run(q, err);
}

/* ---- what it costs ---- */

static bool is_class(int64_t number)
{
    return number >= 0 && number < QUOTA_CLASS_COUNT;
}

static bool untold_find(struct tx *tx, struct interval *interval, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_interval_untold);
    bind_int(q, P_group_key, interval->group_key);
    bind_int(q, P_node_key, interval->node_key);
    bind_int(q, P_incarnation, interval->incarnation);
    if (statement_next(q, err)) {
        interval->gpus = column_int(q, C_gpus);
        interval->price_class = column_int(q, C_quota_class);
        interval->classed = true;
    }
    return statement_ok(q, err);
}

/* An agent tells both or, as it was made before there were prices, neither. */
static bool price(struct tx *tx, const struct usage_interval *told, struct interval *interval,
                  struct err *err)
{
    if (told->gpus.given != GIVEN_VALUE || !is_class(told->price_class.value))
        return untold_find(tx, interval, err);
    interval->gpus = told->gpus.value;
    interval->price_class = told->price_class.value;
    interval->classed = true;
    return true;
}

static void end(struct interval *interval, int64_t told_to_s)
{
    interval->closed = true;
    interval->to_s =
        clamp(told_to_s, interval->start_s, interval->capped ? interval->cap_s : INT64_MAX);
    metric_add(METRIC_usage_interval_seconds_total, interval->to_s - interval->start_s);
}

/* What makes no sense is passed over: a report that could never be taken would hold up the node's others for ever. */
static bool makes_sense(const struct usage_interval *told)
{
    return told->from_s > 0 && (told->to_s == 0 || told->to_s >= told->from_s) &&
           told->cpu_milli >= 0 && told->memory_mib >= 0 && told->gpus.value >= 0 &&
           told->incarnation > 0;
}

bool usage_interval_tell(struct tx *tx, int64_t node_key, const struct usage_interval *told,
                         struct err *err)
{
    struct interval interval = {
        .node_key = node_key, .incarnation = told->incarnation, .from_s = told->from_s};
    if (!makes_sense(told))
        return true;
    if (!usage_group_find(tx, told->uid, &interval.group_key, &interval.subscription_key, err))
        return false;
    if (interval.group_key == 0)
        return true;
    if (!find(tx, &interval, err) || (!interval.known && !place(tx, &interval, err)))
        return false;
    if (interval.closed || (interval.known && told->to_s == 0))
        return true;
    if (told->to_s != 0)
        end(&interval, told->to_s);
    if (interval.known)
        return close_it(tx, &interval, err);
    return price(tx, told, &interval, err) && insert(tx, &interval, told, err);
}

bool usage_close_node(struct tx *tx, int64_t node_key, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_interval_close_node);
    bind_int(q, P_key, node_key);
    bind_int(q, P_ended, tx_next_revision(tx));
    return statement_run(q, err);
}
