#include "model/empty_dir.h"

#include "base/limits.h"
#include "base/scan.h"
#include "base/text.h"

#include <string.h>

enum { ARENA_MAX = 64 << 10, QUANTITY_MAX = 64 };

struct members {
    const char *medium, *size_limit;
};

static const struct field fields[] = {
    FIELD(struct members, medium, "medium"),
    FIELD(struct members, size_limit, "sizeLimit", .flags = FIELD_SCALAR),
};
static const struct schema schema = SCHEMA("EmptyDir", struct members, fields, "A folder.");

/* ---- quantities ---- */

static const struct {
    const char *suffix;
    int64_t factor;
} factors[] = {
    {"", 1},     {"Ki", 1LL << 10}, {"Mi", 1LL << 20}, {"Gi", 1LL << 30},    {"Ti", 1LL << 40},
    {"k", 1000}, {"M", 1000000},    {"G", 1000000000}, {"T", 1000000000000},
};

static int64_t factor_of(const char *suffix)
{
    for (size_t i = 0; i < COUNT_OF(factors); i++) {
        if (strcmp(factors[i].suffix, suffix) == 0)
            return factors[i].factor;
    }
    return 0;
}

bool quantity_bytes(const char *text, int64_t *bytes)
{
    char number[QUANTITY_MAX];
    size_t size = strlen(text);
    struct scan_number parsed;
    int64_t milli, scaled;

    while (size > 0 && (text[size - 1] < '0' || text[size - 1] > '9'))
        size--;
    int64_t factor = factor_of(text + size);
    if (factor == 0 || !text_format(number, sizeof number, "%.*s", (int)size, text) ||
        !scan_number_text(number, &parsed) || parsed.negative ||
        !scan_number_milli(&parsed, &milli) || __builtin_mul_overflow(milli, factor, &scaled) ||
        scaled % 1000 != 0)
        return false;
    *bytes = scaled / 1000;
    return true;
}

/* ---- members ---- */

static const char *size_fault(const char *words, int64_t *bytes)
{
    if (!quantity_bytes(words, bytes))
        return "its 'sizeLimit' is a quantity of bytes, such as '500Mi' or '2G'";
    if (*bytes < (int64_t)LIMIT_VOLUME_BYTES_MIN || *bytes > (int64_t)LIMIT_VOLUME_BYTES_MAX)
        return "its 'sizeLimit' must be between 1 MiB and 50 GiB";
    return NULL;
}

static const char *members_fault(const struct members *members, struct empty_dir *out)
{
    struct empty_dir read = {0};

    if (members->medium && *members->medium) {
        read.in_memory = text_equal_nocase(members->medium, "Memory");
        if (!read.in_memory)
            return "its 'medium' is 'Memory', or left out for the disk";
    }
    const char *fault =
        members->size_limit ? size_fault(members->size_limit, &read.size_bytes) : NULL;
    if (!fault)
        *out = read;
    return fault;
}

const char *empty_dir_parse(const struct raw_json *raw, struct empty_dir *out)
{
    AUTO(arena) *arena = arena_new(ARENA_MAX);
    struct members members;
    struct problems problems;

    *out = (struct empty_dir){0};
    if (!raw->text || strcmp(raw->text, "{}") == 0)
        return NULL;
    if (raw->text[0] != '{')
        return "an emptyDir is written as {}";
    problems_init(&problems, arena);
    if (!arena ||
        !fields_parse_at(&schema, NULL, raw->text, strlen(raw->text), arena, &members, &problems))
        return "its 'medium' and 'sizeLimit' are texts";
    return members_fault(&members, out);
}
