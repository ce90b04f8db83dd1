/* A connection for each request, all in one list: each step takes every one of them as far as it goes. */
#include "node-agent/probe/http.h"

#include "base/text.h"
#include "base/thread.h"
#include "node-agent/http/http.h"
#include "node-agent/probe/inner.h"
#include "node-agent/probe/redirect.h"

#include <netdb.h>
#include <string.h>

enum {
    REDIRECTS_MAX = 10,
    URL_SIZE = 8192,
    HEAD_SIZE = 65536,
    LOCATION_SIZE = 8192,
    STATUS_GOOD = 200,
    STATUS_MOVED = 300,
    STATUS_BAD = 400
};

struct web {
    struct web_get *first; /* under way */
    struct bell bell;
    struct http_trust *anyone; /* NULL: nobody has asked by HTTPS yet */
    struct pollfd *fds;
    size_t fds_size;
};

enum get_state { GET_IDLE, GET_UNDER_WAY, GET_ENDED };

struct web_get {
    struct web *web;
    struct web_get *next; /* under way or ended */
    char *url; /* as asked for; its host is the only one that redirects are followed to */
    char *at;  /* where a redirect led; NULL: nowhere */
    struct text *headers; /* as sent, but for the request line and Host */
    struct text *head;    /* of the request under way */
    struct text *location;
    bool named_host;
    void *owner;
    int64_t timeout_ms, until_ms; /* of the whole answer, redirects included */
    int redirects;
    enum get_state state;
    struct wire *wire;
    struct exchange exchange;
    bool answered;
    struct err why;
};

struct web *web_new(struct err *err)
{
    struct web *web = calloc(1, sizeof *web);

    if (web && bell_init(&web->bell, err))
        return web;
    free(web);
    err_set(err, ERR_BUSY, "no memory for probes over HTTP");
    return NULL;
}

void web_free(struct web *web)
{
    if (!web)
        return;
    http_trust_free(web->anyone);
    bell_done(&web->bell);
    free(web->fds);
    free(web);
}

/* ---- one request ---- */

/* A header that would end the line it stands in is none. */
static bool header_add(struct web_get *get, const struct http_header *header)
{
    const char *value = header->value ? header->value : "";

    value += strspn(value, " \t");
    text_addf(get->headers, "%s: %s\r\n", header->name, value);
    return !strpbrk(header->name, "\r\n:") && !strpbrk(value, "\r\n");
}

static bool headers_make(struct web_get *get, const struct probe_http_get *asked)
{
    static const char *const usual[][2] = {{"User-Agent", "berth-probe/" BERTH_VERSION},
                                           {"Accept", "*/*"},
                                           {"Connection", "close"},
                                           {"Host", NULL}};
    bool named[COUNT_OF(usual)] = {false};

    for (size_t i = 0; i < asked->headers_count; i++) {
        if (!header_add(get, &asked->headers[i]))
            return false;
        for (size_t j = 0; j < COUNT_OF(usual); j++)
            named[j] |= text_equal_nocase(asked->headers[i].name, usual[j][0]);
    }
    for (size_t j = 0; j < COUNT_OF(usual); j++)
        if (!named[j] && usual[j][1])
            text_addf(get->headers, "%s: %s\r\n", usual[j][0], usual[j][1]);
    get->named_host = named[COUNT_OF(usual) - 1];
    return text_ok(get->headers);
}

static char *url_make(const char *address, const struct probe_http_get *asked)
{
    AUTO(text) *url = text_new(URL_SIZE);
    bool bare = strchr(address, ':') != NULL; /* of IPv6 */
    size_t size;

    text_addf(url, "%s://%s%s%s:%lld%s", asked->scheme == PROBE_HTTPS ? "https" : "http",
              bare ? "[" : "", address, bare ? "]" : "", (long long)asked->port.value,
              asked->path ? asked->path : "/");
    return text_ok(url) ? text_take(url, &size) : NULL;
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
    get->headers = text_new(HEAD_SIZE);
    get->url = url_make(address, asked);
    if (!get->headers || !get->url || !headers_make(get, asked)) {
        web_get_free(get);
        return NULL;
    }
    return get;
}

