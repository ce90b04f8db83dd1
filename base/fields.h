/* JSON by table: one declaration per type parses, checks, prints and describes it.
 *
 *     struct port { int64_t port; int protocol; };
 *     static const struct field port_fields[] = {
 *         FIELD(struct port, port, "port", .flags = FIELD_REQUIRED, .min = 1, .max = 65535),
 *         FIELD_ENUM(struct port, protocol, "protocol", protocol_words, .flags = FIELD_REQUIRED),
 *     };
 *     const struct schema port_schema = SCHEMA("Port", struct port, port_fields, "A port of a container.");
 *
 * Rules, the same for every type:
 * - Property and enum names match without case; both are printed as declared. A property given
 *   twice, in whatever case, is an error.
 * - The kind of a field follows from the C type of its member (FIELD picks it): a member of another
 *   type does not compile.
 * - Absent and null: `const char *` NULL means absent; the opt_ types remember which of the three it
 *   was. null is taken as absent unless FIELD_NULLABLE is set.
 * - FIELD_READ_ONLY members are skipped in input and printed. FIELD_SECRET members are read, kept,
 *   and not printed; fields_secrets() and FIELDS_WITH_SECRETS are the only ways out.
 * - All errors of one document are collected (up to `problems.max`), each with its code and its path:
 *   `properties.containers[1].ports[0].port`. Unknown properties are collected apart, they are no
 *   errors.
 * - A field with `since` is unknown to documents of an older contract (fields_parse_at()).
 * - Parsed values live in the arena and may point into nothing else.
 * Threads: tables are constant; calls share nothing. */
#ifndef BASE_FIELDS_H
#define BASE_FIELDS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#include <stdint.h>

/* clang-format off */

/* ---- values ---- */

enum given { GIVEN_ABSENT, GIVEN_NULL, GIVEN_VALUE };

struct opt_bool { enum given given; bool value; };
struct opt_int { enum given given; int64_t value; };
/* A decimal number kept exactly, in thousandths: 1.5 is {.milli = 1500}. More than three decimals:
 * error. */
struct opt_decimal { enum given given; int64_t milli; };

struct text_pair { const char *key; const char *value; };
struct text_map { bool given; struct text_pair *items; size_t count; }; /* {"a":"b"} in the order given */
struct text_list { bool given; const char **items; size_t count; };     /* ["a","b"] */
struct raw_json { const char *text; };  /* any JSON, kept as compact text; NULL: absent */

/* ---- declaration ---- */

enum field_kind {
    FIELD_TEXT,     /* const char * */
    FIELD_BOOL,     /* struct opt_bool */
    FIELD_INT,      /* struct opt_int */
    FIELD_DECIMAL,  /* struct opt_decimal */
    FIELD_PLAIN_INT,  /* int64_t: absent is `fallback` */
    FIELD_PLAIN_BOOL, /* bool: absent is fallback != 0 */
    FIELD_WORD,     /* int, an index into `words`; absent is -1, or `fallback` with FIELD_HAS_FALLBACK */
    FIELD_MAP,      /* struct text_map */
    FIELD_LIST,     /* struct text_list */
    FIELD_RAW,      /* struct raw_json */
    FIELD_OBJECT,   /* pointer to a struct described by `schema`; NULL is absent */
    FIELD_ITEMS_,   /* pointer to an array of such structs, and a size_t count beside it */
};

enum field_flags {
    FIELD_REQUIRED = 1 << 0,
    FIELD_READ_ONLY = 1 << 1,
    FIELD_SECRET = 1 << 2,
    FIELD_NULLABLE = 1 << 3,      /* null is a value of its own (opt_ types) */
    FIELD_HAS_FALLBACK = 1 << 4,  /* absent input takes `fallback` (fallback_text), printed with it */
    FIELD_PRINT_EMPTY = 1 << 5,   /* empty lists, maps, arrays are printed ([] or {}), not left out */
    FIELD_ONE_OF = 1 << 6,        /* of all members of a struct with this flag exactly one must be given */
    FIELD_SECRET_SHELL = 1 << 7,  /* with FIELD_SECRET: print {} in its place (secret volumes) */
    FIELD_HIDDEN = 1 << 8,        /* Berth's own: never read from clients nor shown to them */
    FIELD_SPLICE = 1 << 9,        /* fields_print() reports the offset just behind this object's '{' */
    FIELD_KEPT = 1 << 11,         /* with FIELD_READ_ONLY: stored too, because nothing else remembers it */
    FIELD_SCALAR = 1 << 10,       /* a text that may be sent as a number, true or false: taken as it is written */
};

