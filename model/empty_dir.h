/* What an emptyDir says of itself. The contract gives it no members ({}); Berth reads two that Kubernetes has:
 *
 *     {"medium": "Memory", "sizeLimit": "500Mi"}
 *
 * Others are ignored, as unknown members are everywhere.   Threads: any; pure. */
#ifndef MODEL_EMPTY_DIR_H
#define MODEL_EMPTY_DIR_H

#include "model/container_group.h"

struct empty_dir {
    bool in_memory;
    int64_t size_bytes; /* 0: not said */
};

/* NULL, or what is wrong with it as the end of a sentence. */
const char *empty_dir_parse(const struct raw_json *raw, struct empty_dir *out) MUST_CHECK;

/* Bytes as Kubernetes writes them: "500Mi", "1.5G", "1048576", "1e9". False when it is no such quantity, or no whole
 * number of bytes that fits. */
bool quantity_bytes(const char *text, int64_t *bytes) MUST_CHECK;

#endif
