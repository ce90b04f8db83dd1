#include "tests/unit/image/unpacking.h"

#include "base/file.h"
#include "base/text.h"
#include "node-agent/image/tree.h"
#include "node-agent/image/unpacker.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct unpacking unpacking;
static bool apart; /* see APART */
static struct tree_debts debts;

const char *path_of(const char *name)
{
    static char path[8192];

    assert_true(text_format(path, sizeof path, "%s/%s", unpacking.folder, name));
    return path;
}

int open_dir(const char *name)
{
    int fd = open(path_of(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

void add(char type, const char *name, const char *link, const char *content)
{
    made_add(&unpacking.made,
             &(struct made_entry){
                 .type = type, .name = name, .link = link, .content = content, .mode = 0644});
}

bool unpack_over(const char *root_name, const char *lower_name, int64_t bytes_max,
                 int64_t files_max)
{
    AUTO_CLOSE int blob = made_file(unpacking.made.bytes, unpacking.made.size);
    AUTO_CLOSE int root = open_dir(root_name);
    AUTO_CLOSE int lower = lower_name ? open_dir(lower_name) : -1;
    const struct unpack unpack = {.blob = blob,
                                  .root = root,
                                  .lowers = apart ? NULL : &lower,
                                  .lowers_count = lower_name && !apart ? 1 : 0,
                                  .debts = lower_name && apart ? &debts : NULL,
                                  .bytes_max = bytes_max,
                                  .files_max = files_max,
                                  .cancel_fd = -1};

    memset(&unpacking.err, 0, sizeof unpacking.err);
    bool done = unpacker_run(UNPACK_PROGRAM, &unpack, &unpacking.unpacked, &unpacking.err);
    if (done && apart && lower_name) {
        assert_false(debts.unsettled);
        done = tree_settle(&debts, root, &lower, 1, &unpacking.err);
    }
    tree_debts_done(&debts);
    return done;
}

static bool unpack_made(void)
{
    made_end(&unpacking.made);
    return unpack_over("root", NULL, 1 << 28, 100000);
}

void must_unpack(void)
{
    if (!unpack_made())
        fail_msg("%s", unpacking.err.text);
}

void must_refuse(const char *words)
{
    assert_false(unpack_made());
    if (unpacking.err.code != ERR_IMAGE_INACCESSIBLE || !strstr(unpacking.err.text, words))
        fail_msg("%s (%d)", unpacking.err.text, (int)unpacking.err.code);
}

struct stat look(const char *name)
{
    struct stat seen;

    if (lstat(path_of(name), &seen) != 0)
        fail_msg("%s is not there", name);
    return seen;
}

bool there(const char *name)
{
    return file_exists(path_of(name));
}

void must_hold(const char *name, const char *content)
{
    AUTO_FREE char *bytes = NULL;
    struct err ignored;

    assert_true(file_read(path_of(name), 1 << 20, &bytes, NULL, &ignored));
    assert_string_equal(bytes, content);
}

int set_up(void **state UNUSED)
{
    assert_true(text_copy(unpacking.folder, sizeof unpacking.folder, "/tmp/berth-unpack-XXXXXX"));
    assert_non_null(mkdtemp(unpacking.folder));
    assert_int_equal(mkdir(path_of("root"), 0755), 0);
    assert_int_equal(mkdir(path_of("outside"), 0755), 0);
    assert_true(
        file_replace(path_of("outside/victim"), "untouched", 9, 0644, false, &unpacking.err));
    return 0;
}

int set_up_apart(void **state)
{
    apart = true;
    return set_up(state);
}

int tear_down(void **state UNUSED)
{
    struct err failure = {0};

    apart = false;
    made_drop(&unpacking.made);
    if (!file_remove_tree(unpacking.folder, &failure))
        fail_msg("%s", failure.text);
    return 0;
}
