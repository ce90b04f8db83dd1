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
#include "node-agent/image/heal.h"

#include <string.h>

/* ---- who asks for what ---- */

static const char *grant_of(const struct pull *pull)
{
    return pull->credential ? pull->grant : NULL;
}

static bool begin(struct pull *pull, struct err *err)
{
    if (!image_reference_parse(pull->request->reference, &pull->reference, err))
        return false;
    image_reference_text(&pull->reference, pull->written);
    if (digest_valid(pull->request->pin) && !*pull->reference.digest) {
        memcpy(pull->reference.digest, pull->request->pin, DIGEST_SIZE);
        pull->reference.tag[0] = '\0';
    }
    image_reference_text(&pull->reference, pull->text);
    pull->credential = image_credential_find(pull->request->credentials,
                                             pull->request->credentials_count, &pull->reference);
    return !pull->credential || grant_make(pull->store, pull->credential, pull->grant, err);
}

/* The name of an image of this repository by its digest. */
static void name_by_digest(const struct pull *pull, const char *digest,
                           char out[IMAGE_REFERENCE_SIZE])
{
    struct image_reference reference = pull->reference;
    bool whole = text_copy(reference.digest, sizeof reference.digest, digest);

    CHECK(whole);
    reference.tag[0] = '\0';
    image_reference_text(&reference, out);
}

static struct image *look_present(struct pull *pull)
{
    struct table *table = &pull->store->table;
    WITH_LOCK(&table->lock);
    char by_digest[IMAGE_REFERENCE_SIZE];
    struct reference *reference = table_reference(table, pull->text);
    struct record *record = NULL;

    name_by_digest(pull, pull->reference.digest, by_digest);
    if (!reference && *pull->reference.digest)
        reference = table_reference(table, by_digest);

    if (reference && reference_grants(reference, grant_of(pull)))
        record = table_record(table, reference->digest);
    if (!record)
        return NULL;
    record->last_used_ms = clock_now_ms();
    return image_keep(record->image);
}

/* The image, when nothing happened to it since it was unpacked. What cannot be forgotten is not used. */
static struct image *if_whole(struct pull *pull, struct image *found)
{
    AUTO(image) *image = found;
    struct err err = {0};
    bool whole = true;

    if (image && !heal_image(pull->store, image, pull->request->cancel_fd, &whole, &err)) {
        log_failure("image_not_healed", &err);
        whole = false;
    }
    return whole ? TAKE(image) : NULL;
}

static struct image *find_present(struct pull *pull)
{
    return if_whole(pull, look_present(pull));
}

/* ---- leading ---- */

static struct image *look_record(struct image_store *store, const char *digest)
{
    WITH_LOCK(&store->table.lock);
    struct record *record = table_record(&store->table, digest);

    return record ? image_keep(record->image) : NULL;
}

static struct image *find_record(struct pull *pull, const char *digest)
{
    return if_whole(pull, look_record(pull->store, digest));
}

/* Until nobody else works on a layer of ours. */
static bool claim(struct pull *pull, struct err *err)
{
    struct table *table = &pull->store->table;
    size_t count = pull->registry->image.manifest.layers_count + 1;
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

    if (!disk_put_image(&pull->store->disk, pull->registry->image.digest,
                        pull->registry->manifest_json, pull->registry->config_json, err))
        return false;
    WITH_LOCK(&table->lock);
    if (!table_add_record(table, pull->image, clock_now_ms(), err))
        return false;
    (void)image_keep(pull->image); /* the table's */
    return true;
}

static bool write_reference(struct pull *pull, const char *text, bool unlisted, struct err *err)
{
    struct table *table = &pull->store->table;
    struct reference copy;
    {
        WITH_LOCK(&table->lock);
        if (!table_set_reference(table, text, pull->registry->image.digest, grant_of(pull),
                                 unlisted, err))
            return false;
        copy = *table_reference(table, text);
    }
    return disk_put_reference(&pull->store->disk, &copy, err);
}

