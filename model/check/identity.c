/* Who the group is, who may use that, and the secrets it may fetch with it (aci/features.md §15.3, §17). */
#include "model/check/inside.h"

#include <string.h>

enum { NAMES_ARENA_MAX = 1 << 20 };

static void check_type(struct check *check, const struct identity *identity)
{
    bool lists = !raw_is_empty(&identity->user_assigned);
    bool wants = identity->type == IDENTITY_USER || identity->type == IDENTITY_BOTH;

    if (identity->user_assigned.text && !raw_is_object(&identity->user_assigned))
        check_problem(check, ERR_IDENTITY, "identity.userAssignedIdentities",
                      "The user assigned identities of container group '%.63s' are an object whose "
                      "names are resource ids of identities.",
                      check->name);
    else if (wants && !lists)
        check_problem(check, ERR_IDENTITY, "identity.userAssignedIdentities",
                      "The identity of container group '%.63s' has the type '%s' and lists no user "
                      "assigned identity.",
                      check->name, identity_type_words[identity->type]);
    else if (lists && !wants)
        check_problem(check, ERR_IDENTITY, "identity.type",
                      "The identity of container group '%.63s' lists user assigned identities; its "
                      "type must then hold 'UserAssigned'.",
                      check->name);
}

static void check_names(struct check *check, const struct identity *identity)
{
    AUTO(arena) *arena = arena_new(NAMES_ARENA_MAX);
    struct text_list names = {0};

    if (!raw_is_object(&identity->user_assigned))
        return;
    if (!arena || !fields_raw_names(&identity->user_assigned, arena, &names) ||
        names.count > (size_t)LIMIT_GROUP_IDENTITIES_MAX)
        check_problem(check, ERR_IDENTITY, "identity.userAssignedIdentities",
                      "The container group '%.63s' has more than %lld user assigned identities.",
                      check->name, (long long)LIMIT_GROUP_IDENTITIES_MAX);
    for (size_t i = 0; i < names.count; i++) {
        if (names.items[i] && word_arm_id(names.items[i]))
            continue;
        check_problem(check, ERR_IDENTITY, "identity.userAssignedIdentities",
                      "The user assigned identity '%.200s' of container group '%.63s' is no "
                      "resource id.",
                      names.items[i] ? names.items[i] : "", check->name);
        return;
    }
}

static void check_acls(struct check *check, const struct identity_acls *acls)
{
    for (size_t i = 0; i < acls->acls_count; i++) {
        if (!acls->acls[i].identity || !word_arm_id(acls->acls[i].identity))
            check_problem(check, ERR_IDENTITY,
                          check_path(check, "properties.identityAcls.acls[%zu].identity", i),
                          "An identityAcl of container group '%.63s' needs the resource id of an "
                          "identity.",
                          check->name);
    }
}

/* ---- secrets that lie in a vault ---- */

static void check_secret_reference(struct check *check, size_t index)
{
    const struct secret_reference *all = check->group->properties->secret_references;
    const struct secret_reference *one = &all[index];

    if (one->uri && (strncasecmp(one->uri, "https://", 8) != 0 || !one->uri[8] ||
                     !word_plain(one->uri) || strchr(one->uri, ' ')))
        check_problem(check, ERR_SECRET_REFERENCE,
                      LIST_PATH(check, "secretReferences", index, ".secretReferenceUri"),
                      "The secret reference '%.63s' in container group '%.63s' needs the https "
                      "address of a secret.",
                      one->name ? one->name : "", check->name);
    if (one->identity && !word_arm_id(one->identity))
        check_problem(check, ERR_SECRET_REFERENCE,
                      LIST_PATH(check, "secretReferences", index, ".identity"),
                      "The secret reference '%.63s' in container group '%.63s' needs the resource "
                      "id of an identity.",
                      one->name ? one->name : "", check->name);
    for (size_t i = 0; one->name && i < index; i++) {
        if (!all[i].name || strcmp(all[i].name, one->name) != 0)
            continue;
        check_problem(check, ERR_SECRET_REFERENCE,
                      LIST_PATH(check, "secretReferences", index, ".name"),
                      "Duplicate secret references '%.63s' are found in container group '%.63s'.",
                      one->name, check->name);
        return;
    }
}

bool check_reference(struct check *check, const char *path, const char *name)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->secret_references_count; i++) {
        if (properties->secret_references[i].name &&
            strcmp(properties->secret_references[i].name, name) == 0)
            return true;
    }
    return check_problem(check, ERR_SECRET_REFERENCE, path,
                         "The secret reference '%.100s' is none of the 'secretReferences' of "
                         "container group '%.63s'.",
                         name, check->name);
}

void check_identity(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    if (check->group->identity) {
        check_type(check, check->group->identity);
        check_names(check, check->group->identity);
    }
    if (!properties)
        return;
    if (properties->identity_acls)
        check_acls(check, properties->identity_acls);
    for (size_t i = 0; i < properties->secret_references_count; i++)
        check_secret_reference(check, i);
}
