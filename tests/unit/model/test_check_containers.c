/* model/check: containers, resources, ports, probes, security. One line for each rule: what is sent, and the
 * code, the place and the sentence that come back. */
#include "tests/unit/model/check.h"

#define AT "properties.containers[0].properties."
#define TWO(first, second)                                                                        \
    GROUP(                                                                                        \
        CONTAINER("a", RESOURCES("1", "1") first) "," CONTAINER("b", RESOURCES("1", "1") second), \
        "")
#define IN_ALL(amounts) GROUP(CONTAINER("web", ",\"resources\":{" amounts "}"), "")
#define A16 "aaaaaaaaaaaaaaaa"

/* clang-format off */
TEST(containers_have_a_name_an_image_and_a_command)
{
    static const struct check_case cases[] = {
        {GROUP(GOOD, ""), ERR_OK, NULL, NULL},
        {GROUP("", ""), ERR_CONTAINER_COUNT, "properties.containers", "The container group 'g' must have at least one container."},
        {"{\"properties\":{\"osType\":\"linux\"}}", ERR_CONTAINER_COUNT, "properties.containers", "'properties.containers' is required."},
        {GROUP(CONTAINER("Web", RESOURCES("1", "1")), ""), ERR_CONTAINER_NAME, "properties.containers[0].name",
         "The container name 'Web' in container group 'g' is invalid. The container name must contain no more than 63 characters and must match the regex '[a-z0-9]([-a-z0-9]*[a-z0-9])?' (e.g. 'my-name')."},
        {GROUP(CONTAINER("-web", RESOURCES("1", "1")), ""), ERR_CONTAINER_NAME, "properties.containers[0].name", NULL},
        {GROUP(CONTAINER("web-", RESOURCES("1", "1")), ""), ERR_CONTAINER_NAME, "properties.containers[0].name", NULL},
        {GROUP(CONTAINER("", RESOURCES("1", "1")), ""), ERR_CONTAINER_NAME, "properties.containers[0].name", NULL},
        {GROUP(CONTAINER("wéb", RESOURCES("1", "1")), ""), ERR_CONTAINER_NAME, "properties.containers[0].name", NULL},
        {GROUP(CONTAINER(A16 A16 A16 A16, RESOURCES("1", "1")), ""), ERR_CONTAINER_NAME, "properties.containers[0].name", NULL},
        {GROUP(CONTAINER("w--b", RESOURCES("1", "1")), ""), ERR_OK, NULL, NULL},
        {GROUP("{\"properties\":{\"image\":\"b\"}}", ""), ERR_CONTAINER_NAME, "properties.containers[0].name", "'properties.containers[0].name' is required."},
        {GROUP("{\"name\":\"web\"}", ""), ERR_INVALID, "properties.containers[0].properties", NULL},
        {GROUP("null", ""), ERR_INVALID, "properties.containers[0]", "'properties.containers[0]' must be an object, not null."},
        {GROUP(GOOD "," GOOD, ""), ERR_CONTAINER_DUPLICATE, "properties.containers[1].name", "Duplicate container names 'web' are found in container group 'g'."},
        {BESIDE(",\"initContainers\":[{\"name\":\"web\",\"properties\":{\"image\":\"b\"}}]"), ERR_CONTAINER_DUPLICATE, "properties.containers[0].name", NULL},
        {BESIDE(",\"initContainers\":[{\"name\":\"i\",\"properties\":{}}]"), ERR_IMAGE_REFERENCE, "properties.initContainers[0].properties.image",
         "The image is not specified in container 'i' of container group 'g'."},
        {GROUP("{\"name\":\"web\",\"properties\":{\"image\":\"Bad Image\"" RESOURCES("1", "1") "}}", ""), ERR_IMAGE_REFERENCE, AT "image",
         "The image name 'Bad Image' in container 'web' of container group 'g' is invalid:…"},
        {GROUP("{\"name\":\"web\",\"properties\":{\"image\":\"\"" RESOURCES("1", "1") "}}", ""), ERR_IMAGE_REFERENCE, AT "image", NULL},
        {WITH(",\"command\":[]"), ERR_OK, NULL, NULL},
        {WITH(",\"command\":null"), ERR_OK, NULL, NULL},
        {WITH(",\"command\":[\"\",\"x\"]"), ERR_COMMAND, AT "command[0]", "The command of container 'web' in container group 'g' begins with an empty text: nothing can be run."},
        {WITH(",\"command\":[\"x\",\"\"]"), ERR_OK, NULL, NULL},
        {WITH(",\"command\":\"sh\""), ERR_INVALID, AT "command", "'" AT "command' must be an array of strings, not a string."},
    };

    assert_cases(cases, COUNT_OF(cases));
}

