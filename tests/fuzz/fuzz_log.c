/* A container's output comes back through its log: whatever is in the file, the answer is UTF-8
 * within the ceiling. The first two bytes choose the query, the rest is the file. */
#include "base/err.h"
#include "node-agent/runtime/runtime.h"

#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const struct text *out, size_t bytes_max)
{
    CHECK(out->size <= bytes_max);
    CHECK(out->size == 0 || out->bytes[out->size - 1] == '\n');
    for (size_t at = 0, step; at < out->size; at += step) {
        step = text_utf8_size(out->bytes + at, out->size - at);
        CHECK(step > 0 && out->bytes[at] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    struct err err;
    if (size < 2)
        return 0;
    AUTO_CLOSE int fd = memfd_create("log", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, bytes + 2, size - 2) == (ssize_t)(size - 2));
    text_format(path, sizeof path, "/proc/self/fd/%d", fd);
    struct runtime_log_query query = {
        .tail = (bytes[0] & 15) - 1,
        .timestamps = bytes[0] & 16,
        .bytes_max = bytes[1] ? bytes[1] : 1000000,
    };
    AUTO(text) *out = text_new(2000000);
    CHECK(runtime_log_read(path, &query, out, &err));
    check(out, (size_t)query.bytes_max);
    return 0;
}
