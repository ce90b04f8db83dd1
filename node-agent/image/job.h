/* Work under way on images: pulls and removals. A job names what it needs (kept from collection
 * meanwhile) and claims what it makes or removes (others wait for it).
 *
 *     one reference, two pulls     the second joins the first one's job and shares its outcome
 *     two images, a common layer   the second finds the layer claimed, waits, finds it made
 *
 * A job never waits while it has claims, so no two wait for each other.
 * Threads: any; these functions take the table's lock.   Owner: each job_join(), job_claim() that gave
 * a job is matched by one job_leave(). */
#ifndef IMAGE_JOB_H
#define IMAGE_JOB_H

#include "node-agent/image/table.h"

enum { JOB_KEY_SIZE = IMAGE_REFERENCE_SIZE + DIGEST_SIZE };

struct job {
    struct job *next;
    int users;
    int done_fd; /* readable for ever once the job is done */
    char key[JOB_KEY_SIZE];
    const char *const *names; /* chain ids, and the digest of an image; the leader's memory */
    const bool *claimed;
    size_t names_count;
    bool done;
    struct image *image; /* the outcome; NULL: it failed, err says why */
    struct err err;
};

/* The job under way for this key, or a new one of which the caller is the leader. */
struct job *job_join(struct table *table, const char *key, bool *leader, struct err *err)
    MUST_CHECK;
/* Same for a new job nobody can join; the lock is held already. */
struct job *job_add_locked(struct table *table, const char *key, struct err *err) MUST_CHECK;
void job_leave(struct table *table, struct job *job);

/* Waits for the end; false with ERR_CLOSED when cancelled before. */
bool job_wait(const struct job *job, int cancel_fd, struct err *err) MUST_CHECK;
/* Of a job that was waited for: an image that is the caller's too, or NULL and why. */
struct image *job_outcome(struct table *table, const struct job *job, struct err *err) MUST_CHECK;
/* The leader's last word. Keeps the image; err is read when there is none. */
void job_end(struct table *table, struct job *job, struct image *image, const struct err *err);

/* The leader needs all of names and will make those that the table does not have (`claimed` is
 * filled). NULL: they are the job's now. Else another job to wait for, and nothing was claimed. */
struct job *job_claim(struct table *table, struct job *job, const char *const *names, bool *claimed,
                      size_t count) MUST_CHECK;

/* Lock held: a job that needs or claims this name, to be waited for and left; NULL: none does. */
struct job *job_that_names(struct table *table, const char *name);
/* Lock held: whether any job needs or claims this name. */
bool jobs_name(const struct table *table, const char *name);

#endif
