#include "node-agent/image/skopeo.h"

#include "base/limits.h"
#include "base/process.h"
#include "node-agent/image/authfile.h"

#include <poll.h>
#include <string.h>
#include <sys/resource.h>

enum { ERRORS_MAX = 64 * 1024 };

bool skopeo_begin(struct skopeo *skopeo, const char *registry, struct err *err)
{
    skopeo->auth_fd = authfile_open(registry, skopeo->credential, err);
    /* skopeo runs as the same user and opens the memory file through this process. */
    return skopeo->auth_fd >= 0 && text_format(skopeo->auth_path, sizeof skopeo->auth_path,
                                               "/proc/%d/fd/%d", (int)getpid(), skopeo->auth_fd);
}

void skopeo_end(struct skopeo *skopeo)
{
    auto_close_fd(&skopeo->auth_fd);
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

static bool run_once(const struct skopeo *skopeo, const struct run *run, const char *image,
                     struct text *out, struct err *err)
{
    AUTO(text) *errors = text_new(ERRORS_MAX);
    int64_t bytes_max = run->bytes_max;
    struct process process = {.argv = run->argv,
                              .timeout_ms = run->timeout_ms,
                              .in_child = confine,
                              .context = &bytes_max};
    struct process_result result = {0};

    if (skopeo->request->cancel_fd >= 0)
        process.cancel_fd = &skopeo->request->cancel_fd;
    if (!process_run(&process, out, errors, &result, err)) {
        err->code =
            err->code == ERR_NOT_FOUND ? ERR_IO : err->code; /* not the image: the program */
        return err_add(err, "while running skopeo");
    }
    if (result.cancelled)
        return err_set(err, ERR_CLOSED, "%s: the pull was cancelled", image);
    if (result.timed_out)
        return err_set(err, ERR_REGISTRY_RESPONSE, "%s: the registry does not answer in time",
                       image);
    if (result.exit_code != 0)
        return skopeo_failure(image, errors ? errors->bytes : "", skopeo->credential, err);
    if (out && !text_ok(out))
        return err_set(err, ERR_IMAGE_INACCESSIBLE, "%s: its description is too large", image);
    return true;
}

/* ---- several tries ---- */

/* False when cancelled while waiting. */
static bool pause_before(int attempt, int cancel_fd)
{
    struct pollfd asked = {.fd = cancel_fd, .events = POLLIN};
    int64_t wait_ms = LIMIT_PULL_RETRY_MS << attempt;

    return poll(&asked, 1, (int)wait_ms) <= 0;
}

static void tell(const struct image_request *request, const struct err *why)
{
    AUTO(text) *words = text_new(2048);

    text_addf(words, "Retrying to pull image \"%s\": %s", request->reference, why->text);
    if (request->progress && text_ok(words))
        request->progress(words->bytes, request->context);
}

static bool run(const struct skopeo *skopeo, const struct run *run, const char *image,
                struct text *out, struct err *err)
{
    for (int attempt = 0;; attempt++) {
        struct err failure = {0};
        if (out)
            text_clear(out);
        if (run_once(skopeo, run, image, out, &failure))
            return true;
        if (failure.code != ERR_REGISTRY_RESPONSE || attempt + 1 >= LIMIT_PULL_RETRIES) {
            *err = failure;
            return false;
        }
        tell(skopeo->request, &failure);
        if (!pause_before(attempt, skopeo->request->cancel_fd))
            return err_set(err, ERR_CLOSED, "%s: the pull was cancelled", image);
    }
}

/* ---- the three questions ---- */

static bool inspect(const struct skopeo *skopeo, const char *what, const char *image,
                    struct text *out, struct err *err)
{
    char source[IMAGE_REFERENCE_SIZE + 16];
    const char *const argv[] = {skopeo->program,
                                "inspect",
                                "--raw",
                                what,
                                "--authfile",
                                skopeo->auth_path,
                                skopeo->insecure ? "--tls-verify=false" : "--tls-verify=true",
                                source,
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
    const char *const argv[] = {skopeo->program,
                                "copy",
                                "--quiet",
                                "--src-authfile",
                                skopeo->auth_path,
                                skopeo->insecure ? "--src-tls-verify=false"
                                                 : "--src-tls-verify=true",
                                "--dest-shared-blob-dir",
                                blobs,
                                "--dest-oci-accept-uncompressed-layers",
                                source,
                                layout,
                                NULL};
    struct run fetched = {argv, LIMIT_PULL_MS, bytes_max};

    if (!text_format(source, sizeof source, "docker://%s", image) ||
        !text_format(blobs, sizeof blobs, "%s/blobs", folder) ||
        !text_format(layout, sizeof layout, "oci:%s/layout", folder))
        return err_set(err, ERR_IO, "the path %s is too long", folder);
    return run(skopeo, &fetched, image, NULL, err);
}
