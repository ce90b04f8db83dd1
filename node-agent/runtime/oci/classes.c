/* Which OCI runtimes this node has, and which of them a container was made by. The name of the class is kept
 * as a link in the container's folder, made before anything else, so that whoever takes it away, now or
 * after a restart, asks the right program. */
#include "node-agent/runtime/oci/oci.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/process.h"
#include "model/runtime_class.h"

#include <errno.h>
#include <string.h>

/* A new OCI runtime is a line here; one that is not here can be used all the same, by its command line
 * alone. */
static const struct oci_program programs[] = {
    {.name = "crun",
     .entered = true,
     .cgroups_off = "--cgroup-manager=disabled",
     .gives_terminal = true,
     .takes_bpf = true,
     .is_plain = true,
     .joins_users = true,
     .start = START_BY_WRITING},
    {.name = "runc",
     .is_plain = true,
     .joins_users = true,
     .maps_users_until = 102,
     .start = START_BY_READING},
    /* A kernel in user space, with a user namespace of its own around it. It keeps to the group's network namespace and
     * uses the sockets of that: its own network stack would take the address away from the group's other containers. */
    {.name = "runsc",
     .entered = true,
     .cgroups_off = "--ignore-cgroups",
     .option = "--network=host",
     .shares_terminal = true,
     .state_of_sandbox = true,
     .start = START_BY_PROGRAM},
    {.name = NULL, .start = START_BY_PROGRAM},
};

static const struct oci_program *traits_of(const char *program)
{
    const char *slash = strrchr(program, '/');
    size_t i = 0;
    while (programs[i].name && strcmp(programs[i].name, slash ? slash + 1 : program) != 0)
        i++;
    return &programs[i];
}

/* ---- at the start ---- */

/* Of "runc version 1.1.5+ds1": 101. */
static int release_of(const char *said)
{
    const char *version = said ? strstr(said, "version ") : NULL, *at = version ? version + 8 : "";
    size_t major = strspn(at, "0123456789"),
           minor = at[major] == '.' ? strspn(at + major + 1, "0123456789") : 0;
    char text[16];
    int64_t first = 0, second = 0;
    return text_format(text, sizeof text, "%.*s", (int)major, at) && text_to_int(text, &first) &&
                   text_format(text, sizeof text, "%.*s", (int)minor, at + major + 1) &&
                   text_to_int(text, &second) && first < 1000 && second < 100
               ? (int)(first * 100 + second)
               : 0;
}

/* Whether it runs at all: a program for another machine, or without its libraries, is none. */
static bool answers(const char *program, int *release)
{
    const char *argv[] = {program, "--version", NULL};
    struct process process = {.argv = argv, .timeout_ms = LIMIT_RUNTIME_CALL_MS};
    struct process_result result;
    struct err ignored;
    AUTO(text) *said = text_new(16 * 1024);
    if (!process_run(&process, said, said, &result, &ignored) || result.exit_code != 0)
        return false;
    *release = release_of(said->bytes);
    return true;
}

const struct oci_class *oci_class_named(const struct oci *oci, const char *name)
{
    for (size_t i = 0; i < oci->classes_count; i++)
        if (strcmp(oci->classes[i].name, name) == 0)
            return &oci->classes[i];
    return NULL;
}

static bool add(struct oci *oci, const char *name, const char *program, struct err *err)
{
    struct oci_class *class = &oci->classes[oci->classes_count];
    int release = 0;
    if (!runtime_class_valid(name))
        return err_set(err, ERR_INVALID, "'%s' is no name of a runtime class", name);
    if (oci->classes_count == RUNTIME_CLASSES_MAX)
        return err_set(err, ERR_INVALID, "more than %d runtime classes", RUNTIME_CLASSES_MAX);
    if (oci_class_named(oci, name))
        return true;
    if (!oci_find_program(program, class->program, err))
        return false;
    if (!answers(class->program, &release))
        return err_set(err, ERR_IO, "%s --version fails", class->program);
    class->traits = traits_of(class->program);
    class->maps_users = release < class->traits->maps_users_until;
    text_copy(class->name, sizeof class->name, name);
    oci->class_names[oci->classes_count++] = class->name;
    oci->class_list =
        (struct text_list){.given = true, .items = oci->class_names, .count = oci->classes_count};
    return true;
}

/* "name" or "name=program". */
static bool add_written(struct oci *oci, const char *written, struct err *err)
{
    char name[RUNTIME_CLASS_SIZE];
    const char *equals = strchr(written, '=');
    if (!text_format(name, sizeof name, "%.*s", (int)strcspn(written, "="), written))
        return err_set(err, ERR_INVALID, "'%s' is no name of a runtime class", written);
    return add(oci, name, equals ? equals + 1 : written, err);
}

/* The usual one is a class like others, named like its program. It must be there; so must those that the
 * configuration names. Of those we know, the ones that are there are offered. */
bool oci_find_classes(struct oci *oci, const struct runtime_options *options, struct err *err)
{
    const char *usual = options->program ? options->program : "crun";
    const char *slash = strrchr(usual, '/'), *name = slash ? slash + 1 : usual;
    if (!add(oci, runtime_class_valid(name) ? name : "usual", usual, err))
        return false;
    for (size_t i = 0; i < options->classes.count; i++)
        if (!add_written(oci, options->classes.items[i], err))
            return false;
    for (size_t i = 0; !options->classes.given && programs[i].name; i++) {
        struct err missing;
        if (!add(oci, programs[i].name, programs[i].name, &missing))
            log_debug("runtime_class_missing", "class=%s why=%s", programs[i].name,
                      LOG_QUOTE(missing.text));
    }
    return true;
}

/* ---- of one container ---- */

/* Without a link, which only half a container lacks, it is the usual one's. */
const struct oci_class *oci_class_of(const struct oci *oci, const char *folder)
{
    char path[OCI_PATH_SIZE], name[RUNTIME_CLASS_SIZE];
    oci_file(folder, "class", path);
    ssize_t size = readlink(path, name, sizeof name - 1);
    name[size > 0 ? size : 0] = '\0';
    const struct oci_class *class = size > 0 ? oci_class_named(oci, name) : NULL;
    return class ? class : &oci->classes[0];
}

bool oci_class_take(const struct oci *oci, struct oci_place *place, const char *name,
                    struct err *err)
{
    char path[OCI_PATH_SIZE];
    const struct oci_class *class = name ? oci_class_named(oci, name) : &oci->classes[0];
    if (!class)
        return err_set(err, ERR_RUNTIME_CLASS, "this node does not have the runtime class '%s'",
                       name);
    oci_file(place->folder, "class", path);
    if (symlink(class->name, path) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot make %s", path);
    place->class = class;
    oci_place_state(oci, place);
    return true;
}

/* Where the runtime keeps what it knows of the container: a folder; runsc has two files beside others. */
void oci_place_state(const struct oci *oci, struct oci_place *place)
{
    bool fits =
        place->class->traits->state_of_sandbox
            ? text_format(place->state, sizeof place->state, "%s/oci/%s_sandbox:%s.state",
                          oci->root, place->id, place->id)
            : text_format(place->state, sizeof place->state, "%s/oci/%s", oci->root, place->id);
    CHECK(fits);
}
