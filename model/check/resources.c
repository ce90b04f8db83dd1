/* Requests, limits and their sums (aci/features.md §8). */
#include "model/check/inside.h"

#include <string.h>

enum { MILLI_TEXT_SIZE = 32 };

/* "1.5" of 1500. */
static const char *milli_text(int64_t milli, char out[MILLI_TEXT_SIZE])
{
    uint64_t size = milli < 0 ? 0 - (uint64_t)milli : (uint64_t)milli;
    unsigned fraction = (unsigned)(size % 1000);
    int decimals = fraction == 0 ? 0 : fraction % 100 == 0 ? 1 : fraction % 10 == 0 ? 2 : 3;

    for (int i = decimals; i < 3; i++)
        fraction /= 10;
    text_format(out, MILLI_TEXT_SIZE, "%s%llu", milli < 0 ? "-" : "",
                (unsigned long long)(size / 1000));
    if (decimals > 0)
        text_format(out + strlen(out), MILLI_TEXT_SIZE - strlen(out), ".%0*u", decimals, fraction);
    return out;
}

struct total {
    int64_t cpu_milli, memory_milli_gb;
};

/* What one group may ask for. */
static struct total total_max(const struct group_properties *properties)
{
    if (properties->priority == PRIORITY_SPOT)
        return (struct total){LIMIT_SPOT_CPU_MILLI_MAX, LIMIT_SPOT_MEMORY_MILLI_GB_MAX};
    if (properties->sku == SKU_CONFIDENTIAL)
        return (struct total){LIMIT_CPU_MILLI_MAX, LIMIT_CONFIDENTIAL_MEMORY_MILLI_GB_MAX};
    return (struct total){LIMIT_CPU_MILLI_MAX, LIMIT_MEMORY_MILLI_GB_MAX};
}

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

    if ((cpu && memory) || (!resources && check->group->properties->profile))
        return cpu && memory;
    if (check_told(check, at_container(check, index, ".requests.cpu")) ||
        check_told(check, at_container(check, index, ".requests.memoryInGB")))
        return false; /* given, and wrong */
    if (!cpu && !memory)
        return check_problem(check, ERR_REQUESTS_MISSING, at_container(check, index, ".requests"),
                             "The resource requests are not specified in container '%s' of contain "
                             "group '%s'. Both memory and "
                             "CPU requests are required since API version '2017-07-01-preview'.",
                             container->name, check->name);
    return check_problem(
        check, ERR_REQUESTS_INCOMPLETE,
        at_container(check, index, cpu ? ".requests.memoryInGB" : ".requests.cpu"),
        "The '%s' request is not specified in "
        "'Microsoft.Azure.CloudConsole.Providers.Common.Entities.ComputeResources' "
        "in container '%s' of contain group '%s'. It is required since API version "
        "'2017-07-01-preview'.",
        cpu ? "MemoryInGB" : "Cpu", container->name, check->name);
}

static void refuse_amount(struct check *check, const struct container *container, const char *path,
                          const char *what, int64_t milli, const char *bounds)
{
    char amount[MILLI_TEXT_SIZE];

    check_problem(check, ERR_REQUESTS_INVALID, path,
                  "The %s request '%s' in container '%.63s' of container group '%.63s' must be "
                  "between %s.",
                  what, milli_text(milli, amount), container->name, check->name, bounds);
}

/* False: beyond all bounds, so that sums would mislead. */
static bool check_cpu(struct check *check, const struct container *container, size_t index,
                      int64_t max)
{
    int64_t milli = container->properties->resources->requests->cpu.milli;
    char bounds[64], least[MILLI_TEXT_SIZE], most[MILLI_TEXT_SIZE];

    if (milli >= LIMIT_CPU_MILLI_MIN && milli <= max)
        return true;
    text_format(bounds, sizeof bounds, "%s and %s cores", milli_text(LIMIT_CPU_MILLI_MIN, least),
                milli_text(max, most));
    refuse_amount(check, container, at_container(check, index, ".requests.cpu"), "CPU", milli,
                  bounds);
    return false;
}

static bool check_memory(struct check *check, const struct container *container, size_t index,
                         int64_t max)
{
    int64_t milli = container->properties->resources->requests->memory_gb.milli;
    const char *path = ".requests.memoryInGB";
    char bounds[64], amount[MILLI_TEXT_SIZE];

    if (milli <= 0 || milli > max) {
        text_format(bounds, sizeof bounds, "0.1 and %s GB", milli_text(max, amount));
        refuse_amount(check, container, at_container(check, index, path), "memory", milli, bounds);
        return false;
    }
    if (milli % 100 != 0)
        check_problem(check, ERR_MEMORY_STEP, at_container(check, index, path),
                      "The memory requirement is '%s' in container '%s' of container group '%s'. "
                      "The memory requirement should be in incrememts of 0.1 GB.",
                      milli_text(milli, amount), container->name, check->name);
    return true;
}

static bool gpu_count_valid(int64_t count)
{
    return count == 1 || count == 2 || count == 4;
}

