#include "store/pins.h"

#include "base/limits.h"
#include "store/statements.h"

bool store_group_pins(struct tx *tx, int64_t key, struct arena *arena, struct image_pin **pins,
                      size_t *count, struct err *err)
{
    struct image_pin *found = arena_array(arena, (size_t)LIMIT_CONTAINERS_MAX, sizeof *found);
    AUTO(statement) *q = tx_statement(tx, SQL_group_image_list);
    size_t rows = 0;

    if (!found)
        return arena_full(err);
    bind_int(q, P_key, key);
    while (rows < (size_t)LIMIT_CONTAINERS_MAX && statement_next(q, err)) {
        found[rows] =
            (struct image_pin){column_text(q, C_image, arena), column_text(q, C_digest, arena)};
        if (!found[rows].image || !found[rows].digest)
            return arena_full(err);
        rows++;
    }
    *pins = found;
    *count = rows;
    return statement_ok(q, err);
}

static bool put(struct tx *tx, int64_t group_key, const char *image, const char *digest,
                struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_group_image_put);
    bind_int(q, P_key, group_key);
    bind_text(q, P_image, image);
    bind_text(q, P_digest, digest);
    return statement_run(q, err);
}

bool pins_begin(struct tx *tx, const struct group_row *row, struct err *err)
{
    bool is_new = row->generation == 1;
    struct image_pin *old = NULL;
    size_t old_count = 0;

    if (!is_new && !store_group_pins(tx, row->key, tx->scratch, &old, &old_count, err))
        return false;
    if (old_count > 0 && !tx_run_key(tx, SQL_group_images_purge, row->key, err))
        return false;
    for (size_t i = 0; i < row->pins_count; i++) {
        const struct image_pin *pin = &row->pins[i];
        const char *digest = pin->digest ? pin->digest : image_pin_find(old, old_count, pin->image);
        if (digest && !put(tx, row->key, pin->image, digest, err))
            return false;
    }
    return true;
}

bool pins_learn(struct tx *tx, int64_t group_key, const struct image_pin *pins, size_t count,
                struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (pins[i].image && pins[i].digest &&
            !put(tx, group_key, pins[i].image, pins[i].digest, err))
            return false;
    }
    return true;
}
