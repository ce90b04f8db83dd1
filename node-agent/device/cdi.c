#include "node-agent/device/cdi.h"

#include "base/limits.h"

#include <string.h>

/* clang-format off */
static const struct field node_fields[] = {
    FIELD(struct device_node, path, "path", .flags = FIELD_REQUIRED),
    FIELD(struct device_node, host_path, "hostPath"),
    FIELD(struct device_node, type, "type"),
    FIELD(struct device_node, major, "major"),
    FIELD(struct device_node, minor, "minor"),
    FIELD(struct device_node, mode, "fileMode"),
    FIELD(struct device_node, user, "uid"),
    FIELD(struct device_node, user_group, "gid"),
    FIELD(struct device_node, access, "permissions"),
};
static const struct schema node_schema = SCHEMA("CdiDeviceNode", struct device_node, node_fields, "A device file.");

static const struct field mount_fields[] = {
    FIELD(struct device_mount, host_path, "hostPath", .flags = FIELD_REQUIRED),
    FIELD(struct device_mount, container_path, "containerPath", .flags = FIELD_REQUIRED),
    FIELD(struct device_mount, options, "options"),
};
static const struct schema mount_schema = SCHEMA("CdiMount", struct device_mount, mount_fields, "A file or folder of the node.");

static const struct field hook_fields[] = {
    FIELD(struct device_hook, name, "hookName", .flags = FIELD_REQUIRED),
    FIELD(struct device_hook, path, "path", .flags = FIELD_REQUIRED),
    FIELD(struct device_hook, args, "args"),
    FIELD(struct device_hook, env, "env"),
    FIELD(struct device_hook, timeout, "timeout"),
};
static const struct schema hook_schema = SCHEMA("CdiHook", struct device_hook, hook_fields, "A program that the runtime runs.");

static const struct field edits_fields[] = {
    FIELD(struct device_edits, env, "env"),
    FIELD_ITEMS(struct device_edits, nodes, "deviceNodes", &node_schema),
    FIELD_ITEMS(struct device_edits, mounts, "mounts", &mount_schema),
    FIELD_ITEMS(struct device_edits, hooks, "hooks", &hook_schema),
};
static const struct schema edits_schema = SCHEMA("CdiEdits", struct device_edits, edits_fields, "What a container gets.");

static const struct field device_fields[] = {
    FIELD(struct cdi_device, name, "name", .flags = FIELD_REQUIRED),
    FIELD_STRUCT(struct cdi_device, edits, "containerEdits", &edits_schema),
};
static const struct schema device_schema = SCHEMA("CdiDevice", struct cdi_device, device_fields, "A device.");

static const struct field file_fields[] = {
    FIELD(struct cdi_file, version, "cdiVersion", .flags = FIELD_REQUIRED),
    FIELD(struct cdi_file, kind, "kind", .flags = FIELD_REQUIRED),
    FIELD_ITEMS(struct cdi_file, devices, "devices", &device_schema),
    FIELD_STRUCT(struct cdi_file, edits, "containerEdits", &edits_schema),
};
static const struct schema file_schema = SCHEMA("CdiFile", struct cdi_file, file_fields, "Devices of one kind.");
/* clang-format on */

static bool one_of(const char *word, const char *const *words)
{
    return fields_word(words, word) >= 0;
}

/* What would reach the runtime's configuration and is none of its words. */
static const char *edits_fault(const struct device_edits *edits)
{
    static const char *const hooks[] = {
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
        NULL};
    static const char *const types[] = {"c", "u", "b", "p", NULL};
    for (size_t i = 0; edits && i < edits->nodes_count; i++) {
        const struct device_node *node = &edits->nodes[i];
        if (node->path[0] != '/' || (node->host_path && node->host_path[0] != '/'))
            return "a device node's path is not absolute";
        if (node->type && !one_of(node->type, types))
            return "a device node's type is not c, u, b or p";
        if (node->access && (strspn(node->access, "rwm") != strlen(node->access) ||
                             strlen(node->access) > 3 || !node->access[0]))
            return "a device node's permissions are not of r, w and m";
    }
    for (size_t i = 0; edits && i < edits->mounts_count; i++)
        if (edits->mounts[i].host_path[0] != '/' || edits->mounts[i].container_path[0] != '/')
            return "a mount's path is not absolute";
    for (size_t i = 0; edits && i < edits->hooks_count; i++)
        if (!one_of(edits->hooks[i].name, hooks) || edits->hooks[i].path[0] != '/')
            return "a hook has an unknown name, or a path that is not absolute";
    return NULL;
}

bool cdi_read(const char *json, size_t size, struct arena *arena, struct cdi_file *out,
              struct err *err)
{
    struct cdi_file file;
    if (!fields_read(&file_schema, json, size, arena, &file, err))
        return false;
    if (!strchr(file.kind, '/') || strpbrk(file.kind, " =\n"))
        return err_set(err, ERR_INVALID, "its kind '%.60s' is not of the form vendor/class",
                       file.kind);
    const char *fault = edits_fault(file.edits);
    for (size_t i = 0; i < file.devices_count && !fault; i++)
        fault = !file.devices[i].name[0] || strpbrk(file.devices[i].name, " =\n")
                    ? "a device has no proper name"
                    : edits_fault(file.devices[i].edits);
    if (fault)
        return err_set(err, ERR_INVALID, "%s", fault);
    *out = file;
    return true;
}

/* ---- together ---- */

static bool append(void *items, size_t size, size_t *count, const void *more, size_t more_count,
                   struct arena *arena)
{
    void **to = items;
    char *all = arena_array(arena, *count + more_count + 1, size);
    if (!all)
        return false;
    if (*count > 0)
        memcpy(all, *to, *count * size);
    if (more_count > 0)
        memcpy(all + *count * size, more, more_count * size);
    *to = all;
    *count += more_count;
    return true;
}

bool cdi_add(struct device_edits *edits, const struct device_edits *more, struct arena *arena)
{
    return !more || (append(&edits->env.items, sizeof *edits->env.items, &edits->env.count,
                            more->env.items, more->env.count, arena) &&
                     append(&edits->nodes, sizeof *edits->nodes, &edits->nodes_count, more->nodes,
                            more->nodes_count, arena) &&
                     append(&edits->mounts, sizeof *edits->mounts, &edits->mounts_count,
                            more->mounts, more->mounts_count, arena) &&
                     append(&edits->hooks, sizeof *edits->hooks, &edits->hooks_count, more->hooks,
                            more->hooks_count, arena));
}
