/* One table with every kind of field, for the tests of base/fields.h. */
#ifndef TESTS_UNIT_BASE_ZOO_H
#define TESTS_UNIT_BASE_ZOO_H

#include "base/fields.h"

enum { DIET_PLANTS, DIET_MEAT };
static const char *const diet_words[] = {"Plants", "Meat", NULL};

struct keeper {
    const char *name, *password;
    struct text_map keys;
};

struct cage {
    const char *label;
    struct opt_int doors;
    struct raw_json empty_dir;
    struct text_map secret;
    struct keeper *keeper;
};

struct animal {
    const char *name, *status, *token, *code;
    struct opt_bool tame;
    struct opt_int legs;
    struct opt_decimal weight;
    int64_t age;
    bool extinct;
    int diet, mood;
    struct text_map tags;
    struct text_list food;
    struct raw_json notes;
    struct keeper *keeper;
    struct cage *cages;
    size_t cages_count;
    int64_t inner;
};

/* clang-format off */
static const struct field keeper_fields[] = {
    FIELD(struct keeper, name, "name", .flags = FIELD_REQUIRED, .doc = "Who it is."),
    FIELD(struct keeper, password, "password", .flags = FIELD_SECRET),
    FIELD(struct keeper, keys, "keys", .flags = FIELD_SECRET),
};
static const struct schema keeper_schema = SCHEMA("Keeper", struct keeper, keeper_fields, "Who feeds it.");

static const struct field cage_fields[] = {
    FIELD(struct cage, label, "label", .flags = FIELD_REQUIRED, .max = 8, .code = ERR_VOLUME),
    FIELD(struct cage, doors, "doors", .flags = FIELD_HAS_FALLBACK, .min = 1, .max = 9, .fallback = 1),
    FIELD(struct cage, empty_dir, "emptyDir", .flags = FIELD_ONE_OF, .code = ERR_VOLUME),
    FIELD(struct cage, secret, "secret", .flags = FIELD_ONE_OF | FIELD_SECRET | FIELD_SECRET_SHELL, .code = ERR_VOLUME),
    FIELD_STRUCT(struct cage, keeper, "keeper", &keeper_schema, .flags = FIELD_ONE_OF, .code = ERR_VOLUME),
};
static const struct schema cage_schema = SCHEMA("Cage", struct cage, cage_fields, "Where it lives.");

static const struct field animal_fields[] = {
    FIELD(struct animal, name, "name", .flags = FIELD_REQUIRED, .min = 1, .max = 20, .pattern = "[a-z]([-a-z0-9]*[a-z0-9])?", .code = ERR_BAD_NAME),
    FIELD(struct animal, status, "status", .flags = FIELD_READ_ONLY),
    FIELD(struct animal, token, "token", .flags = FIELD_SECRET),
    FIELD(struct animal, code, "code", .flags = FIELD_HAS_FALLBACK, .fallback_text = "none", .since = "2025-09-01"),
    FIELD(struct animal, tame, "tame", .flags = FIELD_NULLABLE),
    FIELD(struct animal, legs, "legs", .min = 0, .max = 1000, .doc = "Counted \"twice\"."),
    FIELD(struct animal, weight, "weight", .min = 1, .max = 5000500, .code = ERR_REQUESTS_INVALID),
    FIELD(struct animal, age, "age", .fallback = 7),
    FIELD(struct animal, extinct, "extinct"),
    FIELD_ENUM(struct animal, diet, "diet", diet_words, .code = ERR_OS_TYPE),
    FIELD_ENUM(struct animal, mood, "mood", diet_words, .flags = FIELD_HAS_FALLBACK, .fallback = DIET_MEAT),
    FIELD(struct animal, tags, "tags", .flags = FIELD_PRINT_EMPTY, .max = 3),
    FIELD(struct animal, food, "food", .min = 1, .max = 3),
    FIELD(struct animal, notes, "notes"),
    FIELD_STRUCT(struct animal, keeper, "keeper", &keeper_schema, .flags = FIELD_SPLICE),
    FIELD_ITEMS(struct animal, cages, "cages", &cage_schema, .flags = FIELD_PRINT_EMPTY, .max = 6, .code = ERR_CONTAINER_COUNT),
    FIELD(struct animal, inner, "inner", .flags = FIELD_HIDDEN),
};
static const struct schema animal_schema = SCHEMA("Animal", struct animal, animal_fields, "What the zoo keeps.");
/* clang-format on */

#endif
