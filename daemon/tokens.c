#include "daemon/tokens.h"

#include "base/file.h"
#include "base/id.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

enum { TOKEN_FILE_MAX = 4096, PATH_SIZE = 4096 };

struct source {
    const char *setting; /* "token" */
    const char *value, *path;
    const char *made_as; /* file in state_dir when neither is given */
};

static bool token_check(const char *token, const char *where, struct err *err)
{
    if (strlen(token) < TOKEN_SIZE_MIN)
        return err_set(err, ERR_INVALID, "%s: a token has at least %d characters", where,
                       TOKEN_SIZE_MIN);
    for (const char *at = token; *at; at++)
        if (!isgraph((unsigned char)*at))
            return err_set(err, ERR_INVALID, "%s: a token is one word of printable ASCII", where);
    return true;
}

static void warn_when_open(const char *path)
{
    struct stat stat_of;
    if (stat(path, &stat_of) == 0 && (stat_of.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        log_warn("token_file_open_to_others", "path=%s mode=%o", LOG_QUOTE(path),
                 (unsigned)stat_of.st_mode & 07777);
}

/* The one line of the file, without blanks around it. */
static const char *token_read(const char *path, struct arena *arena, struct err *err)
{
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;
    if (!file_read(path, TOKEN_FILE_MAX, &bytes, &size, err))
        return NULL;
    warn_when_open(path);
    const char *first = bytes;
    while (isspace((unsigned char)*first))
        first++;
    size = strlen(first);
    while (size > 0 && isspace((unsigned char)first[size - 1]))
        size--;
    const char *token = arena_text_n(arena, first, size);
    memset(bytes, 0, strlen(bytes));
    if (!token)
        err_set(err, ERR_BUSY, "out of memory reading %s", path);
    return token && token_check(token, path, err) ? token : NULL;
}

static bool token_make(const char *path, const struct source *source, struct err *err)
{
    char token[ID_TOKEN_SIZE + 1];
    id_token(token);
    size_t size = strlen(token);
    token[size] = '\n';
    if (!file_replace(path, token, size + 1, 0600, true, err))
        return err_add(err, "while making a %s", source->setting);
    log_info("token_made", "setting=%s path=%s", source->setting, LOG_QUOTE(path));
    return true;
}

static const char *token_load(const struct source *source, const char *state_dir,
                              struct arena *arena, struct err *err)
{
    char path[PATH_SIZE];
    if (source->value)
        return token_check(source->value, source->setting, err) ? source->value : NULL;
    if (source->path)
        return token_read(source->path, arena, err);
    text_format(path, sizeof path, "%s/%s", state_dir, source->made_as);
    if (!file_exists(path) && !token_make(path, source, err))
        return NULL;
    return token_read(path, arena, err);
}

bool tokens_load(const struct config *config, struct arena *arena, struct tokens *tokens,
                 struct err *err)
{
    struct source token = {"token", config->token, config->token_file, "token"};
    struct source join = {"join_token", config->join_token, config->join_token_file, "join-token"};
    struct tokens loaded = {.token = token_load(&token, config->state_dir, arena, err)};
    if (!loaded.token)
        return false;
    loaded.join_token = token_load(&join, config->state_dir, arena, err);
    if (!loaded.join_token)
        return false;
    if (text_equal_secret(loaded.token, loaded.join_token))
        return err_set(
            err, ERR_INVALID,
            "token and join_token are the same: a node must not be able to act as a client");
    *tokens = loaded;
    return true;
}
