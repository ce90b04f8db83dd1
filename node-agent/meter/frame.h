/* Records in a file, each able to prove that it is whole:
 *
 *     length (4) | CRC-32 of what follows (4) | kind (1) | payload (length - 1)
 *
 * Numbers are little-endian. A file is read up to the first record that is cut off or damaged.
 * Threads: any; nothing is shared. */
#ifndef NODE_AGENT_METER_FRAME_H
#define NODE_AGENT_METER_FRAME_H

#include "base/text.h"

#include <stdint.h>

enum { FRAME_HEADER = 8, FRAME_MAX = 512 };

/* A payload being built; too large a payload is our mistake. */
struct packer {
    unsigned char bytes[FRAME_MAX];
    size_t size;
};
void pack_number(struct packer *packer, int64_t value);
void pack_text(struct packer *packer, const char *text); /* up to 255 bytes */
/* Appends the finished record. */
void frame_add(struct text *out, int kind, const struct packer *packer);

struct unpacker {
    const unsigned char *at;
    size_t left;
    bool failed;
};
int64_t unpack_number(struct unpacker *unpacker);
void unpack_text(struct unpacker *unpacker, char *out, size_t size);

/* Calls for each record until one is not whole or is refused; the size of what was taken. */
typedef bool frame_fn(int kind, struct unpacker *payload, void *context);
size_t frames_read(const char *bytes, size_t size, frame_fn *each, void *context);

#endif