TEST(environment_names_and_values_follow_their_rules)
{
    static const struct check_case cases[] = {
        {WITH(",\"environmentVariables\":[{\"name\":\"1x\"}]"), ERR_ENVIRONMENT_VARIABLE, AT "environmentVariables[0].name",
         "The environment variable name in container 'web' of container group 'g' is invalid. A valid environment variable name must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName')."},
        {WITH(",\"environmentVariables\":[{\"name\":\"discovery.type\",\"value\":\"x\"}]"), ERR_ENVIRONMENT_VARIABLE, AT "environmentVariables[0].name", NULL},
        {WITH(",\"environmentVariables\":[{\"name\":\"\",\"value\":\"x\"}]"), ERR_ENVIRONMENT_VARIABLE, AT "environmentVariables[0].name", NULL},
        {WITH(",\"environmentVariables\":[{\"name\":\"_x9_\",\"value\":\"\"}]"), ERR_OK, NULL, NULL},
        {WITH(",\"environmentVariables\":[{\"name\":\"" A16 A16 A16 A16 A16 "\",\"value\":\"é\"}]"), ERR_OK, NULL, NULL},
        {WITH(",\"environmentVariables\":[{\"name\":\"kept\"}]"), ERR_OK, NULL, NULL},
        {WITH(",\"environmentVariables\":[{\"name\":\"port\",\"value\":80},{\"name\":\"debug\",\"value\":true}]"), ERR_OK, NULL, NULL},
        {WITH(",\"environmentVariables\":[{\"name\":\"x\",\"value\":[]}]"), ERR_INVALID, AT "environmentVariables[0].value", NULL},
        {WITH(",\"environmentVariables\":[{\"value\":\"x\"}]"), ERR_ENVIRONMENT_VARIABLE, AT "environmentVariables[0].name", NULL},
        {WITH(",\"environmentVariables\":[{\"name\":\"x\",\"value\":\"a\",\"secureValue\":\"b\"}]"), ERR_ENVIRONMENT_VARIABLE, AT "environmentVariables[0]",
         "The environment variable 'x' in container 'web' of container group 'g' must have only one of 'value', 'secureValue' and 'secureValueReference'."},
        {WITH(",\"environmentVariables\":[{\"name\":\"x\",\"secureValueReference\":\"none\"}]"), ERR_SECRET_REFERENCE, AT "environmentVariables[0].secureValueReference",
         "The secret reference 'none' is none of the 'secretReferences' of container group 'g'."},
        {WITH(",\"configMap\":{\"keyValuePairs\":{\"a.conf\":\"1\"}}"), ERR_OK, NULL, NULL},
        {WITH(",\"configMap\":{\"keyValuePairs\":{\"../a\":\"1\"}}"), ERR_CONFIG_MAP, AT "configMap.keyValuePairs",
         "The key '../a' of the configMap in container 'web' of container group 'g' is no name of a file."},
    };

    assert_cases(cases, COUNT_OF(cases));
}

