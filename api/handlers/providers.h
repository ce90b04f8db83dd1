/* The resource providers that are served, as data.   Threads: any; constant. */
#ifndef API_HANDLERS_PROVIDERS_H
#define API_HANDLERS_PROVIDERS_H

#include "base/err.h"

#include <stddef.h>

struct provider_type {
    const char *name;
    const char *const *versions; /* newest first, NULL-terminated */
    bool has_locations;
    const char *capabilities;
};
struct provider {
    const char *namespace, *policy;
    const struct provider_type *types;
    size_t types_count;
};

extern const struct provider providers[];
extern const size_t providers_count;

/* NULL: it is not served. Names match without case. */
const struct provider *provider_find(const char *namespace);

#endif
