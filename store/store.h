/* What is remembered: resource groups, container groups, nodes, assignments, operations, usage.
 *
 * One writer thread commits everything that waits in one transaction (group commit) and then tells each
 * submitter; readers use connections of their own and never wait for it. Every change gets the next number
 * of one revision sequence, in the transaction that makes it.
 *
 * Two layers meet here: running work in transactions (this part), and the questions and changes of each
 * subject (below; store/groups.c, nodes.c, life.c, ledger.c, …). The interface knows no database.
 *
 * Not for: deciding where a group runs (scheduler), what a request means (api).
 * Threads: any thread may submit, write and read. Work functions run on the writer thread, one at a time.
 * Rows live in the arena given. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "model/address_pool.h"
#include "model/dns_name.h"
#include "model/lifecycle.h"
#include "model/link.h"
#include "model/local_disk.h"
#include "model/quota.h"
#include "model/resource_id.h"

struct store;
struct tx;

/* ---- opening ---- */

struct store_options {
    const char *path; /* database file; its folder must exist */
    /* 32 random bytes, mode 0600, made when absent: seals secrets, never in the database. */
    const char *key_path;
};

/* Fails at once, saying what to do, when the file is damaged, newer than this program, locked by another
 * process, on a full or read-only disk, or when a migration that ran has another text now. */
struct store *store_open(const struct store_options *options, struct err *err) MUST_CHECK;
/* Finishes what was submitted, stops the writer. */
void store_close(struct store *store);

/* ---- work ---- */

/* Runs in a write transaction. False undoes what this work did, not what others did in the same commit.
 * It may run twice (when other work of the same commit had to be undone): only its last run counts. */
typedef bool (*store_work)(struct tx *tx, void *data, struct err *err);
/* Told once the commit is on the disk (or failed), on the writer thread: must not block. `err` is NULL when it is. */
typedef void (*store_done)(void *data, const struct err *err);

/* Hands work to the writer and returns. False (ERR_BUSY, ERR_CLOSED): it was not taken, done is not called.
 * After a failed commit every work of it is told ERR_STORAGE; nothing of it is remembered. */
bool store_submit(struct store *store, store_work work, store_done done, void *data,
                  struct err *err) MUST_CHECK;
/* Same, waiting for the outcome. Not from HTTP threads. */
bool store_write(struct store *store, store_work work, void *data, struct err *err) MUST_CHECK;

/* A consistent view, for reading only. Ends with its scope: AUTO(tx) *tx = store_read(store, err);
 * It may see a commit that is still on its way to the disk, for some parts of a millisecond. */
struct tx *store_read(struct store *store, struct err *err) MUST_CHECK;
/* Everything that readers saw until now is on the disk. While it is not, work that does nothing waits for it. */
bool store_settled(struct store *store);
void tx_free(struct tx *tx);
AUTO_TYPE(tx);

/* The newest revision this transaction sees; inside work, the number its own next change will get. */
int64_t tx_revision(struct tx *tx);

/* ---- being told of changes ---- */

/* CHANGE_NAME: a DNS name was given, freed or moved to another address. */
enum change_kind { CHANGE_GROUP, CHANGE_ASSIGNMENT, CHANGE_NODE, CHANGE_OPERATION, CHANGE_NAME };
struct change {
    enum change_kind kind;
    int64_t revision;
    int64_t group_key, node_key, operation_key; /* 0 where it does not apply */
    /* With which the group was admitted (promised_place): an order keeps it, and a group is to be planned. 0: none. */
    int64_t promise;
};
/* Called when a commit is on the disk, on the writer thread with all its changes; must not block. Listen before any
 * work. */
typedef void (*store_listener)(void *context, const struct change *changes, size_t count);
void store_listen(struct store *store, store_listener listener, void *context);

/* ---- resource groups ---- */

struct resource_group_row {
    int64_t key;
    const char *subscription, *name, *location;
    const char *tags;       /* JSON object */
    const char *managed_by; /* NULL: nobody said */
    bool deleting;          /* it stands until what was in it is gone */
    int64_t revision;
    int64_t subscription_key;
};
/* ERR_RESOURCE_GROUP_DELETING while it is being deleted, for whatever would change it or go into it. */
bool store_resource_group_put(struct tx *tx, struct resource_group_row *row, bool *created,
                              struct err *err) MUST_CHECK;
