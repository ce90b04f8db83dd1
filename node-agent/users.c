#include "node-agent/users.h"

#include "base/limits.h"
#include "base/log.h"

#include <string.h>

static bool setting_is(const struct agent_config *config, const char *word)
{
    return strcmp(config->user_namespaces, word) == 0;
}

bool users_setting(const struct agent_config *config, uint32_t *first, struct err *err)
{
    bool off = setting_is(config, "off");

    if (!off && !setting_is(config, "on") && !setting_is(config, "auto"))
        return err_set(err, ERR_INVALID, "user_namespaces is auto, on or off, not '%.63s'",
                       config->user_namespaces);
    *first = off ? 0 : (uint32_t)config->user_ids_first;
    return true;
}

/* All that the first group would meet: ids and namespaces, and a file that is shown to them. */
static bool try(struct network *network, const struct runtime *runtime, struct image_store *images,
                struct err *err)
{
    static const char group[] = "try-users";
    struct network_users users;

    if (!runtime_users_try(runtime, err) || !network_group_begin(network, group, true, &users, err))
        return false;
    struct idmap map = {users.path, users.first};
    bool shown = image_users_try(images, &map, err);
    struct err ignored;
    return network_group_down(network, group, shown ? err : &ignored) && shown;
}

bool users_settle(const struct agent_config *config, struct network *network,
                  const struct runtime *runtime, struct image_store *images, struct err *err)
{
    struct err why = {0};

    if (setting_is(config, "off") || try(network, runtime, images, &why))
        return true;
    if (setting_is(config, "on"))
        return err_set(err, why.code, "user_namespaces is on, and this node cannot: %s", why.text);
    log_warn("groups_share_users", "text=%s", LOG_QUOTE(why.text));
    network_users_stop(network);
    return true;
}
