/* The thread that asks: starts what is due, goes on with what is under way, tells what matters, sleeps. */
#include "node-agent/probe/probe.h"

#include "base/log.h"
#include "node-agent/probe/inner.h"

enum { WAIT_MAX_MS = 60000 };

/* ---- answers ---- */

/* Told: each failure, and every verdict until it was taken note of. */
void probing_answered(struct prober *prober, struct probing *probing, enum probe_answer answer)
{
    struct probe_state *state = &probing->state;

    if (probe_take(&probing->rules, state, answer, probe_now_ms()))
        log_debug("probe_turned", "group=%s container=%s kind=%d good=%d", probing->news.uid,
                  probing->news.container, (int)probing->news.kind, state->good);
    if (state->due_ms < prober->next_ms)
        prober->next_ms = state->due_ms;
    if (atomic_load(&probing->over) ||
        (answer != PROBE_FAILED && state->good == probing->told_good))
        return;
    probing->news.answer = answer;
    probing->news.good = state->good;
    if (prober->said(prober->context, &probing->news))
        probing->told_good = state->good;
}

/* ---- the thread ---- */

/* Those that came join the list, those that are over leave it. */
static void take_changes(struct prober *prober)
{
    struct probing *gone = NULL;

    lock_take(&prober->lock);
    bool changed = prober->changed;
    prober->changed = false;
    while (prober->incoming) {
        struct probing *probing = prober->incoming;
        prober->incoming = probing->next;
        probing->next = prober->first;
        prober->first = probing;
    }
    for (struct probing **at = &prober->first; changed && *at;) {
        struct probing *probing = *at;
        if (!atomic_load(&probing->over) || probing->running) {
            at = &probing->next;
            continue;
        }
        *at = probing->next;
        probing->next = gone;
        gone = probing;
    }
    lock_release(&prober->lock);
    if (changed)
        prober->next_ms = 0;
    for (struct probing *next; gone; gone = next) {
        next = gone->next;
        probing_free(prober, gone);
    }
}

/* False: it waits for its turn. */
static bool start(struct prober *prober, struct probing *probing)
{
    if (!probing->get)
        return command_start(prober, probing);
    probe_ask(&probing->state);
    if (!web_get_start(probing->get))
        probing_answered(prober, probing, PROBE_UNKNOWN);
    return true;
}

static void start_due(struct prober *prober)
{
    int64_t now_ms = probe_now_ms();

    if (now_ms < prober->next_ms)
        return;
    prober->next_ms = INT64_MAX;
    for (struct probing *probing = prober->first; probing; probing = probing->next) {
        if (atomic_load(&probing->over) ||
            (probe_is_due(&probing->state, now_ms) && !start(prober, probing)))
            continue;
        if (!probing->state.asking && probing->state.due_ms < prober->next_ms)
            prober->next_ms = probing->state.due_ms;
    }
}

static int64_t wait_ms(const struct prober *prober)
{
    int64_t until_ms = prober->next_ms, now_ms = probe_now_ms();

    for (size_t i = 0; i < prober->active_count; i++) {
        if (prober->active[i]->until_ms < until_ms)
            until_ms = prober->active[i]->until_ms;
    }
    if (until_ms <= now_ms)
        return 0;
    return until_ms - now_ms < WAIT_MAX_MS ? until_ms - now_ms : WAIT_MAX_MS;
}

static void *prober_run(void *context)
{
    struct prober *prober = context;
    enum probe_answer answer;
    char text[PROBE_TEXT_SIZE];

    while (!atomic_load(&prober->stopping)) {
        commands_look(prober);
        take_changes(prober);
        start_due(prober);
        web_perform(prober->web);
        for (struct probing *probing; (probing = web_next(prober->web, &answer, text));) {
            text_copy(probing->news.text, sizeof probing->news.text,
                      answer == PROBE_FAILED ? text : "");
            probing_answered(prober, probing, answer);
        }
        web_wait(prober->web, prober->fds, prober->active_count, wait_ms(prober));
    }
    return NULL;
}

/* ---- from outside ---- */

struct prober *prober_new(const struct probe_commands *commands, probe_said_fn *said, void *context,
                          struct err *err)
{
    AUTO(prober) *prober = calloc(1, sizeof *prober);

    if (!prober) {
        err_set(err, ERR_BUSY, "no memory for probes");
        return NULL;
    }
    lock_init(&prober->lock, LOCK_AGENT_PROBES);
    prober->commands = *commands;
    prober->said = said;
    prober->context = context;
    prober->web = web_new(err);
    if (!prober->web)
        return NULL;
    prober->started = thread_start(&prober->thread, "prober", prober_run, prober, err);
    return prober->started ? TAKE(prober) : NULL;
}

void prober_free(struct prober *prober)
{
    if (!prober)
        return;
    if (prober->started) {
        atomic_store(&prober->stopping, true);
        web_wake(prober->web);
        pthread_join(prober->thread, NULL);
    }
    for (size_t i = 0; i < 2; i++) {
        struct probing *list = i == 0 ? prober->first : prober->incoming;
        for (struct probing *next; list; list = next) {
            next = list->next;
            probing_free(prober, list);
        }
    }
    web_free(prober->web);
    lock_done(&prober->lock);
    free(prober);
}

bool prober_begin(struct prober *prober, const struct probe_spec *spec, struct err *err)
{
    struct probing *probing = probing_new(prober, spec);

    if (!probing)
        return err_set(err, ERR_BUSY, "no memory for a probe of container %s", spec->container);
    lock_take(&prober->lock);
    probing->next = prober->incoming;
    prober->incoming = probing;
    prober->changed = true;
    lock_release(&prober->lock);
    web_wake(prober->web);
    return true;
}

void prober_end(struct prober *prober, int64_t token)
{
    lock_take(&prober->lock);
    for (size_t i = 0; i < 2; i++) {
        struct probing *list = i == 0 ? prober->first : prober->incoming;
        for (; list; list = list->next) {
            if (list->news.token == token)
                atomic_store(&list->over, true);
        }
    }
    prober->changed = true;
    lock_release(&prober->lock);
    web_wake(prober->web);
}
