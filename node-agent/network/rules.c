/* The nftables tables of the node and the kernel's forwarding switch; both only at open and close. A group is no rule
 * but elements of the sets declared here (group_rules.c).
 *
 * The switch is the machine's, not ours: what it was is kept in a file, and as a comment in our table, from where
 * another agent's network on the same machine learns it, so that the last one to close can put it back. */
#include "node-agent/network/inside.h"

#include "base/file.h"
#include "base/process.h"

#include <string.h>

static const char forward_switch[] = "/proc/sys/net/ipv4/ip_forward";

enum { NFT_OUTPUT_MAX = 1 << 20, NFT_TIMEOUT_MS = 20000, RULES_MAX = 65536 };

/* Runs nft with `ruleset` on its standard input, or with arguments alone. False also when it refuses. */
static bool nft(const char *const *argv, const struct text *ruleset, struct text *out,
                struct err *err)
{
    AUTO(text) *errors = text_new(4096);
    struct process process = {.argv = argv, .timeout_ms = NFT_TIMEOUT_MS};
    struct process_result result;
    if (!errors)
        return err_set(err, ERR_BUSY, "no memory to run nft");
    if (ruleset) {
        process.input = ruleset->bytes;
        process.input_size = ruleset->size;
    }
    if (!process_run(&process, out, errors, &result, err))
        return err_add(err, "while setting packet rules");
    if (result.timed_out)
        return err_set(err, ERR_TIMEOUT, "nft did not end within %d s", NFT_TIMEOUT_MS / 1000);
    if (result.exit_code != 0)
        return err_set(err, ERR_IO, "nft refused the rules: %.*s",
                       (int)strcspn(errors->bytes, "\n"), errors->bytes);
    return true;
}

/* False also when it went meanwhile, with its agent. */
static bool table_read(const char *table, struct text *out)
{
    const char *const argv[] = {"nft", "list", "table", "ip", table, NULL};
    struct err gone;
    return nft(argv, NULL, out, &gone);
}

/* Other networks of ours on this machine: how many, and whether one of them says that the switch was off. */
static bool others_look(const struct network *network, int *count, bool *was_off, struct err *err)
{
    static const char *const argv[] = {"nft", "list", "tables", "ip", NULL};
    static const char line[] = "table ip ";
    AUTO(text) *out = text_new(NFT_OUTPUT_MAX);
    AUTO(text) *one = text_new(NFT_OUTPUT_MAX);
    *count = 0;
    *was_off = false;
    if (!out || !one)
        return err_set(err, ERR_BUSY, "no memory to list packet rules");
    if (!nft(argv, NULL, out, err))
        return false;
    for (const char *at = out->bytes; (at = strstr(at, line));) {
        char table[NETWORK_TABLE_SIZE];
        at += strlen(line);
        if (!text_format(table, sizeof table, "%.*s", (int)strcspn(at, "\n"), at) ||
            !text_has_prefix(table, "berth_") || strcmp(table, network->table) == 0)
            continue;
        text_clear(one);
        if (!table_read(table, one))
            continue;
        ++*count;
        *was_off |= strstr(one->bytes, "comment \"ip_forward was 0\"") != NULL;
    }
    return true;
}

/* "0" when we, or another network of ours before us, switched it on. */
static bool forward_before(const struct network *network, char before[2], struct err *err)
{
    char path[NETWORK_PATH_SIZE];
    int others;
    bool was_off;
    if (!network_path(network, path, "network/ip_forward"))
        return err_set(err, ERR_INVALID, "the run folder's name is too long");
    if (line_read(path, before, 2))
        return true;
    if (!line_read(forward_switch, before, 2))
        return err_set(err, ERR_IO, "cannot read %s", forward_switch);
    if (strcmp(before, "0") != 0) {
        if (!others_look(network, &others, &was_off, err))
            return false;
        text_copy(before, 2, was_off ? "0" : "1");
    }
    return line_write(path, before, err);
}

/* ---- the rules ---- */

static void name_server_rule(uint32_t address, void *context)
{
    char text[NETWORK_ADDRESS_SIZE];
    address_text(address, text);
    text_addf(context, "    ip daddr %s meta l4proto { tcp, udp } th dport 53 accept\n", text);
}

