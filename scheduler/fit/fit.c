#include "scheduler/fit/fit.h"

/* clang-format off */
const struct fit_rule fit_rules[] = {
    {"is in another location",          "are in another location",          fit_location, fit_location},
    {"runs another operating system",   "run another operating system",     fit_os,       fit_os},
    {"is in another zone",              "are in another zone",              fit_zone,     fit_zone},
    {"does not have its local disk",    "do not have its local disk",       fit_disk,     fit_disk},
    {"is too small for it",             "are too small for it",             fit_size,     fit_size},
    {"lacks its runtime class",         "lack its runtime class",           fit_class,    fit_class},
    {"has too few GPUs of its kind",    "have too few GPUs of its kind",    fit_gpu_size, fit_gpu_size},
    {"does not report",                 "do not report",                    fit_ready,    NULL},
    {"is cordoned",                     "are cordoned",                     fit_cordon,   NULL},
    {"is kept for a group that waits",  "are kept for groups that wait",    fit_kept,     NULL},
    {"has other groups",                "have other groups",                fit_empty,    NULL},
    {"is one group's alone",            "are one group's alone each",       fit_shared,   NULL},
    {"has too little CPU free",         "have too little CPU free",         fit_cpu,      NULL},
    {"has too little memory free",      "have too little memory free",      fit_memory,   NULL},
    {"has a port of it taken by another group", "have a port of it taken by other groups", fit_ports, NULL},
    {"has too few GPUs free",           "have too few GPUs free",           fit_gpu,      NULL},
};
/* clang-format on */

const size_t fit_rules_count = COUNT_OF(fit_rules);
_Static_assert(COUNT_OF(fit_rules) <= PLAN_RULES_MAX, "a refusal counts each rule");

int fit_refuses(const struct plan_node *node, const struct plan_request *request)
{
    for (size_t i = 0; i < fit_rules_count; i++)
        if (!fit_rules[i].allows(node, request))
            return (int)i;
    return -1;
}

bool fit_could(const struct plan_node *node, const struct plan_request *request)
{
    for (size_t i = 0; i < fit_rules_count; i++)
        if (fit_rules[i].could && !fit_rules[i].could(node, request))
            return false;
    return true;
}
