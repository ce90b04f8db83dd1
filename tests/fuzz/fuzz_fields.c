/* The body parser over the largest table there is. What it takes, it must print so that it reads
 * the same again, and secrets must come out apart and go back in. */
#include "base/fields.h"
#include "base/limits.h"
#include "model/container_group.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* As text in the arena. */
static const char *print(const struct container_group *group, enum fields_mode mode,
                         struct arena *arena, size_t *size)
{
    AUTO(text) *out = text_new(LIMIT_REQUEST_ARENA_MAX);
    size_t splice;
    fields_print(&container_group_schema, group, mode, out, &splice);
    CHECK(text_ok(out) && splice < out->size);
    *size = out->size;
    return arena_text_n(arena, out->bytes, out->size);
}

static void check_same(const struct container_group *group, struct arena *arena)
{
    struct container_group again;
    struct err err = {0};
    size_t size, stored_size, again_size;
    AUTO(text) *secrets = text_new(LIMIT_REQUEST_ARENA_MAX);
    const char *all = print(group, FIELDS_WITH_SECRETS, arena, &size);
    const char *stored = print(group, FIELDS_STORED, arena, &stored_size);
    print(group, FIELDS_PUBLIC, arena, &again_size);
    fields_secrets(&container_group_schema, group, secrets);
    if (!all || !stored)
        return; /* the arena's ceiling */
    CHECK(text_ok(secrets));
    if (!fields_read(&container_group_schema, stored, stored_size, arena, &again, &err) ||
        !fields_fill_secrets(&container_group_schema, &again, secrets->bytes, secrets->size, arena,
                             &err)) {
        CHECK(err.code == ERR_TOO_LARGE);
        return;
    }
    const char *all_again = print(&again, FIELDS_WITH_SECRETS, arena, &again_size);
    CHECK(!all_again || (size == again_size && memcmp(all, all_again, size) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    AUTO(arena) *arena = arena_new(LIMIT_REQUEST_ARENA_MAX);
    struct container_group group;
    struct problems problems;
    struct err err = {0};
    problems_init(&problems, arena);
    bool parsed =
        fields_parse(&container_group_schema, (const char *)bytes, size, arena, &group, &problems);
    CHECK(parsed == problems_to_err(&problems, &err));
    for (size_t i = 0; i < problems.count; i++)
        CHECK(problems.items[i].code != ERR_OK && problems.items[i].text[0] &&
              problems.items[i].field);
    if (parsed)
        check_same(&group, arena);
    bool read =
        fields_read(&container_group_schema, (const char *)bytes, size, arena, &group, &err);
    CHECK(read || err.code != ERR_OK);
    return 0;
}
