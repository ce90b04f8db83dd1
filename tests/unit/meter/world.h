/* A world for the meter: a clock that tests move, and a plane that takes reports and checks them.
 * Threads: one. */
#ifndef TESTS_UNIT_METER_WORLD_H
#define TESTS_UNIT_METER_WORLD_H

#include "node-agent/meter/inside.h"

#define START_S INT64_C(1700000000)

enum { WORLD_INTERVALS = 8192 };

struct world {
    char folder[64];
    int64_t real_ms; /* since the world began */
    int64_t wall_ms; /* what the wall clock adds to it */
    int64_t boot_ms; /* when the machine was booted */
    int boots;
    char boot_id[32];
    uint64_t seed;
    struct meter *meter;
};

struct told {
    char uid[ID_SIZE];
    int64_t incarnation, from_s, to_s, cpu_milli, gpus, price_class; /* the last two -1: untold */
};

/* What the plane keeps: intervals by (group, incarnation, from), and how far all is told. */
struct plane {
    struct told intervals[WORLD_INTERVALS];
    size_t count;
    int64_t watermark_s, sequence, samples;
};

void world_begin(struct world *world, uint64_t seed);
void world_end(struct world *world);
void world_open(struct world *world);
void world_kill(struct world *world); /* the agent */
void world_reboot(struct world *world);
int64_t world_now_ms(const struct world *world);
uint64_t world_dice(struct world *world, uint64_t sides);
void world_path(const struct world *world, char out[128]);

/* Fails the test when a report contradicts an earlier one. */
void plane_take(struct plane *plane, const struct meter_report *report);
/* One report, taken and acknowledged. */
void world_report(struct world *world, struct plane *plane);
/* Until nothing is left to tell. */
void world_report_all(struct world *world, struct plane *plane);

#endif
