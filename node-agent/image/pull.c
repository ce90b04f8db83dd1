/* Getting an image: from memory when the reference was resolved before, by joining a pull that is
 * under way, or by leading one:
 *
 *     resolve --> known? --> describe --> claim --> fetch, unpack --> write down
 *                   |                       '--> wait for who claimed before, look again
 *                   '--> done: only the reference is written down */
#include "node-agent/image/pull.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "node-agent/image/authfile.h"

#include <string.h>
#include <strings.h>

/* ---- who asks for what ---- */

static const struct image_credential *find_credential(const struct pull *pull)
{
    const struct image_request *request = pull->request;

    for (size_t i = 0; i < request->credentials_count; i++) {
        const struct image_credential *credential = &request->credentials[i];
        if (credential->server && credential->username && credential->password &&
            image_reference_served_by(&pull->reference, credential->server))
            return credential;
    }
    return NULL;
}

static bool make_grant(struct pull *pull, struct err *err)
{
    AUTO(text) *secret = text_new(128 * 1024);

    text_reserve(secret, 64 * 1024);
    text_add_json(secret, pull->credential->username);
    text_add_json(secret, pull->credential->password);
    if (!text_ok(secret))
        return err_set(err, ERR_IMAGE_INACCESSIBLE,
                       "the credential of the registry %s is too large", pull->reference.registry);
    digest_keyed(pull->store->grant_key, secret->bytes, secret->size, pull->grant);
    authfile_wipe(secret);
    return true;
}

static const char *grant_of(const struct pull *pull)
{
    return pull->credential ? pull->grant : NULL;
}

static bool begin(struct pull *pull, struct err *err)
{
    if (!image_reference_parse(pull->request->reference, &pull->reference, err))
        return false;
    image_reference_text(&pull->reference, pull->text);
    pull->credential = find_credential(pull);
    return !pull->credential || make_grant(pull, err);
}

static struct image *find_present(struct pull *pull)
{
    struct table *table = &pull->store->table;
    WITH_LOCK(&table->lock);
    struct reference *reference = table_reference(table, pull->text);
    struct record *record = NULL;

    if (reference && reference_grants(reference, grant_of(pull)))
        record = table_record(table, reference->digest);
    if (!record)
        return NULL;
    record->last_used_ms = clock_now_ms();
    return image_keep(record->image);
}

/* ---- leading ---- */

static struct image *find_record(struct image_store *store, const char *digest)
{
    WITH_LOCK(&store->table.lock);
    struct record *record = table_record(&store->table, digest);

    return record ? image_keep(record->image) : NULL;
}

/* Until nobody else works on a layer of ours. */
static bool claim(struct pull *pull, struct err *err)
{
    struct table *table = &pull->store->table;
    size_t count = pull->manifest.layers_count + 1;
    struct job *other;

    while ((other = job_claim(table, pull->job, pull->names, pull->claimed, count)) != NULL) {
        bool waited = job_wait(other, pull->request->cancel_fd, err);
        job_leave(table, other);
        if (!waited)
            return false;
    }
    return true;
}

static bool write_down(struct pull *pull, struct err *err)
{
    struct table *table = &pull->store->table;

    if (!disk_put_image(&pull->store->disk, pull->digest, pull->manifest_json, pull->config_json,
                        err))
        return false;
    WITH_LOCK(&table->lock);
    if (!table_add_record(table, pull->image, clock_now_ms(), err))
        return false;
    (void)image_keep(pull->image); /* the table's */
    return true;
}

/* The reference means this image from now on. */
static bool write_reference(struct pull *pull, struct err *err)
{
    struct table *table = &pull->store->table;
    bool open_to_all;
    {
        WITH_LOCK(&table->lock);
        if (!table_set_reference(table, pull->text, pull->digest, grant_of(pull), err))
            return false;
        open_to_all = table_reference(table, pull->text)->open_to_all;
    }
    return disk_put_reference(&pull->store->disk, pull->text, pull->digest, open_to_all, err);
}

static bool make_image(struct pull *pull, struct err *err)
{
    if (!pull_describe(pull, err) || !claim(pull, err))
        return false;
    if (!pull->claimed[pull->manifest.layers_count]) {
        /* Another reference to the same image was quicker. */
        struct image *made = find_record(pull->store, pull->digest);
        if (made) {
            image_free(pull->image);
            pull->image = made;
            return true;
        }
    }
    if (!pull_layers(pull, err) || !write_down(pull, err))
        return false;
    metric_add(METRIC_images_pulled_total, 1);
    return true;
}

