/* /metadata/endpoints: what a client must know of a cloud before it can sign in to it. Its form
 * changed with the api-versions; each client asks for the one that it reads. Services that Berth does
 * not have (storage, vaults, a graph) are named all the same, because clients refuse a cloud without
 * them. */
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "api/router.h"

#include <string.h>

/* From this one on a list of clouds with all their services, before that one object with three. */
static const char list_since[] = "2019-05-01";
/* From this one on one object again, as Terraform reads it. */
static const char object_since[] = "2022-09-01";

static void add_text(struct text *out, const char *name, const char *value, const char *tail)
{
    char whole[512];

    (void)text_format(whole, sizeof whole, "%s%s", value, tail);
    text_addf(out, "\"%s\":", name);
    text_add_json(out, whole);
}

static void add_oldest(struct text *out, const char *base)
{
    text_add(out, "{");
    add_text(out, "galleryEndpoint", base, "/");
    text_add(out, ",");
    add_text(out, "graphEndpoint", base, "/");
    text_add(out, ",");
    add_text(out, "portalEndpoint", base, "/");
    text_add(out, ",\"authentication\":{");
    add_text(out, "loginEndpoint", base, "/adfs");
    text_add(out, ",\"audiences\":[");
    text_add_json(out, base);
    text_add(out, "]}}");
}

/* Where each service of a cloud would be. */
static const struct {
    const char *name, *tail;
} services[] = {
    {"resourceManager", "/"},
    {"portal", "/"},
    {"graph", "/"},
    {"graphAudience", "/"},
    {"gallery", "/"},
    {"batch", "/"},
    {"microsoftGraphResourceId", "/"},
    {"sqlManagement", "/"},
    {"media", "/"},
    {"activeDirectoryDataLake", "/"},
    {"vmImageAliasDoc", "/"},
};

static const char *const suffixes =
    "\"suffixes\":{\"storage\":\"storage.berth.invalid\",\"keyVaultDns\":\"vault.berth.invalid\","
    "\"acrLoginServer\":\"registry.berth.invalid\",\"sqlServerHostname\":\"sql.berth.invalid\","
    "\"azureDataLakeStoreFileSystem\":\"datalake.berth.invalid\","
    "\"azureDataLakeAnalyticsCatalogAndJob\":\"analytics.berth.invalid\"}";

/* The Azure CLI reads the list and needs an authority of the path /adfs, Terraform reads the object and
 * puts the tenant behind the endpoint itself. */
static void add_cloud(struct text *out, const char *base, const char *login)
{
    text_add(out, "{\"name\":\"Berth\",\"authentication\":{");
    add_text(out, "loginEndpoint", base, login);
    text_add(out, ",\"audiences\":[");
    text_add_json(out, base);
    text_add(out, "],\"tenant\":\"common\",\"identityProvider\":\"AAD\"}");
    for (size_t i = 0; i < COUNT_OF(services); i++) {
        text_add(out, ",");
        add_text(out, services[i].name, base, services[i].tail);
    }
    text_addf(out, ",%s}", suffixes);
}

bool cloud_show(struct request *request, struct err *err)
{
    const char *version = request_query(request, "api-version"), *base = request_base(request);
    struct text *out = request->out;

    if (!request->api->auth)
        return err_set(err, ERR_NOT_IMPLEMENTED, "nobody can sign in to this server");
    if (strcmp(version, list_since) < 0) {
        add_oldest(out, base);
    } else if (strcmp(version, object_since) < 0) {
        text_add(out, "[");
        add_cloud(out, base, "/adfs");
        text_add(out, "]");
    } else {
        add_cloud(out, base, "/");
    }
    return reply_json(request, 200);
}
