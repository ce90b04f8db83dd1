/* The protocol between the plane and its nodes: HTTP/1.1 and JSON under /v1/agent, always opened by the node.
 *
 *   POST /v1/agent/join      join_request -> join_answer      with the join token; gives node id, credential, epoch
 *   POST /v1/agent/report    report       -> report_answer    each beat, and at once when something changed
 *   GET  /v1/agent/desired?epoch=E&after=R  -> desired        held open until something changed (LIMIT_NODE_POLL_MS)
 *   POST /v1/agent/answers/{id}   answer                      to a question that came with `desired`
 *   GET  /v1/agent/streams/{id}   WebSocket                   for a question that asks for a stream
 *
 * In a stream, binary messages are what a terminal gives and takes (or, of followed logs, events as the client
 * gets them); text messages of the plane are a stream_size. The node ends it with code 1000 and, as reason, the
 * words the client is to see.
 *
 * All but join carry `Authorization: Bearer <credential>` and `Berth-Node: <node id>`. A report or poll with
 * an old epoch is refused with ERR_NODE_EPOCH: the node joins again (it was lost meanwhile) and asks for its
 * desired state from revision 0.
 *
 * Rules that make any message harmless when it is repeated or late:
 * - An assignment is (group uid, incarnation). A node acts on the highest incarnation it has seen of a group.
 * - A status speaks of one incarnation; the plane ignores older ones.
 * - Usage intervals are keyed (node, group, incarnation, from_s); `to_s` never moves once given.
 * - A report is acknowledged by its sequence only after its transaction was committed.
 * Threads: plain data; any. */
#ifndef MODEL_LINK_H
#define MODEL_LINK_H

#include "model/container_group.h"
#include "model/lifecycle.h"

#define LINK_NODE_HEADER "Berth-Node"

/* ---- join ---- */

struct node_gpus { /* of one sku */
    int sku;
    int64_t count;
};
struct node_capacity { /* after reserve and overcommit */
    int64_t cpu_milli, memory_mib;
    struct node_gpus *gpus;
    size_t gpus_count;
};
/* As a shape counts them. */
int64_t capacity_gpus(const struct node_capacity *capacity);

struct join_request {
    const char *name;         /* of the node, a host name label; kept over restarts */
    const char *node_id;      /* from an earlier join, NULL the first time */
    const char *credential;   /* proof for node_id */
    const char *boot_id;      /* the machine's, changes with each reboot */
    const char *location;     /* "" takes the plane's default */
    const char *zone;         /* part of the location; NULL or "": none */
    const char *os;           /* os_type word */
    const char *architecture; /* "amd64" */
    const char *address;      /* the machine's own, for people */
    const char *version;
    struct text_list classes; /* of runtimes that it has, the usual one first */
    bool user_namespaces;     /* groups have users of their own */
    struct node_capacity *capacity;
};

struct join_answer {
    const char *node_id, *credential;
    int64_t epoch;
    int64_t beat_ms, fence_ms, lost_ms; /* fence_ms 0: never fence, groups wait for this node */
};

/* ---- what the plane wants ---- */

enum wanted { WANTED_RUN, WANTED_STOP, WANTED_REMOVE };
extern const char *const wanted_words[];

/* What the name of an image means: the manifest or index it had when the group's version began. */
struct image_pin {
    const char *image; /* as the group writes it */
    const char *digest;
};
/* NULL: nothing is said of this one. */
const char *image_pin_find(const struct image_pin *pins, size_t count, const char *image);

/* A local disk that a group names, where it is: id names its folder on the node. */
struct disk_seat {
    const char *name, *id;
    int64_t size_bytes; /* what it was made for, whatever this group says; 0: nobody said */
};

struct assignment {
    const char *uid; /* of the group */
    /* of its run: create, start, restart and each new placement count up */
    int64_t incarnation;
    int64_t revision;
    int wanted;
    const char *name, *resource_group, *subscription; /* for people */
    /* held from the first pull to the last exit */
    int64_t cpu_milli, memory_mib;
    const char *public_address;    /* of the location's pool, the group's for life; NULL: none */
    const char *runtime_class;     /* NULL: the node's usual one */
    struct container_group *group; /* with secrets; NULL when wanted is remove or stop */
    struct image_pin *pins;        /* these images run, whatever their names mean by now */
    size_t pins_count;
    struct disk_seat *disks;
    size_t disks_count;
};

