/* A region in one thread: the real store and scheduler, pretended agents, one seed, one clock that stands still unless
 * told. The same seed gives the same story.
 *
 * Failures end the test (cmocka). */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "scheduler/room.h"
#include "tests/unit/unit.h"

enum { SIM_AGENTS_MAX = 12, SIM_GROUPS_MAX = 400, SIM_RUNS_MAX = 200, SIM_HELD_MAX = 20000 };
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
    int64_t watermark_s; /* acknowledged */
    struct node_capacity capacity;
    const char *location;
    struct sim_run runs[SIM_RUNS_MAX];
    size_t runs_count;
};

/* What an agent metered, kept for ever: the truth that the ledger is held against. */
struct sim_held {
    const struct sim_agent *agent;
    char uid[ID_SIZE];
    int64_t incarnation, from_s, to_s; /* to_s 0: still held */
    bool taken;                        /* acknowledged with its end */
};

struct sim_group {
    char name[24], uid[ID_SIZE];
    int64_t key;
    struct shape shape;
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
    struct sim_held held[SIM_HELD_MAX];
    size_t held_count;
    struct sim_group ever[SIM_HELD_MAX]; /* every group there was, for its shape */
    size_t ever_count;
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
/* A round that sees what was committed and was not told of it yet. */
void sim_told_later(struct sim *sim);
int64_t sim_pick(struct sim *sim, int64_t low, int64_t high);
enum err_code sim_write(struct sim *sim, store_work work, void *data);

/* groups.c */
struct sim_group *sim_create(struct sim *sim, struct shape shape, const char *location,
                             enum restart_policy policy);
/* The two steps of it. */
bool sim_admit(struct sim *sim, struct shape shape, const char *location,
               struct promised_place *place);
struct sim_group *sim_make(struct sim *sim, struct shape shape, const char *location,
                           enum restart_policy policy, const struct promised_place *place);
enum sim_order { SIM_STOP, SIM_START, SIM_RESTART, SIM_REMOVE };
enum err_code sim_order(struct sim *sim, struct sim_group *group, enum sim_order order);
struct group_row *sim_group_row(struct sim *sim, const struct sim_group *group);

/* meter.c */
void sim_meter(struct sim *sim, struct sim_agent *agent); /* after what it has may have changed */
void sim_meter_tell(struct sim *sim, struct sim_agent *agent, struct report *report);
void sim_meter_taken(struct sim *sim, struct sim_agent *agent, int64_t watermark_s);
/* Every second that was held stands in the ledger, once, with what it costs. */
void sim_check_ledger(struct sim *sim);

/* turns.c */
void sim_turn(struct sim *sim, struct sim_agent *agent);
void sim_turns(struct sim *sim); /* of all agents */
void sim_settle(struct sim *sim);
/* Groups that are gone make place in the list of those that the story knows. */
void sim_forget_removed(struct sim *sim);
struct sim_agent *sim_some_agent(struct sim *sim);
struct sim_group *sim_some_group(struct sim *sim); /* NULL: there is none */
enum group_state sim_state(struct sim *sim, const struct sim_group *group);

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
/* Of a node, from the rows: what is free, and what would be without its Spot groups. */
struct sim_room {
    struct shape now, without_spot;
    int64_t groups, spot_groups;
    bool alone; /* a Dedicated group is there */
    bool open;  /* it takes groups: ready, not cordoned, kept for nobody */
};
struct sim_room sim_room_of(struct sim *sim, const struct sim_agent *agent);
bool sim_room_takes(const struct sim_room *room, const struct shape *shape);
bool sim_room_could_take(const struct sim_room *room,
                         const struct shape *shape); /* Spot yielding */

#endif
