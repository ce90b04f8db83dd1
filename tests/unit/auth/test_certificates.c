#include "try.h"

#include "api/auth/keys.h"
#include "api/auth/names.h"
#include "api/auth/x509.h"
#include "base/limits.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

static struct auth_options tls_options(void)
{
    struct auth_options options = try_options();

    options.tls = true;
    return options;
}

static X509 *read_certificate(const char *name)
{
    struct err err = {0};
    AUTO_FREE char *pem = NULL;
    size_t size = 0;

    assert_true(file_read(try_path(name), 65536, &pem, &size, &err));
    X509 *certificate = x509_parse(pem, size);
    assert_non_null(certificate);
    return certificate;
}

static X509 *shown(const struct auth *auth)
{
    const struct certificate *certificate = auth_certificate(auth);

    assert_non_null(certificate);
    return x509_parse(certificate->chain, strlen(certificate->chain));
}

static char *copy_of(const char *name)
{
    struct err err = {0};
    char *bytes = NULL;
    size_t size = 0;

    assert_true(file_read(try_path(name), 65536, &bytes, &size, &err));
    return bytes;
}

static int mode_of(const char *name)
{
    struct stat about;

    assert_int_equal(stat(try_path(name), &about), 0);
    return (int)(about.st_mode & 0777);
}

static bool verifies(X509 *certificate, X509 *authority)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    X509_STORE_add_cert(store, authority);
    X509_STORE_set_flags(store, X509_V_FLAG_X509_STRICT);
    X509_STORE_set_purpose(store, X509_PURPOSE_SSL_SERVER);
    X509_STORE_CTX_init(context, store, certificate, NULL);
    bool good = X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return good;
}

/* Each test begins without keys. */
static int clear(void **state UNUSED)
{
    struct err err = {0};

    return file_remove_tree(try_folder, &err) && file_make_folders(try_folder, 0700, &err) ? 0 : -1;
}

TEST(the_first_start_makes_a_ca_whose_certificate_strict_clients_take)
{
    struct auth_options options = tls_options();
    struct auth *auth = try_open(&options);
    AUTO_X509 *authority = read_certificate("ca.pem");
    AUTO_X509 *certificate = shown(auth);

    assert_true(verifies(certificate, authority));
    assert_int_equal(X509_check_ip_asc(certificate, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "::1", 0), 1);
    assert_int_equal(X509_check_host(certificate, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(certificate, "elsewhere.example", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(certificate, "127.0.0.2", 0), 0);
    auth_free(auth);
}

TEST(keys_are_for_nobody_else_and_the_ca_is_for_copying)
{
    struct auth_options options = tls_options();
    struct auth *auth = try_open(&options);

    assert_int_equal(mode_of("ca.pem"), 0644);
    assert_int_equal(mode_of("ca-key.pem"), 0600);
    assert_int_equal(mode_of("server.pem"), 0600);
    assert_int_equal(mode_of("token-key.pem"), 0600);
    AUTO_FREE char *authority = copy_of("ca.pem");
    assert_null(strstr(authority, "PRIVATE"));
    auth_free(auth);
}

TEST(a_second_start_makes_nothing_anew)
{
    struct auth_options options = tls_options();
    static const char *const names[] = {"ca.pem", "ca-key.pem", "server.pem", "token-key.pem"};
    char *before[4];

    auth_free(try_open(&options));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        before[i] = copy_of(names[i]);
    auth_free(try_open(&options));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO_FREE char *after = copy_of(names[i]);
        assert_string_equal(before[i], after);
        free(before[i]);
    }
}

TEST(other_names_make_another_certificate_of_the_same_ca)
{
    struct auth_options options = tls_options();
    struct err err = {0};
    const char *more[] = {"berth.example", "192.0.2.7"};
    struct auth *auth = try_open(&options);
    AUTO_X509 *authority = read_certificate("ca.pem");
    const struct certificate *before = auth_certificate(auth);

    options.names = (struct text_list){true, more, 2};
    options.base_url = "https://[2001:db8::5]:8700/";
    assert_true(auth_reload(auth, &options, &err));
    assert_ptr_not_equal(auth_certificate(auth), before);
    AUTO_X509 *certificate = shown(auth);
    assert_true(verifies(certificate, authority));
    assert_int_equal(X509_check_host(certificate, "berth.example", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "192.0.2.7", 0), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "2001:db8::5", 0), 1);
    assert_true(strlen(before->chain) > 0); /* handshakes may still read it */
    auth_free(auth);
}