/* What the elements mean. A map's missing key makes its rule not match. */
static const char sets[] =
    "  set " SET_LINKS " { type ifname; }\n" /* to the groups */
    "  set " SET_OWNERS " { type ifname . ipv4_addr; }\n"
    "  set " SET_OPEN
    " { type ipv4_addr . inet_proto . inet_service; }\n" /* reached from outside */
    "  map " MAP_PUBLISHED " { type ipv4_addr . inet_proto . inet_service : ipv4_addr; }\n"
    "  map " MAP_LEAVES_AS " { type ipv4_addr : ipv4_addr; }\n" /* group: its public address */
    "  set " SET_RESERVED " { type ipv4_addr; }\n" /* public addresses that are no node's own */
    "  map " MAP_SUBNET " { type ipv4_addr : mark; }\n"
    "  set " SET_NEIGHBOURS " { type ipv4_addr . mark; }\n";

/* A link of ours sends as the group it belongs to, or not at all. */
static const char link_rules[] = "  chain links_in {\n"
                                 "    type filter hook prerouting priority raw; policy accept;\n"
                                 "    iifname != @" SET_LINKS " accept\n"
                                 "    iifname . ip saddr @" SET_OWNERS " accept\n"
                                 "    drop\n"
                                 "  }\n";

/* As a host says that nobody listens: whoever asks knows at once. */
static const char refuse_rules[] = "  chain refuse {\n"
                                   "    meta l4proto tcp reject with tcp reset\n"
                                   "    reject with icmp port-unreachable\n"
                                   "  }\n";

/* To a group from anywhere outside it. */
static const char inbound_rules[] = "  chain inbound {\n"
                                    "    ip daddr . meta l4proto . th dport @" SET_OPEN " accept\n"
                                    "    goto refuse\n"
                                    "  }\n";

/* Names of `set`'s members: items that begin with '!' (or do not), without it. False: there are none. */
static bool outbound_set(const struct text_list *list, bool denied, struct text *out)
{
    bool any = false;
    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i];
        if ((*item == '!') != denied || strcmp(item, "none") == 0)
            continue;
        text_addf(out, "%s%s", any ? ", " : "", item + denied);
        any = true;
    }
    return any;
}

static bool outbound_bounded(const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i][0] != '!')
            return true;
    }
    return false;
}

static void outbound_ports(const struct text_list *ports, struct text *out)
{
    static const char mail[] = "25"; /* groups that send it get the whole range blocked elsewhere */
    if (!ports->given)
        text_addf(out, "    tcp dport %s goto refuse\n", mail);
    for (size_t i = 0; i < ports->count; i++)
        text_addf(out, "    tcp dport %s goto refuse\n", ports->items[i]);
}

/* From a group to anywhere else. "ct original" is what it asked for, before a public address became that of a group.
 * Link-local addresses are nobody's; a metadata service of a group's own would be a map of these addresses in
 * prerouting and its exception here. */
static void outbound_rules(const struct network *network, struct text *out)
{
    AUTO(text) *ranges = text_new(RULES_MAX);
    text_add(out, "  chain outbound {\n"
                  "    ct original ip daddr 169.254.0.0/16 goto refuse\n");
    outbound_ports(&network->outbound_closed_ports, out);
    if (outbound_set(&network->outbound, true, ranges))
        text_addf(out, "    ct original ip daddr { %s } goto refuse\n", ranges->bytes);
    text_clear(ranges);
    if (outbound_set(&network->outbound, false, ranges))
        text_addf(out, "    ct original ip daddr != { %s } goto refuse\n", ranges->bytes);
    else if (outbound_bounded(&network->outbound))
        text_add(out, "    goto refuse\n");
    text_add(out, "  }\n");
}

static void forward_rules(const struct network *network, struct text *out)
{
    text_add(out, refuse_rules);
    text_add(out, inbound_rules);
    outbound_rules(network, out);
    text_add(out, "  chain forward {\n"
                  "    type filter hook forward priority filter; policy accept;\n"
                  "    ct state established,related accept\n"
                  "    iifname @" SET_LINKS " oifname @" SET_LINKS
                  " meta mark set ip saddr map @" MAP_SUBNET
                  " ip daddr . meta mark @" SET_NEIGHBOURS " accept\n"
                  "    iifname @" SET_LINKS " jump outbound\n"
                  "    oifname @" SET_LINKS " jump inbound\n"
                  "  }\n");
}

/* To the node: groups may ask its gateway for an echo and the name servers they were given, nothing else. The node's
 * own sockets reach the open ports, root's all. */
