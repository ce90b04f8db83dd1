/* The head of a request, taken apart where it stands.
 * Threads: any.   Owner: pointers lead into the head. */
#ifndef METADATA_REQUEST_H
#define METADATA_REQUEST_H

#include "base/auto.h"

enum { REQUEST_ARGUMENTS_MAX = 16, REQUEST_HEADERS_MAX = 64 };

struct request_pair {
    const char *name, *value;
};

struct request {
    const char *method, *path;
    struct request_pair arguments[REQUEST_ARGUMENTS_MAX], headers[REQUEST_HEADERS_MAX];
    size_t arguments_count, headers_count;
};

/* Where the head ends, its empty line included; 0: not yet. */
size_t request_head_size(const char *bytes, size_t size);
/* `head` is text up to its empty line and is changed. False: no request of HTTP/1 looks like that. */
bool request_read(char *head, struct request *out) MUST_CHECK;

/* The first of that name; NULL: there is none. */
const char *request_argument(const struct request *request, const char *name);
const char *request_header(const struct request *request, const char *name);

#endif
