/* Programs of others that volumes are made with. */
#include "node-agent/volume/inside.h"

#include <string.h>

bool program_is_here(const char *name)
{
    const char *at = getenv("PATH");
    char path[VOLUME_PATH_SIZE];

    if (strchr(name, '/'))
        return access(name, X_OK) == 0;
    while (at && *at) {
        size_t size = strcspn(at, ":");
        if (text_format(path, sizeof path, "%.*s/%s", (int)size, at, name) &&
            access(path, X_OK) == 0)
            return true;
        at += size + (at[size] == ':');
    }
    return false;
}

bool program_run(const struct making *making, const struct program *program, struct text *errors,
                 int *exit_code, struct err *err)
{
    struct process process = {
        .argv = program->argv,
        .envp = program->envp,
        .input = program->input,
        .input_size = program->input ? strlen(program->input) : 0,
        .timeout_ms = program->timeout_ms,
        .cancel_fd = making->group->cancel_fd >= 0 ? &making->group->cancel_fd : NULL,
        .in_child = program->in_child,
        .context = program->context,
    };
    struct process_result result = {0};

    if (!process_run(&process, program->out, errors, &result, err))
        return false;
    if (result.cancelled)
        return err_set(err, ERR_CLOSED, "volumes are not wanted any more");
    if (result.timed_out)
        return err_set(err, ERR_TIMEOUT, "%s did not end within %lld s", program->argv[0],
                       (long long)program->timeout_ms / 1000);
    *exit_code = result.exit_code;
    return true;
}

const char *last_line(const struct text *said, char *out, size_t size)
{
    const char *first = said && said->bytes ? said->bytes : "";
    const char *end = first + strlen(first), *begin;

    while (end > first && (end[-1] == '\n' || end[-1] == ' '))
        end--;
    for (begin = end; begin > first && begin[-1] != '\n';)
        begin--;
    text_format(out, size, "%.*s", (int)(end - begin), begin);
    return out;
}
