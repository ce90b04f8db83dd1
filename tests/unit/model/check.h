/* What the tables of cases share: a group that passes, with a place for each change, and the check of one. */
#ifndef TESTS_UNIT_MODEL_CHECK_H
#define TESTS_UNIT_MODEL_CHECK_H

#include "tests/unit/unit.h"

#include "base/text.h"
#include "model/group_check.h"

#include <string.h>

#define CONTAINER(name, rest) \
    "{\"name\":\"" name "\",\"properties\":{\"image\":\"busybox\"" rest "}}"
#define RESOURCES(cpu, memory) \
    ",\"resources\":{\"requests\":{\"cpu\":" cpu ",\"memoryInGB\":" memory "}}"
#define GROUP(containers, rest)                                                                 \
    "{\"location\":\"westus\",\"properties\":{\"osType\":\"Linux\",\"containers\":[" containers \
    "]" rest "}}"
#define GOOD CONTAINER("web", RESOURCES("1", "1.5"))
/* Members of the container's properties, of the group's properties, of the group. */
#define WITH(rest) GROUP(CONTAINER("web", RESOURCES("1", "1.5") rest), "")
#define BESIDE(rest) GROUP(GOOD, rest)
#define AROUND(rest) "{" rest ",\"properties\":{\"osType\":\"Linux\",\"containers\":[" GOOD "]}}"

struct check_case {
    const char *json;
    enum err_code code; /* ERR_OK: passes */
    const char *field;
    const char *text; /* the message; NULL: any; "…" at its end: its beginning */
};

struct checked {
    struct container_group group;
    struct problems problems;
    bool read, valid, supported;
};

static inline struct checked check_json(const char *json, const char *contract, struct arena *arena)
{
    struct checked checked = {0};

    problems_init(&checked.problems, arena);
    checked.read = fields_parse_at(&container_group_schema, contract, json, strlen(json), arena,
                                   &checked.group, &checked.problems);
    checked.valid = group_check("g", &checked.group, &checked.problems) && checked.read;
    checked.supported = checked.valid && group_check_supported(&checked.group, &checked.problems);
    return checked;
}

static inline bool text_fits(const char *wanted, const char *text)
{
    size_t size = strlen(wanted), dots = sizeof "…" - 1;

    if (size >= dots && strcmp(wanted + size - dots, "…") == 0)
        return strncmp(wanted, text, size - dots) == 0;
    return strcmp(wanted, text) == 0;
}

static inline void assert_cases(const struct check_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO(arena) *arena = arena_new(4 << 20);
        struct checked checked = check_json(cases[i].json, "2025-09-01", arena);
        const struct problem *first = checked.problems.items;

        if (checked.valid != (cases[i].code == ERR_OK))
            fail_msg("case %zu: %s: %s", i, cases[i].json, checked.valid ? "passed" : first->text);
        if (checked.valid)
            continue;
        if (checked.problems.count != 1)
            fail_msg("case %zu: %s: %zu problems: %s, %s", i, cases[i].json, checked.problems.count,
                     first[0].text, first[1].text);
        assert_string_equal(err_code_name(first->code), err_code_name(cases[i].code));
        assert_string_equal(first->field, cases[i].field);
        if (cases[i].text && !text_fits(cases[i].text, first->text))
            fail_msg("case %zu: '%s' is not '%s'", i, first->text, cases[i].text);
    }
}

#endif
