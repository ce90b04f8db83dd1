/* model/group_check.h as a whole: several faults at once, what is not run yet, contracts, notes. */
#include "tests/unit/model/check.h"

TEST(several_faults_come_at_once_and_each_place_once)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    static const char json[] =
        "{\"properties\":{\"containers\":[{\"name\":\"A\",\"properties\":{\"image\":7}},"
        "{\"name\":\"b\",\"properties\":{\"resources\":{\"requests\":{\"cpu\":[],\"memoryInGB\":0."
        "25}},"
        "\"ports\":[{\"port\":\"x\"}]}}],\"volumes\":7,\"priority\":\"High\"}}";
    static const char *const fields[] = {
        "properties.containers[0].properties.image",
        "properties.containers[1].properties.resources.requests.cpu",
        "properties.containers[1].properties.ports[0].port",
        "properties.volumes",
        "properties.priority",
        "properties.osType",
        "properties.containers[0].name",
        "properties.containers[1].properties.image",
        "properties.containers[0].properties.resources.requests",
    };
    struct checked checked = check_json(json, "2025-09-01", arena);

    assert_false(checked.valid);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (i >= checked.problems.count || strcmp(checked.problems.items[i].field, fields[i]) != 0)
            fail_msg("%s is %s: %s", fields[i],
                     i < checked.problems.count ? checked.problems.items[i].field : "absent",
                     i < checked.problems.count ? checked.problems.items[i].text : "");
    }
    assert_int_equal(checked.problems.count, COUNT_OF(fields));
}

TEST(what_is_no_object_keeps_its_place_in_its_list)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct checked checked =
        check_json(GROUP("7," CONTAINER("Web", RESOURCES("1", "1")), ""), NULL, arena);

    assert_int_equal(checked.problems.count, 2);
    assert_string_equal(checked.problems.items[0].field, "properties.containers[0]");
    assert_string_equal(checked.problems.items[1].field, "properties.containers[1].name");
}

TEST(numbers_beyond_all_bounds_overflow_nothing)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    static const char huge[] =
        GROUP(CONTAINER("a", RESOURCES("9223372036854775", "9.2e15")) "," CONTAINER(
                  "b", RESOURCES("-9223372036854775", "-9.2e15")),
              "");
    struct checked checked = check_json(huge, NULL, arena);

    assert_int_equal(checked.problems.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(checked.problems.items[i].code, ERR_REQUESTS_INVALID);
}

TEST(the_services_own_sentence_stands_for_that_of_the_table)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct checked checked =
        check_json("{\"properties\":{\"osType\":\"x\",\"containers\":[" GOOD "]}}", NULL, arena);

    assert_int_equal(checked.problems.count, 1);
    assert_string_equal(checked.problems.items[0].text,
                        "The 'osType' for container group 'g' is invalid. The value must be one of "
                        "'Windows,Linux'.");
}

TEST(null_is_as_good_as_absent_everywhere)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct checked checked = check_json(
        "{\"location\":null,\"identity\":null,\"tags\":null,\"zones\":null,\"id\":null,"
        "\"properties\":{\"osType\":\"Linux\",\"containers\":[{\"name\":\"a\",\"properties\":{"
        "\"image\":\"b\",\"command\":null,\"ports\":null,\"environmentVariables\":null,"
        "\"resources\":{\"requests\":{\"cpu\":1,\"memoryInGB\":1,\"gpu\":null},\"limits\":null},"
        "\"volumeMounts\":null,\"livenessProbe\":null,\"readinessProbe\":null,"
        "\"securityContext\":null,\"configMap\":null,\"instanceView\":null}}],"
        "\"initContainers\":null,\"imageRegistryCredentials\":null,\"restartPolicy\":null,"
        "\"ipAddress\":null,\"volumes\":null,\"diagnostics\":null,\"subnetIds\":null,"
        "\"dnsConfig\":null,\"sku\":null,\"encryptionProperties\":null,\"extensions\":null,"
        "\"confidentialComputeProperties\":null,\"priority\":null,\"secretReferences\":null,"
        "\"identityAcls\":null,\"containerGroupProfile\":null,\"standbyPoolProfile\":null}}",
        "2025-09-01", arena);

    if (!checked.supported)
        fail_msg("%s", checked.problems.items[0].text);
    assert_int_equal(checked.problems.unknown.count, 0);
}

