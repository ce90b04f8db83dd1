#include "node-agent/supervise/record.h"

#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { RECORD_BYTES_MAX = 4 << 20 };

/* The record as JSON: structs of their own, because lists in struct hosted are not in an arena. */
struct happening_record {
    int64_t count, first_ms, last_ms;
    const char *name, *message;
    bool warning;
};
struct run_record {
    int64_t started_ms, finished_ms, exit_code;
    const char *detail;
};
struct member_record {
    const char *name, *digest;
    int phase;
    int64_t starts, restarts, streak, next_start_ms;
    bool init, final, ready, unhealthy;
    struct run_record *current, *previous;
    struct happening_record *events;
    size_t events_count;
};
struct group_record {
    const char *uid;
    int64_t incarnation, newest_incarnation, tries, retry_ms, ending_ms, served;
    int wanted, stage, policy;
    bool failed, kept;
    const char *failure_code, *failure_text, *address;
    struct happening_record *events;
    size_t events_count;
    struct member_record *members;
    size_t members_count;
};

/* clang-format off */
static const struct field happening_fields[] = {
    FIELD(struct happening_record, count, "count"),
    FIELD(struct happening_record, first_ms, "firstMs"),
    FIELD(struct happening_record, last_ms, "lastMs"),
    FIELD(struct happening_record, name, "name"),
    FIELD(struct happening_record, message, "message"),
    FIELD(struct happening_record, warning, "warning"),
};
static const struct schema happening_schema = SCHEMA("Happening", struct happening_record, happening_fields, "");
static const struct field run_fields[] = {
    FIELD(struct run_record, started_ms, "startedMs"),
    FIELD(struct run_record, finished_ms, "finishedMs"),
    FIELD(struct run_record, exit_code, "exitCode"),
    FIELD(struct run_record, detail, "detail"),
};
static const struct schema run_schema = SCHEMA("Run", struct run_record, run_fields, "");
static const struct field member_fields[] = {
    FIELD(struct member_record, name, "name", .flags = FIELD_REQUIRED),
    FIELD(struct member_record, digest, "digest"),
    FIELD_ENUM(struct member_record, phase, "phase", member_phase_words),
    FIELD(struct member_record, starts, "starts"),
    FIELD(struct member_record, restarts, "restarts"),
    FIELD(struct member_record, streak, "streak"),
    FIELD(struct member_record, next_start_ms, "nextStartMs"),
    FIELD(struct member_record, init, "init"),
    FIELD(struct member_record, final, "final"),
    FIELD(struct member_record, ready, "ready"),
    FIELD(struct member_record, unhealthy, "unhealthy"),
    FIELD_STRUCT(struct member_record, current, "current", &run_schema),
    FIELD_STRUCT(struct member_record, previous, "previous", &run_schema),
    FIELD_ITEMS(struct member_record, events, "events", &happening_schema),
};
static const struct schema member_schema = SCHEMA("Member", struct member_record, member_fields, "");
static const struct field group_fields[] = {
    FIELD(struct group_record, uid, "uid", .flags = FIELD_REQUIRED),
    FIELD(struct group_record, incarnation, "incarnation"),
    FIELD(struct group_record, newest_incarnation, "newestIncarnation"),
    FIELD(struct group_record, tries, "tries"),
    FIELD(struct group_record, retry_ms, "retryMs"),
    FIELD(struct group_record, ending_ms, "endingMs"),
    FIELD(struct group_record, served, "served"),
    FIELD_ENUM(struct group_record, wanted, "wanted", wanted_words),
    FIELD_ENUM(struct group_record, stage, "stage", stage_words),
    FIELD_ENUM(struct group_record, policy, "policy", restart_policy_words),
    FIELD(struct group_record, failed, "failed"),
    FIELD(struct group_record, kept, "kept"),
    FIELD(struct group_record, failure_code, "failureCode"),
    FIELD(struct group_record, failure_text, "failureText"),
    FIELD(struct group_record, address, "address"),
    FIELD_ITEMS(struct group_record, events, "events", &happening_schema),
    FIELD_ITEMS(struct group_record, members, "members", &member_schema),
};
static const struct schema group_record_schema = SCHEMA("GroupRecord", struct group_record, group_fields, "A group on its node.");
/* clang-format on */

/* ---- saving ---- */

