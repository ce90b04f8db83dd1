/* Orders are copied by printing and reading them: one way in, the field tables'. */
#include "node-agent/supervise/order.h"

#include "base/file.h"
#include "base/limits.h"

enum { ORDER_ARENA_FACTOR = 8 };

static struct order *order_parse(const char *json, size_t size, struct err *err)
{
    AUTO(order) *order = calloc(1, sizeof *order);
    AUTO(arena) *arena = arena_new_small((size_t)LIMIT_LINK_MESSAGE_MAX * ORDER_ARENA_FACTOR);
    struct assignment *assignment = arena ? ARENA_NEW(arena, struct assignment) : NULL;

    if (!order || !assignment) {
        err_set(err, ERR_BUSY, "no memory for an order");
        return NULL;
    }
    order->holders = 1;
    if (!fields_read(&assignment_schema, json, size, arena, assignment, err))
        return NULL;
    order->assignment = assignment;
    order->arena = TAKE(arena);
    return TAKE(order);
}

struct order *order_new(const struct assignment *assignment, struct err *err)
{
    AUTO(text) *json = text_new((size_t)LIMIT_LINK_MESSAGE_MAX);

    fields_print(&assignment_schema, assignment, FIELDS_WITH_SECRETS, json, NULL);
    if (!text_ok(json)) {
        err_set(err, ERR_BUSY, "no memory for an order");
        return NULL;
    }
    return order_parse(json->bytes, json->size, err);
}

struct order *order_hold(struct order *order)
{
    __atomic_add_fetch(&order->holders, 1, __ATOMIC_RELAXED);
    return order;
}

void order_free(struct order *order)
{
    if (!order || __atomic_sub_fetch(&order->holders, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    arena_free(order->arena);
    free(order);
}

bool order_save(const struct order *order, const char *path, struct err *err)
{
    AUTO(text) *json = text_new((size_t)LIMIT_LINK_MESSAGE_MAX);

    fields_print(&assignment_schema, order->assignment, FIELDS_WITH_SECRETS, json, NULL);
    if (!text_ok(json))
        return err_set(err, ERR_BUSY, "no memory for an order");
    return file_replace(path, json->bytes, json->size, 0600, false, err);
}

struct order *order_load(const char *path, struct err *err)
{
    AUTO_FREE char *bytes = NULL;
    size_t size;

    if (!file_read(path, (size_t)LIMIT_LINK_MESSAGE_MAX, &bytes, &size, err))
        return NULL;
    return order_parse(bytes, size, err);
}
