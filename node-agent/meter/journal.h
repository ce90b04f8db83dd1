/* The meter's file: appended to, synced, and now and then written anew.
 * After a failed write or sync nobody knows what the disk holds: the journal is then `broken`, and only writing it
 * anew helps.
 * Threads: one at a time, but journal_sync: beside appends.   Owner: journal_close(). */
#ifndef NODE_AGENT_METER_JOURNAL_H
#define NODE_AGENT_METER_JOURNAL_H

#include "base/err.h"
#include "base/text.h"

#include <stdint.h>

enum { JOURNAL_PATH_SIZE = 512 };

struct journal {
    char path[JOURNAL_PATH_SIZE];
    int fd;
    int64_t size, rewritten_size; /* now, and when it was last written anew */
    bool broken;
};

bool journal_init(struct journal *journal, const char *folder, struct err *err) MUST_CHECK;
void journal_close(struct journal *journal);
/* All bytes there are, malloc'ed; none when there is no file. */
bool journal_read(const struct journal *journal, char **bytes, size_t *size, struct err *err)
    MUST_CHECK;
/* All or nothing. */
bool journal_append(struct journal *journal, const struct text *records, struct err *err)
    MUST_CHECK;
bool journal_sync(int fd, struct err *err) MUST_CHECK;
/* Durable when it returns true; the old content is there until the new one is. */
bool journal_rewrite(struct journal *journal, const struct text *records, struct err *err)
    MUST_CHECK;
/* Most of it is about what is past. */
bool journal_overgrown(const struct journal *journal);

#endif