TEST(requests_are_needed_and_stay_within_bounds)
{
    static const struct check_case cases[] = {
        {GROUP(CONTAINER("web", ""), ""), ERR_REQUESTS_MISSING, AT "resources.requests",
         "The resource requests are not specified in container 'web' of contain group 'g'. Both memory and CPU requests are required since API version '2017-07-01-preview'."},
        {IN_ALL("\"requests\":{\"cpu\":1}"), ERR_REQUESTS_INCOMPLETE, AT "resources.requests.memoryInGB",
         "The 'MemoryInGB' request is not specified in 'Microsoft.Azure.CloudConsole.Providers.Common.Entities.ComputeResources' in container 'web' of contain group 'g'. It is required since API version '2017-07-01-preview'."},
        {IN_ALL("\"requests\":{\"memoryInGB\":1,\"cpu\":null}"), ERR_REQUESTS_INCOMPLETE, AT "resources.requests.cpu",
         "The 'Cpu' request is not specified in 'Microsoft.Azure.CloudConsole.Providers.Common.Entities.ComputeResources' in container 'web' of contain group 'g'. It is required since API version '2017-07-01-preview'."},
        {GROUP(CONTAINER("web", RESOURCES("1", "0.25")), ""), ERR_MEMORY_STEP, AT "resources.requests.memoryInGB",
         "The memory requirement is '0.25' in container 'web' of container group 'g'. The memory requirement should be in incrememts of 0.1 GB."},
        {GROUP(CONTAINER("web", RESOURCES("1", "1.00001")), ""), ERR_MEMORY_STEP, AT "resources.requests.memoryInGB", NULL},
        {GROUP(CONTAINER("web", RESOURCES("1", "0.30000000000000004")), ""), ERR_OK, NULL, NULL},
        {GROUP(CONTAINER("web", RESOURCES("\"1.0\"", "\"1.5\"")), ""), ERR_OK, NULL, NULL},
        {GROUP(CONTAINER("web", RESOURCES("\"one\"", "1")), ""), ERR_INVALID, AT "resources.requests.cpu", "'" AT "resources.requests.cpu' must be a number, not 'one'."},
        {GROUP(CONTAINER("web", RESOURCES("0.01", "0.1")), ""), ERR_OK, NULL, NULL},
        {GROUP(CONTAINER("web", RESOURCES("0", "1")), ""), ERR_REQUESTS_INVALID, AT "resources.requests.cpu",
         "The CPU request '0' in container 'web' of container group 'g' must be between 0.01 and 31 cores."},
        {GROUP(CONTAINER("web", RESOURCES("-0.5", "1")), ""), ERR_REQUESTS_INVALID, AT "resources.requests.cpu", "The CPU request '-0.5' in…"},
        {GROUP(CONTAINER("web", RESOURCES("0.0001", "1")), ""), ERR_REQUESTS_INVALID, AT "resources.requests.cpu", NULL},
        {GROUP(CONTAINER("web", RESOURCES("1e308", "1")), ""), ERR_INVALID, AT "resources.requests.cpu", "'" AT "resources.requests.cpu' is out of range."},
        {GROUP(CONTAINER("web", RESOURCES("1", "-0")), ""), ERR_REQUESTS_INVALID, AT "resources.requests.memoryInGB",
         "The memory request '0' in container 'web' of container group 'g' must be between 0.1 and 240 GB."},
        {GROUP(CONTAINER("web", RESOURCES("31", "240")), ""), ERR_OK, NULL, NULL},
        {TWO("", ""), ERR_OK, NULL, NULL},
        {GROUP(CONTAINER("a", RESOURCES("16", "1")) "," CONTAINER("b", RESOURCES("16.5", "1")), ""), ERR_REQUESTS_INVALID,
         "properties.containers[*].properties.resources.requests.cpu",
         "The containers of container group 'g' request '32.5' cores together; the limit is '31'. (over by '1.5')"},
        {GROUP(CONTAINER("a", RESOURCES("1", "200")) "," CONTAINER("b", RESOURCES("1", "40.1")), ""), ERR_REQUESTS_INVALID,
         "properties.containers[*].properties.resources.requests.memoryInGB",
         "The containers of container group 'g' request '240.1' GB of memory together; the limit is '240'. (over by '0.1')"},
    };

    assert_cases(cases, COUNT_OF(cases));
}