/* The name means this image from now on. What it meant when it moves is found by its digests: that of
 * the index, which the plane may know it by, and that of the manifest. */
static bool write_references(struct pull *pull, struct err *err)
{
    const char *digests[] = {pull->registry->image.meant, pull->registry->image.digest};
    char text[IMAGE_REFERENCE_SIZE];

    for (size_t i = 0; i < COUNT_OF(digests); i++) {
        name_by_digest(pull, digests[i], text);
        if (!write_reference(pull, text, true, err))
            return false;
    }
    return write_reference(pull, pull->written, false, err);
}

/* The configuration, and with it the image as a value and the names this job claims. */
static bool describe(struct pull *pull, struct err *err)
{
    struct registry *registry = pull->registry;
    size_t count = registry->image.manifest.layers_count;

    pull->names = arena_array(registry->arena, count + 1, sizeof *pull->names);
    pull->claimed = arena_array(registry->arena, count + 1, sizeof *pull->claimed);
    if (!pull->names || !pull->claimed)
        return err_set(err, ERR_BUSY, "%s: no memory for its description", pull->text);
    if (!registry_describe(registry, err))
        return false;
    pull->image = image_new(registry->image.digest, registry->config_json->bytes,
                            registry->config_json->size, err);
    if (!pull->image)
        return false;
    for (size_t i = 0; i < count; i++)
        pull->names[i] = pull->image->layers.items[i];
    pull->names[count] = pull->image->digest;
    return true;
}

static bool make_image(struct pull *pull, struct err *err)
{
    if (!describe(pull, err) || !claim(pull, err))
        return false;
    if (!pull->claimed[pull->registry->image.manifest.layers_count]) {
        /* Another reference to the same image was quicker. */
        struct image *made = look_record(pull->store, pull->image->digest);
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
    if (!registry_resolve(pull->registry, err)) {
        if (pull->request->pin && err->code == ERR_IMAGE_INACCESSIBLE)
            err_add(err, "%s was %s when the group was created or updated last", pull->written,
                    pull->request->pin);
        return false;
    }
    pull->image = find_record(pull, pull->registry->image.digest);
    return (pull->image || make_image(pull, err)) && write_references(pull, err);
}

static void tell_retry(const struct err *why, void *context)
{
    const struct pull *pull = context;
    const struct image_request *request = pull->request;
    AUTO(text) *words = text_new(2048);

    text_addf(words, "Retrying to pull image \"%s\": %s", request->reference, why->text);
    if (request->progress && text_ok(words))
        request->progress(words->bytes, request->context);
}

/* The leader's last word, while what others may look at is still there. */
static void end_job(struct pull *pull, bool made, const struct err *err)
{
    if (!made) {
        image_free(pull->image);
        pull->image = NULL;
    }
    job_end(&pull->store->table, pull->job, pull->image, err);
}

/* With everything a pull needs around it. */
static void ask_and_lead(struct pull *pull, struct err *err)
{
    const struct registry_question question = {
        .skopeo = pull->store->options.skopeo,
        .insecure = pull->store->options.insecure,
        .certs = pull->store->options.certs,
        .reference = &pull->reference,
        .credential = pull->credential,
        .platform = pull->store->platform,
        .cancel_fd = pull->cancel_fd,
        .retrying = tell_retry,
        .context = pull,
    };
    AUTO(registry) *registry = registry_new(&question, err);

    pull->registry = registry;
    end_job(pull, registry && lead(pull, err), err);
}

static struct image *lead_job(struct pull *pull, struct err *err)
{
    if (!bell_init(&pull->stop, err)) {
        end_job(pull, false, err);
        return NULL;
    }
    pull->cancel_fd = bell_or(&pull->stop, pull->request->cancel_fd, err);
    if (pull->cancel_fd >= 0)
        ask_and_lead(pull, err);
    else
        end_job(pull, false, err);
    auto_close_fd(&pull->cancel_fd);
    bell_done(&pull->stop);
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
