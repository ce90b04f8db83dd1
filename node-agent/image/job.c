#include "node-agent/image/job.h"

#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

struct job *job_add_locked(struct table *table, const char *key, struct err *err)
{
    struct job *job = calloc(1, sizeof *job);

    if (job)
        job->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!job || job->done_fd < 0 || !text_copy(job->key, sizeof job->key, key)) {
        err_set_os(err, ERR_BUSY, errno, "cannot begin to work on an image");
        if (job)
            auto_close_fd(&job->done_fd);
        free(job);
        return NULL;
    }
    job->users = 1;
    job->next = table->jobs;
    table->jobs = job;
    return job;
}

struct job *job_join(struct table *table, const char *key, bool *leader, struct err *err)
{
    WITH_LOCK(&table->lock);

    for (struct job *job = table->jobs; job; job = job->next) {
        if (!job->done && strcmp(job->key, key) == 0) {
            job->users++;
            *leader = false;
            return job;
        }
    }
    *leader = true;
    return job_add_locked(table, key, err);
}

void job_leave(struct table *table, struct job *job)
{
    {
        WITH_LOCK(&table->lock);
        struct job **at = &table->jobs;
        if (--job->users > 0)
            return;
        CHECK(job->done);
        while (*at != job)
            at = &(*at)->next;
        *at = job->next;
    }
    image_free(job->image);
    close(job->done_fd);
    free(job);
}

bool job_wait(const struct job *job, int cancel_fd, struct err *err)
{
    struct pollfd asked[2] = {{.fd = job->done_fd, .events = POLLIN},
                              {.fd = cancel_fd, .events = POLLIN}};

    while (poll(asked, 2, -1) < 0 && errno == EINTR)
        ;
    if (asked[0].revents)
        return true;
    return err_set(err, ERR_CLOSED, "the pull was cancelled");
}

struct image *job_outcome(struct table *table, const struct job *job, struct err *err)
{
    WITH_LOCK(&table->lock);

    if (job->image)
        return image_keep(job->image);
    *err = job->err;
    return NULL;
}

void job_end(struct table *table, struct job *job, struct image *image, const struct err *err)
{
    WITH_LOCK(&table->lock);
    if (image)
        job->image = image_keep(image);
    else
        job->err = *err;
    job->done = true;
    /* Both were the leader's memory, and what they protected is in the table now. */
    job->names = NULL;
    job->claimed = NULL;
    job->names_count = 0;
    (void)eventfd_write(job->done_fd, 1);
}

static bool names(const struct job *job, const char *name, bool only_claimed)
{
    for (size_t i = 0; i < job->names_count; i++) {
        if ((job->claimed[i] || !only_claimed) && strcmp(job->names[i], name) == 0)
            return true;
    }
    return false;
}

bool jobs_name(const struct table *table, const char *name)
{
    for (const struct job *job = table->jobs; job; job = job->next) {
        if (names(job, name, false))
            return true;
    }
    return false;
}

struct job *job_that_names(struct table *table, const char *name)
{
    for (struct job *job = table->jobs; job; job = job->next) {
        if (names(job, name, false)) {
            job->users++;
            return job;
        }
    }
    return NULL;
}

static struct job *claimed_by_other(const struct table *table, const struct job *mine,
                                    const char *name)
{
    for (struct job *job = table->jobs; job; job = job->next) {
        if (job != mine && names(job, name, true))
            return job;
    }
    return NULL;
}

struct job *job_claim(struct table *table, struct job *job, const char *const *wanted,
                      bool *claimed, size_t count)
{
    WITH_LOCK(&table->lock);

    for (size_t i = 0; i < count; i++) {
        struct job *other = claimed_by_other(table, job, wanted[i]);
        if (other) {
            other->users++;
            return other;
        }
        claimed[i] = !table_layer(table, wanted[i]) && !table_record(table, wanted[i]);
    }
    job->names = wanted;
    job->claimed = claimed;
    job->names_count = count;
    return NULL;
}