TEST(a_certificate_that_ends_soon_is_renewed)
{
    struct auth_options options = tls_options();
    struct err err = {0};
    struct auth *auth = try_open(&options);
    const struct certificate *before = auth_certificate(auth);
    int64_t day_ms = INT64_C(86400000), begun_ms = try_now_ms;

    try_now_ms += day_ms * (LIMIT_CERTIFICATE_LIFE_DAYS - LIMIT_CERTIFICATE_RENEW_DAYS - 1);
    assert_true(auth_renew(auth, &err));
    assert_ptr_equal(auth_certificate(auth), before);
    try_now_ms += 2 * day_ms;
    assert_true(auth_renew(auth, &err));
    assert_ptr_not_equal(auth_certificate(auth), before);
    assert_true(auth_certificate(auth)->not_after_s - try_now_ms / 1000 >
                INT64_C(86400) * (LIMIT_CERTIFICATE_LIFE_DAYS - 1));
    auth_free(auth);
    try_now_ms = begun_ms;
}

TEST(a_certificate_never_outlives_its_ca)
{
    struct auth_options options = tls_options();
    struct err err = {0};
    struct auth *auth = try_open(&options);
    AUTO_X509 *authority = read_certificate("ca.pem");
    int64_t begun_ms = try_now_ms;

    try_now_ms += INT64_C(86400000) * (LIMIT_CA_LIFE_DAYS - 10);
    assert_true(auth_renew(auth, &err));
    const struct certificate *last = auth_certificate(auth);
    assert_int_equal(last->not_after_s, x509_not_after_s(authority));
    assert_true(auth_renew(auth, &err)); /* nothing can be won by trying again at once */
    assert_ptr_equal(auth_certificate(auth), last);
    auth_free(auth);
    try_now_ms = begun_ms;
}

TEST(a_broken_server_certificate_is_made_anew)
{
    struct auth_options options = tls_options();

    auth_free(try_open(&options));
    try_write("server.pem", "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n", 0600);
    struct auth *auth = try_open(&options);
    AUTO_X509 *authority = read_certificate("ca.pem");
    AUTO_X509 *certificate = shown(auth);
    assert_true(verifies(certificate, authority));
    auth_free(auth);
}

TEST(a_key_that_is_broken_or_open_stops_the_start_and_is_named)
{
    struct auth_options options = tls_options();
    static const char *const keys[] = {"ca-key.pem", "token-key.pem"};

    auth_free(try_open(&options));
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        AUTO_FREE char *good = copy_of(keys[i]);
        try_write(keys[i], "no key at all\n", 0600);
        assert_non_null(strstr(try_refused(&options).text, keys[i]));
        try_write(keys[i], good, 0644);
        assert_non_null(strstr(try_refused(&options).text, "chmod 600"));
        try_write(keys[i], good, 0600);
    }
    auth_free(try_open(&options));
}

TEST(keys_of_another_kind_are_refused)
{
    struct auth_options options = tls_options();

    auth_free(try_open(&options));
    AUTO_FREE char *ca = copy_of("ca-key.pem");
    AUTO_FREE char *token = copy_of("token-key.pem");
    try_write("token-key.pem", ca, 0600);
    assert_non_null(strstr(try_refused(&options).text, "RSA"));
    try_write("token-key.pem", token, 0600);
    try_write("ca-key.pem", token, 0600);
    assert_non_null(strstr(try_refused(&options).text, "P-256"));
}

TEST(a_ca_without_its_key_or_with_another_is_refused)
{
    struct auth_options options = tls_options();

    auth_free(try_open(&options));
    AUTO_FREE char *certificate = copy_of("ca.pem");
    assert_int_equal(unlink(try_path("ca-key.pem")), 0);
    assert_non_null(strstr(try_refused(&options).text, "ca-key.pem is not"));
    assert_int_equal(unlink(try_path("ca.pem")), 0);
    auth_free(try_open(&options)); /* a new one */
    try_write("ca.pem", certificate, 0644);
    assert_non_null(strstr(try_refused(&options).text, "does not belong"));
}

