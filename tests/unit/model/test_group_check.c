/* model/group_check.h: one line for each rule: what is put where, and what comes back. */
#include "tests/unit/unit.h"

#include "base/text.h"
#include "model/group_check.h"

#include <string.h>

/* A group that passes, with a place for each change. */
#define CONTAINER(name, rest) \
    "{\"name\":\"" name "\",\"properties\":{\"image\":\"busybox\"" rest "}}"
#define RESOURCES(cpu, memory) \
    ",\"resources\":{\"requests\":{\"cpu\":" cpu ",\"memoryInGB\":" memory "}}"
#define GROUP(containers, rest)                                                                 \
    "{\"location\":\"westus\",\"properties\":{\"osType\":\"Linux\",\"containers\":[" containers \
    "]" rest "}}"
#define GOOD CONTAINER("web", RESOURCES("1", "1.5"))
#define WITH(rest) GROUP(CONTAINER("web", RESOURCES("1", "1.5") rest), "")
#define BESIDE(rest) GROUP(GOOD, rest)

struct check_case {
    const char *json;
    enum err_code code; /* ERR_OK: passes */
    const char *field;
    const char *text; /* a part of the message; NULL: any */
};

static const struct check_case cases[] = {
    {GROUP(GOOD, ""), ERR_OK, NULL, NULL},
    {"{\"properties\":{\"containers\":[" GOOD "]}}", ERR_OS_TYPE, "properties.osType",
     "The value must be one of 'Windows,Linux'."},
    {GROUP("", ""), ERR_CONTAINER_COUNT, "properties.containers", NULL},
    {GROUP(CONTAINER("Web", RESOURCES("1", "1")), ""), ERR_CONTAINER_NAME,
     "properties.containers[0].name", "[a-z0-9]([-a-z0-9]*[a-z0-9])?"},
    {GROUP(CONTAINER("-web", RESOURCES("1", "1")), ""), ERR_CONTAINER_NAME,
     "properties.containers[0].name", NULL},
    {GROUP(GOOD "," GOOD, ""), ERR_CONTAINER_DUPLICATE, "properties.containers[1].name", "'web'"},
    {GROUP(CONTAINER("web", ""), ""), ERR_REQUESTS_MISSING,
     "properties.containers[0].properties.resources.requests",
     "container 'web' of contain group 'g'"},
    {WITH(",\"environmentVariables\":[{\"name\":\"1x\"}]"), ERR_ENVIRONMENT_VARIABLE,
     "properties.containers[0].properties.environmentVariables[0].name",
     "must start with alphabetic"},
    {WITH(",\"environmentVariables\":[{\"name\":\"_x9\",\"value\":\"\"}]"), ERR_OK, NULL, NULL},
    {WITH(",\"environmentVariables\":[{\"name\":\"x\",\"value\":\"a\",\"secureValue\":\"b\"}]"),
     ERR_ENVIRONMENT_VARIABLE, "properties.containers[0].properties.environmentVariables[0]",
     "both"},
    {GROUP(CONTAINER("web", ",\"resources\":{\"requests\":{\"cpu\":1}}"), ""),
     ERR_REQUESTS_INCOMPLETE, "properties.containers[0].properties.resources.requests.memoryInGB",
     "'MemoryInGB'"},
    {GROUP(CONTAINER("web", RESOURCES("1", "0.25")), ""), ERR_MEMORY_STEP,
     "properties.containers[0].properties.resources.requests.memoryInGB",
     "'0.25' in container 'web'"},
    {GROUP(CONTAINER("web", RESOURCES("0", "1")), ""), ERR_REQUESTS_INVALID,
     "properties.containers[0].properties.resources.requests.cpu", NULL},
    {GROUP(CONTAINER("a", RESOURCES("16", "1")) "," CONTAINER("b", RESOURCES("16", "1")), ""),
     ERR_REQUESTS_INVALID, "properties.containers", "'32' cores together"},
    {GROUP(
         CONTAINER(
             "web",
             ",\"resources\":{\"requests\":{\"cpu\":1,\"memoryInGB\":1},\"limits\":{\"cpu\":0.5}}"),
         ""),
     ERR_LIMITS_BELOW_REQUESTS, "properties.containers[0].properties.resources.limits.cpu",
     "less than its request '1'"},
    {GROUP(CONTAINER("web", ",\"resources\":{\"requests\":{\"cpu\":1,\"memoryInGB\":2},\"limits\":{"
                            "\"memoryInGB\":3}}"),
           ""),
     ERR_LIMITS_ABOVE_TOTAL, "properties.containers[0].properties.resources.limits.memoryInGB",
     "total request '2' of container group 'g' (by '1')"},
    {WITH(",\"ports\":[{\"port\":0}]"), ERR_PORTS,
     "properties.containers[0].properties.ports[0].port", "The ports '0'"},
    {WITH(",\"ports\":[{\"port\":65536}]"), ERR_PORTS,
     "properties.containers[0].properties.ports[0].port", NULL},
    {GROUP(CONTAINER("a", RESOURCES("1", "1") ",\"ports\":[{\"port\":80}]") "," CONTAINER(
               "b", RESOURCES("1", "1") ",\"ports\":[{\"port\":80}]"),
           ""),
     ERR_PORT_DUPLICATE, "properties.containers[1].properties.ports[0].port", "80/TCP"},
    {GROUP(CONTAINER(
               "a",
               RESOURCES("1", "1") ",\"ports\":[{\"port\":80},{\"port\":80,\"protocol\":\"udp\"}]"),
           ""),
     ERR_OK, NULL, NULL},
    {BESIDE(",\"ipAddress\":{\"type\":\"Public\",\"ports\":[]}"), ERR_ADDRESS_PORTS_MISSING,
     "properties.ipAddress.ports", "cannot be empty"},
    {BESIDE(",\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":1},{\"port\":2},{\"port\":3},"
            "{\"port\":4},{\"port\":5},"
            "{\"port\":6}]}"),
     ERR_PORTS, "properties.ipAddress.ports", "the limit is 5"},
    {BESIDE(",\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":80}],\"dnsNameLabel\":"
            "\"9web\"}"),
     ERR_DNS_LABEL, "properties.ipAddress.dnsNameLabel", "between 5 and 63"},
    {BESIDE(",\"subnetIds\":[{\"id\":\"/"
            "s\"}],\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":80}]}"),
     ERR_ADDRESS_TYPE, "properties.ipAddress.type", "can't be public"},
    {BESIDE(",\"volumes\":[{\"name\":\"data1\",\"emptyDir\":{}},{\"name\":\"data1\",\"emptyDir\":{}"
            "}]"),
     ERR_VOLUME_DUPLICATE, "properties.volumes[1].name", "Duplicate volumes 'data1' are found."},
    {BESIDE(",\"volumes\":[{\"name\":\"d\",\"emptyDir\":{}}]"), ERR_VOLUME,
     "properties.volumes[0].name", "5 to 63"},
    {BESIDE(",\"volumes\":[{\"name\":\"code1\",\"gitRepo\":{\"repository\":\"r\",\"directory\":\".."
            "/x\"}}]"),
     ERR_VOLUME, "properties.volumes[0].gitRepo.directory", "'..'"},
    {WITH(",\"volumeMounts\":[{\"name\":\"nosuch\",\"mountPath\":\"/x\"}]"), ERR_VOLUME_MOUNT,
     "properties.containers[0].properties.volumeMounts[0].name", "names no volume"},
    {GROUP(
         CONTAINER(
             "web",
             RESOURCES("1", "1") ",\"volumeMounts\":[{\"name\":\"data1\",\"mountPath\":\"/a:b\"}]"),
         ",\"volumes\":[{\"name\":\"data1\",\"emptyDir\":{}}]"),
     ERR_VOLUME_MOUNT, "properties.containers[0].properties.volumeMounts[0].mountPath",
     "must not contain ':'"},
    {BESIDE(",\"imageRegistryCredentials\":[{\"server\":\"https://"
            "r.io\",\"username\":\"u\",\"password\":\"p\"}]"),
     ERR_REGISTRY_SERVER, "properties.imageRegistryCredentials[0].server",
     "valid host name without protocol"},
    {BESIDE(",\"imageRegistryCredentials\":[{\"server\":\"r.io:5000\",\"username\":\"u\","
            "\"password\":\"p\"}]"),
     ERR_OK, NULL, NULL},
    {BESIDE(",\"imageRegistryCredentials\":[{\"server\":\"r.io\",\"username\":\"u\",\"password\":"
            "\"\"}]"),
     ERR_REGISTRY_PASSWORD, "properties.imageRegistryCredentials[0].password", NULL},
    {GROUP("{\"name\":\"web\",\"properties\":{\"image\":\"Bad Image\"" RESOURCES("1", "1") "}}",
           ""),
     ERR_IMAGE_REFERENCE, "properties.containers[0].properties.image", "'Bad Image'"},
};

