/* Who brings a credential that a registry has accepted for an image may use the image without asking
 * again, also after a restart of the agent, and without the registry. So hashes of credentials are on
 * disk: slow and salted ones, because passwords can be guessed. Each is made once while the agent
 * lives; a quick hash that never leaves its memory finds it again. */
#include "node-agent/image/pull.h"

#include "base/text.h"

#include <string.h>

static struct text *secret_of(const struct image_credential *credential)
{
    AUTO(text) *secret = text_new(128 * 1024);

    text_reserve(secret, 64 * 1024);
    text_add_json(secret, credential->username);
    text_add_json(secret, credential->password);
    if (text_ok(secret))
        return TAKE(secret);
    text_wipe(secret);
    return NULL;
}

static bool find(struct image_store *store, const char *quick, char out[DIGEST_SIZE])
{
    WITH_LOCK(&store->table.lock);

    for (size_t i = 0; i < COUNT_OF(store->grants); i++) {
        if (strcmp(store->grants[i].quick, quick) == 0) {
            memcpy(out, store->grants[i].slow, DIGEST_SIZE);
            return true;
        }
    }
    return false;
}

static void keep(struct image_store *store, const char *quick, const char *slow)
{
    WITH_LOCK(&store->table.lock);
    size_t at = store->grants_next++ % COUNT_OF(store->grants);

    memcpy(store->grants[at].quick, quick, DIGEST_SIZE);
    memcpy(store->grants[at].slow, slow, DIGEST_SIZE);
}

bool grant_make(struct image_store *store, const struct image_credential *credential,
                char out[DIGEST_SIZE], struct err *err)
{
    AUTO(text) *secret = secret_of(credential);
    char quick[DIGEST_SIZE];
    bool made;

    if (!secret)
        return err_set(err, ERR_IMAGE_INACCESSIBLE,
                       "the credential of the registry %s is too large", credential->server);
    digest_keyed(store->grant_key, secret->bytes, secret->size, quick);
    made = find(store, quick, out);
    if (!made && digest_slow(store->disk.salt, secret->bytes, secret->size, out)) {
        keep(store, quick, out);
        made = true;
    }
    text_wipe(secret);
    return made || err_set(err, ERR_BUSY, "no memory to tell credentials apart");
}