struct schema;

struct field {
    const char *name;
    enum field_kind kind;
    unsigned flags;
    size_t offset;
    size_t count_offset;          /* FIELD_ITEMS_ */
    int64_t min, max;             /* numbers: value (decimals in thousandths); text: bytes; lists and
                                     maps: count. 0,0: the kind's own ceiling */
    const char *pattern;          /* POSIX extended, whole text; for the description and the check */
    const char *const *words;     /* FIELD_WORD: NULL-terminated */
    const struct schema *schema;  /* FIELD_OBJECT, FIELD_ITEMS_ */
    int64_t fallback;
    const char *fallback_text;
    enum err_code code;           /* reported when the value is wrong; 0: ERR_INVALID */
    const char *since;            /* "2025-09-01": first contract that has it; NULL: all */
    const char *doc;
};

struct schema {
    const char *name;
    const char *doc;
    const struct field *fields;
    size_t count;
    size_t size;                  /* of the struct */
};

#define SCHEMA(name_, type, table, doc_) \
    { .name = (name_), .doc = (doc_), .fields = (table), .count = COUNT_OF(table), .size = sizeof(type) }

#define MEMBER_(type, member) (((type *)0)->member)
#define FIELD_KIND_(type, member)          \
    _Generic(MEMBER_(type, member),        \
        const char *: FIELD_TEXT,          \
        struct opt_bool: FIELD_BOOL,       \
        struct opt_int: FIELD_INT,         \
        struct opt_decimal: FIELD_DECIMAL, \
        int64_t: FIELD_PLAIN_INT,          \
        bool: FIELD_PLAIN_BOOL,            \
        struct text_map: FIELD_MAP,        \
        struct text_list: FIELD_LIST,      \
        struct raw_json: FIELD_RAW)
/* The member must be an int. */
#define FIELD_WORD_KIND_(type, member) _Generic(MEMBER_(type, member), int: FIELD_WORD)

#define FIELD_AT_(type, member, kind_) .kind = (kind_), .offset = offsetof(type, member)
/* FIELD(struct, member, "name" [, .flags = …, .min = …]) */
#define FIELD(type, member, ...) \
    { FIELD_AT_(type, member, FIELD_KIND_(type, member)), .name = __VA_ARGS__ }
/* FIELD_ENUM(struct, member, "name", words [, …]) */
#define FIELD_ENUM(type, member, name_, ...) \
    { FIELD_AT_(type, member, FIELD_WORD_KIND_(type, member)), .name = (name_), .words = __VA_ARGS__ }
/* FIELD_STRUCT(struct, member, "name", &schema [, …]) */
#define FIELD_STRUCT(type, member, name_, ...) \
    { FIELD_AT_(type, member, FIELD_OBJECT), .name = (name_), .schema = __VA_ARGS__ }
