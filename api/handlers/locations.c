/* What a location has: the kinds of groups its nodes can run, and the images they hold. */
#include "api/handlers/group.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "api/page.h"

bool location_of_path(struct request *request, const char *type,
                      const struct api_location **location, struct err *err)
{
    const struct settings *settings = request->settings;
    char known[200] = "";

    *location = settings_location(settings, request->names[1]);
    if (*location)
        return true;
    for (size_t i = 0; i < settings->locations_count; i++) {
        char before[sizeof known];
        (void)text_copy(before, sizeof before, known);
        (void)text_format(known, sizeof known, "%s%s%s", before, i > 0 ? "," : "",
                          settings->locations[i].name);
    }
    return err_set(err, ERR_LOCATION_NOT_REGISTERED,
                   "No registered resource provider found for location '%.60s' and API version "
                   "'%.20s' for type '%s'. The supported locations are '%s'.",
                   request->names[1], request_query(request, "api-version"), type, known);
}

/* ---- capabilities ---- */

/* Groups without GPUs, or with those of one sku, on one system. */
struct capability {
    const char *os;
    int sku; /* -1: without */
    int64_t gpus, cpu_milli, memory_mib;
};

static int64_t least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static void most(int64_t *one, int64_t other)
{
    *one = other > *one ? other : *one;
}

static bool capability_print(struct request *request, const struct api_location *location,
                             const struct capability *kind, const char *address, struct err *err)
{
    struct text *out = request->out;
    /* A tenth of a GB is the step of memory; a node's odd MiBs can hold nothing more. */
    int64_t memory = kind->memory_mib * 1000 / 1024 / 100 * 100;
    const char *memory_gb = milli_text(least(memory, LIMIT_MEMORY_MILLI_GB_MAX), request->arena);
    const char *cpu = milli_text(least(kind->cpu_milli, LIMIT_CPU_MILLI_MAX), request->arena);

    if (!memory_gb || !cpu)
        return request_full(err);
    text_add(out, "{\"resourceType\":\"containerGroups\",\"osType\":");
    text_add_json(out, kind->os);
    text_add(out, ",\"location\":");
    text_add_json(out, location->name);
    text_addf(out, ",\"ipAddressType\":\"%s\",\"gpu\":\"%s\",\"capabilities\":{", address,
              kind->sku < 0 ? "None" : gpu_sku_words[kind->sku]);
    text_addf(out, "\"maxMemoryInGB\":%s,\"maxCpu\":%s,\"maxGpuCount\":%lld}}", memory_gb, cpu,
              (long long)kind->gpus);
    return true;
}

/* The largest node of each system, and the largest of those with GPUs of a sku. */
static size_t capabilities_take(const struct node_size *sizes, size_t count,
                                struct capability *kinds)
{
    size_t used = 0, system = 0;

    for (size_t i = 0; i < count; i++) {
        if (used == 0 || !text_equal_nocase(kinds[system].os, sizes[i].os)) {
            system = used;
            for (int sku = -1; sku < GPU_SKUS; sku++)
                kinds[used++] = (struct capability){.os = sizes[i].os, .sku = sku};
        }
        for (int sku = -1; sku < GPU_SKUS; sku++) {
            struct capability *kind = &kinds[system + (size_t)(sku + 1)];
            int64_t gpus = sku < 0 ? 0 : gpus_count(sizes[i].gpus, sku);
            if (sku >= 0 && gpus == 0)
                continue;
            most(&kind->gpus, gpus);
            most(&kind->cpu_milli, sizes[i].cpu_milli);
            most(&kind->memory_mib, sizes[i].memory_mib);
        }
    }
    return used;
}

static bool capabilities_print(struct request *request, const struct api_location *location,
                               const struct capability *kinds, size_t count, struct err *err)
{
    static const char *const addresses[] = {"Public", "Private"};
    bool first = true;

    for (size_t i = 0; i < count * COUNT_OF(addresses); i++) {
        const struct capability *kind = &kinds[i / COUNT_OF(addresses)];
        if (kind->cpu_milli == 0)
            continue;
        text_add(request->out, first ? "" : ",");
        first = false;
        if (!capability_print(request, location, kind, addresses[i % COUNT_OF(addresses)], err))
            return false;
    }
    return true;
}

bool location_capabilities_list(struct request *request, struct err *err)
{
    const struct api_location *location;
    struct node_size *sizes;
    size_t count;
    AUTO(tx) *tx = NULL;

    if (!location_of_path(request, "locations/capabilities", &location, err))
        return false;
    tx = store_read(request->api->store, err);
    if (!tx || !store_node_sizes(tx, location->name, request->arena, &sizes, &count, err))
        return false;
    struct capability *kinds =
        arena_array(request->arena, (count + 1) * (GPU_SKUS + 1), sizeof *kinds);
    if (!kinds)
        return request_full(err);
    count = capabilities_take(sizes, count, kinds);
    text_add(request->out, "{\"value\":[");
    if (!capabilities_print(request, location, kinds, count, err))
        return false;
    text_add(request->out, "]}");
    return reply_json(request, 200);
}

/* ---- cached images ---- */

bool location_images_list(struct request *request, struct err *err)
{
    const struct api_location *location;
    struct location_image *rows;
    struct name_page page;
    size_t count;
    bool more;
    AUTO(tx) *tx = NULL;

    if (!location_of_path(request, "locations/cachedImages", &location, err) ||
        !name_page_take(request, 'i', &page, err))
        return false;
    tx = store_read(request->api->store, err);
    if (!tx || !store_location_images(tx, location->name, page.after, page.rows_max, request->arena,
                                      &rows, &count, &more, err))
        return false;
    text_add(request->out, "{\"value\":[");
    for (size_t i = 0; i < count; i++) {
        text_addf(request->out, "%s{\"osType\":", i > 0 ? "," : "");
        text_add_json(request->out, rows[i].os);
        text_add(request->out, ",\"image\":");
        text_add_json(request->out, rows[i].image);
        text_add(request->out, "}");
    }
    text_add(request->out, "]");
    name_page_link(request, 'i', more ? rows[count - 1].image : NULL);
    text_add(request->out, "}");
    return reply_json(request, 200);
}
