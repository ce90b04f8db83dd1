/* berth-unpack: one layer of an image into one folder, then it ends.
 *
 *     berth-unpack DIGEST DIFF_ID BYTES_MAX FILES_MAX owes|whole
 *     descriptors: 3 the blob, 4 the folder, 5 … the folders of the layers below, nearest first
 *
 * A digest may be empty: anything. "owes": the layers below are not there yet. Its answer (unpack_answer.h) goes to
 * standard output; it is started by berth-agent and by nobody else. */
#include "base/text.h"
#include "node-agent/image/unpack_answer.h"
#include "node-agent/image/unpack_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { BLOB = 3, ROOT, LOWERS, ARGUMENTS = 6, LOWERS_MAX = 128 };

static size_t count_lowers(int lowers[LOWERS_MAX])
{
    size_t count = 0;

    while (count < LOWERS_MAX && fcntl(LOWERS + (int)count, F_GETFD) >= 0) {
        lowers[count] = LOWERS + (int)count;
        count++;
    }
    return count;
}

static bool arguments_read(int argc, char **argv, struct unpack *out)
{
    if (argc != ARGUMENTS || !text_to_int(argv[3], &out->bytes_max) ||
        !text_to_int(argv[4], &out->files_max))
        return false;
    out->digest = *argv[1] ? argv[1] : NULL;
    out->diff_id = *argv[2] ? argv[2] : NULL;
    if (strcmp(argv[5], "owes") != 0)
        out->debts = NULL;
    return true;
}

static bool write_all(const struct text *text)
{
    for (size_t at = 0; at < text->size;) {
        ssize_t put = write(STDOUT_FILENO, text->bytes + at, text->size - at);
        if (put < 0 && errno != EINTR)
            return false;
        at += put > 0 ? (size_t)put : 0;
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct tree_debts debts;
    int lowers[LOWERS_MAX];
    struct unpack unpack = {
        .blob = BLOB, .root = ROOT, .lowers = lowers, .debts = &debts, .cancel_fd = -1};
    struct unpacked unpacked = {0};
    struct err err = {0};
    struct text *answer = text_new(UNPACK_ANSWER_MAX);

    unpack.lowers_count = count_lowers(lowers);
    if (!arguments_read(argc, argv, &unpack)) {
        dprintf(STDERR_FILENO, "usage: berth-unpack DIGEST DIFF_ID BYTES_MAX FILES_MAX owes|whole"
                               "  (started by berth-agent)\n");
        return 2;
    }
    bool ready = unpack_prepare(&err) && unpack_confine(&unpack, &err);
    if (ready && unpack_layer(&unpack, &unpacked, &err))
        err.code = ERR_OK;
    unpack_answer_print(&err, &unpacked, unpack.debts, answer);
    /* Nothing is given back one by one: the process ends here. */
    _exit(text_ok(answer) && write_all(answer) ? 0 : 1);
}
