/* The table of looks, by what was asked, and the workers that take the waiting ones.
 *
 *     image_look_begin() ─▶ queued ─▶ under way ─▶ known ─▶ (too old: looked at anew when asked for)
 *                             └── one more asks the same: waits for the same look
 *
 * An entry stays after its answer is too old, so that those who waited for it can read it; the longest
 * unused one makes room for a new one. */
#include "api/image_looks_inner.h"

#include "base/clock.h"
#include "base/metrics.h"

#include <string.h>

enum { NS_PER_MS = 1000000 };

/* ---- keys ---- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    return (hash ^ 0x100) * UINT64_C(0x100000001B3);
}

static struct look **bucket_of(struct image_looks *looks, const struct image_look_key *key)
{
    uint64_t hash = hash_text(UINT64_C(0xCBF29CE484222325), looks->key);

    hash = hash_text(hash, key->image);
    hash = hash_text(hash, key->location);
    hash = hash_text(hash, key->credential);
    return &looks->buckets[(hash ^ hash >> 32) % LOOK_BUCKETS];
}

static bool key_equal(const struct image_look_key *one, const struct image_look_key *other)
{
    return strcmp(one->image, other->image) == 0 && strcmp(one->location, other->location) == 0 &&
           strcmp(one->credential, other->credential) == 0;
}

void image_look_key(const struct image_looks *looks, const struct image_reference *reference,
                    const char *location, const struct image_credential *credential,
                    struct image_look_key *out)
{
    image_reference_text(reference, out->image);
    (void)text_copy(out->location, sizeof out->location, location);
    out->credential[0] = '\0';
    if (!credential)
        return;
    AUTO(text) *secret = text_new(LIMIT_HTTP_BODY_MAX);
    text_add_json(secret, credential->server);
    text_add_json(secret, credential->username);
    text_add_json(secret, credential->password);
    if (text_ok(secret))
        digest_keyed(looks->key, secret->bytes, secret->size, out->credential);
    else
        id_token(out->credential); /* no memory: equal to nobody's */
    text_wipe(secret);
}

/* ---- the table, under the lock ---- */

static void unuse(struct image_looks *looks, struct look *look)
{
    *(look->before ? &look->before->after : &looks->newest) = look->after;
    *(look->after ? &look->after->before : &looks->oldest) = look->before;
    look->before = look->after = NULL;
}

static void use(struct image_looks *looks, struct look *look)
{
    look->after = looks->newest;
    *(looks->newest ? &looks->newest->before : &looks->oldest) = look;
    looks->newest = look;
}

static struct look *find(struct image_looks *looks, const struct image_look_key *key)
{
    struct look *look = *bucket_of(looks, key);

    while (look && !key_equal(&look->key, key))
        look = look->next;
    return look;
}

static void secrets_drop(struct look *look)
{
    if (look->password)
        explicit_bzero(look->password, strlen(look->password));
    free(look->server);
    free(look->username);
    free(look->password);
    look->server = look->username = look->password = NULL;
}

static void drop(struct image_looks *looks, struct look *look)
{
    struct look **at = bucket_of(looks, &look->key);

    while (*at != look)
        at = &(*at)->next;
    *at = look->next;
    unuse(looks, look);
    looks->count--;
    secrets_drop(look);
    free(look);
}

/* Those that wait or are under way stay; there are always fewer of them than places. */
static void make_room(struct image_looks *looks)
{
    struct look *look = looks->oldest;

    if (looks->count < (size_t)LIMIT_IMAGE_LOOKS_MAX)
        return;
    while (look && (look->queued || look->under_way))
        look = look->before;
    if (look)
        drop(looks, look);
}

static struct look *add(struct image_looks *looks, const struct image_look_key *key)
{
    struct look **bucket = bucket_of(looks, key);
    struct look *look;

    make_room(looks);
    look = calloc(1, sizeof *look);
    if (!look)
        return NULL;
    look->key = *key;
    look->next = *bucket;
    *bucket = look;
    use(looks, look);
    looks->count++;
    return look;
}

/* ---- asking ---- */

enum image_known image_look_find(struct image_looks *looks, const struct image_look_key *key,
                                 int64_t since_ns, bool anew, struct image_found *found)
{
    int64_t now_ns = clock_boot_ns();

    WITH_LOCK(&looks->lock);
    struct look *look = find(looks, key);
    if (!look || look->ended_ns == 0 ||
        (look->ended_ns < since_ns && (anew || look->fresh_until_ns <= now_ns)))
        return IMAGE_NOT_KNOWN;
    if (look != looks->newest) {
        unuse(looks, look);
        use(looks, look);
    }
    memcpy(found->digest, look->digest, sizeof found->digest);
    found->outcome = look->outcome;
    return look->outcome.code == ERR_OK ? IMAGE_KNOWN_GOOD : IMAGE_KNOWN_BAD;
}