/* "find" functions: NULL with err->code ERR_OK (err zeroed by the caller) when there is none. */
struct resource_group_row *store_resource_group_find(struct tx *tx, const char *subscription,
                                                     const char *name, struct arena *arena,
                                                     struct err *err) MUST_CHECK;
struct resource_group_page {
    struct resource_group_row *rows;
    size_t count;
    int64_t next_key;
};
struct resource_group_question {
    const char *subscription;
    const char *tag, *value; /* only those that have it; NULL: whatever they have */
};
bool store_resource_group_list(struct tx *tx, const struct resource_group_question *question,
                               int64_t after_key, size_t rows_max, struct arena *arena,
                               struct resource_group_page *page, struct err *err) MUST_CHECK;
/* Begins to delete it with every group in it; again changes nothing. `key` 0: there was none. It goes on with
 * store_resource_group_sweep() and is done when nothing that could still run is left of it. */
bool store_resource_group_delete(struct tx *tx, const char *subscription, const char *name,
                                 int64_t *key, struct err *err) MUST_CHECK;
/* Carries on deletions behind *after, a bounded number of groups at once; sets *after to where it is. False in *more:
 * all were looked at. */
bool store_resource_group_sweep(struct tx *tx, int64_t *after, bool *more, struct err *err)
    MUST_CHECK;
enum deletion { DELETION_NONE, DELETION_GOES_ON, DELETION_DONE };
/* Of the resource group that had that key. */
bool store_resource_group_deletion(struct tx *tx, const char *subscription, int64_t key,
                                   enum deletion *deletion, struct err *err) MUST_CHECK;

/* ---- resources: what stands in a subscription, without documents ---- */

struct resource_row {
    int64_t place; /* of the walk: what `after` takes */
    int64_t key;   /* 0: it was looked at, and nothing that was asked for is there */
    const char *resource_group, *name, *location;
    enum provisioning provisioning;
    int64_t created_ms, changed_ms; /* changed: its document */
    struct text_map tags;           /* by name */
};
/* What the answer is narrowed to by an index. With several of name, tag and resource group only one is: look at
 * each row again. */
struct resource_question {
    const char *subscription;
    const char *resource_group, *name, *tag; /* NULL: any */
    const char *value;                       /* of the tag; NULL: any */
};
struct resource_page {
    struct resource_row *rows;
    size_t count;
    int64_t next_key;
};
/* As store_group_list(). */
bool store_resource_list(struct tx *tx, const struct resource_question *question, int64_t after_key,
                         size_t rows_max, struct arena *arena, struct resource_page *page,
                         struct err *err) MUST_CHECK;

/* ---- container groups ---- */

/* Room that the scheduler keeps for a group that is about to be ordered to run. The store tells of it with the group's
 * change, so that it is counted once all the way. */
