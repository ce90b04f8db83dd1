/* A layer of an image, from its compressed form in a file to a folder, in one pass: hashed as
 * fetched and as unpacked, every entry placed by tree.h, ceilings watched all along.
 * Not for: knowing where layers live (store.h). The agent has it done by a program of its own (unpacker.h).
 * Threads: any; one call works on one folder.   Owner: descriptors stay the caller's. */
#ifndef IMAGE_UNPACK_H
#define IMAGE_UNPACK_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct tree_debts;

struct unpack {
    int blob;          /* tar, plain or compressed by gzip or zstd; read to its end */
    int root;          /* an empty folder */
    const int *lowers; /* folders of the layers below, nearest first */
    size_t lowers_count;
    struct tree_debts
        *debts;          /* NULL: lowers are all; else what is owed to those that are not there */
    const char *digest;  /* what the blob must be; NULL: anything */
    const char *diff_id; /* what it must be when decompressed; NULL: anything */
    int64_t bytes_max, files_max;
    int cancel_fd; /* readable: stop with ERR_CLOSED; -1: never */
};

struct unpacked {
    int64_t bytes, files; /* bytes as a disk with blocks of 4 KiB holds them */
};

/* What unpack_layer() needs of the machine beside its descriptors, so that it can be called where no file can be
 * opened any more. */
bool unpack_prepare(struct err *err) MUST_CHECK;

/* When it fails the folder holds whatever was made so far, all of it beneath `root`. */
bool unpack_layer(const struct unpack *unpack, struct unpacked *out, struct err *err) MUST_CHECK;

#endif
