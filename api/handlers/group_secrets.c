/* Secrets are never given back, so who reads a group, changes a line and puts it again would lose
 * them: ACI drops what is not sent again. With `x-berth-keep-secrets: true` a secret that was left
 * out stays as it is, where the thing it belongs to is still the same one: the variable of that name
 * in that container, the user of that registry, the share of that account. */
#include "api/handlers/group_put.h"
#include "api/inside.h"

#include <string.h>

static bool same_text(const char *left, const char *right)
{
    return strcmp(left ? left : "", right ? right : "") == 0;
}

/* ---- one kind after the other ---- */

static void keep_variables(struct container_properties *sent,
                           const struct container_properties *old)
{
    for (size_t i = 0; i < sent->environment_count; i++) {
        struct environment_variable *variable = &sent->environment[i];
        for (size_t j = 0; j < old->environment_count; j++) {
            if (!variable->value && !variable->secure_value &&
                same_text(variable->name, old->environment[j].name))
                variable->secure_value = old->environment[j].secure_value;
        }
    }
}

static void keep_containers(struct container *sent, size_t count, const struct container *old,
                            size_t old_count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < old_count; j++) {
            if (sent[i].properties && same_text(sent[i].name, old[j].name))
                keep_variables(sent[i].properties, old[j].properties);
        }
    }
}

static void keep_credentials(struct group_properties *sent, const struct group_properties *old)
{
    for (size_t i = 0; i < sent->credentials_count; i++) {
        struct registry_credential *credential = &sent->credentials[i];
        for (size_t j = 0; j < old->credentials_count; j++) {
            const struct registry_credential *was = &old->credentials[j];
            if (!credential->password && !credential->identity &&
                same_text(credential->server, was->server) &&
                same_text(credential->username, was->username))
                credential->password = was->password;
        }
    }
}

static void keep_volume(struct volume *volume, const struct volume *was)
{
    struct azure_file_volume *share = volume->azure_file;

    if (share && was->azure_file && !share->account_key &&
        same_text(share->account_name, was->azure_file->account_name))
        share->account_key = was->azure_file->account_key;
    if (volume->secret.given && volume->secret.count == 0)
        volume->secret = was->secret.given ? was->secret : volume->secret;
}

static void keep_volumes(struct group_properties *sent, const struct group_properties *old)
{
    for (size_t i = 0; i < sent->volumes_count; i++) {
        for (size_t j = 0; j < old->volumes_count; j++) {
            if (same_text(sent->volumes[i].name, old->volumes[j].name))
                keep_volume(&sent->volumes[i], &old->volumes[j]);
        }
    }
}

static void keep_workspace(struct group_properties *sent, const struct group_properties *old)
{
    struct log_analytics *now = sent->diagnostics ? sent->diagnostics->log_analytics : NULL;
    const struct log_analytics *was = old->diagnostics ? old->diagnostics->log_analytics : NULL;

    if (!now || !was || !same_text(now->workspace_id, was->workspace_id))
        return;
    now->workspace_key = now->workspace_key ? now->workspace_key : was->workspace_key;
    if (!now->workspace_resource_id)
        now->workspace_resource_id = was->workspace_resource_id;
}

static void keep_extensions(struct group_properties *sent, const struct group_properties *old)
{
    for (size_t i = 0; i < sent->extensions_count; i++) {
        struct extension_properties *now = sent->extensions[i].properties;
        for (size_t j = 0; j < old->extensions_count; j++) {
            const struct extension_properties *was = old->extensions[j].properties;
            if (now && was && !now->protected_settings.text &&
                same_text(sent->extensions[i].name, old->extensions[j].name))
                now->protected_settings = was->protected_settings;
        }
    }
}

static void keep_all(struct group_properties *sent, const struct group_properties *old)
{
    keep_containers(sent->containers, sent->containers_count, old->containers,
                    old->containers_count);
    keep_containers(sent->init_containers, sent->init_containers_count, old->init_containers,
                    old->init_containers_count);
    keep_credentials(sent, old);
    keep_volumes(sent, old);
    keep_workspace(sent, old);
    keep_extensions(sent, old);
}

/* ---- from what stands ---- */

static bool wanted(const struct request *request, bool *keep, struct err *err)
{
    const char *value = request_header(request, KEEP_SECRETS_HEADER);

    *keep = value && text_equal_nocase(value, "true");
    return !value || *keep || text_equal_nocase(value, "false") ||
           err_set_field(err, ERR_BAD_HEADER, KEEP_SECRETS_HEADER,
                         "the header '" KEEP_SECRETS_HEADER "' must be true or false");
}

static bool keep_from(struct request *request, struct tx *tx, const struct group_row *row,
                      struct putting *putting, struct err *err)
{
    struct container_group stands;
    const char *secrets = store_group_secrets(tx, row->key, request->arena, err);

    if (!secrets || !group_spec_read(request, row, &stands, err) ||
        !fields_fill_secrets(&container_group_schema, &stands, secrets, strlen(secrets),
                             request->arena, err))
        return false;
    keep_all(putting->group.properties, stands.properties);
    putting->kept = true;
    putting->kept_key = row->key;
    putting->kept_generation = row->generation;
    return true;
}

bool put_keep_secrets(struct request *request, struct putting *putting, struct err *err)
{
    struct resource_id id = group_id_of(request);
    bool keep;

    if (!wanted(request, &keep, err))
        return false;
    if (!keep || request->problems.count > 0) /* with faults it is refused anyway */
        return true;
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct group_row *row = tx ? store_group_find(tx, &id, true, request->arena, err) : NULL;
    if (!row)
        return err->code == ERR_OK; /* a new one has none to keep */
    return keep_from(request, tx, row, putting, err);
}