struct promised_place {
    int64_t promise;         /* its number; 0: none */
    int64_t node_key, epoch; /* where a new group goes at once; 0: it waits for a node */
    int64_t until_ns;        /* of clock_boot_ns(): from then on it waits, too */
};
struct group_row {
    int64_t key;                                      /* database key, never shown */
    const char *uid;                                  /* UUID of this life of the name */
    const char *subscription, *resource_group, *name; /* as first written */
    const char *location;
    /* The public document as JSON text (fields_print, FIELDS_STORED), without the outer braces; holds
     * no secrets. */
    const char *spec;
    int64_t address_at;  /* offset in spec just behind ipAddress's '{'; 0 when absent */
    int64_t generation;  /* counts changes of the spec */
    int64_t incarnation; /* counts runs */
    enum wanted wanted;  /* what the client asked for: run, stop, remove */
    enum group_state state;
    enum provisioning provisioning;
    enum restart_policy restart_policy;
    enum os_type os;
    struct shape shape;
    enum quota_class quota_class; /* which quotas it counts in; a new deployment may change it */
    /* What a create, a start and a rerun must keep within; NULL: nothing. Outlives the work. */
    const struct quota_limits *limits;
    /* What its images mean from a create and a rerun on; a digest NULL: what it meant. Outlives the work. */
    const struct image_pin *pins;
    size_t pins_count;
    /* The local disks that it names, of a create and a rerun. Outlives the work. */
    const struct disk_ask *disks;
    size_t disks_count;
    struct promised_place promised; /* that a create, a start and a rerun were admitted with */
    int64_t created_ms, revision;
    int64_t operation_key; /* newest operation */
    const char *operation_id;
    int64_t node_key;    /* of the newest assignment; 0: none yet */
    const char *address; /* IP, NULL until a node gave one */
    /* Of the location's pool, reserved for the group's life; NULL: it has none. It is shown before `address`. */
    const char *public_address;
    int64_t public_number; /* the same */
    /* Where a create and an update that runs it again take one from; NULL: they want none. Outlives the work. */
    const struct address_pool *pool;
    const char *status;   /* newest group_status as JSON (group_status_schema), NULL before any */
    const char *dns_name; /* below the zone, dns_name_make(); NULL: none */
    const char *events;   /* the plane's own (scheduling), JSON array of Event; NULL: none */

    bool living; /* false: removed, waiting for its nodes to forget it */
    bool waits;  /* wants to run and waits for a node */
    /* Read with the row by those who move it, so that they need not ask; false: nobody looked. */
    bool no_disks, no_dns_name;
    int64_t subscription_key, resource_group_key;
    struct quota_hold counted; /* in the quotas of this class, as it was read or last saved */
    enum quota_class counted_class;
    char ids[2][40];      /* where uid and operation_id live when they are made here, */
    char parents[2][96];  /* and subscription and resource_group, as first written, */
    char public_text[16]; /* and public_address */
};

/* A new group: key, uid, generation, incarnation, state and operation are filled in here. Its resource group
 * must stand (ERR_RESOURCE_GROUP_NOT_FOUND, ERR_RESOURCE_GROUP_DELETING) and its name be free among living groups (ERR_CONFLICT),
 * its DNS name too (ERR_DNS_LABEL_TAKEN, also of an update).
 * ERR_QUOTA when it would be more than row->limits allow; so do an update that runs it again and a start.
 * `secrets` is fields_secrets() text, "{}" for none; it is sealed here. Also makes the operation. */
bool store_group_create(struct tx *tx, struct group_row *row, const char *secrets, struct err *err)
    MUST_CHECK;
/* A changed spec for an existing group (row from store_group_find in the same transaction, with the new spec, address_at,
 * restart_policy, os, shape and dns_name): generation counts up; with `rerun` also the incarnation, state Pending and an UPDATE
 * operation: it runs again on its node, or anew when it was stopped or finished; without (tags only) it keeps running.
 * `secrets` NULL keeps those it has. ERR_TRANSITIONING while it is being stopped. */
bool store_group_update(struct tx *tx, struct group_row *row, const char *secrets, bool rerun,
                        struct err *err) MUST_CHECK;

/* The living group of that name. `with_spec` false leaves spec NULL. */
struct group_row *store_group_find(struct tx *tx, const struct resource_id *id, bool with_spec,
                                   struct arena *arena, struct err *err) MUST_CHECK;
struct group_row *store_group_get(struct tx *tx, int64_t key, bool with_spec, struct arena *arena,
                                  struct err *err) MUST_CHECK;
/* The living group of that uid, with its spec, when its newest place is this node; ERR_NOT_FOUND otherwise. */
struct group_row *store_group_hosted(struct tx *tx, const char *uid, int64_t node_key,
                                     struct arena *arena, struct err *err) MUST_CHECK;
/* The group's secrets, opened: JSON for fields_fill_secrets(). */
const char *store_group_secrets(struct tx *tx, int64_t key, struct arena *arena, struct err *err)
    MUST_CHECK;

/* What its images mean. */
bool store_group_pins(struct tx *tx, int64_t key, struct arena *arena, struct image_pin **pins,
                      size_t *count, struct err *err) MUST_CHECK;