static bool lead(struct pull *pull, struct err *err)
{
    if (!pull_resolve(pull, err))
        return false;
    pull->image = find_record(pull->store, pull->digest);
    return (pull->image || make_image(pull, err)) && write_reference(pull, err);
}

/* "127.0.0.1" stands for every port there, "127.0.0.1:5000" for one. */
static bool is_host_of(const char *server, const char *registry)
{
    size_t size = strcspn(registry, ":");

    return strlen(server) == size && strncasecmp(server, registry, size) == 0;
}

static bool registry_insecure(const struct pull *pull)
{
    const struct text_list *insecure = &pull->store->options.insecure;

    for (size_t i = 0; i < insecure->count; i++) {
        if (image_reference_served_by(&pull->reference, insecure->items[i]) ||
            is_host_of(insecure->items[i], pull->reference.registry))
            return true;
    }
    return false;
}

/* With everything a pull needs around it. */
static struct image *lead_job(struct pull *pull, struct err *err)
{
    AUTO(arena) *arena = arena_new(16 * (size_t)LIMIT_IMAGE_MANIFEST_MAX);
    AUTO(text) *manifest = text_new(LIMIT_IMAGE_MANIFEST_MAX);
    AUTO(text) *config = text_new(LIMIT_IMAGE_MANIFEST_MAX);
    bool made = false;

    pull->arena = arena;
    pull->manifest_json = manifest;
    pull->config_json = config;
    pull->skopeo = (struct skopeo){.program = pull->store->options.skopeo,
                                   .insecure = registry_insecure(pull),
                                   .request = pull->request,
                                   .credential = pull->credential,
                                   .auth_fd = -1};
    if (!arena || !manifest || !config)
        err_set(err, ERR_BUSY, "no memory to pull an image");
    else if (skopeo_begin(&pull->skopeo, pull->reference.registry, err))
        made = lead(pull, err);
    skopeo_end(&pull->skopeo);
    if (!made) {
        image_free(pull->image);
        pull->image = NULL;
    }
    job_end(&pull->store->table, pull->job, pull->image, err);
    return pull->image;
}

/* ---- joining ---- */

static struct image *follow_job(struct pull *pull, bool *again, struct err *err)
{
    struct err failure;
    struct image *image;

    *again = false;
    if (!job_wait(pull->job, pull->request->cancel_fd, err))
        return NULL;
    image = job_outcome(&pull->store->table, pull->job, &failure);
    /* That its leader gave up is no reason for us to. */
    *again = !image && failure.code == ERR_CLOSED;
    if (!image && !*again)
        *err = failure;
    return image;
}

static void make_key(const struct pull *pull, char out[JOB_KEY_SIZE])
{
    bool whole = text_format(out, JOB_KEY_SIZE, "%s %s", pull->text, pull->grant);

    CHECK(whole);
}

static struct image *work(struct pull *pull, struct err *err)
{
    struct table *table = &pull->store->table;
    char key[JOB_KEY_SIZE];
    bool again = true;
    struct image *image = NULL;

    make_key(pull, key);
    while (again) {
        bool leader;
        again = false;
        pull->job = job_join(table, key, &leader, err);
        if (!pull->job)
            return NULL;
        image = leader ? lead_job(pull, err) : follow_job(pull, &again, err);
        job_leave(table, pull->job);
    }
    return image;
}

static void tell(const struct image_request *request, const char *format)
{
    AUTO(text) *words = text_new(2048);

    text_addf(words, "%s \"%s\"", format, request->reference);
    if (request->progress && text_ok(words))
        request->progress(words->bytes, request->context);
}

static bool may_be_present(const struct pull *pull)
{
    switch (pull->request->policy) {
    case IMAGE_IF_MISSING:
        return true;
    case IMAGE_ALWAYS:
        return false;
    case IMAGE_USUAL:
        return *pull->reference.digest || strcmp(pull->reference.tag, "latest") != 0;
    }
    return false;
}

struct image *image_pull(struct image_store *store, const struct image_request *request,
                         struct err *err)
{
    for (;;) {
        struct pull pull = {.store = store, .request = request};
        struct image *image = NULL;
        struct err hold_failure;
        if (!begin(&pull, err))
            return NULL;
        if (may_be_present(&pull))
            image = find_present(&pull);
        if (!image) {
            tell(request, "pulling image");
            image = work(&pull, err);
            if (!image)
                return NULL;
            tell(request, "Successfully pulled image");
        }
        if (!request->holder || image_hold(store, image, request->holder, &hold_failure))
            return image;
        image_free(image);
        /* Not found: collected in between, so from the beginning. */
        if (hold_failure.code != ERR_NOT_FOUND) {
            *err = hold_failure;
            return NULL;
        }
    }
}
