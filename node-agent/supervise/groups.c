/* Open addressing over the groups' uids, and lists through the groups themselves. */
#include "node-agent/supervise/groups.h"

#include <string.h>

/* ---- by uid ---- */

/* FNV-1a: uids are random already, of whichever version. */
static size_t home_of(const struct groups *groups, const char *uid)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *uid; uid++)
        hash = (hash ^ (unsigned char)*uid) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32) & (groups->capacity - 1);
}

/* Where it is, or the free cell where it would be. */
static size_t cell_of(const struct groups *groups, const char *uid)
{
    size_t at = home_of(groups, uid);

    while (groups->cells[at] && strcmp(groups->cells[at]->uid, uid) != 0)
        at = (at + 1) & (groups->capacity - 1);
    return at;
}

static bool grow(struct groups *groups)
{
    struct groups larger = {.capacity = groups->capacity ? groups->capacity * 2 : 64};

    larger.cells = calloc(larger.capacity, sizeof(struct hosted *));
    if (!larger.cells)
        return false;
    for (struct hosted *group = groups->first; group; group = group->next)
        larger.cells[cell_of(&larger, group->uid)] = group;
    free(groups->cells);
    groups->cells = larger.cells;
    groups->capacity = larger.capacity;
    return true;
}

/* Those behind the hole move up, as far as their home allows, so that no search ends too early. */
static void cell_free(struct groups *groups, size_t hole)
{
    size_t mask = groups->capacity - 1;

    for (size_t at = (hole + 1) & mask; groups->cells[at]; at = (at + 1) & mask) {
        size_t home = home_of(groups, groups->cells[at]->uid);
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        groups->cells[hole] = groups->cells[at];
        hole = at;
    }
    groups->cells[hole] = NULL;
}

struct hosted *groups_find(const struct groups *groups, const char *uid)
{
    return groups->count ? groups->cells[cell_of(groups, uid)] : NULL;
}

/* ---- all of them ---- */

bool groups_add(struct groups *groups, struct hosted *group, struct err *err)
{
    if ((groups->count + 1) * 4 > groups->capacity * 3 && !grow(groups)) {
        hosted_free(group);
        return err_set(err, ERR_BUSY, "no memory for another group");
    }
    size_t cell = cell_of(groups, group->uid);
    CHECK(!groups->cells[cell]);
    groups->cells[cell] = group;
    groups->count++;
    if (groups->pace)
        group->pace = groups->pace;
    group->next = groups->first;
    if (group->next)
        group->next->before = group;
    groups->first = group;
    return true;
}

void groups_drop(struct groups *groups, struct hosted *group)
{
    CHECK(!group->is_due && !group->is_untold);
    cell_free(groups, cell_of(groups, group->uid));
    groups->count--;
    if (group->before)
        group->before->next = group->next;
    else
        groups->first = group->next;
    if (group->next)
        group->next->before = group->before;
    hosted_free(group);
}

void groups_done(struct groups *groups)
{
    while (groups->first) {
        struct hosted *group = groups->first;
        groups->first = group->next;
        hosted_free(group);
    }
    free(groups->cells);
    *groups = (struct groups){0};
}

/* ---- queues ---- */

void groups_put_due(struct groups *groups, struct hosted *group)
{
    if (group->is_due)
        return;
    group->is_due = true;
    group->next_due = groups->due;
    groups->due = group;
}

struct hosted *groups_take_due(struct groups *groups)
{
    struct hosted *group = groups->due;

    if (!group)
        return NULL;
    groups->due = group->next_due;
    group->is_due = false;
    return group;
}

/* What never had an incarnation is never told. */
bool hosted_untold(const struct hosted *group)
{
    return group->incarnation > 0 && group->taken != group->changes;
}

void groups_put_untold(struct groups *groups, struct hosted *group)
{
    if (group->is_untold || !hosted_untold(group))
        return;
    group->is_untold = true;
    group->next_untold = NULL;
    *(groups->untold ? groups->untold_last : &groups->untold) = group;
    groups->untold_last = &group->next_untold;
}

void groups_take_told(struct groups *groups)
{
    struct hosted *group = groups->untold;

    groups->untold = NULL;
    for (struct hosted *next; group; group = next) {
        next = group->next_untold;
        group->is_untold = false;
        group->taken = group->told;
        groups_put_untold(groups, group);
        if (!group->is_untold)
            groups_put_due(groups, group); /* it may be dropped now */
    }
}
