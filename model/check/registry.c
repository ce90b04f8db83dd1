/* Credentials of registries (aci/features.md §16). A server may name a port: nodes of one's own reach
 * registries of one's own. */
#include "model/check/inside.h"

#include "model/image_reference.h"

#include <string.h>

static const char *server_path(struct check *check, size_t index)
{
    return LIST_PATH(check, "imageRegistryCredentials", index, ".server");
}

static void check_server(struct check *check, const struct registry_credential *credential,
                         size_t index)
{
    const struct registry_credential *all = check->group->properties->credentials;

    if (!image_registry_valid(credential->server))
        check_problem(check, ERR_REGISTRY_SERVER, server_path(check, index),
                      "The server '%.100s' in the 'imageRegistryCredentials' of container group "
                      "'%s' is invalid. It should be a valid host name without protocol.",
                      credential->server, check->name);
    for (size_t i = 0; i < index; i++) {
        if (!all[i].server || !text_equal_nocase(all[i].server, credential->server))
            continue;
        check_problem(check, ERR_REGISTRY_SERVER, server_path(check, index),
                      "The server '%.100s' appears twice in the 'imageRegistryCredentials' of "
                      "container group '%.63s'.",
                      credential->server, check->name);
        return;
    }
}

static void check_password(struct check *check, const struct registry_credential *credential,
                           size_t index)
{
    if (credential->password && credential->password_reference)
        check_problem(
            check, ERR_REGISTRY_PASSWORD,
            LIST_PATH(check, "imageRegistryCredentials", index, ".passwordReference"),
            "The 'imageRegistryCredentials' of container group '%.63s' for server '%.100s' must "
            "have only one of 'password' and 'passwordReference'.",
            check->name, credential->server);
    else if (!credential->password_reference && (!credential->password || !credential->password[0]))
        check_problem(check, ERR_REGISTRY_PASSWORD,
                      LIST_PATH(check, "imageRegistryCredentials", index, ".password"),
                      "The password in the 'imageRegistryCredentials' of container group '%.63s' "
                      "for server '%.100s' cannot be empty.",
                      check->name, credential->server);
    if (credential->password_reference)
        check_reference(check,
                        LIST_PATH(check, "imageRegistryCredentials", index, ".passwordReference"),
                        credential->password_reference);
    if (!credential->username || !credential->username[0])
        check_problem(check, ERR_REGISTRY_USERNAME,
                      LIST_PATH(check, "imageRegistryCredentials", index, ".username"),
                      "The username in the 'imageRegistryCredentials' of container group '%.63s' "
                      "for server '%.100s' cannot be empty.",
                      check->name, credential->server);
}

/* The service's own words where identities open no registry, and what does. */
static void refuse_identity(struct check *check, const struct registry_credential *credential,
                            const char *path)
{
    check_problem(check, ERR_REGISTRY_CREDENTIAL, path,
                  "Identity in 'imageRegistryCredentials' of container group '%.63s' is not "
                  "supported. No registry here trusts an identity: give the username and password "
                  "of server '%.100s'.",
                  check->name, credential->server);
}

static void check_own_identity(struct check *check, const struct registry_credential *credential,
                               size_t index)
{
    const struct identity *identity = check->group->identity;
    const char *path = LIST_PATH(check, "imageRegistryCredentials", index, ".identity");

    if (credential->username || credential->password || credential->password_reference)
        check_problem(check, ERR_REGISTRY_CREDENTIAL, path,
                      "The 'imageRegistryCredentials' of container group '%.63s' for server "
                      "'%.100s' must have either an identity or a username and password.",
                      check->name, credential->server);
    else if (!identity || !raw_has_name(&identity->user_assigned, credential->identity))
        check_problem(check, ERR_REGISTRY_IDENTITY, path,
                      "The identity in the 'imageRegistryCredentials' of container group '%s' not "
                      "found in container group identity list",
                      check->name);
    else
        refuse_identity(check, credential, path);
}

void check_credentials(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->credentials_count; i++) {
        const struct registry_credential *credential = &properties->credentials[i];
        if (!credential->server)
            continue; /* told as missing by its table */
        check_server(check, credential, i);
        if (credential->identity)
            check_own_identity(check, credential, i);
        else
            check_password(check, credential, i);
        if (credential->identity_url && !credential->identity)
            refuse_identity(check, credential,
                            LIST_PATH(check, "imageRegistryCredentials", i, ".identityUrl"));
    }
}
