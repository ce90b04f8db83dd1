/* Names nobody chose: UUIDs (libuuid) and tokens (OpenSSL's generator).
 * id_ordered() puts the time first (UUID version 7), so that indexes over it grow at one end.
 * Threads: any. */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/auto.h"

#include <stdint.h>

enum { ID_SIZE = 37, ID_TOKEN_SIZE = 44 }; /* with the NUL */

void id_random(char out[ID_SIZE]);
void id_ordered(char out[ID_SIZE]);
bool id_valid(const char *text);        /* 8-4-4-4-12 hexadecimal, any case */
void id_token(char out[ID_TOKEN_SIZE]); /* 256 random bits, URL-safe base64 */
void id_hash(const char *token,
             char out[65]); /* SHA-256, lower-case hexadecimal: what is stored of a token */
/* The first 32 bits of such a hash: evenly spread, for choosing a place in a table. */
uint32_t id_hash_number(const char *hash);

#endif