/* FIELD_ITEMS(struct, member, "name", &schema [, …]); the count is in member_count. */
#define FIELD_ITEMS(type, member, name_, ...)                                  \
    { FIELD_AT_(type, member, FIELD_ITEMS_),                                   \
      .count_offset = offsetof(type, member##_count), .name = (name_), .schema = __VA_ARGS__ }

/* clang-format on */

/* ---- what was wrong ---- */

struct problem {
    enum err_code code;
    const char *field; /* path */
    const char *text;
};

struct problems {
    struct arena *arena;
    struct problem *items;
    size_t count, max; /* max 0: PROBLEMS_MAX of limits.def; further ones are counted in `more` */
    size_t more;
    struct text_list unknown; /* paths of unknown properties, up to the same ceiling */
    struct text_list notes;   /* what is no fault and worth a word, up to the same ceiling */
    bool broken;              /* the document could not be read to its end */
};

void problems_init(struct problems *problems, struct arena *arena);
/* Returns false. */
bool problem_add(struct problems *problems, enum err_code code, const char *field,
                 const char *format, ...) PRINTF_LIKE(4, 5);
void problem_note(struct problems *problems, const char *format, ...) PRINTF_LIKE(2, 3);
/* The first problem as an error; false when there is one. */
bool problems_to_err(const struct problems *problems, struct err *err);

/* ---- reading ---- */

/* Parses `size` bytes of JSON as one `schema` into `out` (schema->size bytes, zeroed here).
 * Refused: anything but one JSON object, invalid UTF-8, NUL bytes, depth beyond JSON_DEPTH_MAX,
 * duplicate names. False when there was any problem; `out` then holds what could be read. */
bool fields_parse(const struct schema *schema, const char *json, size_t size, struct arena *arena,
                  void *out, struct problems *problems) MUST_CHECK;
/* Same, for a client that speaks `contract` ("2023-05-01"; NULL: the newest): what came later is
 * unknown. Lenient as the service is: a number may be sent as a text ("80"), true and false too. */
bool fields_parse_at(const struct schema *schema, const char *contract, const char *json,
                     size_t size, struct arena *arena, void *out, struct problems *problems)
    MUST_CHECK;
/* Same, for our own documents (store, link, configuration): also reads FIELD_READ_ONLY and
 * FIELD_HIDDEN members, skips min, max and pattern checks, and tells the first problem in err. */
bool fields_read(const struct schema *schema, const char *json, size_t size, struct arena *arena,
                 void *out, struct err *err) MUST_CHECK;

/* The names of the members of a raw object, in order; false when it is none, or memory is short. */
bool fields_raw_names(const struct raw_json *raw, struct arena *arena, struct text_list *names)
    MUST_CHECK;

/* ---- printing ---- */

enum fields_mode {
    FIELDS_PUBLIC, /* what clients see: no secrets, no hidden members */
    FIELDS_STORED, /* public and hidden, no read-only members but kept ones: what the store keeps */
    FIELDS_ALL,    /* everything but secrets: read-only and hidden too */
    FIELDS_WITH_SECRETS, /* everything: only for the link to the node that runs it and its memory files */
};

/* Appends compact JSON. `splice` (may be NULL) gets the offset within `out` just behind the '{' of
 * the FIELD_SPLICE member, 0 when absent. */
void fields_print(const struct schema *schema, const void *value, enum fields_mode mode,
                  struct text *out, size_t *splice);
/* Same without the outer braces, for a caller that adds members of its own. */
void fields_print_members(const struct schema *schema, const void *value, enum fields_mode mode,
                          struct text *out, size_t *splice);

/* All secrets of `value` as {"path": value, …} ({} when none), and back into a value read without
 * them. fields_fill_secrets ignores paths that do not exist any more. */
void fields_secrets(const struct schema *schema, const void *value, struct text *out);
bool fields_fill_secrets(const struct schema *schema, void *value, const char *json, size_t size,
                         struct arena *arena, struct err *err) MUST_CHECK;

/* ---- comparing ---- */

struct difference {
    const char *path;
    const char *old, *now; /* JSON; NULL: absent, or a secret */
    bool secret;
};
/* Where two values of that type differ in what clients write, leaf by leaf in the order of the
 * tables, at most `max`. False when the arena is full. */
bool fields_compare(const struct schema *schema, const void *old, const void *now, size_t max,
                    struct arena *arena, struct difference **found, size_t *count) MUST_CHECK;

/* JSON Schema (draft 2020-12, as OpenAPI 3.1 uses) of a table and of those it names: members of
 * "components.schemas", with commas between. `seen` lists names already described: start with {0},
 * and go on with the same one for the next table. */
void fields_describe(const struct schema *schema, struct text *out, struct text_list *seen,
                     struct arena *arena);

/* Index in a NULL-terminated word list without regard to case, -1 when absent. */
int fields_word(const char *const *words, const char *text);

#endif
