/* One probe: made of what is asked for, freed with what of it is under way. */
#include "node-agent/probe/inner.h"

#include <string.h>

void probing_free(struct prober *prober, struct probing *probing)
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

struct probing *probing_new(struct prober *prober, const struct probe_spec *spec)
{
    struct probing *probing = calloc(1, sizeof *probing);
    const struct probe *asked = spec->asked;

    if (!probing)
        return NULL;
    probing->news = (struct probe_news){.token = spec->token, .kind = spec->kind};
    text_copy(probing->news.uid, sizeof probing->news.uid, spec->uid);
    text_copy(probing->news.container, sizeof probing->news.container, spec->container);
    probing->rules = probe_rules_of(asked);
    probing->state = probe_begin(&probing->rules, spec->good, spec->running_ms, probe_now_ms());
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
