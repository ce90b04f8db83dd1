#include "base/options.h"

#include "base/file.h"

#include "tests/unit/unit.h"
#include "tests/unit/unit_capture.h"

#include <stdlib.h>
#include <string.h>

struct place {
    const char *name;
    int64_t rooms;
};

struct config {
    int64_t listen_port;
    const char *state_dir, *token;
    bool queue;
    struct opt_bool tls;
    struct opt_decimal overcommit;
    int log_level;
    struct text_list subscriptions;
    struct text_map labels;
    struct place *places;
    size_t places_count;
    struct raw_json extra;
};

static const char *const level_words[] = {"debug", "info", NULL};

/* clang-format off */
static const struct field place_fields[] = {
    FIELD(struct place, name, "name", .flags = FIELD_REQUIRED),
    FIELD(struct place, rooms, "rooms"),
};
static const struct schema place_schema = SCHEMA("Place", struct place, place_fields, "A place.");

static const struct field config_fields[] = {
    FIELD(struct config, listen_port, "listen_port", .min = 1, .max = 65535, .fallback = 8080, .doc = "Where it listens."),
    FIELD(struct config, state_dir, "state_dir", .flags = FIELD_REQUIRED, .doc = "What it keeps."),
    FIELD(struct config, token, "token", .flags = FIELD_SECRET, .doc = "Guards every call."),
    FIELD(struct config, queue, "queue"),
    FIELD(struct config, tls, "tls", .flags = FIELD_HAS_FALLBACK, .fallback = 1),
    FIELD(struct config, overcommit, "overcommit", .flags = FIELD_HAS_FALLBACK, .fallback = 1000),
    FIELD_ENUM(struct config, log_level, "log_level", level_words, .flags = FIELD_HAS_FALLBACK, .fallback = 1),
    FIELD(struct config, subscriptions, "subscriptions"),
    FIELD(struct config, labels, "labels"),
    FIELD_ITEMS(struct config, places, "places", &place_schema, .doc = "Rooms by place."),
    FIELD(struct config, extra, "extra"),
};
static const struct schema config_schema = SCHEMA("Config", struct config, config_fields, "A test.");
/* clang-format on */

static const struct options options = {.program = "tried",
                                       .summary = "tries.",
                                       .usage = "tried --state-dir /x",
                                       .prefix = "TRIED_",
                                       .schema = &config_schema};
static struct arena *arena;
static struct config config;
static struct err err;
static char path[64];

static int set_up(void **state UNUSED)
{
    arena = arena_new(16 << 20);
    text_copy(path, sizeof path, "/tmp/berth-options-XXXXXX");
    int fd = mkstemp(path);
    return fd >= 0 && close(fd) == 0 && arena ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
    clearenv();
    unlink(path);
    arena_free(arena);
    return 0;
}

static void write_file(const char *json)
{
    assert_true(file_replace(path, json, strlen(json), 0600, false, &err));
}

#define LOAD(...) load((char *[]){"tried", __VA_ARGS__, NULL})

static enum options_outcome load(char **argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    memset(&err, 0, sizeof err);
    return options_load(&options, argc, argv, arena, &config, &err);
}

#define assert_wrong(text_, ...)                            \
    do {                                                    \
        assert_int_equal(LOAD(__VA_ARGS__), OPTIONS_WRONG); \
        assert_string_equal(err.text, text_);               \
    } while (0)

TEST(takes_flags_in_all_shapes)
{
    assert_int_equal(LOAD("--listen-port", "81", "--state-dir=/x=y", "--queue", "--tls=false",
                          "--overcommit", "2.5", "--log-level", "DEBUG", "--subscriptions", "a,b",
                          "--labels=k=v,l=w=x", "--extra", "{\"a\":1}"),
                     OPTIONS_RUN);
    assert_int_equal(config.listen_port, 81);
    assert_string_equal(config.state_dir, "/x=y");
    assert_true(config.queue);
    assert_false(config.tls.value);
    assert_int_equal(config.overcommit.milli, 2500);
    assert_int_equal(config.log_level, 0);
    assert_int_equal(config.subscriptions.count, 2);
    assert_string_equal(config.subscriptions.items[1], "b");
    assert_string_equal(config.labels.items[1].value, "w=x");
    assert_string_equal(config.extra.text, "{\"a\":1}");
}

TEST(falls_back_to_the_table)
{
    assert_int_equal(LOAD("--state-dir", "/x"), OPTIONS_RUN);
    assert_int_equal(config.listen_port, 8080);
    assert_true(config.tls.value);
    assert_int_equal(config.log_level, 1);
    assert_int_equal(config.subscriptions.count, 0);
}

TEST(lets_flags_win_over_environment_and_environment_over_file)
{
    write_file("{\"listen_port\":1,\"state_dir\":\"file\",\"token\":\"file\",\"places\":[{\"name\":"
               "\"p\",\"rooms\":2}]}");
    setenv("TRIED_CONFIG", path, 1);
    setenv("TRIED_LISTEN_PORT", "2", 1);
    setenv("TRIED_STATE_DIR", "environment", 1);
    setenv("TRIED_QUEUE", "", 1); /* as if unset */
    assert_int_equal(LOAD("--listen-port=3"), OPTIONS_RUN);
    assert_int_equal(config.listen_port, 3);
    assert_string_equal(config.state_dir, "environment");
    assert_string_equal(config.token, "file");
    assert_int_equal(config.places_count, 1);
    assert_int_equal(config.places[0].rooms, 2);
}