TEST(limits_lie_between_the_request_and_the_groups_total)
{
    static const struct check_case cases[] = {
        {IN_ALL("\"requests\":{\"memoryInGB\":4,\"cpu\":2},\"limits\":{\"memoryInGB\":4,\"cpu\":1}"), ERR_LIMITS_BELOW_REQUESTS, AT "resources.limits.cpu",
         "The resource requirement '{\"requests\":{\"memoryInGB\":4.0,\"cpu\":2.0},\"limits\":{\"memoryInGB\":4.0,\"cpu\":1.0}}' in container 'web' of contain group 'g' is invalid. The 'Cpu' limit value must be greater than or equal to the request value. (limit '1', request '2', short by '1')"},
        {IN_ALL("\"requests\":{\"memoryInGB\":3,\"cpu\":2},\"limits\":{\"memoryInGB\":2}"), ERR_LIMITS_BELOW_REQUESTS, AT "resources.limits.memoryInGB",
         "The resource requirement '{\"requests\":{\"memoryInGB\":3.0,\"cpu\":2.0},\"limits\":{\"memoryInGB\":2.0}}' in container 'web' of contain group 'g' is invalid. The 'MemoryInGB' limit value must be greater than or equal to the request value. (limit '2', request '3', short by '1')"},
        {IN_ALL("\"requests\":{\"memoryInGB\":2,\"cpu\":1},\"limits\":{\"memoryInGB\":3}"), ERR_LIMITS_ABOVE_TOTAL, AT "resources.limits.memoryInGB",
         "The 'MemoryInGB' limit '3' in container 'web' is greater than the total request '2' of container group 'g'. (over by '1')"},
        {TWO("", "") , ERR_OK, NULL, NULL},
        {GROUP(CONTAINER("a", ",\"resources\":{\"requests\":{\"cpu\":1,\"memoryInGB\":1},\"limits\":{\"cpu\":2,\"memoryInGB\":2}}") "," CONTAINER("b", RESOURCES("1", "1")), ""), ERR_OK, NULL, NULL},
        {IN_ALL("\"requests\":{\"cpu\":1,\"memoryInGB\":1},\"limits\":{\"cpu\":1.5}"), ERR_LIMITS_ABOVE_TOTAL, AT "resources.limits.cpu",
         "The 'Cpu' limit '1.5' in container 'web' is greater than the total request '1' of container group 'g'. (over by '0.5')"},
        {IN_ALL("\"requests\":{\"cpu\":1,\"memoryInGB\":1,\"gpu\":{\"count\":3,\"sku\":\"V100\"}}"), ERR_GPU_SKU, AT "resources.requests.gpu.count",
         "The GPU count '3' in container 'web' of container group 'g' must be 1, 2 or 4."},
        {IN_ALL("\"requests\":{\"cpu\":1,\"memoryInGB\":1},\"limits\":{\"gpu\":{\"count\":1,\"sku\":\"K80\"}}"), ERR_GPU_SKU, AT "resources.limits.gpu",
         "The GPU limit in container 'web' of container group 'g' must be what is requested."},
    };

    assert_cases(cases, COUNT_OF(cases));
}

