#include "tests/unit/image/bench.h"

#include "tests/unit/unit.h"

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#ifndef SOURCE_ROOT
#error "SOURCE_ROOT names the folder that holds tools/"
#endif

/* A port that was free a moment ago. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static bool answers(const struct bench *bench)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int64_t port;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(text_to_int(strchr(bench->host, ':') + 1, &port));
    address.sin_port = htons((uint16_t)port);
    bool open = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return open;
}

void bench_shell(struct bench *bench, const char *line, char *out, int out_size)
{
    AUTO(text) *said = text_new(1 << 20);
    AUTO(text) *script = text_new(65536);
    const char *argv[] = {"sh", "-c", NULL, NULL};
    struct process process = {.argv = argv, .timeout_ms = 60000};
    struct process_result result;
    struct err err;

    text_addf(script, "set -e; cd %s; %s", bench->folder, line);
    argv[2] = script->bytes;
    assert_true(process_run(&process, said, said, &result, &err));
    if (result.exit_code != 0)
        fail_msg("%s: %s", line, said->bytes);
    if (out) {
        said->bytes[strcspn(said->bytes, "\n")] = '\0';
        assert_true(text_copy(out, (size_t)out_size, said->bytes));
    }
}

static void write_config(struct bench *bench, const char *password)
{
    AUTO(text) *config = text_new(8192);
    char path[128];
    struct err err;

    text_addf(config,
              "version: 0.1\n"
              "storage: {filesystem: {rootdirectory: %s/registry}, delete: {enabled: true}}\n"
              "http: {addr: \"%s\"}\n"
              "log: {level: error, accesslog: {disabled: true}}\n",
              bench->folder, bench->host);
    if (password)
        text_addf(config, "auth: {htpasswd: {realm: test, path: %s/htpasswd}}\n", bench->folder);
    assert_true(text_ok(config));
    assert_true(text_format(path, sizeof path, "%s/registry.yml", bench->folder));
    assert_true(file_replace(path, config->bytes, config->size, 0600, false, &err));
}

/* bcrypt, because the registry takes nothing else; the C library makes it. */
static void write_password(struct bench *bench, const char *password)
{
    char line[512];

    assert_true(text_format(line, sizeof line,
                            "perl -e 'print \"tester:\" . crypt(\"%s\", "
                            "\"\\$2y\\$05\\$abcdefghijklmnopqrstuu\") . \"\\n\"' >htpasswd",
                            password));
    bench_shell(bench, line, NULL, 0);
}

void bench_start_registry(struct bench *bench, const char *password)
{
    char config[128];

    if (password)
        write_password(bench, password);
    write_config(bench, password);
    assert_true(text_format(config, sizeof config, "%s/registry.yml", bench->folder));
    bench->registry = fork();
    if (bench->registry == 0) {
        int quiet = open("/dev/null", O_RDWR);
        dup2(quiet, 0);
        dup2(quiet, 1);
        dup2(quiet, 2);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("docker-registry", "docker-registry", "serve", config, (char *)NULL);
        _exit(127);
    }
    assert_true(bench->registry > 0);
    for (int tries = 0; !answers(bench); tries++) {
        assert_true(tries < 500);
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    }
}

void bench_stop_registry(struct bench *bench)
{
    if (bench->registry > 0) {
        kill(bench->registry, SIGKILL);
        waitpid(bench->registry, NULL, 0);
    }
    bench->registry = 0;
}

void bench_init(struct bench *bench, const char *password)
{
    assert_true(text_copy(bench->folder, sizeof bench->folder, "/tmp/berth-image-XXXXXX"));
    assert_non_null(mkdtemp(bench->folder));
    assert_true(text_format(bench->host, sizeof bench->host, "127.0.0.1:%d", free_port()));
    bench_start_registry(bench, password);
}

void bench_done(struct bench *bench)
{
    struct err err = {0};

    bench_stop_registry(bench);
    if (!file_remove_tree(bench->folder, &err))
        fail_msg("%s", err.text);
}

void bench_push(struct bench *bench, const char *name, const char *options, bool docker_format)
{
    char line[16384];

    assert_true(text_format(line, sizeof line, "%s/tools/make-image made %s >/dev/null",
                            SOURCE_ROOT, options));
    bench_shell(bench, line, NULL, 0);
    assert_true(text_format(line, sizeof line,
                            "skopeo copy -q --all --insecure-policy --dest-tls-verify=false "
                            "--dest-creds tester:secret %s oci:made docker://%s/%s",
                            docker_format ? "--format v2s2" : "", bench->host, name));
    bench_shell(bench, line, NULL, 0);
}

/* ---- the store ---- */

const char *bench_path(struct bench *bench, const char *name)
{
    static char paths[8][256];
    static unsigned turn;
    char *path = paths[turn++ % COUNT_OF(paths)];

    assert_true(text_format(path, sizeof paths[0], "%s/%s", bench->folder, name));
    return path;
}

const char *bench_program(struct bench *bench, const char *lines)
{
    static unsigned number;
    AUTO(text) *script = text_new(65536);
    char name[32];
    struct err err;

    text_addf(script, "#!/bin/sh\nskopeo=skopeo\ncd %s\n%s\n", bench->folder, lines);
    assert_true(text_ok(script));
    assert_true(text_format(name, sizeof name, "program%u", number++));
    assert_true(
        file_replace(bench_path(bench, name), script->bytes, script->size, 0755, false, &err));
    return bench_path(bench, name);
}

struct image_store *bench_open(struct bench *bench, const char *name,
                               const struct image_store_options *options)
{
    const char *insecure[] = {bench->host};
    struct image_store_options all = options ? *options : (struct image_store_options){0};
    struct err err = {0};

    if (!all.unpacker)
        all.unpacker = UNPACK_PROGRAM;
    all.insecure = (struct text_list){true, insecure, 1};
    struct image_store *store = image_store_open(bench_path(bench, name), &all, &err);
    if (!store)
        fail_msg("%s", err.text);
    return store;
}

struct image *bench_try(struct bench *bench, struct image_store *store, const char *name,
                        struct image_request request, struct err *err)
{
    char reference[256];

    assert_true(text_format(reference, sizeof reference, "%s/%s", bench->host, name));
    request.reference = reference;
    if (request.cancel_fd == 0)
        request.cancel_fd = -1;
    *err = (struct err){0};
    return image_pull(store, &request, err);
}

struct image *bench_pull(struct bench *bench, struct image_store *store, const char *name,
                         const char *holder)
{
    struct err err;
    struct image *image =
        bench_try(bench, store, name, (struct image_request){.holder = holder}, &err);

    if (!image)
        fail_msg("%s", err.text);
    return image;
}
