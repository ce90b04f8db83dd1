/* Steps that stories are told in. */
#include "tests/sim/sim.h"

struct sim_agent *sim_some_agent(struct sim *sim)
{
    return &sim->agents[sim_pick(sim, 0, (int64_t)sim->agents_count - 1)];
}

struct sim_group *sim_some_group(struct sim *sim)
{
    return sim->groups_count ? &sim->groups[sim_pick(sim, 0, (int64_t)sim->groups_count - 1)]
                             : NULL;
}

void sim_turn(struct sim *sim, struct sim_agent *agent)
{
    if (agent->must_join)
        sim_agent_join(sim, agent);
    sim_agent_report(sim, agent);
    sim_agent_poll(sim, agent);
}

void sim_turns(struct sim *sim)
{
    for (size_t i = 0; i < sim->agents_count; i++)
        sim_turn(sim, &sim->agents[i]);
}

void sim_settle(struct sim *sim)
{
    for (int i = 0; i < 4; i++) {
        sim_turns(sim);
        sim_rounds(sim);
    }
}

void sim_forget_removed(struct sim *sim)
{
    size_t kept = 0;
    for (size_t i = 0; i < sim->groups_count; i++)
        if (!sim->groups[i].removed || sim_group_row(sim, &sim->groups[i]))
            sim->groups[kept++] = sim->groups[i];
    sim->groups_count = kept;
}

enum group_state sim_state(struct sim *sim, const struct sim_group *group)
{
    struct group_row *row = sim_group_row(sim, group);
    assert_non_null(row);
    return row->state;
}
