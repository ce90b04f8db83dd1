/* Signing in, as clients of the public cloud do it: OpenID configuration, keys, and tokens for client
 * credentials. Two spellings of the tenant are served: its id, and "adfs", which the Azure CLI needs.
 * Refusals have OAuth's form with the numbers that those clients know. */
#include "api/handlers/handlers.h"
#include "api/inside.h"

#include <string.h>

enum { ISSUER_SIZE = 512, AUDIENCE_MAX = 256, WORDS_SIZE = 640 };

/* ---- refusing ---- */

enum refusal {
    WRONG_TENANT,
    PARAMETER_MISSING,
    GRANT_UNSUPPORTED,
    SCOPE_WRONG,
    SECRET_MISSING,
    CLIENT_UNKNOWN,
    SECRET_WRONG,
    TOO_MANY_TRIES,
};

static const struct {
    int status, number;
    const char *error;
} refusals[] = {
    [WRONG_TENANT] = {400, 90002, "invalid_request"},
    [PARAMETER_MISSING] = {400, 900144, "invalid_request"},
    [GRANT_UNSUPPORTED] = {400, 70003, "unsupported_grant_type"},
    [SCOPE_WRONG] = {400, 1002012, "invalid_scope"},
    [SECRET_MISSING] = {401, 7000216, "invalid_client"},
    [CLIENT_UNKNOWN] = {400, 700016, "unauthorized_client"},
    [SECRET_WRONG] = {401, 7000215, "invalid_client"},
    [TOO_MANY_TRIES] = {429, 90055, "temporarily_unavailable"},
};

PRINTF_LIKE(3, 4)
static bool refuse(struct request *request, enum refusal refusal, const char *format, ...)
{
    struct text *out = request->out;
    char words[WORDS_SIZE], said[WORDS_SIZE + 32], now[CLOCK_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)text_format_v(words, sizeof words, format, arguments);
    va_end(arguments);
    (void)text_format(said, sizeof said, "AADSTS%d: %s", refusals[refusal].number, words);
    clock_text(clock_now_ms(), now);
    text_clear(out);
    text_addf(out, "{\"error\":\"%s\",\"error_description\":", refusals[refusal].error);
    text_add_json(out, said);
    text_addf(out, ",\"error_codes\":[%d],\"timestamp\":\"%s\",\"trace_id\":\"%s\"",
              refusals[refusal].number, now, request->id);
    text_addf(out, ",\"correlation_id\":\"%s\"}", request->correlation_id);
    request->reply.is_secret = true;
    return reply_json(request, refusals[refusal].status);
}

/* ---- whose endpoints ---- */

static const char *tenant_of(const struct request *request)
{
    return auth_tenant(request->api->auth);
}

static bool is_adfs(const struct request *request)
{
    return text_equal_nocase(request->names[0], "adfs");
}

/* True when the path's tenant is this one; else the reply is the refusal. */
static bool tenant_fits(struct request *request)
{
    if (is_adfs(request) || text_equal_nocase(request->names[0], tenant_of(request)))
        return true;
    return !refuse(request, WRONG_TENANT,
                   "Tenant '%.100s' not found. Check to make sure you have the correct tenant ID "
                   "and are signing into the correct cloud.",
                   request->names[0]);
}

static bool no_sign_in(struct err *err)
{
    return err_set(err, ERR_NOT_IMPLEMENTED, "nobody can sign in to this server");
}

const char *sign_in_issuer(const struct request *request)
{
    return arena_format(request->arena, "%s/%s", request_base(request), tenant_of(request));
}

/* ---- discovery ---- */

static const char *const discovery_rest =
    "\"token_endpoint_auth_methods_supported\":[\"client_secret_post\"],"
    "\"grant_types_supported\":[\"client_credentials\"],"
    "\"response_types_supported\":[\"token\"],"
    "\"response_modes_supported\":[\"form_post\"],"
    "\"subject_types_supported\":[\"public\"],"
    "\"id_token_signing_alg_values_supported\":[\"RS256\"],"
    "\"scopes_supported\":[\"openid\"],"
    "\"claims_supported\":[\"aud\",\"iss\",\"iat\",\"nbf\",\"exp\",\"appid\",\"oid\",\"sub\","
    "\"tid\",\"ver\"]}";

static bool discovery(struct request *request, const char *version, struct err *err)
{
    struct text *out = request->out;

    if (!request->api->auth)
        return no_sign_in(err);
    if (!tenant_fits(request))
        return true;
    const char *tenant = is_adfs(request) ? "adfs" : tenant_of(request);
    const char *base = arena_format(request->arena, "%s/%s", request_base(request), tenant);
    const char *issuer = sign_in_issuer(request);
    if (!base || !issuer)
        return request_full(err);
    text_add(out, "{\"issuer\":");
    text_add_json(out, issuer);
    text_addf(out, ",\"authorization_endpoint\":\"%s/oauth2/%sauthorize\"", base, version);
    text_addf(out, ",\"token_endpoint\":\"%s/oauth2/%stoken\"", base, version);
    text_addf(out, ",\"jwks_uri\":\"%s/discovery/%skeys\",%s", base, version, discovery_rest);
    return reply_json(request, 200);
}

bool openid_show(struct request *request, struct err *err)
{
    return discovery(request, "", err);
}

