/* Log lines are events: a stable name, then key=value.
 *
 *     log_info("group_placed", "group=%s node=%s", group->uid, node->name);
 *
 * Written whole, one write(2) a line, to standard error, as text or JSON. Clients' words are passed
 * through LOG_QUOTE(), which bounds and escapes them. Secrets are never passed here: what can hold
 * one has no printable form outside the field tables.
 * Threads: any. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_configure(enum log_level lowest, bool as_json);
bool log_level_parse(const char *name, enum log_level *level);

/* Kept for this thread and added to each of its lines: "request=… tenant=…". NULL clears. */
void log_context(const char *pairs);

void log_event(enum log_level level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);

/* With code, field and the whole text, which is ours and bounded already. */
void log_trouble(enum log_level level, const char *event, const struct err *err);
void log_failure(const char *event, const struct err *err); /* the same, level error */

#define log_debug(...) log_event(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_event(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_event(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_event(LOG_ERROR, __VA_ARGS__)

struct log_quote {
    char text[160];
};
struct log_quote log_quote(const char *words);
#define LOG_QUOTE(words) (log_quote(words).text)

#endif
