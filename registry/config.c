/* The configuration of an image. Its list of ports is an object whose names are the ports. */
#include "registry/registry.h"

#include "base/digest.h"
#include "base/limits.h"

#include <string.h>

struct run_config {
    struct text_list entrypoint, cmd, env;
    const char *working_dir, *user, *stop_signal;
    struct raw_json exposed_ports;
};

static const struct field run_fields[] = {
    FIELD(struct run_config, entrypoint, "Entrypoint"),
    FIELD(struct run_config, cmd, "Cmd"),
    FIELD(struct run_config, env, "Env"),
    FIELD(struct run_config, working_dir, "WorkingDir"),
    FIELD(struct run_config, user, "User"),
    FIELD(struct run_config, stop_signal, "StopSignal"),
    FIELD(struct run_config, exposed_ports, "ExposedPorts"),
};
static const struct schema run_schema =
    SCHEMA("ImageRunConfig", struct run_config, run_fields, "What to run and how.");

struct rootfs {
    struct text_list diff_ids;
};

static const struct field rootfs_fields[] = {
    FIELD(struct rootfs, diff_ids, "diff_ids", .flags = FIELD_REQUIRED),
};
static const struct schema rootfs_schema =
    SCHEMA("ImageRootfs", struct rootfs, rootfs_fields, "Digests of the layers, unpacked.");

struct document {
    const char *os, *architecture, *variant;
    struct run_config *run;
    struct rootfs *rootfs;
};

static const struct field document_fields[] = {
    FIELD(struct document, os, "os"),
    FIELD(struct document, architecture, "architecture"),
    FIELD(struct document, variant, "variant"),
    FIELD_STRUCT(struct document, run, "config", &run_schema),
    FIELD_STRUCT(struct document, rootfs, "rootfs", &rootfs_schema, .flags = FIELD_REQUIRED),
};
static const struct schema document_schema =
    SCHEMA("ImageConfig", struct document, document_fields, "The configuration of an image.");

/* The names of the outer object in JSON that is known to be well-formed. */
static bool read_names(const char *json, struct arena *arena, struct text_list *out)
{
    int depth = 0;
    size_t count = 0;

    out->items = arena_array(arena, strlen(json) / 4 + 1, sizeof *out->items);
    for (const char *at = json; out->items && *at; at++) {
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        if (*at != '"')
            continue;
        const char *begin = ++at;
        while (*at != '"')
            at += *at == '\\' ? 2 : 1;
        if (depth == 1 && at[1] == ':')
            out->items[count++] = arena_text_n(arena, begin, (size_t)(at - begin));
    }
    out->count = count;
    out->given = count > 0;
    return out->items != NULL;
}

static bool take_run(const struct run_config *run, struct arena *arena, struct image_config *out)
{
    const char *ports = run->exposed_ports.text;

    out->entrypoint = run->entrypoint;
    out->cmd = run->cmd;
    out->env = run->env;
    out->working_dir = run->working_dir && *run->working_dir ? run->working_dir : NULL;
    out->user = run->user && *run->user ? run->user : NULL;
    out->stop_signal = run->stop_signal && *run->stop_signal ? run->stop_signal : NULL;
    return !ports || *ports != '{' || read_names(ports, arena, &out->exposed_ports);
}

static bool check(const struct image_config *config, struct err *err)
{
    if (config->diff_ids.count == 0 || config->diff_ids.count > (size_t)LIMIT_IMAGE_LAYERS_MAX)
        return err_set(err, ERR_IMAGE_INACCESSIBLE, "the image's configuration names %zu layers",
                       config->diff_ids.count);
    for (size_t i = 0; i < config->diff_ids.count; i++) {
        if (!digest_valid(config->diff_ids.items[i]))
            return err_set(err, ERR_IMAGE_INACCESSIBLE,
                           "the image's configuration names a layer by no sha256 digest");
    }
    return true;
}

bool image_config_read(const char *json, size_t size, struct arena *arena, struct image_config *out,
                       struct err *err)
{
    struct document document = {0};
    struct image_config config = {0};

    if (!fields_read(&document_schema, json, size, arena, &document, err)) {
        err->code = ERR_IMAGE_INACCESSIBLE;
        return err_add(err, "the image's configuration cannot be read");
    }
    config.os = document.os;
    config.architecture = document.architecture;
    config.variant = document.variant;
    config.diff_ids = document.rootfs->diff_ids;
    if (document.run && !take_run(document.run, arena, &config))
        return err_set(err, ERR_IMAGE_INACCESSIBLE, "the image's configuration is too large");
    if (!check(&config, err))
        return false;
    *out = config;
    return true;
}
