/* A head of fixed size, then each debt with its size before it. */
#include "node-agent/image/unpack_answer.h"

#include <string.h>

struct head {
    int32_t code, os_errno;
    int64_t bytes, files;
    uint32_t unsettled, debts_count;
    char text[sizeof((struct err *)NULL)->text];
};

struct debt_head {
    uint32_t hides, size;
};

void unpack_answer_print(const struct err *result, const struct unpacked *unpacked,
                         const struct tree_debts *debts, struct text *out)
{
    struct head head = {.code = (int32_t)result->code,
                        .os_errno = result->os_errno,
                        .bytes = unpacked->bytes,
                        .files = unpacked->files,
                        .unsettled = debts && debts->unsettled};

    text_copy(head.text, sizeof head.text, result->text);
    for (size_t i = 0; debts && i < debts->count; i++)
        head.debts_count += debts->items[i].path != NULL;
    text_add_n(out, (const char *)&head, sizeof head);
    for (size_t i = 0; debts && i < debts->count; i++) {
        const struct tree_debt *debt = &debts->items[i];
        if (!debt->path)
            continue;
        struct debt_head about = {debt->hides, (uint32_t)strlen(debt->path)};
        text_add_n(out, (const char *)&about, sizeof about);
        text_add_n(out, debt->path, about.size);
    }
}

static bool take(const char **at, size_t *left, void *out, size_t size)
{
    if (*left < size)
        return false;
    memcpy(out, *at, size);
    *at += size;
    *left -= size;
    return true;
}

static bool debt_read(const char **at, size_t *left, struct tree_debt *debt)
{
    struct debt_head about;

    if (!take(at, left, &about, sizeof about) || about.hides > 1 || about.size == 0 ||
        about.size >= PATH_MAX || about.size > *left || memchr(*at, '\0', about.size))
        return false;
    debt->path = calloc(1, about.size + 1);
    if (debt->path)
        memcpy(debt->path, *at, about.size);
    debt->hides = about.hides == 1;
    *at += about.size;
    *left -= about.size;
    return debt->path != NULL;
}

static bool head_is_sound(const struct head *head, const struct tree_debts *debts)
{
    return head->code >= 0 && head->code < ERR_COUNT && head->bytes >= 0 && head->files >= 0 &&
           head->unsettled <= (debts ? 1 : 0) &&
           head->debts_count <= (debts ? TREE_DEBTS_MAX : 0) &&
           memchr(head->text, '\0', sizeof head->text);
}

bool unpack_answer_read(const char *bytes, size_t size, struct err *result,
                        struct unpacked *unpacked, struct tree_debts *debts)
{
    struct head head;

    if (!take(&bytes, &size, &head, sizeof head) || !head_is_sound(&head, debts))
        return false;
    for (uint32_t i = 0; i < head.debts_count; i++, debts->count++)
        if (!debt_read(&bytes, &size, &debts->items[debts->count]))
            return false;
    if (debts)
        debts->unsettled = head.unsettled == 1;
    *unpacked = (struct unpacked){head.bytes, head.files};
    *result = (struct err){.code = (enum err_code)head.code, .os_errno = head.os_errno};
    text_copy(result->text, sizeof result->text, head.text);
    return size == 0;
}
