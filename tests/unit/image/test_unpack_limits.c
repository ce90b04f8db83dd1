/* Layers that are too large, damaged, not what was asked for or no longer wanted: each ends with a failure, while one
 * that is merely empty is unpacked. */
#include "tests/unit/image/unpacking.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "node-agent/image/unpacker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

/* ---- ceilings ---- */

TEST(refuses_more_bytes_than_allowed)
{
    size_t size = 1 << 20;
    AUTO_FREE char *bytes = malloc(size);

    memset(bytes, 'b', size);
    for (int i = 0; i < 5; i++)
        made_add(&unpacking.made,
                 &(struct made_entry){
                     .type = '0', .name = "big", .mode = 0644, .content = bytes, .size = size});
    made_end(&unpacking.made);
    assert_false(unpack_over("root", NULL, 4 << 20, 100));
    assert_int_equal(unpacking.err.code, ERR_IMAGE_INACCESSIBLE);
}

TEST(refuses_more_files_than_allowed)
{
    char name[32];

    for (int i = 0; i < 101; i++) {
        assert_true(text_format(name, sizeof name, "f%d", i));
        add('0', name, NULL, NULL);
    }
    made_end(&unpacking.made);
    assert_false(unpack_over("root", NULL, 1 << 28, 100));
    assert_non_null(strstr(unpacking.err.text, "too many files"));
}

TEST(refuses_a_file_that_says_it_is_huge)
{
    made_add(
        &unpacking.made,
        &(struct made_entry){.type = '0', .name = "huge", .mode = 0644, .size = (size_t)1 << 32});
    made_end(&unpacking.made);
    assert_false(unpack_over("root", NULL, 1 << 28, 100));
    assert_non_null(strstr(unpacking.err.text, "too large"));
    assert_false(there("root/huge"));
}

/* ---- damage ---- */

TEST(refuses_an_archive_that_is_cut_off)
{
    add('0', "file", NULL, "content that will be missing");
    unpacking.made.size = 512 + 10;
    assert_false(unpack_over("root", NULL, 1 << 28, 100));
    assert_int_equal(unpacking.err.code, ERR_IMAGE_INACCESSIBLE);
}

TEST(refuses_what_is_no_archive)
{
    static const char junk[4096] = "this is no archive at all";

    memcpy((unpacking.made.bytes = malloc(sizeof junk)), junk, unpacking.made.size = sizeof junk);
    assert_false(unpack_over("root", NULL, 1 << 28, 100));
    unpacking.made.size = 0;
    assert_false(unpack_over("root", NULL, 1 << 28, 100));
}

TEST(an_archive_without_entries_is_an_empty_layer)
{
    must_unpack();
    assert_int_equal(unpacking.unpacked.files, 0);
}

TEST(checks_both_digests)
{
    char digest[DIGEST_SIZE];
    const char *other = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    add('0', "file", NULL, "x");
    made_end(&unpacking.made);
    digest_of(unpacking.made.bytes, unpacking.made.size, digest);
    for (int i = 0; i < 3; i++) {
        AUTO_CLOSE int blob = made_file(unpacking.made.bytes, unpacking.made.size);
        AUTO_CLOSE int root = open_dir("root");
        const struct unpack unpack = {.blob = blob,
                                      .root = root,
                                      .bytes_max = 1 << 20,
                                      .files_max = 10,
                                      .cancel_fd = -1,
                                      .digest = i == 1 ? other : digest,
                                      .diff_id = i == 2 ? other : digest};
        assert_int_equal(unpacker_run(UNPACK_PROGRAM, &unpack, &unpacking.unpacked, &unpacking.err),
                         i == 0);
    }
    assert_non_null(strstr(unpacking.err.text, other));
}

TEST(stops_when_told)
{
    AUTO_CLOSE int bell = eventfd(1, EFD_CLOEXEC);

    add('0', "file", NULL, "x");
    made_end(&unpacking.made);
    AUTO_CLOSE int blob = made_file(unpacking.made.bytes, unpacking.made.size);
    AUTO_CLOSE int root = open_dir("root");
    const struct unpack unpack = {
        .blob = blob, .root = root, .bytes_max = 1 << 20, .files_max = 10, .cancel_fd = bell};
    assert_false(unpacker_run(UNPACK_PROGRAM, &unpack, &unpacking.unpacked, &unpacking.err));
    assert_int_equal(unpacking.err.code, ERR_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(refuses_more_bytes_than_allowed),
        IN_A_FOLDER(refuses_more_files_than_allowed),
        IN_A_FOLDER(refuses_a_file_that_says_it_is_huge),
        IN_A_FOLDER(refuses_an_archive_that_is_cut_off),
        IN_A_FOLDER(refuses_what_is_no_archive),
        IN_A_FOLDER(an_archive_without_entries_is_an_empty_layer),
        IN_A_FOLDER(checks_both_digests),
        IN_A_FOLDER(stops_when_told),
    };
    return RUN_TESTS(tests);
}
