#include "tests/sim/sim.h"

#include "base/text.h"
#include "model/resource_id.h"

#define SUBSCRIPTION "11111111-2222-3333-4444-555555555555"
#define SPEC                                                                                  \
    "\"properties\":{\"containers\":[{\"name\":\"c\",\"properties\":{\"image\":\"busybox\","  \
    "\"resources\":{\"requests\":{\"memoryInGB\":1.0,\"cpu\":1.0}}}}],\"osType\":\"Linux\"}," \
    "\"location\":\"westus\""

static bool create_work(struct tx *tx, void *data, struct err *err)
{
    return store_group_create(tx, data, "{}", err);
}

bool sim_admit(struct sim *sim, struct shape shape, const char *location,
               struct promised_place *place)
{
    char why[400];
    if (scheduler_admit(sim->scheduler, &shape, OS_LINUX, location, 0, place, why, sizeof why))
        return true;
    assert_true(why[0] != '\0');
    return false;
}

/* NULL: admission refused it. */
struct sim_group *sim_create(struct sim *sim, struct shape shape, const char *location,
                             enum restart_policy policy)
{
    struct promised_place place;
    if (sim->groups_count == SIM_GROUPS_MAX)
        return NULL;
    if (sim_admit(sim, shape, location, &place))
        return sim_make(sim, shape, location, policy, &place);
    sim->refused++;
    return NULL;
}

struct sim_group *sim_make(struct sim *sim, struct shape shape, const char *location,
                           enum restart_policy policy, const struct promised_place *place)
{
    struct sim_group *group = &sim->groups[sim->groups_count++];
    *group = (struct sim_group){0};
    text_format(group->name, sizeof group->name, "g%lld", (long long)sim->created++);
    struct group_row row = {.subscription = SUBSCRIPTION,
                            .resource_group = "rg",
                            .name = group->name,
                            .location = location,
                            .spec = SPEC,
                            .restart_policy = policy,
                            .os = OS_LINUX,
                            .quota_class = shape.alone  ? QUOTA_CLASS_DEDICATED
                                           : shape.spot ? QUOTA_CLASS_SPOT
                                                        : QUOTA_CLASS_STANDARD,
                            .shape = shape,
                            .promised = *place};
    assert_int_equal(sim_write(sim, create_work, &row), ERR_OK);
    group->key = row.key;
    group->shape = shape;
    text_copy(group->uid, sizeof group->uid, row.uid);
    assert_true(sim->ever_count < SIM_HELD_MAX);
    sim->ever[sim->ever_count++] = *group;
    return group;
}

struct ordering {
    struct sim *sim;
    const struct sim_group *group;
    enum sim_order order;
};

static bool order_work(struct tx *tx, void *data, struct err *err)
{
    struct ordering *ordering = data;
    struct resource_id id = {SUBSCRIPTION, "rg", ordering->group->name};
    struct group_row *row = store_group_find(tx, &id, true, ordering->sim->arena, err);
    if (!row)
        return err->code == ERR_OK ? err_set(err, ERR_NOT_FOUND, "no such group") : false;
    switch (ordering->order) {
    case SIM_STOP:
        return store_group_stop(tx, row, err);
    case SIM_START:
        return store_group_start(tx, row, err);
    case SIM_RESTART:
        return store_group_restart(tx, row, err);
    case SIM_REMOVE:
        return store_group_remove(tx, row, err);
    }
    return false;
}

enum err_code sim_order(struct sim *sim, struct sim_group *group, enum sim_order order)
{
    struct ordering ordering = {sim, group, order};
    enum err_code code = sim_write(sim, order_work, &ordering);
    if (code == ERR_OK && order == SIM_REMOVE)
        group->removed = true;
    return code;
}

struct group_row *sim_group_row(struct sim *sim, const struct sim_group *group)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(sim->store, &err);
    assert_non_null(tx);
    struct group_row *row = store_group_get(tx, group->key, false, sim->arena, &err);
    assert_int_equal(err.code, ERR_OK);
    return row;
}
