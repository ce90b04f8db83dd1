/* A PUT on its way: shared by group_put.c (what was sent, a new group), group_update.c (one that
 * stands) and group_what_if.c (what it would do). */
#ifndef API_HANDLERS_GROUP_PUT_H
#define API_HANDLERS_GROUP_PUT_H

#include "api/handlers/group.h"

enum { PUT_TRIES_MAX = 3 };

/* What a PUT comes to. */
enum put_change {
    PUT_NONE,      /* it stands as it was sent */
    PUT_TAGS_ONLY, /* nothing but tags or the DNS label: it keeps running */
    PUT_FILES,     /* it keeps running, and sees other files of its configMaps */
    PUT_IN_PLACE,  /* its containers are started again where they are */
    PUT_REPLACE,   /* not by PUT: it must be deleted first */
    PUT_CREATE,    /* a new deployment: nothing stands, or it is stopped or has ended */
};

struct putting {
    struct container_group group;
    const char *runtime_class; /* that it is to run with; NULL: its node's */
    struct group_row row;      /* as it is to be */
    struct quota_limits limits;
    const char *secrets;
    struct group_row *old;          /* as it stands, when it does */
    struct container_group *stands; /* the same, read */
    bool same_secrets, same_images;
    enum put_change change;
    bool kept; /* secrets were taken from what stood, then of … */
    int64_t kept_key, kept_generation;
    bool moved; /* what stood was changed by another call in between */
    int tries;
    struct err refusal; /* of the scheduler */
};

/* group_put.c */

/* Reads and checks the body, by itself. */
bool put_take(struct request *request, struct putting *putting, struct err *err) MUST_CHECK;
/* Makes it as a new group. */
bool put_create(struct request *request, struct putting *putting, struct err *err) MUST_CHECK;
bool put_answer(struct request *request, const struct group_row *row, int status);

/* group_update.c: goes on with what stands; with put_create() when nothing does any more. */
bool put_standing(struct request *request, struct err *err) MUST_CHECK;

#define KEEP_SECRETS_HEADER "x-berth-keep-secrets"
/* group_secrets.c: with that header, what was sent without its secrets gets those that
 * the standing group has. */
bool put_keep_secrets(struct request *request, struct putting *putting, struct err *err) MUST_CHECK;

/* group_change.c: reads what stands beside what was sent … */
bool put_read(struct request *request, struct tx *tx, struct putting *putting, struct err *err)
    MUST_CHECK;
bool put_is_same(const struct putting *putting);
bool put_keeps_label(const struct putting *putting); /* the same label, of the same scope */
/* … and says what the PUT comes to. Properties that may not change (§20.2) go to request->problems,
 * each with its old and new value. */
enum put_change put_weigh(struct request *request, const struct putting *putting);

#endif