/* Living groups of a subscription (resource_group NULL) or resource group, by key; `after_key` 0 starts.
 * next_key 0: no more. Stable under change: a group is listed once however long the walk takes. Rows hold what lists show:
 * key, names, provisioning, address and spec; the rest is zero. */
struct group_page {
    struct group_row *rows;
    size_t count;
    int64_t next_key;
};
bool store_group_list(struct tx *tx, const char *subscription, const char *resource_group,
                      int64_t after_key, size_t rows_max, struct arena *arena,
                      struct group_page *page, struct err *err) MUST_CHECK;

/* Orders of clients. Each makes an operation and sets row->operation_key and _id, and cancels the one that was pending.
 * ERR_CONFLICT, ERR_TRANSITIONING or ERR_GROUP_STOPPED (all 409) name the state that forbids it. stop: from any state but
 * Stopped, or Succeeded or Failed with nothing held, or while stopping (then no change and no operation). start: from Stopped, Succeeded or Failed. restart: while
 * Running. remove: always. `row` comes from store_group_find in the same transaction. */
bool store_group_stop(struct tx *tx, struct group_row *row, struct err *err) MUST_CHECK;
bool store_group_start(struct tx *tx, struct group_row *row, struct err *err) MUST_CHECK;
bool store_group_restart(struct tx *tx, struct group_row *row, struct err *err) MUST_CHECK;
bool store_group_remove(struct tx *tx, struct group_row *row, struct err *err) MUST_CHECK;

/* ---- names below the DNS zone ---- */

struct dns_found {
    bool exists;         /* that name, or names below it */
    int64_t group_key;   /* 0: only names below it */
    const char *address; /* NULL: none now */
};
bool store_dns_find(struct tx *tx, const char *name, struct arena *arena, struct dns_found *found,
                    struct err *err) MUST_CHECK;

struct dns_name_row {
    const char *name, *address; /* NULL: it is to have none */
};
/* Names whose address an outside server was not told, oldest change first. It is told each in three steps: what it
 * knows becomes unknown (sending), it is told, what it was told is kept (sent). Whoever stops in between finds
 * the name unsent again. */
bool store_dns_unsent(struct tx *tx, size_t rows_max, struct arena *arena,
                      struct dns_name_row **rows, size_t *count, struct err *err) MUST_CHECK;
bool store_dns_sending(struct tx *tx, const struct dns_name_row *rows, size_t count,
                       struct err *err) MUST_CHECK;
bool store_dns_sent(struct tx *tx, const struct dns_name_row *rows, size_t count, struct err *err)
    MUST_CHECK;
/* What the server knows of all names becomes unknown, a bounded number behind `after` ("": the first) at once; with *more
 * `next` is where to go on. */
bool store_dns_doubt(struct tx *tx, const char *after, char next[DNS_NAME_SIZE], bool *more,
                     struct err *err) MUST_CHECK;

/* ---- quotas ---- */

/* What living groups of a subscription hold in a location: groups, and milli-CPU for quotas of cores. Exact at every
 * commit. For readers: inside work it is not told what that commit has changed so far. */
struct quota_use {
    int64_t used[QUOTA_USES];
};
bool store_quota_use(struct tx *tx, const char *subscription, const char *location,
                     struct quota_use *use, struct err *err) MUST_CHECK;

/* ---- operations ---- */

struct operation_row {
    int64_t key;
    const char *id; /* UUID in URLs */
    int64_t group_key;
    const char *subscription;
    const char *resource; /* ARM id of the group */
    const char *location;
    enum operation_kind kind;
    enum operation_status status;
    int64_t started_ms, ended_ms;
    const char *error_code, *error_text; /* when failed */
};
struct operation_row *store_operation_find(struct tx *tx, const char *id, struct arena *arena,
                                           struct err *err) MUST_CHECK;
struct operation_row *store_operation_get(struct tx *tx, int64_t key, struct arena *arena,
                                          struct err *err) MUST_CHECK;
