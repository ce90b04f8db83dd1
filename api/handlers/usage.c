/* What groups held, second by second, in exact integers; and what their containers were measured to
 * use. */
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "api/page.h"

#include <string.h>

enum { TOTAL_ROWS_MAX = 200000 };

struct usage_interval_view {
    const char *group, *uid, *node;
    int64_t incarnation, from_s, to_s, seconds, cpu_milli, memory_mib, cpu_milli_seconds,
        memory_mib_seconds;
    bool open;
};
struct usage_totals {
    int64_t intervals, seconds, cpu_milli_seconds, memory_mib_seconds;
    bool complete;
};
struct use_view {
    const char *container;
    int64_t incarnation, second, cpu_ns, memory_bytes, rx_bytes, tx_bytes;
};
struct usage_view {
    int64_t from_s, to_s;
    struct usage_interval_view *value;
    size_t value_count;
    struct usage_totals *totals;
    struct use_view *use;
    size_t use_count;
    const char *next_link; /* page_link() prints it */
};

/* clang-format off */
static const struct field interval_fields[] = {
    FIELD(struct usage_interval_view, group, "group", .doc = "ARM id, as it was."),
    FIELD(struct usage_interval_view, uid, "uid", .doc = "Of that life of the name."),
    FIELD(struct usage_interval_view, incarnation, "incarnation", .doc = "Which run of it."),
    FIELD(struct usage_interval_view, node, "node"),
    FIELD(struct usage_interval_view, from_s, "from", .doc = "Unix second, included."),
    FIELD(struct usage_interval_view, to_s, "to", .doc = "Unix second, excluded; of an open interval: reported so far."),
    FIELD(struct usage_interval_view, open, "open", .doc = "Still held."),
    FIELD(struct usage_interval_view, seconds, "seconds"),
    FIELD(struct usage_interval_view, cpu_milli, "cpuMilli"),
    FIELD(struct usage_interval_view, memory_mib, "memoryMib"),
    FIELD(struct usage_interval_view, cpu_milli_seconds, "cpuMilliSeconds"),
    FIELD(struct usage_interval_view, memory_mib_seconds, "memoryMibSeconds"),
};
static const struct schema interval_schema = SCHEMA("Usage", struct usage_interval_view, interval_fields, "A time in which a group held resources.");

static const struct field totals_fields[] = {
    FIELD(struct usage_totals, intervals, "intervals"),
    FIELD(struct usage_totals, seconds, "seconds"),
    FIELD(struct usage_totals, cpu_milli_seconds, "cpuMilliSeconds"),
    FIELD(struct usage_totals, memory_mib_seconds, "memoryMibSeconds"),
    FIELD(struct usage_totals, complete, "complete", .doc = "False: more intervals than are summed up in one answer."),
};
static const struct schema totals_schema = SCHEMA("UsageTotals", struct usage_totals, totals_fields, "Sums over all pages.");

static const struct field use_fields[] = {
    FIELD(struct use_view, container, "container"),
    FIELD(struct use_view, incarnation, "incarnation"),
    FIELD(struct use_view, second, "second", .doc = "When it was measured."),
    FIELD(struct use_view, cpu_ns, "cpuNs", .doc = "Since the run began."),
    FIELD(struct use_view, memory_bytes, "memoryBytes"),
    FIELD(struct use_view, rx_bytes, "rxBytes", .doc = "Of the group's network, on its first container."),
    FIELD(struct use_view, tx_bytes, "txBytes"),
};
static const struct schema use_schema = SCHEMA("MeasuredUse", struct use_view, use_fields, "For charts, never for the bill.");

static const struct field usage_fields[] = {
    FIELD(struct usage_view, from_s, "from"),
    FIELD(struct usage_view, to_s, "to"),
    FIELD_ITEMS(struct usage_view, value, "value", &interval_schema, .flags = FIELD_PRINT_EMPTY),
    FIELD_STRUCT(struct usage_view, totals, "totals", &totals_schema),
    FIELD_ITEMS(struct usage_view, use, "measured", &use_schema, .flags = FIELD_PRINT_EMPTY),
    FIELD(struct usage_view, next_link, "nextLink", .doc = "The next page, when there is one."),
};
const struct schema usage_schema = SCHEMA("UsagePage", struct usage_view, usage_fields, "Intervals, oldest first.");
/* clang-format on */

/* ---- the question ---- */

struct usage_question {
    struct resource_id id;
    int64_t from_s, to_s;
    struct page page;
};

/* Unix seconds or RFC 3339. */
static bool time_take(const struct request *request, const char *name, int64_t otherwise,
                      int64_t *second, struct err *err)
{
    const char *text = request_query(request, name);
    int64_t ms;

    *second = otherwise;
    if (!text || !text[0])
        return true;
    if (text_to_int(text, second) && *second >= 0)
        return true;
    if (!clock_parse(text, &ms))
        return err_set_field(
            err, ERR_BAD_QUERY, name,
            "'%s' is '%.60s': give Unix seconds or a time like 2026-01-31T08:00:00Z", name, text);
    *second = ms / 1000;
    return true;
}

