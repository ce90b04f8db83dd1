/* The life of a group as tables of steps: what is done, and what must stand afterwards. Every report is told three
 * times: the same once more, and once more under a new number; neither may change anything. */
#include "tests/store/try.h"

#include <string.h>

enum action {
    CREATE, /* Always */
    CREATE_NEVER,
    CREATE_SPOT, /* Always */
    CREATE_SPOT_NEVER,
    EVICT_A, /* makes room there */
    UNCORDON_A,
    DRAIN_A, /* its groups go elsewhere while it lives */
    PLACE_A,
    PLACE_B,
    STOP,
    START,
    RESTART,
    REMOVE,
    UPDATE,
    RETAG,
    LOSE_A,      /* fenced: its groups go elsewhere */
    LOSE_A_WAIT, /* not fenced: everything waits for it */
    REJOIN_A,
    REMOVE_A,
    A_SAYS,
    B_SAYS,
    A_SAYS_OLD, /* of the incarnation before */
};

enum { MOVES = 1 }; /* said of a drain: the group goes elsewhere */

enum said { PROVISIONED = 1, RELEASED = 2, REMOVED = 4, FAILURE = 8 };

enum { GONE = 100, QUEUED = 1 << 8 };

struct step {
    enum action action;
    int said; /* group state and flags of a report; MOVES */
    enum err_code outcome;
    /* afterwards: */
    int state; /* GONE: not to be found; | QUEUED: waits for a node */
    enum provisioning provisioning;
    enum operation_kind kind; /* of the newest operation */
    enum operation_status status;
};

#define SAYS(state, flags) ((state) | (flags) << 8)

struct story {
    struct trial *trial;
    struct trial_node a, b;
    int64_t key;
};

/* ---- doing ---- */

static int64_t incarnation_at(struct story *story, const struct trial_node *node)
{
    struct desired *desired = trial_desired(story->trial, node, 0);
    assert_true(desired->complete);
    return desired->assignments_count > 0 ? desired->assignments[0].incarnation : 0;
}

static int64_t revision(struct trial *trial)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_non_null(tx);
    return tx_revision(tx);
}

static const char *uid_of(struct story *story, const struct trial_node *node)
{
    struct desired *desired = trial_desired(story->trial, node, 0);
    return desired->assignments_count > 0 ? desired->assignments[0].uid
                                          : "00000000-0000-8000-8000-000000000000";
}

static enum err_code says(struct story *story, struct trial_node *node, int said, int64_t back)
{
    struct failure failure = {"InaccessibleImage", "no such image"};
    int flags = said >> 8;
    struct event event = {.count = 1,
                          .name = "Pulling",
                          .message = "m",
                          .type = "Normal",
                          .first_timestamp = "2026-01-01T00:00:00Z",
                          .last_timestamp = "2026-01-01T00:00:00Z"};
    struct group_status status = {
        .uid = uid_of(story, node),
        .incarnation = incarnation_at(story, node) - back,
        .state = said & 0xff,
        .provisioned = flags & PROVISIONED,
        .released = flags & RELEASED,
        .removed = flags & REMOVED,
        .failure = flags & FAILURE ? &failure : NULL,
        .address = (said & 0xff) == GROUP_RUNNING ? "10.0.0.1" : NULL,
        .events = &event,
        .events_count = 1,
    };
    struct report report = {.statuses = &status, .statuses_count = 1, .watermark_s = 100};
    enum err_code outcome = trial_report(story->trial, node, &report);
    int64_t before = revision(story->trial);
    assert_int_equal(trial_report(story->trial, node, &report), outcome);
    report.sequence = 0;
    assert_int_equal(trial_report(story->trial, node, &report), outcome);
    assert_int_equal(revision(story->trial), before);
    return outcome;
}

