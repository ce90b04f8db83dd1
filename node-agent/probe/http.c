/* libcurl's multi interface, one handle for each probe, used again and again. */
#include "node-agent/probe/http.h"

#include "base/text.h"
#include "node-agent/probe/inner.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>

enum { REDIRECTS_MAX = 10, URL_SIZE = 8192, STATUS_GOOD = 200, STATUS_BAD = 400 };

struct web {
    CURLM *multi;
};

struct web_get {
    struct web *web;
    CURL *easy;
    struct curl_slist *headers;
    char *url; /* as asked for; its host is the only one that redirects are followed to */
    void *owner;
    int64_t timeout_ms, until_ms; /* of the whole answer, redirects included */
    int64_t bytes;                /* of the answer so far */
    int redirects;
    bool under_way;
    char why[CURL_ERROR_SIZE]; /* the library's own words for a failure */
};

static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct web *web_new(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    AUTO(web) *web = calloc(1, sizeof *web);

    pthread_once(&once, curl_start);
    if (web)
        web->multi = curl_multi_init();
    if (!web || !web->multi) {
        err_set(err, ERR_BUSY, "no memory for probes over HTTP");
        return NULL;
    }
    curl_multi_setopt(web->multi, CURLMOPT_MAXCONNECTS, 1L); /* none is kept anyhow */
    return TAKE(web);
}

void web_free(struct web *web)
{
    if (!web)
        return;
    if (web->multi)
        curl_multi_cleanup(web->multi);
    free(web);
}

/* ---- one request ---- */

/* Headers and body alike. What the status says is known by then: more than the ceiling is not read. */
static size_t drop_bytes(char *bytes UNUSED, size_t size, size_t count, void *context)
{
    struct web_get *get = context;

    get->bytes += (int64_t)(size * count);
    return get->bytes <= LIMIT_PROBE_ANSWER_MAX ? size * count : 0;
}

/* libcurl leaves a header out when nothing follows its colon, and sends it empty with a semicolon instead. */
static struct curl_slist *header_add(struct curl_slist *list, const struct http_header *header)
{
    AUTO(text) *line = text_new(LIMIT_HTTP_HEADER_MAX);
    const char *value = header->value ? header->value : "";

    if (value[strspn(value, " \t")])
        text_addf(line, "%s: %s", header->name, value);
    else
        text_addf(line, "%s;", header->name);
    return text_ok(line) ? curl_slist_append(list, line->bytes) : NULL;
}

static bool headers_make(struct web_get *get, const struct probe_http_get *asked)
{
    bool named = false;

    for (size_t i = 0; i < asked->headers_count; i++) {
        struct curl_slist *longer = header_add(get->headers, &asked->headers[i]);
        if (!longer)
            return false;
        get->headers = longer;
        named |= text_equal_nocase(asked->headers[i].name, "User-Agent");
    }
    if (!named)
        curl_easy_setopt(get->easy, CURLOPT_USERAGENT, "berth-probe/" BERTH_VERSION);
    return true;
}

static char *url_make(const char *address, const struct probe_http_get *asked)
{
    AUTO(text) *url = text_new(URL_SIZE);
    size_t size;

    text_addf(url, "%s://%s:%lld%s", asked->scheme == PROBE_HTTPS ? "https" : "http", address,
              (long long)asked->port.value, asked->path ? asked->path : "/");
    return text_ok(url) ? text_take(url, &size) : NULL;
}

static void easy_prepare(struct web_get *get)
{
    CURL *easy = get->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, get);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, get->why);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, get->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, get);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, drop_bytes);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, get);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L); /* a container's certificate is its own */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT,
                     1L); /* what an old connection says proves little */
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 1024L);
}

struct web_get *web_get_new(struct web *web, const char *address,
                            const struct probe_http_get *asked, int64_t timeout_ms, void *owner)
{
    struct web_get *get = calloc(1, sizeof *get);

    if (!get)
        return NULL;
    get->web = web;
    get->owner = owner;
    get->timeout_ms = timeout_ms;
    get->easy = curl_easy_init();
    get->url = url_make(address, asked);
    if (!get->easy || !get->url || !headers_make(get, asked)) {
        web_get_free(get);
        return NULL;
    }
    easy_prepare(get);
    return get;
}

static void web_get_stop(struct web_get *get)
{
    if (get->under_way)
        curl_multi_remove_handle(get->web->multi, get->easy);
    get->under_way = false;
}

void web_get_free(struct web_get *get)
{
    if (!get)
        return;
    web_get_stop(get);
    if (get->easy)
        curl_easy_cleanup(get->easy);
    curl_slist_free_all(get->headers);
    free(get->url);
    free(get);
}

