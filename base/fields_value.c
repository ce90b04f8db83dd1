/* Single values: texts, numbers, words. */
#include "base/fields_inner.h"

#include "base/limits.h"

#include <string.h>

/* ---- faults ---- */

bool read_mismatch(struct reader *reader, const struct place *place, const char *wanted)
{
    static const char *const types[] = {
        [SCAN_OBJECT] = "an object", [SCAN_ARRAY] = "an array",     [SCAN_STRING] = "a string",
        [SCAN_NUMBER] = "a number",  [SCAN_BOOL] = "true or false", [SCAN_NULL] = "null",
    };
    enum scan_type type = scan_type(&reader->scan);
    if (type != SCAN_NOTHING)
        reader_problem(reader, ERR_INVALID, place, "must be %s, not %s.", wanted, types[type]);
    return scan_skip(&reader->scan);
}

static bool has_max(const struct field *field)
{
    return field->max != 0 || field->min < 0;
}

const char *milli_format(int64_t milli, char out[MILLI_SIZE])
{
    char *at = out + MILLI_SIZE - 1;
    uint64_t rest = milli < 0 ? 0 - (uint64_t)milli : (uint64_t)milli;
    unsigned fraction = (unsigned)(rest % 1000);
    int decimals = fraction % 10 != 0 ? 3 : fraction % 100 != 0 ? 2 : 1;
    rest /= 1000;
    *at = '\0';
    for (int i = 3; i > 0; i--, fraction /= 10)
        if (i <= decimals)
            *--at = (char)('0' + fraction % 10);
    *--at = '.';
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (milli < 0)
        *--at = '-';
    return at;
}

static const char *format_bound(const struct field *field, int64_t bound, char out[MILLI_SIZE])
{
    if (field->kind == FIELD_DECIMAL)
        return milli_format(bound, out);
    text_format(out, MILLI_SIZE, "%lld", (long long)bound);
    return out;
}

static void check_range(struct reader *reader, const struct field *field, const struct place *place,
                        int64_t value)
{
    char min[MILLI_SIZE], max[MILLI_SIZE];
    bool too_small = (field->min != 0 || field->max != 0) && value < field->min;
    if (reader->trusted || (!too_small && !(has_max(field) && value > field->max)))
        return;
    const char *least = format_bound(field, field->min, min),
               *most = format_bound(field, field->max, max);
    if (has_max(field))
        reader_problem(reader, field->code, place, "must be between %s and %s.", least, most);
    else
        reader_problem(reader, field->code, place, "must be at least %s.", least);
}

static void check_text(struct reader *reader, const struct field *field, const struct place *place,
                       const char *text, size_t size)
{
    int64_t max = field->max > 0 ? field->max : LIMIT_STRING_MAX;
    if (reader->trusted)
        return;
    if (size == 0 && field->min == 1)
        reader_problem(reader, field->code, place, "must not be empty.");
    else if (size < (size_t)field->min)
        reader_problem(reader, field->code, place, "must have at least %lld bytes.",
                       (long long)field->min);
    else if (size > (size_t)max)
        reader_problem(reader, field->code, place, "must have at most %lld bytes.", (long long)max);
    else if (field->pattern && !pattern_matches(field->pattern, text))
        reader_problem(reader, field->code, place, "must match the pattern '%s'.", field->pattern);
}

/* ---- scalars ---- */

static bool is_scalar(enum scan_type type)
{
    return type == SCAN_NUMBER || type == SCAN_BOOL;
}

bool read_text(struct reader *reader, const struct field *field, const struct place *place,
               const char **out)
{
    size_t size;
    if ((field->flags & FIELD_SCALAR) != 0 && is_scalar(scan_type(&reader->scan)))
        return scan_raw(&reader->scan, out);
    if (scan_type(&reader->scan) != SCAN_STRING)
        return read_mismatch(reader, place, "a string");
    if (!scan_string(&reader->scan, out, &size))
        return false;
    check_text(reader, field, place, *out, size);
    return true;
}

