/* Requests, limits and their sums (aci/features.md §8). */
#include "model/group_check_inside.h"

#include "base/limits.h"

enum { MILLI_TEXT_SIZE = 32 };

/* "1.5" of 1500. */
static const char *milli_text(int64_t milli, char out[MILLI_TEXT_SIZE])
{
    int decimals = milli % 1000 == 0 ? 0 : milli % 100 == 0 ? 1 : milli % 10 == 0 ? 2 : 3;
    int64_t fraction = milli % 1000;

    for (int i = decimals; i < 3; i++)
        fraction /= 10;
    if (decimals == 0)
        text_format(out, MILLI_TEXT_SIZE, "%lld", (long long)(milli / 1000));
    else
        text_format(out, MILLI_TEXT_SIZE, "%lld.%0*lld", (long long)(milli / 1000), decimals,
                    (long long)fraction);
    return out;
}

struct total {
    int64_t cpu_milli, memory_milli_gb;
};

static const char *at_container(struct check *check, size_t index, const char *member)
{
    return check_path(check, "properties.containers[%zu].properties.resources%s", index, member);
}

static bool check_requests(struct check *check, const struct container *container, size_t index)
{
    const struct resource_requirements *resources = container->properties->resources;
    const struct resource_amounts *requests = resources ? resources->requests : NULL;
    bool cpu = requests && requests->cpu.given == GIVEN_VALUE;
    bool memory = requests && requests->memory_gb.given == GIVEN_VALUE;

    if (cpu && memory)
        return true;
    if (!cpu && !memory)
        return check_problem(check, ERR_REQUESTS_MISSING, at_container(check, index, ".requests"),
                             "The resource requests are not specified in container '%s' of contain "
                             "group '%s'. Both memory and "
                             "CPU requests are required since API version '2017-07-01-preview'.",
                             container->name, check->name);
    return check_problem(check, ERR_REQUESTS_INCOMPLETE,
                         at_container(check, index, cpu ? ".requests.memoryInGB" : ".requests.cpu"),
                         "The '%s' request is not specified in container '%s' of contain group "
                         "'%s'. It is required since API "
                         "version '2017-07-01-preview'.",
                         cpu ? "MemoryInGB" : "Cpu", container->name, check->name);
}

static void check_amounts(struct check *check, const struct container *container, size_t index)
{
    const struct resource_amounts *requests = container->properties->resources->requests;
    char amount[MILLI_TEXT_SIZE], bound[MILLI_TEXT_SIZE];

    if (requests->cpu.milli < LIMIT_CPU_MILLI_MIN || requests->cpu.milli > LIMIT_CPU_MILLI_MAX)
        check_problem(check, ERR_REQUESTS_INVALID, at_container(check, index, ".requests.cpu"),
                      "The CPU request '%s' in container '%s' of container group '%s' must be "
                      "between %s and %lld cores.",
                      milli_text(requests->cpu.milli, amount), container->name, check->name,
                      milli_text(LIMIT_CPU_MILLI_MIN, bound),
                      (long long)(LIMIT_CPU_MILLI_MAX / 1000));
    if (requests->memory_gb.milli <= 0 || requests->memory_gb.milli > LIMIT_MEMORY_MILLI_GB_MAX)
        check_problem(check, ERR_REQUESTS_INVALID,
                      at_container(check, index, ".requests.memoryInGB"),
                      "The memory request '%s' in container '%s' of container group '%s' must be "
                      "between 0.1 and %lld GB.",
                      milli_text(requests->memory_gb.milli, amount), container->name, check->name,
                      (long long)(LIMIT_MEMORY_MILLI_GB_MAX / 1000));
    else if (requests->memory_gb.milli % 100 != 0)
        check_problem(check, ERR_MEMORY_STEP, at_container(check, index, ".requests.memoryInGB"),
                      "The memory requirement is '%s' in container '%s' of container group '%s'. "
                      "The memory requirement should be "
                      "in incrememts of 0.1 GB.",
                      milli_text(requests->memory_gb.milli, amount), container->name, check->name);
}

