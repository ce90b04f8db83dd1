#include "tests/unit/image/made.h"

#include "tests/unit/unit.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK = 512 };

static char *grow(struct made *made, size_t size)
{
    size_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;

    if (made->size + padded > made->capacity) {
        made->capacity = 2 * (made->size + padded);
        made->bytes = realloc(made->bytes, made->capacity);
        assert_non_null(made->bytes);
    }
    memset(made->bytes + made->size, 0, padded);
    made->size += padded;
    return made->bytes + made->size - padded;
}

static void put_octal(char *field, size_t size, uint64_t value)
{
    for (size_t i = size - 1; i-- > 0; value >>= 3)
        field[i] = (char)('0' + (value & 7));
}

static void put_text(char *field, size_t size, const char *text)
{
    size_t length = strlen(text);

    memcpy(field, text, length < size ? length : size);
}

static void put_header(struct made *made, char type, const char *name,
                       const struct made_entry *entry, size_t size)
{
    char *header = grow(made, BLOCK);
    unsigned sum = 0;

    put_text(header, 100, name);
    put_octal(header + 100, 8, entry->mode);
    put_octal(header + 108, 8, entry->uid);
    put_octal(header + 116, 8, entry->gid);
    put_octal(header + 124, 12, size);
    put_octal(header + 136, 12, entry->modified);
    header[156] = type;
    put_text(header + 157, 100, entry->link ? entry->link : "");
    put_text(header + 257, 6, "ustar");
    header[263] = header[264] = '0'; /* version "00", without an end */
    put_octal(header + 329, 8, entry->major);
    put_octal(header + 337, 8, entry->minor);
    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    put_octal(header + 148, 7, sum);
}

/* "<size> <key>=<value>\n", the size counting itself. */
static void add_record(struct text *records, const char *key, const char *value, size_t value_size)
{
    size_t rest = strlen(key) + value_size + 3, size = rest + 1;

    for (size_t digits = 1, power = 10; size >= power; power *= 10)
        size = rest + ++digits;
    text_addf(records, "%zu %s=", size, key);
    text_add_n(records, value, value_size);
    text_add(records, "\n");
}

static void put_extended(struct made *made, const struct made_entry *entry)
{
    AUTO(text) *records = text_new(1 << 20);
    const struct made_entry plain = {.mode = 0644};
    char key[300];

    if (strlen(entry->name) > 100)
        add_record(records, "path", entry->name, strlen(entry->name));
    if (entry->link && strlen(entry->link) > 100)
        add_record(records, "linkpath", entry->link, strlen(entry->link));
    if (entry->xattr && text_format(key, sizeof key, "SCHILY.xattr.%s", entry->xattr))
        add_record(records, key, entry->xattr_value,
                   entry->xattr_size ? entry->xattr_size : strlen(entry->xattr_value));
    assert_true(text_ok(records));
    if (records->size == 0)
        return;
    put_header(made, 'x', "extended", &plain, records->size);
    memcpy(grow(made, records->size), records->bytes, records->size);
}

void made_add(struct made *made, const struct made_entry *entry)
{
    size_t size = entry->size;

    if (size == 0 && entry->content)
        size = strlen(entry->content);
    put_extended(made, entry);
    put_header(made, entry->type, entry->name, entry, size);
    if (entry->content && size > 0)
        memcpy(grow(made, size), entry->content, size);
}

void made_end(struct made *made)
{
    (void)grow(made, 2 * BLOCK);
}

void made_drop(struct made *made)
{
    free(made->bytes);
    *made = (struct made){0};
}

int made_file(const void *bytes, size_t size)
{
    int fd = memfd_create("layer", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}
