#include "dns/dns.h"

#include "dns/address.h"
#include "dns/room.h"

struct dns {
    struct server *server;
    struct updater *updater;
};

static void listen_changes(void *context, const struct change *changes, size_t count)
{
    const struct dns *dns = context;
    for (size_t i = 0; i < count; i++)
        if (changes[i].kind == CHANGE_NAME) {
            updater_wake(dns->updater);
            return;
        }
}

static bool make(struct dns *dns, const struct dns_options *options, struct err *err)
{
    if (options->listen && !(dns->server = server_new(options, err)))
        return false;
    if (!options->update.server)
        return true;
    dns->updater = updater_new(options, err);
    if (dns->updater)
        store_listen(options->store, listen_changes, dns);
    return dns->updater;
}

struct dns *dns_new(const struct dns_options *options, struct err *err)
{
    AUTO(dns) *dns = calloc(1, sizeof *dns);
    if (!dns) {
        err_set(err, ERR_BUSY, "out of memory for the DNS zone");
        return NULL;
    }
    return make(dns, options, err) ? TAKE(dns) : NULL; /* what listens is made last, and stays */
}

bool dns_start(struct dns *dns, struct err *err)
{
    return (!dns->server || server_start(dns->server, err)) &&
           (!dns->updater || updater_start(dns->updater, err));
}

int dns_port(const struct dns *dns)
{
    return dns->server ? server_port(dns->server) : 0;
}

void dns_stop(struct dns *dns)
{
    if (!dns)
        return;
    server_stop(dns->server);
    updater_stop(dns->updater);
}

void dns_free(struct dns *dns)
{
    if (!dns)
        return;
    server_free(dns->server);
    updater_free(dns->updater);
    free(dns);
}

bool dns_address_valid(const char *address_port)
{
    union address unused;
    return address_parse(address_port, &unused);
}
