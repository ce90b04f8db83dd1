/* hosts, hostname and resolv.conf of a group, for its containers to mount. */
#include "node-agent/network/inside.h"

#include "base/file.h"

#include <errno.h>
#include <string.h>

enum { FILE_MAX = 16384 };

/* Root in the group may write to it, as to any file of its own. */
static bool give(const struct network *network, const char *uid, const char *path, struct err *err)
{
    char folder[NETWORK_PATH_SIZE];
    uint32_t owner;
    group_path(network, uid, "", folder);
    return !users_read(folder, &owner) || chown(path, owner, owner) == 0 ||
           err_set_os(err, ERR_IO, errno, "cannot give %s to its group", path);
}

static bool content_write(const struct network *network, const char *uid, const char *name,
                          struct text *content, struct err *err)
{
    char path[NETWORK_PATH_SIZE];
    if (!text_ok(content))
        return err_set(err, ERR_TOO_LARGE, "%s of group %s would be larger than %d bytes", name,
                       uid, FILE_MAX);
    group_path(network, uid, name, path);
    return file_replace(path, content->bytes, content->size, 0644, false, err) &&
           give(network, uid, path, err);
}

static bool word_is(const char *line, const char *word)
{
    size_t size = strlen(word);
    return strncmp(line, word, size) == 0 && (line[size] == ' ' || line[size] == '\t');
}

/* "nameserver 127.0.0.53" is the node's own resolver: inside a group nobody answers there. */
static bool server_usable(const char *line)
{
    const char *address = line + strlen("nameserver");
    address += strspn(address, " \t");
    return !text_has_prefix(address, "127.") && !word_is(address, "::1") &&
           strcmp(address, "::1") != 0 && !strchr(address, '%') && *address;
}

static bool line_usable(const char *line, int *servers)
{
    if (word_is(line, "search") || word_is(line, "domain") || word_is(line, "options"))
        return true;
    if (!word_is(line, "nameserver") || !server_usable(line))
        return false;
    ++*servers;
    return true;
}

int resolv_filter(const char *content, struct text *out)
{
    int servers = 0;
    char line[512];
    for (size_t size; *content; content += size + (content[size] == '\n')) {
        size = strcspn(content, "\n");
        if (text_format(line, sizeof line, "%.*s", (int)size, content) &&
            line_usable(line, &servers))
            text_addf(out, "%s\n", line);
    }
    return servers;
}

/* Where systemd-resolved stands in front, the servers it asks are in its own file. */
static void resolv_of_node(struct text *out)
{
    static const char *const sources[] = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"};
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        AUTO_FREE char *content = NULL;
        size_t size;
        struct err ignored;
        if (!file_read(sources[i], FILE_MAX, &content, &size, &ignored))
            continue;
        text_clear(out);
        if (resolv_filter(content, out) > 0)
            return;
    }
}

void resolv_servers(void (*each)(uint32_t address, void *context), void *context)
{
    AUTO(text) *content = text_new(FILE_MAX);
    char *line, *rest;
    uint32_t address;
    resolv_of_node(content);
    if (!text_ok(content) || content->size == 0)
        return;
    for (rest = content->bytes; (line = strsep(&rest, "\n"));) {
        if (!word_is(line, "nameserver"))
            continue;
        line += strlen("nameserver");
        if (address_parse(line + strspn(line, " \t"), &address))
            each(address, context);
    }
}

static void resolv_text(const struct network_spec *spec, struct text *out)
{
    if (spec->dns_servers_count == 0)
        resolv_of_node(out);
    for (size_t i = 0; i < spec->dns_servers_count; i++)
        text_addf(out, "nameserver %s\n", spec->dns_servers[i]);
    if (spec->dns_search && *spec->dns_search)
        text_addf(out, "search %s\n", spec->dns_search);
    if (spec->dns_options && *spec->dns_options)
        text_addf(out, "options %s\n", spec->dns_options);
}

static void hosts_text(const struct network_spec *spec, uint32_t address, struct text *out)
{
    char text[NETWORK_ADDRESS_SIZE];
    address_text(address, text);
    text_add(out, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    text_addf(out, "%s\t%s\n", text, spec->hostname);
}

bool files_write(const struct network *network, const struct network_spec *spec, uint32_t address,
                 struct err *err)
{
    AUTO(text) *content = text_new(FILE_MAX);
    if (!content)
        return err_set(err, ERR_BUSY, "no memory for the files of a group");
    hosts_text(spec, address, content);
    if (!content_write(network, spec->uid, "hosts", content, err))
        return false;
    text_clear(content);
    text_addf(content, "%s\n", spec->hostname);
    if (!content_write(network, spec->uid, "hostname", content, err))
        return false;
    text_clear(content);
    resolv_text(spec, content);
    return content_write(network, spec->uid, "resolv.conf", content, err);
}