TEST(ports_are_valid_and_used_once)
{
    static const struct check_case cases[] = {
        {WITH(",\"ports\":[{\"port\":0}]"), ERR_PORTS, AT "ports[0].port",
         "The ports '0' are invalid for container 'web' in container group 'g'. The port must be beteween 1 and 65535."},
        {WITH(",\"ports\":[{\"port\":65536}]"), ERR_PORTS, AT "ports[0].port",
         "The ports '65536' are invalid for container 'web' in container group 'g'. The port must be beteween 1 and 65535."},
        {WITH(",\"ports\":[{\"port\":-1}]"), ERR_PORTS, AT "ports[0].port", NULL},
        {WITH(",\"ports\":[{\"port\":9223372036854775808}]"), ERR_PORTS, AT "ports[0].port", NULL},
        {WITH(",\"ports\":[{\"port\":80.5}]"), ERR_PORTS, AT "ports[0].port", NULL},
        {WITH(",\"ports\":[{\"port\":\"80\"},{\"port\":65535}]"), ERR_OK, NULL, NULL},
        {WITH(",\"ports\":[{\"protocol\":\"TCP\"}]"), ERR_PORTS, AT "ports[0].port", NULL},
        {WITH(",\"ports\":[{\"port\":22},{\"port\":1025},{\"port\":3389},{\"port\":19390},{\"port\":20000},{\"port\":65534}]"), ERR_OK, NULL, NULL},
        {TWO(",\"ports\":[{\"port\":80}]", ",\"ports\":[{\"port\":80}]"), ERR_PORT_DUPLICATE, "properties.containers[1].properties.ports[0].port",
         "The port '80/TCP' of container 'b' in container group 'g' is taken: the containers of a group share one network, so a port can be used once."},
        {TWO(",\"ports\":[{\"port\":80},{\"port\":80,\"protocol\":\"udp\"}]", ""), ERR_OK, NULL, NULL},
        {WITH(",\"ports\":[{\"port\":80,\"protocol\":\"SCTP\"}]"), ERR_INVALID, AT "ports[0].protocol", NULL},
    };

    assert_cases(cases, COUNT_OF(cases));
}

#define PROBE(rest) WITH(",\"livenessProbe\":{" rest "}")
TEST(probes_ask_in_one_way)
{
    static const struct check_case cases[] = {
        {PROBE("\"exec\":{\"command\":[\"x\"]}"), ERR_OK, NULL, NULL},
        {PROBE("\"httpGet\":{\"port\":80,\"path\":\"/healthz?full=1\",\"scheme\":\"HTTPS\",\"httpHeaders\":[{\"name\":\"X-A\",\"value\":\"b c\"}]},\"initialDelaySeconds\":0,\"periodSeconds\":\"5\",\"failureThreshold\":1,\"successThreshold\":1,\"timeoutSeconds\":1"), ERR_OK, NULL, NULL},
        {PROBE(""), ERR_PROBE, AT "livenessProbe", "'" AT "livenessProbe' must have exactly one of 'exec', 'httpGet', not 0."},
        {PROBE("\"exec\":{\"command\":[\"x\"]},\"httpGet\":{\"port\":80}"), ERR_PROBE, AT "livenessProbe", "'" AT "livenessProbe' must have exactly one of 'exec', 'httpGet', not 2."},
        {PROBE("\"exec\":{\"command\":[]}"), ERR_PROBE, AT "livenessProbe.exec.command", NULL},
        {PROBE("\"exec\":{\"command\":[\"\"]}"), ERR_PROBE, AT "livenessProbe.exec.command",
         "The livenessProbe of container 'web' in container group 'g' is invalid: there is no command to run."},
        {PROBE("\"exec\":{}"), ERR_PROBE, AT "livenessProbe.exec.command", NULL},
        {PROBE("\"httpGet\":{}"), ERR_PROBE, AT "livenessProbe.httpGet.port", NULL},
        {PROBE("\"httpGet\":{\"port\":0}"), ERR_PROBE, AT "livenessProbe.httpGet.port", NULL},
        {PROBE("\"httpGet\":{\"port\":80,\"path\":\"x\"}"), ERR_PROBE, AT "livenessProbe.httpGet.path", NULL},
        {PROBE("\"httpGet\":{\"port\":80,\"path\":\"/ HTTP/1.1\\r\\nHost: x\"}"), ERR_PROBE, AT "livenessProbe.httpGet.path", NULL},
        {PROBE("\"httpGet\":{\"port\":80,\"scheme\":\"ftp\"}"), ERR_PROBE, AT "livenessProbe.httpGet.scheme", NULL},
        {PROBE("\"httpGet\":{\"port\":80,\"httpHeaders\":[{\"name\":\"a:\",\"value\":\"b\"}]}"), ERR_PROBE, AT "livenessProbe.httpGet.httpHeaders", NULL},
        {PROBE("\"httpGet\":{\"port\":80,\"httpHeaders\":[{\"name\":\"a\",\"value\":\"b\\n\"}]}"), ERR_PROBE, AT "livenessProbe.httpGet.httpHeaders", NULL},
        {PROBE("\"exec\":{\"command\":[\"x\"]},\"periodSeconds\":0"), ERR_PROBE, AT "livenessProbe.periodSeconds", "'" AT "livenessProbe.periodSeconds' must be between 1 and 86400."},
        {PROBE("\"exec\":{\"command\":[\"x\"]},\"initialDelaySeconds\":-1"), ERR_PROBE, AT "livenessProbe.initialDelaySeconds", NULL},
        {PROBE("\"exec\":{\"command\":[\"x\"]},\"timeoutSeconds\":0"), ERR_PROBE, AT "livenessProbe.timeoutSeconds", NULL},
        {PROBE("\"exec\":{\"command\":[\"x\"]},\"failureThreshold\":0"), ERR_PROBE, AT "livenessProbe.failureThreshold", NULL},
        {PROBE("\"exec\":{\"command\":[\"x\"]},\"successThreshold\":2"), ERR_PROBE, AT "livenessProbe.successThreshold", NULL},
        {WITH(",\"readinessProbe\":{\"exec\":{\"command\":[\"x\"]},\"successThreshold\":2}"), ERR_OK, NULL, NULL},
    };

    assert_cases(cases, COUNT_OF(cases));
}

