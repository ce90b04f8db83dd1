/* The library tells its callback nothing about whose handshake it is, so what is shown stands in one
 * place for the process. A certificate is turned into the library's form when it is first shown;
 * handshakes under way may still use older ones, so these stay until the end (there is one for each
 * reload that changed it). */
#include "api/tls.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>

/* A head and its record fit into HELD_MAX. */
enum { CHAIN_MAX = 8, PIECES_MAX = 16, HELD_MAX = LIMIT_HTTP_CONNECTION_BYTES + 256 };

const char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:"
                              "+ECDHE-RSA:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:"
                              "+CHACHA20-POLY1305:-MAC-ALL:+AEAD:%SERVER_PRECEDENCE";

struct shown {
    struct shown *older;
    const struct certificate *from;
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned count;
    gnutls_privkey_t key;
};

static struct {
    const struct auth *auth;
    struct lock lock; /* guards `shown`; what it points to does not change */
    struct shown *shown;
} tls;

static void shown_free(struct shown *shown)
{
    while (shown) {
        struct shown *older = shown->older;
        for (unsigned i = 0; i < shown->count; i++)
            gnutls_pcert_deinit(&shown->chain[i]);
        if (shown->key)
            gnutls_privkey_deinit(shown->key);
        free(shown);
        shown = older;
    }
}

static gnutls_datum_t datum(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
}

static bool fill(struct shown *shown, const struct certificate *from, struct err *err)
{
    gnutls_datum_t chain = datum(from->chain), key = datum(from->key);
    unsigned count = CHAIN_MAX;
    int code = gnutls_pcert_list_import_x509_raw(shown->chain, &count, &chain, GNUTLS_X509_FMT_PEM,
                                                 GNUTLS_X509_CRT_LIST_SORT);

    if (code >= 0) {
        shown->count = count;
        code = gnutls_privkey_init(&shown->key);
    }
    if (code >= 0)
        code = gnutls_privkey_import_x509_raw(shown->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    return code >= 0 || err_set(err, ERR_INVALID, "the server's certificate cannot be used: %s",
                                gnutls_strerror(code));
}

static struct shown *shown_new(const struct certificate *from, struct err *err)
{
    struct shown *shown = calloc(1, sizeof *shown);

    if (!shown) {
        err_set(err, ERR_BUSY, "out of memory for the server's certificate");
        return NULL;
    }
    shown->from = from;
    if (fill(shown, from, err))
        return shown;
    shown_free(shown);
    return NULL;
}

/* The newest one; when that cannot be used, the one before goes on. */
static const struct shown *show(void)
{
    const struct certificate *newest = auth_certificate(tls.auth);
    struct err err = {0};

    WITH_LOCK(&tls.lock);
    if (tls.shown->from == newest)
        return tls.shown;
    struct shown *shown = shown_new(newest, &err);
    if (!shown) {
        log_failure("certificate_refused", &err);
        tls.shown->from = newest; /* told once */
        return tls.shown;
    }
    shown->older = tls.shown;
    tls.shown = shown;
    return shown;
}

static int on_handshake(gnutls_session_t session UNUSED, const gnutls_datum_t *authorities UNUSED,
                        int authorities_count UNUSED, const gnutls_pk_algorithm_t *kinds UNUSED,
                        int kinds_count UNUSED, gnutls_pcert_st **chain, unsigned *count,
                        gnutls_privkey_t *key)
{
    const struct shown *shown = show();

    *chain = (gnutls_pcert_st *)(uintptr_t)shown->chain;
    *count = shown->count;
    *key = shown->key;
    return 0;
}

tls_callback_fn tls_callback(void)
{
    gnutls_certificate_retrieve_function2 *callback = on_handshake; /* its type is checked here */

    return (tls_callback_fn)callback;
}

/* ---- how bytes go out ---- */

static size_t size_of(const giovec_t *pieces, int count)
{
    size_t size = 0;

    for (int i = 0; i < count; i++)
        size += pieces[i].iov_len;
    return size;
}

/* False without memory for it. */
static bool hold(struct tls_sender *sender, const giovec_t *pieces, int count, size_t size)
{
    sender->held = malloc(size);
    for (int i = 0; sender->held && i < count; i++) {
        memcpy(sender->held + sender->held_size, pieces[i].iov_base, pieces[i].iov_len);
        sender->held_size += pieces[i].iov_len;
    }
    return sender->held != NULL;
}

/* That many of the bytes that were held have gone. */
static void let_go(struct tls_sender *sender, size_t count)
{
    if (!sender->held)
        return;
    sender->held_size -= count;
    if (sender->held_size == 0)
        tls_sender_end(sender);
    else
        memmove(sender->held, sender->held + count, sender->held_size);
}

/* What was held first. How many of the new bytes went. */
static ssize_t send_all(struct tls_sender *sender, const giovec_t *pieces, int count)
{
    struct iovec all[PIECES_MAX + 1] = {{sender->held, sender->held_size}};
    size_t held = sender->held_size;
    struct msghdr message = {.msg_iov = all, .msg_iovlen = 1};

    for (int i = 0; i < count && i < PIECES_MAX; i++)
        all[message.msg_iovlen++] = pieces[i];
    ssize_t sent = sendmsg(sender->fd, &message, MSG_NOSIGNAL);
    if (sent < 0)
        return -1;
    let_go(sender, (size_t)sent < held ? (size_t)sent : held);
    if ((size_t)sent > held)
        return sent - (ssize_t)held;
    errno = EAGAIN;
    return -1;
}

static ssize_t on_push(gnutls_transport_ptr_t context, const giovec_t *pieces, int count)
{
    struct tls_sender *sender = context;
    size_t size = size_of(pieces, count);
    bool more = sender->more && !sender->held && size > 0 && size <= HELD_MAX;

    sender->more = false;
    return more && hold(sender, pieces, count, size) ? (ssize_t)size
                                                     : send_all(sender, pieces, count);
}

void tls_sender_end(struct tls_sender *sender)
{
    free(sender->held);
    sender->held = NULL;
    sender->held_size = 0;
}

void tls_send_by(void *session, struct tls_sender *sender)
{
    gnutls_transport_ptr_t from, to;

    gnutls_transport_get_ptr2(session, &from, &to);
    gnutls_transport_set_ptr2(session, from, sender);
    gnutls_transport_set_vec_push_function(session, on_push);
}

/* ---- sessions that were taken over ---- */

ssize_t tls_read(void *session, void *bytes, size_t size)
{
    ssize_t got = gnutls_record_recv(session, bytes, size);

    if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
        return 0;
    return got > 0 ? got : -1;
}

/* What was not taken at once is kept by the library, and the same bytes must come again. */
ssize_t tls_write(void *session, const void *bytes, size_t size)
{
    ssize_t sent = gnutls_record_send(session, bytes, size);

    if (sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED)
        return 0;
    return sent > 0 ? sent : -1;
}

void tls_say_end(void *session)
{
    (void)gnutls_bye(session, GNUTLS_SHUT_WR);
}

bool tls_begin(const struct auth *auth, struct err *err)
{
    CHECK(!tls.auth);
    tls.shown = shown_new(auth_certificate(auth), err);
    if (!tls.shown)
        return false;
    lock_init(&tls.lock, LOCK_API_CERTIFICATE);
    tls.auth = auth;
    return true;
}

void tls_end(void)
{
    if (!tls.auth)
        return;
    shown_free(TAKE(tls.shown));
    lock_done(&tls.lock);
    tls.auth = NULL;
}
