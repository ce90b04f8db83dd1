/* The body of a PUT of a container group: read by the contract of its api-version, then held against every
 * rule. All faults come in one answer: those of the form, of the rules, or else of what is not run yet. */
#include "api/handlers/group.h"
#include "model/group_check.h"

/* "Unsecure" is sent by az even when nothing is to be named; answers have a scope beside a label only. */
static void scope_settle(struct container_group *group)
{
    struct group_address *address = group->properties->address;

    if (address && !address->dns_name_label)
        address->label_scope = -1;
    else if (address && address->label_scope < 0)
        address->label_scope = LABEL_UNSECURE; /* §13.4: as the service answers */
}

bool group_read(struct request *request, struct container_group *group, struct err *err)
{
    struct problems *problems = &request->problems;
    const char *contract = group_contract(request_query(request, "api-version"));

    if (request_parse_at(request, contract, &container_group_schema, group, err))
        return true;
    if (problems->count == 0 || problems->broken)
        return false;
    *err = (struct err){0};
    return true;
}

bool group_fits(struct request *request, struct container_group *group, struct err *err)
{
    struct problems *problems = &request->problems;
    bool read = problems->count == 0;

    if (!group_check(request->names[2], group, problems) || !read ||
        !group_check_supported(group, problems))
        return problems_to_err(problems, err);
    scope_settle(group);
    return true;
}
