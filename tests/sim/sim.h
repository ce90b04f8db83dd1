/* A region in one thread: the real store and scheduler, pretended agents, one seed, one clock that stands still unless
 * told. The same seed gives the same story.
 *
 * Failures end the test (cmocka). */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "scheduler/room.h"
#include "tests/unit/unit.h"

enum { SIM_AGENTS_MAX = 12, SIM_GROUPS_MAX = 400, SIM_RUNS_MAX = 200 };
enum { SIM_BEAT_MS = 1000, SIM_FENCE_MS = 8000, SIM_LOST_MS = 10000 };

/* What an agent has of one group. */
struct sim_run {
    char uid[ID_SIZE];
    int64_t incarnation;
    enum wanted wanted;
    struct shape shape;
    bool holds;   /* its containers are there */
    bool ended;   /* finished by itself */
    bool removed; /* nothing is left; kept until the report is acknowledged */
    bool untold;
};

struct sim_agent {
    char name[16];
    char id[ID_SIZE], credential[ID_TOKEN_SIZE];
    bool joined, cut_off; /* cut off: what it sends and asks is lost */
    bool must_join;
    int64_t node_key, epoch, after, sequence, lease_until_ns;
    struct node_capacity capacity;
    const char *location;
    struct sim_run runs[SIM_RUNS_MAX];
    size_t runs_count;
};

struct sim_group {
    char name[24];
    int64_t key;
    bool removed; /* by order */
};

struct sim {
    char folder[64], path[96], key_path[96];
    struct store *store;
    struct scheduler *scheduler;
    struct arena *arena;
    uint64_t seed;
    struct sim_agent agents[SIM_AGENTS_MAX];
    size_t agents_count;
    struct sim_group groups[SIM_GROUPS_MAX];
    size_t groups_count;
    int64_t created, refused, placed_seen, lost_seen;
};

/* world.c */
struct sim *sim_new(uint64_t seed, size_t agents);
void sim_free(struct sim *sim);
void sim_agents_add(struct sim *sim, size_t agents);
AUTO_TYPE(sim);
void sim_restart_plane(struct sim *sim); /* store and scheduler anew, as after a crash */
void sim_pass(struct sim *sim, int64_t ms);
void sim_rounds(struct sim *sim); /* until the scheduler has nothing to do */
int64_t sim_pick(struct sim *sim, int64_t low, int64_t high);
enum err_code sim_write(struct sim *sim, store_work work, void *data);

/* groups.c */
struct sim_group *sim_create(struct sim *sim, struct shape shape, const char *location,
                             enum restart_policy policy);
enum sim_order { SIM_STOP, SIM_START, SIM_RESTART, SIM_REMOVE };
enum err_code sim_order(struct sim *sim, struct sim_group *group, enum sim_order order);
struct group_row *sim_group_row(struct sim *sim, const struct sim_group *group);

/* agents.c */
void sim_agent_join(struct sim *sim, struct sim_agent *agent);
void sim_agent_poll(struct sim *sim, struct sim_agent *agent);
/* False: not taken (cut off, or an old epoch). */
bool sim_agent_report(struct sim *sim, struct sim_agent *agent);
/* A report of the epoch before arrives at last. */
void sim_agent_report_late(struct sim *sim, struct sim_agent *agent);
void sim_agent_finish_one(struct sim *sim, struct sim_agent *agent);
/* Fences what has no lease. */
void sim_agents_live(struct sim *sim);
void sim_drain(struct sim *sim, struct sim_agent *agent);
void sim_cordon(struct sim *sim, struct sim_agent *agent, bool cordoned);

/* check.c: what must hold at every moment, and what must hold when all is quiet. */
void sim_check(struct sim *sim);
void sim_check_quiet(struct sim *sim);

#endif