TEST(names_the_source_of_what_is_wrong)
{
    char expected[256];
    assert_wrong("--listen-port: 'listen_port' must be between 1 and 65535.", "--state-dir=x",
                 "--listen-port=0");
    assert_wrong("--listen-port: 'listen_port' must be a whole number, not a string.",
                 "--state-dir=x", "--listen-port=no");
    assert_wrong("--labels: 'labels' must be an object of strings, not a string.", "--state-dir=x",
                 "--labels=novalue");
    assert_wrong(
        "'state_dir' is required. Give --state-dir, TRIED_STATE_DIR, or the key in the file.",
        "--queue");
    assert_wrong("--nothing is not known. Try --help.", "--nothing");
    assert_wrong("--places=[] is not known. Try --help.", "--places=[]");
    assert_wrong("word is not known. Try --help.", "word");
    assert_wrong("--state-dir needs a value.", "--state-dir");
    setenv("TRIED_TLS", "maybe", 1);
    assert_wrong("TRIED_TLS: 'tls' must be true or false, not a string.", "--state-dir=x");
    clearenv();
    write_file("{\"listen_prot\":1}");
    text_format(expected, sizeof expected, "%s: 'listen_prot' is not known.", path);
    assert_wrong(expected, "--config", path);
    write_file("{\"queue\":true,\"Queue\":true}");
    text_format(expected, sizeof expected, "%s: 'Queue' is given twice.", path);
    assert_wrong(expected, "--config", path);
    write_file("{\"state_dir\":\"x\",\"places\":[{\"name\":\"p\",\"romos\":2}]}");
    text_format(expected, sizeof expected, "%s: 'places[0].romos' is not known.", path);
    assert_wrong(expected, "--config", path);
    write_file("{\n  \"queue\": yes\n}");
    text_format(expected, sizeof expected, "%s:2:12: not valid JSON: invalid char in json text.",
                path);
    assert_wrong(expected, "--config", path);
    write_file("[]");
    text_format(expected, sizeof expected, "%s:1:1: not valid JSON: an object was expected.", path);
    assert_wrong(expected, "--config", path);
    assert_int_equal(LOAD("--config=/no/such/file"), OPTIONS_WRONG);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

TEST(shows_help_from_the_table)
{
    static char said[8192];
    struct capture capture = capture_begin(STDOUT_FILENO);
    enum options_outcome outcome = LOAD("--help");
    capture_end(&capture, said, sizeof said);
    assert_int_equal(outcome, OPTIONS_EXIT);
    assert_non_null(strstr(said, "--listen-port NUMBER\n      Where it listens. Default: 8080.\n"));
    assert_non_null(strstr(said, "--state-dir TEXT\n      What it keeps. Required.\n"));
    assert_non_null(strstr(said, "--log-level debug|info\n       Default: info.\n"));
    assert_non_null(strstr(said, "\"places\" (in the file only)\n      Rooms by place.\n"));
    assert_non_null(strstr(said, "TRIED_LISTEN_PORT"));
}

TEST(shows_each_setting_and_its_origin_but_no_secret)
{
    static char said[8192];
    setenv("TRIED_TOKEN", "TOPSECRET", 1);
    struct capture capture = capture_begin(STDOUT_FILENO);
    enum options_outcome outcome = LOAD("--state-dir=/x", "--print-config", "--overcommit=2");
    capture_end(&capture, said, sizeof said);
    assert_int_equal(outcome, OPTIONS_EXIT);
    assert_non_null(strstr(said, "listen_port = 8080  # default\n"));
    assert_non_null(strstr(said, "state_dir = \"/x\"  # --state-dir\n"));
    assert_non_null(strstr(said, "token = \"***\"  # TRIED_TOKEN\n"));
    assert_non_null(strstr(said, "overcommit = 2.0  # --overcommit\n"));
    assert_non_null(strstr(said, "places = -  # default\n"));
    assert_null(strstr(said, "TOPSECRET"));
    assert_int_equal(LOAD("--print-config"), OPTIONS_WRONG); /* the required one is missing */
}

TEST(shows_its_version)
{
    char said[100];
    struct capture capture = capture_begin(STDOUT_FILENO);
    enum options_outcome outcome = LOAD("--version");
    capture_end(&capture, said, sizeof said);
    assert_int_equal(outcome, OPTIONS_EXIT);
    assert_string_equal(said, "tried " BERTH_VERSION "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_flags_in_all_shapes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(falls_back_to_the_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lets_flags_win_over_environment_and_environment_over_file,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_the_source_of_what_is_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shows_help_from_the_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shows_each_setting_and_its_origin_but_no_secret, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(shows_its_version, set_up, tear_down),
    };
    return RUN_TESTS(tests);
}
