/* The name of a group below the DNS zone (§13.5): "label.location", or with a scope "label.hash.location", where the hash
 * says who may have the label. The same owner gets the same name again, another owner of the same label another name.
 * Threads: any; pure, but for Noreuse, which is random. */
#ifndef MODEL_DNS_NAME_H
#define MODEL_DNS_NAME_H

#include "base/err.h"

enum { DNS_LABEL_MAX = 63, DNS_HASH_SIZE = 16, DNS_ZONE_MAX = 100 };
enum {
    DNS_NAME_SIZE = DNS_LABEL_MAX + 1 + DNS_HASH_SIZE + 1 + DNS_LABEL_MAX + 1
}; /* with the NUL */

struct dns_owner {
    const char *label;
    int scope; /* enum label_scope */
    const char *tenant, *subscription, *resource_group;
    const char *location; /* in its normal form */
};
/* False: it does not fit, so no rule of labels and locations was kept. */
bool dns_name_make(const struct dns_owner *owner, char out[DNS_NAME_SIZE]) MUST_CHECK;

/* Sets the failure that a label is taken (§13.6), of a name and the group that wants it. Returns false. */
bool dns_name_taken(const char *name, const char *group, struct err *err);

/* Lower-case labels of letters, digits and hyphens, at most 63 each and DNS_ZONE_MAX in all, no dot at the end. */
bool dns_zone_valid(const char *zone);

#endif
