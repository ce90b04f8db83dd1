/* What the parts of fields.h share. Not for: anybody else. */
#ifndef BASE_FIELDS_INNER_H
#define BASE_FIELDS_INNER_H

#include "base/fields.h"
#include "base/scan.h"

enum { FIELDS_COUNT_MAX = 128, PATH_TEXT_MAX = 512, MILLI_SIZE = 32 };

/* Where a value stands in its document: a chain on the stack, written out only when somebody asks.
 */
struct place {
    const struct place *above; /* NULL: the document itself */
    const char *name;          /* NULL: the item `index` of an array */
    size_t size, index;
};
void place_print(const struct place *place, struct text *out);
struct place place_member(const struct place *above, const char *name);
struct place place_item(const struct place *above, size_t index);

struct reader {
    struct scan scan;
    struct arena *arena;
    struct problems *problems;
    const char *contract; /* of the client; NULL: the newest, and strict */
    bool trusted;         /* our own document: see fields_read() */
};

/* Collects a problem at `place`; `code` 0: ERR_INVALID. The text follows the quoted path. */
void reader_problem(struct reader *reader, enum err_code code, const struct place *place,
                    const char *format, ...) PRINTF_LIKE(4, 5);
void reader_unknown(struct reader *reader, const struct place *place);

/* These return false when reading cannot go on (the text is no JSON, the arena is full); what is
 * wrong with a value is a problem, and reading goes on behind it. */
bool read_object(struct reader *reader, const struct schema *schema, const struct place *place,
                 void *out);
bool read_member(struct reader *reader, const struct field *field, const struct place *place,
                 void *out, bool *given);

bool read_text(struct reader *reader, const struct field *field, const struct place *place,
               const char **out);
bool read_bool(struct reader *reader, const struct place *place, struct opt_bool *out);
bool read_int(struct reader *reader, const struct field *field, const struct place *place,
              struct opt_int *out);
bool read_decimal(struct reader *reader, const struct field *field, const struct place *place,
                  struct opt_decimal *out);
bool read_word(struct reader *reader, const struct field *field, const struct place *place,
               int *out);
bool read_list(struct reader *reader, const struct field *field, const struct place *place,
               struct text_list *out);
bool read_map(struct reader *reader, const struct field *field, const struct place *place,
              struct text_map *out);
bool read_items(struct reader *reader, const struct field *field, const struct place *place,
                void **items, size_t *count);
/* Names a value of a type that is not `wanted`, and reads over it. */
bool read_mismatch(struct reader *reader, const struct place *place, const char *wanted);

/* What a member holds when the document does not say. */
void member_set_absent(const struct field *field, void *out);
/* Whether a value was given, for FIELD_ONE_OF, and whether it is worth printing. */
bool member_is_given(const struct field *field, const void *in);

/* Thousandths as a short exact decimal, within `out`: 1.5, 0.1, and 1.0 so that typed clients see a
 * fraction. */
const char *milli_format(int64_t milli, char out[MILLI_SIZE]);

/* The value of one member, whatever its own flags. */
void member_print(const struct field *field, const void *value, enum fields_mode mode,
                  struct text *out);

/* True when the text fits the pattern as a whole. */
bool pattern_matches(const char *pattern, const char *text);

/* A field that the client's contract does not have. */
bool field_is_newer(const struct reader *reader, const struct field *field);

static inline void *member_of(const struct field *field, void *out)
{
    return (char *)out + field->offset;
}

static inline const void *member_in(const struct field *field, const void *in)
{
    return (const char *)in + field->offset;
}

static inline size_t *count_of(const struct field *field, void *out)
{
    return (size_t *)(void *)((char *)out + field->count_offset);
}

static inline size_t count_in(const struct field *field, const void *in)
{
    return *(const size_t *)(const void *)((const char *)in + field->count_offset);
}

#endif
