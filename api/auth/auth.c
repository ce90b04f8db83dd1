/* The room as a whole: what is opened at the start, replaced by a reload, and asked by calls. */
#include "api/auth/auth.h"

#include "api/auth/cache.h"
#include "api/auth/failures.h"
#include "api/auth/issue.h"
#include "api/auth/keys.h"
#include "api/auth/names.h"
#include "api/auth/principals.h"
#include "api/auth/token.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"

#include <ctype.h>
#include <stdatomic.h>
#include <string.h>

enum {
    STATE_BYTES_MAX = 4 << 20,
    SCRATCH_BYTES_MAX = 262144,
    TENANT_FILE_MAX = 256,
    RENEWAL_PAUSE_S = 3600
};

/* What a reload or a renewal replaces: immutable, exchanged as a whole. Old ones stay until the end,
 * because calls and handshakes may still read them; there is one for each reload and renewal. */
struct known {
    struct known *older;
    struct arena *arena;
    struct auth_options options;
    struct text_list names;
    struct principals principals;
    struct certificate certificate;
};

struct auth {
    char state_dir[AUTH_PATH_SIZE], tenant[ID_SIZE];
    bool tls;
    struct signer *signer;
    struct ca *ca; /* NULL until a certificate of its own is needed */
    struct token_cache *cache;
    struct failures *failures;
    struct lock lock; /* one replacement at a time */
    struct known *_Atomic known;
    _Atomic int64_t renewed_s; /* tried last */
};

/* ---- the tenant ---- */

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

static bool tenant_read(struct auth *auth, const char *path, struct err *err)
{
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;

    if (!file_read(path, TENANT_FILE_MAX, &bytes, &size, err))
        return false;
    bytes[strcspn(bytes, " \r\n")] = '\0';
    if (!id_valid(bytes))
        return err_set(err, ERR_INVALID, "%s holds no UUID", path);
    text_copy(auth->tenant, sizeof auth->tenant, bytes);
    lower(auth->tenant);
    return true;
}

static bool tenant_open(struct auth *auth, const char *given, struct err *err)
{
    char path[AUTH_PATH_SIZE + 16], line[ID_SIZE + 1];

    if (given) {
        if (!id_valid(given))
            return err_set_field(err, ERR_INVALID, "tenant_id", "'%.60s' is no UUID", given);
        text_copy(auth->tenant, sizeof auth->tenant, given);
        lower(auth->tenant);
        return true;
    }
    text_format(path, sizeof path, "%s/tenant-id", auth->state_dir);
    if (file_exists(path))
        return tenant_read(auth, path, err);
    id_random(auth->tenant);
    text_format(line, sizeof line, "%s\n", auth->tenant);
    return file_replace(path, line, strlen(line), 0600, true, err);
}

/* ---- what may be replaced ---- */

static const char *keep(struct known *known, const char *text, bool *ok)
{
    const char *kept = arena_text(known->arena, text);

    *ok = *ok && (kept || !text);
    return kept;
}

static bool options_copy(struct known *known, const struct auth_options *options, struct err *err)
{
    struct auth_options *copy = &known->options;
    bool ok = true;

    copy->principals_file = keep(known, options->principals_file, &ok);
    copy->listen_address = keep(known, options->listen_address, &ok);
    copy->base_url = keep(known, options->base_url, &ok);
    copy->certificate_file = keep(known, options->certificate_file, &ok);
    copy->key_file = keep(known, options->key_file, &ok);
    copy->names.items =
        arena_array(known->arena, options->names.count + 1, sizeof *copy->names.items);
    for (size_t i = 0; copy->names.items && i < options->names.count; i++)
        copy->names.items[i] = keep(known, options->names.items[i], &ok);
    copy->names.count = options->names.count;
    return (ok && copy->names.items) || err_set(err, ERR_BUSY, "out of memory for sign-in");
}

static bool principals_open(const struct auth *auth, struct known *known, struct err *err)
{
    const char *path = known->options.principals_file;
    char own[AUTH_PATH_SIZE + 20];

    if (path)
        return principals_read(path, known->arena, &known->principals, err);
    text_format(own, sizeof own, "%s/principals.json", auth->state_dir);
    if (!file_exists(own) && !principals_make(auth->state_dir, auth->tenant, err))
        return false;
    return principals_read(own, known->arena, &known->principals, err);
}

