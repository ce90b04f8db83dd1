#include "api/auth/principals.h"

#include "base/fields.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 1048576, PATH_SIZE = 4096, HASH_LENGTH = 64 };

struct entry {
    const char *client_id, *object_id, *name;
    const char *secret, *secret_hash;
};
struct document {
    struct entry *principals;
    size_t principals_count;
};

/* clang-format off */
static const struct field entry_fields[] = {
    FIELD(struct entry, client_id, "clientId", .flags = FIELD_REQUIRED, .doc = "UUID that it signs in with."),
    FIELD(struct entry, object_id, "objectId", .doc = "UUID that tokens name; the client id when absent."),
    FIELD(struct entry, name, "name", .max = 256, .doc = "For people."),
    FIELD(struct entry, secret, "secret", .flags = FIELD_SECRET, .max = 1024, .doc = "Its secret."),
    FIELD(struct entry, secret_hash, "secretHash", .min = HASH_LENGTH, .max = HASH_LENGTH, .doc = "Or the secret's hash."),
};
static const struct schema entry_schema =
    SCHEMA("ServicePrincipal", struct entry, entry_fields, "A program that signs in.");
static const struct field document_fields[] = {
    FIELD_ITEMS(struct document, principals, "principals", &entry_schema, .max = LIMIT_PRINCIPALS_MAX),
};
/* clang-format on */
static const struct schema document_schema =
    SCHEMA("ServicePrincipals", struct document, document_fields, "Who may sign in.");

static void lower(char *text)
{
    for (; *text; text++)
        *text = *text >= 'A' && *text <= 'Z' ? (char)(*text | 0x20) : *text;
}

/* The client id goes in, so that equal secrets of two clients are not seen to be equal. */
static bool hash_secret(const char *client_id, const char *secret, char hash[65])
{
    char both[ID_SIZE + LIMIT_SECRET_BYTES_MAX + 2];
    bool fits = text_format(both, sizeof both, "%s:%s", client_id, secret);

    if (fits)
        id_hash(both, hash);
    OPENSSL_cleanse(both, sizeof both);
    return fits;
}

/* ---- reading ---- */

static bool refuse(const struct entry *entry, const char *path, const char *why, struct err *err)
{
    return err_set_field(err, ERR_INVALID, "principals_file", "%s: principal '%.60s': %s", path,
                         entry->client_id, why);
}

static bool take_hash(const struct entry *entry, const char *path, struct principal *out,
                      struct err *err)
{
    if (!entry->secret == !entry->secret_hash)
        return refuse(entry, path, "needs either secret or secretHash", err);
    if (entry->secret_hash) {
        text_copy(out->secret_hash, sizeof out->secret_hash, entry->secret_hash);
        lower(out->secret_hash);
        return strspn(out->secret_hash, "0123456789abcdef") == HASH_LENGTH ||
               refuse(entry, path, "its secretHash is not 64 hexadecimal digits", err);
    }
    if (strlen(entry->secret) < LIMIT_SECRET_BYTES_MIN)
        return refuse(entry, path, "its secret is too short: 24 random characters at least", err);
    return hash_secret(out->client_id, entry->secret, out->secret_hash) ||
           refuse(entry, path, "its secret is too long", err);
}

static bool take(const struct entry *entry, const char *path, struct principal *out,
                 struct err *err)
{
    if (!id_valid(entry->client_id))
        return refuse(entry, path, "its clientId is no UUID", err);
    if (entry->object_id && !id_valid(entry->object_id))
        return refuse(entry, path, "its objectId is no UUID", err);
    text_copy(out->client_id, sizeof out->client_id, entry->client_id);
    text_copy(out->object_id, sizeof out->object_id,
              entry->object_id ? entry->object_id : entry->client_id);
    lower(out->client_id);
    lower(out->object_id);
    return take_hash(entry, path, out, err);
}

static bool take_all(const struct document *document, const char *path, struct arena *arena,
                     struct principals *principals, struct err *err)
{
    struct principals found = {
        arena_array(arena, document->principals_count + 1, sizeof(struct principal)), 0};

