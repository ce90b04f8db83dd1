/* Tar archives made on the spot, byte by byte: what no well-meaning tool writes too.
 * Threads: one.   Owner: made_drop(). */
#ifndef TESTS_UNIT_IMAGE_MADE_H
#define TESTS_UNIT_IMAGE_MADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct made {
    char *bytes;
    size_t size, capacity;
};

struct made_entry {
    char type; /* '0' file, '1' hard link, '2' symlink, '3' char, '4' block, '5' folder, '6' fifo */
    const char *name; /* names that do not fit in 100 bytes go into a pax header */
    const char *link;
    const char *content;
    size_t size; /* 0: of the content as text */
    unsigned mode, uid, gid;
    unsigned major, minor;
    uint64_t modified;
    const char *xattr, *xattr_value; /* one extended attribute */
    size_t xattr_size;               /* 0: of the value as text */
};

void made_add(struct made *made, const struct made_entry *entry);
void made_end(struct made *made); /* the two empty blocks */
void made_drop(struct made *made);

/* A memory file that holds these bytes, at its start. */
int made_file(const void *bytes, size_t size);

#endif
