/* What groups held, second by second, in exact integers; and what their containers were measured to
 * use. Those who bill read it in two ways: what touches a time, and what has ended since they read last. */
#include "api/handlers/usage_view.h"
#include "api/inside.h"
#include "api/page.h"

#include <string.h>

struct use_view {
    const char *container;
    int64_t incarnation, second, cpu_ns, memory_bytes, rx_bytes, tx_bytes;
};
struct usage_view {
    int64_t from_s, to_s;
    struct opt_int reported_s;
    struct usage_interval_view *value;
    size_t value_count;
    struct usage_totals *totals;
    struct use_view *use;
    size_t use_count;
    const char *next_link; /* page_link() prints it */
};
struct ended_view {
    struct usage_interval_view *value;
    size_t value_count;
    const char *cursor;
    const char *next_link; /* page_link() prints it */
};

/* clang-format off */
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
    FIELD(struct usage_view, reported_s, "reportedTo", .doc = "Every node that is ready has told what it held in all seconds before this one. Absent without nodes."),
    FIELD_ITEMS(struct usage_view, value, "value", &usage_interval_view_schema, .flags = FIELD_PRINT_EMPTY),
    FIELD_STRUCT(struct usage_view, totals, "totals", &usage_totals_schema),
    FIELD_ITEMS(struct usage_view, use, "measured", &use_schema, .flags = FIELD_PRINT_EMPTY),
    FIELD(struct usage_view, next_link, "nextLink", .doc = "The next page, when there is one."),
};
const struct schema usage_schema = SCHEMA("UsagePage", struct usage_view, usage_fields, "Intervals, oldest first; of a resource group without from: group after group.");

static const struct field ended_fields[] = {
    FIELD_ITEMS(struct ended_view, value, "value", &usage_interval_view_schema, .flags = FIELD_PRINT_EMPTY),
    FIELD(struct ended_view, cursor, "cursor", .doc = "Keep it: as $skiptoken it goes on behind this page, now or in a year. Absent as long as nothing has ended."),
    FIELD(struct ended_view, next_link, "nextLink", .doc = "The next page, when there is one by now."),
};
const struct schema usage_ended_schema = SCHEMA("UsageEndedPage", struct ended_view, ended_fields, "Intervals that have ended, in the order in which it was learned. None changes any more.");
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
            "'group' is missing: give the id of a container group, resource group or subscription");
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
    return resource_id_parse(text, request->arena, id, err);
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

/* Over all pages, with memory for one; no further than an answer may take. */
static bool totals_take(struct request *request, struct tx *tx,
                        const struct usage_question *question, struct usage_totals *totals,
                        struct err *err)
{
    AUTO(arena) *arena = arena_new(LIMIT_REQUEST_ARENA_MAX);
    struct usage_page page = {0};

    if (!arena)
        return request_full(err);
    if (!usage_totals_begin(request, totals, err))
        return false;
    do {
        int64_t after_key = page.next_key;
        arena_reset(arena);
        if (!store_usage_list(tx, &question->id, question->from_s, question->to_s, after_key,
                              LIMIT_PAGE_ITEMS_MAX, arena, &page, err))
            return false;
        for (size_t i = 0; i < page.count; i++)
            usage_totals_add(totals, &page.rows[i]);
    } while (page.next_key != 0 && totals->intervals < LIMIT_USAGE_TOTALS_MAX);
    totals->complete = page.next_key == 0;
    usage_totals_end(totals);
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

static bool page_print(struct request *request, const struct schema *schema, const void *view,
                       char list, int64_t next_key)
{
    text_add(request->out, "{");
    fields_print_members(schema, view, FIELDS_ALL, request->out, NULL);
    page_link(request, list, next_key);
    text_add(request->out, "}");
    return reply_json(request, 200);
}

bool usage_show(struct request *request, struct err *err)
{
    struct usage_question question;
    struct usage_totals totals;
    struct usage_page page;
    AUTO(tx) *tx = NULL;

    if (!question_take(request, &question, err) || !(tx = store_read(request->api->store, err)) ||
        !store_usage_list(tx, &question.id, question.from_s, question.to_s, question.page.after_key,
                          question.page.rows_max, request->arena, &page, err))
        return false;
    struct usage_view view = {
        .from_s = question.from_s, .to_s = question.to_s, .value_count = page.count};
    if (question.page.after_key == 0) {
        if (!totals_take(request, tx, &question, &totals, err))
            return false;
        view.totals = &totals;
    }
    return usage_views_take(request, &page, &view.value, err) &&
           store_usage_reported(tx, &view.reported_s, err) &&
           use_take(request, tx, &question.id, &view, err) &&
           page_print(request, &usage_schema, &view, 'u', page.next_key);
}

bool usage_ended_list(struct request *request, struct err *err)
{
    struct resource_id id;
    struct page asked;
    struct usage_page page;
    AUTO(tx) *tx = NULL;

    if (!group_take(request, &id, err) || !page_take(request, 'e', &asked, err))
        return false;
    if (id.resource_group)
        return err_set_field(err, ERR_BAD_QUERY, "group",
                             "what has ended is listed for a whole subscription: give its id");
    if (!(tx = store_read(request->api->store, err)) ||
        !store_usage_ended(tx, id.subscription, asked.after_key, asked.rows_max, request->arena,
                           &page, err))
        return false;
    struct ended_view view = {
        .value_count = page.count,
        .cursor = page.last_key == 0
                      ? NULL
                      : arena_format(request->arena, "e%llx", (unsigned long long)page.last_key),
    };
    return usage_views_take(request, &page, &view.value, err) &&
           page_print(request, &usage_ended_schema, &view, 'e', page.next_key);
}
