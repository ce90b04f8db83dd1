/* A store of one test: in a folder of its own, with a resource group, small groups and nodes to try things on.
 *
 *     AUTO(trial) *trial = trial_new();
 *     int64_t key = trial_create(trial, "web");
 *
 * Failures end the test (cmocka). Not for: programs. */
#ifndef TESTS_STORE_TRY_H
#define TESTS_STORE_TRY_H

#include "store/store.h"
#include "tests/unit/unit.h"

#define TRY_SUBSCRIPTION "11111111-2222-3333-4444-555555555555"

struct trial {
    char folder[64], path[96], key_path[96];
    struct store *store;
    struct arena *arena; /* what the helpers return lives here */
    int64_t ordered_key; /* the operation of the last trial_order() */
};

struct trial *trial_new(void);        /* opened, with resource group "rg" in "westus" */
void trial_free(struct trial *trial); /* with its folder */
AUTO_TYPE(trial);
void trial_close(struct trial *trial);
void trial_reopen(struct trial *trial);

void trial_drop_resource_group(struct trial *trial); /* with everything in it */

/* Runs work that must succeed; or must fail, and gives the code. */
void trial_write(struct trial *trial, store_work work, void *data);
enum err_code trial_refused(struct trial *trial, store_work work, void *data);

/* A new Always group of 1 CPU and 1 GiB; its key. */
int64_t trial_create_spot(struct trial *trial, const char *name, enum restart_policy policy);
int64_t trial_create(struct trial *trial, const char *name);
int64_t trial_create_policy(struct trial *trial, const char *name, enum restart_policy policy,
                            const char *secrets);
/* As it is now; NULL when there is none. */
struct group_row *trial_find(struct trial *trial, const char *name);
struct group_row *trial_get(struct trial *trial, int64_t key);
struct operation_row *trial_operation(struct trial *trial, int64_t key);

enum trial_order {
    ORDER_STOP,
    ORDER_START,
    ORDER_RESTART,
    ORDER_REMOVE,
    ORDER_UPDATE,
    ORDER_RETAG
};
enum err_code trial_order(struct trial *trial, const char *name, enum trial_order order);

struct trial_node {
    int64_t key, epoch;
    const char *id, *credential, *name;
    int64_t sequence;
};
enum err_code trial_evict(struct trial *trial, int64_t group_key, const struct trial_node *node);
struct trial_node trial_join(struct trial *trial, const char *name);
void trial_rejoin(struct trial *trial, struct trial_node *node);
/* The group's newest incarnation onto that node. */
enum err_code trial_place(struct trial *trial, int64_t group_key, const struct trial_node *node);
enum err_code trial_lose(struct trial *trial, const struct trial_node *node, bool replace);
/* Whatever it holds: it is lost first. */
void trial_remove_node(struct trial *trial, const struct trial_node *node);
enum err_code trial_forget_node(struct trial *trial, const struct trial_node *node);
void trial_drain(struct trial *trial, const struct trial_node *node);
void trial_uncordon(struct trial *trial, const struct trial_node *node);
enum err_code trial_report(struct trial *trial, struct trial_node *node, struct report *report);
struct desired *trial_desired(struct trial *trial, const struct trial_node *node, int64_t after);
/* Seconds counted so far in [from_s, to_s), over all pages. */
int64_t trial_seconds(struct trial *trial, const char *group, int64_t from_s, int64_t to_s);

#define TRY_SPEC                                                                               \
    "\"properties\":{\"containers\":[{\"name\":\"c\",\"properties\":{\"image\":\"alpine\","    \
    "\"environmentVariables\":"                                                                \
    "[{\"name\":\"TOKEN\"}],\"resources\":{\"requests\":{\"memoryInGB\":1.0,\"cpu\":1.0}}}}]," \
    "\"osType\":\"Linux\",\"restartPolicy\":\"Always\"},\"location\":\"westus\",\"tags\":{}"

#endif
