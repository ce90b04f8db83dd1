/* What berth-unpack says on its standard output: what came of a layer. Both sides are built together, but who
 * reads it believes nothing: the other side has read what strangers made.
 * Threads: any.   Owner: the debts become the reader's (tree_debts_done()). */
#ifndef IMAGE_UNPACK_ANSWER_H
#define IMAGE_UNPACK_ANSWER_H

#include "base/text.h"
#include "node-agent/image/tree.h"
#include "node-agent/image/unpack.h"

enum { UNPACK_ANSWER_MAX = 2048 + TREE_DEBTS_MAX * (PATH_MAX + 8) };

/* `result` ERR_OK: it was unpacked. `debts` NULL: none. */
void unpack_answer_print(const struct err *result, const struct unpacked *unpacked,
                         const struct tree_debts *debts, struct text *out);
/* False: that is no answer. Debts come only where they are asked for (NULL: not), into an empty list. */
bool unpack_answer_read(const char *bytes, size_t size, struct err *result,
                        struct unpacked *unpacked, struct tree_debts *debts) MUST_CHECK;

#endif