static bool certificate_open(struct auth *auth, struct known *known, struct err *err)
{
    const struct auth_options *options = &known->options;

    if (!auth->tls)
        return true;
    if (options->certificate_file && options->key_file)
        return certificate_read(options->certificate_file, options->key_file, known->arena,
                                &known->certificate, err);
    if (!auth->ca)
        auth->ca = ca_open(auth->state_dir, err);
    return auth->ca && ca_server_certificate(auth->ca, auth->state_dir, &known->names, known->arena,
                                             &known->certificate, err);
}

static void known_free(struct known *known)
{
    while (known) {
        struct known *older = known->older;
        arena_free(known->arena);
        known = older;
    }
}

static bool known_fill(struct auth *auth, struct known *known, const struct auth_options *options,
                       struct err *err)
{
    return options_copy(known, options, err) &&
           names_make(&known->options, known->arena, &known->names, err) &&
           principals_open(auth, known, err) && certificate_open(auth, known, err);
}

static struct known *known_new(struct auth *auth, const struct auth_options *options,
                               struct err *err)
{
    struct arena *arena = arena_new(STATE_BYTES_MAX);
    struct known *known = arena ? ARENA_NEW(arena, struct known) : NULL;

    if (!known) {
        arena_free(arena);
        err_set(err, ERR_BUSY, "out of memory for sign-in");
        return NULL;
    }
    known->arena = arena;
    if (known_fill(auth, known, options, err))
        return known;
    arena_free(arena);
    return NULL;
}

static const struct known *known_now(const struct auth *auth)
{
    return atomic_load(&auth->known);
}

/* ---- the room ---- */

static bool parts_open(struct auth *auth, const struct auth_options *options, struct err *err)
{
    return tenant_open(auth, options->tenant_id, err) &&
           (auth->signer = signer_open(auth->state_dir, err)) &&
           (auth->cache = token_cache_new(err)) && (auth->failures = failures_new(err));
}

struct auth *auth_open(const struct auth_options *options, struct err *err)
{
    AUTO(auth) *auth = calloc(1, sizeof *auth);

    if (!auth) {
        err_set(err, ERR_BUSY, "out of memory for sign-in");
        return NULL;
    }
    lock_init(&auth->lock, LOCK_API_AUTH);
    auth->tls = options->tls;
    text_copy(auth->state_dir, sizeof auth->state_dir, options->state_dir);
    if (!parts_open(auth, options, err))
        return NULL;
    struct known *known = known_new(auth, options, err);
    if (!known)
        return NULL;
    atomic_store(&auth->known, known);
    return TAKE(auth);
}

static bool replace(struct auth *auth, const struct auth_options *options, struct err *err)
{
    struct known *known = known_new(auth, options, err);

    if (!known)
        return false;
    known->older = atomic_load(&auth->known);
    atomic_store(&auth->known, known);
    token_cache_clear(auth->cache);
    return true;
}

bool auth_reload(struct auth *auth, const struct auth_options *options, struct err *err)
{
    WITH_LOCK(&auth->lock);
    return replace(auth, options, err);
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    known_free(atomic_load(&auth->known));
    failures_free(auth->failures);
    token_cache_free(auth->cache);
    ca_free(auth->ca);
    signer_free(auth->signer);
    lock_done(&auth->lock);
    free(auth);
}

const char *auth_tenant(const struct auth *auth)
{
    return auth->tenant;
}

void auth_print_keys(const struct auth *auth, struct text *out)
{
    signer_print_keys(auth->signer, out);
}

const struct certificate *auth_certificate(const struct auth *auth)
{
    return auth->tls ? &known_now(auth)->certificate : NULL;
}

/* One of somebody else's is theirs to renew. One that cannot last longer, because the CA itself ends,
 * is not tried again at once. */
static bool is_due(const struct auth *auth, int64_t now_s)
{
    const struct known *known = known_now(auth);
    int64_t left_s = known->certificate.not_after_s - now_s;

    return auth->tls && !known->options.certificate_file &&
           left_s <= INT64_C(86400) * LIMIT_CERTIFICATE_RENEW_DAYS &&
           now_s - atomic_load(&auth->renewed_s) >= RENEWAL_PAUSE_S;
}

bool auth_renew(struct auth *auth, struct err *err)
{
    int64_t now_s = clock_now_ms() / 1000;

    if (!is_due(auth, now_s))
        return true;
    WITH_LOCK(&auth->lock);
    atomic_store(&auth->renewed_s, now_s);
    return replace(auth, &known_now(auth)->options, err);
}

/* ---- signing in ---- */

