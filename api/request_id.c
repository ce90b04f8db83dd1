#include "api/request_id.h"

#include <stdint.h>

/* splitmix64: every state gives another number. */
static uint64_t next(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9E3779B97F4A7C15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ (mixed >> 31);
}

static uint64_t seed(void)
{
    char token[ID_TOKEN_SIZE];
    uint64_t mixed = 0;

    id_token(token);
    for (const char *at = token; *at; at++)
        mixed = mixed * 131 + (unsigned char)*at;
    return mixed;
}

void request_id_new(char out[ID_SIZE])
{
    static _Thread_local uint64_t states[2];
    static const char hex[] = "0123456789abcdef";
    uint64_t halves[2];
    size_t at = 0;

    for (size_t i = 0; i < 2; i++) {
        if (states[i] == 0)
            states[i] = seed();
        halves[i] = next(&states[i]);
    }
    halves[0] = (halves[0] & ~UINT64_C(0xF000)) | 0x4000;
    halves[1] = (halves[1] & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
    for (int digit = 0; digit < 32; digit++) {
        if (digit == 8 || digit == 12 || digit == 16 || digit == 20)
            out[at++] = '-';
        out[at++] = hex[halves[digit / 16] >> (60 - 4 * (digit % 16)) & 15];
    }
    out[at] = '\0';
}