TEST(what_only_the_service_writes_is_passed_over)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct checked checked =
        check_json("{\"id\":7,\"name\":[],\"type\":\"x\",\"properties\":{\"osType\":\"Linux\","
                   "\"provisioningState\":\"Failed\",\"provisioningTimeoutInSeconds\":1800,"
                   "\"isCustomProvisioningTimeout\":false,\"isCreatedFromStandbyPool\":\"?\","
                   "\"instanceView\":{\"state\":7},\"containers\":[{\"name\":\"a\",\"properties\":{"
                   "\"image\":\"b\","
                   "\"instanceView\":{\"restartCount\":\"x\"}" RESOURCES(
                       "1", "1") "}}],"
                                 "\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":80}],"
                                 "\"ip\":\"1.2.3.4\",\"fqdn\":7}}}",
                   "2025-09-01", arena);

    if (!checked.supported)
        fail_msg("%s", checked.problems.items[0].text);
    assert_int_equal(checked.problems.unknown.count, 0);
    assert_null(checked.group.name);
    assert_null(checked.group.properties->address->ip);
}

/* clang-format off */
TEST(what_is_not_run_yet_is_named)
{
    static const struct {
        const char *json, *field;
    } cases[] = {
        {BESIDE(",\"containerGroupProfile\":{\"id\":\"p\",\"revision\":1}"), "properties.containerGroupProfile"},
        {"{\"properties\":{\"containers\":[{\"name\":\"a\",\"properties\":{}}],\"containerGroupProfile\":{\"id\":\"p\"}}}", "properties.containerGroupProfile"},
        {BESIDE(",\"standbyPoolProfile\":{\"id\":\"p\",\"failContainerGroupCreateOnReuseFailure\":true}"), "properties.standbyPoolProfile"},
        {BESIDE(",\"identityAcls\":{\"defaultAccess\":\"All\"}"), "properties.identityAcls"},
        {BESIDE(",\"secretReferences\":[{\"name\":\"s\",\"identity\":\"/subscriptions/s/x\",\"secretReferenceUri\":\"https://v\"}]"), "properties.secretReferences"},
        {BESIDE(",\"volumes\":[{\"name\":\"secret1\",\"secretReference\":{}}]"), "properties.volumes[0].secretReference"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(arena) *arena = arena_new(1 << 20);
        struct checked checked = check_json(cases[i].json, "2025-09-01", arena);

        if (!checked.valid || checked.supported)
            fail_msg("case %zu: %s: %s", i, cases[i].json, checked.supported ? "passed" : checked.problems.items[0].text);
        assert_int_equal(checked.problems.items[0].code, ERR_NOT_IMPLEMENTED);
        assert_string_equal(checked.problems.items[0].field, cases[i].field);
    }
}

TEST(what_changes_nothing_is_taken)
{
    static const char *const cases[] = {
        BESIDE(",\"sku\":\"Standard\",\"priority\":\"Regular\",\"initContainers\":[],\"extensions\":[],\"subnetIds\":[],\"volumes\":[]"),
        BESIDE(",\"initContainers\":[{\"name\":\"i\",\"properties\":{\"image\":\"b\",\"command\":[\"c\"],\"securityContext\":{}}}]"),
        BESIDE(",\"sku\":\"NotSpecified\",\"confidentialComputeProperties\":{}"),
        AROUND("\"identity\":{\"type\":\"None\"},\"zones\":[],\"tags\":{\"a\":\"b\"}"),
        WITH(",\"securityContext\":{},\"configMap\":{\"keyValuePairs\":{}}"),
        WITH(",\"securityContext\":{\"privileged\":false,\"allowPrivilegeEscalation\":false,\"capabilities\":{\"add\":[],\"drop\":[]}}"),
        BESIDE(",\"volumes\":[{\"name\":\"secret1\",\"secret\":{\"a\":\"Yg==\"}},{\"name\":\"source\",\"gitRepo\":{\"repository\":\"https://h/r\"}},"
               "{\"name\":\"share\",\"azureFile\":{\"shareName\":\"share\",\"storageAccountName\":\"abc\",\"storageAccountKey\":\"a2V5\"}}]"),
        BESIDE(",\"dnsConfig\":{\"nameServers\":[\"10.0.0.1\"]}"),
        BESIDE(",\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":80}],\"autoGeneratedDomainNameLabelScope\":\"Unsecure\"}"),
        BESIDE(",\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":80}],\"dnsNameLabel\":\"label\"}"),
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(arena) *arena = arena_new(1 << 20);
        struct checked checked = check_json(cases[i], "2025-09-01", arena);
        if (!checked.supported)
            fail_msg("case %zu: %s: %s", i, cases[i], checked.problems.items[0].text);
    }
}
/* clang-format on */

