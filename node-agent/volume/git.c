/* gitRepo (§14.6): a repository cloned by Debian's git, in the depth of one commit where the server can do that.
 *
 * git runs as a user that owns nothing but the folder (git_files.c), without hooks, templates, submodules, prompts or
 * any configuration but what stands here. User and password of the address reach it through its environment and a
 * helper, so that they are in no argument, in no file and in nothing that it says. */
#include "base/limits.h"
#include "node-agent/volume/git_files.h"
#include "node-agent/volume/inside.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { GIT_SAID_MAX = 64 << 10, GIT_ENV_MAX = 40, GIT_WORD_SIZE = 1200, LINE_SIZE = 600 };

struct git {
    const struct making *making;
    struct git_address address;
    const char *into, *revision; /* relative folder; NULL: none */
    char name[256];
    char user[GIT_WORD_SIZE], password[GIT_WORD_SIZE], protocols[256], path[GIT_WORD_SIZE];
    char passed[6][GIT_WORD_SIZE];
    const char *env[GIT_ENV_MAX];
};

/* ---- its surroundings ---- */

static const char *const surroundings[] = {
    "HOME=/nonexistent",
    "LANG=C.UTF-8",
    "GIT_CONFIG_NOSYSTEM=1",
    "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_TERMINAL_PROMPT=0",
    "GIT_ASKPASS=true",
    "GIT_TEMPLATE_DIR=",
    "GIT_HTTP_LOW_SPEED_LIMIT=1000",
    "GIT_HTTP_LOW_SPEED_TIME=30",
    "GIT_COMMITTER_NAME=berth",
    "GIT_COMMITTER_EMAIL=berth@localhost",
    "GIT_CONFIG_COUNT=4",
    "GIT_CONFIG_KEY_0=core.hooksPath",
    "GIT_CONFIG_VALUE_0=/dev/null",
    "GIT_CONFIG_KEY_1=advice.detachedHead",
    "GIT_CONFIG_VALUE_1=false",
    "GIT_CONFIG_KEY_2=gc.auto",
    "GIT_CONFIG_VALUE_2=0",
    "GIT_CONFIG_KEY_3=credential.helper",
};

/* As git asks (git-credential(1)): "get", and the answer in lines. */
static const char helper[] =
    "GIT_CONFIG_VALUE_3=!f() { test \"$1\" = get && test -n \"$BERTH_GIT_USER\" && "
    "echo \"username=$BERTH_GIT_USER\" && echo \"password=$BERTH_GIT_PASSWORD\"; }; f";

static const char *const passed_on[] = {"http_proxy", "https_proxy", "no_proxy",
                                        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"};

static bool is_allowed(const struct text_list *protocols, const char *protocol)
{
    for (size_t i = 0; i < protocols->count; i++) {
        if (strcmp(protocols->items[i], protocol) == 0)
            return true;
    }
    return false;
}

static void surround(struct git *git)
{
    const char *path = getenv("PATH");
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(surroundings); i++)
        git->env[count++] = surroundings[i];
    git->env[count++] = helper;
    text_format(git->path, sizeof git->path, "PATH=%s", path ? path : "/usr/bin:/bin");
    text_format(git->protocols, sizeof git->protocols, "GIT_ALLOW_PROTOCOL=%s",
                git->address.protocol);
    text_format(git->user, sizeof git->user, "BERTH_GIT_USER=%s", git->address.user);
    text_format(git->password, sizeof git->password, "BERTH_GIT_PASSWORD=%s",
                git->address.password);
    git->env[count++] = git->path;
    git->env[count++] = git->protocols;
    git->env[count++] = git->user;
    git->env[count++] = git->password;
    for (size_t i = 0; i < COUNT_OF(passed_on); i++) {
        const char *value = getenv(passed_on[i]);
        if (value && text_format(git->passed[i], GIT_WORD_SIZE, "%s=%s", passed_on[i], value))
            git->env[count++] = git->passed[i];
    }
    git->env[count] = NULL;
}

/* ---- calls ---- */

static bool git_run(struct git *git, const char *const *argv, struct text *said, bool *good,
                    struct err *err)
{
    struct program program = {
        .argv = argv,
        .envp = git->env,
        .timeout_ms = LIMIT_VOLUME_GIT_MS,
        .in_child = git_confine,
        .context = (void *)(uintptr_t)git->making->data,
    };
    int exit_code = 0;

    text_clear(said);
    if (!program_run(git->making, &program, said, &exit_code, err))
        return false;
    *good = exit_code == 0;
    return true;
}

static const char *git_of(const struct git *git)
{
    const char *program = git->making->volumes->options.git;

    return program ? program : "git";
}

/* One commit: of the default branch, or of a branch, tag or full commit id that the server hands out by itself. */
static bool clone_shallow(struct git *git, struct text *said, bool *good, struct err *err)
{
    const char *program = git_of(git), *into = git->into, *address = git->address.clean;
    const char *init[] = {program, "init", "-q", "--", into, NULL};
    const char *remote[] = {program, "-C", into, "remote", "add", "origin", address, NULL};
    const char *fetch[] = {program,  "-C",          into,        "fetch",
                           "-q",     "--depth=1",   "--no-tags", "--no-recurse-submodules",
                           "origin", git->revision, NULL};
    const char *checkout[] = {program, "-C",       into,         "checkout",
                              "-q",    "--detach", "FETCH_HEAD", NULL};
    const char *const *calls[] = {init, remote, fetch, checkout};
    const char *clone[] = {program, "clone", "-q", "--depth=1", "--no-recurse-submodules",
                           "--",    address, into, NULL};

    if (!git->revision)
        return git_run(git, clone, said, good, err);
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        if (!git_run(git, calls[i], said, good, err))
            return false;
        if (!*good)
            return true;
    }
    return true;
}

