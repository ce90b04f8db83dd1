#include "registry/skopeo.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/process.h"
#include "registry/authfile.h"

#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ERRORS_MAX = 64 * 1024, NS_PER_MS = 1000000 };

/* Where skopeo finds its standard input; /dev/stdin is not there in every container. */
#define AUTHFILE_PATH "/proc/self/fd/0"

/* ---- a conversation ---- */

/* "127.0.0.1" stands for every port there, "127.0.0.1:5000" for one. */
static bool is_host_of(const char *server, const char *registry)
{
    size_t size = strcspn(registry, ":");

    return strlen(server) == size && strncasecmp(server, registry, size) == 0;
}

static bool is_insecure(const struct registry_question *question)
{
    for (size_t i = 0; i < question->insecure.count; i++) {
        const char *server = question->insecure.items[i];
        if (image_reference_served_by(question->reference, server) ||
            is_host_of(server, question->reference->registry))
            return true;
    }
    return false;
}

/* An empty folder adds nothing to what the system trusts. */
static bool certs_of(const struct registry_question *question, char *out, size_t size)
{
    *out = '\0';
    if (!question->certs || !*question->certs)
        return true;
    if (!text_format(out, size, "%s/%s", question->certs, question->reference->registry))
        return false;
    if (access(out, X_OK) != 0)
        *out = '\0';
    return true;
}

bool skopeo_begin(struct skopeo *skopeo, const struct registry_question *question, struct err *err)
{
    *skopeo = (struct skopeo){.question = question, .insecure = is_insecure(question)};
    if (question->for_ms > 0)
        skopeo->until_ns = clock_boot_ns() + question->for_ms * NS_PER_MS;
    if (!certs_of(question, skopeo->certs, sizeof skopeo->certs))
        return err_set(err, ERR_IO, "the path of the folder of registries' CAs is too long");
    skopeo->auth = authfile_new(question->reference->registry, question->credential, err);
    return skopeo->auth != NULL;
}

void skopeo_end(struct skopeo *skopeo)
{
    text_wipe(skopeo->auth);
    text_free(skopeo->auth);
    skopeo->auth = NULL;
}

/* ---- one run ---- */

/* In the child: no registry fills the disk past what it announced. */
static bool confine(void *context)
{
    const int64_t *bytes_max = context;
    struct rlimit size = {(rlim_t)*bytes_max, (rlim_t)*bytes_max};

    return setrlimit(RLIMIT_FSIZE, &size) == 0;
}

struct run {
    const char *const *argv;
    int64_t timeout_ms, bytes_max;
};

/* Of this conversation, at most `wanted_ms`. */
static int64_t left_ms(const struct skopeo *skopeo, int64_t wanted_ms)
{
    int64_t left = wanted_ms;

    if (skopeo->until_ns != 0)
        left = (skopeo->until_ns - clock_boot_ns()) / NS_PER_MS;
    return left < 1 ? 1 : left < wanted_ms ? left : wanted_ms;
}

static bool too_late(const char *image, struct err *err)
{
    /* skopeo waits on its own, for up to half a minute, when it is told "too many requests". */
    return err_set(err, ERR_REGISTRY_RESPONSE,
                   "%s: the registry does not answer in time, or limits the rate of pulls", image);
}

static bool cancelled(const char *image, struct err *err)
{
    return err_set(err, ERR_CLOSED, "%s: the pull was cancelled", image);
}

static bool run_once(const struct skopeo *skopeo, const struct run *run, const char *image,
                     struct text *out, struct err *err)
{
    AUTO(text) *errors = text_new(ERRORS_MAX);
    int64_t bytes_max = run->bytes_max;
    struct process process = {.argv = run->argv,
                              .input = skopeo->auth->bytes,
                              .input_size = skopeo->auth->size,
                              .timeout_ms = left_ms(skopeo, run->timeout_ms),
                              .in_child = confine,
                              .context = &bytes_max};
    struct process_result result = {0};

    if (skopeo->question->cancel_fd >= 0)
        process.cancel_fd = &skopeo->question->cancel_fd;
    if (!process_run(&process, out, errors, &result, err)) {
        err->code =
            err->code == ERR_NOT_FOUND ? ERR_IO : err->code; /* not the image: the program */
        return err_add(err, "while running skopeo");
    }
    if (result.cancelled)
        return cancelled(image, err);
    if (result.timed_out)
        return too_late(image, err);
    if (result.exit_code != 0)
        return skopeo_failure(image, errors ? errors->bytes : "", skopeo->question->credential,
                              err);
    if (out && !text_ok(out))
        return err_set(err, ERR_IMAGE_INACCESSIBLE, "%s: its description is too large", image);
    return true;
}

