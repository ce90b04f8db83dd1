/* What the tests of single layers share: an archive made on the spot (made.h), unpacked by berth-unpack as on a node into
 * "root" of a folder that each test has anew. What tries to get out of it would be seen in "outside" beside it.
 * Not for: whole images (bench.h), the process that unpacks (test_unpacker.c). Needs root.
 * Threads: one.   Owner: tear_down(). */
#ifndef TESTS_UNIT_IMAGE_UNPACKING_H
#define TESTS_UNIT_IMAGE_UNPACKING_H

#include "node-agent/image/unpack.h"
#include "tests/unit/image/made.h"
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct unpacking {
    char folder[64];
    struct made made;         /* the layer; dropped by the test that makes a second one */
    struct unpacked unpacked; /* what it held */
    struct err err;           /* why it could not be unpacked */
};
extern struct unpacking unpacking;

int set_up(void **state);
int set_up_apart(void **state);
int tear_down(void **state);
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
/* The layer below comes only afterwards. */
#define APART(test)                                                  \
    {                                                                \
#test " (side by side)", test, set_up_apart, tear_down, NULL \
    }

/* Puts an entry of mode 0644 that is root's into the layer. */
void add(char type, const char *name, const char *link, const char *content);

/* The layer as it is, into one folder and over another (NULL: over nothing). */
bool unpack_over(const char *root_name, const char *lower_name, int64_t bytes_max,
                 int64_t files_max);
/* The layer with its end, into "root". */
void must_unpack(void);
void must_refuse(const char *words); /* and says these, which name the entry or the reason */

/* Names are those in the folder. */
const char *path_of(const char *name); /* good until the next call */
int open_dir(const char *name);        /* the caller's to close */
struct stat look(const char *name);    /* at what must be there; follows no link */
bool there(const char *name);
void must_hold(const char *name, const char *content);

#endif
