/* Quotas by their public names: what a subscription may hold in a location, and how often it may create and delete
 * there. What counts is told by the group alone, so that the store, its tests and its migration count the same.
 *
 * Not for: what is used (store), what the limits are (configuration).
 * Threads: any; tables are constant. */
#ifndef MODEL_QUOTA_H
#define MODEL_QUOTA_H

#include "model/container_group.h"
#include "model/lifecycle.h"

/* Kept by number: words never change place. Those below QUOTA_USES are held and given back, for a subscription and
 * location; the others count calls of a subscription. */
enum quota {
    QUOTA_GROUPS,
    QUOTA_STANDARD_CORES,
    QUOTA_SPOT_CORES,
    QUOTA_K80_CORES,
    QUOTA_P100_CORES,
    QUOTA_V100_CORES,
    QUOTA_DEDICATED_GROUPS,
    QUOTA_DEDICATED_CORES,
    QUOTA_CONFIDENTIAL_GROUPS,
    QUOTA_CONFIDENTIAL_CORES,
    QUOTA_USES,
    QUOTA_CREATES_HOUR = QUOTA_USES,
    QUOTA_CREATES_5_MINUTES,
    QUOTA_DELETES_HOUR,
    QUOTA_DELETES_5_MINUTES,
    QUOTA_COUNT,
};

struct quota_kind {
    const char *name;  /* "StandardCores" */
    const char *words; /* for people */
    bool cores;        /* held in milli-CPU, limited in cores */
    int64_t fallback;  /* the limit where the configuration names none */
};
extern const struct quota_kind quota_kinds[QUOTA_COUNT];

struct quota_limits {
    int64_t most[QUOTA_COUNT]; /* groups, cores, calls */
};

/* Which quotas a group counts in: kept by number. */
enum quota_class {
    QUOTA_CLASS_STANDARD,
    QUOTA_CLASS_SPOT,
    QUOTA_CLASS_K80,
    QUOTA_CLASS_P100,
    QUOTA_CLASS_V100,
    QUOTA_CLASS_DEDICATED,
    QUOTA_CLASS_CONFIDENTIAL,
    QUOTA_CLASS_COUNT,
};
struct quota_pair {
    enum quota groups, cores;
};
extern const struct quota_pair quota_pairs[QUOTA_CLASS_COUNT];
/* What its class says of how it is placed. */
void quota_class_shape(enum quota_class class, struct shape *shape);
/* The sku and priority that groups of this class have, by which prices differ. */
enum group_sku quota_class_sku(enum quota_class class);
enum group_priority quota_class_priority(enum quota_class class);
enum quota_class quota_class_of(const struct container_group *group);

/* Amounts in the two quotas of a group's class. */
struct quota_hold {
    int64_t groups, cpu_milli;
};
/* A group counts until it is deleted, its cores while it holds resources or waits for them: those that are stopped or
 * have finished hold none. */
struct quota_hold quota_hold_of(bool living, enum group_state state, int64_t cpu_milli);

/* One line of the configuration: "[SUBSCRIPTION/][LOCATION/]NAME" and a number. */
struct quota_rule {
    const char *subscription, *location; /* NULL: all; the location in its normal form */
    enum quota quota;
    int64_t most;
};
/* ERR_INVALID says what is wrong with it. */
bool quota_rule_parse(const char *key, const char *value, struct arena *arena,
                      struct quota_rule *rule, struct err *err) MUST_CHECK;
/* The general ones first: who applies them in this order lets the most specific win. */
void quota_rules_sort(struct quota_rule *rules, size_t count);
/* Of a subscription in a location (NULL: what holds for the subscription as a whole). */
void quota_limits_fill(const struct quota_rule *rules, size_t count, const char *subscription,
                       const char *location, struct quota_limits *filled);

#endif
