/* The contract as a document, and the page that shows it. */
#include "api/assets.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"

#include <string.h>

/* Only what this server gave, and the styles that the viewer sets on its elements. */
static const char page_policy[] = "default-src 'self'; img-src 'self' data:; style-src 'self' "
                                  "'unsafe-inline'; frame-ancestors 'none'";

static bool give(struct request *request, const struct asset *asset)
{
    const char *known = request_header(request, "If-None-Match");

    reply_header(request, "ETag", "%s", asset->etag);
    reply_header(request, "Content-Security-Policy", "%s", page_policy);
    if (known && strcmp(known, asset->etag) == 0)
        return reply_empty(request, 304);
    return reply_kept(request, 200, asset->type, asset->bytes, asset->size);
}

bool contract_show(struct request *request, struct err *err UNUSED)
{
    return give(request, assets_find(request->api->assets, "openapi.json"));
}

bool docs_show(struct request *request, struct err *err)
{
    const struct assets *assets = request->api->assets;
    const char *name = request->names_count > 0 ? request->names[0] : "index.html";
    const struct asset *asset = assets_find(assets, name);

    if (asset)
        return give(request, asset);
    if (!assets_find(assets, "index.html"))
        return err_set(
            err, ERR_NOT_FOUND,
            "This server has no page for the contract: portal/make FOLDER makes one, the setting "
            "docs_dir names it. The contract itself is at /openapi.json.");
    return err_set(err, ERR_NOT_FOUND, "the page has no file '%.100s'", name);
}
