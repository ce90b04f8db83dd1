#include "base/id.h"

#include "base/clock.h"
#include "base/err.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <uuid/uuid.h>

/* OpenSSL's generator rather than the library's own, which asks the kernel six things for each UUID. Asking it costs much
 * and its bytes little, so each thread fetches those of many UUIDs. (Programs of ours that fork run another program.) */
static void generate(uuid_t uuid)
{
    static _Thread_local struct {
        unsigned char bytes[32 * sizeof(uuid_t)];
        size_t left;
    } ahead;
    if (ahead.left == 0) {
        CHECK(RAND_bytes(ahead.bytes, sizeof ahead.bytes) == 1);
        ahead.left = sizeof ahead.bytes;
    }
    ahead.left -= sizeof(uuid_t);
    memcpy(uuid, ahead.bytes + ahead.left, sizeof(uuid_t));
    memset(ahead.bytes + ahead.left, 0, sizeof(uuid_t)); /* nobody learns what was given out */
    uuid[6] = (unsigned char)(0x40 | (uuid[6] & 0x0F));
    uuid[8] = (unsigned char)(0x80 | (uuid[8] & 0x3F));
}

void id_random(char out[ID_SIZE])
{
    uuid_t uuid;
    generate(uuid);
    uuid_unparse_lower(uuid, out);
}

/* Milliseconds and a 12-bit counter below them: strictly rising within a process, even when the
 * clock stands still or steps back. */
static uint64_t next_tick(void)
{
    static _Atomic uint64_t last;
    uint64_t now = (uint64_t)clock_now_ms() << 12;
    uint64_t before = atomic_load_explicit(&last, memory_order_relaxed), next;
    do {
        next = now > before ? now : before + 1;
    } while (!atomic_compare_exchange_weak_explicit(&last, &before, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return next;
}

void id_ordered(char out[ID_SIZE])
{
    uuid_t uuid;
    generate(uuid); /* the lower half, its variant bits included */
    uint64_t tick = next_tick(), ms = tick >> 12;
    for (int i = 0; i < 6; i++)
        uuid[i] = (unsigned char)(ms >> (40 - 8 * i));
    uuid[6] = (unsigned char)(0x70 | ((tick >> 8) & 0x0F));
    uuid[7] = (unsigned char)tick;
    uuid_unparse_lower(uuid, out);
}

bool id_valid(const char *text)
{
    uuid_t uuid;
    return strnlen(text, ID_SIZE) == ID_SIZE - 1 && uuid_parse(text, uuid) == 0;
}

void id_token(char out[ID_TOKEN_SIZE])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char random[33] = {0}; /* the last byte stays zero: 32 bytes are 42 2/3 letters */
    CHECK(RAND_bytes(random, 32) == 1);
    for (size_t group = 0; group < 11; group++) {
        const unsigned char *three = random + group * 3;
        unsigned bits = (unsigned)three[0] << 16 | (unsigned)three[1] << 8 | three[2];
        for (size_t i = 0; i < 4; i++)
            out[group * 4 + i] = letters[(bits >> (18 - 6 * i)) & 63];
    }
    out[ID_TOKEN_SIZE - 1] = '\0'; /* over the padding letter */
}

/* Looked up once: finding it costs more than hashing a token. */
static EVP_MD *sha256;

static void sha256_find(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void id_hash(const char *token, char out[65])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    CHECK(pthread_once(&once, sha256_find) == 0 && sha256);
    CHECK(EVP_Digest(token, strlen(token), digest, &size, sha256, NULL) == 1 && size == 32);
    for (size_t i = 0; i < 32; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    out[64] = '\0';
}

uint32_t id_hash_number(const char *hash)
{
    uint32_t number = 0;

    for (size_t i = 0; i < 8; i++)
        number = number << 4 | (uint32_t)(hash[i] <= '9' ? hash[i] - '0' : hash[i] - 'a' + 10);
    return number;
}
