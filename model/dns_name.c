#include "model/dns_name.h"

#include "base/id.h"
#include "base/text.h"
#include "model/container_group.h"

#include <string.h>

enum { OWNER_SIZE = 1024, LETTERS_OF_HEX = 4, HEX_AT_ONCE = 5 }; /* 20 bits are both */

/* Five hexadecimal digits are four letters of 32. */
static void letters(const char *hash, char out[DNS_HASH_SIZE + 1])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    for (size_t i = 0; i < DNS_HASH_SIZE / LETTERS_OF_HEX; i++) {
        char five[HEX_AT_ONCE + 1];
        text_format(five, sizeof five, "%.*s", HEX_AT_ONCE, hash + i * HEX_AT_ONCE);
        unsigned long bits = strtoul(five, NULL, 16);
        for (size_t j = 0; j < LETTERS_OF_HEX; j++)
            out[i * LETTERS_OF_HEX + j] = alphabet[bits >> (5 * (LETTERS_OF_HEX - 1 - j)) & 31];
    }
    out[DNS_HASH_SIZE] = '\0';
}

static void lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text | 0x20);
}

/* Names of subscriptions and resource groups match without case. No part holds a '/'. */
static bool hash_make(const struct dns_owner *owner, char out[DNS_HASH_SIZE + 1])
{
    bool of_subscription =
        owner->scope == LABEL_SUBSCRIPTION || owner->scope == LABEL_RESOURCE_GROUP;
    char words[OWNER_SIZE], hash[65];
    bool fits = text_format(words, sizeof words, "%s/%s/%s/%s/%s", label_scope_words[owner->scope],
                            owner->label, owner->tenant, of_subscription ? owner->subscription : "",
                            owner->scope == LABEL_RESOURCE_GROUP ? owner->resource_group : "");
    lower(words);
    id_hash(words, hash);
    letters(hash, out);
    return fits;
}

static bool random_make(char out[DNS_HASH_SIZE + 1])
{
    char token[ID_TOKEN_SIZE], hash[65];
    id_token(token);
    id_hash(token, hash);
    letters(hash, out);
    return true;
}

bool dns_name_make(const struct dns_owner *owner, char out[DNS_NAME_SIZE])
{
    char hash[DNS_HASH_SIZE + 1];
    if (owner->scope == LABEL_UNSECURE)
        return text_format(out, DNS_NAME_SIZE, "%s.%s", owner->label, owner->location);
    bool made = owner->scope == LABEL_NO_REUSE ? random_make(hash) : hash_make(owner, hash);
    return made && text_format(out, DNS_NAME_SIZE, "%s.%s.%s", owner->label, hash, owner->location);
}

bool dns_name_taken(const char *name, const char *group, struct err *err)
{
    return err_set_field(err, ERR_DNS_LABEL_TAKEN, "properties.ipAddress.dnsNameLabel",
                         "The DNS name label '%.*s' in container group '%s' is not available. Try "
                         "using a different label.",
                         (int)strcspn(name, "."), name, group);
}

static bool part_valid(const char *part, size_t size)
{
    return size > 0 && size <= DNS_LABEL_MAX && part[0] != '-' && part[size - 1] != '-';
}

bool dns_zone_valid(const char *zone)
{
    size_t size = strlen(zone);
    if (size == 0 || size > DNS_ZONE_MAX ||
        strspn(zone, "abcdefghijklmnopqrstuvwxyz0123456789-.") != size)
        return false;
    for (const char *part = zone;; part++) {
        size_t part_size = strcspn(part, ".");
        if (!part_valid(part, part_size))
            return false;
        part += part_size;
        if (!*part)
            return true;
    }
}