/* Operations pending since before that time fail with LIMIT_PROVISIONING_TIMEOUT_S's reason (§2.15; the group goes on
 * trying), and those that ended before `ended_before_ms` are dropped; a bounded number at once. */
bool store_operation_sweep(struct tx *tx, int64_t started_before_ms, int64_t ended_before_ms,
                           struct err *err) MUST_CHECK;

/* The node that runs the group is told its spec again, as the same run. */
bool store_group_tell(struct tx *tx, const struct group_row *row, struct err *err) MUST_CHECK;

/* ---- nodes ---- */

struct node_row {
    int64_t key;
    const char *id, *name, *location, *zone, *os, *architecture, *address, *version, *boot_id;
    const char *classes;                 /* of runtimes, each between blanks */
    bool user_namespaces;                /* groups have users of their own there */
    int64_t cpu_milli, memory_mib, gpus; /* what it can hold */
    int64_t epoch;                       /* counts joins and losses; placements carry it */
    enum node_state state;
    bool cordoned;
    int64_t watermark_s;
    int64_t joined_ms, revision;
};
/* A node joins or comes back. Known id needs its credential (ERR_UNAUTHENTICATED); a name held by another living
 * node is ERR_NODE_NAME_TAKEN. Epoch counts up, state becomes ready. `credential` gets a new token only for a
 * new node, NULL else. */
bool store_node_join(struct tx *tx, const struct join_request *request, struct node_row *row,
                     const char **credential, struct arena *arena, struct err *err) MUST_CHECK;
/* The node's key if the credential is right (ERR_UNAUTHENTICATED else); for each agent request. */
bool store_node_check(struct tx *tx, const char *id, const char *credential, int64_t *node_key,
                      int64_t *epoch, struct err *err) MUST_CHECK;
bool store_node_list(struct tx *tx, struct arena *arena, struct node_row **rows, size_t *count,
                     struct err *err) MUST_CHECK;
struct node_row *store_node_find(struct tx *tx, const char *name_or_id, struct arena *arena,
                                 struct err *err) MUST_CHECK;
/* Ids of groups that take room there, those that were ordered last first, at most LIMIT_NODE_GROUPS_SHOWN. */
bool store_node_groups(struct tx *tx, int64_t node_key, struct arena *arena, const char ***ids,
                       size_t *count, struct err *err) MUST_CHECK;
/* What the nodes of a location are: one row for each kind. */
struct node_platform {
    const char *os, *architecture;
};
bool store_node_platforms(struct tx *tx, const char *location, struct arena *arena,
                          struct node_platform **rows, size_t *count, struct err *err) MUST_CHECK;
/* What ready nodes of a location can hold at most, one row for each system and number of GPUs of each sku. */
struct node_size {
    const char *os;
    int64_t gpus, cpu_milli, memory_mib;
};
enum { NODE_SIZES_MAX = 256 };
bool store_node_sizes(struct tx *tx, const char *location, struct arena *arena,
                      struct node_size **rows, size_t *count, struct err *err) MUST_CHECK;
bool store_node_cordon(struct tx *tx, int64_t node_key, bool cordoned, struct err *err) MUST_CHECK;
/* The lease ran out (ERR_NODE_EPOCH when it joined again meanwhile). Epoch counts up. Its open intervals stay, up to
 * the watermark. With `replace` its assignments become remove and their groups Repairing, waiting for a node with a
 * new incarnation; those that may not run again (Never, already started) are Failed with the reason. Without
 * `replace` (no fencing) everything waits for the node to come back. */
bool store_node_lost(struct tx *tx, int64_t node_key, int64_t epoch, bool replace, struct err *err)
    MUST_CHECK;
/* Cordons it and moves its groups: each is stopped there and waits for another node once it has stopped. Groups that
 * may run once only (policy Never) stay until they end. May be repeated. */
bool store_node_drain(struct tx *tx, int64_t node_key, struct err *err) MUST_CHECK;
/* Gone for good by an operator's word: intervals end at the watermark, assignments are dropped, and its groups may run
 * elsewhere at once. ERR_NODE_HOLDS: it is there and runs some. For one that is lost without a fence the operator's
 * word says that nothing runs there any more. */
