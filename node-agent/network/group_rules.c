/* What the packet rules know of one group: which link and address belong together, which ports are open, under
 * which public address it is reached and leaves. The file "rules" in its folder says what the kernel was told; it is
 * written first, so what the kernel has can always be taken back. */
#include "node-agent/network/inside.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 4096, FIXED_MAX = 8, NAMES_ARENA = 16 << 20 };
enum { ELEMENTS_MAX = FIXED_MAX + 2 * GROUP_PORTS_MAX };

struct element_list {
    struct element items[ELEMENTS_MAX];
    size_t count;
};

/* ---- elements ---- */

static struct element *element_new(struct element_list *list, const char *set)
{
    CHECK(list->count < ELEMENTS_MAX);
    struct element *element = &list->items[list->count++];
    *element = (struct element){.set = set};
    return element;
}

/* One part of a key, filled up to four bytes. */
static void key_add(struct element *element, const void *bytes, size_t size)
{
    size_t filled = (size + 3) / 4 * 4;
    CHECK(element->key_size + filled <= ELEMENT_KEY_SIZE);
    memcpy(element->key + element->key_size, bytes, size);
    element->key_size += filled;
}

static void key_add_address(struct element *element, uint32_t address)
{
    uint32_t bytes = htonl(address);
    key_add(element, &bytes, sizeof bytes);
}

static void key_add_port(struct element *element, const struct network_port *port)
{
    uint8_t protocol = (uint8_t)port->protocol;
    uint16_t bytes = htons(port->port);
    key_add(element, &protocol, sizeof protocol);
    key_add(element, &bytes, sizeof bytes);
}

static void map_to_address(struct element *element, uint32_t address)
{
    element->mapped = true;
    element->value = htonl(address);
}

static void link_elements(const struct group_rules *rules, const char *link,
                          struct element_list *list)
{
    char name[NETWORK_LINK_SIZE] = {0};
    struct element *element = element_new(list, SET_LINKS);
    text_copy(name, sizeof name, link);
    key_add(element, name, sizeof name);
    element = element_new(list, SET_OWNERS);
    key_add(element, name, sizeof name);
    key_add_address(element, rules->address);
}

static void port_elements(const struct group_rules *rules, const struct network_port *port,
                          struct element_list *list)
{
    struct element *element = element_new(list, SET_OPEN);
    key_add_address(element, rules->address);
    key_add_port(element, port);
    if (rules->public_address == 0)
        return;
    element = element_new(list, MAP_PUBLISHED);
    key_add_address(element, rules->public_address);
    key_add_port(element, port);
    map_to_address(element, rules->address);
}

static void public_elements(const struct group_rules *rules, struct element_list *list)
{
    struct element *element = element_new(list, MAP_LEAVES_AS);
    key_add_address(element, rules->address);
    map_to_address(element, rules->public_address);
    if (!rules->public_own)
        return;
    element = element_new(list, SET_RESERVED);
    key_add_address(element, rules->public_address);
}

static void subnet_elements(const struct group_rules *rules, struct element_list *list)
{
    struct element *element = element_new(list, MAP_SUBNET);
    key_add_address(element, rules->address);
    element->mapped = true;
    element->value = rules->subnet;
    element = element_new(list, SET_NEIGHBOURS);
    key_add_address(element, rules->address);
    key_add(element, &rules->subnet, sizeof rules->subnet);
}

static void elements_of(const struct group_rules *rules, const char *link,
                        struct element_list *list)
{
    *list = (struct element_list){.count = 0};
    if (rules->address == 0)
        return;
    link_elements(rules, link, list);
    for (size_t i = 0; i < rules->ports_count; i++)
        port_elements(rules, &rules->ports[i], list);
    if (rules->public_address != 0)
        public_elements(rules, list);
    if (rules->subnet != 0)
        subnet_elements(rules, list);
}

static bool list_has(const struct element_list *list, const struct element *element)
{
    for (size_t i = 0; i < list->count; i++) {
        if (element_compare(&list->items[i], element) == 0)
            return true;
    }
    return false;
}

/* ---- the file ---- */

static void rules_dump(const struct group_rules *rules, struct text *out)
{
    char address[NETWORK_ADDRESS_SIZE];
    address_text(rules->address, address);
    text_addf(out, "address %s\n", address);
    for (size_t i = 0; i < rules->ports_count; i++)
        text_addf(out, "%s %d\n", rules->ports[i].protocol == IPPROTO_UDP ? "udp" : "tcp",
                  rules->ports[i].port);
    address_text(rules->public_address, address);
    if (rules->public_address != 0)
        text_addf(out, "%s %s\n", rules->public_own ? "public" : "shared", address);
    if (rules->subnet != 0)
        text_addf(out, "subnet %u\n", rules->subnet);
}

