#include "base/err.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

TEST(says_the_code_and_the_sentence)
{
    struct err err = {0};
    assert_false(err_set(&err, ERR_CONFLICT, "a %s group cannot start", "deleted"));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_string_equal(err.text, "a deleted group cannot start");
    assert_string_equal(err.field, "");
    assert_int_equal(err.os_errno, 0);
}

TEST(adds_what_the_system_said)
{
    struct err err;
    assert_false(err_set_os(&err, ERR_NOT_FOUND, ENOENT, "cannot open %s", "x"));
    assert_string_equal(err.text, "cannot open x: No such file or directory");
    assert_int_equal(err.os_errno, ENOENT);
}

TEST(puts_context_before_the_text_and_keeps_the_code)
{
    struct err err;
    err_set_field(&err, ERR_PORTS, "ports[0]", "is taken");
    assert_false(err_add(&err, "while saving %s", "web"));
    assert_string_equal(err.text, "while saving web: is taken");
    assert_string_equal(err.field, "ports[0]");
    assert_int_equal(err.code, ERR_PORTS);
}

TEST(may_quote_itself)
{
    struct err err;
    err_set(&err, ERR_IO, "disk");
    err_set(&err, ERR_STORAGE, "no %s", err.text);
    assert_string_equal(err.text, "no disk");
    err_add(&err, "%s and", err.text);
    assert_string_equal(err.text, "no disk and: no disk");
}

TEST(cuts_what_does_not_fit)
{
    struct err err;
    char longer[2000];
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    err_set_field(&err, ERR_INVALID, longer, "%s", longer);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(strlen(err.field), sizeof err.field - 1);
    err_add(&err, "%s", longer);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

TEST(finds_a_code_by_its_public_name)
{
    assert_int_equal(err_code_find("InaccessibleImage", ERR_CONFLICT), ERR_IMAGE_INACCESSIBLE);
    assert_int_equal(err_code_find("NoSuchThing", ERR_CONFLICT), ERR_CONFLICT);
    assert_int_equal(err_code_find(NULL, ERR_CONFLICT), ERR_CONFLICT);
}

TEST(nobody_needs_to_listen)
{
    assert_false(err_set(NULL, ERR_IO, "x"));
    assert_false(err_add(NULL, "x"));
}

TEST(every_code_has_a_name_and_a_status)
{
    for (enum err_code code = ERR_OK; code < ERR_COUNT; code++) {
        assert_non_null(err_code_name(code));
        assert_true(err_code_status(code) >= 200 && err_code_status(code) < 600);
    }
    assert_string_equal(err_code_name(ERR_NOT_FOUND), "ResourceNotFound");
    assert_int_equal(err_code_status(ERR_NOT_FOUND), 404);
    assert_true(err_code_retry(ERR_BUSY));
    assert_false(err_code_retry(ERR_INVALID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_the_code_and_the_sentence),
        cmocka_unit_test(adds_what_the_system_said),
        cmocka_unit_test(puts_context_before_the_text_and_keeps_the_code),
        cmocka_unit_test(may_quote_itself),
        cmocka_unit_test(cuts_what_does_not_fit),
        cmocka_unit_test(finds_a_code_by_its_public_name),
        cmocka_unit_test(nobody_needs_to_listen),
        cmocka_unit_test(every_code_has_a_name_and_a_status),
    };
    return RUN_TESTS(tests);
}