/* ---- several tries ---- */

/* False when cancelled while waiting. */
static bool pause_ms(int64_t wait_ms, int cancel_fd)
{
    struct pollfd asked = {.fd = cancel_fd, .events = POLLIN};

    return poll(&asked, 1, (int)wait_ms) <= 0;
}

static bool is_worth_another(const struct skopeo *skopeo, const struct err *failure, int attempt,
                             int64_t wait_ms)
{
    return failure->code == ERR_REGISTRY_RESPONSE && attempt + 1 < LIMIT_PULL_RETRIES &&
           left_ms(skopeo, wait_ms + 1) > wait_ms;
}

static bool run(const struct skopeo *skopeo, const struct run *run, const char *image,
                struct text *out, struct err *err)
{
    const struct registry_question *question = skopeo->question;

    for (int attempt = 0;; attempt++) {
        struct err failure = {0};
        int64_t wait_ms = LIMIT_PULL_RETRY_MS << attempt;
        if (out)
            text_clear(out);
        if (run_once(skopeo, run, image, out, &failure))
            return true;
        if (!is_worth_another(skopeo, &failure, attempt, wait_ms)) {
            *err = failure;
            return false;
        }
        if (question->retrying)
            question->retrying(&failure, question->context);
        if (!pause_ms(wait_ms, question->cancel_fd))
            return cancelled(image, err);
    }
}

/* ---- the three questions ---- */

static bool inspect(const struct skopeo *skopeo, const char *what, const char *image,
                    struct text *out, struct err *err)
{
    char source[IMAGE_REFERENCE_SIZE + 16];
    const char *const argv[] = {skopeo->question->skopeo,
                                "inspect",
                                "--raw",
                                what,
                                "--authfile",
                                AUTHFILE_PATH,
                                skopeo->insecure ? "--tls-verify=false" : "--tls-verify=true",
                                source,
                                *skopeo->certs ? "--cert-dir" : NULL,
                                skopeo->certs,
                                NULL};
    struct run asked = {argv, LIMIT_PULL_ASK_MS, LIMIT_IMAGE_MANIFEST_MAX};

    if (!out || !text_format(source, sizeof source, "docker://%s", image))
        return err_set(err, ERR_BUSY, "out of memory");
    return run(skopeo, &asked, image, out, err);
}

bool skopeo_manifest(struct skopeo *skopeo, const char *image, struct text *out, struct err *err)
{
    return inspect(skopeo, "--config=false", image, out, err);
}

bool skopeo_config(struct skopeo *skopeo, const char *image, struct text *out, struct err *err)
{
    return inspect(skopeo, "--config=true", image, out, err);
}

/* The "oci" form because it fetches layers side by side and skips those it finds in its blob
 * folder. It rewrites manifests of Docker's form: nobody reads what it writes but the layers. */
bool skopeo_fetch(struct skopeo *skopeo, const char *image, const char *folder, int64_t bytes_max,
                  struct err *err)
{
    char source[IMAGE_REFERENCE_SIZE + 16], blobs[4096], layout[4096];
    const char *const argv[] = {skopeo->question->skopeo,
                                "copy",
                                "--quiet",
                                "--src-authfile",
                                AUTHFILE_PATH,
                                skopeo->insecure ? "--src-tls-verify=false"
                                                 : "--src-tls-verify=true",
                                "--dest-shared-blob-dir",
                                blobs,
                                "--dest-oci-accept-uncompressed-layers",
                                source,
                                layout,
                                *skopeo->certs ? "--src-cert-dir" : NULL,
                                skopeo->certs,
                                NULL};
    struct run fetched = {argv, LIMIT_PULL_MS, bytes_max};

    if (!text_format(source, sizeof source, "docker://%s", image) ||
        !text_format(blobs, sizeof blobs, "%s/blobs", folder) ||
        !text_format(layout, sizeof layout, "oci:%s/layout", folder))
        return err_set(err, ERR_IO, "the path %s is too long", folder);
    return run(skopeo, &fetched, image, NULL, err);
}
