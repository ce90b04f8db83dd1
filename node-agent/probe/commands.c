/* Commands under way: a table of descriptors that are waited for together. */
#include "base/log.h"
#include "node-agent/probe/inner.h"
#include "node-agent/probe/words.h"

bool command_start(struct prober *prober, struct probing *probing)
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
        probing_answered(prober, probing, PROBE_UNKNOWN);
        return true;
    }
    probing->until_ms = probe_now_ms() + probing->rules.timeout_ms;
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
    probing_answered(prober, probing, code == 0 ? PROBE_PASSED : PROBE_FAILED);
    return true;
}

void commands_look(struct prober *prober)
{
    int64_t now_ms = probe_now_ms();

    for (size_t i = 0; i < prober->active_count;)
        i += command_look(prober, i, now_ms) ? 0 : 1;
}
