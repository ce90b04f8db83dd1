#include "node-agent/runtime/oci/rights.h"

#include "model/capability.h"

const struct runtime_rights usual_rights;

/* ---- capabilities ---- */

uint64_t rights_capabilities(const struct runtime_container *container)
{
    return container->rights ? container->rights->capabilities : capabilities_of(NULL);
}

static void add_set(struct text *out, const char *name, uint64_t set)
{
    const char *between = "";
    text_addf(out, "\"%s\":[", name);
    for (int i = 0; i < CAPABILITY_COUNT; i++) {
        if (!(set & CAPABILITY_BIT(i)))
            continue;
        text_addf(out, "%s\"CAP_%s\"", between, capability_name(i));
        between = ",";
    }
    text_add_char(out, ']');
}

/* Others than root have none of the usual ones, and may gain them in no way other than root's programs
 * would. What was asked for by name they do have, through the ambient set: it would be of no use
 * otherwise. What the agent lacks itself it can give to nobody; only those that were named fail then. */
void rights_add_capabilities(struct text *out, const struct runtime_container *container,
                             const struct config_node *node)
{
    uint64_t named = rights_of(container)->named;
    uint64_t bounding = rights_capabilities(container);
    if (node->capabilities_held)
        bounding &= node->capabilities_held | named;
    uint64_t held = container->user == 0 ? bounding : named & bounding;
    text_add(out, "\"capabilities\":{");
    add_set(out, "bounding", bounding);
    if (container->user == 0 || held) {
        text_add_char(out, ',');
        add_set(out, "effective", held);
        text_add_char(out, ',');
        add_set(out, "permitted", held);
    }
    if (container->user != 0 && held) {
        text_add_char(out, ',');
        add_set(out, "inheritable", held);
        text_add_char(out, ',');
        add_set(out, "ambient", held);
    }
    text_add_char(out, '}');
}

/* ---- devices ---- */

static void add_device(struct text *out, const struct runtime_device *device)
{
    text_add(out, "{\"path\":");
    text_add_json(out, device->path);
    text_addf(
        out, ",\"type\":\"%c\",\"major\":%u,\"minor\":%u,\"fileMode\":%u,\"uid\":%u,\"gid\":%u}",
        device->type, device->major, device->minor, device->mode, device->user, device->user_group);
}

void rights_add_devices(struct text *out, const struct runtime_container *container)
{
    if (container->devices_count == 0 || container->users.path)
        return; /* device_nodes.c makes the latter's */
    text_add(out, "\"devices\":[");
    for (size_t i = 0; i < container->devices_count; i++) {
        text_add(out, i > 0 ? "," : "");
        add_device(out, &container->devices[i]);
    }
    text_add(out, "],");
}

void rights_add_device_rules(struct text *out, const struct runtime_container *container)
{
    if (rights_of(container)->privileged) {
        text_add(out, "{\"allow\":true,\"access\":\"rwm\"}");
        return;
    }
    text_add(out, "{\"allow\":false,\"access\":\"rwm\"}");
    for (size_t i = 0; i < container->devices_count; i++) {
        const struct runtime_device *device = &container->devices[i];
        if (device->type != 'p')
            text_addf(
                out,
                ",{\"allow\":true,\"type\":\"%c\",\"major\":%u,\"minor\":%u,\"access\":\"%s\"}",
                device->type, device->major, device->minor, device->access);
    }
}
