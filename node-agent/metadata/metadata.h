/* The metadata address of groups: 169.254.169.254 as each of them sees it, where containers ask for tokens in their
 * group's name (aci/features.md §17.2). Who asks is known by where: each group has a listener of its own, inside its
 * network namespace.
 *
 *     struct metadata *metadata = metadata_new(ask, context, err);
 *     metadata_open(metadata, uid, listening_fd, err);     GETs arrive; ask() hands one to whoever can find the token
 *     metadata_answer(question, 200, token_json);          from any thread, once for each question
 *     metadata_close(metadata, uid);
 *
 * Not for: deciding who gets a token (the plane does); the namespace (network.h, network_group_listen()).
 * Threads: any may call; one thread of its own serves all groups and never waits for a token.
 * Owner: metadata_free(), after the last metadata_answer(). */
#ifndef NODE_AGENT_METADATA_H
#define NODE_AGENT_METADATA_H

#include "base/err.h"
#include "base/id.h"

#define METADATA_ADDRESS "169.254.169.254"
enum { METADATA_PORT = 80 };

struct metadata;

enum { METADATA_RESOURCE_SIZE = 1025, METADATA_NAME_SIZE = 65, METADATA_ID_SIZE = 2049 };

struct metadata_question {
    char uid[ID_SIZE]; /* of the group */
    char resource[METADATA_RESOURCE_SIZE];
    char client_id[METADATA_NAME_SIZE], object_id[METADATA_NAME_SIZE]; /* "": not given */
    char resource_id[METADATA_ID_SIZE];
};

/* On the room's thread: must only hand over. False: nobody can answer now, and metadata_answer() will not be called. */
typedef bool metadata_ask(void *context, struct metadata_question *question);

struct metadata *metadata_new(metadata_ask *ask, void *context, struct err *err) MUST_CHECK;
void metadata_free(struct metadata *metadata);

/* Takes the listening socket, also when it fails. A group that is open already keeps the listener it has. */
bool metadata_open(struct metadata *metadata, const char *uid, int listening_fd, struct err *err)
    MUST_CHECK;
/* Its connections end, with questions under way unanswered. Nothing open is fine. */
void metadata_close(struct metadata *metadata, const char *uid);

/* The question is not the caller's any more. `body` is JSON and is copied; NULL with a status that says why. */
void metadata_answer(struct metadata_question *question, int status, const char *body);

AUTO_TYPE(metadata);

#endif
