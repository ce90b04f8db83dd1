/* Allowed moves as tables; restart rules. */
#include "model/lifecycle.h"

#include "base/limits.h"

const char *const group_state_words[] = {"Pending", "Running",   "Stopped", "Succeeded",
                                         "Failed",  "Repairing", NULL};
const char *const provisioning_words[] = {"Pending",   "Creating", "Updating", "Repairing",
                                          "Succeeded", "Failed",   "Deleting", NULL};
const char *const container_state_words[] = {"Waiting", "Running", "Terminated", NULL};
const char *const operation_kind_words[] = {"Create",  "Update", "Start", "Stop",
                                            "Restart", "Delete", NULL};
const char *const operation_status_words[] = {"Pending", "Succeeded", "Failed", "Canceled", NULL};
const char *const node_state_words[] = {"Ready", "Lost", "Left", NULL};

#define TO(state) (1u << GROUP_##state)

/* A new incarnation begins at Pending from anywhere; a stop may end anything. */
static const unsigned group_moves[] = {
    [GROUP_PENDING] = TO(RUNNING) | TO(SUCCEEDED) | TO(FAILED) | TO(STOPPED) | TO(REPAIRING),
    [GROUP_RUNNING] = TO(SUCCEEDED) | TO(FAILED) | TO(STOPPED) | TO(REPAIRING) | TO(PENDING),
    [GROUP_STOPPED] = TO(PENDING),
    [GROUP_SUCCEEDED] = TO(PENDING) | TO(STOPPED),
    [GROUP_FAILED] = TO(PENDING) | TO(STOPPED),
    [GROUP_REPAIRING] = TO(PENDING) | TO(RUNNING) | TO(FAILED) | TO(SUCCEEDED) | TO(STOPPED),
};

bool group_move(enum group_state *state, enum group_state next, struct err *err)
{
    if (*state != next && !(group_moves[*state] & (1u << next)))
        return err_set(err, ERR_CONFLICT, "a %s container group cannot become %s",
                       group_state_words[*state], group_state_words[next]);
    *state = next;
    return true;
}

bool group_tally_is_over(const struct group_tally *tally)
{
    return tally->init_failed || (tally->containers > 0 && tally->ended == tally->containers);
}

enum group_state group_state_of(enum restart_policy policy, const struct group_tally *tally)
{
    if (group_tally_is_over(tally)) {
        /* Failed exists only with Never (§6.1). */
        if (policy == RESTART_NEVER && (tally->init_failed || tally->failed > 0))
            return GROUP_FAILED;
        return GROUP_SUCCEEDED;
    }
    return tally->started == tally->containers ? GROUP_RUNNING : GROUP_PENDING;
}

enum restart_policy restart_policy_of_init(enum restart_policy policy)
{
    return policy == RESTART_ALWAYS ? RESTART_ON_FAILURE : policy;
}

bool restart_wanted(enum restart_policy policy, int64_t exit_code)
{
    switch (policy) {
    case RESTART_ALWAYS:
        return true;
    case RESTART_ON_FAILURE:
        return exit_code != 0;
    case RESTART_NEVER:
        return false;
    }
    return false;
}

const struct restart_pace restart_pace_usual = {
    LIMIT_RESTART_BACKOFF_MIN_MS, LIMIT_RESTART_BACKOFF_MAX_MS, LIMIT_RESTART_BACKOFF_RESET_MS};

int64_t restart_backoff_ms(const struct restart_pace *pace, int64_t restarts_in_a_row)
{
    int64_t wait_ms = pace->first_ms;

    if (restarts_in_a_row <= 0)
        return 0;
    for (int64_t i = 1; i < restarts_in_a_row && wait_ms < pace->max_ms; i++)
        wait_ms *= 2;
    return wait_ms < pace->max_ms ? wait_ms : pace->max_ms;
}