static bool credential_keep(struct look *look, const struct image_credential *credential)
{
    if (!credential)
        return true;
    look->server = strdup(credential->server);
    look->username = strdup(credential->username);
    look->password = strdup(credential->password);
    return look->server && look->username && look->password;
}

static bool enqueue(struct image_looks *looks, struct look *look,
                    const struct image_reference *reference,
                    const struct image_credential *credential, struct err *err)
{
    if (looks->queue_count >= (size_t)LIMIT_IMAGE_LOOKS_QUEUE)
        return err_set(err, ERR_BUSY,
                       "too many images wait to be looked at in their registries; retry later");
    if (!credential_keep(look, credential)) {
        secrets_drop(look);
        return err_set(err, ERR_BUSY, "out of memory");
    }
    look->reference = *reference;
    look->number = ++looks->last_number;
    look->queued = true;
    look->next_queued = NULL;
    *looks->queue_end = look;
    looks->queue_end = &look->next_queued;
    looks->queue_count++;
    metric_set(METRIC_image_looks_waiting, (int64_t)looks->queue_count);
    pthread_cond_signal(&looks->wake);
    return true;
}

bool image_look_begin(struct image_looks *looks, const struct image_look_key *key,
                      const struct image_reference *reference,
                      const struct image_credential *credential, int64_t *number, struct err *err)
{
    WITH_LOCK(&looks->lock);
    struct look *look;

    if (looks->stopping)
        return err_set(err, ERR_CLOSED, "the server is stopping");
    look = find(looks, key);
    if (!look)
        look = add(looks, key);
    if (!look)
        return err_set(err, ERR_BUSY, "out of memory");
    if (!look->queued && !look->under_way && !enqueue(looks, look, reference, credential, err))
        return false;
    *number = look->number;
    return true;
}

/* ---- for the workers ---- */

static bool same_registry(const struct look *one, const struct look *other)
{
    return strcmp(one->reference.registry, other->reference.registry) == 0;
}

/* A registry that does not answer holds up all workers but one, which is there for the others. */
static bool may_begin(const struct image_looks *looks, const struct look *look)
{
    int busy = 0;

    for (size_t i = 0; i < looks->busy_count; i++)
        busy += same_registry(looks->busy[i], look);
    return busy == 0 || busy < looks->workers - 1;
}

struct look *look_take_queued(struct image_looks *looks)
{
    for (struct look **at = &looks->queue; *at; at = &(*at)->next_queued) {
        struct look *look = *at;
        if (!may_begin(looks, look))
            continue;
        *at = look->next_queued;
        if (looks->queue_end == &look->next_queued)
            looks->queue_end = at;
        looks->queue_count--;
        metric_set(METRIC_image_looks_waiting, (int64_t)looks->queue_count);
        look->queued = false;
        look->under_way = true;
        looks->busy[looks->busy_count++] = look;
        return look;
    }
    return NULL;
}

/* How long an answer counts: a bad one is asked for again soon, as people repair it and try again; our
 * own trouble says nothing of the image. */
static int64_t keep_ms(const struct image_looks *looks, enum err_code code)
{
    const int64_t bad_ms = LIMIT_IMAGE_LOOK_BAD_MS;

    if (code == ERR_OK)
        return looks->cache_ms;
    if (code != ERR_IMAGE_INACCESSIBLE && code != ERR_IMAGE_PLATFORM &&
        code != ERR_REGISTRY_RESPONSE)
        return 0;
    return looks->cache_ms < bad_ms ? looks->cache_ms : bad_ms;
}

void look_ended(struct image_looks *looks, struct look *look, const char *digest,
                const struct err *outcome)
{
    size_t at = 0;

    while (looks->busy[at] != look)
        at++;
    looks->busy[at] = looks->busy[--looks->busy_count];
    look->under_way = false;
    look->outcome = *outcome;
    memcpy(look->digest, digest, sizeof look->digest);
    look->ended_ns = clock_boot_ns();
    look->fresh_until_ns = look->ended_ns + keep_ms(looks, outcome->code) * NS_PER_MS;
    secrets_drop(look);
}

void looks_drop_all(struct image_looks *looks)
{
    while (looks->newest)
        drop(looks, looks->newest);
}