static bool check_json(const char *json, struct arena *arena, struct problems *problems)
{
    struct container_group group;

    problems_init(problems, arena);
    bool read = fields_parse(&container_group_schema, json, strlen(json), arena, &group, problems);
    return group_check("g", &group, problems) && read;
}

TEST(each_rule_names_its_field_and_its_code)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(arena) *arena = arena_new(1 << 20);
        struct problems problems;
        bool passed = check_json(cases[i].json, arena, &problems);

        if (passed != (cases[i].code == ERR_OK))
            fail_msg("case %zu: %s: %s", i, cases[i].json,
                     problems.count ? problems.items[0].text : "passed");
        if (passed)
            continue;
        assert_string_equal(err_code_name(problems.items[0].code), err_code_name(cases[i].code));
        assert_string_equal(problems.items[0].field, cases[i].field);
        if (cases[i].text && !strstr(problems.items[0].text, cases[i].text))
            fail_msg("case %zu: '%s' is not in '%s'", i, cases[i].text, problems.items[0].text);
    }
}

TEST(several_faults_come_at_once)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct problems problems;

    assert_false(check_json(
        "{\"properties\":{\"containers\":[{\"name\":\"A\",\"properties\":{\"image\":\"b\"}},"
        "{\"name\":\"b\",\"properties\":{}}]}}",
        arena, &problems));
    assert_int_equal(problems.count, 5); /* image missing, os type, name, and requests of both */
}