static void node_rules(struct text *out)
{
    text_add(out, "  chain input {\n"
                  "    type filter hook input priority filter; policy accept;\n"
                  "    ct state established,related accept\n"
                  "    ip daddr @" SET_RESERVED " goto refuse\n"
                  "    iifname != @" SET_LINKS " accept\n"
                  "    icmp type echo-request accept\n");
    resolv_servers(name_server_rule, out);
    text_add(out, "    goto refuse\n"
                  "  }\n"
                  "  chain output {\n"
                  "    type filter hook output priority filter; policy accept;\n"
                  "    oifname != @" SET_LINKS " accept\n"
                  "    ct state new meta skuid != 0 jump inbound\n"
                  "  }\n");
}

/* A group that asks for a public address of this node leaves under its own, so that answers come back the same way, also
 * from itself. */
static void address_rules(const struct network *network, struct text *out)
{
    const char *range = network->range_text;
    text_add(out, "  chain prerouting {\n"
                  "    type nat hook prerouting priority dstnat; policy accept;\n"
                  "    dnat ip to ip daddr . meta l4proto . th dport map @" MAP_PUBLISHED "\n"
                  "  }\n"
                  "  chain local {\n"
                  "    type nat hook output priority -100; policy accept;\n"
                  "    dnat ip to ip daddr . meta l4proto . th dport map @" MAP_PUBLISHED "\n"
                  "  }\n");
    text_addf(out,
              "  chain postrouting {\n"
              "    type nat hook postrouting priority srcnat; policy accept;\n"
              "    oifname @" SET_LINKS " ct status dnat snat ip to ip saddr map @" MAP_LEAVES_AS
              "\n"
              "    ip daddr != %s snat ip to ip saddr map @" MAP_LEAVES_AS "\n",
              range);
    if (network->nat)
        text_addf(out, "    ip saddr %s ip daddr != %s oifname != @" SET_LINKS " masquerade\n",
                  range, range);
    text_add(out, "  }\n");
}

/* The rules are replaced in one step; the sets keep their elements, so that what is open stays open. */
static void rules_text(const struct network *network, const char *before, struct text *out)
{
    const char *table = network->table;
    text_addf(out, "table ip %s { comment \"ip_forward was %s\"; }\nflush table ip %s\n", table,
              before, table);
    text_addf(out, "table ip %s {\n", table);
    text_add(out, sets);
    text_add(out, link_rules);
    forward_rules(network, out);
    node_rules(out);
    address_rules(network, out);
    text_add(out, "}\n");
}

static void tables_delete(const struct network *network, struct text *out)
{
    const char *table = network->table;
    text_addf(out, "table ip %s {}\ndelete table ip %s\n", table, table);
}

/* Sets of an agent of another version may not be as these are: then everything is made anew. */
static bool tables_put(const struct network *network, const char *before, struct err *err)
{
    static const char *const argv[] = {"nft", "-f", "-", NULL};
    AUTO(text) *rules = text_new(RULES_MAX);
    struct err ignored;
    if (!rules)
        return err_set(err, ERR_BUSY, "no memory for packet rules");
    rules_text(network, before, rules);
    CHECK(text_ok(rules));
    if (nft(argv, rules, NULL, &ignored))
        return true;
    text_clear(rules);
    tables_delete(network, rules);
    rules_text(network, before, rules);
    CHECK(text_ok(rules));
    return nft(argv, rules, NULL, err);
}

bool rules_put(const struct network *network, struct err *err)
{
    char before[2], now[2];
    if (!forward_before(network, before, err) || !tables_put(network, before, err))
        return false;
    if (line_read(forward_switch, now, sizeof now) && strcmp(now, "1") == 0)
        return true;
    return setting_write(forward_switch, "1", err);
}

bool rules_remove(const struct network *network, struct err *err)
{
    static const char *const argv[] = {"nft", "-f", "-", NULL};
    AUTO(text) *rules = text_new(RULES_MAX);
    char before[2], path[NETWORK_PATH_SIZE];
    int others;
    bool was_off;
    if (!rules || !network_path(network, path, "network/ip_forward"))
        return err_set(err, ERR_BUSY, "no memory for packet rules");
    tables_delete(network, rules);
    if (!nft(argv, rules, NULL, err) || !others_look(network, &others, &was_off, err))
        return false;
    if (others == 0 && line_read(path, before, sizeof before) && strcmp(before, "0") == 0)
        return setting_write(forward_switch, "0", err);
    return true;
}