/* A processor is given whole, so a limit can only say the same. */
static void check_gpu(struct check *check, const struct container *container, size_t index)
{
    const struct resource_requirements *resources = container->properties->resources;
    const struct gpu *request = resources->requests->gpu;
    const struct gpu *limit = resources->limits ? resources->limits->gpu : NULL;

    if (request && request->count.given == GIVEN_VALUE && !gpu_count_valid(request->count.value))
        check_problem(check, ERR_GPU_SKU, at_container(check, index, ".requests.gpu.count"),
                      "The GPU count '%lld' in container '%.63s' of container group '%.63s' must "
                      "be 1, 2 or 4.",
                      (long long)request->count.value, container->name, check->name);
    if (limit &&
        (!request || limit->sku != request->sku || limit->count.value != request->count.value))
        check_problem(check, ERR_GPU_SKU, at_container(check, index, ".limits.gpu"),
                      "The GPU limit in container '%.63s' of container group '%.63s' must be what "
                      "is requested.",
                      container->name, check->name);
}

struct limit_check {
    const struct container *container;
    size_t index;
    const char *name, *member;
    struct opt_decimal limit;
    int64_t request, total;
};

/* As the service quotes it: the requirement as JSON. */
static const char *requirement_text(const struct container *container, struct text *out)
{
    if (!out)
        return "";
    fields_print(&requirements_schema, container->properties->resources, FIELDS_PUBLIC, out, NULL);
    return text_ok(out) ? out->bytes : "";
}

static void refuse_below(struct check *check, const struct limit_check *one, const char *limit)
{
    char request[MILLI_TEXT_SIZE], difference[MILLI_TEXT_SIZE];
    AUTO(text) *requirement = text_new(1024);

    check_problem(check, ERR_LIMITS_BELOW_REQUESTS, at_container(check, one->index, one->member),
                  "The resource requirement '%s' in container '%s' of contain group '%s' is "
                  "invalid. The '%s' limit value must be greater than or equal to the request "
                  "value. (limit '%s', request '%s', short by '%s')",
                  requirement_text(one->container, requirement), one->container->name, check->name,
                  one->name, limit, milli_text(one->request, request),
                  milli_text(one->request - one->limit.milli, difference));
}

static void check_limit(struct check *check, const struct limit_check *one)
{
    char limit[MILLI_TEXT_SIZE], total[MILLI_TEXT_SIZE], difference[MILLI_TEXT_SIZE];

    if (one->limit.given != GIVEN_VALUE)
        return;
    milli_text(one->limit.milli, limit);
    if (one->limit.milli < one->request)
        refuse_below(check, one, limit);
    else if (one->limit.milli > one->total)
        check_problem(check, ERR_LIMITS_ABOVE_TOTAL, at_container(check, one->index, one->member),
                      "The '%s' limit '%s' in container '%s' is greater than the total request "
                      "'%s' of container group '%s'. (over by '%s')",
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

struct total_check {
    const char *name, *unit;
    int64_t amount, max;
};

static void check_sum(struct check *check, const struct total_check *one)
{
    char amount[MILLI_TEXT_SIZE], most[MILLI_TEXT_SIZE], difference[MILLI_TEXT_SIZE];

    if (one->amount > one->max)
        check_problem(check, ERR_REQUESTS_INVALID,
                      check_path(check, "properties.containers[*].properties.resources.requests.%s",
                                 one->name),
                      "The containers of container group '%.63s' request '%s' %s together; the "
                      "limit is '%s'. (over by '%s')",
                      check->name, milli_text(one->amount, amount), one->unit,
                      milli_text(one->max, most), milli_text(one->amount - one->max, difference));
}

static void check_totals(struct check *check, const struct total *total, const struct total *max)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->containers_count; i++) {
        check_limits(check, &properties->containers[i], i, total);
        check_gpu(check, &properties->containers[i], i);
    }
    check_sum(check, &(struct total_check){"cpu", "cores", total->cpu_milli, max->cpu_milli});
    check_sum(check, &(struct total_check){"memoryInGB", "GB of memory", total->memory_milli_gb,
                                           max->memory_milli_gb});
}

/* Adds up what one container asks for; false when that cannot be said. */
static bool check_container(struct check *check, size_t index, const struct total *max,
                            struct total *total)
{
    const struct container *container = &check->group->properties->containers[index];
    const struct resource_amounts *requests;
    bool fits;

    if (!container->name || !container->properties || !check_requests(check, container, index))
        return false;
    requests = container->properties->resources->requests;
    fits = check_cpu(check, container, index, max->cpu_milli);
    fits &= check_memory(check, container, index, max->memory_milli_gb);
    total->cpu_milli += fits ? requests->cpu.milli : 0; /* unbounded, they could overflow */
    total->memory_milli_gb += fits ? requests->memory_gb.milli : 0;
    return fits;
}

void check_resources(struct check *check)
{
    struct total total = {0}, max = total_max(check->group->properties);
    bool whole = true;

    for (size_t i = 0; i < check->group->properties->containers_count; i++)
        whole &= check_container(check, i, &max, &total);
    if (whole)
        check_totals(check, &total, &max);
}
