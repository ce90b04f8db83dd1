/* The table of streams: asked for, claimed with a password that is good once, told to nodes. It is a list: it is
 * short, and looked through a few times for each stream. */
#include "api/stream/inside.h"

#include <string.h>

enum { SESSION_ARENA_MAX = 256 * 1024 };

struct session *session_find(struct streams *streams, const char *id)
{
    for (struct session *at = streams->first; at; at = at->next) {
        if (strcmp(at->id, id) == 0)
            return at;
    }
    return NULL;
}

void session_move(struct session *session, enum session_state state)
{
    session->state = state;
    session->since_ns = session->moved_ns = clock_boot_ns();
}

/* ---- copies ---- */

static bool list_copy(const struct text_list *from, struct arena *arena, struct text_list *to)
{
    *to = (struct text_list){.given = from->given, .count = from->count};
    to->items = arena_array(arena, from->count + 1, sizeof *to->items);
    for (size_t i = 0; to->items && i < from->count; i++) {
        if (!(to->items[i] = arena_text(arena, from->items[i])))
            return false;
    }
    return to->items != NULL;
}

static bool text_is_copied(const char *from, struct arena *arena, const char **to)
{
    *to = arena_text(arena, from);
    return *to || !from;
}

static bool question_copy(const struct question *from, struct arena *arena, struct question *to)
{
    *to = *from;
    return text_is_copied(from->id, arena, &to->id) && text_is_copied(from->uid, arena, &to->uid) &&
           text_is_copied(from->container, arena, &to->container) &&
           text_is_copied(from->command, arena, &to->command) &&
           text_is_copied(from->position, arena, &to->position) &&
           list_copy(&from->containers, arena, &to->containers);
}

/* ---- beginning and ending ---- */

static bool has_room(const struct streams *streams, const char *subscription, struct err *err)
{
    size_t of_subscription = 0;

    for (const struct session *at = streams->first; at; at = at->next)
        of_subscription += strcmp(at->subscription, subscription) == 0;
    if (streams->stopping)
        return err_set(err, ERR_CLOSED, "the server is stopping");
    return (streams->count < LIMIT_STREAMS_MAX &&
            of_subscription < LIMIT_STREAMS_SUBSCRIPTION_MAX) ||
           err_set(err, ERR_STREAMS,
                   "too many sessions of exec, attach and followed logs are open: %d of a "
                   "subscription, %d in all",
                   LIMIT_STREAMS_SUBSCRIPTION_MAX, LIMIT_STREAMS_MAX);
}

static bool session_fill(struct session *session, const struct stream_ask *ask)
{
    struct question asked = *ask->question;

    id_random(session->id);
    asked.id = session->id;
    session->arena = arena_new(SESSION_ARENA_MAX);
    session->words = text_new(LIMIT_STREAM_PASSWORD_MAX);
    session->early = text_new(LIMIT_STREAM_BUFFER_BYTES);
    if (!session->arena || !session->words || !session->early)
        return false;
    session->question = ARENA_NEW(session->arena, struct question);
    session->subscription = arena_text(session->arena, ask->subscription);
    return session->question && session->subscription &&
           question_copy(&asked, session->arena, session->question);
}

struct session *session_new(struct streams *streams, const struct stream_ask *ask, struct err *err)
{
    struct session *session =
        has_room(streams, ask->subscription, err) ? calloc(1, sizeof *session) : NULL;

    if (!session || !session_fill(session, ask)) {
        session_free(session);
        if (err->code == ERR_OK)
            err_set(err, ERR_BUSY, "no memory for a stream");
        return NULL;
    }
    session->streams = streams;
    session->node_key = ask->node_key;
    session->client.session = session->node.session = session;
    session->next = streams->first;
    session->held_by = &streams->first;
    if (session->next)
        session->next->held_by = &session->next;
    streams->first = session;
    streams->count++;
    session_move(session, SESSION_NEW);
    return session;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    websocket_free(session->client.socket);
    websocket_free(session->node.socket);
    text_free(session->words);
    text_free(session->early);
    arena_free(session->arena);
    free(session);
}

void session_remove(struct session *session)
{
    struct streams *streams = session->streams;

    *session->held_by = session->next;
    if (session->next)
        session->next->held_by = session->held_by;
    streams->count--;
    if (session->tap) {
        session->tap->session = NULL;
        tap_end(TAKE(session->tap), "the stream has ended");
    }
    side_drop(&session->client);
    side_drop(&session->node);
    session->next = streams->gone;
    streams->gone = session;
}

