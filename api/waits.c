/* The table of waiting requests: found by what they wait for, and by when they have waited long
 * enough.
 *
 * By key: a hash table over (kind, key). By time: a wheel of slots, each a quarter of a second
 * wide, that goes round once in 64 s; nothing waits longer. A request is taken out of the table by
 * whoever ends its wait, under the lock, and then belongs to that thread until it resumes it. */
#include "api/waits.h"

#include "api/inside.h"
#include "base/id.h"
#include "base/thread.h"

#include <string.h>

enum { KEYS = 8192, SLOTS = 256, SLOT_MS = 250, KINDS = WAIT_IMAGE + 1, UNTOLD_MAX = 64 };

struct waits {
    struct lock lock;
    bool stopping;
    struct request *by_key[KEYS];
    struct request *by_slot[SLOTS];
    struct request *untold; /* questions no poll has taken yet */
    int64_t tick;           /* the slot that time has reached, counted up for ever */
    int64_t last_question;
    _Atomic int listed[KINDS];
};

static int64_t tick_now(void)
{
    return clock_boot_ns() / ((int64_t)SLOT_MS * 1000000);
}

struct waits *waits_new(struct err *err)
{
    struct waits *waits = calloc(1, sizeof *waits);

    if (!waits) {
        err_set(err, ERR_BUSY, "out of memory");
        return NULL;
    }
    lock_init(&waits->lock, LOCK_API_WAITERS);
    waits->tick = tick_now();
    /* Ids of questions go on where the last process cannot have been. */
    waits->last_question = clock_now_ms() << 16;
    return waits;
}

void waits_free(struct waits *waits)
{
    if (!waits)
        return;
    lock_done(&waits->lock);
    free(waits);
}

/* ---- in and out of the table, under the lock ---- */

static struct request **key_head(struct waits *waits, enum wait_kind kind, int64_t key)
{
    uint64_t mixed = ((uint64_t)key * 4 + (uint64_t)kind) * UINT64_C(0x9E3779B97F4A7C15);

    return &waits->by_key[mixed >> 51];
}

static void link_in(struct request **head, struct request *request, struct request **next,
                    struct request ***held_by, struct request ***held_by_of_next)
{
    *next = *head;
    *held_by = head;
    if (held_by_of_next)
        *held_by_of_next = next;
    *head = request;
}

static void enlist(struct waits *waits, struct request *request)
{
    struct wait *wait = &request->wait;
    int64_t ticks = (wait->for_ms + SLOT_MS - 1) / SLOT_MS + 1;
    struct request **head = key_head(waits, wait->kind, wait->key);
    struct request **slot;

    CHECK(ticks > 0 && ticks < SLOTS);
    slot = &waits->by_slot[(uint64_t)(waits->tick + ticks) % SLOTS];
    link_in(head, request, &wait->next_by_key, &wait->held_by_key,
            *head ? &(*head)->wait.held_by_key : NULL);
    link_in(slot, request, &wait->next_by_slot, &wait->held_by_slot,
            *slot ? &(*slot)->wait.held_by_slot : NULL);
    if (wait->kind == WAIT_ANSWER)
        link_in(&waits->untold, request, &wait->next_untold, &wait->held_by_untold,
                waits->untold ? &waits->untold->wait.held_by_untold : NULL);
    wait->listed = true;
    atomic_fetch_add(&waits->listed[wait->kind], 1);
}

static void unlink_untold(struct wait *wait)
{
    if (!wait->held_by_untold)
        return;
    *wait->held_by_untold = wait->next_untold;
    if (wait->next_untold)
        wait->next_untold->wait.held_by_untold = wait->held_by_untold;
    wait->held_by_untold = NULL;
}

static void delist(struct waits *waits, struct request *request, enum wait_end end)
{
    struct wait *wait = &request->wait;

    *wait->held_by_key = wait->next_by_key;
    if (wait->next_by_key)
        wait->next_by_key->wait.held_by_key = wait->held_by_key;
    *wait->held_by_slot = wait->next_by_slot;
    if (wait->next_by_slot)
        wait->next_by_slot->wait.held_by_slot = wait->held_by_slot;
    unlink_untold(wait);
    wait->listed = false;
    wait->end = end;
    atomic_fetch_sub(&waits->listed[wait->kind], 1);
}

static void finish(struct waits *waits, struct request *request, enum wait_end end)
{
    delist(waits, request, end);
    request->transport->resume(request);
}