#define SECURITY(rest) WITH(",\"securityContext\":{" rest "}")
TEST(the_security_context_names_what_there_is)
{
    static const struct check_case cases[] = {
        {SECURITY("\"privileged\":true,\"runAsUser\":0,\"runAsGroup\":2147483647,\"capabilities\":{\"add\":[\"CAP_NET_ADMIN\",\"sys_time\"],\"drop\":[\"ALL\"]}"), ERR_OK, NULL, NULL},
        {SECURITY("\"capabilities\":{\"add\":[\"NET_ADMIN\",\"FLY\"]}"), ERR_SECURITY_CONTEXT, AT "securityContext.capabilities.add[1]",
         "The capability 'FLY' in container 'web' of container group 'g' is unknown (e.g. 'NET_ADMIN')."},
        {SECURITY("\"capabilities\":{\"drop\":[\"\"]}"), ERR_SECURITY_CONTEXT, AT "securityContext.capabilities.drop[0]", NULL},
        {SECURITY("\"seccompProfile\":\"eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfQUxMT1cifQ==\""), ERR_OK, NULL, NULL},
        {SECURITY("\"seccompProfile\":\"eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfRVJSTk8iLCJhcmNoTWFwIjpbeyJhcmNoaXRlY3R1cmUiOiJTQ01QX0FSQ0hfWDg2XzY0Iiwic3ViQXJjaGl0ZWN0dXJlcyI6WyJTQ01QX0FSQ0hfWDg2Il19XSwic3lzY2FsbHMiOlt7Im5hbWVzIjpbInJlYWQiXSwiYWN0aW9uIjoiU0NNUF9BQ1RfQUxMT1ciLCJhcmdzIjpbXSwiY29tbWVudCI6IiIsImluY2x1ZGVzIjp7Im1pbktlcm5lbCI6IjQuOCJ9LCJleGNsdWRlcyI6e319XX0=\""), ERR_OK, NULL, NULL},
        {SECURITY("\"seccompProfile\":\"e30=\""), ERR_SECURITY_CONTEXT, AT "securityContext.seccompProfile", "The seccompProfile in container 'web' of container group 'g' cannot be used: …"},
        {SECURITY("\"seccompProfile\":\"eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfTk9USUZZIn0=\""), ERR_SECURITY_CONTEXT, AT "securityContext.seccompProfile", "The seccompProfile in container 'web' of container group 'g' cannot be used: 'defaultAction' …"},
        {SECURITY("\"seccompProfile\":\"eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfQUxMT1ciLCJzeXNjYWxscyI6W3sibmFtZXMiOlsiYSJdLCJhY3Rpb24iOiJub3RoaW5nIn1dfQ==\""), ERR_SECURITY_CONTEXT, AT "securityContext.seccompProfile", "The seccompProfile in container 'web' of container group 'g' cannot be used: 'syscalls[0].action' …"},
        {SECURITY("\"seccompProfile\":\"eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfQUxMT1ciLCJzeXNjYWxscyI6W3sibmFtZXMiOltdLCJhY3Rpb24iOiJTQ01QX0FDVF9MT0cifV19\""), ERR_SECURITY_CONTEXT, AT "securityContext.seccompProfile", "The seccompProfile in container 'web' of container group 'g' names no system call in syscalls[0]."},
        {SECURITY("\"seccompProfile\":\"eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfQUxMT1ciLCJzeXNjYWxscyI6W3sibmFtZXMiOlsiYSBiIl0sImFjdGlvbiI6IlNDTVBfQUNUX0xPRyJ9XX0=\""), ERR_SECURITY_CONTEXT, AT "securityContext.seccompProfile", "The seccompProfile in container 'web' of container group 'g' names something that is no system call in syscalls[0]."},
        {SECURITY("\"seccompProfile\":\"eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfQUxMT1ciLCJsaXN0ZW5lclBhdGgiOiIvcyJ9\""), ERR_SECURITY_CONTEXT, AT "securityContext.seccompProfile", "The seccompProfile in container 'web' of container group 'g' has a listenerPath: nobody listens on the node."},
        {SECURITY("\"seccompProfile\":\"eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfQUxMT1ciLCJhcmNoaXRlY3R1cmVzIjpbIng4Ni02NCJdfQ==\""), ERR_SECURITY_CONTEXT, AT "securityContext.seccompProfile", "The seccompProfile in container 'web' of container group 'g' has an architecture or a flag that is no word of seccomp."},
        {SECURITY("\"seccompProfile\":\"{}\""), ERR_SECURITY_CONTEXT, AT "securityContext.seccompProfile", "The seccompProfile in container 'web' of container group 'g' is not base64."},
        {SECURITY("\"seccompProfile\":\"aGVsbG8=\""), ERR_SECURITY_CONTEXT, AT "securityContext.seccompProfile", "The seccompProfile in container 'web' of container group 'g' is no base64 of a JSON object."},
        {SECURITY("\"seccompProfile\":\"\""), ERR_SECURITY_CONTEXT, AT "securityContext.seccompProfile", NULL},
        {SECURITY("\"runAsUser\":-1"), ERR_INVALID, AT "securityContext.runAsUser", NULL},
        {SECURITY("\"runAsUser\":4294967296"), ERR_INVALID, AT "securityContext.runAsUser", NULL},
        {SECURITY("\"privileged\":true,\"allowPrivilegeEscalation\":false"), ERR_SECURITY_CONTEXT, AT "securityContext.allowPrivilegeEscalation", NULL},
    };

    assert_cases(cases, COUNT_OF(cases));
}
/* clang-format on */