static bool web_get_go(struct web_get *get, const char *url)
{
    int64_t left_ms = get->until_ms - probe_now_ms();

    get->why[0] = '\0';
    get->bytes = 0;
    curl_easy_setopt(get->easy, CURLOPT_TIMEOUT_MS, (long)(left_ms > 0 ? left_ms : 1));
    get->under_way = curl_easy_setopt(get->easy, CURLOPT_URL, url) == CURLE_OK &&
                     curl_multi_add_handle(get->web->multi, get->easy) == CURLM_OK;
    return get->under_way;
}

bool web_get_start(struct web_get *get)
{
    get->redirects = 0;
    get->until_ms = probe_now_ms() + get->timeout_ms;
    return web_get_go(get, get->url);
}

/* ---- answers ---- */

static bool same_host(const char *left, const char *right)
{
    CURLU *urls[2] = {curl_url(), curl_url()};
    char *hosts[2] = {NULL, NULL};
    const char *texts[2] = {left, right};
    bool known = true;

    for (size_t i = 0; i < 2; i++)
        known = known && urls[i] &&
                curl_url_set(urls[i], CURLUPART_URL, texts[i], 0) == CURLUE_OK &&
                curl_url_get(urls[i], CURLUPART_HOST, &hosts[i], 0) == CURLUE_OK;
    bool same = known && text_equal_nocase(hosts[0], hosts[1]);
    for (size_t i = 0; i < 2; i++) {
        curl_free(hosts[i]);
        curl_url_cleanup(urls[i]);
    }
    return same;
}

/* To the same host it is followed; whoever sends us elsewhere is alive. */
static bool follow(struct web_get *get)
{
    char *to = NULL;

    curl_easy_getinfo(get->easy, CURLINFO_REDIRECT_URL, &to);
    if (!to || get->redirects >= REDIRECTS_MAX || !same_host(get->url, to))
        return false;
    get->redirects++;
    AUTO_FREE char *url = strdup(to); /* the library's text ends with the next request */
    return url && web_get_go(get, url);
}

static enum probe_answer judge(struct web_get *get, CURLcode result, char text[PROBE_TEXT_SIZE])
{
    long status = 0;

    curl_easy_getinfo(get->easy, CURLINFO_RESPONSE_CODE, &status);
    bool cut = result == CURLE_WRITE_ERROR && get->bytes > LIMIT_PROBE_ANSWER_MAX;
    if (result == CURLE_OUT_OF_MEMORY)
        return PROBE_UNKNOWN;
    if (result == CURLE_OPERATION_TIMEDOUT)
        text_format(text, PROBE_TEXT_SIZE, "Get \"%s\": no answer within %lld s", get->url,
                    (long long)get->timeout_ms / 1000);
    else if (result != CURLE_OK && !cut)
        text_format(text, PROBE_TEXT_SIZE, "Get \"%s\": %s", get->url,
                    get->why[0] ? get->why : curl_easy_strerror(result));
    else if (status < STATUS_GOOD || status >= STATUS_BAD)
        text_format(text, PROBE_TEXT_SIZE, "HTTP probe failed with statuscode: %ld", status);
    else
        return PROBE_PASSED;
    return PROBE_FAILED;
}

void web_perform(struct web *web)
{
    int running;

    curl_multi_perform(web->multi, &running);
}

void *web_next(struct web *web, enum probe_answer *answer, char text[PROBE_TEXT_SIZE])
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(web->multi, &left))) {
        struct web_get *get = NULL;
        CURLcode result = message->data.result; /* the message ends with the handle's removal */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&get);
        web_get_stop(get);
        if (result == CURLE_OK && follow(get))
            continue;
        *answer = judge(get, result, text);
        return get->owner;
    }
    return NULL;
}

/* ---- waiting ---- */

void web_wait(struct web *web, struct pollfd *fds, size_t fds_count, int64_t timeout_ms)
{
    struct curl_waitfd extra[LIMIT_PROBE_COMMANDS_MAX];

    CHECK(fds_count <= COUNT_OF(extra));
    for (size_t i = 0; i < fds_count; i++)
        extra[i] = (struct curl_waitfd){.fd = fds[i].fd, .events = CURL_WAIT_POLLIN};
    curl_multi_poll(web->multi, extra, (unsigned)fds_count, (int)timeout_ms, NULL);
    for (size_t i = 0; i < fds_count; i++)
        fds[i].revents = extra[i].revents;
}

void web_wake(struct web *web)
{
    curl_multi_wakeup(web->multi);
}
