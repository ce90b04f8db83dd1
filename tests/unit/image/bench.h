/* What tests of real images stand on: a folder of their own, and Debian's docker-registry on a free
 * loopback port holding images that tools/make-image made on the spot. Anything that fails here fails
 * the test.
 * Threads: one.   Owner: bench_done() ends the registry (by its id) and removes the folder. */
#ifndef TESTS_UNIT_IMAGE_BENCH_H
#define TESTS_UNIT_IMAGE_BENCH_H

#include "node-agent/image/image.h"

#include <stdbool.h>
#include <sys/types.h>

struct bench {
    char folder[64];
    char host[32]; /* "127.0.0.1:34567" */
    pid_t registry;
};

/* With a password every call must carry "tester" and that password. NULL: anyone may. */
void bench_init(struct bench *bench, const char *password);
void bench_done(struct bench *bench);
void bench_stop_registry(struct bench *bench);
void bench_start_registry(struct bench *bench, const char *password);

/* Makes an image by `options` (words of make-image, separated by spaces) and pushes it as `name`. */
void bench_push(struct bench *bench, const char *name, const char *options, bool docker_format);
/* Runs a shell command line in the folder; what it prints (one line) goes to out. */
void bench_shell(struct bench *bench, const char *line, char *out, int out_size);

/* A program in the folder that runs these lines of shell; $skopeo is the real one. Its calls can be counted when the
 * lines write to "calls". Valid until the next call. */
const char *bench_program(struct bench *bench, const char *lines);

/* `options` NULL: the usual. The registry of the bench is spoken to without TLS. */
struct image_store *bench_open(struct bench *bench, const char *name,
                               const struct image_store_options *options);
/* Must succeed; `name` is below the registry of the bench. */
struct image *bench_pull(struct bench *bench, struct image_store *store, const char *name,
                         const char *holder);
/* May fail. */
struct image *bench_try(struct bench *bench, struct image_store *store, const char *name,
                        struct image_request request, struct err *err);
/* The path of a name in the folder; one of eight buffers in turn. */
const char *bench_path(struct bench *bench, const char *name);

#endif
