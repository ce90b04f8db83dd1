/* Tags in rows of their own. Most documents have none, so a look at the text comes before parsing it. */
#include "store/tags.h"

#include "base/limits.h"
#include "store/statements.h"

#include <string.h>

struct tagged {
    struct text_map tags;
};

/* clang-format off */
static const struct field tagged_fields[] = {
    FIELD(struct tagged, tags, "tags"),
};
static const struct schema tagged_schema = SCHEMA("Tagged", struct tagged, tagged_fields, "Whatever has tags.");
/* clang-format on */

static bool put_one(struct tx *tx, const struct tags_owner *owner, const struct text_pair *tag,
                    struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_tag_put);
    bind_int(q, P_key, owner->key);
    bind_text(q, P_name, tag->key);
    bind_text(q, P_value, tag->value ? tag->value : "");
    bind_int(q, P_subscription_key, owner->subscription_key);
    bind_int(q, P_kind, owner->kind);
    return statement_run(q, err);
}

/* A quote within a JSON text has a backslash before it: what is found is a name. */
static bool may_have_tags(const char *members)
{
    return strstr(members, "\"tags\":{\"") != NULL;
}

bool tags_put(struct tx *tx, const struct tags_owner *owner, const char *members, struct err *err)
{
    struct tagged tagged;
    if (!owner->is_new && !tx_run_key(tx, SQL_tag_drop, owner->key, err))
        return false;
    if (!may_have_tags(members))
        return true;
    const char *json = arena_format(tx->scratch, "{%s}", members);
    if (!json)
        return arena_full(err);
    if (!fields_read(&tagged_schema, json, strlen(json), tx->scratch, &tagged, err))
        return err_add(err, "while reading tags");
    for (size_t i = 0; i < tagged.tags.count; i++)
        if (!put_one(tx, owner, &tagged.tags.items[i], err))
            return false;
    return true;
}

bool tags_list(struct tx *tx, int64_t owner_key, struct arena *arena, struct text_map *tags,
               struct err *err)
{
    struct text_pair found[LIMIT_TAGS_MAX];
    size_t count = 0;
    AUTO(statement) *q = tx_statement(tx, SQL_tag_list);
    bind_int(q, P_key, owner_key);
    while (count < COUNT_OF(found) && statement_next(q, err)) {
        found[count].key = column_text(q, C_name, arena);
        found[count].value = column_text(q, C_value, arena);
        count++;
    }
    if (!statement_ok(q, err))
        return false;
    *tags = (struct text_map){.given = true, .count = count};
    if (count == 0)
        return true;
    tags->items = arena_array(arena, count, sizeof *tags->items);
    if (!tags->items)
        return arena_full(err);
    memcpy(tags->items, found, count * sizeof *found);
    return true;
}