bool store_node_remove(struct tx *tx, int64_t node_key, struct err *err) MUST_CHECK;

/* ---- images that nodes hold ---- */

struct location_image {
    const char *image, *os;
};
/* Distinct names that ready nodes of the location hold for everyone, in order, after `after` ("": from
 * the beginning). */
bool store_location_images(struct tx *tx, const char *location, const char *after, size_t rows_max,
                           struct arena *arena, struct location_image **rows, size_t *count,
                           bool *more, struct err *err) MUST_CHECK;

/* ---- assignments: which node runs which incarnation ---- */

struct assignment_row {
    int64_t group_key, node_key;
    const char *uid;
    int64_t incarnation;
    enum wanted wanted;
    bool released; /* holds no capacity any more */
    struct shape shape;
    struct port_set
        ports; /* of the node's own address, as the group asks for now; for the scheduler */
    int64_t revision;
    int64_t promise; /* that this order keeps; 0: none */
};
/* All of them, for the scheduler's picture at its start. */
bool store_assignment_list(struct tx *tx, struct arena *arena, struct assignment_row **rows,
                           size_t *count, struct err *err) MUST_CHECK;
/* Assignments of one group (newest first), for the picture after a change. */
bool store_assignment_of_group(struct tx *tx, int64_t group_key, struct arena *arena,
                               struct assignment_row **rows, size_t *count, struct err *err)
    MUST_CHECK;

struct pending_row {
    int64_t group_key;
    int64_t disk_node_key;         /* the only node that has its local disks; 0: any will do */
    int64_t incarnation, revision; /* revision: since when this run waits, the order of the queue */
    struct shape shape;
    enum os_type os;
    const char *location;
    int64_t last_node_key; /* where it ran before; 0: nowhere */
};
/* Groups that want to run and have no assignment for their incarnation, oldest first, after `after_revision`. */
bool store_pending_list(struct tx *tx, int64_t after_revision, size_t rows_max, struct arena *arena,
                        struct pending_row **rows, size_t *count, struct err *err) MUST_CHECK;
/* The same row for one group; NULL when it does not wait. */
struct pending_row *store_pending_find(struct tx *tx, int64_t group_key, struct arena *arena,
                                       struct err *err) MUST_CHECK;

/* Places one incarnation. ERR_NODE_EPOCH: the node changed since it was planned. ERR_CONFLICT: the group no
 * longer waits (stopped, removed, placed). ERR_DISK: a local disk of it is on another node by now. Disks that it is the
 * first to name are made there. Older assignments on other nodes become remove. */
bool store_assignment_place(struct tx *tx, int64_t group_key, int64_t incarnation, int64_t node_key,
                            int64_t epoch, struct err *err) MUST_CHECK;
/* A group of the priority Spot makes room on that node: it is stopped there and waits for another, or (restart policy
 * Never, which means one run at most) stays stopped. ERR_CONFLICT: it is not there, or on its way already. */
bool store_group_evict(struct tx *tx, int64_t group_key, int64_t node_key, struct err *err)
    MUST_CHECK;
/* The plane's own event on a group (why it waits): merged with an equal newest one. ERR_NOT_FOUND: it is gone. */
bool store_group_event(struct tx *tx, int64_t group_key, const char *type, const char *name,
                       const char *message, struct err *err) MUST_CHECK;

/* What a node is to do: changes after `after` (0: everything it has), oldest first, at most a page. Groups carry
 * their secrets. Also the answer's revision and `complete`. Questions are not the store's. */
bool store_desired(struct tx *tx, int64_t node_key, int64_t after, struct arena *arena,
                   struct desired *desired, struct err *err) MUST_CHECK;
/* Whether there is anything after `after`, cheaply. */
bool store_desired_waits(struct tx *tx, int64_t node_key, int64_t after, bool *waits,
                         struct err *err) MUST_CHECK;

/* Everything a report says, in one transaction: statuses move groups and end operations, released assignments give
 * back capacity, removed ones disappear (with their group when it was the last of a removed one), intervals and the
 * watermark go to the ledger, samples update what was measured, images replace those known. Repeating it changes nothing.
 * ERR_NODE_EPOCH when the node's epoch is another. */
