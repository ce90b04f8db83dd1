/* What of volumes needs no kernel: addresses, servers, words of failures, mountinfo. */
#include "node-agent/volume/inside.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

TEST(user_and_password_are_cut_out_of_an_address)
{
    static const struct {
        const char *address, *clean, *protocol, *user, *password;
    } cases[] = {
        {"https://git.example/r.git", "https://git.example/r.git", "https", "", ""},
        {"HTTPS://me:pw@git.example/r", "https://git.example/r", "https", "me", "pw"},
        {"https://token@git.example/r", "https://git.example/r", "https", "token", ""},
        {"https://me:p%40s%2fs@git.example:8443/r?a=b@c", "https://git.example:8443/r?a=b@c",
         "https", "me", "p@s/s"},
        {"https://me:a@b@git.example/r", "https://git.example/r", "https", "me", "a@b"},
        {"https://me:a:b@git.example", "https://git.example", "https", "me", "a:b"},
        {"git://git.example/~user@home/r", "git://git.example/~user@home/r", "git", "", ""},
        {"https://:pw@git.example/r", "https://git.example/r", "https", "", "pw"},
    };
    struct git_address out;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(git_address_parse(cases[i].address, &out));
        assert_string_equal(out.clean, cases[i].clean);
        assert_string_equal(out.protocol, cases[i].protocol);
        assert_string_equal(out.user, cases[i].user);
        assert_string_equal(out.password, cases[i].password);
    }
}

TEST(what_is_no_address_of_a_repository_is_refused)
{
    static const char *const cases[] = {
        "", "r", "://h/r", "git@host:r.git", "ext::x y", "a-b://h", "https://a%0ab:c@h/r"};
    struct git_address out;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_false(git_address_parse(cases[i], &out));
}

TEST(a_storage_account_is_served_where_the_node_says)
{
    static struct text_pair servers[] = {{"store1", "10.0.0.1"},
                                         {"store2", "files.example:4455"},
                                         {"store3", "[::1]:99"},
                                         {"store4", ""},
                                         {"store5", "[::2]"}};
    struct volumes_options options = {.share_servers = {true, servers, COUNT_OF(servers)}};
    static const struct {
        const char *account, *host, *port;
    } cases[] = {
        {"store1", "10.0.0.1", "445"},
        {"store2", "files.example", "4455"},
        {"store3", "::1", "99"},
        {"store5", "::2", "445"},
        {"other", "other.file.core.windows.net", "445"},
    };
    struct share share;
    struct err err = {0};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(share_server_find(&options, cases[i].account, &share, &err));
        assert_string_equal(share.host, cases[i].host);
        assert_string_equal(share.port, cases[i].port);
    }
    assert_false(share_server_find(&options, "store4", &share, &err));
    assert_int_equal(err.code, ERR_NOT_IMPLEMENTED);
    options.share_suffix = "files.test:1445";
    assert_true(share_server_find(&options, "other", &share, &err));
    assert_string_equal(share.host, "other.files.test");
    assert_string_equal(share.port, "1445");
}

TEST(what_can_heal_is_told_apart_from_what_cannot)
{
    struct share share = {.path = "//a.example/docs"};
    struct err err = {0};

    assert_int_equal(share_errno("couldn't connect SMB: response error: The attempted logon is "
                                 "invalid. This is either due to a bad username"),
                     EACCES);
    assert_int_equal(share_errno("response error: {Network Name Not Found} The specified share "
                                 "name cannot be found on the remote server."),
                     ENOENT);
    assert_int_equal(share_errno("dial tcp 127.0.0.1:1: connect: connection refused"), 0);
    assert_false(share_refused(&share, EACCES, "", &err));
    assert_int_equal(err.code, ERR_VOLUME);
    assert_string_equal(err.text, "share '//a.example/docs': Output: mount error(13): Permission "
                                  "denied (the account's key is refused)");
    assert_false(share_refused(&share, 0, "connection refused", &err));
    assert_true(err_code_retry(err.code));
    assert_string_equal(err.text,
                        "share '//a.example/docs': Output: mount error: connection refused");
}

TEST(the_innermost_mount_below_a_folder_is_found)
{
    static const char mountinfo[] =
        "20 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        "31 20 0:28 / /var/g/volumes/a/data rw - tmpfs berth rw\n"
        "32 31 7:0 / /var/g/volumes/a/data/in\\040side rw - ext4 /dev/loop0 rw\n"
        "33 20 7:1 / /var/g/volumes-of-others rw - ext4 /dev/loop1 rw\n";
    char path[256];

    assert_true(mounts_last_below(mountinfo, "/var/g/volumes", path, sizeof path));
    assert_string_equal(path, "/var/g/volumes/a/data/in side");
    assert_true(mounts_last_below(mountinfo, "/var/g/volumes-of-others", path, sizeof path));
    assert_false(mounts_last_below(mountinfo, "/var/g/volumes/b", path, sizeof path));
    assert_false(mounts_last_below("", "/var", path, sizeof path));
}

TEST(the_last_words_of_a_program_are_its_last_line)
{
    AUTO(text) *said = text_new(100);
    char line[16];

    assert_string_equal(last_line(said, line, sizeof line), "");
    text_add(said, "first\nthe last one\n\n");
    assert_string_equal(last_line(said, line, sizeof line), "the last one");
    assert_string_equal(last_line(NULL, line, sizeof line), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(user_and_password_are_cut_out_of_an_address),
        cmocka_unit_test(what_is_no_address_of_a_repository_is_refused),
        cmocka_unit_test(a_storage_account_is_served_where_the_node_says),
        cmocka_unit_test(what_can_heal_is_told_apart_from_what_cannot),
        cmocka_unit_test(the_innermost_mount_below_a_folder_is_found),
        cmocka_unit_test(the_last_words_of_a_program_are_its_last_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
