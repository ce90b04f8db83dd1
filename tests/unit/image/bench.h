/* What tests of real images stand on: a folder of their own, and Debian's docker-registry on a free
 * loopback port holding images that tools/make-image made on the spot. Anything that fails here fails
 * the test.
 * Threads: one.   Owner: bench_done() ends the registry (by its id) and removes the folder. */
#ifndef TESTS_UNIT_IMAGE_BENCH_H
#define TESTS_UNIT_IMAGE_BENCH_H

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

#endif
