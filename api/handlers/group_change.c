/* What a PUT over a group that stands comes to: what differs, and whether that may change. */
#include "api/handlers/group_put.h"

#include "api/inside.h"
#include "model/runtime_class.h"

#include <string.h>

/* ---- what may not change (§20.2) ---- */

struct change_check {
    const char *name;
    struct problems *problems;
    bool ok;
};

/* ACI's sentence, and which property it is about. */
static void refuse(struct change_check *check, const char *field, const char *old, const char *sent)
{
    check->ok = problem_add(
        check->problems, ERR_GROUP_UPDATE, field,
        "The updates on container group '%.63s' are invalid. If you are going to update the os "
        "type, restart policy, network profile, CPU, memory or GPU resources for a container "
        "group, you must delete it first and then create a new one. '%s' is '%.120s' and cannot "
        "become '%.120s'.",
        check->name, field, old, sent);
}

static void check_word(struct change_check *check, const char *field, const char *const *words,
                       int old, int sent)
{
    if (old != sent)
        refuse(check, field, old >= 0 ? words[old] : "", sent >= 0 ? words[sent] : "");
}

static void check_text(struct change_check *check, const char *field, const char *old,
                       const char *sent)
{
    if (strcmp(old ? old : "", sent ? sent : "") != 0)
        refuse(check, field, old ? old : "", sent ? sent : "");
}

static void check_milli(struct change_check *check, const char *field, int64_t old, int64_t sent)
{
    struct arena *arena = check->problems->arena;
    const char *old_text, *sent_text;

    if (old == sent)
        return;
    old_text = milli_text(old, arena);
    sent_text = milli_text(sent, arena);
    refuse(check, field, old_text ? old_text : "?", sent_text ? sent_text : "?");
}

static const struct resource_amounts *requests_of(const struct container *container)
{
    return container->properties->resources->requests;
}

static const struct container *container_find(const struct container_group *group, const char *name)
{
    for (size_t i = 0; i < group->properties->containers_count; i++) {
        if (strcmp(group->properties->containers[i].name, name) == 0)
            return &group->properties->containers[i];
    }
    return NULL;
}

static void check_gpu(struct change_check *check, const char *field, const struct gpu *old,
                      const struct gpu *sent)
{
    if (!old != !sent)
        refuse(check, field, old ? "given" : "absent", sent ? "given" : "absent");
    else if (old && (old->sku != sent->sku || old->count.value != sent->count.value))
        refuse(check, field, gpu_sku_words[old->sku], gpu_sku_words[sent->sku]);
}

static void check_container(struct change_check *check, size_t index, const struct container *old,
                            const struct container *sent)
{
    struct arena *arena = check->problems->arena;
    const char *field =
        arena_format(arena, "properties.containers[%zu].properties.resources.requests", index);
    const char *cpu = arena_format(arena, "%s.cpu", field),
               *memory = arena_format(arena, "%s.memoryInGB", field);
    const char *gpu = arena_format(arena, "%s.gpu", field);

    if (!field || !cpu || !memory || !gpu)
        return;
    check_milli(check, cpu, requests_of(old)->cpu.milli, requests_of(sent)->cpu.milli);
    check_milli(check, memory, requests_of(old)->memory_gb.milli,
                requests_of(sent)->memory_gb.milli);
    check_gpu(check, gpu, requests_of(old)->gpu, requests_of(sent)->gpu);
}

/* Containers may come and go as long as the group as a whole asks for the same. */
static void check_total(struct change_check *check, const struct container_group *stands,
                        const struct container_group *sent)
{
    struct shape old = group_shape(stands), now = group_shape(sent);

    if (!check->ok)
        return;
    check_milli(check, "properties.containers[*].resources.requests.cpu", old.cpu_milli,
                now.cpu_milli);
    check_milli(check, "properties.containers[*].resources.requests.memoryInGB",
                old.memory_mib * 1000 / 1024, now.memory_mib * 1000 / 1024);
    for (int sku = 0; sku < GPU_SKUS; sku++)
        check_milli(check, "properties.containers[*].resources.requests.gpu.count",
                    gpus_count(old.gpus, sku) * 1000, gpus_count(now.gpus, sku) * 1000);
}

static const char *subnet_of(const struct container_group *group)
{
    return group->properties->subnets_count > 0 ? group->properties->subnets[0].id : NULL;
}

static const char *zone_of(const struct container_group *group)
{
    return group->zones.count > 0 ? group->zones.items[0] : NULL;
}

/* Regular is what a group has that names none. */
static int priority_of(const struct container_group *group)
{
    return group->properties->priority < 0 ? PRIORITY_REGULAR : group->properties->priority;
}

static void check_properties(struct change_check *check, const struct container_group *stands,
                             const struct container_group *sent)
{
    check_word(check, "properties.osType", os_type_words, stands->properties->os_type,
               sent->properties->os_type);
    check_word(check, "properties.restartPolicy", restart_policy_words,
               stands->properties->restart_policy, sent->properties->restart_policy);
    check_word(check, "properties.sku", group_sku_words, stands->properties->sku,
               sent->properties->sku);
    check_word(check, "properties.priority", group_priority_words, priority_of(stands),
               priority_of(sent));
    check_text(check, "properties.subnetIds", subnet_of(stands), subnet_of(sent));
    check_text(check, "zones", zone_of(stands), zone_of(sent));
    for (size_t i = 0; i < sent->properties->containers_count; i++) {
        const struct container *now = &sent->properties->containers[i];
        const struct container *old = container_find(stands, now->name);
        if (old)
            check_container(check, i, old, now);
    }
    check_total(check, stands, sent);
}

