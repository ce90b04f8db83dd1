#include "scheduler/space.h"

#include "base/err.h"

/* A crit-bit tree: a branch stands where keys begin to differ and knows at which bit. A key is the interleaved
 * coordinates (64 bits) and behind them the id (32 bits), which tells equal points apart. Both kinds of nodes live in
 * arrays and name each other by index, leaves with the top bit set. A leaf's index is its id. */

enum { BITS_OF_CODE = 64, DEPTH_MAX = 96 };
#define LEAF UINT32_C(0x80000000)
#define NOWHERE UINT32_MAX

struct box {
    uint32_t x_min, x_max, y_min, y_max;
    uint64_t rank_min;
};

struct branch {
    struct box box;
    uint32_t child
        [2]; /* child[0] has a 0 at `bit`: the lower half; of a free branch, child[0] is the next free one */
    uint32_t parent;
    uint32_t bit; /* 0 is the highest of the code */
};

struct leaf {
    uint64_t code, rank;
    uint32_t x, y;
    uint32_t parent;
    bool used;
};

struct space {
    struct branch *branches;
    struct leaf *leaves;
    size_t branches_max, branches_count, leaves_max;
    uint32_t free_branch, root;
    size_t count;
};

struct space *space_new(void)
{
    struct space *space = calloc(1, sizeof *space);
    if (space)
        space->root = space->free_branch = NOWHERE;
    return space;
}

void space_free(struct space *space)
{
    if (!space)
        return;
    free(space->branches);
    free(space->leaves);
    free(space);
}

bool space_has(const struct space *space, uint32_t id)
{
    return id < space->leaves_max && space->leaves[id].used;
}

size_t space_count(const struct space *space)
{
    return space->count;
}

/* ---- keys ---- */

