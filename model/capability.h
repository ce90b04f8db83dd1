/* The kernel's capabilities by name, and which of them a container gets.   Threads: pure. */
#ifndef MODEL_CAPABILITY_H
#define MODEL_CAPABILITY_H

#include "model/container_group.h"

enum { CAPABILITY_NONE = -1, CAPABILITY_COUNT = 41 };

/* "NET_ADMIN", "CAP_NET_ADMIN", in any case; CAPABILITY_NONE when there is none of that name. "ALL"
 * is no capability. */
int capability_find(const char *name);
/* "NET_ADMIN" */
const char *capability_name(int number);
/* "ALL", with and without the prefix, in any case. */
bool capability_is_all(const char *name);

/* A set is a word with a bit for each. */
#define CAPABILITY_BIT(number) (UINT64_C(1) << (number))
#define CAPABILITY_EVERY (CAPABILITY_BIT(CAPABILITY_COUNT) - 1)

/* What a container engine gives by itself, changed as the context (NULL: not) asks: what is added and
 * not dropped, of the usual what is not dropped. A privileged one has every. */
uint64_t capabilities_of(const struct security_context *security);
/* Those that were asked for by name: they are wanted whoever the process runs as. */
uint64_t capabilities_named(const struct security_context *security);
/* Those with which a process rules the node and not only its container. */
uint64_t capabilities_of_node(void);

#endif