struct limit_check {
    const struct container *container;
    size_t index;
    const char *name, *member;
    struct opt_decimal limit;
    int64_t request, total;
};

static void check_limit(struct check *check, const struct limit_check *one)
{
    char limit[MILLI_TEXT_SIZE], request[MILLI_TEXT_SIZE], total[MILLI_TEXT_SIZE],
        difference[MILLI_TEXT_SIZE];

    if (one->limit.given != GIVEN_VALUE)
        return;
    milli_text(one->limit.milli, limit);
    if (one->limit.milli < one->request)
        check_problem(check, ERR_LIMITS_BELOW_REQUESTS,
                      at_container(check, one->index, one->member),
                      "The '%s' limit '%s' in container '%s' of container group '%s' is less than "
                      "its request '%s'. The '%s' "
                      "limit value must be greater than or equal to the request value.",
                      one->name, limit, one->container->name, check->name,
                      milli_text(one->request, request), one->name);
    if (one->limit.milli > one->total)
        check_problem(check, ERR_LIMITS_ABOVE_TOTAL, at_container(check, one->index, one->member),
                      "The '%s' limit '%s' in container '%s' is greater than the total request "
                      "'%s' of container group '%s' "
                      "(by '%s').",
                      one->name, limit, one->container->name, milli_text(one->total, total),
                      check->name, milli_text(one->limit.milli - one->total, difference));
}

static void check_limits(struct check *check, const struct container *container, size_t index,
                         const struct total *total)
{
    const struct resource_requirements *resources = container->properties->resources;

    if (!resources->limits)
        return;
    check_limit(check, &(struct limit_check){container, index, "Cpu", ".limits.cpu",
                                             resources->limits->cpu, resources->requests->cpu.milli,
                                             total->cpu_milli});
    check_limit(check, &(struct limit_check){container, index, "MemoryInGB", ".limits.memoryInGB",
                                             resources->limits->memory_gb,
                                             resources->requests->memory_gb.milli,
                                             total->memory_milli_gb});
}

static void check_total(struct check *check, const struct total *total)
{
    char amount[MILLI_TEXT_SIZE];

    if (total->cpu_milli > LIMIT_CPU_MILLI_MAX)
        check_problem(check, ERR_REQUESTS_INVALID, "properties.containers",
                      "The containers of container group '%s' request '%s' cores together; the "
                      "limit is '%lld'.",
                      check->name, milli_text(total->cpu_milli, amount),
                      (long long)(LIMIT_CPU_MILLI_MAX / 1000));
    if (total->memory_milli_gb > LIMIT_MEMORY_MILLI_GB_MAX)
        check_problem(check, ERR_REQUESTS_INVALID, "properties.containers",
                      "The containers of container group '%s' request '%s' GB of memory together; "
                      "the limit is '%lld'.",
                      check->name, milli_text(total->memory_milli_gb, amount),
                      (long long)(LIMIT_MEMORY_MILLI_GB_MAX / 1000));
}

void check_resources(struct check *check)
{
    const struct group_properties *properties = check->group->properties;
    struct total total = {0};
    bool whole = true;

    for (size_t i = 0; i < properties->containers_count; i++) {
        const struct container *container = &properties->containers[i];
        if (!container->name || !container->properties || !check_requests(check, container, i)) {
            whole = false;
            continue;
        }
        check_amounts(check, container, i);
        total.cpu_milli += container->properties->resources->requests->cpu.milli;
        total.memory_milli_gb += container->properties->resources->requests->memory_gb.milli;
    }
    if (!whole)
        return; /* sums would mislead */
    for (size_t i = 0; i < properties->containers_count; i++)
        check_limits(check, &properties->containers[i], i, &total);
    check_total(check, &total);
}
