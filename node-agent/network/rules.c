/* One nftables table for the node and the kernel's forwarding switch; both only at open and close, nothing for each
 * group.
 *
 * The switch is the machine's, not ours: what it was is kept in a file, and as a comment in our table, from where
 * another agent's network on the same machine learns it, so that the last one to close can put it back. */
#include "node-agent/network/inside.h"

#include "base/file.h"
#include "base/process.h"

#include <string.h>

static const char forward_switch[] = "/proc/sys/net/ipv4/ip_forward";

enum { NFT_OUTPUT_MAX = 1 << 20, NFT_TIMEOUT_MS = 20000 };

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

static bool table_says_off(const char *table, bool *was_off, struct err *err)
{
    const char *const argv[] = {"nft", "list", "table", "ip", table, NULL};
    AUTO(text) *out = text_new(NFT_OUTPUT_MAX);
    if (!out)
        return err_set(err, ERR_BUSY, "no memory to list packet rules");
    if (!nft(argv, NULL, out, err))
        return false;
    if (strstr(out->bytes, "comment \"ip_forward was 0\""))
        *was_off = true;
    return true;
}

/* Other networks of ours on this machine: how many, and whether one of them says that the switch was off. */
static bool others_look(const struct network *network, int *count, bool *was_off, struct err *err)
{
    static const char *const argv[] = {"nft", "list", "tables", "ip", NULL};
    static const char line[] = "table ip ";
    AUTO(text) *out = text_new(NFT_OUTPUT_MAX);
    *count = 0;
    *was_off = false;
    if (!out)
        return err_set(err, ERR_BUSY, "no memory to list packet rules");
    if (!nft(argv, NULL, out, err))
        return false;
    for (const char *at = out->bytes; (at = strstr(at, line));) {
        char table[NETWORK_TABLE_SIZE];
        at += strlen(line);
        if (!text_format(table, sizeof table, "%.*s", (int)strcspn(at, "\n"), at) ||
            !text_has_prefix(table, "berth_") || strcmp(table, network->table) == 0)
            continue;
        ++*count;
        if (!table_says_off(table, was_off, err))
            return false;
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

static void rules_text(const struct network *network, const char *before, struct text *out)
{
    const char *table = network->table, *bridge = network->bridge, *range = network->range_text;
    text_addf(out, "table ip %s {}\ndelete table ip %s\n", table, table); /* replaced in one step */
    text_addf(out, "table ip %s {\n  comment \"ip_forward was %s\"\n", table, before);
    text_addf(out,
              "  chain forward {\n"
              "    type filter hook forward priority filter; policy accept;\n"
              "    iifname \"%s\" accept\n"
              "    oifname \"%s\" accept\n"
              "  }\n",
              bridge, bridge);
    /* Bridged packets come by here too where bridge-nf-call-iptables is on: the range itself is left alone. */
    if (network->nat)
        text_addf(out,
                  "  chain postrouting {\n"
                  "    type nat hook postrouting priority srcnat; policy accept;\n"
                  "    ip saddr %s ip daddr != %s oifname != \"%s\" masquerade\n"
                  "  }\n",
                  range, range, bridge);
    text_add(out, "}\n");
}

bool rules_put(const struct network *network, struct err *err)
{
    static const char *const argv[] = {"nft", "-f", "-", NULL};
    AUTO(text) *rules = text_new(8192);
    char before[2], now[2];
    if (!rules)
        return err_set(err, ERR_BUSY, "no memory for packet rules");
    if (!forward_before(network, before, err))
        return false;
    rules_text(network, before, rules);
    CHECK(text_ok(rules));
    if (!nft(argv, rules, NULL, err))
        return false;
    if (line_read(forward_switch, now, sizeof now) && strcmp(now, "1") == 0)
        return true;
    return setting_write(forward_switch, "1", err);
}

bool rules_remove(const struct network *network, struct err *err)
{
    static const char *const argv[] = {"nft", "-f", "-", NULL};
    AUTO(text) *rules = text_new(8192);
    char before[2], path[NETWORK_PATH_SIZE];
    int others;
    bool was_off;
    if (!rules || !network_path(network, path, "network/ip_forward"))
        return err_set(err, ERR_BUSY, "no memory for packet rules");
    text_addf(rules, "table ip %s {}\ndelete table ip %s\n", network->table, network->table);
    if (!nft(argv, rules, NULL, err) || !others_look(network, &others, &was_off, err))
        return false;
    if (others == 0 && line_read(path, before, sizeof before) && strcmp(before, "0") == 0)
        return setting_write(forward_switch, "0", err);
    return true;
}
