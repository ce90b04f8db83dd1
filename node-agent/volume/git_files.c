#include "node-agent/volume/git_files.h"

#include <errno.h>
#include <fts.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The kernel's calls themselves: those of libc would speak to threads that are not there after fork(). */
static bool become_git_user(void)
{
    return syscall(SYS_setgroups, 0, NULL) == 0 &&
           syscall(SYS_setresgid, GIT_USER, GIT_USER, GIT_USER) == 0 &&
           syscall(SYS_setresuid, GIT_USER, GIT_USER, GIT_USER) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_PDEATHSIG, SIGKILL) == 0; /* forgotten with the change of user */
}

bool git_confine(void *context)
{
    umask(022);
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount(context, GIT_SEES, NULL, MS_BIND, NULL) == 0 && chdir(GIT_SEES) == 0 &&
           become_git_user();
}

bool git_files_to_git(const char *folder, struct err *err)
{
    return lchown(folder, GIT_USER, GIT_USER) == 0 ||
           err_set_os(err, ERR_IO, errno, "cannot give %s to git", folder);
}

bool git_files_to_root(const char *folder, uid_t root, struct err *err)
{
    char *roots[] = {(char *)(uintptr_t)folder, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT | FTS_XDEV, NULL);
    int failed = walk ? 0 : errno;

    for (FTSENT *entry; walk && !failed && (entry = fts_read(walk));) {
        if (entry->fts_info == FTS_DP)
            continue; /* seen on the way down */
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
            failed = entry->fts_errno;
        else if (lchown(entry->fts_path, root, root) != 0)
            failed = errno;
    }
    if (walk)
        fts_close(walk);
    return failed == 0 ||
           err_set_os(err, ERR_IO, failed, "cannot take over what git made in %s", folder);
}