static void end_all(struct waits *waits, enum wait_kind kind, int64_t key, enum wait_end end)
{
    if (atomic_load(&waits->listed[kind]) == 0)
        return;
    WITH_LOCK(&waits->lock);
    for (struct request *at = *key_head(waits, kind, key), *next; at; at = next) {
        next = at->wait.next_by_key;
        if (at->wait.kind == kind && at->wait.key == key)
            finish(waits, at, end);
    }
}

static void wake(struct waits *waits, enum wait_kind kind, int64_t key)
{
    end_all(waits, kind, key, WAIT_ENDED);
}

void waits_node_asked(struct waits *waits, int64_t node_key)
{
    wake(waits, WAIT_DESIRED, node_key);
}

void waits_overtake_polls(struct waits *waits, int64_t node_key)
{
    end_all(waits, WAIT_DESIRED, node_key, WAIT_OVERTAKEN);
}

void waits_changed(void *context, const struct change *changes, size_t count)
{
    struct waits *waits = context;

    for (size_t i = 0; i < count; i++) {
        if (changes[i].kind == CHANGE_ASSIGNMENT && changes[i].node_key != 0)
            wake(waits, WAIT_DESIRED, changes[i].node_key);
        if (changes[i].kind == CHANGE_OPERATION)
            wake(waits, WAIT_OPERATION, changes[i].operation_key);
    }
}

void waits_image_known(struct waits *waits, int64_t number)
{
    wake(waits, WAIT_IMAGE, number);
}

/* ---- time ---- */

static void slot_expire(struct waits *waits, int64_t tick)
{
    for (struct request *at = waits->by_slot[(uint64_t)tick % SLOTS], *next; at; at = next) {
        next = at->wait.next_by_slot;
        finish(waits, at, WAIT_TOO_LATE);
    }
}

void waits_tick(struct waits *waits)
{
    int64_t now = tick_now();

    WITH_LOCK(&waits->lock);
    if (now - waits->tick >= SLOTS) /* the machine slept: once round is all there is */
        waits->tick = now - SLOTS;
    while (waits->tick < now)
        slot_expire(waits, ++waits->tick);
}

void waits_stop(struct waits *waits)
{
    WITH_LOCK(&waits->lock);
    waits->stopping = true;
    for (size_t slot = 0; slot < SLOTS; slot++) {
        while (waits->by_slot[slot])
            finish(waits, waits->by_slot[slot], WAIT_STOPPING);
    }
}

/* ---- beginning ---- */

bool wait_commit(struct request *request, store_work work, handler_fn then)
{
    request->wait = (struct wait){.kind = WAIT_COMMIT, .work = work, .then = then};
    return true;
}

bool wait_for(struct request *request, enum wait_kind kind, int64_t key, int64_t for_ms,
              bool (*due)(struct request *request), handler_fn then)
{
    request->wait =
        (struct wait){.kind = kind, .key = key, .for_ms = for_ms, .due = due, .then = then};
    return true;
}

bool wait_answer(struct request *request, int64_t node_key, struct question *question,
                 handler_fn then)
{
    request->wait = (struct wait){
        .kind = WAIT_ANSWER,
        .for_ms = LIMIT_NODE_ANSWER_MS,
        .node_key = node_key,
        .question = question,
        .then = then,
    };
    return true;
}

bool wait_committed(const struct request *request, struct err *err)
{
    if (request->wait.outcome.code == ERR_OK)
        return true;
    *err = request->wait.outcome;
    return false;
}

static void on_committed(void *data, const struct err *err)
{
    struct request *request = data;

    if (err)
        request->wait.outcome = *err;
    request->transport->resume(request);
}

static bool run_work(struct tx *tx, void *data, struct err *err)
{
    struct request *request = data;

    return request->wait.work(tx, request, err);
}

static void begin_commit(struct request *request)
{
    struct err err = {0};

    if (store_submit(request->api->store, run_work, on_committed, request, &err))
        return;
    on_committed(request, &err);
}

/* False: everything is stopping, and so is this wait. */
static bool begin_listed(struct waits *waits, struct request *request)
{
    WITH_LOCK(&waits->lock);
    if (waits->stopping) {
        request->wait.end = WAIT_STOPPING;
        request->transport->resume(request);
        return false;
    }
    if (request->wait.kind == WAIT_ANSWER) {
        request->wait.key = ++waits->last_question;
        request->wait.question->id =
            arena_format(request->arena, "%lld", (long long)request->wait.key);
    }
    enlist(waits, request);
    return true;
}