/* ---- the client's side ---- */

bool streams_open(struct streams *streams, const struct stream_ask *ask,
                  struct stream_ticket *ticket, struct err *err)
{
    char token[ID_TOKEN_SIZE];
    struct session *session;

    WITH_LOCK(&streams->lock);
    session = session_new(streams, ask, err);
    if (!session)
        return false;
    id_token(token);
    /* What the service's own passwords end in: clients send it along. */
    text_format(ticket->password, sizeof ticket->password, "%s[[EOM]]", token);
    id_hash(ticket->password, session->password_hash);
    text_copy(ticket->id, sizeof ticket->id, session->id);
    return true;
}

static bool not_found(const char *id, struct err *err)
{
    return err_set(err, ERR_STREAM_NOT_FOUND,
                   "there is no session '%.40s': it ended, was opened before, or was not opened "
                   "within %d s",
                   id, LIMIT_STREAM_TAKE_UP_MS / 1000);
}

bool streams_claim(struct streams *streams, const char *id, const char *password, struct err *err)
{
    char hash[65];

    WITH_LOCK(&streams->lock);
    struct session *session = session_find(streams, id);
    if (!session || session->state != SESSION_NEW)
        return not_found(id, err);
    session_move(session, SESSION_CLAIMED);
    if (!password)
        return true;
    id_hash(password, hash);
    session->password = text_equal_secret(hash, session->password_hash);
    if (session->password)
        return true;
    session_remove(session);
    bell_ring(&streams->bell);
    return err_set(err, ERR_UNAUTHENTICATED,
                   "the session's password is wrong; the session is over");
}

void streams_take_client(struct streams *streams, const char *id, bool control,
                         const struct websocket_io *io, const void *left, size_t left_size)
{
    WITH_LOCK(&streams->lock);
    struct session *session = session_find(streams, id);
    if (!session || session->state != SESSION_CLAIMED || session->client.socket) {
        io->close(io->context);
        return;
    }
    session->control = control;
    if (!side_begin(session, &session->client, io, left, left_size)) {
        session_remove(session);
        return;
    }
    if (session->password)
        session_ask(session);
    bell_ring(&streams->bell);
}

/* ---- the node's side ---- */

void session_ask(struct session *session)
{
    struct streams *streams = session->streams;

    session->password = true;
    session_move(session, SESSION_ASKED);
    streams->options.node_asked(streams->options.context, session->node_key);
}

static bool is_untold(const struct session *session, int64_t node_key)
{
    return session->state == SESSION_ASKED && !session->told && session->node_key == node_key;
}

bool streams_has_question(struct streams *streams, int64_t node_key)
{
    WITH_LOCK(&streams->lock);
    for (const struct session *at = streams->first; at; at = at->next) {
        if (is_untold(at, node_key))
            return true;
    }
    return false;
}

bool streams_questions(struct streams *streams, int64_t node_key, struct arena *arena,
                       struct question *questions, size_t max, size_t *count)
{
    WITH_LOCK(&streams->lock);
    for (struct session *at = streams->first; at && *count < max; at = at->next) {
        if (!is_untold(at, node_key))
            continue;
        if (!question_copy(at->question, arena, &questions[*count]))
            return false;
        at->told = true;
        (*count)++;
    }
    return true;
}

void streams_node_joined(struct streams *streams, int64_t node_key)
{
    WITH_LOCK(&streams->lock);
    for (struct session *at = streams->first; at; at = at->next) {
        if (at->node_key == node_key)
            at->told = false;
    }
}

bool streams_awaits_node(struct streams *streams, const char *id, int64_t node_key, struct err *err)
{
    WITH_LOCK(&streams->lock);
    struct session *session = session_find(streams, id);
    return (session && session->state == SESSION_ASKED && session->node_key == node_key) ||
           not_found(id, err);
}

void streams_take_node(struct streams *streams, const char *id, const struct websocket_io *io,
                       const void *left, size_t left_size)
{
    WITH_LOCK(&streams->lock);
    struct session *session = session_find(streams, id);
    if (!session || session->state != SESSION_ASKED) {
        io->close(io->context);
        return;
    }
    session_move(session, SESSION_JOINED);
    if (!side_begin(session, &session->node, io, left, left_size))
        session_end(session, 1011, "no memory");
    bell_ring(&streams->bell);
}