/* The whole repository. */
static bool clone_whole(struct git *git, struct text *said, bool *good, struct err *err)
{
    const char *program = git_of(git), *into = git->into;
    const char *clone[] = {program,
                           "clone",
                           "-q",
                           "--no-checkout",
                           "--no-recurse-submodules",
                           "--",
                           git->address.clean,
                           into,
                           NULL};
    const char *checkout[] = {
        program, "-C", into, "checkout", "-q", git->revision ? git->revision : "HEAD", "--", NULL};

    return git_run(git, clone, said, good, err) &&
           (!*good || git_run(git, checkout, said, good, err));
}

/* ---- what went wrong ---- */

static bool is_for_good(const char *line)
{
    static const char *const words[] = {
        "not found",
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "did not match",
        "couldn't find remote ref",
        "Could not find remote ref",
        "not a git repository",
        "does not appear to be a git",
        "invalid reference",
        "unable to read tree",
        "not our ref",
        "not allowed",
        "access denied",
        "The requested URL returned error: 403",
    };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcasestr(line, words[i]))
            return true;
    }
    return false;
}

/* git's own sentence: the one after "fatal: ", or "error: ". */
static bool git_failed(const struct git *git, const struct text *said, struct err *err)
{
    char line[LINE_SIZE];
    const char *fatal = said->bytes ? strstr(said->bytes, "fatal: ") : NULL;

    fatal = fatal ? fatal : said->bytes ? strstr(said->bytes, "error: ") : NULL;
    if (fatal)
        text_format(line, sizeof line, "%.*s", (int)strcspn(fatal + 7, "\n"), fatal + 7);
    else
        last_line(said, line, sizeof line);
    return err_set(err, is_for_good(line) ? ERR_VOLUME : ERR_IO, "repository '%.300s'%s%s: %s",
                   git->address.clean, git->revision ? ", revision " : "",
                   git->revision ? git->revision : "", line);
}

/* ---- the volume ---- */

static bool begin_empty(const struct making *making, struct err *err)
{
    char image[VOLUME_PATH_SIZE];

    text_format(image, sizeof image, "%s/image", making->folder);
    if (!mounts_take_down(making->data, err))
        return false;
    if (!making->volumes->unsized &&
        !sized_mount(making, image, making->data, LIMIT_VOLUME_BYTES_MAX, err))
        return false;
    return git_files_to_git(making->data, err);
}

/* Servers that know no depth, commits that only the history tells. */
static bool history_may_help(const struct text *said)
{
    static const char *const words[] = {"shallow", "remote ref", "our ref", "unadvertised"};

    for (size_t i = 0; said->bytes && i < COUNT_OF(words); i++) {
        if (strcasestr(said->bytes, words[i]))
            return true;
    }
    return false;
}

static bool clone(struct git *git, struct err *err)
{
    AUTO(text) *said = text_new(GIT_SAID_MAX);
    bool good = false;

    if (!said)
        return err_set(err, ERR_BUSY, "no memory for a clone");
    if (!begin_empty(git->making, err) || !clone_shallow(git, said, &good, err))
        return false;
    if (good)
        return true;
    if (!history_may_help(said))
        return git_failed(git, said, err);
    return begin_empty(git->making, err) && clone_whole(git, said, &good, err) &&
           (good || git_failed(git, said, err));
}

/* Without a folder named it is git's own choice: the repository's name. */
static bool own_name(const char *address, char *out, size_t size)
{
    size_t end = strlen(address);

    while (end > 0 && address[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && address[begin - 1] != '/')
        begin--;
    if (end - begin > 4 && strncmp(address + end - 4, ".git", 4) == 0)
        end -= 4;
    return text_format(out, size, "%.*s", (int)(end - begin), address + begin) && out[0] &&
           out[0] != '.' && out[0] != '-';
}

static bool take_protocol(const struct git *git, struct err *err)
{
    static const char *usual[] = {"https", "http", "git"};
    const struct text_list by_default = {true, usual, COUNT_OF(usual)};
    const struct text_list *allowed = &git->making->volumes->options.git_protocols;

    return is_allowed(allowed->count > 0 ? allowed : &by_default, git->address.protocol) ||
           err_set(err, ERR_VOLUME, "this node clones nothing by '%s'", git->address.protocol);
}

static bool describe(struct git *git, const struct git_volume *asked, struct err *err)
{
    if (!git_address_parse(asked->repository, &git->address))
        return err_set(err, ERR_VOLUME, "its repository is no address that git could clone");
    if (!take_protocol(git, err))
        return false;
    if (!program_is_here(git_of(git)))
        return err_set(err, ERR_NOT_IMPLEMENTED,
                       "this node clones no repositories: git is missing (package git)");
    git->revision = asked->revision && asked->revision[0] ? asked->revision : NULL;
    git->into = git->name;
    if (asked->directory && asked->directory[0])
        git->into = asked->directory;
    else if (!own_name(git->address.clean, git->name, sizeof git->name))
        return err_set(err, ERR_VOLUME, "its repository has no name for a folder: say 'directory'");
    return (!strstr(git->into, "..") && git->into[0] != '/') ||
           err_set(err, ERR_VOLUME, "its directory leads out of the volume");
}

enum made git_make(const struct making *making, struct err *err)
{
    struct git git = {.making = making};
    enum made made = making->volumes->unsized ? MADE_FOLDER : MADE_MOUNT;

    if (!describe(&git, making->volume->git, err))
        return MADE_NOT;
    surround(&git);
    bool cloned =
        clone(&git, err) && git_files_to_root(making->data, making->group->users.first, err);
    explicit_bzero(&git, sizeof git);
    return cloned && chmod(making->data, 0777) == 0 ? made : MADE_NOT;
}