    if (!found.items)
        return err_set(err, ERR_BUSY, "out of memory for service principals");
    for (size_t i = 0; i < document->principals_count; i++) {
        struct principal *one = &found.items[found.count];
        if (!take(&document->principals[i], path, one, err))
            return false;
        if (principals_find(&found, one->client_id))
            return refuse(&document->principals[i], path, "is there twice", err);
        found.count++;
    }
    *principals = found;
    return true;
}

static void warn_when_open(const char *path)
{
    struct stat about;

    if (stat(path, &about) == 0 && (about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        log_warn("principals_file_open_to_others", "path=%s mode=%o", LOG_QUOTE(path),
                 (unsigned)about.st_mode & 07777);
}

static void forget(struct document *document)
{
    for (size_t i = 0; i < document->principals_count; i++) {
        char *secret = (char *)(uintptr_t)document->principals[i].secret;
        if (secret)
            OPENSSL_cleanse(secret, strlen(secret));
    }
}

bool principals_read(const char *path, struct arena *arena, struct principals *principals,
                     struct err *err)
{
    AUTO_FREE char *bytes = NULL;
    AUTO(arena) *scratch = arena_new((size_t)FILE_MAX * 4);
    struct document document = {0};
    struct problems problems;
    size_t size = 0;

    if (!scratch)
        return err_set(err, ERR_BUSY, "out of memory for service principals");
    if (!file_read(path, FILE_MAX, &bytes, &size, err))
        return err_add(err, "principals_file");
    warn_when_open(path);
    problems_init(&problems, scratch);
    bool read = fields_parse(&document_schema, bytes, size, scratch, &document, &problems)
                    ? take_all(&document, path, arena, principals, err)
                    : problems_to_err(&problems, err) || err_add(err, "%s", path);
    forget(&document);
    OPENSSL_cleanse(bytes, size);
    return read;
}

/* ---- making ---- */

static bool write_file(const char *state_dir, const char *name, const struct text *content,
                       struct err *err)
{
    char path[PATH_SIZE];

    text_format(path, sizeof path, "%s/%s", state_dir, name);
    return (text_ok(content) || err_set(err, ERR_BUSY, "out of memory for %s", path)) &&
           file_replace(path, content->bytes, content->size, 0600, true, err);
}

/* The secret is told before it is of use: a start that is cut in between makes both anew. */
bool principals_make(const char *state_dir, const char *tenant, struct err *err)
{
    char client_id[ID_SIZE], object_id[ID_SIZE], secret[ID_TOKEN_SIZE], hash[65];
    AUTO(text) *told = text_new(1024);
    AUTO(text) *kept = text_new(1024);

    id_random(client_id);
    id_random(object_id);
    id_token(secret);
    CHECK(hash_secret(client_id, secret, hash));
    text_addf(told, "{\"tenantId\":\"%s\",\"clientId\":\"%s\",\"clientSecret\":\"%s\"}\n", tenant,
              client_id, secret);
    text_addf(kept,
              "{\"principals\":[{\"clientId\":\"%s\",\"objectId\":\"%s\",\"name\":\"first\","
              "\"secretHash\":\"%s\"}]}\n",
              client_id, object_id, hash);
    bool made = write_file(state_dir, "service-principal.json", told, err) &&
                write_file(state_dir, "principals.json", kept, err);
    OPENSSL_cleanse(secret, sizeof secret);
    if (told)
        OPENSSL_cleanse(told->bytes, told->capacity);
    if (!made)
        return err_add(err, "while making a service principal");
    log_info("service_principal_made", "client=%s folder=%s file=service-principal.json", client_id,
             LOG_QUOTE(state_dir));
    return true;
}

/* ---- asking ---- */

const struct principal *principals_find(const struct principals *principals, const char *client_id)
{
    for (size_t i = 0; i < principals->count; i++) {
        if (text_equal_nocase(principals->items[i].client_id, client_id))
            return &principals->items[i];
    }
    return NULL;
}

bool principal_knows(const struct principal *principal, const char *secret)
{
    char hash[65];

    return hash_secret(principal->client_id, secret, hash) &&
           text_equal_secret(principal->secret_hash, hash);
}