static enum err_code take(struct story *story, const struct step *step)
{
    struct trial *trial = story->trial;
    switch (step->action) {
    case CREATE:
        story->key = trial_create(trial, "g");
        return ERR_OK;
    case CREATE_NEVER:
        story->key = trial_create_policy(trial, "g", RESTART_NEVER, "{}");
        return ERR_OK;
    case CREATE_SPOT:
        story->key = trial_create_spot(trial, "g", RESTART_ALWAYS);
        return ERR_OK;
    case CREATE_SPOT_NEVER:
        story->key = trial_create_spot(trial, "g", RESTART_NEVER);
        return ERR_OK;
    case EVICT_A:
        return trial_evict(trial, story->key, &story->a);
    case UNCORDON_A:
        trial_uncordon(trial, &story->a);
        return ERR_OK;
    case DRAIN_A:
        trial_drain(trial, &story->a);
        return ERR_OK;
    case PLACE_A:
        return trial_place(trial, story->key, &story->a);
    case PLACE_B:
        return trial_place(trial, story->key, &story->b);
    case STOP:
        return trial_order(trial, "g", ORDER_STOP);
    case START:
        return trial_order(trial, "g", ORDER_START);
    case RESTART:
        return trial_order(trial, "g", ORDER_RESTART);
    case REMOVE:
        return trial_order(trial, "g", ORDER_REMOVE);
    case UPDATE:
        return trial_order(trial, "g", ORDER_UPDATE);
    case RETAG:
        return trial_order(trial, "g", ORDER_RETAG);
    case LOSE_A:
        return trial_lose(trial, &story->a, true);
    case LOSE_A_WAIT:
        return trial_lose(trial, &story->a, false);
    case REJOIN_A:
        trial_rejoin(trial, &story->a);
        return ERR_OK;
    case REMOVE_A:
        return trial_forget_node(trial, &story->a);
    case A_SAYS:
        return says(story, &story->a, step->said, 0);
    case B_SAYS:
        return says(story, &story->b, step->said, 0);
    case A_SAYS_OLD:
        return says(story, &story->a, step->said, 1);
    }
    return ERR_INTERNAL;
}

/* ---- checking ---- */

static void compare(size_t index, const char *what, int64_t is, int64_t wanted)
{
    if (is != wanted)
        fail_msg("step %zu: %s is %lld, not %lld", index, what, (long long)is, (long long)wanted);
}

/* A removed group's operation is pending until its nodes have forgotten it. */
static void check_removal(struct story *story, size_t index)
{
    struct operation_row *operation = trial_operation(story->trial, story->trial->ordered_key);
    bool forgotten = trial_get(story->trial, story->key) == NULL;
    compare(index, "operation kind", operation->kind, OPERATION_DELETE);
    compare(index, "operation status", operation->status,
            forgotten ? OPERATION_SUCCEEDED : OPERATION_PENDING);
}

static void check_living(struct story *story, const struct group_row *row, const struct step *step,
                         size_t index)
{
    struct operation_row *operation = trial_operation(story->trial, row->operation_key);
    compare(index, "state", row->state, step->state & 0xff);
    compare(index, "waits", row->waits, (step->state & QUEUED) != 0);
    compare(index, "provisioning", row->provisioning, step->provisioning);
    compare(index, "operation kind", operation->kind, step->kind);
    compare(index, "operation status", operation->status, step->status);
    compare(index, "the operation has an end", operation->ended_ms > 0,
            operation->status != OPERATION_PENDING);
}

static void check(struct story *story, const struct step *step, size_t index)
{
    struct group_row *row = trial_find(story->trial, "g");
    compare(index, "there is a group", row != NULL, step->state != GONE);
    if (row)
        check_living(story, row, step, index);
    else
        check_removal(story, index);
}

/* Each run has a number of its own. */
static bool begins_run(const struct step *step)
{
    if (step->outcome != ERR_OK)
        return false;
    return step->action == START || step->action == RESTART || step->action == UPDATE ||
           (step->action == EVICT_A && step->provisioning == PROVISIONING_PENDING) ||
           (step->action == DRAIN_A && step->said == MOVES) ||
           ((step->action == LOSE_A || step->action == REMOVE_A) &&
            (step->state & 0xff) == GROUP_REPAIRING);
}

static int64_t run_of(struct story *story)
{
    struct group_row *row = trial_find(story->trial, "g");
    return row ? row->incarnation : 0;
}

