/* The plane's own events on a group: a JSON array, equal newest ones merged, the oldest dropped. */
#include "base/clock.h"
#include "base/limits.h"
#include "store/group_life.h"
#include "store/statements.h"

#include <string.h>

static bool is_living(struct tx *tx, int64_t key, bool *living, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_group_living);
    bind_int(q, P_key, key);
    *living = statement_next(q, err);
    return statement_ok(q, err);
}

/* The events told so far, with room for one more. */
static bool read_events(struct tx *tx, int64_t key, struct group_view *view, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_group_report_get);
    bind_int(q, P_key, key);
    const char *text = statement_next(q, err) ? column_text(q, C_events, tx->scratch) : NULL;
    if (!statement_ok(q, err))
        return false;
    const char *json = arena_format(tx->scratch, "{\"events\":%s}", text ? text : "[]");
    if (!json)
        return arena_full(err);
    if (!fields_read(&group_view_schema, json, strlen(json), tx->scratch, view, err))
        return false;
    struct event *events = arena_array(tx->scratch, view->events_count + 1, sizeof *events);
    if (!events)
        return arena_full(err);
    if (view->events_count > 0)
        memcpy(events, view->events, view->events_count * sizeof *events);
    view->events = events;
    return true;
}

static void add_event(struct group_view *view, const struct event *event)
{
    struct event *newest = view->events_count > 0 ? &view->events[view->events_count - 1] : NULL;
    if (newest && strcmp(newest->type, event->type) == 0 &&
        strcmp(newest->name, event->name) == 0 && strcmp(newest->message, event->message) == 0) {
        newest->count++;
        newest->last_timestamp = event->last_timestamp;
        return;
    }
    view->events[view->events_count++] = *event;
    if (view->events_count > (size_t)LIMIT_EVENTS_MAX) {
        view->events++;
        view->events_count--;
    }
}

static bool write_events(struct tx *tx, int64_t key, const struct group_view *view, struct err *err)
{
    AUTO(text) *out = text_new((size_t)LIMIT_HTTP_BODY_MAX);
    text_add_char(out, '[');
    for (size_t i = 0; i < view->events_count; i++) {
        if (i > 0)
            text_add_char(out, ',');
        fields_print(&event_schema, &view->events[i], FIELDS_ALL, out, NULL);
    }
    text_add_char(out, ']');
    if (!out || !text_ok(out))
        return arena_full(err);
    AUTO(statement) *q = tx_statement(tx, SQL_group_events_put);
    bind_int(q, P_key, key);
    bind_text(q, P_events, out->bytes);
    return statement_run(q, err);
}

/* Whoever read the group sees by its revision that there is more now. */
static bool touch(struct tx *tx, int64_t key, struct err *err)
{
    int64_t revision = tx_note(tx, (struct change){.kind = CHANGE_GROUP, .group_key = key});
    AUTO(statement) *q = tx_statement(tx, SQL_group_touch);
    bind_int(q, P_key, key);
    bind_int(q, P_revision, revision);
    return statement_run(q, err);
}

bool store_group_event(struct tx *tx, int64_t group_key, const char *type, const char *name,
                       const char *message, struct err *err)
{
    char now[CLOCK_TEXT_SIZE];
    struct group_view view = {0};
    bool living;
    if (!is_living(tx, group_key, &living, err))
        return false;
    if (!living)
        return err_set(err, ERR_NOT_FOUND, "the container group is gone");
    clock_text(tx->now_ms, now);
    struct event event = {.count = 1,
                          .first_timestamp = now,
                          .last_timestamp = now,
                          .name = name,
                          .message = message,
                          .type = type};
    if (!read_events(tx, group_key, &view, err))
        return false;
    add_event(&view, &event);
    return touch(tx, group_key, err) && write_events(tx, group_key, &view, err);
}
