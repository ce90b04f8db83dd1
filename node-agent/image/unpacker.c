/* The agent's side of berth-unpack (unpack_main.c): the descriptors it may use are handed over, its answer is read. */
#include "node-agent/image/unpacker.h"

#include "base/limits.h"
#include "base/process.h"
#include "base/text.h"
#include "node-agent/image/unpack_answer.h"

#include <signal.h>
#include <string.h>

enum { NUMBER_SIZE = 24, FIXED_FDS = 2 };
_Static_assert(FIXED_FDS + LIMIT_IMAGE_LAYERS_MAX <= PROCESS_FDS_MAX, "all layers below fit");

/* It has no right to end without a word: a library fell over what it read, or it was killed. */
static bool without_answer(const char *program, const struct process_result *result,
                           const struct text *said, struct err *err)
{
    enum err_code code = result->exit_code == 128 + SIGKILL ? ERR_BUSY : ERR_IMAGE_INACCESSIBLE;

    if (result->exit_code > 128)
        return err_set(err, code, "a layer of the image cannot be unpacked: %s ended by signal %d",
                       program, result->exit_code - 128);
    return err_set(err, ERR_IO, "a layer of the image cannot be unpacked: %s: %.300s", program,
                   said->bytes ? said->bytes : "no word");
}

static bool take_answer(const struct unpack *unpack, const struct text *answer,
                        struct unpacked *out, bool *answered, struct err *err)
{
    struct unpacked unpacked = {0};
    struct err result = {0};

    *answered =
        text_ok(answer) && unpack_answer_read(answer->bytes ? answer->bytes : "", answer->size,
                                              &result, &unpacked, unpack->debts);
    if (!*answered || result.code != ERR_OK) {
        *err = result;
        return false;
    }
    if (unpacked.bytes > unpack->bytes_max || unpacked.files > unpack->files_max)
        return err_set(err, ERR_IMAGE_INACCESSIBLE,
                       "a layer of the image is larger than it may be");
    *out = unpacked;
    return true;
}

bool unpacker_run(const char *program, const struct unpack *unpack, struct unpacked *out,
                  struct err *err)
{
    char bytes_max[NUMBER_SIZE], files_max[NUMBER_SIZE];
    const char *argv[] = {program,
                          unpack->digest ? unpack->digest : "",
                          unpack->diff_id ? unpack->diff_id : "",
                          bytes_max,
                          files_max,
                          unpack->debts ? "owes" : "whole",
                          NULL};
    static const char *const envp[] = {NULL};
    int fds[PROCESS_FDS_MAX] = {unpack->blob, unpack->root};
    struct process process = {.argv = argv,
                              .envp = envp,
                              .fds = fds,
                              .fds_count = FIXED_FDS + unpack->lowers_count,
                              .cancel_fd = unpack->cancel_fd >= 0 ? &unpack->cancel_fd : NULL};
    AUTO(text) *answer = text_new(UNPACK_ANSWER_MAX);
    AUTO(text) *said = text_new(4096);
    struct process_result result;
    bool answered;

    CHECK(process.fds_count <= COUNT_OF(fds));
    if (unpack->lowers_count > 0)
        memcpy(fds + FIXED_FDS, unpack->lowers, unpack->lowers_count * sizeof *fds);
    text_format(bytes_max, sizeof bytes_max, "%lld", (long long)unpack->bytes_max);
    text_format(files_max, sizeof files_max, "%lld", (long long)unpack->files_max);
    if (!answer || !said)
        return err_set(err, ERR_BUSY, "no memory to unpack an image");
    if (!process_run(&process, answer, said, &result, err))
        return false;
    if (result.cancelled)
        return err_set(err, ERR_CLOSED, "unpacking was cancelled");
    bool unpacked = take_answer(unpack, answer, out, &answered, err);
    if (!answered)
        return without_answer(program, &result, said, err);
    return unpacked;
}
