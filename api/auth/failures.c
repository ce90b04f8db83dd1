/* A table of fixed size; where it is full, the count that began first makes room. */
#include "api/auth/failures.h"

#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/thread.h"

#include <string.h>

enum { WAYS = 8, SETS = LIMIT_SIGN_IN_COUNTED_MAX / WAYS, KEY_SIZE = 512, HASH_SIZE = 65 };

struct count {
    char hash[HASH_SIZE]; /* of client and address */
    int64_t begun_ms;
    int count;
};

struct failures {
    struct lock lock;
    struct count counts[SETS][WAYS];
};

struct failures *failures_new(struct err *err)
{
    struct failures *failures = calloc(1, sizeof *failures);

    if (!failures) {
        err_set(err, ERR_BUSY, "out of memory for counting sign-ins");
        return NULL;
    }
    lock_init(&failures->lock, LOCK_API_SIGN_INS);
    return failures;
}

void failures_free(struct failures *failures)
{
    if (!failures)
        return;
    lock_done(&failures->lock);
    free(failures);
}

static void hash_of(const char *client_id, const char *from, char hash[HASH_SIZE])
{
    char key[KEY_SIZE];

    text_format(key, sizeof key, "%.100s %.100s", client_id, from);
    id_hash(key, hash);
}

static struct count *set_of(struct failures *failures, const char *hash)
{
    return failures->counts[id_hash_number(hash) % SETS];
}

static int64_t end_ms(const struct count *count)
{
    return count->begun_ms + INT64_C(1000) * LIMIT_SIGN_IN_WINDOW_S;
}

static struct count *find(struct count *set, const char *hash, int64_t now_ms)
{
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].count > 0 && now_ms < end_ms(&set[i]) &&
            memcmp(set[i].hash, hash, HASH_SIZE) == 0)
            return &set[i];
    }
    return NULL;
}

int64_t failures_wait_s(struct failures *failures, const char *client_id, const char *from,
                        int64_t now_ms)
{
    char hash[HASH_SIZE];

    hash_of(client_id, from, hash);
    WITH_LOCK(&failures->lock);
    const struct count *count = find(set_of(failures, hash), hash, now_ms);
    if (!count || count->count < LIMIT_SIGN_IN_FAILURES)
        return 0;
    return (end_ms(count) - now_ms + 999) / 1000;
}

void failures_add(struct failures *failures, const char *client_id, const char *from,
                  int64_t now_ms)
{
    char hash[HASH_SIZE];

    hash_of(client_id, from, hash);
    WITH_LOCK(&failures->lock);
    struct count *set = set_of(failures, hash), *place = find(set, hash, now_ms);
    if (!place) {
        place = &set[0];
        for (size_t i = 1; i < WAYS; i++) {
            if (set[i].begun_ms < place->begun_ms)
                place = &set[i];
        }
        memcpy(place->hash, hash, HASH_SIZE);
        place->begun_ms = now_ms;
        place->count = 0;
    }
    place->count++;
}
