/* ARM resource ids: parsing and printing the paths that name subscriptions, resource groups and container
 * groups. Segments match without case; names keep the case in which they were first written; empty segments
 * are passed over.   Source: aci/features.md §3.3, aci/client-surface.md §1.2.   Threads: any; pure. */
#ifndef MODEL_RESOURCE_ID_H
#define MODEL_RESOURCE_ID_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

struct resource_id {
    const char *subscription;
    const char *resource_group; /* NULL: the subscription itself */
    const char *group;          /* container group; NULL: the resource group itself */
};

#define RESOURCE_PROVIDER "Microsoft.ContainerInstance"
#define RESOURCE_TYPE_GROUP RESOURCE_PROVIDER "/containerGroups"

/* Reads an id in whatever case: /subscriptions/{s}[/resourceGroups/{rg}[/providers/…/containerGroups/{name}]]. */
bool resource_id_parse(const char *text, struct arena *arena, struct resource_id *id,
                       struct err *err) MUST_CHECK;
/* Canonical: "resourceGroups", provider and type as declared. Appends to out. */
void resource_id_print(const struct resource_id *id, struct text *out);
/* "West US" and "WestUs" are "westus" (§3.4). Into the arena. */
const char *location_normal(const char *location, struct arena *arena);

#endif