static void tell(const struct step *steps, size_t count)
{
    AUTO(trial) *trial = trial_new();
    struct story story = {.trial = trial, .a = trial_join(trial, "a"), .b = trial_join(trial, "b")};
    for (size_t i = 0; i < count; i++) {
        int64_t run = run_of(&story);
        compare(i, "outcome", take(&story, &steps[i]), steps[i].outcome);
        check(&story, &steps[i], i);
        if (run_of(&story) != 0 && run != 0)
            compare(i, "run", run_of(&story), run + begins_run(&steps[i]));
    }
    /* Whatever happened: removed, and forgotten by both nodes, nothing is left. */
    if (trial_find(trial, "g"))
        assert_int_equal(trial_order(trial, "g", ORDER_REMOVE), ERR_OK);
    assert_null(trial_find(trial, "g"));
    trial_rejoin(trial, &story.b);
    says(&story, &story.b, SAYS(GROUP_STOPPED, RELEASED | REMOVED), 0);
    if (trial_get(trial, story.key)) {
        trial_rejoin(trial, &story.a);
        says(&story, &story.a, SAYS(GROUP_STOPPED, RELEASED | REMOVED), 0);
    }
    assert_null(trial_get(trial, story.key));
    check_removal(&story, count);
}

#define TELL(steps) tell(steps, COUNT_OF(steps))

/* clang-format off */

#define P_(word) PROVISIONING_##word
#define O_(kind, status) OPERATION_##kind, OPERATION_##status

