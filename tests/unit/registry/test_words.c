/* What skopeo prints, as it printed it, and what becomes of it. */
#include "tests/unit/unit.h"

#include "registry/authfile.h"
#include "registry/skopeo.h"

#include <string.h>

#define FATAL(words) "time=\"2026-01-31T00:02:28Z\" level=fatal msg=\"" words "\"\n"
#define PARSING "Error parsing image name \\\"docker://r.example/web:1\\\": "

static struct err tell(const char *printed, const struct image_credential *credential)
{
    struct err err = {0};

    assert_false(skopeo_failure("r.example/web:1", printed, credential, &err));
    return err;
}

TEST(knows_the_failures_of_registries_by_their_words)
{
    static const struct {
        const char *printed;
        enum err_code code;
        const char *text;
    } cases[] = {
        {FATAL(PARSING "reading manifest 1 in r.example/web: manifest unknown: manifest unknown"),
         ERR_IMAGE_INACCESSIBLE,
         "r.example/web:1: not found: reading manifest 1 in r.example/web: manifest unknown: "
         "manifest unknown"},
        {FATAL(PARSING "pinging container registry r.example: Get \\\"http://r.example/v2/\\\": "
                       "dial tcp 127.0.0.1:1: connect: "
                       "connection refused"),
         ERR_REGISTRY_RESPONSE,
         "r.example/web:1: the registry cannot be reached: pinging container registry r.example: "
         "Get "
         "\"http://r.example/v2/\": dial tcp 127.0.0.1:1: connect: connection refused"},
        {FATAL(PARSING
               "reading manifest 1 in r.example/web: unauthorized: authentication required"),
         ERR_IMAGE_INACCESSIBLE, NULL},
        {FATAL(PARSING "reading manifest 1 in docker.io/library/x: requested access to the "
                       "resource is denied"),
         ERR_IMAGE_INACCESSIBLE, NULL},
        {FATAL(PARSING "reading manifest 1 in docker.io/library/x: toomanyrequests: You have "
                       "reached your pull rate limit."),
         ERR_REGISTRY_RESPONSE, NULL},
        {FATAL(PARSING "received unexpected HTTP status: 503 Service Unavailable"),
         ERR_REGISTRY_RESPONSE, NULL},
        {FATAL(PARSING "pinging container registry r.example: invalid status code from registry "
                       "500 (Internal Server Error)"),
         ERR_REGISTRY_RESPONSE, NULL},
        {FATAL(PARSING "pinging container registry r.example: too many requests to registry"),
         ERR_REGISTRY_RESPONSE, NULL},
        {FATAL(PARSING "pinging container registry r.example: Get \\\"https://r.example/v2/\\\": "
                       "dial tcp: lookup r.example on "
                       "10.0.0.1:53: no such host"),
         ERR_IMAGE_INACCESSIBLE, NULL},
        {FATAL(PARSING "pinging container registry r.example: Get \\\"https://r.example/v2/\\\": "
                       "net/http: TLS handshake timeout"),
         ERR_REGISTRY_RESPONSE, NULL},
        {FATAL("writing blob: storing blob to file: write /x: no space left on device"),
         ERR_STORAGE, NULL},
        {FATAL("Source image rejected: Running image docker://r.example/web:1 is rejected by "
               "policy."),
         ERR_IMAGE_INACCESSIBLE, NULL},
        {FATAL("something nobody has seen before"), ERR_IMAGE_INACCESSIBLE,
         "r.example/web:1: something nobody has seen before"},
        {"panic: no log line at all\ngoroutine 1\n", ERR_IMAGE_INACCESSIBLE,
         "r.example/web:1: panic: no log line at all"},
        {"", ERR_REGISTRY_RESPONSE, NULL},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = tell(cases[i].printed, NULL);
        if (err.code != cases[i].code)
            fail_msg("%s: %s", cases[i].printed, err.text);
        if (cases[i].text)
            assert_string_equal(err.text, cases[i].text);
    }
}

TEST(listens_to_the_last_word)
{
    struct err err =
        tell("time=\"x\" level=warning msg=\"connection refused, trying a mirror\"\n" FATAL(
                 "manifest unknown"),
             NULL);

    assert_int_equal(err.code, ERR_IMAGE_INACCESSIBLE);
}

TEST(strikes_secrets_out)
{
    const struct image_credential credential = {"r.example", "me", "hunter2"};
    struct err err = tell(FATAL("GET https://me:hunter2@r.example/ with Basic bWU6aHVudGVyMg== and "
                                "hunter2: unauthorized"),
                          &credential);

    assert_null(strstr(err.text, "hunter2"));
    assert_null(strstr(err.text, "bWU6aHVudGVyMg=="));
    assert_non_null(strstr(err.text, "***"));
}

TEST(control_characters_do_not_pass)
{
    struct err err = tell("level=fatal msg=\"bad\033[31m\t\x7fthing\"", NULL);

    assert_string_equal(err.text, "r.example/web:1: bad [31m  thing");
}

TEST(writes_the_credential_of_one_registry)
{
    const struct image_credential credential = {"r.example", "me", "hunter2"};
    struct err err;
    AUTO(text) *mine = authfile_new("r.example:5000", &credential, &err);
    AUTO(text) *nobodys = authfile_new("r.example:5000", NULL, &err);

    assert_string_equal(mine->bytes,
                        "{\"auths\":{\"r.example:5000\":{\"auth\":\"bWU6aHVudGVyMg==\"}}}");
    assert_string_equal(nobodys->bytes, "{\"auths\":{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_failures_of_registries_by_their_words),
        cmocka_unit_test(listens_to_the_last_word),
        cmocka_unit_test(strikes_secrets_out),
        cmocka_unit_test(control_characters_do_not_pass),
        cmocka_unit_test(writes_the_credential_of_one_registry),
    };
    return RUN_TESTS(tests);
}
