/* Once a second: measured use, log rotation, the meter's second, networks for groups to come; now and then unused
 * images. */
#include "node-agent/supervise/jobs.h"

#include "base/clock.h"
#include "base/log.h"

static bool tick_measure(struct tick *tick, const struct tick_container *container,
                         struct use_sample *sample)
{
    const struct agent_parts *parts = &tick->jobs->parts;
    struct runtime_use use;
    struct network_group group;
    struct network_traffic traffic;
    struct err err = {0};

    if (!runtime_use(parts->runtime, container->uid, container->name, &use, &err))
        return false;
    *sample = (struct use_sample){.uid = container->uid,
                                  .incarnation = container->incarnation,
                                  .container = container->name,
                                  .cpu_ns = use.cpu_ns,
                                  .memory_bytes = use.memory_bytes};
    if (container->first && network_group_find(parts->network, container->uid, &group) &&
        network_traffic(parts->network, &group, &traffic, &err)) {
        sample->rx_bytes = traffic.rx_bytes;
        sample->tx_bytes = traffic.tx_bytes;
    }
    return true;
}

static void tick_rotate(struct tick *tick)
{
    for (size_t i = 0; i < tick->count; i++) {
        struct err err = {0};
        if (!runtime_log_rotate(tick->jobs->parts.runtime, tick->containers[i].uid,
                                tick->containers[i].name, &err) &&
            err.code != ERR_NOT_FOUND)
            log_failure("log_rotation_failed", &err);
    }
}

static void tick_prepare(const struct agent_parts *parts)
{
    struct err err = {0};

    if (!network_look(parts->network, &err))
        log_failure("packet_rules_not_seen", &err);
    if (!network_prepare(parts->network, parts->networks_prepared, &err))
        log_failure("networks_not_prepared", &err);
}

static void tick_collect(struct tick *tick)
{
    struct image_collected collected;
    struct err err = {0};

    if (!image_collect(tick->jobs->parts.images, clock_now_ms(), &collected, &err))
        log_failure("image_collection_failed", &err);
    else if (collected.images > 0 || collected.layers > 0)
        log_info("images_collected", "images=%d layers=%d bytes=%lld", collected.images,
                 collected.layers, (long long)collected.bytes);
}

static void tick_deliver(void *agent, struct message *message)
{
    struct tick *tick = CONTAINER_OF(message, struct tick, message);

    tick->done(agent, tick);
    tick_free(tick);
}

static void tick_run(struct work *work)
{
    struct tick *tick = CONTAINER_OF(work, struct tick, work);
    struct meter *meter = tick->jobs->parts.meter;
    struct use_sample *samples = calloc(tick->count + 1, sizeof *samples);
    size_t count = 0;
    struct err err = {0};

    for (size_t i = 0; samples && i < tick->count; i++) {
        if (tick_measure(tick, &tick->containers[i], &samples[count]))
            count++;
    }
    if ((samples && !meter_use(meter, samples, count, &err)) || !meter_tick(meter, &err))
        log_failure("meter_failed", &err);
    free(samples);
    tick_rotate(tick);
    tick_prepare(&tick->jobs->parts);
    if (tick->collect)
        tick_collect(tick);
    inbox_put(tick->jobs->inbox, &tick->message);
}

static void tick_drop(struct work *work)
{
    tick_free(CONTAINER_OF(work, struct tick, work));
}

void tick_submit(struct tick *tick)
{
    tick->work = (struct work){.run = tick_run, .drop = tick_drop};
    tick->message.deliver = tick_deliver;
    workers_submit(tick->jobs->workers, &tick->work);
}

void tick_free(struct tick *tick)
{
    if (!tick)
        return;
    free(tick->containers);
    free(tick);
}