/* Nothing of it stays open or in memory. */
static void web_get_stop(struct web_get *get)
{
    wire_free(TAKE(get->wire));
    text_free(TAKE(get->head));
}

static void web_get_leave(struct web_get *get)
{
    for (struct web_get **at = &get->web->first; *at; at = &(*at)->next) {
        if (*at != get)
            continue;
        *at = get->next;
        break;
    }
    web_get_stop(get);
    text_free(TAKE(get->location));
    free(TAKE(get->at));
    get->state = GET_IDLE;
}

void web_get_free(struct web_get *get)
{
    if (!get)
        return;
    if (get->state != GET_IDLE)
        web_get_leave(get);
    text_free(get->headers);
    free(get->url);
    free(get);
}

static bool trust_anyone(struct web *web)
{
    struct err err;

    if (!web->anyone)
        web->anyone = http_trust_anyone(&err);
    return web->anyone != NULL;
}

/* A group's address stands in digits. */
static bool wire_begin(struct web_get *get, const struct http_url *url)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;

    if (getaddrinfo(url->host, url->port, &hints, &found) != 0)
        return err_set(&get->why, ERR_IO, "%s is no address", url->host);
    const struct wire_options options = {.address = found->ai_addr,
                                         .address_size = found->ai_addrlen,
                                         .trust = url->tls ? get->web->anyone : NULL,
                                         .host = url->host};
    get->wire = wire_new(&options, &get->why);
    freeaddrinfo(found);
    return get->wire != NULL;
}

/* False: no memory. Whatever else fails is its answer. */
static bool web_get_go(struct web_get *get, const char *text)
{
    struct http_url url;

    get->why = (struct err){0};
    get->answered = false;
    get->state = GET_UNDER_WAY;
    get->head = text_new(HEAD_SIZE * 2);
    if (!get->location)
        get->location = text_new(LOCATION_SIZE);
    if (!http_url_parse(text, &url)) {
        get->state = GET_ENDED;
        return err_set(&get->why, ERR_IO, "that is no URL") || true;
    }
    http_add_request(get->head, "GET", url.path);
    if (!get->named_host)
        text_addf(get->head, "Host: %s\r\n", url.authority);
    text_addf(get->head, "%s\r\n", get->headers->bytes ? get->headers->bytes : "");
    if (!text_ok(get->head) || !get->location || (url.tls && !trust_anyone(get->web)))
        return false;
    const struct exchange_parts parts = {
        .head = get->head, .location = get->location, .bytes_max = LIMIT_PROBE_ANSWER_MAX};
    if (!wire_begin(get, &url))
        get->state = GET_ENDED;
    exchange_begin(&get->exchange, get->wire, &parts);
    return true;
}

bool web_get_start(struct web_get *get)
{
    get->redirects = 0;
    get->until_ms = probe_now_ms() + get->timeout_ms;
    get->next = get->web->first;
    get->web->first = get;
    if (web_get_go(get, get->url))
        return true;
    web_get_leave(get);
    return false;
}

/* ---- answers ---- */

/* To the same host it is followed; whoever sends us elsewhere is alive. */
static bool follow(struct web_get *get)
{
    AUTO(text) *to = text_new(URL_SIZE);
    const int status = get->exchange.reply.status;
    size_t size;

    if (!get->answered || status < STATUS_MOVED || status >= STATUS_BAD || !get->location ||
        get->location->size == 0 || get->redirects >= REDIRECTS_MAX || !to ||
        !redirect_add(to, get->at ? get->at : get->url, get->location->bytes) ||
        !redirect_same_host(get->url, to->bytes))
        return false;
    get->redirects++;
    web_get_stop(get);
    free(get->at);
    get->at = text_take(to, &size);
    text_clear(get->location);
    if (web_get_go(get, get->at))
        return true;
    get->why = (struct err){.code = ERR_BUSY};
    get->state = GET_ENDED;
    return true;
}

