#include "base/log.h"

#include "base/clock.h"

#include "tests/unit/unit.h"
#include "tests/unit/unit_capture.h"

#include <jansson.h>
#include <string.h>

static int64_t fixed(void *context UNUSED)
{
    return 1769847093310;
}

static struct capture capture;
static char said[16384];

static int set_up(void **state UNUSED)
{
    static const struct clock_source source = {.now_ms = fixed, .boot_ns = fixed};
    clock_replace(&source);
    log_configure(LOG_INFO, false);
    log_context(NULL);
    capture = capture_begin(STDERR_FILENO);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    clock_replace(NULL);
    return 0;
}

static const char *heard(void)
{
    capture_end(&capture, said, sizeof said);
    return said;
}

TEST(writes_events_as_text)
{
    log_info("group_placed", "group=%s node=%s", "web", "n1");
    log_debug("hidden", "x=%d", 1);
    log_context("request=r1 tenant=t1");
    log_warn("slow", "");
    log_context(NULL);
    log_error("failed", "code=%d", 5);
    assert_string_equal(heard(), "2026-01-31T08:11:33.310Z info group_placed group=web node=n1\n"
                                 "2026-01-31T08:11:33.310Z warn slow request=r1 tenant=t1\n"
                                 "2026-01-31T08:11:33.310Z error failed code=5\n");
}

TEST(writes_events_as_json)
{
    log_configure(LOG_DEBUG, true);
    log_context("request=r1");
    log_debug("event",
              "plain=a words=more than one quoted=%s number=5 empty=", LOG_QUOTE("a \"b\" c=d\n"));
    assert_string_equal(heard(), "{\"time\":\"2026-01-31T08:11:33.310Z\",\"level\":\"debug\","
                                 "\"event\":\"event\",\"request\":\"r1\","
                                 "\"plain\":\"a\",\"words\":\"more than one\",\"quoted\":\"a "
                                 "\\\"b\\\" c=d\\n\",\"number\":\"5\",\"empty\":\"\"}\n");
}

TEST(writes_json_whatever_is_passed)
{
    static const char *const cases[] = {
        "",     "=",      "a",        "a=",        "a b c",          "=a =b",
        "a=\"", "a=\"\\", "a=\"b\"c", "a=\"b\" c", "a=\xFF\x01\n{}", "  a=1   b=2  ",
        "a==b", "\"a\"=b"};
    log_configure(LOG_INFO, true);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        log_info("event", "%s", cases[i]);
    char *line = (char *)(uintptr_t)heard();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t size = strcspn(line, "\n");
        json_error_t error;
        json_t *read = json_loadb(line, size, 0, &error);
        if (!read)
            fail_msg("%s: %.*s", error.text, (int)size, line);
        json_decref(read);
        line += size + 1;
    }
    assert_string_equal(line, "");
}

TEST(keeps_a_line_a_line)
{
    log_info("event", "word=%s", "a\nb\rc\x1b[0m");
    assert_string_equal(heard(), "2026-01-31T08:11:33.310Z info event word=a b c [0m\n");
}

TEST(bounds_what_clients_say)
{
    char longer[1000];
    memset(longer, 'x', sizeof longer);
    longer[999] = '\0';
    struct log_quote quote = log_quote(longer);
    assert_true(strlen(quote.text) < sizeof quote.text);
    assert_string_equal(quote.text + strlen(quote.text) - 5, "x\"...");
    memset(longer, '\x01', 999);
    quote = log_quote(longer);
    assert_true(strlen(quote.text) < sizeof quote.text);
    assert_string_equal(log_quote(NULL).text, "\"\"");
    assert_string_equal(LOG_QUOTE("a b"), "\"a b\"");
    heard();
}

TEST(tells_a_failure_with_code_and_field)
{
    struct err err;
    err_set_field(&err, ERR_PORTS, "ports[0]", "is \"taken\"");
    log_failure("refused", &err);
    assert_string_equal(heard(),
                        "2026-01-31T08:11:33.310Z error refused code=InvalidContainerPorts "
                        "field=\"ports[0]\" text=\"is \\\"taken\\\"\"\n");
}

TEST(tells_a_trouble_whole_at_its_level)
{
    struct err err;
    err_set(&err, ERR_PORTS, "%0300d", 7);
    log_trouble(LOG_WARN, "away", &err);
    heard();
    assert_non_null(strstr(said, " warn away code=InvalidContainerPorts text=\"000"));
    assert_non_null(strstr(said, "0007\"\n"));
    log_trouble(LOG_DEBUG, "away", &err);
    assert_string_equal(heard(), "");
}

TEST(knows_its_levels)
{
    enum log_level level = LOG_INFO;
    assert_true(log_level_parse("Warn", &level) && level == LOG_WARN);
    assert_false(log_level_parse("loud", &level));
    heard();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_events_as_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_events_as_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_json_whatever_is_passed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_a_line_a_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_what_clients_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_a_failure_with_code_and_field, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_a_trouble_whole_at_its_level, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_its_levels, set_up, tear_down),
    };
    return RUN_TESTS(tests);
}
