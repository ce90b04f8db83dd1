/* unpack_layer() in a process of its own, berth-unpack: what strangers packed is read there, where nothing but this
 * layer's folder can be reached (unpack_confine.h), and its libraries are not in the agent.
 * Not for: how it is unpacked (unpack.h).
 * Threads: any; blocks. The process ends with the calling thread, so with the agent however that ends. */
#ifndef IMAGE_UNPACKER_H
#define IMAGE_UNPACKER_H

#include "node-agent/image/unpack.h"

bool unpacker_run(const char *program, const struct unpack *unpack, struct unpacked *out,
                  struct err *err) MUST_CHECK;

#endif