/* The last three are answered by opening a stream. */
enum question_kind { QUESTION_LOGS, QUESTION_EXEC, QUESTION_ATTACH, QUESTION_FOLLOW };
extern const char *const question_kind_words[];

struct question {
    const char *id;
    int kind;
    const char *uid, *container;
    struct opt_int tail;
    bool timestamps;
    bool previous;               /* logs: of the run before */
    int64_t bytes_max;           /* logs: of the answer; 0: LIMIT_LOG_ANSWER_MAX */
    const char *command;         /* exec: as a shell would take it apart */
    int64_t rows, columns;       /* exec: of the terminal; 0: 24, 80 */
    struct text_list containers; /* follow: these */
    const char *position;        /* follow: behind it; NULL: from the beginning, or `tail` */
    bool ends;                   /* follow: nothing more is written, end with the last line */
};

/* Of a terminal, while it runs. */
struct stream_size {
    int64_t rows, columns;
};

struct desired {
    int64_t revision; /* ask with after=this next time */
    /* With after=0: these are all; what the node has and this does not name is to be removed. In
     * pages of LIMIT_LINK_DESIRED_PAGE only the last one is complete. */
    bool complete;
    struct assignment *assignments;
    size_t assignments_count;
    struct question *questions;
    size_t questions_count;
    /* Ids of local disks to remove with all that is in them; told again until a report says that they are gone. */
    struct text_list remove_disks;
};

/* A container asks for a token in its group's name (aci/features.md §17.2); at most one of the ids is given. */
struct token_ask {
    const char *uid;      /* of the group */
    const char *resource; /* whom the token is for */
    const char *client_id, *principal_id, *resource_id;
};

struct answer {
    const char *content;
    const char *error_code, *error_text; /* instead of content */
};

/* ---- what the node reports ---- */

struct failure {
    const char *code, *text;
}; /* public code of errors.def and a sentence */

struct container_status {
    const char *name;
    struct container_view *view;
};

struct group_status {
    const char *uid;
    int64_t incarnation;
    int state;               /* group_state word */
    bool provisioned;        /* every container was started once (or the group finished) */
    bool released;           /* nothing of this incarnation holds resources any more */
    bool removed;            /* nothing of the group is left on the node */
    struct failure *failure; /* why it failed for good; NULL otherwise */
    const char *address;     /* of the group on its node */
    struct event *events;    /* of the group */
    size_t events_count;
    struct container_status *containers;
    size_t containers_count;
    struct image_pin *pins; /* what runs, once the images are there */
    size_t pins_count;
};

struct usage_interval {
    const char *uid;
    int64_t incarnation;
    int64_t from_s, to_s; /* Unix seconds, [from, to); to 0: still held */
    int64_t cpu_milli, memory_mib;
    /* GPUs as a shape counts them, and the number of its quota class; absent: its agent does not meter them. */
    struct opt_int gpus, price_class;
};

struct use_sample { /* measured, for charts; never for the bill */
    int64_t second;
    const char *uid;
    int64_t incarnation;
    const char *container;
    int64_t cpu_ns; /* cumulative in this incarnation */
    int64_t memory_bytes;
    /* cumulative, of the group's network; on its first container only */
    int64_t rx_bytes, tx_bytes;
};

struct node_image {
    const char *image;  /* the name it was fetched by, in its normal form */
    const char *digest; /* of its manifest */
    bool open;          /* fetched without a credential */
};
struct node_images {
    struct node_image *items;
    size_t items_count;
};

struct report {
    int64_t epoch;
    int64_t sequence; /* counts up over the life of the node's state folder */
    /* every second below it is fully told by this and earlier reports; 0: not known yet */
    int64_t watermark_s;
    struct node_capacity *capacity;
    /* of groups whose status changed since the last acknowledged report */
    struct group_status *statuses;
    size_t statuses_count;
    struct usage_interval *intervals;
    size_t intervals_count;
    struct use_sample *samples;
    size_t samples_count;
    /* all that the node holds; NULL: as the last acknowledged report of this epoch told */
    struct node_images *images;
    struct text_list removed_disks; /* ids: nothing of them is left */
};

struct report_answer {
    int64_t sequence; /* acknowledged: committed */
    int64_t lease_ms; /* the lease runs this long from when the report was SENT */
};

extern const struct schema token_ask_schema;
extern const struct schema node_gpus_schema, join_request_schema, join_answer_schema,
    desired_schema, answer_schema, report_schema, report_answer_schema, group_status_schema,
    assignment_schema, stream_size_schema;

#endif
