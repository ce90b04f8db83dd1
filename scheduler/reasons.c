/* Says in an event why a group waits: when it begins to, and again when the kind of reason changes. */
#include "base/text.h"
#include "scheduler/room.h"

enum { REASON_SIZE = 400, SLOW_COUNT = 64 };

struct reason {
    int64_t group_key;
    uint32_t at, kinds;
    char text[REASON_SIZE];
    bool bound; /* to a node, by local disks: the store knows their names */
};

struct reasons {
    struct reason items[LIMIT_SCHEDULER_BATCH];
    size_t count;
};

static void look_at(struct scheduler *scheduler, struct reasons *reasons, uint32_t at)
{
    const struct waiter *waiter = &scheduler->waiting.items[at];
    if (at >= scheduler->waiting.used || !waiter->used ||
        reasons->count == COUNT_OF(reasons->items))
        return;
    struct plan_refusal refusal;
    {
        WITH_LOCK(&scheduler->lock);
        struct plan_request request = waiter_request(scheduler, waiter);
        plan_explain(scheduler->fleet.plan, &request, &refusal);
    }
    /* No nodes at all is a reason, too. */
    uint32_t kinds = refusal.nodes == 0 ? UINT32_MAX : plan_refusal_kinds(&refusal);
    if (kinds == waiter->told_kinds || refusal.allowed > 0)
        return;
    struct reason *reason = &reasons->items[reasons->count++];
    char words[REASON_SIZE - 32];
    plan_refusal_text(&refusal, words, sizeof words);
    text_copy(reason->text, sizeof reason->text, words);
    reason->bound = waiter->disk_node_key != 0;
    reason->group_key = waiter->group_key;
    reason->kinds = kinds;
    reason->at = at;
}

static bool tell(struct tx *tx, const struct reason *reason, struct err *err)
{
    char disk[DISK_WORDS_SIZE] = "", text[REASON_SIZE + DISK_WORDS_SIZE + 32];
    if (reason->bound && !store_disk_words(tx, reason->group_key, disk, err))
        return false;
    text_format(text, sizeof text, "Waiting for a node. %s%s%s", disk, disk[0] ? " " : "",
                reason->text);
    return store_group_event(tx, reason->group_key, "Warning", "WaitingForNode", text, err);
}

static bool tell_work(struct tx *tx, void *data, struct err *err)
{
    const struct reasons *reasons = data;
    for (size_t i = 0; i < reasons->count; i++) {
        struct err refused = {0};
        bool told = tell(tx, &reasons->items[i], &refused);
        if (told || refused.code == ERR_NOT_FOUND || refused.code == ERR_CONFLICT)
            continue; /* the group went away meanwhile */
        *err = refused;
        return false;
    }
    return true;
}

static void look_slowly(struct scheduler *scheduler, struct reasons *reasons)
{
    uint32_t used = scheduler->waiting.used;
    for (uint32_t i = 0; i < SLOW_COUNT && i < used; i++) {
        scheduler->told_cursor = scheduler->told_cursor + 1 < used ? scheduler->told_cursor + 1 : 0;
        look_at(scheduler, reasons, scheduler->told_cursor);
    }
}

bool reasons_tell(struct scheduler *scheduler, bool slow, struct err *err)
{
    if (scheduler->untold_count == 0 && !slow)
        return true;
    struct reasons *reasons = arena_alloc(scheduler->arena, sizeof *reasons);
    if (!reasons)
        return err_set(err, ERR_BUSY, "no memory to say why groups wait");
    for (size_t i = 0; i < scheduler->untold_count; i++)
        look_at(scheduler, reasons, scheduler->untold[i]);
    scheduler->untold_count = 0;
    if (slow)
        look_slowly(scheduler, reasons);
    if (reasons->count == 0)
        return true;
    if (!store_write(scheduler->store, tell_work, reasons, err))
        return err_add(err, "while saying why groups wait");
    for (size_t i = 0; i < reasons->count; i++)
        scheduler->waiting.items[reasons->items[i].at].told_kinds = reasons->items[i].kinds;
    return true;
}
