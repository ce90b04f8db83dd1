/* What a function writes to standard output or error, as text. Not for: more than one at a time. */
#ifndef TESTS_UNIT_UNIT_CAPTURE_H
#define TESTS_UNIT_UNIT_CAPTURE_H

#include "base/auto.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

struct capture {
    int fd, kept, file;
};

static inline struct capture capture_begin(int fd)
{
    fflush(stdout);
    struct capture capture = {
        .fd = fd, .kept = dup(fd), .file = memfd_create("captured", MFD_CLOEXEC)};
    dup2(capture.file, fd);
    return capture;
}

/* Ends it; the text is in `out`, cut when it does not fit. */
static inline void capture_end(struct capture *capture, char *out, size_t size)
{
    fflush(stdout);
    dup2(capture->kept, capture->fd);
    ssize_t got = pread(capture->file, out, size - 1, 0);
    out[got > 0 ? got : 0] = '\0';
    close(capture->kept);
    close(capture->file);
}

#endif
