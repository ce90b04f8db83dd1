/* A server of one test: a store in a folder of its own and the API in front of it, in this process,
 * and clients on plain sockets that may misbehave.
 *
 *     AUTO(served) *served = served_new();
 *     struct answer_text answer = ask(served, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
 *
 * Failures end the test (cmocka). Not for: programs. */
#ifndef TESTS_UNIT_API_SERVE_H
#define TESTS_UNIT_API_SERVE_H

#include "api/api.h"
#include "tests/unit/unit.h"

#include <stdatomic.h>

#define SERVE_SUBSCRIPTION "11111111-2222-3333-4444-555555555555"
#define SERVE_RG "/subscriptions/" SERVE_SUBSCRIPTION "/resourceGroups/rg"
#define SERVE_GROUPS SERVE_RG "/providers/Microsoft.ContainerInstance/containerGroups"
#define SERVE_V "?api-version=2023-05-01"
#define SERVE_TOKEN "a-token-that-is-long-enough"
#define SERVE_JOIN "a-join-token-long-enough"
#define SERVE_HEAD "Host: berth.test\r\nAuthorization: Bearer " SERVE_TOKEN "\r\n"
#define SERVE_GROUP                                                                                \
    "{\"location\":\"West "                                                                        \
    "US\",\"properties\":{\"osType\":\"Linux\",\"containers\":[{\"name\":\"web\","                 \
    "\"properties\":{\"image\":\"busybox\",\"resources\":{\"requests\":{\"cpu\":1,\"memoryInGB\":" \
    "1.5}}}}]}}"

struct served {
    char folder[64], path[96], key_path[96];
    struct store *store;
    struct auth *auth; /* NULL without TLS */
    struct api *api;
    /* what the hooks answer, and how often they were asked */
    _Atomic bool full, not_ready;
    _Atomic int admitted, undone, seen;
    struct api_subscription subscription;
    struct api_location location;
    struct api_options options;
};

struct served *served_new(void); /* with resource group "rg" in "westus" */
/* Over TLS, on all addresses of the machine, with sign-in; without the resource group: clients here do
 * not speak TLS. */
struct served *served_new_tls(void);
void served_free(struct served *served);
AUTO_TYPE(served);
void served_stop(struct served *served); /* the API only */

/* One answer, taken apart; body and head are terminated. */
struct answer_text {
    int status;
    char *head, *body;
    size_t body_size;
};
void answer_free(struct answer_text *answer);
const char *answer_header(const struct answer_text *answer, const char *name, char *out,
                          size_t size);

int client_open(const struct served *served);
int client_open_narrow(const struct served *served,
                       int receive_bytes); /* its receive buffer; 0: the usual one */
void client_send(int fd, const char *bytes, size_t size);
void client_say(int fd, const char *text);
/* Reads one whole answer (by its Content-Length); status 0: the connection was closed first. */
struct answer_text client_take(int fd, bool head_only);
/* On a connection of its own. */
struct answer_text ask(const struct served *served, const char *request);
/* "METHOD path" with the token, a body or NULL. */
struct answer_text call(const struct served *served, const char *method, const char *path,
                        const char *body);
/* Its status alone. */
int call_status(const struct served *served, const char *method, const char *path,
                const char *body);

struct fake_agent {
    char id[40], credential[64];
    long long epoch;
};
void serve_join(const struct served *served, const char *name, struct fake_agent *agent);
struct answer_text serve_agent_call(const struct served *served, const struct fake_agent *agent,
                                    const char *method, const char *path, const char *body);

#endif
