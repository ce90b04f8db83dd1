#include "node-agent/machine.h"

#include "base/file.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <linux/magic.h>
#include <malloc.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

enum { SMALL_FILE_MAX = 65536, HEAP_ARENAS = 1, HEAP_PIECE_MAX = 64 * 1024 };

static const char *first_line(const char *path, struct arena *arena, struct err *err)
{
    AUTO_FREE char *bytes = NULL;
    size_t size;

    if (!file_read(path, SMALL_FILE_MAX, &bytes, &size, err))
        return NULL;
    return arena_text_n(arena, bytes, strcspn(bytes, "\n"));
}

/* ---- description ---- */

/* A host name's first label, in the letters a node's name may have. */
static const char *node_name(const struct agent_config *config, const struct utsname *system,
                             struct arena *arena)
{
    char *name = arena_text(arena, config->name ? config->name : system->nodename);

    if (!name)
        return NULL;
    name[strcspn(name, ".")] = '\0';
    for (char *at = name; *at; at++) {
        *at = (char)tolower((unsigned char)*at);
        if (!isalnum((unsigned char)*at) && *at != '-')
            *at = '-';
    }
    return name;
}

static const char *architecture(const struct utsname *system)
{
    if (strcmp(system->machine, "x86_64") == 0)
        return "amd64";
    return strcmp(system->machine, "aarch64") == 0 ? "arm64" : "unknown";
}

static int64_t memory_total_mib(void)
{
    int64_t pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);

    return pages / 1024 * page_bytes / 1024;
}

static struct node_capacity *capacity_of(const struct agent_config *config, struct arena *arena,
                                         struct err *err)
{
    struct node_capacity *capacity = ARENA_NEW(arena, struct node_capacity);
    int64_t overcommit_milli =
        config->cpu_overcommit.given == GIVEN_VALUE ? config->cpu_overcommit.milli : 1000;
    int64_t cpu_milli =
        config->cpu_milli ? config->cpu_milli : sysconf(_SC_NPROCESSORS_ONLN) * 1000;
    int64_t memory_mib = config->memory_mib ? config->memory_mib : memory_total_mib();

    if (!capacity)
        return NULL;
    capacity->cpu_milli = (cpu_milli - config->cpu_reserve_milli) * overcommit_milli / 1000;
    capacity->memory_mib = memory_mib - config->memory_reserve_mib;
    if (capacity->cpu_milli > 0 && capacity->memory_mib > 0)
        return capacity;
    err_set(err, ERR_INVALID,
            "nothing is left for groups: %lld mCPU and %lld MiB after the reserve",
            (long long)capacity->cpu_milli, (long long)capacity->memory_mib);
    return NULL;
}

bool machine_describe(const struct agent_config *config, struct arena *arena,
                      struct join_request *out, struct err *err)
{
    struct utsname system;

    if (uname(&system) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot ask for the machine's name");
    *out = (struct join_request){
        .name = node_name(config, &system, arena),
        .boot_id = first_line("/proc/sys/kernel/random/boot_id", arena, err),
        .location = config->location ? config->location : "",
        .zone = config->zone,
        .os = os_type_words[OS_LINUX],
        .architecture = architecture(&system),
        .address = config->public_address ? config->public_address : config->address,
        .version = BERTH_VERSION,
        .capacity = capacity_of(config, arena, err),
    };
    if (!out->name || !out->boot_id || !out->capacity)
        return err_add(err, "while looking at this machine");
    return true;
}

/* ---- memory files ---- */

static bool on_tmpfs(const char *path)
{
    struct statfs system;

    return statfs(path, &system) == 0 && system.f_type == TMPFS_MAGIC;
}

bool machine_memory_folder(const char *path, struct err *err)
{
    if (!file_make_folders(path, 0700, err))
        return false;
    if (on_tmpfs(path))
        return true;
    if (mount("berth-agent", path, "tmpfs", MS_NODEV | MS_NOSUID, "mode=0700") != 0)
        return err_set_os(err, ERR_IO, errno,
                          "cannot mount a tmpfs at %s, where specs with secrets are kept", path);
    return true;
}

/* A mount point lies on another device than its parent. */
static bool is_mount_point(const char *path)
{
    char parent[4096];
    struct stat here, above;

    return text_format(parent, sizeof parent, "%s/..", path) && stat(path, &here) == 0 &&
           stat(parent, &above) == 0 && here.st_dev != above.st_dev;
}

bool machine_memory_folder_remove(const char *path, struct err *err)
{
    if (on_tmpfs(path) && is_mount_point(path) && umount2(path, MNT_DETACH) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot unmount %s", path);
    return file_remove_tree(path, err);
}

void machine_no_dumps(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

void machine_small_heap(void)
{
    mallopt(M_ARENA_MAX, HEAP_ARENAS);
    mallopt(M_MMAP_THRESHOLD,
            HEAP_PIECE_MAX); /* and stays there: what is larger goes back when it is freed */
    mallopt(M_TRIM_THRESHOLD, HEAP_PIECE_MAX);
}

void machine_many_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}
