/* The groups as an earlier agent wrote them down: records on disk, orders in memory files. */
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "node-agent/supervise/agent_state.h"
#include "node-agent/supervise/record.h"

#include <dirent.h>
#include <string.h>

/* After a reboot the steady clock began anew: what seems to wait longer than anything may, waits no more. */
static void forget_waits(const struct agent *agent, struct hosted *group)
{
    const struct agent_parts *parts = &agent->parts;
    int64_t longest_ms =
        parts->pace.max_ms > parts->stop_grace_ms ? parts->pace.max_ms : parts->stop_grace_ms;
    int64_t latest_ms = steady_ms() + longest_ms;

    if (group->retry_ms > latest_ms)
        group->retry_ms = 0;
    if (group->ending_ms > latest_ms)
        group->ending_ms = 0;
    for (size_t i = 0; i < group->members_count; i++) {
        if (group->members[i].next_start_ms > latest_ms)
            group->members[i].next_start_ms = 0;
    }
}

/* What the file holds is told by its number: the order at work, the newest, or both. One that the record does not know
 * was taken just before the agent died. */
static void recover_order(struct hosted *group, const char *path)
{
    struct err unreadable = {0};
    AUTO(order) *order = file_exists(path) ? order_load(path, &unreadable) : NULL;

    if (!order) {
        if (unreadable.code != ERR_OK)
            log_failure("order_unreadable", &unreadable); /* it comes again with the next desired */
        return;
    }
    int64_t incarnation = order->assignment->incarnation;
    if (incarnation == group->incarnation && !group->order)
        group->order = order_hold(order);
    if (incarnation > group->newest_incarnation)
        group->wanted = WANTED_RUN;
    if (incarnation >= group->newest_incarnation) {
        order_free(group->newest);
        group->newest = order_hold(order);
        group->newest_incarnation = incarnation;
    }
}

static struct hosted *recover_record(struct agent *agent, const char *uid, struct err *err)
{
    char folder[PATH_SIZE];
    struct err unknown = {0};
    struct hosted *group = record_load(group_folder(&agent->parts, uid, folder), &unknown);

    if (group)
        return group;
    /* Killed before its first record, or a power cut took it. Everything is taken down; the folder stays until
     * the plane has said that it does not want the group: its marks keep Never from running twice. */
    log_warn("record_unreadable", "group=%s text=%s", uid, LOG_QUOTE(unknown.text));
    group = hosted_new(uid, err);
    if (!group)
        return NULL;
    group->stage = STAGE_UP;
    group->wanted = WANTED_STOP;
    return group;
}

static bool recover_group(struct agent *agent, const char *uid, struct err *err)
{
    char path[PATH_SIZE];
    struct hosted *group = recover_record(agent, uid, err);

    if (!group)
        return false;
    if (group->incarnation > 0) {
        recover_order(group, group_order_path(&agent->parts, uid, path));
        recover_order(group, group_newest_path(&agent->parts, uid, path));
    }
    forget_waits(agent, group);
    /* A newer order was known and is not at hand: it comes again with the next desired. */
    if (!group->newest && group->wanted == WANTED_RUN)
        group->newest_incarnation = group->incarnation;
    return groups_add(&agent->groups, group, err);
}

/* Orders hold secrets: none stays whose group is not here. */
static void sweep_orders(struct agent *agent, const char *path)
{
    DIR *folder = opendir(path);
    char uid[ID_SIZE];

    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        const char *tail = strchr(entry->d_name, '.');
        text_copy(uid, sizeof uid, entry->d_name); /* cut behind the uid */
        bool known = id_valid(uid) && agent_find(agent, uid) &&
                     tail == entry->d_name + ID_SIZE - 1 &&
                     (strcmp(tail, ".json") == 0 || strcmp(tail, ".newest.json") == 0);
        if (entry->d_name[0] != '.' && !known && unlinkat(dirfd(folder), entry->d_name, 0) != 0)
            log_warn("order_not_removed", "file=%s", LOG_QUOTE(entry->d_name));
    }
    closedir(folder);
}

bool agent_recover_records(struct agent *agent, struct err *err)
{
    char path[PATH_SIZE], orders[PATH_SIZE];
    bool whole = true;

    text_format(orders, sizeof orders, "%s/orders", agent->parts.run_dir);
    if (!file_make_folders(orders, 0700, err))
        return false;
    text_format(path, sizeof path, "%s/groups", agent->parts.state_dir);
    if (!file_make_folders(path, 0700, err))
        return false;
    DIR *folders = opendir(path);
    if (!folders)
        return err_set(err, ERR_IO, "cannot read %s", path);
    for (struct dirent *entry; whole && (entry = readdir(folders));) {
        if (id_valid(entry->d_name))
            whole = recover_group(agent, entry->d_name, err);
    }
    closedir(folders);
    if (whole)
        sweep_orders(agent, orders);
    return whole;
}