TEST(a_start_that_was_cut_between_key_and_certificate_goes_on)
{
    struct auth_options options = tls_options();

    auth_free(try_open(&options));
    assert_int_equal(unlink(try_path("ca.pem")), 0);
    struct auth *auth = try_open(&options);
    AUTO_X509 *authority = read_certificate("ca.pem");
    AUTO_X509 *certificate = shown(auth);
    assert_true(verifies(certificate, authority));
    auth_free(auth);
}

/* ---- somebody else's ---- */

TEST(own_certificates_are_shown_and_checked)
{
    struct auth_options options = tls_options();
    char certificate_path[128], key_path[128], other_path[128];

    auth_free(try_open(&options));
    AUTO_FREE char *pair = copy_of("server.pem");
    try_write("own.pem", pair, 0644);
    try_write("own-key.pem", strstr(pair, "-----BEGIN PRIVATE KEY"), 0640);
    text_copy(certificate_path, sizeof certificate_path, try_path("own.pem"));
    text_copy(key_path, sizeof key_path, try_path("own-key.pem"));
    text_copy(other_path, sizeof other_path, try_path("ca-key.pem"));
    options.certificate_file = certificate_path;
    options.key_file = key_path;
    auth_free(try_open(&options));

    options.key_file = other_path;
    assert_string_equal(try_refused(&options).field, "tls_key_file");
    options.certificate_file = key_path;
    assert_string_equal(try_refused(&options).field, "tls_cert_file");
    options.certificate_file = "/nowhere/at/all.pem";
    assert_non_null(strstr(try_refused(&options).text, "/nowhere/at/all.pem"));
    options.certificate_file = certificate_path;
    try_write("own-key.pem", strstr(pair, "-----BEGIN PRIVATE KEY"), 0644);
    options.key_file = key_path;
    assert_non_null(strstr(try_refused(&options).text, "read by others"));
}

TEST(without_tls_no_certificate_is_made)
{
    struct auth_options options = try_options();
    struct auth *auth = try_open(&options);

    assert_null(auth_certificate(auth));
    assert_false(file_exists(try_path("ca-key.pem")));
    auth_free(auth);
}

/* ---- names ---- */

static struct err names_refused(const char *name)
{
    struct auth_options options = tls_options();

    options.names = (struct text_list){true, &name, 1};
    return try_refused(&options);
}

TEST(a_name_that_no_certificate_may_hold_is_refused)
{
    static const char *const names[] = {"a,DNS:evil", "",          "*.example", "a b",
                                        "-x",         "https://x", ".x"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_string_equal(names_refused(names[i]).field, "tls_names");
}

TEST(the_host_of_a_url_is_found)
{
    static const struct {
        const char *url, *host;
    } cases[] = {
        {"https://a.example", "a.example"},
        {"https://a.example:8700/x?y", "a.example"},
        {"https://[::1]:8700", "::1"},
        {"http://127.0.0.1", "127.0.0.1"},
        {"https://user@a.example/", NULL},
        {"https:///x", NULL},
        {"a.example", NULL},
        {"https://[::1", NULL},
        {"https://:8700", NULL},
        {"https://[]", NULL},
    };
    char host[64];

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(url_host(cases[i].url, host, sizeof host), cases[i].host != NULL);
        if (cases[i].host)
            assert_string_equal(host, cases[i].host);
    }
}

int main(void)
{
#define FRESH(name) cmocka_unit_test_setup(name, clear)
    const struct CMUnitTest tests[] = {
        FRESH(the_first_start_makes_a_ca_whose_certificate_strict_clients_take),
        FRESH(keys_are_for_nobody_else_and_the_ca_is_for_copying),
        FRESH(a_second_start_makes_nothing_anew),
        FRESH(other_names_make_another_certificate_of_the_same_ca),
        FRESH(a_certificate_that_ends_soon_is_renewed),
        FRESH(a_certificate_never_outlives_its_ca),
        FRESH(a_broken_server_certificate_is_made_anew),
        FRESH(a_key_that_is_broken_or_open_stops_the_start_and_is_named),
        FRESH(keys_of_another_kind_are_refused),
        FRESH(a_ca_without_its_key_or_with_another_is_refused),
        FRESH(a_start_that_was_cut_between_key_and_certificate_goes_on),
        FRESH(own_certificates_are_shown_and_checked),
        FRESH(without_tls_no_certificate_is_made),
        FRESH(a_name_that_no_certificate_may_hold_is_refused),
        cmocka_unit_test(the_host_of_a_url_is_found),
    };
    return cmocka_run_group_tests(tests, try_begin, try_end);
}
