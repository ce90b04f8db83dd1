/* The rules by which a node may take a group, one file each, in one table.
 *
 * A rule added to the table is in force everywhere: the search asks the table about a node before it chooses it, and
 * refusals are told from its words. Put rules that hold for whole pools first: a refused node is counted under the
 * first rule that refuses it.
 *
 * Threads: any; pure. */
#ifndef SCHEDULER_FIT_FIT_H
#define SCHEDULER_FIT_FIT_H

#include "scheduler/plan.h"

typedef bool (*fit_allows)(const struct plan_node *node, const struct plan_request *request);

struct fit_rule {
    const char *one, *many; /* "1 node is cordoned", "2 nodes are cordoned" */
    fit_allows allows;      /* now */
    fit_allows could; /* if the node were idle; NULL: that rule may change its mind any time */
};

extern const struct fit_rule fit_rules[];
extern const size_t fit_rules_count;

/* Index of the first rule that refuses, -1 when all allow. */
int fit_refuses(const struct plan_node *node, const struct plan_request *request);
/* Whether an idle, ready node of that kind would do. */
bool fit_could(const struct plan_node *node, const struct plan_request *request);

bool fit_location(const struct plan_node *node, const struct plan_request *request);
bool fit_os(const struct plan_node *node, const struct plan_request *request);
bool fit_zone(const struct plan_node *node, const struct plan_request *request);
bool fit_disk(const struct plan_node *node, const struct plan_request *request);
bool fit_size(const struct plan_node *node, const struct plan_request *request);
bool fit_ready(const struct plan_node *node, const struct plan_request *request);
bool fit_cordon(const struct plan_node *node, const struct plan_request *request);
bool fit_kept(const struct plan_node *node, const struct plan_request *request);
bool fit_empty(const struct plan_node *node, const struct plan_request *request);
bool fit_shared(const struct plan_node *node, const struct plan_request *request);
bool fit_cpu(const struct plan_node *node, const struct plan_request *request);
bool fit_class(const struct plan_node *node, const struct plan_request *request);
bool fit_gpu(const struct plan_node *node, const struct plan_request *request);
bool fit_gpu_size(const struct plan_node *node, const struct plan_request *request);
bool fit_memory(const struct plan_node *node, const struct plan_request *request);
bool fit_ports(const struct plan_node *node, const struct plan_request *request);

#endif
