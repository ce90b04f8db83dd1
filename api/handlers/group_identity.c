/* Managed identities of groups (aci/features.md §17): who they are, and tokens for their containers, which their node
 * asks for. */
#include "api/handlers/group.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "base/clock.h"

#include <string.h>

/* ---- ids, as groups show them ---- */

static const char *group_resource_id(struct request *request, const char *subscription,
                                     const char *resource_group, const char *name)
{
    return arena_format(request->arena,
                        "/subscriptions/%s/resourceGroups/%s/providers/" RESOURCE_TYPE_GROUP "/%s",
                        subscription, resource_group, name);
}

static bool has_system(const struct identity *identity)
{
    return identity && (identity->type == IDENTITY_SYSTEM || identity->type == IDENTITY_BOTH);
}

/* {"<resource id>":{"principalId":…,"clientId":…}, …} */
static bool users_fill(struct request *request, struct identity *identity, struct err *err)
{
    struct text_list names;
    struct identity_ids ids;

    if (!identity->user_assigned.text)
        return true;
    if (!fields_raw_names(&identity->user_assigned, request->arena, &names))
        return request_full(err);
    text_clear(request->out);
    for (size_t i = 0; i < names.count; i++) {
        auth_identity(request->api->auth, names.items[i], &ids);
        text_add(request->out, i == 0 ? "{" : ",");
        text_add_json(request->out, names.items[i]);
        text_addf(request->out, ":{\"principalId\":\"%s\",\"clientId\":\"%s\"}", ids.principal,
                  ids.client);
    }
    text_add(request->out, names.count == 0 ? "{}" : "}");
    identity->user_assigned.text =
        text_ok(request->out)
            ? arena_text_n(request->arena, request->out->bytes, request->out->size)
            : NULL;
    text_clear(request->out);
    return identity->user_assigned.text || request_full(err);
}

bool group_identity_fill(struct request *request, struct container_group *group, struct err *err)
{
    struct identity *identity = group->identity;
    struct identity_ids ids;

    if (!identity || !request->api->auth)
        return true;
    if (has_system(identity)) {
        const char *id =
            group_resource_id(request, request->names[0], request->names[1], request->names[2]);
        if (!id)
            return request_full(err);
        auth_identity(request->api->auth, id, &ids);
        identity->principal_id = arena_text(request->arena, ids.principal);
        identity->tenant_id = auth_tenant(request->api->auth);
        if (!identity->principal_id)
            return request_full(err);
    }
    return users_fill(request, identity, err);
}

/* ---- tokens, for a node ---- */

/* The identity that was asked for by one of its ids, or the only one there can be meant: its resource id. */
static const char *identity_choose(struct request *request, const struct token_ask *asked,
                                   const struct identity *identity, const char *group_id,
                                   struct err *err)
{
    struct text_list names = {0};
    struct identity_ids ids;
    const char *wanted = asked->client_id ? asked->client_id : asked->principal_id;

    if (identity->user_assigned.text &&
        !fields_raw_names(&identity->user_assigned, request->arena, &names)) {
        request_full(err);
        return NULL;
    }
    if (!wanted && !asked->resource_id && has_system(identity))
        return group_id;
    if (!wanted && !asked->resource_id && names.count == 1)
        return names.items[0];
    for (size_t i = 0; i < names.count + has_system(identity); i++) {
        const char *id = i < names.count ? names.items[i] : group_id;
        auth_identity(request->api->auth, id, &ids);
        if (asked->resource_id ? text_equal_nocase(asked->resource_id, id)
            : wanted
                ? text_equal_nocase(wanted, ids.client) || text_equal_nocase(wanted, ids.principal)
                : false)
            return id;
    }
    err_set(err, ERR_IDENTITY,
            wanted || asked->resource_id
                ? "Identity not found: the container group has no identity of that id."
                : "Multiple user assigned identities exist, please specify the clientId or the "
                  "resourceId of the identity in the token request.");
    return NULL;
}

static bool token_print(struct request *request, const struct token_ask *asked,
                        const char *resource_id, struct err *err)
{
    struct identity_asked identity = {
        .issuer = sign_in_issuer(request), .audience = asked->resource, .resource_id = resource_id};
    struct identity_ids ids;
    int64_t until_s = 0;
    const char *token = identity.issuer ? auth_identity_token(request->api->auth, &identity,
                                                              request->arena, &until_s, err)
                                        : NULL;

    if (!token)
        return identity.issuer ? false : request_full(err);
    auth_identity(request->api->auth, resource_id, &ids);
    text_addf(request->out,
              "{\"access_token\":\"%s\",\"client_id\":\"%s\",\"expires_in\":\"%lld\","
              "\"expires_on\":\"%lld\",\"ext_expires_in\":\"%lld\",\"not_before\":\"%lld\","
              "\"resource\":",
              token, ids.client, (long long)LIMIT_TOKEN_LIFE_S - 1, (long long)until_s,
              (long long)LIMIT_TOKEN_LIFE_S - 1, (long long)(until_s - LIMIT_TOKEN_LIFE_S));
    text_add_json(request->out, asked->resource);
    text_add(request->out, ",\"token_type\":\"Bearer\"}");
    return reply_json(request, 200);
}

/* Only for a group that this node runs now. */
bool agent_token(struct request *request, struct err *err)
{
    struct token_ask asked = {0};
    struct container_group group = {0};
    AUTO(tx) *tx = NULL;

    if (!request_read(request, &token_ask_schema, &asked, err))
        return false;
    if (!request->api->auth)
        return err_set(err, ERR_NOT_IMPLEMENTED, "this server gives no tokens");
    if (!asked.uid || !asked.resource || !asked.resource[0])
        return err_set_field(err, ERR_INVALID, asked.uid ? "resource" : "uid",
                             "The parameter 'resource' is required.");
    tx = store_read(request->api->store, err);
    struct group_row *row =
        tx ? store_group_hosted(tx, asked.uid, request->node_key, request->arena, err) : NULL;
    if (!row || !group_spec_read(request, row, &group, err))
        return false;
    if (!group.identity || group.identity->type == IDENTITY_NONE || group.identity->type < 0)
        return err_set(err, ERR_IDENTITY, "Identity not found: the container group has none.");
    const char *id = group_resource_id(request, row->subscription, row->resource_group, row->name);
    const char *chosen = id ? identity_choose(request, &asked, group.identity, id, err) : NULL;
    if (!chosen)
        return id ? false : request_full(err);
    return token_print(request, &asked, chosen, err);
}
