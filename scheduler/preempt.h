/* Which groups of the priority Spot make room for one of the priority Regular: the cheapest set on one node, weighed as
 * the score of plan.h weighs. Pure.
 * Threads: any. */
#ifndef SCHEDULER_PREEMPT_H
#define SCHEDULER_PREEMPT_H

#include "scheduler/plan.h"

struct victim {
    int64_t group_key;
    struct shape shape;
    bool chosen;
};

/* Marks those whose room, with what is free, is enough for `wanted`; one that wants its node to itself gets all of
 * them. Changes their order. False: all of them are too little. */
bool victims_choose(struct victim *victims, size_t count, const struct shape *free_now,
                    const struct shape *wanted);

#endif
