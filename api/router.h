/* From a request to its handler and back: path, token, api-version, headers, errors, counters, once
 * for all routes. The server calls these in order; tests do too. */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include "api/request.h"

enum route_flags {
    ROUTE_OPEN = 1 << 0,         /* no token */
    ROUTE_NODE = 1 << 1,         /* a node's credential instead of the token */
    ROUTE_JOIN = 1 << 2,         /* the join token instead */
    ROUTE_ARM = 1 << 3,          /* needs api-version */
    ROUTE_SUBSCRIPTION = 1 << 4, /* its first name is a subscription, which must exist */
    ROUTE_CREATES = 1 << 5,      /* counted (rates.h) when it makes or changes a group, */
    ROUTE_DELETES = 1 << 6,      /* or deletes one */
    ROUTE_SIGN_IN = 1 << 7,      /* takes a form, if anything; failures are told as OAuth does */
};

/* What the contract says beside bodies and statuses. */
enum route_words {
    WORD_LIST = 1 << 0,      /* gives {"value": [...]} of what `gives` names */
    WORD_PAGED = 1 << 1,     /* takes $top and $skiptoken; a list has a nextLink */
    WORD_TEXT = 1 << 2,      /* gives plain text */
    WORD_NAMES = 1 << 3,     /* gives ["...", ...] */
    WORD_LOGS = 1 << 4,      /* takes tail and timestamps */
    WORD_USAGE = 1 << 5,     /* takes group, from and to */
    WORD_OPERATION = 1 << 6, /* answers with Azure-AsyncOperation */
    WORD_LOCATION = 1 << 7,  /* its 202 answers with Location */
    WORD_FILE = 1 << 8,      /* gives a file as it is */
    WORD_FILTER = 1 << 9,    /* takes $filter */
    WORD_EXPAND = 1 << 10,   /* takes $expand */
    WORD_ANY = 1 << 11,      /* gives JSON of more than one form */
    WORD_SOCKET = 1 << 12,   /* becomes a WebSocket */
    WORD_EVENTS = 1 << 13,   /* gives server-sent events */
    WORD_SCOPE = 1 << 14,    /* takes subscription and resourceGroup */
    WORD_ENDED = 1 << 15,    /* takes group */
};

struct route {
    unsigned methods;
    const char *path; /* {name} stands for one segment */
    unsigned flags;
    handler_fn handler;
    const char *operation; /* the contract's id */
    /* The rest is for the contract alone (openapi.c); calls of nodes are not in it. */
    const char *answers; /* statuses: of success, and failures that not every call has */
    const char *summary;
    const struct schema *takes, *gives; /* bodies, gives of 200 and 201; NULL: none */
    unsigned words;
};

extern const struct route routes[];
extern const size_t routes_count;

/* The head is there: finds the route, checks the caller. May refuse: then the body is dropped. */
void router_begin(struct request *request);
/* A refusal by somebody else, before or instead of running it. */
void router_refuse(struct request *request, const struct err *err);
/* All is there. True: the reply is ready. False: it waits; suspend, then wait_begin(). */
bool router_run(struct request *request) MUST_CHECK;
/* The wait is over. As router_run(). */
bool router_resume(struct request *request) MUST_CHECK;

/* Splits a path at '/', passes over empty segments, decodes each. */
bool path_split(const char *path, struct arena *arena, const char **segments, size_t *count,
                struct err *err) MUST_CHECK;
bool query_split(const char *query, struct arena *arena, struct text_pair *pairs, size_t *count,
                 struct err *err) MUST_CHECK;
/* A form's body: as a query, but ERR_BAD_FORM, and a name may not come twice. */
bool form_split(const char *bytes, size_t size, struct arena *arena, struct form *form,
                struct err *err) MUST_CHECK;
/* The route for a path; `allowed` collects the methods of its path when the method is the only
 * thing wrong. */
const struct route *route_find(enum http_method method, const char *const *segments, size_t count,
                               const char **names, size_t *names_count, unsigned *allowed);
/* YYYY-MM-DD or YYYY-MM-DD-word. */
bool api_version_valid(const char *text);
/* ERR_API_VERSION_MISSING, ERR_API_VERSION_INVALID. NULL: it was not given. */
bool api_version_check(const char *version, struct err *err) MUST_CHECK;
/* A Host header that may go into links. */
bool host_valid(const char *text);

#endif