static uint64_t spread(uint32_t value)
{
    uint64_t bits = value;
    bits = (bits | bits << 16) & UINT64_C(0x0000ffff0000ffff);
    bits = (bits | bits << 8) & UINT64_C(0x00ff00ff00ff00ff);
    bits = (bits | bits << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    bits = (bits | bits << 2) & UINT64_C(0x3333333333333333);
    return (bits | bits << 1) & UINT64_C(0x5555555555555555);
}

static unsigned bit_of(uint64_t code, uint32_t id, uint32_t bit)
{
    if (bit < BITS_OF_CODE)
        return (unsigned)(code >> (BITS_OF_CODE - 1 - bit)) & 1;
    return id >> (DEPTH_MAX - 1 - bit) & 1;
}

/* The first bit in which two different keys differ. */
static uint32_t first_difference(uint64_t code, uint32_t id, uint64_t other_code, uint32_t other_id)
{
    if (code != other_code)
        return (uint32_t)__builtin_clzll(code ^ other_code);
    return BITS_OF_CODE + (uint32_t)__builtin_clz(id ^ other_id);
}

/* ---- boxes ---- */

static struct box box_of(const struct space *space, uint32_t at)
{
    if (!(at & LEAF))
        return space->branches[at].box;
    const struct leaf *leaf = &space->leaves[at & ~LEAF];
    return (struct box){leaf->x, leaf->x, leaf->y, leaf->y, leaf->rank};
}

#define LESSER(a, b) ((a) < (b) ? (a) : (b))
#define GREATER(a, b) ((a) > (b) ? (a) : (b))

static struct box box_join(const struct box *a, const struct box *b)
{
    return (struct box){LESSER(a->x_min, b->x_min), GREATER(a->x_max, b->x_max),
                        LESSER(a->y_min, b->y_min), GREATER(a->y_max, b->y_max),
                        LESSER(a->rank_min, b->rank_min)};
}

static bool box_equal(const struct box *a, const struct box *b)
{
    return a->x_min == b->x_min && a->x_max == b->x_max && a->y_min == b->y_min &&
           a->y_max == b->y_max && a->rank_min == b->rank_min;
}

/* Boxes from `at` to the root are as their children say; ends where nothing changes any more. */
static void boxes_renew(struct space *space, uint32_t at)
{
    while (at != NOWHERE) {
        struct branch *branch = &space->branches[at];
        struct box low = box_of(space, branch->child[0]), high = box_of(space, branch->child[1]);
        struct box joined = box_join(&low, &high);
        if (box_equal(&joined, &branch->box))
            return;
        branch->box = joined;
        at = branch->parent;
    }
}

/* ---- putting and removing ---- */

static size_t doubled(size_t now, size_t wanted)
{
    size_t next = now ? now * 2 : 64;
    return next < wanted ? wanted : next;
}

bool space_reserve(struct space *space, size_t ids, size_t count)
{
    if (ids > space->leaves_max) {
        size_t wanted = doubled(space->leaves_max, ids);
        struct leaf *leaves = realloc(space->leaves, wanted * sizeof *leaves);
        if (!leaves)
            return false;
        for (size_t i = space->leaves_max; i < wanted; i++)
            leaves[i] = (struct leaf){0};
        space->leaves = leaves;
        space->leaves_max = wanted;
    }
    if (count > space->branches_max) {
        size_t wanted = doubled(space->branches_max, count);
        struct branch *branches = realloc(space->branches, wanted * sizeof *branches);
        if (!branches)
            return false;
        space->branches = branches;
        space->branches_max = wanted;
    }
    return true;
}

static uint32_t branch_take(struct space *space)
{
    if (space->free_branch == NOWHERE)
        return (uint32_t)space->branches_count++;
    uint32_t at = space->free_branch;
    space->free_branch = space->branches[at].child[0];
    return at;
}

static void parent_set(struct space *space, uint32_t at, uint32_t parent)
{
    if (at & LEAF)
        space->leaves[at & ~LEAF].parent = parent;
    else
        space->branches[at].parent = parent;
}

static uint32_t parent_of(const struct space *space, uint32_t at)
{
    return at & LEAF ? space->leaves[at & ~LEAF].parent : space->branches[at].parent;
}

/* `parent` (NOWHERE: the space itself) has `now` where it had `was`. */
static void child_replace(struct space *space, uint32_t parent, uint32_t was, uint32_t now)
{
    parent_set(space, now, parent);
    if (parent == NOWHERE)
        space->root = now;
    else
        space->branches[parent].child[space->branches[parent].child[1] == was] = now;
}

static uint32_t nearest_leaf(const struct space *space, uint64_t code, uint32_t id)
{
    uint32_t at = space->root;
    while (!(at & LEAF)) {
        const struct branch *branch = &space->branches[at];
        at = branch->child[bit_of(code, id, branch->bit)];
    }
    return at;
}

/* A branch that tells the new leaf from all keys that share its bits up to the first difference. */
static void branch_insert(struct space *space, uint32_t at, uint32_t id)
{
    const struct leaf *leaf = &space->leaves[id];
    uint32_t beside = nearest_leaf(space, leaf->code, id);
    uint32_t other = beside & ~LEAF;
    uint32_t bit = first_difference(leaf->code, id, space->leaves[other].code, other);
    uint32_t parent = parent_of(space, beside);
    while (parent != NOWHERE && space->branches[parent].bit > bit) {
        beside = parent;
        parent = space->branches[parent].parent;
    }
    child_replace(space, parent, beside, at);
    struct branch *branch = &space->branches[at];
    unsigned side = bit_of(leaf->code, id, bit);
    branch->bit = bit;
    branch->box = (struct box){0};
    branch->child[side] = id | LEAF;
    branch->child[!side] = beside;
    parent_set(space, id | LEAF, at);
    parent_set(space, beside, at);
    boxes_renew(space, at);
}

bool space_put(struct space *space, uint32_t id, uint32_t x, uint32_t y, uint64_t rank)
{
    CHECK(id < LEAF && x <= SPACE_COORDINATE_MAX && y <= SPACE_COORDINATE_MAX &&
          !space_has(space, id));
    if (!space_reserve(space, (size_t)id + 1, space->count + 1))
        return false;
    space->leaves[id] = (struct leaf){spread(x) << 1 | spread(y), rank, x, y, NOWHERE, true};
    if (space->root == NOWHERE)
        space->root = id | LEAF;
    else
        branch_insert(space, branch_take(space), id);
    space->count++;
    return true;
}

void space_remove(struct space *space, uint32_t id)
{
    CHECK(space_has(space, id));
    uint32_t at = space->leaves[id].parent;
    space->leaves[id].used = false;
    space->count--;
    if (at == NOWHERE) {
        space->root = NOWHERE;
        return;
    }
    struct branch *branch = &space->branches[at];
    uint32_t beside = branch->child[branch->child[0] == (id | LEAF)];
    uint32_t above = branch->parent;
    child_replace(space, above, at, beside);
    branch->child[0] = space->free_branch;
    space->free_branch = at;
    boxes_renew(space, above);
}

/* ---- searching ---- */

struct search {
    const struct space *space;
    uint32_t x, y;
    space_allows allows;
    void *context;
    uint64_t rank; /* of the best so far */
    int64_t best;
};

/* No point of the box that answers ranks lower than this; UINT64_MAX: none answers. */
typedef uint64_t (*box_bound)(const struct search *search, const struct box *box);

static uint64_t bound_above(const struct search *search, const struct box *box)
{
    if (box->x_max < search->x || box->y_max < search->y)
        return UINT64_MAX;
    uint64_t corner = space_rank(GREATER(box->x_min, search->x), GREATER(box->y_min, search->y), 0);
    return GREATER(corner, box->rank_min);
}

static uint64_t bound_below(const struct search *search, const struct box *box)
{
    if (box->x_min > search->x || box->y_min > search->y)
        return UINT64_MAX;
    return box->rank_min;
}

/* Depth first, the more promising child first; what remains is on the stack with its bound. A leaf's box is itself,
 * so its bound is its rank. */
static inline int64_t search_run(struct search *search, box_bound bound)
{
    const struct space *space = search->space;
    struct {
        uint32_t at;
        uint64_t bound;
    } stack[DEPTH_MAX + 2];
    size_t depth = 0;
    if (space->root != NOWHERE) {
        struct box box = box_of(space, space->root);
        stack[depth].at = space->root;
        stack[depth++].bound = bound(search, &box);
    }
    while (depth > 0) {
        depth--;
        uint32_t at = stack[depth].at;
        if (stack[depth].bound >= search->rank)
            continue;
        if (at & LEAF) {
            if (!search->allows || search->allows(at & ~LEAF, search->context)) {
                search->rank = stack[depth].bound;
                search->best = at & ~LEAF;
            }
            continue;
        }
        const uint32_t *child = space->branches[at].child;
        struct box low = box_of(space, child[0]), high = box_of(space, child[1]);
        uint64_t low_bound = bound(search, &low), high_bound = bound(search, &high);
        unsigned first = high_bound < low_bound; /* on top of the stack: visited next */
        stack[depth].at = child[!first];
        stack[depth++].bound = first ? low_bound : high_bound;
        stack[depth].at = child[first];
        stack[depth++].bound = first ? high_bound : low_bound;
    }
    return search->best;
}

int64_t space_find_above(const struct space *space, uint32_t x, uint32_t y, space_allows allows,
                         void *context)
{
    struct search search = {space, x, y, allows, context, UINT64_MAX, SPACE_NONE};
    return search_run(&search, bound_above);
}

int64_t space_find_below(const struct space *space, uint32_t x, uint32_t y, space_allows allows,
                         void *context)
{
    struct search search = {space, x, y, allows, context, UINT64_MAX, SPACE_NONE};
    return search_run(&search, bound_below);
}
