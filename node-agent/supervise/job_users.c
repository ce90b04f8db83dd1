/* Whose a group is (docs/adr/0035): users of its own, so that root in it is nobody on the node; the node's, when it
 * asks for rights over the node or its runtime has a wall of another kind. */
#include "node-agent/supervise/job_steps.h"

#include "base/limits.h"
#include "model/capability.h"

static bool reaches_node(const struct security_context *security)
{
    return security && (capabilities_of(security) & capabilities_of_node()) != 0;
}

static bool wants_own(const struct job *job)
{
    const struct assignment *assignment = job->order->assignment;
    const struct group_properties *properties = assignment->group->properties;

    for (size_t i = 0; i < group_containers_total(properties); i++) {
        if (reaches_node(group_container_at(properties, i)->properties->security))
            return false;
    }
    return network_users_count(job->jobs->parts.network) > 0 &&
           runtime_takes_users(job->jobs->parts.runtime, assignment->runtime_class);
}

static bool runs(const struct job *job)
{
    const struct group_properties *properties = job->order->assignment->group->properties;
    struct runtime_found found;
    struct err none = {0};

    for (size_t i = 0; i < group_containers_total(properties); i++) {
        if (runtime_find(job->jobs->parts.runtime, job->uid,
                         group_container_at(properties, i)->name, &found, &none))
            return true;
    }
    return false;
}

/* What runs keeps its users, although an agent with another setting has come since. */
bool job_users_begin(struct job *job, struct err *err)
{
    struct network *network = job->jobs->parts.network;
    struct network_group found;
    bool own = wants_own(job);

    if (network_group_find(network, job->uid, &found) && (found.users.first != 0) != own &&
        runs(job))
        own = !own;
    return network_group_begin(network, job->uid, own, &job->users, err);
}

struct idmap idmap_of(const struct network_users *users)
{
    return (struct idmap){users->first ? users->path : NULL, users->first};
}

static bool is_theirs(uint32_t id, const struct network_users *users)
{
    return users->first == 0 || id < LIMIT_GROUP_USERS;
}

bool user_check(const struct image_user *user, const struct network_users *users, struct err *err)
{
    bool theirs = is_theirs(user->uid, users) && is_theirs(user->gid, users);

    for (size_t i = 0; i < user->groups_count; i++)
        theirs &= is_theirs(user->groups[i], users);
    return theirs || err_set(err, ERR_SECURITY_CONTEXT,
                             "it cannot run as user %u of group %u: users and groups on this node "
                             "are numbered from 0 to %d",
                             user->uid, user->gid, (int)LIMIT_GROUP_USERS - 1);
}