static bool port_parse(int protocol, const char *value, struct group_rules *rules)
{
    int64_t port;
    if (!text_to_int(value, &port) || port < 1 || port > UINT16_MAX ||
        rules->ports_count == GROUP_PORTS_MAX)
        return false;
    rules->ports[rules->ports_count++] =
        (struct network_port){.protocol = protocol, .port = (uint16_t)port};
    return true;
}

static bool line_parse(const char *word, const char *value, struct group_rules *rules)
{
    int64_t number;
    if (strcmp(word, "address") == 0)
        return address_parse(value, &rules->address);
    if (strcmp(word, "tcp") == 0 || strcmp(word, "udp") == 0)
        return port_parse(*word == 'u' ? IPPROTO_UDP : IPPROTO_TCP, value, rules);
    if (strcmp(word, "public") == 0 || strcmp(word, "shared") == 0) {
        rules->public_own = *word == 'p';
        return address_parse(value, &rules->public_address);
    }
    if (strcmp(word, "subnet") != 0 || !text_to_int(value, &number) || number < 1 ||
        number > UINT32_MAX)
        return false;
    rules->subnet = (uint32_t)number;
    return true;
}

bool group_rules_read(const struct network *network, const char *uid, struct group_rules *out)
{
    AUTO_FREE char *bytes = NULL;
    char path[NETWORK_PATH_SIZE], *rest, *line;
    struct group_rules found = {0};
    size_t size;
    struct err ignored;
    group_path(network, uid, "rules", path);
    if (!file_read(path, FILE_MAX, &bytes, &size, &ignored))
        return false;
    for (rest = bytes; (line = strsep(&rest, "\n")) && *line;) {
        char *value = line;
        const char *word = strsep(&value, " ");
        if (!value || !line_parse(word, value, &found))
            return false;
    }
    *out = found;
    return found.address != 0;
}

static bool rules_write(const struct network *network, const char *uid,
                        const struct group_rules *rules, struct err *err)
{
    AUTO(text) *content = text_new(FILE_MAX);
    char path[NETWORK_PATH_SIZE];
    group_path(network, uid, "rules", path);
    rules_dump(rules, content);
    if (!text_ok(content))
        return err_set(err, ERR_BUSY, "no memory for the rules of a group");
    return file_replace(path, content->bytes, content->size, 0644, false, err);
}

static void rules_forget(const struct network *network, const char *uid)
{
    char path[NETWORK_PATH_SIZE];
    group_path(network, uid, "rules", path);
    unlink(path);
}

/* ---- the kernel ---- */

/* The lock is held. */
static bool kernel_change(struct network *network, const char *uid, const struct group_rules *was,
                          const struct group_rules *now, struct err *err)
{
    struct elements *change = network->elements;
    struct element_list before, after;
    char link[NETWORK_LINK_SIZE];
    link_name(network->bridge, uid, link);
    elements_of(was, link, &before);
    elements_of(now, link, &after);
    for (size_t i = 0; i < before.count; i++) {
        if (!list_has(&after, &before.items[i]))
            elements_drop(change, &before.items[i]);
    }
    for (size_t i = 0; i < after.count; i++)
        elements_put(change, &after.items[i]);
    if (!elements_commit(change, err))
        return false;
    if (now->address == 0)
        rules_forget(network, uid);
    return true;
}

static bool unpublish(const struct network *network, const struct group_rules *was,
                      const struct group_rules *now, struct err *err)
{
    bool leaves = was->public_own && was->public_address != 0 &&
                  !(now->public_own && now->public_address == was->public_address);
    return !leaves || public_remove(network, was->public_address, err);
}

/* When it fails the rules are on record already: the next try goes on from there. */
static bool address_move(const struct network *network, const struct group_rules *was,
                         const struct group_rules *now, bool publish, struct err *err)
{
    bool comes = now->public_own && now->public_address != 0 &&
                 (publish || public_held(network, now->public_address));
    return unpublish(network, was, now, err) &&
           (!comes || public_add(network, now->public_address, err));
}

/* File and kernel in one step for who compares them (members.c). */
static bool record_change(struct network *network, const char *uid, const struct group_rules *rules,
                          struct group_rules *was, struct err *err)
{
    struct err ignored;
    WITH_LOCK(&network->lock);
    if (!group_rules_read(network, uid, was))
        *was = (struct group_rules){0};
    if (!rules_write(network, uid, rules, err))
        return false;
    if (kernel_change(network, uid, was, rules, err))
        return true;
    if (!rules_write(network, uid, was, &ignored))
        return err_add(err, "(and what the kernel has is no longer on record: %s)", ignored.text);
    return false;
}

bool group_rules_set(struct network *network, const char *uid, const struct group_rules *rules,
                     bool publish, struct err *err)
{
    struct group_rules was;
    return record_change(network, uid, rules, &was, err) &&
           address_move(network, &was, rules, publish, err);
}