bool openid_v2_show(struct request *request, struct err *err)
{
    return discovery(request, "v2.0/", err);
}

bool token_keys_show(struct request *request, struct err *err)
{
    if (!request->api->auth)
        return no_sign_in(err);
    if (!tenant_fits(request))
        return true;
    auth_print_keys(request->api->auth, request->out);
    return reply_json(request, 200);
}

/* ---- tokens ---- */

/* "https://host/.default" is for https://host, and so is "https://host//.default", for https://host/:
 * a slash at the end makes no other audience. */
static const char *audience_of_scope(const char *scope, struct arena *arena)
{
    static const char suffix[] = "/.default";
    size_t size = strlen(scope), suffix_size = sizeof suffix - 1;

    if (size <= suffix_size || strcmp(scope + size - suffix_size, suffix) != 0)
        return NULL;
    return arena_text_n(arena, scope, size - suffix_size);
}

static bool is_audience(const char *text)
{
    size_t size = strnlen(text, AUDIENCE_MAX + 1);

    return size > 0 && size <= AUDIENCE_MAX && !strpbrk(text, " \t\"\\<>");
}

/* Version 2 asks by scope, the older ones by resource; each takes the other's too. NULL: the reply is
 * the refusal. */
static const char *audience_take(struct request *request, const struct form *form)
{
    const char *scope = form_value(form, "scope"), *resource = form_value(form, "resource");
    const char *audience = resource;

    if (scope && scope[0])
        audience = audience_of_scope(scope, request->arena);
    else if (!resource) {
        (void)refuse(request, PARAMETER_MISSING,
                     "The request body must contain the following parameter: 'scope'.");
        return NULL;
    }
    if (audience && is_audience(audience))
        return audience;
    (void)refuse(request, SCOPE_WRONG,
                 "The provided value for scope %.200s is not valid. Client credential flows must "
                 "have a scope value with /.default suffixed to the resource identifier.",
                 scope ? scope : resource);
    return NULL;
}

static bool grant_fits(struct request *request, const struct form *form)
{
    const char *grant = form_value(form, "grant_type");

    if (grant && strcmp(grant, "client_credentials") == 0)
        return true;
    if (!grant)
        return !refuse(request, PARAMETER_MISSING,
                       "The request body must contain the following parameter: 'grant_type'.");
    return !refuse(request, GRANT_UNSUPPORTED,
                   "The app requested an unsupported grant type '%.60s'.", grant);
}

static bool client_given(struct request *request, const struct form *form)
{
    if (!form_value(form, "client_id"))
        return !refuse(request, PARAMETER_MISSING,
                       "The request body must contain the following parameter: 'client_id'.");
    if (form_value(form, "client_secret"))
        return true;
    return !refuse(request, SECRET_MISSING,
                   "'client_secret' is required for the 'client_credentials' grant type.");
}

static bool give(struct request *request, const struct sign_in_given *given)
{
    text_addf(request->out,
              "{\"token_type\":\"Bearer\",\"expires_in\":%lld,\"ext_expires_in\":%lld,"
              "\"access_token\":\"%s\"}",
              (long long)given->expires_in_s, (long long)given->expires_in_s, given->token);
    request->reply.is_secret = true;
    return reply_json(request, 200);
}

static bool answer(struct request *request, enum sign_in_outcome outcome, const char *client_id,
                   const struct sign_in_given *given)
{
    switch (outcome) {
    case SIGN_IN_DONE:
        return give(request, given);
    case SIGN_IN_CLIENT_UNKNOWN:
        return refuse(request, CLIENT_UNKNOWN,
                      "Application with identifier '%.100s' was not found in the directory '%s'. "
                      "You may have sent your authentication request to the wrong tenant.",
                      client_id, tenant_of(request));
    case SIGN_IN_SECRET_WRONG:
        return refuse(request, SECRET_WRONG,
                      "Invalid client secret provided. Ensure the secret being sent in the request "
                      "is the client secret value, not the client secret ID, for a secret added to "
                      "app '%.100s'.",
                      client_id);
    case SIGN_IN_TOO_MANY:
        reply_header(request, "Retry-After", "%lld", (long long)given->wait_s);
        return refuse(request, TOO_MANY_TRIES,
                      "Too many wrong secrets for app '%.100s' from this address. Try again in "
                      "%lld seconds.",
                      client_id, (long long)given->wait_s);
    case SIGN_IN_FAILED:
        break;
    }
    return false;
}

bool token_give(struct request *request, struct err *err)
{
    struct form form;
    struct sign_in_given given = {0};

    if (!request->api->auth)
        return no_sign_in(err);
    if (!request_form(request, &form, err))
        return false;
    if (!tenant_fits(request) || !grant_fits(request, &form) || !client_given(request, &form))
        return true;
    struct sign_in asked = {
        .issuer = sign_in_issuer(request),
        .client_id = form_value(&form, "client_id"),
        .client_secret = form_value(&form, "client_secret"),
        .audience = audience_take(request, &form),
        .from = request_peer(request),
    };
    if (!asked.audience)
        return true;
    if (!asked.issuer)
        return request_full(err);
    return answer(request, auth_sign_in(request->api->auth, &asked, request->arena, &given, err),
                  asked.client_id, &given);
}
