/* The way of a PUT's body: parsed, checked, printed as it is stored, read back, shown with an address
 * put into the text. What was accepted must be found unchanged by the next PUT of the same. */
#include "api/handlers/group_put.h"
#include "base/limits.h"
#include "model/group_check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *stored(const struct container_group *group, struct arena *arena, size_t *splice)
{
    AUTO(text) *out = text_new(LIMIT_REQUEST_ARENA_MAX);
    fields_print_members(&container_group_schema, group, FIELDS_STORED, out, splice);
    CHECK(text_ok(out));
    return arena_text_n(arena, out->bytes, out->size);
}

static const char *shown(const char *spec, size_t splice, struct arena *arena)
{
    AUTO(text) *out = text_new(LIMIT_REQUEST_ARENA_MAX);
    const struct group_row row = {.subscription = "s",
                                  .resource_group = "rg",
                                  .name = "g",
                                  .spec = spec,
                                  .address_at = (int64_t)splice,
                                  .address = "10.1.2.3",
                                  .dns_name = "label.westus"};
    group_print(&row, "berth.internal", true, out);
    CHECK(text_ok(out));
    return arena_text_n(arena, out->bytes, out->size);
}

static bool read_back(const char *json, struct arena *arena, struct container_group *group)
{
    struct err err = {0};
    bool read = fields_read(&container_group_schema, json, strlen(json), arena, group, &err);
    CHECK(read || err.code == ERR_TOO_LARGE || err.code == ERR_BUSY);
    return read;
}

/* What was accepted, sent again over itself, changes nothing. */
static void check_again(const struct container_group *group, struct container_group *stands,
                        const char *spec, struct arena *arena)
{
    struct request request = {.arena = arena};
    struct group_row row = {.name = "g", .spec = spec, .state = GROUP_RUNNING};
    struct putting putting = {.group = *group,
                              .row = row,
                              .old = &row,
                              .stands = stands,
                              .same_secrets = true,
                              .same_images = true};
    struct difference *found;
    size_t count = 0;
    problems_init(&request.problems, arena);
    CHECK(put_weigh(&request, &putting) == PUT_NONE && request.problems.count == 0);
    if (fields_compare(&container_group_schema, stands, group, 16, arena, &found, &count)) {
        for (size_t i = 0; i < count; i++)
            CHECK(found[i].secret);
    }
}

static void check_accepted(const struct container_group *group, struct arena *arena)
{
    struct container_group again, seen;
    size_t splice = 0, splice_again = 0;
    const char *spec = stored(group, arena, &splice);
    const char *json = spec ? arena_format(arena, "{%s}", spec) : NULL;
    if (!json || !read_back(json, arena, &again))
        return; /* the arena's ceiling */
    const char *spec_again = stored(&again, arena, &splice_again);
    CHECK(!spec_again || (strcmp(spec, spec_again) == 0 && splice == splice_again));
    check_again(group, &again, spec, arena);
    const char *view = shown(spec, splice, arena);
    if (!view || !read_back(view, arena, &seen))
        return;
    CHECK(strcmp(seen.name, "g") == 0 && seen.properties->view);
    CHECK(!group->properties->address || strcmp(seen.properties->address->ip, "10.1.2.3") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    AUTO(arena) *arena = arena_new(LIMIT_REQUEST_ARENA_MAX);
    struct container_group group;
    struct problems problems;
    struct err err = {0};
    problems_init(&problems, arena);
    const char *contract = group_contract(size % 2 == 0 ? "2023-05-01" : "2025-09-01");
    bool read = fields_parse_at(&container_group_schema, contract, (const char *)bytes, size, arena,
                                &group, &problems);
    bool accepted = (read || !problems.broken) && group_check("g", &group, &problems) && read;
    CHECK(accepted == problems_to_err(&problems, &err));
    CHECK(!accepted || group.properties->containers_count > 0);
    if (accepted && !group.properties->profile) {
        struct shape shape = group_shape(&group);
        CHECK(shape.cpu_milli > 0 && shape.memory_mib > 0);
        check_accepted(&group, arena);
        bool supported = group_check_supported(&group, &problems);
        CHECK(supported == problems_to_err(&problems, &err));
    }
    return 0;
}