static struct happening_record *events_to(const struct happenings *list, struct arena *arena)
{
    struct happening_record *records = arena_array(arena, list->count, sizeof *records);

    for (size_t i = 0; records && i < list->count; i++) {
        const struct happening *item = &list->items[i];
        records[i] = (struct happening_record){item->count, item->first_ms, item->last_ms,
                                               item->name,  item->message,  item->warning};
    }
    return records;
}

static struct run_record *run_to(const struct run *run, struct arena *arena)
{
    struct run_record *record = ARENA_NEW(arena, struct run_record);

    if (record)
        *record =
            (struct run_record){run->started_ms, run->finished_ms, run->exit_code, run->detail};
    return record;
}

static bool member_to(const struct member *member, struct arena *arena,
                      struct member_record *record)
{
    *record = (struct member_record){
        .name = member->name,
        .digest = member->digest,
        .phase = (int)member->phase,
        .starts = member->starts,
        .restarts = member->restarts,
        .streak = member->streak,
        .next_start_ms = member->next_start_ms,
        .init = member->init,
        .final = member->final,
        .ready = member->health.ready,
        .unhealthy = member->health.failed,
        .current = run_to(&member->current, arena),
        .previous = run_to(&member->previous, arena),
        .events = events_to(&member->happenings, arena),
        .events_count = member->happenings.count,
    };
    return record->current && record->previous && (record->events || record->events_count == 0);
}

bool record_save(const struct hosted *group, const char *folder, struct err *err)
{
    AUTO(arena) *arena = arena_new(RECORD_BYTES_MAX);
    AUTO(text) *json = text_new(RECORD_BYTES_MAX);
    char path[512];
    struct group_record record = {
        .uid = group->uid,
        .incarnation = group->incarnation,
        .newest_incarnation = group->newest_incarnation,
        .tries = group->tries,
        .retry_ms = group->retry_ms,
        .ending_ms = group->ending_ms,
        .served = group->served,
        .wanted = (int)group->wanted,
        .stage = (int)group->stage,
        .policy = (int)group->policy,
        .failed = group->failed,
        .kept = group->kept,
        .failure_code = group->failure_code,
        .failure_text = group->failure_text,
        .address = group->address,
        .events = events_to(&group->happenings, arena),
        .events_count = group->happenings.count,
        .members = arena_array(arena, group->members_count, sizeof(struct member_record)),
        .members_count = group->members_count,
    };
    bool whole = record.members || group->members_count == 0;

    for (size_t i = 0; whole && i < group->members_count; i++)
        whole = member_to(&group->members[i], arena, &record.members[i]);
    fields_print(&group_record_schema, &record, FIELDS_ALL, json, NULL);
    if (!whole || !text_ok(json) || !text_format(path, sizeof path, "%s/record.json", folder))
        return err_set(err, ERR_BUSY, "no memory for the record of group %s", group->uid);
    return file_make_folders(folder, 0700, err) &&
           file_replace(path, json->bytes, json->size, 0600, false, err);
}

/* ---- loading ---- */

static void events_from(struct happenings *list, const struct happening_record *records,
                        size_t count)
{
    list->items = count ? calloc(count, sizeof *list->items) : NULL;
    list->count = list->items ? count : 0;
    for (size_t i = 0; i < list->count; i++) {
        struct happening *item = &list->items[i];
        *item = (struct happening){.count = records[i].count,
                                   .first_ms = records[i].first_ms,
                                   .last_ms = records[i].last_ms,
                                   .warning = records[i].warning};
        text_copy(item->name, sizeof item->name, records[i].name ? records[i].name : "");
        text_copy(item->message, sizeof item->message,
                  records[i].message ? records[i].message : "");
    }
}

static void run_from(struct run *run, const struct run_record *record)
{
    if (!record)
        return;
    *run = (struct run){.started_ms = record->started_ms,
                        .finished_ms = record->finished_ms,
                        .exit_code = record->exit_code};
    text_copy(run->detail, sizeof run->detail, record->detail ? record->detail : "");
}

