/* The address, its label, the subnet and the resolver (aci/features.md §12, §13). */
#include "model/check/inside.h"

#include <arpa/inet.h>
#include <string.h>

static bool label_valid(const char *label)
{
    return word_hyphened(label, 5, 63, true) && label[0] >= 'a' && label[0] <= 'z';
}

static void check_label(struct check *check, const struct group_address *address)
{
    static const char path[] = "properties.ipAddress.dnsNameLabel";
    bool has_subnet = check->group->properties->subnets_count > 0;

    if (!label_valid(address->dns_name_label))
        check_problem(check, ERR_DNS_LABEL, path,
                      "The DNS name label '%.63s' in container group '%.63s' is invalid. It can "
                      "contain only lowercase letters, numbers and hyphens. The first character "
                      "must be a letter. The last character must be a letter or number. The value "
                      "must be between 5 and 63 characters long.",
                      address->dns_name_label, check->name);
    else if (address->type == ADDRESS_PRIVATE || has_subnet)
        check_problem(check, ERR_DNS_LABEL, path,
                      "The DNS name label '%.63s' in container group '%.63s' needs an 'ipAddress' "
                      "of type 'Public'%s.",
                      address->dns_name_label, check->name,
                      has_subnet ? " and no 'subnetIds'" : "");
}

static void check_address(struct check *check, const struct group_address *address)
{
    if (address->ports_count == 0)
        check_problem(check, ERR_ADDRESS_PORTS_MISSING, "properties.ipAddress.ports",
                      "The ports in the 'ipAddress' of container group '%s' cannot be empty.",
                      check->name);
    if (address->ports_count > (size_t)LIMIT_ADDRESS_PORTS_MAX)
        check_problem(check, ERR_PORTS, "properties.ipAddress.ports",
                      "The 'ipAddress' of container group '%.63s' has %zu ports; the limit is %d.",
                      check->name, address->ports_count, LIMIT_ADDRESS_PORTS_MAX);
    if (address->type == ADDRESS_PUBLIC && check->group->properties->subnets_count > 0)
        check_problem(check, ERR_ADDRESS_TYPE, "properties.ipAddress.type",
                      "IP Address type can't be public when network profile is set.");
    if (address->dns_name_label)
        check_label(check, address);
}

/* /subscriptions/…/virtualNetworks/…/subnets/<name> */
static bool subnet_valid(const char *id)
{
    static const char word[] = "/subnets";
    const char *slash = strrchr(id, '/');

    return word_arm_id(id) && slash - id >= (ptrdiff_t)sizeof word &&
           strncasecmp(slash - (sizeof word - 1), word, sizeof word - 1) == 0;
}

static void check_subnets(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->subnets_count; i++) {
        const char *id = properties->subnets[i].id;
        if (id && !subnet_valid(id))
            check_problem(check, ERR_SUBNET, LIST_PATH(check, "subnetIds", i, ".id"),
                          "The subnet '%.160s' of container group '%.63s' is no resource id of a "
                          "subnet (/subscriptions/…/virtualNetworks/…/subnets/…).",
                          id, check->name);
    }
}

/* ---- the resolver: its texts become lines of a file ---- */

static bool address_valid(const char *text)
{
    struct in6_addr address;

    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static bool domains_valid(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ") ==
           strlen(text);
}

static void check_dns(struct check *check, const struct dns_config *dns)
{
    for (size_t i = 0; i < dns->name_servers.count; i++) {
        if (!address_valid(dns->name_servers.items[i]))
            check_problem(check, ERR_DNS_CONFIG,
                          check_path(check, "properties.dnsConfig.nameServers[%zu]", i),
                          "The name server '%.63s' of container group '%.63s' is no IP address.",
                          dns->name_servers.items[i], check->name);
    }
    if (dns->search_domains && !domains_valid(dns->search_domains))
        check_problem(check, ERR_DNS_CONFIG, "properties.dnsConfig.searchDomains",
                      "The search domains '%.160s' of container group '%.63s' are no names of "
                      "domains separated by blanks.",
                      dns->search_domains, check->name);
    if (dns->options && !word_plain(dns->options))
        check_problem(check, ERR_DNS_CONFIG, "properties.dnsConfig.options",
                      "The resolver options of container group '%.63s' must be one line of text.",
                      check->name);
}

void check_network(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    if (properties->address)
        check_address(check, properties->address);
    check_subnets(check);
    if (properties->dns)
        check_dns(check, properties->dns);
}