static void web_get_step(struct web_get *get)
{
    enum http_step step = exchange_go(&get->exchange, &get->why);

    if (step == HTTP_WAITS && probe_now_ms() < get->until_ms)
        return;
    if (step == HTTP_WAITS)
        err_set(&get->why, ERR_TIMEOUT, "late");
    get->answered = step == HTTP_DONE;
    get->state = GET_ENDED;
}

void web_perform(struct web *web)
{
    for (struct web_get *get = web->first; get; get = get->next) {
        while (get->state == GET_UNDER_WAY) {
            web_get_step(get);
            if (get->state != GET_ENDED || !follow(get))
                break;
        }
    }
}

static enum probe_answer judge(const struct web_get *get, char text[PROBE_TEXT_SIZE])
{
    const int status = get->exchange.reply.status;
    const char *url = get->at ? get->at : get->url;
    bool cut = get->why.code == ERR_TOO_LARGE && status > 0; /* its status is known by then */

    if (get->why.code == ERR_BUSY)
        return PROBE_UNKNOWN;
    if (get->why.code == ERR_TIMEOUT)
        text_format(text, PROBE_TEXT_SIZE, "Get \"%s\": no answer within %lld s", get->url,
                    (long long)get->timeout_ms / 1000);
    else if (!get->answered && !cut)
        text_format(text, PROBE_TEXT_SIZE, "Get \"%s\": %s", url, get->why.text);
    else if (status < STATUS_GOOD || status >= STATUS_BAD)
        text_format(text, PROBE_TEXT_SIZE, "HTTP probe failed with statuscode: %d", status);
    else
        return PROBE_PASSED;
    return PROBE_FAILED;
}

void *web_next(struct web *web, enum probe_answer *answer, char text[PROBE_TEXT_SIZE])
{
    for (struct web_get *get = web->first; get; get = get->next) {
        if (get->state != GET_ENDED)
            continue;
        *answer = judge(get, text);
        web_get_leave(get);
        return get->owner;
    }
    return NULL;
}

/* ---- waiting ---- */

/* Room for one more than so many. */
static bool fds_fit(struct web *web, size_t count)
{
    if (count < web->fds_size)
        return true;
    size_t size = (count + 16) * 2;
    struct pollfd *fds = realloc(web->fds, size * sizeof *fds);
    if (!fds)
        return false;
    web->fds = fds;
    web->fds_size = size;
    return true;
}

void web_wait(struct web *web, struct pollfd *fds, size_t fds_count, int64_t timeout_ms)
{
    enum { SHORT_MS = 20 }; /* without memory for all of them */
    int64_t now_ms = probe_now_ms();
    size_t count = 0;

    for (size_t i = 0; i < fds_count; i++) {
        if (fds_fit(web, count))
            web->fds[count++] = fds[i];
    }
    for (struct web_get *get = web->first; get; get = get->next) {
        int64_t left_ms = get->until_ms > now_ms ? get->until_ms - now_ms : 0;
        timeout_ms = left_ms < timeout_ms ? left_ms : timeout_ms;
        if (fds_fit(web, count))
            web->fds[count++] =
                (struct pollfd){.fd = wire_fd(get->wire), .events = wire_events(get->wire)};
        else
            timeout_ms = timeout_ms < SHORT_MS ? timeout_ms : SHORT_MS;
    }
    if (fds_fit(web, count))
        web->fds[count++] = (struct pollfd){.fd = web->bell.fd, .events = POLLIN};
    if (poll(web->fds, count, (int)timeout_ms) > 0) {
        for (size_t i = 0; i < fds_count && i < count; i++)
            fds[i].revents = web->fds[i].revents;
    } else {
        for (size_t i = 0; i < fds_count; i++)
            fds[i].revents = 0;
    }
    bell_wait(&web->bell, 0);
}

void web_wake(struct web *web)
{
    bell_ring(&web->bell);
}
