#include "node-agent/image/unpack_confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A window of zstd has up to 128 MiB; what libarchive and the digests need beside it is below 10. */
enum { DATA_MAX = 384 << 20 };

/* ---- folders ---- */

enum { LANDLOCK_ABI_WITH_REFER = 2 }; /* before it, hard links between folders are always refused */

static bool landlock_allow(int ruleset, int folder, uint64_t access)
{
    const struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = folder};

    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

static bool confine_folders(const struct unpack *unpack)
{
    const uint64_t look = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    const uint64_t fill = look | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                          LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                          LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                          LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                          LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM |
                          LANDLOCK_ACCESS_FS_REFER;
    const struct landlock_ruleset_attr all = {.handled_access_fs =
                                                  fill | LANDLOCK_ACCESS_FS_EXECUTE};

    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) <
        LANDLOCK_ABI_WITH_REFER)
        return true;
    AUTO_CLOSE int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    bool allowed = ruleset >= 0 && landlock_allow(ruleset, unpack->root, fill);
    for (size_t i = 0; allowed && i < unpack->lowers_count; i++)
        allowed = landlock_allow(ruleset, unpack->lowers[i], look);
    return allowed && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

/* ---- rights ---- */

/* SYS_ADMIN writes trusted.overlay.opaque; what else it opens, the list of calls below closes. */
static bool confine_rights(void)
{
    static const int kept[] = {CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FOWNER,   CAP_FSETID,
                               CAP_SETFCAP, CAP_MKNOD,        CAP_SYS_ADMIN};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct had[2], wanted[2] = {{0}};

    if (syscall(SYS_capget, &header, had) != 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        wanted[CAP_TO_INDEX(kept[i])].permitted |= CAP_TO_MASK(kept[i]);
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        wanted[i].permitted &= had[i].permitted;
        wanted[i].effective = wanted[i].permitted;
    }
    return syscall(SYS_capset, &header, wanted) == 0;
}

static bool confine_amounts(const struct unpack *unpack)
{
    const struct rlimit file = {(rlim_t)unpack->bytes_max, (rlim_t)unpack->bytes_max};
    const struct rlimit core = {0, 0};

    /* A sanitizer's own memory is beyond any such ceiling. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const struct rlimit data = {DATA_MAX, DATA_MAX};
    if (setrlimit(RLIMIT_DATA, &data) != 0)
        return false;
#endif
    signal(SIGXFSZ, SIG_IGN); /* EFBIG says it better */
    return setrlimit(RLIMIT_FSIZE, &file) == 0 && setrlimit(RLIMIT_CORE, &core) == 0;
}

/* ---- system calls ---- */

#define CALL(name) SCMP_SYS(name)
static const int calls[] = {
    /* files of the layer */
    CALL(open),
    CALL(openat),
    CALL(openat2),
    CALL(close),
    CALL(read),
    CALL(readv),
    CALL(write),
    CALL(writev),
    CALL(pread64),
    CALL(pwrite64),
    CALL(lseek),
    CALL(stat),
    CALL(lstat),
    CALL(fstat),
    CALL(newfstatat),
    CALL(statx),
    CALL(fstatfs),
    CALL(getdents64),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(readlink),
    CALL(readlinkat),
    CALL(mkdir),
    CALL(mkdirat),
    CALL(mknod),
    CALL(mknodat),
    CALL(symlink),
    CALL(symlinkat),
    CALL(link),
    CALL(linkat),
    CALL(unlink),
    CALL(unlinkat),
    CALL(rmdir),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(ftruncate),
    CALL(fallocate),
    CALL(fchown),
    CALL(fchownat),
    CALL(fchmod),
    CALL(fchmodat),
    CALL(utimensat),
    CALL(fsetxattr),
    CALL(fgetxattr),
    CALL(fcntl),
    CALL(dup),
    CALL(poll),
    CALL(ppoll),
    /* memory, time, the end */
    CALL(brk),
    CALL(mmap),
    CALL(munmap),
    CALL(mremap),
    CALL(mprotect),
    CALL(madvise),
    CALL(futex),
    CALL(getrandom),
    CALL(clock_gettime),
    CALL(gettimeofday),
    CALL(sched_yield),
    CALL(getpid),
    CALL(gettid),
    CALL(tgkill),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(sigaltstack),
    CALL(restart_syscall),
    CALL(exit),
    CALL(exit_group),
};
#undef CALL

/* Refused rather than fatal: a C library that tries a newer call first goes on with the older one. */
static bool confine_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    bool made = filter != NULL;

    for (size_t i = 0; made && i < COUNT_OF(calls); i++)
        made = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) == 0;
    made = made && seccomp_load(filter) == 0; /* no_new_privs comes with it */
    seccomp_release(filter);
    return made;
}

bool unpack_confine(const struct unpack *unpack, struct err *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0 &&
        confine_amounts(unpack) && confine_folders(unpack) && confine_rights() && confine_calls())
        return true;
    return err_set_os(err, ERR_IO, errno, "cannot confine what unpacks an image");
}