TEST(a_group_is_created_placed_run_stopped_started)
{
    static const struct step steps[] = {
        { CREATE, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_B, 0, ERR_CONFLICT, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { A_SAYS, SAYS(GROUP_PENDING, 0), 0, GROUP_PENDING, P_(CREATING), O_(CREATE, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { START, 0, ERR_CONFLICT, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { RETAG, 0, 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { STOP, 0, 0, GROUP_RUNNING, P_(SUCCEEDED), O_(STOP, PENDING) },
        { STOP, 0, 0, GROUP_RUNNING, P_(SUCCEEDED), O_(STOP, PENDING) },
        { START, 0, ERR_TRANSITIONING, GROUP_RUNNING, P_(SUCCEEDED), O_(STOP, PENDING) },
        { RESTART, 0, ERR_TRANSITIONING, GROUP_RUNNING, P_(SUCCEEDED), O_(STOP, PENDING) },
        { UPDATE, 0, ERR_TRANSITIONING, GROUP_RUNNING, P_(SUCCEEDED), O_(STOP, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(STOP, PENDING) },
        { A_SAYS, SAYS(GROUP_STOPPED, PROVISIONED | RELEASED), 0, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
        { STOP, 0, 0, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
        { RESTART, 0, ERR_GROUP_STOPPED, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
        { START, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(START, PENDING) },
        { PLACE_B, 0, 0, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        { A_SAYS, SAYS(GROUP_STOPPED, RELEASED | REMOVED), 0, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        { B_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(START, SUCCEEDED) },
        { REMOVE, 0, 0, GONE, 0, 0, 0 },
    };
    TELL(steps);
}

TEST(a_stop_cuts_into_a_create)
{
    static const struct step steps[] = {
        { CREATE, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { STOP, 0, 0, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
        { PLACE_A, 0, ERR_CONFLICT, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
        { START, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(START, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        { STOP, 0, 0, GROUP_PENDING, P_(PENDING), O_(STOP, PENDING) },
        { A_SAYS, SAYS(GROUP_PENDING, RELEASED), 0, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
        { START, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(START, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        /* The node's word on the run before, late. */
        { A_SAYS_OLD, SAYS(GROUP_STOPPED, RELEASED), 0, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(START, SUCCEEDED) },
    };
    TELL(steps);
}

TEST(a_restart_and_an_update_run_again_in_place)
{
    static const struct step steps[] = {
        { CREATE, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { RESTART, 0, ERR_TRANSITIONING, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { UPDATE, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(UPDATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(UPDATE, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(UPDATE, SUCCEEDED) },
        { RESTART, 0, 0, GROUP_PENDING, P_(UPDATING), O_(RESTART, PENDING) },
        { A_SAYS_OLD, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_PENDING, P_(UPDATING), O_(RESTART, PENDING) },
        { A_SAYS_OLD, SAYS(GROUP_SUCCEEDED, RELEASED), 0, GROUP_PENDING, P_(UPDATING), O_(RESTART, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(RESTART, SUCCEEDED) },
        { UPDATE, 0, 0, GROUP_PENDING, P_(UPDATING), O_(UPDATE, PENDING) },
        { UPDATE, 0, 0, GROUP_PENDING, P_(UPDATING), O_(UPDATE, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(UPDATE, SUCCEEDED) },
        { REMOVE, 0, 0, GONE, 0, 0, 0 },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GONE, 0, 0, 0 },
        { A_SAYS, SAYS(GROUP_STOPPED, RELEASED), 0, GONE, 0, 0, 0 },
    };
    TELL(steps);
}

TEST(a_failure_ends_the_operation_and_is_started_again)
{
    static const struct step steps[] = {
        { CREATE, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { A_SAYS, SAYS(GROUP_FAILED, FAILURE), 0, GROUP_FAILED, P_(FAILED), O_(CREATE, FAILED) },
        { RESTART, 0, ERR_CONFLICT, GROUP_FAILED, P_(FAILED), O_(CREATE, FAILED) },
        /* Its node has not let go: it goes to the queue when it has. */
        { START, 0, 0, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        { PLACE_B, 0, ERR_CONFLICT, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        { A_SAYS, SAYS(GROUP_FAILED, FAILURE | RELEASED), 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(START, PENDING) },
        { PLACE_B, 0, 0, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        { B_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(START, SUCCEEDED) },
    };
    TELL(steps);
}

TEST(a_stop_ends_what_a_failed_group_still_holds)
{
    static const struct step steps[] = {
        { CREATE, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { A_SAYS, SAYS(GROUP_FAILED, FAILURE), 0, GROUP_FAILED, P_(FAILED), O_(CREATE, FAILED) },
        { STOP, 0, 0, GROUP_FAILED, P_(FAILED), O_(STOP, PENDING) },
        { A_SAYS, SAYS(GROUP_FAILED, FAILURE | RELEASED), 0, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
    };
    TELL(steps);
}

TEST(a_group_that_finished_holds_nothing_and_a_stop_leaves_it_so)
{
    static const struct step steps[] = {
        { CREATE_NEVER, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { A_SAYS, SAYS(GROUP_SUCCEEDED, PROVISIONED | RELEASED), 0, GROUP_SUCCEEDED, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED | RELEASED), 0, GROUP_SUCCEEDED, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { START, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(START, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        { A_SAYS, SAYS(GROUP_FAILED, PROVISIONED | RELEASED), 0, GROUP_FAILED, P_(SUCCEEDED), O_(START, SUCCEEDED) },
        { LOSE_A, 0, 0, GROUP_FAILED, P_(SUCCEEDED), O_(START, SUCCEEDED) },
        { REJOIN_A, 0, 0, GROUP_FAILED, P_(SUCCEEDED), O_(START, SUCCEEDED) },
        { STOP, 0, 0, GROUP_FAILED, P_(SUCCEEDED), O_(START, SUCCEEDED) },
    };
    TELL(steps);
}

TEST(a_lost_node_s_groups_run_elsewhere)
{
    static const struct step steps[] = {
        { CREATE, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { LOSE_A, 0, 0, GROUP_REPAIRING | QUEUED, P_(REPAIRING), O_(CREATE, SUCCEEDED) },
        { LOSE_A, 0, ERR_NODE_EPOCH, GROUP_REPAIRING | QUEUED, P_(REPAIRING), O_(CREATE, SUCCEEDED) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), ERR_NODE_EPOCH, GROUP_REPAIRING | QUEUED, P_(REPAIRING), O_(CREATE, SUCCEEDED) },
        { PLACE_A, 0, ERR_NODE_EPOCH, GROUP_REPAIRING | QUEUED, P_(REPAIRING), O_(CREATE, SUCCEEDED) },
        { PLACE_B, 0, 0, GROUP_PENDING, P_(REPAIRING), O_(CREATE, SUCCEEDED) },
        { B_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { REJOIN_A, 0, 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { A_SAYS, SAYS(GROUP_RUNNING, 0), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { A_SAYS, SAYS(GROUP_STOPPED, RELEASED | REMOVED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { STOP, 0, 0, GROUP_RUNNING, P_(SUCCEEDED), O_(STOP, PENDING) },
        { B_SAYS, SAYS(GROUP_STOPPED, RELEASED), 0, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
    };
    TELL(steps);
}

TEST(a_group_in_repair_can_be_stopped_and_removed)
{
    static const struct step steps[] = {
        { CREATE, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { LOSE_A, 0, 0, GROUP_REPAIRING | QUEUED, P_(REPAIRING), O_(CREATE, PENDING) },
        { RESTART, 0, ERR_TRANSITIONING, GROUP_REPAIRING | QUEUED, P_(REPAIRING), O_(CREATE, PENDING) },
        { STOP, 0, 0, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
        { START, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(START, PENDING) },
        { REJOIN_A, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(START, PENDING) },
        /* Back on the node that had not forgotten it yet. */
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        { A_SAYS_OLD, SAYS(GROUP_STOPPED, RELEASED | REMOVED), 0, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(START, SUCCEEDED) },
        { LOSE_A, 0, 0, GROUP_REPAIRING | QUEUED, P_(REPAIRING), O_(START, SUCCEEDED) },
        { REMOVE, 0, 0, GONE, 0, 0, 0 },
    };
    TELL(steps);
}

TEST(never_means_at_most_one_run)
{
    static const struct step steps[] = {
        { CREATE_NEVER, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { LOSE_A, 0, 0, GROUP_FAILED, P_(FAILED), O_(CREATE, FAILED) },
        { REJOIN_A, 0, 0, GROUP_FAILED, P_(FAILED), O_(CREATE, FAILED) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_FAILED, P_(FAILED), O_(CREATE, FAILED) },
        { START, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(START, PENDING) },
        { PLACE_B, 0, 0, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        { B_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(START, SUCCEEDED) },
    };
    TELL(steps);
}

TEST(an_evicted_group_waits_for_room_once_its_node_has_let_go)
{
    static const struct step steps[] = {
        { CREATE_SPOT, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { EVICT_A, 0, ERR_CONFLICT, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { EVICT_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, SUCCEEDED) },
        { EVICT_A, 0, ERR_CONFLICT, GROUP_PENDING, P_(PENDING), O_(CREATE, SUCCEEDED) },
        { A_SAYS, SAYS(GROUP_STOPPED, RELEASED), 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, SUCCEEDED) },
        { PLACE_B, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, SUCCEEDED) },
        { B_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
    };
    TELL(steps);
}

TEST(an_evicted_group_that_may_run_once_stays_stopped)
{
    static const struct step steps[] = {
        { CREATE_SPOT_NEVER, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { A_SAYS, SAYS(GROUP_PENDING, 0), 0, GROUP_PENDING, P_(CREATING), O_(CREATE, PENDING) },
        { EVICT_A, 0, 0, GROUP_PENDING, P_(CREATING), O_(CREATE, FAILED) },
        { A_SAYS, SAYS(GROUP_STOPPED, RELEASED), 0, GROUP_STOPPED, P_(SUCCEEDED), O_(CREATE, FAILED) },
        { EVICT_A, 0, ERR_CONFLICT, GROUP_STOPPED, P_(SUCCEEDED), O_(CREATE, FAILED) },
    };
    TELL(steps);
}

TEST(a_drained_node_s_group_runs_elsewhere_once_it_has_stopped_there)
{
    static const struct step steps[] = {
        { CREATE, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { DRAIN_A, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, ERR_NODE_EPOCH, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { UNCORDON_A, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { DRAIN_A, MOVES, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, SUCCEEDED) },
        { DRAIN_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, SUCCEEDED) },
        { PLACE_B, 0, ERR_CONFLICT, GROUP_PENDING, P_(PENDING), O_(CREATE, SUCCEEDED) },
        { REMOVE_A, 0, ERR_NODE_HOLDS, GROUP_PENDING, P_(PENDING), O_(CREATE, SUCCEEDED) },
        { A_SAYS, SAYS(GROUP_STOPPED, RELEASED), 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, SUCCEEDED) },
        { PLACE_A, 0, ERR_NODE_EPOCH, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, SUCCEEDED) },
        { REMOVE_A, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, SUCCEEDED) },
        { PLACE_B, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, SUCCEEDED) },
        { B_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
    };
    TELL(steps);
}

TEST(a_drained_node_keeps_what_may_run_once_and_what_is_being_stopped)
{
    static const struct step steps[] = {
        { CREATE_NEVER, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { DRAIN_A, 0, 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { REMOVE_A, 0, ERR_NODE_HOLDS, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { STOP, 0, 0, GROUP_RUNNING, P_(SUCCEEDED), O_(STOP, PENDING) },
        { DRAIN_A, 0, 0, GROUP_RUNNING, P_(SUCCEEDED), O_(STOP, PENDING) },
        { A_SAYS, SAYS(GROUP_STOPPED, RELEASED), 0, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
        { REMOVE_A, 0, 0, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
    };
    TELL(steps);
}

TEST(without_a_fence_everything_waits_for_the_node)
{
    static const struct step steps[] = {
        { CREATE, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { LOSE_A_WAIT, 0, 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        /* It may still run there: it runs again there or nowhere. */
        { RESTART, 0, 0, GROUP_PENDING, P_(UPDATING), O_(RESTART, PENDING) },
        { STOP, 0, 0, GROUP_PENDING, P_(UPDATING), O_(STOP, PENDING) },
        { REJOIN_A, 0, 0, GROUP_PENDING, P_(UPDATING), O_(STOP, PENDING) },
        { A_SAYS, SAYS(GROUP_STOPPED, RELEASED), 0, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
        { START, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(START, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(START, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(START, SUCCEEDED) },
        { LOSE_A_WAIT, 0, 0, GROUP_RUNNING, P_(SUCCEEDED), O_(START, SUCCEEDED) },
        { REMOVE_A, 0, 0, GROUP_REPAIRING | QUEUED, P_(REPAIRING), O_(START, SUCCEEDED) },
        { PLACE_B, 0, 0, GROUP_PENDING, P_(REPAIRING), O_(START, SUCCEEDED) },
        { B_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(START, SUCCEEDED) },
        { REMOVE, 0, 0, GONE, 0, 0, 0 },
    };
    TELL(steps);
}

TEST(a_stop_on_a_lost_node_is_done)
{
    static const struct step steps[] = {
        { CREATE, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { PLACE_A, 0, 0, GROUP_PENDING, P_(PENDING), O_(CREATE, PENDING) },
        { A_SAYS, SAYS(GROUP_RUNNING, PROVISIONED), 0, GROUP_RUNNING, P_(SUCCEEDED), O_(CREATE, SUCCEEDED) },
        { STOP, 0, 0, GROUP_RUNNING, P_(SUCCEEDED), O_(STOP, PENDING) },
        { LOSE_A, 0, 0, GROUP_STOPPED, P_(SUCCEEDED), O_(STOP, SUCCEEDED) },
        { REMOVE, 0, 0, GONE, 0, 0, 0 },
        { CREATE, 0, 0, GROUP_PENDING | QUEUED, P_(PENDING), O_(CREATE, PENDING) },
        { REMOVE, 0, 0, GONE, 0, 0, 0 },
    };
    TELL(steps);
}

/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_created_placed_run_stopped_started),
        cmocka_unit_test(a_stop_cuts_into_a_create),
        cmocka_unit_test(a_restart_and_an_update_run_again_in_place),
        cmocka_unit_test(a_failure_ends_the_operation_and_is_started_again),
        cmocka_unit_test(a_stop_ends_what_a_failed_group_still_holds),
        cmocka_unit_test(a_group_that_finished_holds_nothing_and_a_stop_leaves_it_so),
        cmocka_unit_test(a_lost_node_s_groups_run_elsewhere),
        cmocka_unit_test(a_group_in_repair_can_be_stopped_and_removed),
        cmocka_unit_test(never_means_at_most_one_run),
        cmocka_unit_test(an_evicted_group_waits_for_room_once_its_node_has_let_go),
        cmocka_unit_test(an_evicted_group_that_may_run_once_stays_stopped),
        cmocka_unit_test(a_drained_node_s_group_runs_elsewhere_once_it_has_stopped_there),
        cmocka_unit_test(a_drained_node_keeps_what_may_run_once_and_what_is_being_stopped),
        cmocka_unit_test(without_a_fence_everything_waits_for_the_node),
        cmocka_unit_test(a_stop_on_a_lost_node_is_done),
    };
    return RUN_TESTS(tests);
}