static void finish_if_listed(struct waits *waits, struct request *request)
{
    WITH_LOCK(&waits->lock);
    if (request->wait.listed)
        finish(waits, request, WAIT_ENDED);
}

void wait_begin(struct request *request)
{
    struct waits *waits = request->api->waits;
    bool (*due)(struct request *) = request->wait.due;
    int64_t node_key = request->wait.node_key;

    if (request->wait.kind == WAIT_COMMIT) {
        begin_commit(request);
        return;
    }
    CHECK(request->wait.kind != WAIT_NONE);
    if (!begin_listed(waits, request))
        return;
    if (node_key != 0)
        wake(waits, WAIT_DESIRED, node_key);
    else if (due && due(request))
        finish_if_listed(waits, request);
}

/* ---- questions to nodes ---- */

bool waits_has_question(struct waits *waits, int64_t node_key)
{
    if (atomic_load(&waits->listed[WAIT_ANSWER]) == 0)
        return false;
    WITH_LOCK(&waits->lock);
    for (struct request *at = waits->untold; at; at = at->wait.next_untold) {
        if (at->wait.node_key == node_key)
            return true;
    }
    return false;
}

static void tell_again(struct waits *waits, struct request *asker)
{
    if (!asker->wait.held_by_untold)
        link_in(&waits->untold, asker, &asker->wait.next_untold, &asker->wait.held_by_untold,
                waits->untold ? &waits->untold->wait.held_by_untold : NULL);
}

void waits_node_joined(struct waits *waits, int64_t node_key)
{
    waits_overtake_polls(waits, node_key);
    if (atomic_load(&waits->listed[WAIT_ANSWER]) == 0)
        return;
    WITH_LOCK(&waits->lock);
    for (size_t slot = 0; slot < SLOTS; slot++) {
        for (struct request *at = waits->by_slot[slot]; at; at = at->wait.next_by_slot) {
            if (at->wait.kind == WAIT_ANSWER && at->wait.node_key == node_key)
                tell_again(waits, at);
        }
    }
}

/* The texts belong to a request that may end any moment: copied under the lock. */
static bool question_copy(const struct question *from, struct arena *arena, struct question *to)
{
    *to = *from;
    to->id = arena_text(arena, from->id);
    to->uid = arena_text(arena, from->uid);
    to->container = arena_text(arena, from->container);
    return to->id && to->uid && to->container;
}

bool waits_questions(struct waits *waits, int64_t node_key, struct arena *arena,
                     struct question **questions, size_t *count)
{
    *questions = NULL;
    *count = 0;
    if (atomic_load(&waits->listed[WAIT_ANSWER]) == 0)
        return true;
    *questions = arena_array(arena, UNTOLD_MAX, sizeof **questions);
    if (!*questions)
        return false;
    WITH_LOCK(&waits->lock);
    for (struct request *at = waits->untold, *next; at && *count < UNTOLD_MAX; at = next) {
        next = at->wait.next_untold;
        if (at->wait.node_key != node_key)
            continue;
        if (!question_copy(at->wait.question, arena, &(*questions)[*count]))
            return false;
        unlink_untold(&at->wait);
        (*count)++;
    }
    return true;
}

static struct request *claim(struct waits *waits, int64_t node_key, int64_t key)
{
    WITH_LOCK(&waits->lock);
    for (struct request *at = *key_head(waits, WAIT_ANSWER, key); at; at = at->wait.next_by_key) {
        if (at->wait.kind == WAIT_ANSWER && at->wait.key == key && at->wait.node_key == node_key) {
            delist(waits, at, WAIT_ENDED);
            return at;
        }
    }
    return NULL;
}

bool waits_give_answer(struct waits *waits, int64_t node_key, const char *question_id,
                       const char *json, size_t size, struct err *err)
{
    int64_t key = 0;
    struct request *asker = text_to_int(question_id, &key) ? claim(waits, node_key, key) : NULL;
    struct answer *answer;
    bool understood;

    if (!asker)
        return err_set(err, ERR_NOT_FOUND, "nobody waits for an answer to question '%.40s'",
                       question_id);
    answer = ARENA_NEW(asker->arena, struct answer);
    understood = answer ? fields_read(&answer_schema, json, size, asker->arena, answer, err)
                        : request_full(err);
    asker->wait.answer = understood ? answer : NULL;
    asker->transport->resume(asker);
    return understood;
}