/* An ARM id, or "resourceGroup/name" in the only subscription there is. */
static bool group_take(struct request *request, struct resource_id *id, struct err *err)
{
    const char *text = request_query(request, "group");
    const struct settings *settings = request->settings;

    if (!text || !text[0])
        return err_set_field(
            err, ERR_BAD_QUERY, "group",
            "'group' is missing: give the id of a container group or subscription");
    if (strncasecmp(text, "/subscriptions/", 15) != 0 && settings->subscriptions_count == 1) {
        const char *slash = strchr(text, '/');
        if (slash && slash != text && slash[1] && !strchr(slash + 1, '/')) {
            *id = (struct resource_id){
                .subscription = settings->subscriptions[0].id,
                .resource_group = arena_text_n(request->arena, text, (size_t)(slash - text)),
                .group = slash + 1,
            };
            return id->resource_group || request_full(err);
        }
    }
    if (!resource_id_parse(text, request->arena, id, err))
        return false;
    return (id->group || !id->resource_group) ||
           err_set_field(
               err, ERR_BAD_QUERY, "group",
               "usage is asked for a container group or a subscription, not for a resource group");
}

static bool question_take(struct request *request, struct usage_question *question, struct err *err)
{
    /* The second that runs now counts for what was held in it: an interval may end behind it. */
    int64_t now_s = clock_now_ms() / 1000 + 1;

    if (!group_take(request, &question->id, err) ||
        !time_take(request, "from", 0, &question->from_s, err) ||
        !time_take(request, "to", now_s, &question->to_s, err) ||
        !page_take(request, 'u', &question->page, err))
        return false;
    return question->from_s <= question->to_s ||
           err_set_field(err, ERR_BAD_QUERY, "from", "'from' is later than 'to'");
}

/* ---- the answer ---- */

static void interval_fill(const struct usage_row *row, struct usage_interval_view *view)
{
    int64_t seconds = row->to_s > row->from_s ? row->to_s - row->from_s : 0;

    *view = (struct usage_interval_view){
        .group = row->resource,
        .uid = row->uid,
        .node = row->node,
        .incarnation = row->incarnation,
        .from_s = row->from_s,
        .to_s = row->to_s,
        .seconds = seconds,
        .cpu_milli = row->cpu_milli,
        .memory_mib = row->memory_mib,
        .cpu_milli_seconds = seconds * row->cpu_milli,
        .memory_mib_seconds = seconds * row->memory_mib,
        .open = row->open,
    };
}

static void total_add(struct usage_totals *totals, const struct usage_row *row)
{
    struct usage_interval_view view;

    interval_fill(row, &view);
    totals->intervals++;
    totals->seconds += view.seconds;
    totals->cpu_milli_seconds += view.cpu_milli_seconds;
    totals->memory_mib_seconds += view.memory_mib_seconds;
}

/* Over all pages, with memory for one. */
static bool totals_take(struct tx *tx, const struct usage_question *question,
                        struct usage_totals *totals, struct err *err)
{
    AUTO(arena) *arena = arena_new(LIMIT_REQUEST_ARENA_MAX);
    struct usage_page page = {0};

    if (!arena)
        return request_full(err);
    do {
        int64_t after_key = page.next_key;
        arena_reset(arena);
        if (!store_usage_list(tx, &question->id, question->from_s, question->to_s, after_key,
                              LIMIT_PAGE_ITEMS_MAX, arena, &page, err))
            return false;
        for (size_t i = 0; i < page.count; i++)
            total_add(totals, &page.rows[i]);
    } while (page.next_key != 0 && totals->intervals < TOTAL_ROWS_MAX);
    totals->complete = page.next_key == 0;
    return true;
}

static bool use_take(struct request *request, struct tx *tx, const struct resource_id *id,
                     struct usage_view *view, struct err *err)
{
    struct group_row *group =
        id->group ? store_group_find(tx, id, false, request->arena, err) : NULL;
    struct use_row *rows;

    if (!group)
        return err->code == ERR_OK;
    if (!store_use_list(tx, group->key, request->arena, &rows, &view->use_count, err))
        return false;
    view->use = arena_array(request->arena, view->use_count + 1, sizeof *view->use);
    for (size_t i = 0; view->use && i < view->use_count; i++)
        view->use[i] = (struct use_view){rows[i].container, rows[i].incarnation,  rows[i].second,
                                         rows[i].cpu_ns,    rows[i].memory_bytes, rows[i].rx_bytes,
                                         rows[i].tx_bytes};
    return view->use || request_full(err);
}

static bool page_print(struct request *request, const struct usage_view *view, int64_t next_key)
{
    text_add(request->out, "{");
    fields_print_members(&usage_schema, view, FIELDS_ALL, request->out, NULL);
    page_link(request, 'u', next_key);
    text_add(request->out, "}");
    return reply_json(request, 200);
}

bool usage_show(struct request *request, struct err *err)
{
    struct usage_question question;
    struct usage_totals totals = {0};
    struct usage_page page;
    AUTO(tx) *tx = NULL;

    if (!question_take(request, &question, err) || !(tx = store_read(request->api->store, err)) ||
        !store_usage_list(tx, &question.id, question.from_s, question.to_s, question.page.after_key,
                          question.page.rows_max, request->arena, &page, err) ||
        !totals_take(tx, &question, &totals, err))
        return false;
    struct usage_view view = {
        .from_s = question.from_s,
        .to_s = question.to_s,
        .value = arena_array(request->arena, page.count + 1, sizeof *view.value),
        .value_count = page.count,
        .totals = &totals,
    };
    if (!view.value)
        return request_full(err);
    for (size_t i = 0; i < page.count; i++)
        interval_fill(&page.rows[i], &view.value[i]);
    return use_take(request, tx, &question.id, &view, err) &&
           page_print(request, &view, page.next_key);
}
