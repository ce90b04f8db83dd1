/* The images of a group: different ones are pulled side by side, a few at a time. The first that fails ends the
 * others. What the plane said a name means is what is pulled; where it said nothing, what was found is told. */
#include "node-agent/supervise/job_steps.h"

#include "base/limits.h"

#include <stdatomic.h>
#include <string.h>

enum { CREDENTIALS_MAX = 64 }; /* as many as a group may bring */

struct pulling {
    struct job *job;
    const struct group_properties *properties;
    size_t count; /* of containers, init ones first */
    struct image_credential credentials[CREDENTIALS_MAX];
    size_t credentials_count;
    int cancel_fd;
    atomic_size_t next;
    struct bell stop; /* rung by the first that failed */
    atomic_flag failed;
    struct err err;
};

/* ---- one container's ---- */

struct telling {
    struct job *job;
    const char *container;
};

static void tell(const char *words, void *context)
{
    const struct telling *telling = context;
    struct progress *progress = calloc(1, sizeof *progress);

    if (!progress)
        return;
    progress->message.deliver = job_progress;
    text_copy(progress->uid, sizeof progress->uid, telling->job->uid);
    progress->incarnation = telling->job->incarnation;
    text_copy(progress->member_name, sizeof progress->member_name, telling->container);
    text_copy(progress->text, sizeof progress->text, words);
    inbox_put(telling->job->jobs->inbox, &progress->message);
}

static bool pull_one(struct pulling *pulling, size_t index, struct err *err)
{
    struct job *job = pulling->job;
    const struct assignment *assignment = job->order->assignment;
    const struct container *container = group_container_at(pulling->properties, index);
    const char *image_name = container->properties->image;
    struct telling telling = {job, container->name};
    char holder[HOLDER_SIZE];
    struct image_request request = {
        .reference = image_name,
        .pin = image_pin_find(assignment->pins, assignment->pins_count, image_name),
        .credentials = pulling->credentials,
        .credentials_count = pulling->credentials_count,
        .policy = IMAGE_USUAL,
        .holder = image_holder(job->uid, container->name, holder),
        .cancel_fd = pulling->cancel_fd,
        .progress = tell,
        .context = &telling,
    };
    AUTO(image) *image = image_pull(job->jobs->parts.images, &request, err);

    if (!image)
        return false;
    return text_copy(job->digests[index], DIGEST_SIZE, request.pin ? request.pin : image->digest) ||
           err_set(err, ERR_INTERNAL, "an image has a strange digest");
}

/* ---- all of them ---- */

static const char *image_at(const struct pulling *pulling, size_t index)
{
    return group_container_at(pulling->properties, index)->properties->image;
}

static bool same_image(const struct pulling *pulling, size_t one, size_t other)
{
    return strcmp(image_at(pulling, one), image_at(pulling, other)) == 0;
}

static bool is_first_of_its_image(const struct pulling *pulling, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (same_image(pulling, i, index))
            return false;
    }
    return true;
}

/* One image, for each container that runs it. */
static void pull_image(struct pulling *pulling, size_t first)
{
    struct err err = {0};

    for (size_t i = first; i < pulling->count; i++) {
        if (!same_image(pulling, first, i) || pull_one(pulling, i, &err))
            continue;
        if (!atomic_flag_test_and_set(&pulling->failed)) {
            pulling->err = err;
            pulling->job->member = i; /* whose pull failed */
            bell_ring(&pulling->stop);
        }
        return;
    }
}

static void *pull_some(void *context)
{
    struct pulling *pulling = context;
    size_t index;

    while ((index = atomic_fetch_add(&pulling->next, 1)) < pulling->count) {
        if (is_first_of_its_image(pulling, index))
            pull_image(pulling, index);
    }
    return NULL;
}

static size_t count_images(const struct pulling *pulling)
{
    size_t images = 0;

    for (size_t i = 0; i < pulling->count; i++)
        images += is_first_of_its_image(pulling, i);
    return images;
}

/* As many threads as there is work for; fewer do it too. */
static void pull_all(struct pulling *pulling, size_t images)
{
    pthread_t threads[LIMIT_GROUP_PULLS];
    size_t wanted = images < COUNT_OF(threads) ? images : COUNT_OF(threads), started = 0;
    struct err unstarted;

    while (started + 1 < wanted &&
           thread_start(&threads[started], "pull", pull_some, pulling, &unstarted))
        started++;
    pull_some(pulling);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}

static void take_credentials(struct pulling *pulling, const struct group_properties *properties)
{
    for (size_t i = 0; i < properties->credentials_count; i++) {
        const struct registry_credential *given = &properties->credentials[i];
        if (pulling->credentials_count < COUNT_OF(pulling->credentials))
            pulling->credentials[pulling->credentials_count++] =
                (struct image_credential){given->server, given->username, given->password};
    }
}

bool job_images(struct job *job, struct err *err)
{
    const struct group_properties *properties = job->order->assignment->group->properties;
    struct pulling pulling = {.job = job,
                              .properties = properties,
                              .count = group_containers_total(properties),
                              .failed = ATOMIC_FLAG_INIT};
    size_t images;

    if (pulling.count > JOB_NAMES_MAX)
        return err_set(err, ERR_INVALID, "more containers than a group may have");
    take_credentials(&pulling, properties);
    images = count_images(&pulling);
    if (!bell_init(&pulling.stop, err))
        return false;
    AUTO_CLOSE int both = -1;
    pulling.cancel_fd = job->cancel_fd;
    if (images > 1)
        pulling.cancel_fd = both = bell_or(&pulling.stop, job->cancel_fd, err);
    bool ready = images <= 1 || both >= 0;
    if (ready)
        pull_all(&pulling, images);
    bell_done(&pulling.stop);
    if (pulling.err.code != ERR_OK)
        *err = pulling.err;
    return ready && pulling.err.code == ERR_OK;
}
