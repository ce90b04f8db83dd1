/* The body of a token request: whatever comes, names and values are clean text, each name once. */
#include "api/router.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_text(const char *text)
{
    size_t left = strlen(text);

    for (size_t step; left > 0; text += step, left -= step) {
        step = text_utf8_size(text, left);
        CHECK(step > 0 && (unsigned char)*text >= 0x20 && *text != 0x7F);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    AUTO(arena) *arena = arena_new(LIMIT_REQUEST_ARENA_MAX);
    struct form form;
    struct err err = {0};

    CHECK(arena);
    if (!form_split((const char *)bytes, size, arena, &form, &err)) {
        CHECK(err.code == ERR_BAD_FORM && err.text[0]);
        return 0;
    }
    CHECK(form.count <= QUERY_MAX);
    for (size_t i = 0; i < form.count; i++) {
        check_text(form.pairs[i].key);
        check_text(form.pairs[i].value);
        CHECK(form_value(&form, form.pairs[i].key) == form.pairs[i].value);
    }
    return 0;
}