TEST(an_api_version_is_served_by_the_nearest_contract)
{
    static const struct {
        const char *version, *contract;
    } cases[] = {
        {"2018-10-01", "2023-05-01"},         {"2022-10-01-preview", "2023-05-01"},
        {"2023-05-01", "2023-05-01"},         {"2024-04-30", "2023-05-01"},
        {"2024-05-01-preview", "2025-09-01"}, {"2024-05-01", "2025-09-01"},
        {"2025-09-01", "2025-09-01"},         {"2031-01-01", "2025-09-01"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(group_contract(cases[i].version), cases[i].contract);
}

TEST(properties_newer_than_the_contract_are_ignored_and_named)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    static const char json[] = GROUP(
        CONTAINER("a", RESOURCES("1", "1") ",\"configMap\":{\"keyValuePairs\":{\"a\":\"b\"}},"
                                           "\"environmentVariables\":[{\"name\":\"x\","
                                           "\"secureValueReference\":\"s\"}]"),
        ",\"secretReferences\":[],\"identityAcls\":{},\"containerGroupProfile\":{\"id\":\"p\"}");
    struct checked checked = check_json(json, "2023-05-01", arena);

    assert_true(checked.supported);
    assert_null(checked.group.properties->profile);
    assert_int_equal(checked.problems.unknown.count, 5);
    assert_string_equal(checked.problems.unknown.items[0],
                        "properties.containers[0].properties.configMap");
    assert_false(check_json(json, "2025-09-01", arena).supported);
}

TEST(a_port_that_no_container_has_is_worth_a_note)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    static const char json[] =
        GROUP(CONTAINER("a", RESOURCES("1", "1") ",\"ports\":[{\"port\":80}]"),
              ",\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":80},{\"port\":80,"
              "\"protocol\":\"UDP\"}]}");
    struct checked checked = check_json(json, "2023-05-01", arena);

    assert_true(checked.supported);
    assert_int_equal(checked.problems.notes.count, 1);
    assert_string_equal(
        checked.problems.notes.items[0],
        "port 80/UDP of the ipAddress is a port of no container: nothing may listen "
        "there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_faults_come_at_once_and_each_place_once),
        cmocka_unit_test(what_is_no_object_keeps_its_place_in_its_list),
        cmocka_unit_test(numbers_beyond_all_bounds_overflow_nothing),
        cmocka_unit_test(the_services_own_sentence_stands_for_that_of_the_table),
        cmocka_unit_test(null_is_as_good_as_absent_everywhere),
        cmocka_unit_test(what_only_the_service_writes_is_passed_over),
        cmocka_unit_test(what_is_not_run_yet_is_named),
        cmocka_unit_test(what_changes_nothing_is_taken),
        cmocka_unit_test(an_api_version_is_served_by_the_nearest_contract),
        cmocka_unit_test(properties_newer_than_the_contract_are_ignored_and_named),
        cmocka_unit_test(a_port_that_no_container_has_is_worth_a_note),
    };

    return RUN_TESTS(tests);
}