/* Without a file nobody knows what the kernel has: whoever looks next finds out. */
static bool record_forget(struct network *network, const char *uid, struct group_rules *was,
                          struct err *err)
{
    static const struct group_rules none;
    WITH_LOCK(&network->lock);
    if (group_rules_read(network, uid, was))
        return kernel_change(network, uid, was, &none, err);
    *was = none;
    network->look_due = true;
    return true;
}

bool group_rules_clear(struct network *network, const char *uid, struct err *err)
{
    static const struct group_rules none;
    struct group_rules was;
    bool forgotten = record_forget(network, uid, &was, err);
    return forgotten && unpublish(network, &was, &none, err);
}

bool groups_unpublish(const struct network *network, struct err *err)
{
    static const struct group_rules none;
    AUTO(arena) *arena = arena_new(NAMES_ARENA);
    struct text_list names;
    struct group_rules was;
    if (!arena)
        return err_set(err, ERR_BUSY, "no memory to list groups");
    if (!folder_names(network, NULL, arena, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        if (group_rules_read(network, names.items[i], &was) &&
            !unpublish(network, &was, &none, err))
            return false;
    }
    return true;
}

void group_rules_elements(const struct network *network, const char *uid,
                          void (*each)(const struct element *, void *), void *context)
{
    struct group_rules now;
    struct element_list list;
    char link[NETWORK_LINK_SIZE];
    if (!group_rules_read(network, uid, &now))
        return;
    link_name(network->bridge, uid, link);
    elements_of(&now, link, &list);
    for (size_t i = 0; i < list.count; i++)
        each(&list.items[i], context);
}

uint32_t element_owner_address(const struct element *element)
{
    uint32_t bytes;
    memcpy(&bytes, element->key + NETWORK_LINK_SIZE, sizeof bytes);
    return ntohl(bytes);
}

/* ---- for the others ---- */

static bool ports_check(const struct network_port *ports, size_t count, struct err *err)
{
    if (count > GROUP_PORTS_MAX)
        return err_set(err, ERR_INVALID, "a group has at most %d open ports", GROUP_PORTS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (ports[i].port == 0 ||
            (ports[i].protocol != IPPROTO_TCP && ports[i].protocol != IPPROTO_UDP))
            return err_set(err, ERR_INVALID, "port %d of protocol %d cannot be opened",
                           ports[i].port, ports[i].protocol);
    }
    return true;
}

static bool rules_find(const struct network *network, const char *uid, struct group_rules *rules,
                       struct err *err)
{
    return (uid_valid(uid) && group_rules_read(network, uid, rules)) ||
           err_set(err, ERR_NOT_FOUND, "the group %s has no network here", uid);
}

static void ports_take(struct group_rules *rules, const struct network_port *ports, size_t count)
{
    rules->ports_count = 0;
    for (size_t i = 0; i < count; i++)
        rules->ports[rules->ports_count++] = ports[i];
}

bool network_group_open(struct network *network, const char *uid, const struct network_port *ports,
                        size_t count, struct err *err)
{
    struct group_rules rules;
    if (!ports_check(ports, count, err) || !rules_find(network, uid, &rules, err))
        return false;
    ports_take(&rules, ports, count);
    return group_rules_set(network, uid, &rules, false, err) ||
           err_add(err, "while opening ports of group %s", uid);
}

/* FNV-1a without regard to case, as resource ids are compared; never 0, which means none. */
static uint32_t subnet_number(const char *name)
{
    uint32_t hash = 0x811c9dc5u;
    for (const char *c = name; *c; c++) {
        unsigned char folded = (unsigned char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        hash = (hash ^ folded) * 0x01000193u;
    }
    return hash ? hash : 1;
}

static bool exposure_take(const struct network *network, const struct network_exposure *exposure,
                          struct group_rules *rules, struct err *err)
{
    uint32_t address = network->public_address;
    bool own = exposure->is_public && exposure->public_address;
    if (!ports_check(exposure->ports, exposure->ports_count, err))
        return false;
    if (own && !address_parse(exposure->public_address, &address))
        return err_set(err, ERR_INVALID, "\"%s\" is no IPv4 address", exposure->public_address);
    ports_take(rules, exposure->ports, exposure->ports_count);
    rules->public_own = own;
    rules->public_address = exposure->is_public ? address : 0;
    rules->subnet = exposure->subnet ? subnet_number(exposure->subnet) : 0;
    return true;
}

bool network_group_expose(struct network *network, const char *uid,
                          const struct network_exposure *exposure, char shown[NETWORK_ADDRESS_SIZE],
                          struct err *err)
{
    struct group_rules rules;
    if (!rules_find(network, uid, &rules, err) || !exposure_take(network, exposure, &rules, err) ||
        !group_rules_set(network, uid, &rules, true, err))
        return err->code == ERR_CONFLICT
                   ? err_add(err, "another group of this node has one of these ports")
                   : err_add(err, "while opening ports of group %s", uid);
    address_text(rules.public_address ? rules.public_address : rules.address, shown);
    return true;
}
