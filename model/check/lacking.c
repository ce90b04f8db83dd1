/* What is well-formed and asks for something that no server of this kind has: a key vault, an extension of nodes, a
 * log workspace, memory that a node attests (aci/features.md §27, §25.6). Each is refused for good, and told what
 * is missing and what to do instead: whoever asks would wait in vain. */
#include "model/check/inside.h"

static const char *location_of(const struct check *check)
{
    return check->group->location ? check->group->location : "";
}

/* What is wrong with the policy, or with the priority, is told instead (kind.c). */
static void check_attested(struct check *check, const struct group_properties *properties)
{
    const char *policy = properties->confidential ? properties->confidential->cce_policy : NULL;

    if (properties->sku == SKU_CONFIDENTIAL && properties->priority != PRIORITY_SPOT &&
        (!policy || word_base64(policy)))
        check_problem(check, ERR_CONFIDENTIAL_SKU, "properties.sku",
                      "The sku 'Confidential' of container group '%.63s' is not supported in "
                      "location '%.60s': no node there attests its memory. The sku 'Dedicated' "
                      "gives a container group a node of its own.",
                      check->name, location_of(check));
}

static void check_vault(struct check *check, const struct encryption *encryption)
{
    if (encryption && encryption->vault_base_url && encryption->key_name && encryption->key_version)
        check_problem(check, ERR_ENCRYPTION, "properties.encryptionProperties",
                      "The container group '%.63s' is to be encrypted with the key '%.100s' of "
                      "'%.160s', and no key vault is configured here. Leave out "
                      "'encryptionProperties': secrets are always sealed with the server's own "
                      "key.",
                      check->name, encryption->key_name, encryption->vault_base_url);
}

static void check_extensions(struct check *check, const struct group_properties *properties)
{
    for (size_t i = 0; i < properties->extensions_count; i++) {
        const struct extension *extension = &properties->extensions[i];
        const struct extension_properties *what = extension->properties;
        if (extension->name && what && what->extension_type && what->version)
            check_problem(check, ERR_EXTENSION,
                          LIST_PATH(check, "extensions", i, ".properties.extensionType"),
                          "The extension '%.63s' of container group '%.63s' is of type '%.63s', "
                          "and no extension of that type is installed on the nodes of location "
                          "'%.60s'. Leave it out, or run what it does as a container of the "
                          "group.",
                          extension->name, check->name, what->extension_type, location_of(check));
    }
}

static void check_workspace(struct check *check, const struct diagnostics *diagnostics)
{
    const struct log_analytics *analytics = diagnostics ? diagnostics->log_analytics : NULL;

    if (analytics && analytics->workspace_id && analytics->workspace_key)
        check_problem(check, ERR_WORKSPACE, "properties.diagnostics.logAnalytics",
                      "The logs of container group '%.63s' are to go to the workspace '%.63s', and "
                      "no Log Analytics workspace is known to this server. Leave out "
                      "'diagnostics': the call for a container's logs gives them, and its view "
                      "the events.",
                      check->name, analytics->workspace_id);
}

void check_lacking(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    check_attested(check, properties);
    check_vault(check, properties->encryption);
    check_extensions(check, properties);
    check_workspace(check, properties->diagnostics);
}
