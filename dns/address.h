/* An IP address and a port in one word: "127.0.0.1:53", "[::1]:53".   Threads: any. */
#ifndef DNS_ADDRESS_H
#define DNS_ADDRESS_H

#include "base/auto.h"

#include <netinet/in.h>
#include <sys/socket.h>

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

bool address_parse(const char *word, union address *address) MUST_CHECK;
socklen_t address_size(const union address *address);
int address_port(const union address *address);
/* The same 0..2^32 for all of a network (/24, /56): who floods has many addresses in it. */
uint32_t address_network(const union address *address);

#endif
