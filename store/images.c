/* Images that nodes hold: what a report names replaces what was known, and only what differs is
 * written. */
#include "store/images.h"

#include "base/limits.h"
#include "store/statements.h"

#include <string.h>

static bool put(struct tx *tx, int64_t node_key, const struct node_image *image, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_node_image_put);
    bind_int(q, P_node_key, node_key);
    bind_text(q, P_image, image->image);
    bind_text(q, P_digest, image->digest ? image->digest : "");
    bind_int(q, P_open, image->open);
    return statement_run(q, err);
}

static bool drop(struct tx *tx, int64_t node_key, const char *image, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_node_image_drop);
    bind_int(q, P_node_key, node_key);
    bind_text(q, P_image, image);
    return statement_run(q, err);
}

static int compare(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* The names of the report, in order. */
static const char **names_sort(struct tx *tx, const struct node_images *images, size_t count)
{
    const char **names = arena_array(tx->scratch, count + 1, sizeof *names);

    for (size_t i = 0; names && i < count; i++)
        names[i] = images->items[i].image;
    if (names)
        qsort(names, count, sizeof *names, compare);
    return names;
}

/* Names known before that the report does not have; deleted after the list was read. */
static bool find_gone(struct tx *tx, int64_t node_key, const char **names, size_t count,
                      const char **gone, size_t *gone_count, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_node_image_list);
    bind_int(q, P_node_key, node_key);
    while (*gone_count < (size_t)LIMIT_NODE_IMAGES_MAX && statement_next(q, err)) {
        const char *known = column_text(q, C_image, tx->scratch);
        if (!known)
            return arena_full(err);
        if (!bsearch(&known, names, count, sizeof *names, compare))
            gone[(*gone_count)++] = known;
    }
    return statement_ok(q, err);
}

bool node_images_tell(struct tx *tx, int64_t node_key, const struct node_images *images,
                      struct err *err)
{
    size_t count = images->items_count, gone_count = 0;
    const char **gone = arena_array(tx->scratch, (size_t)LIMIT_NODE_IMAGES_MAX, sizeof *gone);
    const char **names;

    if (count > (size_t)LIMIT_NODE_IMAGES_MAX)
        count = (size_t)LIMIT_NODE_IMAGES_MAX;
    names = names_sort(tx, images, count);
    if (!gone || !names)
        return arena_full(err);
    if (!find_gone(tx, node_key, names, count, gone, &gone_count, err))
        return false;
    for (size_t i = 0; i < gone_count; i++)
        if (!drop(tx, node_key, gone[i], err))
            return false;
    for (size_t i = 0; i < count; i++)
        if (!put(tx, node_key, &images->items[i], err))
            return false;
    return true;
}

/* ---- of a location ---- */

static bool next(struct tx *tx, const char *location, const char *after, struct arena *arena,
                 struct location_image *row, bool *any, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_location_image_next);
    bind_text(q, P_location, location);
    bind_text(q, P_image, after);
    *any = statement_next(q, err);
    if (*any)
        *row = (struct location_image){column_text(q, C_image, arena), column_text(q, C_os, arena)};
    return statement_ok(q, err) && (!*any || (row->image && row->os) || arena_full(err));
}

bool store_location_images(struct tx *tx, const char *location, const char *after, size_t rows_max,
                           struct arena *arena, struct location_image **rows, size_t *count,
                           bool *more, struct err *err)
{
    struct location_image *found = arena_array(arena, rows_max + 1, sizeof *found);
    size_t found_count = 0;
    bool any = true;

    if (!found)
        return arena_full(err);
    while (any && found_count <= rows_max) {
        if (!next(tx, location, after, arena, &found[found_count], &any, err))
            return false;
        if (any)
            after = found[found_count++].image;
    }
    *more = found_count > rows_max;
    *rows = found;
    *count = *more ? rows_max : found_count;
    return true;
}