/* ---- what differs ---- */

/* A name that means another image by now is a change, though nobody wrote it. */
static bool images_read(struct request *request, struct tx *tx, struct putting *putting,
                        struct err *err)
{
    struct image_pin *old;
    size_t count;

    putting->same_images = true;
    if (putting->row.pins_count == 0)
        return true;
    if (!store_group_pins(tx, putting->old->key, request->arena, &old, &count, err))
        return false;
    for (size_t i = 0; i < putting->row.pins_count; i++) {
        const struct image_pin *pin = &putting->row.pins[i];
        const char *meant = image_pin_find(old, count, pin->image);
        putting->same_images &= !meant || !pin->digest || strcmp(meant, pin->digest) == 0;
    }
    return true;
}

bool put_read(struct request *request, struct tx *tx, struct putting *putting, struct err *err)
{
    const char *secrets = store_group_secrets(tx, putting->old->key, request->arena, err);

    if (!secrets)
        return false;
    putting->stands = ARENA_NEW(request->arena, struct container_group);
    putting->same_secrets = strcmp(secrets, putting->secrets) == 0;
    if (!putting->stands)
        return request_full(err);
    return images_read(request, tx, putting, err) &&
           group_spec_read(request, putting->old, putting->stands, err);
}

bool put_is_same(const struct putting *putting)
{
    return putting->same_secrets && putting->same_images &&
           strcmp(putting->old->spec, putting->row.spec) == 0;
}

bool put_keeps_label(const struct putting *putting)
{
    const struct group_address *old = putting->stands->properties->address;
    const struct group_address *sent = putting->group.properties->address;

    return old && sent && old->dns_name_label && sent->dns_name_label &&
           strcmp(old->dns_name_label, sent->dns_name_label) == 0 &&
           old->label_scope == sent->label_scope;
}

/* Nothing but the tags, or what the address is called: the group keeps running. */
static bool is_tags_only(struct request *request, const struct putting *putting)
{
    const struct group_address *stands = putting->stands->properties->address;
    struct container_group sent = putting->group;
    struct group_properties properties = *sent.properties;
    struct group_address address;
    bool same;

    text_clear(request->out);
    sent.tags = putting->stands->tags;
    if (properties.address && stands) {
        address = *properties.address;
        address.dns_name_label = stands->dns_name_label;
        address.label_scope = stands->label_scope;
        properties.address = &address;
        sent.properties = &properties;
    }
    fields_print_members(&container_group_schema, &sent, FIELDS_STORED, request->out, NULL);
    same = text_ok(request->out) && strcmp(request->out->bytes, putting->old->spec) == 0;
    text_clear(request->out);
    return same;
}

/* The group as it was sent with the files that stand. False: some container would get its first files, or lose its
 * last, and with them a mount; or there is no memory. */
static bool with_old_files(struct request *request, const struct container_group *stands,
                           struct container_group *sent)
{
    struct group_properties *properties = ARENA_NEW(request->arena, struct group_properties);
    size_t count = sent->properties->containers_count;
    struct container *containers = arena_array(request->arena, count + 1, sizeof *containers);

    if (!properties || !containers || count != stands->properties->containers_count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct config_map *old = stands->properties->containers[i].properties->config_map;
        const struct config_map *now = sent->properties->containers[i].properties->config_map;
        struct container_properties *own = ARENA_NEW(request->arena, struct container_properties);
        if (!own || (old && old->pairs.count > 0) != (now && now->pairs.count > 0))
            return false;
        *own = *sent->properties->containers[i].properties;
        own->config_map = stands->properties->containers[i].properties->config_map;
        containers[i] = (struct container){sent->properties->containers[i].name, own};
    }
    *properties = *sent->properties;
    properties->containers = containers;
    sent->properties = properties;
    return true;
}

/* Nothing but the files of configMaps, and tags (§20.8). */
static bool is_files_only(struct request *request, const struct putting *putting)
{
    struct container_group sent = putting->group;
    bool same;

    if (!with_old_files(request, putting->stands, &sent))
        return false;
    text_clear(request->out);
    sent.tags = putting->stands->tags;
    fields_print_members(&container_group_schema, &sent, FIELDS_STORED, request->out, NULL);
    same = text_ok(request->out) && strcmp(request->out->bytes, putting->old->spec) == 0;
    text_clear(request->out);
    return same;
}

enum put_change put_weigh(struct request *request, const struct putting *putting)
{
    struct change_check check = {
        .name = putting->old->name, .problems = &request->problems, .ok = true};

    check_text(&check, "location", putting->stands->location, putting->group.location);
    if (!group_is_over(putting->old))
        check_text(&check, "tags." RUNTIME_CLASS_TAG, runtime_class_of(putting->stands),
                   runtime_class_of(&putting->group));
    if (!group_is_over(putting->old))
        check_properties(&check, putting->stands, &putting->group);
    if (!check.ok)
        return PUT_REPLACE;
    if (group_is_over(putting->old))
        return PUT_CREATE;
    if (put_is_same(putting))
        return PUT_NONE;
    if (!putting->same_secrets || !putting->same_images)
        return PUT_IN_PLACE;
    if (is_tags_only(request, putting))
        return PUT_TAGS_ONLY;
    return is_files_only(request, putting) ? PUT_FILES : PUT_IN_PLACE;
}
