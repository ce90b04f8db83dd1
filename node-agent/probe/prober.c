/* The thread that asks: starts what is due, goes on with what is under way, tells what matters, sleeps. */
#include "node-agent/probe/probe.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "node-agent/probe/http.h"
#include "node-agent/probe/words.h"

#include <stdatomic.h>
#include <string.h>

enum { WAIT_MAX_MS = 60000 };

struct probing { /* one probe of one running container */
    struct probing *next;
    struct probe_news news; /* who it is; filled in with each answer */
    struct probe_rules rules;
    struct probe_state state;
    bool told_good; /* the verdict as told */
    atomic_bool over;
    struct web_get *get;      /* it is a request */
    struct text_list command; /* or a command: one block of memory */
    void *running;            /* under way */
    int64_t until_ms;         /* then it has failed */
};

struct prober {
    struct probe_commands commands;
    probe_said_fn *said;
    void *context;
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    struct web *web;
    struct lock lock;
    struct probing *first; /* changed by the thread alone, and only under the lock */
    struct probing *incoming;
    bool changed; /* something came, or is over */
    /* The thread's. */
    int64_t next_ms; /* nothing is due before */
    struct probing *active[LIMIT_PROBE_COMMANDS_MAX];
    struct pollfd fds[LIMIT_PROBE_COMMANDS_MAX]; /* of the same index */
    size_t active_count;
};

static int64_t steady_ms(void)
{
    return clock_boot_ns() / 1000000;
}

/* ---- one probe ---- */

static void probing_free(struct prober *prober, struct probing *probing)
{
    if (!probing)
        return;
    if (probing->running)
        prober->commands.end(probing->running);
    web_get_free(probing->get);
    free((void *)probing->command.items);
    free(probing);
}

/* The texts stand behind the pointers to them. */
static bool command_copy(struct text_list *out, const struct text_list *command)
{
    size_t size = (command->count + 1) * sizeof(char *), at = size;

    for (size_t i = 0; i < command->count; i++)
        size += strlen(command->items[i]) + 1;
    char *block = malloc(size);
    if (!block)
        return false;
    *out = (struct text_list){.given = true, .items = (void *)block, .count = command->count};
    for (size_t i = 0; i < command->count; i++) {
        size_t length = strlen(command->items[i]) + 1;
        memcpy(block + at, command->items[i], length);
        out->items[i] = block + at;
        at += length;
    }
    return true;
}

/* Those that an agent takes over all at once are not asked all at once for ever. */
static int64_t spread_ms(const struct probe_spec *spec, const struct probe_rules *rules)
{
    uint64_t mixed = (uint64_t)spec->token * UINT64_C(0x9e3779b97f4a7c15);

    return spec->running_ms > rules->period_ms
               ? (int64_t)((mixed >> 32) % (uint64_t)rules->period_ms)
               : 0;
}

static struct probing *probing_new(struct prober *prober, const struct probe_spec *spec)
{
    struct probing *probing = calloc(1, sizeof *probing);
    const struct probe *asked = spec->asked;

    if (!probing)
        return NULL;
    probing->news = (struct probe_news){.token = spec->token, .kind = spec->kind};
    text_copy(probing->news.uid, sizeof probing->news.uid, spec->uid);
    text_copy(probing->news.container, sizeof probing->news.container, spec->container);
    probing->rules = probe_rules_of(asked);
    probing->state = probe_begin(&probing->rules, spec->good, spec->running_ms, steady_ms());
    probing->state.due_ms += spread_ms(spec, &probing->rules);
    probing->told_good = spec->good;
    if (asked->http_get)
        probing->get = web_get_new(prober->web, spec->address, asked->http_get,
                                   probing->rules.timeout_ms, probing);
    if (asked->http_get ? probing->get != NULL
                        : asked->exec && command_copy(&probing->command, &asked->exec->command))
        return probing;
    probing_free(prober, probing);
    return NULL;
}

/* ---- answers ---- */

/* Told: each failure, and every verdict until it was taken note of. */
static void answered(struct prober *prober, struct probing *probing, enum probe_answer answer)
{
    struct probe_state *state = &probing->state;

    if (probe_take(&probing->rules, state, answer, steady_ms()))
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

/* ---- commands ---- */

static bool command_start(struct prober *prober, struct probing *probing)
{
    struct err err = {0};
    const struct probe_commands *commands = &prober->commands;

    if (prober->active_count == COUNT_OF(prober->active))
        return false; /* looked at again when one of them has ended */
    probe_ask(&probing->state);
    probing->running = commands->begin(commands->context, probing->news.uid,
                                       probing->news.container, &probing->command, &err);
    if (!probing->running) {
        log_debug("probe_not_asked", "group=%s container=%s text=%s", probing->news.uid,
                  probing->news.container, LOG_QUOTE(err.text));
        answered(prober, probing, PROBE_UNKNOWN);
        return true;
    }
    probing->until_ms = steady_ms() + probing->rules.timeout_ms;
    prober->fds[prober->active_count] =
        (struct pollfd){.fd = commands->fd(probing->running), .events = POLLIN};
    prober->active[prober->active_count++] = probing;
    return true;
}

static void command_drop(struct prober *prober, size_t at)
{
    struct probing *probing = prober->active[at];

    prober->commands.end(probing->running);
    probing->running = NULL;
    prober->active[at] = prober->active[--prober->active_count];
    prober->fds[at] = prober->fds[prober->active_count];
    prober->next_ms = 0; /* others may have waited for the place */
}

/* True when it has its answer and left the table. */
static bool command_look(struct prober *prober, size_t at, int64_t now_ms)
{
    struct probing *probing = prober->active[at];
    const struct probe_commands *commands = &prober->commands;
    char *text = probing->news.text;
    int code = 0;

    if (prober->fds[at].revents && commands->ended(probing->running, &code)) {
        if (code != 0)
            words_of_command(commands->output(probing->running), code, text);
    } else if (now_ms >= probing->until_ms || atomic_load(&probing->over)) {
        code = -1;
        words_of_timeout(commands->output(probing->running), probing->rules.timeout_ms, text);
    } else {
        return false;
    }
    command_drop(prober, at);
    answered(prober, probing, code == 0 ? PROBE_PASSED : PROBE_FAILED);
    return true;
}

static void commands_look(struct prober *prober)
{
    int64_t now_ms = steady_ms();

    for (size_t i = 0; i < prober->active_count;)
        i += command_look(prober, i, now_ms) ? 0 : 1;
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
        answered(prober, probing, PROBE_UNKNOWN);
    return true;
}

static void start_due(struct prober *prober)
{
    int64_t now_ms = steady_ms();

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
    int64_t until_ms = prober->next_ms, now_ms = steady_ms();

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
            answered(prober, probing, answer);
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
