/* What the answers of one probe mean. */
#include "node-agent/probe/probe.h"

enum { PERIOD_S = 10, TIMEOUT_S = 1, SUCCESSES = 1, FAILURES = 3, MS_PER_S = 1000 };

static int64_t given_or(struct opt_int value, int64_t otherwise)
{
    return value.given == GIVEN_VALUE ? value.value : otherwise;
}

struct probe_rules probe_rules_of(const struct probe *asked)
{
    return (struct probe_rules){
        .initial_delay_ms = given_or(asked->initial_delay_s, 0) * MS_PER_S,
        .period_ms = given_or(asked->period_s, PERIOD_S) * MS_PER_S,
        .timeout_ms = given_or(asked->timeout_s, TIMEOUT_S) * MS_PER_S,
        .success_threshold = given_or(asked->success_threshold, SUCCESSES),
        .failure_threshold = given_or(asked->failure_threshold, FAILURES),
    };
}

struct probe_state probe_begin(const struct probe_rules *rules, bool good, int64_t running_ms,
                               int64_t now_ms)
{
    int64_t left_ms = rules->initial_delay_ms - running_ms;

    return (struct probe_state){.due_ms = now_ms + (left_ms > 0 ? left_ms : 0), .good = good};
}

bool probe_is_due(const struct probe_state *state, int64_t now_ms)
{
    return !state->asking && state->due_ms <= now_ms;
}

void probe_ask(struct probe_state *state)
{
    state->asking = true;
}

bool probe_take(const struct probe_rules *rules, struct probe_state *state,
                enum probe_answer answer, int64_t now_ms)
{
    int64_t missed = now_ms >= state->due_ms ? (now_ms - state->due_ms) / rules->period_ms : 0;
    int64_t needed = state->good ? rules->failure_threshold : rules->success_threshold;

    state->asking = false;
    state->due_ms += (missed + 1) * rules->period_ms;
    if (answer == PROBE_UNKNOWN)
        return false;
    if ((answer == PROBE_PASSED) == state->good) {
        state->in_row = 0;
        return false;
    }
    if (++state->in_row < needed)
        return false;
    state->good = !state->good;
    state->in_row = 0;
    return true;
}
