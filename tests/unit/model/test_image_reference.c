#include "tests/unit/unit.h"

#include "base/text.h"
#include "model/image_reference.h"

#include <string.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(gives_one_form_to_all_names_of_an_image)
{
    static const struct {
        const char *text, *normal;
    } cases[] = {
        {"alpine", "docker.io/library/alpine:latest"},
        {"alpine:3.20", "docker.io/library/alpine:3.20"},
        {"docker.io/alpine", "docker.io/library/alpine:latest"},
        {"index.docker.io/library/alpine:latest", "docker.io/library/alpine:latest"},
        {"user/app", "docker.io/user/app:latest"},
        {"localhost/app", "localhost/app:latest"},
        {"localhost:5000/app:v1", "localhost:5000/app:v1"},
        {"127.0.0.1:5000/web", "127.0.0.1:5000/web:latest"},
        {"[::1]:5000/web", "[::1]:5000/web:latest"},
        {"mcr.microsoft.com/azuredocs/aci-helloworld",
         "mcr.microsoft.com/azuredocs/aci-helloworld:latest"},
        {"Example.COM/a/b/c__d--e.f:T_1.x-y", "example.com/a/b/c__d--e.f:T_1.x-y"},
        {"web@sha256:" HEX64, "docker.io/library/web@sha256:" HEX64},
        {"web:1@sha256:" HEX64, "docker.io/library/web:1@sha256:" HEX64},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct image_reference reference;
        struct err err = {0};
        char normal[IMAGE_REFERENCE_SIZE];
        if (!image_reference_parse(cases[i].text, &reference, &err))
            fail_msg("%s: %s", cases[i].text, err.text);
        image_reference_text(&reference, normal);
        assert_string_equal(normal, cases[i].normal);
    }
}

TEST(takes_registry_repository_tag_and_digest_apart)
{
    struct image_reference reference;
    struct err err;

    assert_true(
        image_reference_parse("reg.example:8443/team/app:v2@sha256:" HEX64, &reference, &err));
    assert_string_equal(reference.registry, "reg.example:8443");
    assert_string_equal(reference.repository, "team/app");
    assert_string_equal(reference.tag, "v2");
    assert_string_equal(reference.digest, "sha256:" HEX64);
}

TEST(refuses_what_is_no_name)
{
    static const char *const cases[] = {
        "",
        " ",
        "Alpine",
        "alpine:",
        "alpine:.x",
        "alpine:a b",
        "alpine@",
        "alpine@sha256:short",
        ("alpine@sha512:" HEX64),
        ("alpine@sha256:" HEX64 "0"),
        "alpine@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
        "http://example.com/app",
        "https://example.com/app",
        "example.com/",
        "/app",
        "a//b",
        "a/../b",
        "a/.b",
        "a_-b",
        "-a",
        "a-",
        "example.com:port/app",
        "example.com:0/app",
        "example.com:65536/app",
        "example..com/app",
        "-example.com/app",
        "exam_ple.com/app",
        "[::1/app",
        "[]/app",
        "a;b",
        "a b",
        "a\nb",
        "--all",
        HEX64,
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct image_reference reference;
        struct err err = {0};
        if (image_reference_parse(cases[i], &reference, &err))
            fail_msg("\"%s\" was taken", cases[i]);
        assert_int_equal(err.code, ERR_IMAGE_REFERENCE);
        assert_true(err.text[0] != '\0');
    }
}

TEST(refuses_names_that_are_too_long)
{
    char text[2048];
    struct image_reference reference;
    struct err err;

    for (size_t size = 250; size < sizeof text; size++) {
        memset(text, 'a', size);
        text[size] = '\0';
        bool taken = image_reference_parse(text, &reference, &err);
        assert_int_equal(taken, size <= 247); /* "library/" comes before it */
    }
    assert_true(text_copy(text, sizeof text, "a:"));
    memset(text + 2, 't', 129);
    text[130] = '\0';
    assert_true(image_reference_parse(text, &reference, &err));
    text[130] = 't';
    text[131] = '\0';
    assert_false(image_reference_parse(text, &reference, &err));
    assert_false(image_reference_parse(NULL, &reference, &err));
}

TEST(leaves_its_output_alone_when_it_refuses)
{
    struct image_reference reference = {.tag = "mine"};
    struct err err;

    assert_false(image_reference_parse("a/B:1", &reference, &err));
    assert_string_equal(reference.tag, "mine");
}

TEST(knows_which_credential_is_for_which_registry)
{
    struct image_reference hub, own;
    struct err err;

    assert_true(image_reference_parse("alpine", &hub, &err));
    assert_true(image_reference_parse("127.0.0.1:5000/web", &own, &err));
    assert_true(image_reference_served_by(&hub, "docker.io"));
    assert_true(image_reference_served_by(&hub, "Index.Docker.io"));
    assert_false(image_reference_served_by(&hub, "127.0.0.1:5000"));
    assert_true(image_reference_served_by(&own, "127.0.0.1:5000"));
    assert_false(image_reference_served_by(&own, "127.0.0.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_one_form_to_all_names_of_an_image),
        cmocka_unit_test(takes_registry_repository_tag_and_digest_apart),
        cmocka_unit_test(refuses_what_is_no_name),
        cmocka_unit_test(refuses_names_that_are_too_long),
        cmocka_unit_test(leaves_its_output_alone_when_it_refuses),
        cmocka_unit_test(knows_which_credential_is_for_which_registry),
    };
    return RUN_TESTS(tests);
}
