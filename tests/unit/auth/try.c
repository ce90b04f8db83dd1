#include "try.h"

#include "base/log.h"
#include "base/text.h"

#include <string.h>

char try_folder[64];
int64_t try_now_ms;

static int64_t now_ms(void *context UNUSED)
{
    return try_now_ms;
}

static int64_t boot_ns(void *context UNUSED)
{
    return try_now_ms * 1000000;
}

int try_begin(void **state UNUSED)
{
    static const struct clock_source source = {.now_ms = now_ms, .boot_ns = boot_ns};

    log_configure(LOG_ERROR, false);
    try_now_ms = clock_now_ms();
    clock_replace(&source);
    text_copy(try_folder, sizeof try_folder, "/tmp/berth-auth-XXXXXX");
    return mkdtemp(try_folder) ? 0 : -1;
}

int try_end(void **state UNUSED)
{
    struct err err = {0};

    clock_replace(NULL);
    return file_remove_tree(try_folder, &err) ? 0 : -1;
}

const char *try_path(const char *name)
{
    static char path[128];

    text_format(path, sizeof path, "%s/%s", try_folder, name);
    return path;
}

void try_write(const char *name, const char *content, int mode)
{
    struct err err = {0};

    assert_true(file_replace(try_path(name), content, strlen(content), (mode_t)mode, false, &err));
}

struct auth_options try_options(void)
{
    static char principals[128];

    try_write("mine.json",
              "{\"principals\": [{\"clientId\": \"" TRY_CLIENT "\", \"objectId\": \"" TRY_OBJECT
              "\", \"secret\": \"" TRY_SECRET "\"}]}",
              0600);
    text_copy(principals, sizeof principals, try_path("mine.json"));
    return (struct auth_options){
        .state_dir = try_folder,
        .tenant_id = TRY_TENANT,
        .principals_file = principals,
        .listen_address = "127.0.0.1",
    };
}

struct auth *try_open(const struct auth_options *options)
{
    struct err err = {0};
    struct auth *auth = auth_open(options, &err);

    assert_string_equal(err.text, "");
    assert_non_null(auth);
    return auth;
}

struct err try_refused(const struct auth_options *options)
{
    struct err err = {0};

    assert_null(auth_open(options, &err));
    assert_true(err.text[0] != '\0');
    return err;
}
