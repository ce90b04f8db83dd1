/* What the parts of options.h share. Not for: anybody else. */
#ifndef BASE_OPTIONS_INNER_H
#define BASE_OPTIONS_INNER_H

#include "base/fields_inner.h"
#include "base/options.h"

/* One line of the table: its value as JSON, and who gave it. */
struct setting {
    const char *json;   /* NULL: nobody gave one */
    const char *origin; /* "/etc/berth.json", "BERTH_LISTEN_PORT", "--listen-port" */
};

struct loading {
    const struct options *options;
    struct arena *arena;
    struct setting *settings; /* one for each field of the schema */
    const char *config_path;
    enum { ASK_RUN, ASK_HELP, ASK_VERSION, ASK_CONFIG } ask;
};

/* Each later one overrides what the earlier one set. */
bool options_read_file(struct loading *loading, struct err *err);
bool options_read_environment(struct loading *loading, struct err *err);
bool options_read_flags(struct loading *loading, int argc, char **argv, struct err *err);

void options_print_help(const struct options *options);
void options_print_config(const struct loading *loading, const void *value);

enum { OPTION_NAME_SIZE = 80 };
/* listen_port as LISTEN_PORT behind `prefix`, and as --listen-port. */
void option_variable(const char *prefix, const char *name, char out[OPTION_NAME_SIZE]);
void option_flag(const char *name, char out[OPTION_NAME_SIZE]);
/* Objects come from the file only. */
bool option_is_plain(const struct field *field);

#endif
