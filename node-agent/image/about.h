/* The small documents of the store: what each kind says, and printing and reading it.
 * Threads: any; pure.   Owner: what is read lives in the arena. */
#ifndef IMAGE_ABOUT_H
#define IMAGE_ABOUT_H

#include "base/fields.h"

struct layer_about {
    int64_t bytes, files;
    const char *looks; /* sum.h, hexadecimal; NULL: written before layers had one */
    const char *boot;  /* the boot of the machine that wrote the layer */
};

struct reference_about {
    const char *reference, *digest;
    bool open_to_all, unlisted;
    struct text_list grants;
};

extern const struct schema layer_about_schema, reference_about_schema;

#endif
