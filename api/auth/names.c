#include "api/auth/names.h"

#include "base/limits.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SIZE = 256 };

bool name_is_address(const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

/* What may stand in a certificate as a DNS name. */
static bool name_is_host(const char *name)
{
    size_t size = strnlen(name, NAME_SIZE);

    return size > 0 && size <= 253 && name[0] != '.' && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
               size;
}

bool names_hold(const struct text_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (text_equal_nocase(names->items[i], name))
            return true;
    }
    return false;
}

/* ---- URLs ---- */

bool url_host(const char *url, char *out, size_t size)
{
    const char *host = strstr(url, "://");

    if (!host)
        return false;
    host += 3;
    size_t length = strcspn(host, "/?#@");
    if (host[length] == '@' || length == 0)
        return false;
    if (host[0] == '[') {
        const char *end = memchr(host, ']', length);
        return end && end > host + 1 &&
               text_format(out, size, "%.*s", (int)(end - host - 1), host + 1);
    }
    length = strcspn(host, ":/?#");
    return length > 0 && text_format(out, size, "%.*s", (int)length, host);
}

/* Clients that keep the public cloud's audience sign in all the same. */
static bool is_public_audience(const char *audience)
{
    static const char *const hosts[] = {"management.azure.com", "management.core.windows.net"};
    char host[NAME_SIZE];

    for (size_t i = 0; url_host(audience, host, sizeof host) && i < COUNT_OF(hosts); i++) {
        if (text_equal_nocase(host, hosts[i]))
            return true;
    }
    return false;
}

bool names_hold_audience(const struct text_list *names, const char *audience)
{
    char host[NAME_SIZE];

    if (!text_has_prefix(audience, "https://") && !text_has_prefix(audience, "http://"))
        return false;
    return (url_host(audience, host, sizeof host) && names_hold(names, host)) ||
           is_public_audience(audience);
}

/* ---- the list ---- */

struct making {
    struct text_list *names;
    struct arena *arena;
    struct err *err;
};

static bool add(struct making *making, const char *name, const char *field)
{
    struct text_list *names = making->names;

    if (names_hold(names, name))
        return true;
    if (!name_is_address(name) && !name_is_host(name))
        return err_set_field(making->err, ERR_INVALID, field,
                             "'%.80s' is neither a host name nor an IP address", name);
    if (names->count == LIMIT_TLS_NAMES_MAX)
        return err_set_field(making->err, ERR_INVALID, "tls_names",
                             "the server has more than %d names", LIMIT_TLS_NAMES_MAX);
    names->items[names->count] = arena_text(making->arena, name);
    return names->items[names->count++] ||
           err_set(making->err, ERR_BUSY, "out of memory for the server's names");
}

static bool add_host_name(struct making *making)
{
    char name[NAME_SIZE] = "";

    if (gethostname(name, sizeof name - 1) != 0 || !name_is_host(name))
        return true; /* one that no certificate could hold */
    return add(making, name, "");
}

static bool add_base_url(struct making *making, const char *url)
{
    char host[NAME_SIZE];

    if (!url)
        return true;
    if (!url_host(url, host, sizeof host))
        return err_set_field(making->err, ERR_INVALID, "base_url", "'%.100s' is no URL with a host",
                             url);
    return add(making, host, "base_url");
}

/* 0.0.0.0 and :: are nobody's address. */
static bool add_listen_address(struct making *making, const char *address)
{
    if (!address || strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0)
        return true;
    return add(making, address, "listen_address");
}

bool names_make(const struct auth_options *options, struct arena *arena, struct text_list *names,
                struct err *err)
{
    struct making making = {names, arena, err};

    *names = (struct text_list){.given = true};
    names->items = arena_array(arena, (size_t)LIMIT_TLS_NAMES_MAX, sizeof *names->items);
    if (!names->items)
        return err_set(err, ERR_BUSY, "out of memory for the server's names");
    if (!add(&making, "127.0.0.1", "") || !add(&making, "::1", "") ||
        !add(&making, "localhost", "") || !add_host_name(&making) ||
        !add_listen_address(&making, options->listen_address) ||
        !add_base_url(&making, options->base_url))
        return false;
    for (size_t i = 0; i < options->names.count; i++) {
        if (!add(&making, options->names.items[i], "tls_names"))
            return false;
    }
    return true;
}
