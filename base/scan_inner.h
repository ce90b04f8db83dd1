/* What the parts of scan.h share. Not for: anybody else. */
#ifndef BASE_SCAN_INNER_H
#define BASE_SCAN_INNER_H

#include "base/scan.h"

/* Containers are followed by what is in them, then by SCAN_NOTHING; in objects each value follows
 * its name, a string. SCAN_NOTHING also ends the tape. */
struct scan_token {
    const char *bytes;   /* strings, numbers: in the text or the tape; SCAN_LINK: the next token */
    uint32_t size;       /* SCAN_BOOL: 1 is true */
    uint32_t type : 4;   /* enum scan_type or SCAN_LINK */
    uint32_t place : 28; /* in the text, behind the token */
};

enum { SCAN_LINK = SCAN_NOTHING + 1 };

/* scan_init() with a ceiling of its own for the tape; tests make it small. */
void scan_init_within(struct scan *scan, const char *bytes, size_t size, struct arena *arena,
                      size_t tape_max);

/* Fills the tape of a scan whose text is set. False after a fault. */
bool scan_fill(struct scan *scan);

/* What the grammar allows but yajl does not see: the place of the first byte that is not fit to be
 * read, with what is wrong there; `size` when there is none. */
size_t scan_find_unfit(const char *bytes, size_t size, const char **wrong);

#endif
