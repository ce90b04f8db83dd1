/* HTTP by libcurl's multi interface: the same blocking call, but another thread can end it. */
#include "node-agent/link/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

enum { POLL_MS = 1000, CONNECT_TIMEOUT_MS = 3000 };

struct http {
    CURLM *multi;
    CURL *easy;
    const char *ca_file;
    char why[CURL_ERROR_SIZE]; /* the library's own words for the last failure */
    atomic_bool cancelled, interrupted;
};

static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http *http_new(const char *ca_file, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct http *http = calloc(1, sizeof *http);

    pthread_once(&once, curl_start);
    if (http) {
        http->ca_file = ca_file;
        http->multi = curl_multi_init();
        http->easy = curl_easy_init();
    }
    if (!http || !http->multi || !http->easy) {
        http_free(http);
        err_set(err, ERR_BUSY, "no memory for a connection to the plane");
        return NULL;
    }
    return http;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    if (http->easy)
        curl_easy_cleanup(http->easy);
    if (http->multi)
        curl_multi_cleanup(http->multi);
    free(http);
}

void http_cancel(struct http *http)
{
    atomic_store(&http->cancelled, true);
    curl_multi_wakeup(http->multi);
}

void http_interrupt(struct http *http)
{
    atomic_store(&http->interrupted, true);
    curl_multi_wakeup(http->multi);
}

static size_t take_reply(char *bytes, size_t size, size_t count, void *context)
{
    struct text *reply = context;

    text_add_n(reply, bytes, size * count);
    return text_ok(reply) ? size * count : 0;
}

/* Drives the transfer to its end; the result of the transfer is in *result. */
static bool transfer_run(struct http *http, CURLcode *result, struct err *err)
{
    int running = 1;

    while (running) {
        CURLMcode code = curl_multi_perform(http->multi, &running);
        if (code == CURLM_OK && running)
            code = curl_multi_poll(http->multi, NULL, 0, POLL_MS, NULL);
        if (code != CURLM_OK)
            return err_set(err, ERR_NODE_AWAY, "%s", curl_multi_strerror(code));
        if (atomic_load(&http->cancelled) || atomic_exchange(&http->interrupted, false))
            return err_set(err, ERR_CLOSED, "the connection to the plane is being closed");
    }
    int left;
    const CURLMsg *message = curl_multi_info_read(http->multi, &left);
    *result = message ? message->data.result : CURLE_RECV_ERROR;
    return true;
}

static struct curl_slist *headers_list(const struct http_call *call)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    if (call->body)
        list = curl_slist_append(list, "Content-Type: application/json");
    for (size_t i = 0; call->headers && call->headers[i]; i++)
        list = curl_slist_append(list, call->headers[i]);
    return list;
}

/* Every call checks who answers: by the CA, and by the name in the URL. */
void http_prepare_tls(void *easy, const char *ca_file)
{
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* nobody else vouches for the plane */
    }
}

static void transfer_prepare(struct http *http, const struct http_call *call,
                             struct curl_slist *headers, struct text *reply)
{
    CURL *easy = http->easy;

    curl_easy_reset(easy);
    http_prepare_tls(easy, http->ca_file);
    http->why[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->why);
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_reply);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, reply);
    if (call->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
    } else if (!text_equal_nocase(call->method, "GET")) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
    }
}

static bool transfer_failed(const struct http *http, const struct http_call *call, CURLcode result,
                            struct err *err)
{
    const char *why = http->why[0] ? http->why : curl_easy_strerror(result);

    if (result == CURLE_PEER_FAILED_VERIFICATION)
        return err_set(err, ERR_NODE_AWAY, "the plane's certificate does not fit: %s (%s, %s)", why,
                       call->url, http->ca_file ? http->ca_file : "no plane_ca_file");
    if (result == CURLE_SSL_CACERT_BADFILE)
        return err_set(err, ERR_NODE_AWAY, "plane_ca_file %s holds no certificate in PEM",
                       http->ca_file ? http->ca_file : "");
    return err_set(err, ERR_NODE_AWAY, "%s: %s", call->url, why);
}

bool http_send(struct http *http, const struct http_call *call, struct text *reply, int *status,
               struct err *err)
{
    struct curl_slist *headers = headers_list(call);
    CURLcode result = CURLE_OK;
    long code = 0;

    text_clear(reply);
    transfer_prepare(http, call, headers, reply);
    curl_multi_add_handle(http->multi, http->easy);
    bool done = transfer_run(http, &result, err);
    curl_multi_remove_handle(http->multi, http->easy);
    curl_slist_free_all(headers);
    if (!done)
        return false;
    if (result != CURLE_OK)
        return transfer_failed(http, call, result, err);
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &code);
    *status = (int)code;
    return true;
}
