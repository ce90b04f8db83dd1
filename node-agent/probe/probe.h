/* Probes of running containers, as Kubernetes has them: a command in the container, or a GET to it, asked again and
 * again; what its answers mean; who is told.
 *
 *     struct prober *prober = prober_new(&commands, said, context, err);
 *     struct probe_spec spec = {.token = run, .kind = PROBE_LIVENESS, .asked = properties->liveness, ...};
 *     prober_begin(prober, &spec, err);
 *     ... said() tells each failure, and each change of the verdict ...
 *     prober_end(prober, run);
 *
 * One thread asks all of them: requests over connections and commands by descriptors that it polls. That a
 * probe passes again and again wakes nobody.
 * Not for: what follows from a verdict (supervise/), running commands (the caller brings that).
 * Threads: any may begin and end probes; said() and the commands are called on the prober's own.   Owner:
 * prober_free(), after which said() is not called any more. */
#ifndef NODE_AGENT_PROBE_H
#define NODE_AGENT_PROBE_H

#include "base/err.h"
#include "base/id.h"
#include "model/container_group.h"

enum probe_kind { PROBE_LIVENESS, PROBE_READINESS };

/* ---- one probe as a state machine: pure, replayed by seed in tests ---- */

struct probe_rules { /* defaults filled in */
    int64_t initial_delay_ms, period_ms, timeout_ms, success_threshold, failure_threshold;
};
struct probe_rules probe_rules_of(const struct probe *asked);

enum probe_answer { PROBE_PASSED, PROBE_FAILED, PROBE_UNKNOWN /* it could not be asked */ };

struct probe_state {
    int64_t due_ms; /* when it is asked next */
    bool asking;    /* and not answered yet: never due */
    bool good;      /* the verdict */
    int64_t in_row; /* answers against the verdict, one after the other */
};
/* `good` is the verdict until answers change it; `running_ms`: for how long the container has run. */
struct probe_state probe_begin(const struct probe_rules *rules, bool good, int64_t running_ms,
                               int64_t now_ms);
bool probe_is_due(const struct probe_state *state, int64_t now_ms);
void probe_ask(struct probe_state *state);
/* Times keep to the grid of the period, however long an answer took; true when the verdict changed. */
bool probe_take(const struct probe_rules *rules, struct probe_state *state,
                enum probe_answer answer, int64_t now_ms);

/* ---- asking ---- */

struct prober;

/* Commands in containers. `begin` gives a command under way (NULL: it could not be started, unknown), `fd` is readable
 * when there is something to look at, `ended` looks without waiting, `output` is what it wrote (malformed bytes and
 * all, cut), `end` kills what still runs and frees. */
struct probe_commands {
    void *(*begin)(void *context, const char *uid, const char *container,
                   const struct text_list *command, struct err *err);
    int (*fd)(const void *running);
    bool (*ended)(void *running, int *exit_code);
    const char *(*output)(const void *running);
    void (*end)(void *running);
    void *context;
};

enum { PROBE_TEXT_SIZE = 384, PROBE_NAME_SIZE = 64, PROBE_ADDRESS_SIZE = 48 };

struct probe_spec { /* copied */
    int64_t token;  /* of this run of the container: the caller's, never 0 */
    enum probe_kind kind;
    const char *uid, *container;
    const char *address; /* of the group */
    const struct probe *asked;
    bool good; /* the verdict to begin with */
    int64_t running_ms;
};

struct probe_news {
    int64_t token;
    enum probe_kind kind;
    char uid[ID_SIZE], container[PROBE_NAME_SIZE];
    enum probe_answer answer;
    bool good;                  /* the verdict now */
    char text[PROBE_TEXT_SIZE]; /* of a failure, for people */
};
/* False: it could not be kept; the verdict is told again with the next answer. */
typedef bool probe_said_fn(void *context, const struct probe_news *news);

struct prober *prober_new(const struct probe_commands *commands, probe_said_fn *said, void *context,
                          struct err *err) MUST_CHECK;
void prober_free(struct prober *prober);
bool prober_begin(struct prober *prober, const struct probe_spec *spec, struct err *err) MUST_CHECK;
/* All probes of that token; news of them that are under way may still arrive. */
void prober_end(struct prober *prober, int64_t token);

AUTO_TYPE(prober);

#endif