bool store_report_apply(struct tx *tx, int64_t node_key, const struct report *report,
                        struct arena *arena, struct err *err) MUST_CHECK;

/* ---- local disks: folders on nodes that outlive groups ---- */

enum { DISK_WORDS_SIZE = 200, DISK_USERS_SHOWN = 100 };

struct disk_row {
    int64_t key;
    const char *id, *subscription, *resource_group, *name, *node;
    enum node_state node_state;
    int64_t size_bytes; /* 0: nobody said */
    int64_t created_ms;
    bool removing;
    struct text_list groups; /* living ones that name it, the first DISK_USERS_SHOWN */
};
struct disk_question {
    const char *subscription, *resource_group; /* NULL: any */
};
struct disk_page {
    struct disk_row *rows;
    size_t count;
    int64_t next_key;
};
/* As store_group_list(). */
bool store_disk_list(struct tx *tx, const struct disk_question *question, int64_t after_key,
                     size_t rows_max, struct arena *arena, struct disk_page *page, struct err *err)
    MUST_CHECK;
/* It is wanted no more: its node removes it, and it stands as removing until then. ERR_DISK while a group names it,
 * ERR_DISK_UNKNOWN. Again changes nothing. */
bool store_disk_remove(struct tx *tx, const char *id, struct err *err) MUST_CHECK;

struct disk_place {
    int64_t node_key; /* the only node that can run the group; 0: any */
    char words[DISK_WORDS_SIZE];
};
/* Where a group that is to be (parents, disks), or stands (key, no disks), may run. ERR_DISK: nowhere, its disks are on different nodes. */
bool store_disk_place(struct tx *tx, const struct group_row *row, struct arena *arena,
                      struct disk_place *place, struct err *err) MUST_CHECK;
/* Which disk keeps a group to which node, as a sentence; "": none. */
bool store_disk_words(struct tx *tx, int64_t group_key, char words[DISK_WORDS_SIZE],
                      struct err *err) MUST_CHECK;

/* ---- ledger ---- */

struct usage_row {
    int64_t key;                /* of the interval, for ever */
    const char *uid, *resource; /* ARM id of the group, as it was */
    int64_t incarnation;
    const char *node;
    int64_t from_s,
        to_s; /* clipped to the question; to_s of an open interval is its node's watermark */
    bool open;
    int64_t cpu_milli, memory_mib, gpus;
    int price_class; /* enum quota_class; -1: nobody knows any more */
    const char *os;  /* of its node */
};
/* Intervals of a group by name (all lives of the name), of a resource group (group NULL) or of a whole subscription (both
 * NULL), that touch [from_s, to_s), oldest first (all that a resource group ever held: by group), paged by `after_key`. Deleted groups are
 * there too. */
struct usage_page {
    struct usage_row *rows;
    size_t count;
    int64_t next_key; /* 0: there is no more */
    int64_t last_key; /* where this page ended */
};
bool store_usage_list(struct tx *tx, const struct resource_id *id, int64_t from_s, int64_t to_s,
                      int64_t after_key, size_t rows_max, struct arena *arena,
                      struct usage_page *page, struct err *err) MUST_CHECK;

/* Intervals that have ended, in the order in which that was learned: none comes to stand before another that was read. */
bool store_usage_ended(struct tx *tx, const char *subscription, int64_t after_key, size_t rows_max,
                       struct arena *arena, struct usage_page *page, struct err *err) MUST_CHECK;

/* Before this second every node that is ready has told all; absent: there is none. */
bool store_usage_reported(struct tx *tx, struct opt_int *second, struct err *err) MUST_CHECK;

struct use_row { /* newest measured sample of each container of a group's newest incarnation */
    const char *container;
    int64_t incarnation, second, cpu_ns, memory_bytes, rx_bytes, tx_bytes;
};
bool store_use_list(struct tx *tx, int64_t group_key, struct arena *arena, struct use_row **rows,
                    size_t *count, struct err *err) MUST_CHECK;

#endif