static void member_from(struct member *member, const struct member_record *record)
{
    text_copy(member->name, sizeof member->name, record->name);
    text_copy(member->digest, sizeof member->digest, record->digest ? record->digest : "");
    member->phase = record->phase < 0 ? MEMBER_WAITING : (enum member_phase)record->phase;
    member->starts = record->starts;
    member->restarts = record->restarts;
    member->streak = record->streak;
    member->next_start_ms = record->next_start_ms;
    member->init = record->init;
    member->final = record->final;
    member->health.ready = record->ready;
    member->health.failed = record->unhealthy;
    run_from(&member->current, record->current);
    run_from(&member->previous, record->previous);
    events_from(&member->happenings, record->events, record->events_count);
}

static struct hosted *group_from(const struct group_record *record, struct err *err)
{
    AUTO(hosted) *group = hosted_new(record->uid, err);

    if (!group || !hosted_members(group, record->members_count, err))
        return NULL;
    group->incarnation = record->incarnation;
    group->newest_incarnation = record->newest_incarnation;
    group->tries = record->tries;
    group->retry_ms = record->retry_ms;
    group->ending_ms = record->ending_ms;
    group->served = record->served;
    group->wanted = record->wanted < 0 ? WANTED_RUN : (enum wanted)record->wanted;
    group->stage = record->stage < 0 ? STAGE_NONE : (enum stage)record->stage;
    group->policy = record->policy < 0 ? RESTART_NEVER : (enum restart_policy)record->policy;
    group->failed = record->failed;
    group->kept = record->kept;
    text_copy(group->failure_code, sizeof group->failure_code,
              record->failure_code ? record->failure_code : "");
    text_copy(group->failure_text, sizeof group->failure_text,
              record->failure_text ? record->failure_text : "");
    text_copy(group->address, sizeof group->address, record->address ? record->address : "");
    events_from(&group->happenings, record->events, record->events_count);
    for (size_t i = 0; i < record->members_count; i++)
        member_from(&group->members[i], &record->members[i]);
    group->changes = 1;
    return TAKE(group);
}

struct hosted *record_load(const char *folder, struct err *err)
{
    AUTO(arena) *arena = arena_new((size_t)RECORD_BYTES_MAX * 4);
    AUTO_FREE char *bytes = NULL;
    struct group_record record;
    char path[512];
    size_t size;

    if (!text_format(path, sizeof path, "%s/record.json", folder)) {
        err_set(err, ERR_INVALID, "the path %s is too long", folder);
        return NULL;
    }
    if (!file_read(path, RECORD_BYTES_MAX, &bytes, &size, err) ||
        !fields_read(&group_record_schema, bytes, size, arena, &record, err))
        return NULL;
    return group_from(&record, err);
}

/* ---- marks ---- */

enum { MARK_PATH_SIZE = 512 };

static bool mark_path(const char *folder, const char *container, int64_t incarnation,
                      char out[MARK_PATH_SIZE], struct err *err)
{
    return text_format(out, MARK_PATH_SIZE, "%s/ran.%s.%lld", folder, container,
                       (long long)incarnation)
               ? true
               : err_set(err, ERR_INVALID, "the path of the mark of %s is too long", container);
}

static bool ran_already(const char *container, struct err *err)
{
    return err_set(err, ERR_CONFLICT, "container %s ran already and its restart policy is Never",
                   container);
}

bool record_may_run(const char *folder, const char *container, int64_t incarnation, struct err *err)
{
    char path[MARK_PATH_SIZE];

    if (!mark_path(folder, container, incarnation, path, err))
        return false;
    if (access(path, F_OK) == 0)
        return ran_already(container, err);
    return errno == ENOENT ||
           err_set_os(err, ERR_STORAGE, errno, "cannot see whether %s ran", container);
}

bool record_mark_run(const char *folder, const char *container, int64_t incarnation,
                     struct err *err)
{
    char path[MARK_PATH_SIZE];

    if (!mark_path(folder, container, incarnation, path, err))
        return false;
    AUTO_CLOSE int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return ran_already(container, err);
    if (fd < 0 || fsync(fd) != 0)
        return err_set_os(err, ERR_STORAGE, errno, "cannot mark that container %s runs", container);
    return file_sync_folder(folder, err);
}

bool record_unmark_run(const char *folder, const char *container, int64_t incarnation,
                       struct err *err)
{
    char path[MARK_PATH_SIZE];

    if (!mark_path(folder, container, incarnation, path, err))
        return false;
    if (unlink(path) != 0)
        return errno == ENOENT ||
               err_set_os(err, ERR_STORAGE, errno, "cannot take back the mark of %s", container);
    return file_sync_folder(folder, err);
}