TEST(group_names_follow_the_reference)
{
    assert_true(group_name_valid("a"));
    assert_true(group_name_valid("my-group-1"));
    assert_false(group_name_valid(""));
    assert_false(group_name_valid("-a"));
    assert_false(group_name_valid("a-"));
    assert_false(group_name_valid("a--b"));
    assert_false(group_name_valid("A"));
    assert_false(group_name_valid("a_b"));
    assert_false(
        group_name_valid("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    assert_true(container_name_valid("a--b"));
    assert_true(resource_group_name_valid("My_RG.(1)-x"));
    assert_false(resource_group_name_valid("rg."));
    assert_false(resource_group_name_valid("a/b"));
}

TEST(what_is_not_run_yet_is_named)
{
    static const struct {
        const char *json, *field;
    } unsupported[] = {
        {BESIDE(",\"initContainers\":[{\"name\":\"i\",\"properties\":{\"image\":\"b\"}}]"),
         "properties.initContainers"},
        {WITH(",\"livenessProbe\":{\"exec\":{\"command\":[\"x\"]}}"),
         "properties.containers[0].properties.livenessProbe"},
        {BESIDE(",\"volumes\":[{\"name\":\"secret1\",\"secret\":{\"a\":\"Yg==\"}}]"),
         "properties.volumes[0].secret"},
        {BESIDE(",\"sku\":\"Confidential\""), "properties.sku"},
        {BESIDE(",\"priority\":\"spot\""), "properties.priority"},
    };

    for (size_t i = 0; i < COUNT_OF(unsupported); i++) {
        AUTO(arena) *arena = arena_new(1 << 20);
        struct problems problems;
        struct container_group group;
        problems_init(&problems, arena);
        assert_true(fields_parse(&container_group_schema, unsupported[i].json,
                                 strlen(unsupported[i].json), arena, &group, &problems));
        assert_false(group_check_supported(&group, &problems));
        assert_int_equal(problems.items[0].code, ERR_NOT_IMPLEMENTED);
        assert_string_equal(problems.items[0].field, unsupported[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_names_its_field_and_its_code),
        cmocka_unit_test(several_faults_come_at_once),
        cmocka_unit_test(group_names_follow_the_reference),
        cmocka_unit_test(what_is_not_run_yet_is_named),
    };

    return RUN_TESTS(tests);
}