/* What stands for a number or a truth as a text, for clients of a contract; NULL: nothing does. */
static bool read_spelled(struct reader *reader, const char **text)
{
    *text = NULL;
    return !reader->contract || scan_type(&reader->scan) != SCAN_STRING ||
           scan_string(&reader->scan, text, NULL);
}

static void refuse_spelled(struct reader *reader, const struct place *place, const char *wanted,
                           const char *text)
{
    reader_problem(reader, ERR_INVALID, place, "must be %s, not '%.60s'.", wanted, text);
}

bool read_bool(struct reader *reader, const struct place *place, struct opt_bool *out)
{
    static const char *const words[] = {"false", "true", NULL};
    const char *text;
    if (!read_spelled(reader, &text))
        return false;
    if (text && fields_word(words, text) < 0) {
        refuse_spelled(reader, place, "true or false", text);
        return true;
    }
    if (text)
        out->value = fields_word(words, text) == 1;
    else if (scan_type(&reader->scan) != SCAN_BOOL)
        return read_mismatch(reader, place, "true or false");
    else if (!scan_bool(&reader->scan, &out->value))
        return false;
    out->given = GIVEN_VALUE;
    return true;
}

/* False: reading cannot go on. Not *is_number: told. */
static bool read_number(struct reader *reader, const struct place *place, const char *wanted,
                        struct scan_number *number, bool *is_number)
{
    const char *text;
    *is_number = true;
    if (scan_type(&reader->scan) == SCAN_NUMBER)
        return scan_number(&reader->scan, number);
    if (!read_spelled(reader, &text))
        return false;
    if (text && scan_number_text(text, number))
        return true;
    *is_number = false;
    if (!text)
        return read_mismatch(reader, place, wanted);
    refuse_spelled(reader, place, wanted, text);
    return true;
}

bool read_int(struct reader *reader, const struct field *field, const struct place *place,
              struct opt_int *out)
{
    struct scan_number number;
    bool is_number;
    if (!read_number(reader, place, "a whole number", &number, &is_number) || !is_number)
        return !is_number && !reader->scan.wrong;
    if (scan_number_int(&number, &out->value)) {
        out->given = GIVEN_VALUE;
        check_range(reader, field, place, out->value);
    } else if (number.exponent < 0) {
        reader_problem(reader, field->code, place, "must be a whole number.");
    } else {
        reader_problem(reader, field->code, place, "is out of range.");
    }
    return true;
}

bool read_decimal(struct reader *reader, const struct field *field, const struct place *place,
                  struct opt_decimal *out)
{
    struct scan_number number;
    bool is_number;
    if (!read_number(reader, place, "a number", &number, &is_number) || !is_number)
        return !is_number && !reader->scan.wrong;
    if (scan_number_milli(&number, &out->milli)) {
        out->given = GIVEN_VALUE;
        check_range(reader, field, place, out->milli);
    } else if (number.exponent < -3) {
        reader_problem(reader, field->code, place, "must have at most three decimals.");
    } else {
        reader_problem(reader, ERR_INVALID, place, "is out of range.");
    }
    return true;
}

bool read_word(struct reader *reader, const struct field *field, const struct place *place,
               int *out)
{
    const char *text;
    char words[256] = "";
    if (scan_type(&reader->scan) != SCAN_STRING)
        return read_mismatch(reader, place, "a string");
    if (!scan_string(&reader->scan, &text, NULL))
        return false;
    int word = fields_word(field->words, text);
    if (word >= 0) {
        *out = word;
        return true;
    }
    for (size_t i = 0; field->words[i]; i++) {
        size_t size = strlen(words);
        text_format(words + size, sizeof words - size, "%s'%s'", i > 0 ? ", " : "",
                    field->words[i]);
    }
    reader_problem(reader, field->code, place, "must be one of %s.", words);
    return true;
}

int fields_word(const char *const *words, const char *text)
{
    for (int i = 0; words[i]; i++)
        if (text_equal_nocase(words[i], text))
            return i;
    return -1;
}
