#include "dns/address.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

enum { HOST_SIZE = 64, PORT_MAX = 65535, MULTIPLIER = 16777619 };

/* "[host]:port" or "host:port" with one colon. */
static bool split(const char *word, char host[HOST_SIZE], const char **port)
{
    const char *colon = strrchr(word, ':');
    bool in_brackets = word[0] == '[';
    if (!colon || (in_brackets && colon[-1] != ']') || (!in_brackets && strchr(word, ':') != colon))
        return false;
    *port = colon + 1;
    const char *begin = word + in_brackets, *end = colon - in_brackets;
    return begin < end && text_format(host, HOST_SIZE, "%.*s", (int)(end - begin), begin);
}

bool address_parse(const char *word, union address *address)
{
    char host[HOST_SIZE];
    const char *port_text;
    int64_t port;
    union address found = {0};
    if (!split(word, host, &port_text) || !text_to_int(port_text, &port) || port < 0 ||
        port > PORT_MAX)
        return false;
    found.any.sa_family = word[0] == '[' ? AF_INET6 : AF_INET;
    if (word[0] == '[')
        found.six.sin6_port = htons((uint16_t)port);
    else
        found.four.sin_port = htons((uint16_t)port);
    void *bytes = word[0] == '[' ? (void *)&found.six.sin6_addr : (void *)&found.four.sin_addr;
    if (inet_pton(found.any.sa_family, host, bytes) != 1)
        return false;
    *address = found;
    return true;
}

socklen_t address_size(const union address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->six : sizeof address->four;
}

int address_port(const union address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->six.sin6_port
                                                    : address->four.sin_port);
}

uint32_t address_network(const union address *address)
{
    bool six = address->any.sa_family == AF_INET6;
    const uint8_t *bytes =
        six ? address->six.sin6_addr.s6_addr : (const uint8_t *)&address->four.sin_addr.s_addr;
    uint32_t network = six;
    for (size_t i = 0; i < (six ? 7 : 3); i++)
        network = (network ^ bytes[i]) * MULTIPLIER;
    return network;
}
