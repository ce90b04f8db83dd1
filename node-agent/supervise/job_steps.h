/* The steps of jobs.c, one file each. Workers only. */
#ifndef SUPERVISE_JOB_STEPS_H
#define SUPERVISE_JOB_STEPS_H

#include "node-agent/supervise/jobs.h"

/* job_images.c: a part of prepare. */
bool job_images(struct job *job, struct err *err) MUST_CHECK;
bool job_prepare(struct job *job, struct err *err) MUST_CHECK;
/* Part of it (job_network.c). */
bool job_network_up(struct job *job, const struct assignment *assignment, struct err *err)
    MUST_CHECK;
/* Exactly the ports that are in service when job->ready are. */
bool job_network_open(struct job *job, struct err *err) MUST_CHECK;
bool job_run(struct job *job, struct err *err) MUST_CHECK;
bool job_signal(struct job *job, struct err *err) MUST_CHECK;
bool job_clear(struct job *job, struct err *err) MUST_CHECK;
bool job_forget(struct job *job, struct err *err) MUST_CHECK;

/* job_token.c: the group's metadata address, where it has an identity; open already is fine. */
bool job_identity_open(struct jobs *jobs, const char *uid, const struct assignment *assignment,
                       struct err *err) MUST_CHECK;
/* A metadata_ask; the context is the jobs. */
bool job_token_ask(void *context, struct metadata_question *question);

/* job_users.c: job->users, before anything is made that belongs to somebody; as other rooms take them; whether a
 * container may run as this user. */
bool job_users_begin(struct job *job, struct err *err) MUST_CHECK;
struct idmap idmap_of(const struct network_users *users);
bool user_check(const struct image_user *user, const struct network_users *users, struct err *err)
    MUST_CHECK;

/* Under this name a container's image is held. */
enum { HOLDER_SIZE = 128 };
const char *image_holder(const char *uid, const char *container, char out[HOLDER_SIZE]);
/* <group>/containers/<name>: its writable layer and its root. */
const char *container_folder(const struct agent_parts *parts, const char *uid,
                             const char *container, char out[PATH_SIZE]);

/* job_volumes.c: the group's volumes up; those of a container still up, else the group is prepared again; where one is
 * for a mount; all of them down. */
const char *volumes_folder(const struct agent_parts *parts, const char *uid, char out[PATH_SIZE]);
bool job_volumes_up(struct job *job, struct err *err) MUST_CHECK;
bool job_volumes_are_up(struct job *job, const struct container *container, struct err *err)
    MUST_CHECK;
bool job_volume_find(struct job *job, const struct volume_mount *mount,
                     char source[VOLUME_PATH_SIZE], bool *read_only, struct err *err) MUST_CHECK;
bool job_volumes_down(struct job *job, struct err *err) MUST_CHECK;
/* job_rights.c: whom the container runs as, for image_user_find() (NULL: no memory); and what its
 * processes may do, NULL when nothing is said. */
const char *rights_user(const struct security_context *security, const char *image_user,
                        struct arena *arena);
bool rights_of_spec(const struct security_context *security, struct arena *arena,
                    struct runtime_rights **out, struct err *err) MUST_CHECK;

/* job_config.c: the container's configMap as files, and where they are mounted. */
bool config_of_spec(struct job *job, const struct container *container, struct arena *arena,
                    struct runtime_container *out, struct err *err) MUST_CHECK;
const char *config_folder(const struct agent_parts *parts, const char *uid, const char *container,
                          char out[PATH_SIZE]);

/* job_devices.c: what the container asks for is held and added to `out`, whose mounts and environment are
 * there already. */
bool devices_of_spec(struct job *job, const struct container *container, struct arena *arena,
                     struct runtime_container *out, struct err *err) MUST_CHECK;

#endif
