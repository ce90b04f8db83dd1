/* What is served as it is: the contract as a document, and the page that shows it (portal/).
 * Read once, when the server is made; never changed afterwards.
 * Not for: answers that are made (reply.c).
 * Threads: any may find.   Owner: assets_free(); what is found lives as long. */
#ifndef API_ASSETS_H
#define API_ASSETS_H

#include "base/err.h"

struct asset {
    const char *name; /* "openapi.json", "index.html", … */
    const char *type; /* of the content */
    const char *bytes;
    size_t size;
    char etag[72];
};

struct assets;

/* `docs_dir`: the folder that portal/make made; NULL: the contract alone. Files of other kinds than a page has
 * are passed over. ERR_NOT_FOUND, ERR_TOO_LARGE, … name the file. */
struct assets *assets_new(const char *docs_dir, struct err *err) MUST_CHECK;
void assets_free(struct assets *assets);
AUTO_TYPE(assets);

const struct asset *assets_find(const struct assets *assets, const char *name);

#endif
