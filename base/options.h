/* A program's configuration by table: a file (JSON), the environment, flags; last one wins.
 *
 * Each field of the schema is settable three ways: key `listen_port` in the file, BERTH_LISTEN_PORT
 * in the environment (prefix of the program), `--listen-port 8080` on the command line. Each
 * remembers where its value came from; --print-config shows both (secrets as "***"), --help prints
 * the table with defaults.
 * Threads: start-up only; a reload makes a new value. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "base/fields.h"

struct options {
    const char *program; /* "berthd" */
    const char *summary; /* one sentence for --help */
    const char *usage;   /* examples for --help */
    const char *prefix;  /* "BERTH_" */
    const struct schema *schema;
};

enum options_outcome { OPTIONS_RUN, OPTIONS_EXIT, OPTIONS_WRONG };

/* Reads --config FILE (or <prefix>CONFIG) first, then the environment, then flags, into `out`.
 * OPTIONS_EXIT: --help, --version or --print-config was printed. OPTIONS_WRONG: err names file and
 * key. */
enum options_outcome options_load(const struct options *options, int argc, char **argv,
                                  struct arena *arena, void *out, struct err *err) MUST_CHECK;

#endif
