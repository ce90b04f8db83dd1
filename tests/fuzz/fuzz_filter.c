/* $filter: whatever a client sends is read or refused, and what was read can be asked. */
#include "api/filter.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void ask(const struct filter *filter)
{
    struct text_pair pairs[] = {{"env", "prod"}, {"", ""}};
    struct text_map tags = {true, pairs, COUNT_OF(pairs)};
    const struct filter_facts facts = {"web", "rg", "Microsoft.ContainerInstance/containerGroups",
                                       "westus", &tags};
    const struct filter_term *must = filter_must(filter, FILTER_NAME);
    bool fits = filter_fits(filter, &facts);
    CHECK(filter->count > 0 || fits);
    CHECK(!must || !fits || text_equal_nocase(must->text, "web"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    const char *text = arena_text_n(arena, (const char *)bytes, size);
    struct filter filter = {0};
    struct err err = {0};
    if (!text)
        return 0;
    if (filter_parse(text, FILTER_ALL, arena, &filter, &err)) {
        CHECK(filter.count <= LIMIT_FILTER_TERMS_MAX);
        ask(&filter);
    } else {
        CHECK(err.code != ERR_OK && err.text[0]);
    }
    return 0;
}