/* A list of `count` items of `item`, where # becomes a letter of its own. */
static const char *many(struct arena *arena, size_t count, const char *item)
{
    AUTO(text) *out = text_new(1 << 20);

    for (size_t i = 0; i < count; i++) {
        text_add(out, i > 0 ? "," : "");
        for (const char *at = item; *at; at++) {
            if (*at == '#')
                text_addf(out, "%zu", i);
            else
                text_add_char(out, *at);
        }
    }
    assert_true(text_ok(out));
    return arena_text(arena, out->bytes);
}

TEST(counts_have_ceilings)
{
    AUTO(arena) *arena = arena_new(16 << 20);
    static const char init[] = "{\"name\":\"i#\",\"properties\":{\"image\":\"b\"}}";
    const char *json;
    struct checked checked;

    json = arena_format(arena,
                        "{\"properties\":{\"osType\":\"Linux\",\"containers\":[" GOOD
                        "],\"initContainers\":[%s]}}",
                        many(arena, 59, init));
    assert_true(check_json(json, NULL, arena).valid);
    json = arena_format(arena,
                        "{\"properties\":{\"osType\":\"Linux\",\"containers\":[" GOOD
                        "," CONTAINER("b", RESOURCES("1", "1")) "],\"initContainers\":[%s]}}",
                        many(arena, 59, init));
    checked = check_json(json, NULL, arena);
    assert_int_equal(checked.problems.count, 1);
    assert_string_equal(checked.problems.items[0].text,
                        "The container group 'g' has 61 containers, init containers included; the "
                        "limit is 60.");
    json = arena_format(arena, "{\"properties\":{\"osType\":\"Linux\",\"containers\":[%s]}}",
                        many(arena, 61, CONTAINER("c#", RESOURCES("0.1", "0.1"))));
    checked = check_json(json, NULL, arena);
    assert_int_equal(checked.problems.count, 1);
    assert_int_equal(checked.problems.items[0].code, ERR_CONTAINER_COUNT);
    json = arena_format(arena, BESIDE(",\"volumes\":[%s]"),
                        many(arena, 21, "{\"name\":\"data#\",\"emptyDir\":{}}"));
    checked = check_json(json, NULL, arena);
    assert_int_equal(checked.problems.count, 1);
    assert_string_equal(checked.problems.items[0].field, "properties.volumes");
    json = arena_format(arena, WITH(",\"environmentVariables\":[%s]"),
                        many(arena, 513, "{\"name\":\"e#\",\"value\":\"\"}"));
    checked = check_json(json, NULL, arena);
    assert_int_equal(checked.problems.items[0].code, ERR_ENVIRONMENT_VARIABLE);
    json = arena_format(arena, WITH(",\"command\":[%s]"), many(arena, 513, "\"a\""));
    checked = check_json(json, NULL, arena);
    assert_int_equal(checked.problems.items[0].code, ERR_COMMAND);
    json = arena_format(arena, WITH(",\"ports\":[%s]"), many(arena, 257, "{\"port\":1#}"));
    checked = check_json(json, NULL, arena);
    assert_string_equal(checked.problems.items[0].field, AT "ports");
}

