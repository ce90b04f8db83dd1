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

static int64_t least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static bool capability_print(struct request *request, const struct api_location *location,
                             const struct node_platform *kind, const char *address, struct err *err)
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
    text_addf(out, ",\"ipAddressType\":\"%s\",\"gpu\":\"None\",\"capabilities\":{", address);
    text_addf(out, "\"maxMemoryInGB\":%s,\"maxCpu\":%s,\"maxGpuCount\":0}}", memory_gb, cpu);
    return true;
}

/* The kinds differ in their architecture too, which no client asks about: the largest of each system. */
static size_t systems_take(struct node_platform *rows, size_t count)
{
    size_t systems = 0;

    for (size_t i = 0; i < count; i++) {
        struct node_platform *last = systems > 0 ? &rows[systems - 1] : NULL;
        if (rows[i].cpu_milli == 0)
            continue;
        if (!last || !text_equal_nocase(last->os, rows[i].os)) {
            rows[systems++] = rows[i];
            continue;
        }
        last->cpu_milli = -least(-last->cpu_milli, -rows[i].cpu_milli);
        last->memory_mib = -least(-last->memory_mib, -rows[i].memory_mib);
    }
    return systems;
}

bool location_capabilities_list(struct request *request, struct err *err)
{
    static const char *const addresses[] = {"Public", "Private"};
    const struct api_location *location;
    struct node_platform *rows;
    size_t count;
    AUTO(tx) *tx = NULL;

    if (!location_of_path(request, "locations/capabilities", &location, err))
        return false;
    tx = store_read(request->api->store, err);
    if (!tx || !store_node_platforms(tx, location->name, request->arena, &rows, &count, err))
        return false;
    count = systems_take(rows, count);
    text_add(request->out, "{\"value\":[");
    for (size_t i = 0; i < count * COUNT_OF(addresses); i++) {
        text_add(request->out, i > 0 ? "," : "");
        if (!capability_print(request, location, &rows[i / COUNT_OF(addresses)],
                              addresses[i % COUNT_OF(addresses)], err))
            return false;
    }
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
