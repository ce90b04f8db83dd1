/* Probes, as Kubernetes has them: ACI's documents say no more (aci/features.md §11). */
#include "model/check/inside.h"

#include <string.h>

struct asked {
    const struct seat *seat;
    const struct probe *probe;
    const char *name; /* "livenessProbe" */
};

static bool refuse(struct check *check, const struct asked *asked, const char *member,
                   const char *why)
{
    return check_problem(check, ERR_PROBE,
                         seat_path(check, asked->seat, "%s.%s", asked->name, member),
                         "The %s of container '%.63s' in container group '%.63s' is invalid: %s.",
                         asked->name, asked->seat->container->name, check->name, why);
}

static void check_http_get(struct check *check, const struct asked *asked)
{
    const struct probe_http_get *get = asked->probe->http_get;

    if (get->path && (get->path[0] != '/' || !word_plain(get->path) || strchr(get->path, ' ')))
        refuse(check, asked, "httpGet.path", "a path begins with '/' and holds no blanks");
    for (size_t i = 0; i < get->headers_count; i++) {
        const struct http_header *header = &get->headers[i];
        if (!header->name || !word_token(header->name) ||
            (header->value && !word_plain(header->value)))
            refuse(check, asked, "httpGet.httpHeaders",
                   "a header needs a name of letters, digits and '-', and a value of one line");
    }
}

static void check_probe(struct check *check, const struct asked *asked)
{
    const struct probe *probe = asked->probe;

    if (!probe)
        return;
    if (probe->exec && (probe->exec->command.count == 0 || !probe->exec->command.items[0][0]))
        refuse(check, asked, "exec.command", "there is no command to run");
    if (probe->http_get)
        check_http_get(check, asked);
}

void check_probes(struct check *check, const struct seat *seat)
{
    const struct container_properties *properties = seat->container->properties;
    struct asked liveness = {seat, properties->liveness, "livenessProbe"};
    struct asked readiness = {seat, properties->readiness, "readinessProbe"};

    check_probe(check, &liveness);
    check_probe(check, &readiness);
    if (liveness.probe && liveness.probe->success_threshold.given == GIVEN_VALUE &&
        liveness.probe->success_threshold.value > 1)
        refuse(check, &liveness, "successThreshold", "it must be 1 for liveness");
}
