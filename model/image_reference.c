/* The grammar is the one of the OCI distribution specification, read from both ends: the digest is
 * cut off behind '@', the tag behind the last ':' of the last component, the registry before the
 * first '/' when that component looks like a host. What is left is the repository. */
#include "model/image_reference.h"

#include "base/log.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

static bool refuse(struct err *err, const char *text, const char *why)
{
    return err_set(err, ERR_IMAGE_REFERENCE, "%s is not the name of an image: %s", LOG_QUOTE(text),
                   why);
}

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

/* One component of a repository: lower-case words joined by '.', '_', '__' or any number of '-'. */
static const char *component_end(const char *at)
{
    for (;;) {
        if (!is_lower_or_digit(*at))
            return NULL;
        while (is_lower_or_digit(*at))
            at++;
        if (*at == '-')
            at += strspn(at, "-");
        else if (*at == '_')
            at += at[1] == '_' ? 2 : 1;
        else if (*at == '.')
            at++;
        else
            return at;
    }
}

static bool repository_valid(const char *repository)
{
    const char *at = component_end(repository);

    while (at && *at == '/')
        at = component_end(at + 1);
    return at && *at == '\0';
}

static bool tag_valid(const char *tag)
{
    if (!is_word(*tag))
        return false;
    while (is_word(*tag) || *tag == '.' || *tag == '-')
        tag++;
    return *tag == '\0';
}

static bool digest_valid(const char *digest)
{
    const char *hex = digest + strlen("sha256:");

    return text_has_prefix(digest, "sha256:") && strlen(hex) == 64 &&
           strspn(hex, "0123456789abcdef") == 64;
}

static bool port_valid(const char *port)
{
    int64_t number;

    return text_to_int(port, &number) && number >= 1 && number <= 65535 && *port != '-';
}

static bool is_host_char(char c)
{
    return is_word(c) && c != '_';
}

/* Labels of letters, digits and inner '-', joined by single dots. */
static const char *host_end(const char *at)
{
    for (;;) {
        const char *label = at;
        while (is_host_char(*at) || *at == '-')
            at++;
        if (at == label || *label == '-' || at[-1] == '-')
            return NULL;
        if (*at != '.')
            return at;
        at++;
    }
}

static const char *bracket_end(const char *at)
{
    size_t inside = strspn(at + 1, "0123456789abcdef:.");

    return inside > 0 && at[1 + inside] == ']' ? at + inside + 2 : NULL;
}

bool image_registry_valid(const char *registry)
{
    const char *at = *registry == '[' ? bracket_end(registry) : host_end(registry);

    return at && (*at == '\0' || (*at == ':' && port_valid(at + 1)));
}

/* The first component names a registry when no repository component could look like it. */
static bool looks_like_registry(const char *component)
{
    return strpbrk(component, ".:[ABCDEFGHIJKLMNOPQRSTUVWXYZ") ||
           strcmp(component, "localhost") == 0;
}

/* The hub answers to two names. */
static const char *host_of(const char *server)
{
    return text_equal_nocase(server, "index.docker.io") ? "docker.io" : server;
}

/* Host names mean the same in any case; repositories do not have another. */
static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

static bool split_registry(const char *name, struct image_reference *out)
{
    const char *slash = strchr(name, '/');
    char first[sizeof out->registry] = "";

    if (slash && (size_t)(slash - name) < sizeof first) {
        memcpy(first, name, (size_t)(slash - name));
        if (looks_like_registry(first)) {
            lower(first);
            return text_copy(out->registry, sizeof out->registry, host_of(first)) &&
                   text_copy(out->repository, sizeof out->repository, slash + 1);
        }
    }
    return text_copy(out->registry, sizeof out->registry, "docker.io") &&
           text_copy(out->repository, sizeof out->repository, name);
}

/* The hub's own images live in "library/". */
static bool add_library(struct image_reference *out)
{
    char name[sizeof out->repository];

    if (strcmp(out->registry, "docker.io") != 0 || strchr(out->repository, '/'))
        return true;
    return text_copy(name, sizeof name, out->repository) &&
           text_format(out->repository, sizeof out->repository, "library/%s", name);
}

/* Cuts `text` at its digest and tag; what is left of it is registry and repository. */
static bool cut_tail(char *text, struct image_reference *out, const char **why)
{
    char *at = strchr(text, '@');
    char *slash, *colon;

    if (at) {
        *at = '\0';
        *why = "behind '@' stands sha256: and 64 lower-case hexadecimal digits";
        if (!digest_valid(at + 1) || !text_copy(out->digest, sizeof out->digest, at + 1))
            return false;
    }
    slash = strrchr(text, '/');
    colon = strrchr(slash ? slash : text, ':');
    if (colon) {
        *colon = '\0';
        *why = "a tag is 1 to 128 letters, digits, '_', '.' and '-', not beginning with '.' or '-'";
        if (!tag_valid(colon + 1) || !text_copy(out->tag, sizeof out->tag, colon + 1))
            return false;
    }
    if (!at && !colon)
        return text_copy(out->tag, sizeof out->tag, "latest");
    return true;
}

bool image_reference_parse(const char *text, struct image_reference *out, struct err *err)
{
    struct image_reference parsed = {0};
    char rest[IMAGE_REFERENCE_SIZE];
    const char *why = NULL;

    if (!text || !*text)
        return err_set(err, ERR_IMAGE_REFERENCE, "the name of the image is empty");
    if (!text_copy(rest, sizeof rest, text))
        return refuse(err, text, "it is too long");
    if (!cut_tail(rest, &parsed, &why))
        return refuse(err, text, why);
    if (strlen(rest) > 255 || !split_registry(rest, &parsed) || !add_library(&parsed))
        return refuse(err, text, "registry and repository are longer than 255 bytes");
    if (!image_registry_valid(parsed.registry))
        return refuse(err, text, "the part before the first '/' is no host name");
    if (!repository_valid(parsed.repository))
        return refuse(err, text,
                      "a repository is lower-case letters and digits, joined by '.', '_', '__', "
                      "'-' and '/'");
    if (strlen(rest) == 64 && strspn(rest, "0123456789abcdef") == 64)
        return refuse(err, text, "64 hexadecimal digits alone are taken for an id");
    *out = parsed;
    return true;
}

void image_reference_text(const struct image_reference *reference, char out[IMAGE_REFERENCE_SIZE])
{
    bool whole = text_format(out, IMAGE_REFERENCE_SIZE, "%s/%s%s%s%s%s", reference->registry,
                             reference->repository, *reference->tag ? ":" : "", reference->tag,
                             *reference->digest ? "@" : "", reference->digest);

    CHECK(whole);
}

bool image_reference_served_by(const struct image_reference *reference, const char *server)
{
    return text_equal_nocase(reference->registry, host_of(server));
}
