/* skopeo ends with one log line whose message is a chain of contexts, outermost first; registries
 * add their own words at the end. What went wrong is recognised by those words, because its exit
 * code is always 1. */
#include "registry/skopeo.h"

#include "base/text.h"
#include "registry/authfile.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *words;
    enum err_code code;
    const char *meaning;
} failures[] = {
    {"toomanyrequests", ERR_REGISTRY_RESPONSE, "the registry limits the rate of pulls"},
    {"too many requests", ERR_REGISTRY_RESPONSE, "the registry limits the rate of pulls"},
    {"status code from registry 429", ERR_REGISTRY_RESPONSE,
     "the registry limits the rate of pulls"},
    {"no space left on device", ERR_STORAGE, "the node's disk is full"},
    {"unexpected http status: 5", ERR_REGISTRY_RESPONSE, "the registry is in trouble"},
    {"status code from registry 5", ERR_REGISTRY_RESPONSE, "the registry is in trouble"},
    {"500 internal server error", ERR_REGISTRY_RESPONSE, "the registry is in trouble"},
    {"502 bad gateway", ERR_REGISTRY_RESPONSE, "the registry is in trouble"},
    {"503 service unavailable", ERR_REGISTRY_RESPONSE, "the registry is in trouble"},
    {"504 gateway time", ERR_REGISTRY_RESPONSE, "the registry is in trouble"},
    {"manifest unknown", ERR_IMAGE_INACCESSIBLE, "not found"},
    {"name unknown", ERR_IMAGE_INACCESSIBLE, "not found"},
    {"404 not found", ERR_IMAGE_INACCESSIBLE, "not found"},
    {"unauthorized", ERR_IMAGE_INACCESSIBLE, "the registry wants another credential"},
    {"authentication required", ERR_IMAGE_INACCESSIBLE, "the registry wants another credential"},
    {"invalid username/password", ERR_IMAGE_INACCESSIBLE, "the registry wants another credential"},
    {"denied", ERR_IMAGE_INACCESSIBLE, "the registry does not allow it"},
    {"forbidden", ERR_IMAGE_INACCESSIBLE, "the registry does not allow it"},
    {"source image rejected", ERR_IMAGE_INACCESSIBLE, "the node's signature policy rejects it"},
    {"policy.json", ERR_IO, "the node has no signature policy"},
    {"x509:", ERR_IMAGE_INACCESSIBLE, "the registry's certificate is not trusted here"},
    {"server gave http response to https", ERR_IMAGE_INACCESSIBLE,
     "the registry has no TLS, and is not listed as insecure"},
    {"no such host", ERR_IMAGE_INACCESSIBLE, "there is no registry of this name"},
    {"did not match", ERR_IMAGE_INACCESSIBLE, "what arrived is not what its digest says"},
    {"file size limit exceeded", ERR_IMAGE_INACCESSIBLE,
     "a layer is larger than its manifest says"},
    {"file too large", ERR_IMAGE_INACCESSIBLE, "a layer is larger than its manifest says"},
    {"connection refused", ERR_REGISTRY_RESPONSE, "the registry cannot be reached"},
    {"connection reset", ERR_REGISTRY_RESPONSE, "the registry cannot be reached"},
    {"unreachable", ERR_REGISTRY_RESPONSE, "the registry cannot be reached"},
    {"no route to host", ERR_REGISTRY_RESPONSE, "the registry cannot be reached"},
    {"timeout", ERR_REGISTRY_RESPONSE, "the registry does not answer in time"},
    {"timed out", ERR_REGISTRY_RESPONSE, "the registry does not answer in time"},
    {"deadline exceeded", ERR_REGISTRY_RESPONSE, "the registry does not answer in time"},
    {"temporary failure", ERR_REGISTRY_RESPONSE, "the registry's name cannot be looked up now"},
    {"server misbehaving", ERR_REGISTRY_RESPONSE, "the registry's name cannot be looked up now"},
    {" eof", ERR_REGISTRY_RESPONSE, "the registry broke off"},
};

/* The message of the last line of level fatal, without its quotes; else the first line printed. */
static void find_message(const char *printed, struct text *out)
{
    const char *mark = "level=fatal msg=", *at = NULL;

    for (const char *next = printed; (next = strstr(next, mark)) != NULL; next += strlen(mark))
        at = next + strlen(mark);
    if (!at) {
        text_add_n(out, printed, strcspn(printed, "\n"));
        return;
    }
    bool quoted = *at == '"';
    for (at += quoted; *at && *at != '\n' && !(quoted && *at == '"'); at++) {
        if (*at == '\\' && at[1] && at[1] != '\n')
            at++;
        text_add_char(out, *at);
    }
}

static void replace_all(struct text *text, const char *secret)
{
    AUTO(text) *out = text_new(text->size_max);
    const char *at = text->bytes, *found;

    if (!secret || !*secret)
        return;
    while ((found = strstr(at, secret)) != NULL) {
        text_add_n(out, at, (size_t)(found - at));
        text_add(out, "***");
        at = found + strlen(secret);
    }
    text_add(out, at);
    text_clear(text);
    if (text_ok(out))
        text_add(text, out->bytes);
}

static void strike_secrets(struct text *text, const struct image_credential *credential)
{
    if (!credential)
        return;
    AUTO(text) *basic = authfile_basic(credential);
    replace_all(text, credential->password);
    if (text_ok(basic))
        replace_all(text, basic->bytes);
    text_wipe(basic);
}

/* The chain begins with what skopeo was doing and to which image: the caller knows and says that. */
static const char *useful(const char *message)
{
    const char *parsing = "Error parsing image name \"";
    const char *end = text_has_prefix(message, parsing) ? strstr(message, "\": ") : NULL;

    return end ? end + strlen("\": ") : message;
}

bool skopeo_failure(const char *image, const char *printed,
                    const struct image_credential *credential, struct err *err)
{
    AUTO(text) *message = text_new(16384);

    find_message(printed, message);
    if (!text_ok(message) || message->size == 0)
        return err_set(err, ERR_REGISTRY_RESPONSE, "%s: skopeo failed and did not say why", image);
    strike_secrets(message, credential);
    for (size_t i = 0; i < message->size; i++) {
        if ((unsigned char)message->bytes[i] < ' ' || message->bytes[i] == 0x7f)
            message->bytes[i] = ' ';
    }
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        if (strcasestr(message->bytes, failures[i].words))
            return err_set(err, failures[i].code, "%s: %s: %s", image, failures[i].meaning,
                           useful(message->bytes));
    }
    return err_set(err, ERR_IMAGE_INACCESSIBLE, "%s: %s", image, useful(message->bytes));
}