TEST(what_the_kernel_refuses_as_too_long_is_refused_before)
{
    AUTO(arena) *arena = arena_new(16 << 20);
    char *value = arena_array(arena, 131073, 1);
    struct checked checked;

    memset(value, 'x', 131069);
    checked = check_json(arena_format(arena,
                                      WITH(",\"environmentVariables\":[{\"name\":\"a\","
                                           "\"value\":\"%s\"}]"),
                                      value),
                         NULL, arena);
    assert_true(checked.valid);
    value[131069] = 'x';
    checked = check_json(arena_format(arena,
                                      WITH(",\"environmentVariables\":[{\"name\":\"a\","
                                           "\"secureValue\":\"%s\"}]"),
                                      value),
                         NULL, arena);
    assert_string_equal(checked.problems.items[0].field, AT "environmentVariables[0]");
    assert_null(strstr(checked.problems.items[0].text, "xxx"));
    value[131070] = value[131071] = 'x';
    checked =
        check_json(arena_format(arena, WITH(",\"command\":[\"a\",\"%s\"]"), value), NULL, arena);
    assert_string_equal(checked.problems.items[0].field, AT "command[1]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers_have_a_name_an_image_and_a_command),
        cmocka_unit_test(environment_names_and_values_follow_their_rules),
        cmocka_unit_test(requests_are_needed_and_stay_within_bounds),
        cmocka_unit_test(limits_lie_between_the_request_and_the_groups_total),
        cmocka_unit_test(ports_are_valid_and_used_once),
        cmocka_unit_test(probes_ask_in_one_way),
        cmocka_unit_test(the_security_context_names_what_there_is),
        cmocka_unit_test(counts_have_ceilings),
        cmocka_unit_test(what_the_kernel_refuses_as_too_long_is_refused_before),
    };

    return RUN_TESTS(tests);
}