enum sign_in_outcome auth_sign_in(struct auth *auth, const struct sign_in *asked,
                                  struct arena *arena, struct sign_in_given *given, struct err *err)
{
    const struct principal *one = principals_find(&known_now(auth)->principals, asked->client_id);
    int64_t now_ms = clock_now_ms();

    if (!one)
        return SIGN_IN_CLIENT_UNKNOWN;
    given->wait_s = failures_wait_s(auth->failures, one->client_id, asked->from, now_ms);
    if (given->wait_s > 0)
        return SIGN_IN_TOO_MANY;
    if (!principal_knows(one, asked->client_secret)) {
        failures_add(auth->failures, one->client_id, asked->from, now_ms);
        log_warn("sign_in_refused", "client=%s from=%s", one->client_id, LOG_QUOTE(asked->from));
        return SIGN_IN_SECRET_WRONG;
    }
    struct claims claims = {
        .issuer = asked->issuer,
        .audience = asked->audience,
        .tenant = auth->tenant,
        .object_id = one->object_id,
        .app_id = one->client_id,
        .from_s = now_ms / 1000,
        .until_s = now_ms / 1000 + LIMIT_TOKEN_LIFE_S,
    };
    given->expires_in_s = LIMIT_TOKEN_LIFE_S - 1;
    given->token = token_sign(auth->signer, &claims, arena, err);
    return given->token ? SIGN_IN_DONE : SIGN_IN_FAILED;
}

/* ---- checking ---- */

/* A JSON object in base64 begins so, and no token of the configuration has dots in it. */
bool auth_is_token(const char *text)
{
    const char *dot = strchr(text, '.');

    return text_has_prefix(text, "ey") && dot && strchr(dot + 1, '.');
}

static bool times_check(const struct claims *claims, int64_t now_s, struct err *err)
{
    char until[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];

    if (claims->from_s > now_s + LIMIT_TOKEN_SKEW_S)
        return err_set(err, ERR_UNAUTHENTICATED, "The access token is not valid yet.");
    if (claims->until_s > now_s)
        return true;
    clock_text(claims->until_s * 1000, until);
    clock_text(now_s * 1000, now);
    return err_set(err, ERR_TOKEN_EXPIRED,
                   "The access token expiry UTC time '%s' is earlier than current UTC time '%s'.",
                   until, now);
}

static bool tenant_check(const struct auth *auth, const struct claims *claims, struct err *err)
{
    const char *at = strrchr(claims->issuer, '/');

    return (text_equal_nocase(claims->tenant, auth->tenant) && at &&
            text_equal_nocase(at + 1, auth->tenant)) ||
           err_set(err, ERR_TOKEN_TENANT,
                   "The access token is from the wrong issuer: it is of another tenant than '%s'.",
                   auth->tenant);
}

static bool claims_check(const struct auth *auth, const struct claims *claims, int64_t now_s,
                         struct err *err)
{
    const struct known *known = known_now(auth);

    if (!tenant_check(auth, claims, err) || !times_check(claims, now_s, err))
        return false;
    if (!names_hold_audience(&known->names, claims->audience))
        return err_set(err, ERR_TOKEN_AUDIENCE,
                       "The access token has been obtained for the wrong audience or resource: it "
                       "must be one of the server's own URLs.");
    return principals_find(&known->principals, claims->app_id) != NULL ||
           err_set(err, ERR_UNAUTHENTICATED,
                   "The access token's application is not known here any more.");
}

static bool token_check(struct auth *auth, const char *token, const char *hash, int64_t now_s,
                        struct caller *caller, struct err *err)
{
    AUTO(arena) *arena = arena_new(SCRATCH_BYTES_MAX);
    struct claims claims;

    if (!arena)
        return err_set(err, ERR_BUSY, "out of memory for a token");
    if (!token_read(auth->signer, token, arena, &claims, err) ||
        !claims_check(auth, &claims, now_s, err))
        return false;
    *caller = (struct caller){.is_operator = false};
    text_copy(caller->tenant, sizeof caller->tenant, claims.tenant);
    text_copy(caller->object_id, sizeof caller->object_id, claims.object_id);
    text_copy(caller->app_id, sizeof caller->app_id, claims.app_id);
    token_cache_put(auth->cache, hash, claims.until_s, caller);
    return true;
}

bool auth_check(struct auth *auth, const char *token, struct caller *caller, struct err *err)
{
    char hash[TOKEN_HASH_SIZE];
    int64_t now_s = clock_now_ms() / 1000;

    id_hash(token, hash);
    return token_cache_find(auth->cache, hash, now_s, caller) ||
           token_check(auth, token, hash, now_s, caller, err);
}
