/* The cheapest set: the smallest that is enough alone, or small ones until they are enough, less those that turn out not
 * to be needed; whichever weighs less. */
#include "scheduler/preempt.h"

#include <stdlib.h>

static int64_t weight(const struct shape *shape)
{
    return shape->cpu_milli * PLAN_CPU_WEIGHT + shape->memory_mib;
}

static int by_weight(const void *left, const void *right)
{
    const struct victim *a = left, *b = right;
    int64_t one = weight(&a->shape), other = weight(&b->shape);
    if (one != other)
        return one < other ? -1 : 1;
    return (a->group_key > b->group_key) - (a->group_key < b->group_key);
}

static bool covers(const struct shape *room, const struct shape *wanted)
{
    return room->cpu_milli >= wanted->cpu_milli && room->memory_mib >= wanted->memory_mib;
}

static struct shape sum(const struct shape *one, const struct shape *other, int64_t sign)
{
    return (struct shape){.cpu_milli = one->cpu_milli + sign * other->cpu_milli,
                          .memory_mib = one->memory_mib + sign * other->memory_mib};
}

/* The smallest that is enough alone; NULL: none is. */
static struct victim *find_one(struct victim *victims, size_t count, const struct shape *free_now,
                               const struct shape *wanted)
{
    for (size_t i = 0; i < count; i++) {
        struct shape room = sum(free_now, &victims[i].shape, 1);
        if (covers(&room, wanted))
            return &victims[i];
    }
    return NULL;
}

/* Returns what the chosen weigh; -1: all are too little. */
static int64_t choose_small(struct victim *victims, size_t count, struct shape room,
                            const struct shape *wanted)
{
    int64_t weighs = 0;
    size_t taken = 0;
    for (; taken < count && !covers(&room, wanted); taken++) {
        room = sum(&room, &victims[taken].shape, 1);
        victims[taken].chosen = true;
    }
    if (!covers(&room, wanted))
        return -1;
    for (size_t i = taken; i > 0; i--) { /* the largest that is not needed first */
        struct shape less = sum(&room, &victims[i - 1].shape, -1);
        if (covers(&less, wanted)) {
            victims[i - 1].chosen = false;
            room = less;
        } else {
            weighs += weight(&victims[i - 1].shape);
        }
    }
    return weighs;
}

bool victims_choose(struct victim *victims, size_t count, const struct shape *free_now,
                    const struct shape *wanted)
{
    qsort(victims, count, sizeof *victims, by_weight);
    for (size_t i = 0; i < count; i++)
        victims[i].chosen = wanted->alone;
    if (wanted->alone)
        return true;
    int64_t weighs = choose_small(victims, count, *free_now, wanted);
    struct victim *one = find_one(victims, count, free_now, wanted);
    if (weighs >= 0 && one && weight(&one->shape) <= weighs) {
        for (size_t i = 0; i < count; i++)
            victims[i].chosen = &victims[i] == one;
    }
    return weighs >= 0;
}
