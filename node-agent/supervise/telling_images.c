/* The images of this node, told to the plane with the first report after they changed. */
#include "base/limits.h"
#include "base/log.h"
#include "node-agent/supervise/agent_state.h"

static int by_last_use(const void *one, const void *other)
{
    const struct image_row *left = one, *right = other;

    return (left->last_used_ms < right->last_used_ms) - (left->last_used_ms > right->last_used_ms);
}

static struct node_images *images_of(struct image_row *rows, size_t count, struct arena *arena)
{
    struct node_images *images = ARENA_NEW(arena, struct node_images);

    if (!images)
        return NULL;
    if (count > (size_t)LIMIT_NODE_IMAGES_MAX) {
        qsort(rows, count, sizeof *rows, by_last_use);
        count = (size_t)LIMIT_NODE_IMAGES_MAX;
    }
    images->items = arena_array(arena, count + 1, sizeof *images->items);
    if (!images->items)
        return NULL;
    for (size_t i = 0; i < count; i++)
        images->items[i] =
            (struct node_image){rows[i].reference, rows[i].digest, rows[i].open_to_all};
    images->items_count = count;
    return images;
}

/* Without memory the report goes without them; the next one tries again. */
void agent_tell_images(struct agent *agent, struct arena *arena, struct report *report)
{
    int64_t version = image_list_version(agent->parts.images);
    struct image_row *rows;
    size_t count;
    struct err err = {0};

    agent->images_sent = agent->images_told;
    if (version == agent->images_told)
        return;
    if (!image_list(agent->parts.images, arena, &rows, &count, &err)) {
        log_failure("images_not_told", &err);
        return;
    }
    report->images = images_of(rows, count, arena);
    if (report->images)
        agent->images_sent = version;
}
