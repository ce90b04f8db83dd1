/* Addresses of repositories: what of them may be seen, and what is secret. */
#include "node-agent/volume/inside.h"

#include <ctype.h>
#include <string.h>

/* "%40" is "@". Control characters would end a line of what git is told. */
static bool decode(const char *text, size_t size, char *out, size_t out_size)
{
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        int byte = text_percent_byte(text + i, size - i);
        if (byte >= 0) {
            c = (char)byte;
            i += 2;
        }
        if ((unsigned char)c < 0x20 || used + 1 >= out_size)
            return false;
        out[used++] = c;
    }
    out[used] = '\0';
    return true;
}

static bool protocol_parse(const char *address, char *out, size_t size)
{
    const char *end = strstr(address, "://");

    if (!end || end == address || !text_format(out, size, "%.*s", (int)(end - address), address))
        return false;
    for (char *at = out; *at; at++) {
        if (!isalpha((unsigned char)*at))
            return false;
        *at = (char)tolower((unsigned char)*at);
    }
    return true;
}

/* "user:password@host/…": what is before the last '@' of the host's part. */
static bool user_parse(const char *authority, size_t size, struct git_address *out)
{
    const char *at = memrchr(authority, '@', size);

    if (!at)
        return true;
    size_t before = (size_t)(at - authority);
    const char *colon = memchr(authority, ':', before);
    size_t user_size = colon ? (size_t)(colon - authority) : before;
    return decode(authority, user_size, out->user, sizeof out->user) &&
           (!colon ||
            decode(colon + 1, before - user_size - 1, out->password, sizeof out->password));
}

bool git_address_parse(const char *address, struct git_address *out)
{
    struct git_address read = {0};

    if (!protocol_parse(address, read.protocol, sizeof read.protocol))
        return false;
    const char *authority = strstr(address, "://") + 3;
    size_t size = strcspn(authority, "/?#");
    if (!user_parse(authority, size, &read))
        return false;
    const char *at = memrchr(authority, '@', size);
    if (!text_format(read.clean, sizeof read.clean, "%s://%s", read.protocol,
                     at ? at + 1 : authority))
        return false;
    *out = read;
    return true;
}
