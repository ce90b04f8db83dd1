/* The default seccomp profile, in the two forms in which runtimes take it. One table: seccomp.def.
 * Threads: any.   Owner: the caller of the texts. */
#ifndef NODE_AGENT_RUNTIME_SECCOMP_H
#define NODE_AGENT_RUNTIME_SECCOMP_H

#include "base/err.h"
#include "base/text.h"

/* The "seccomp" object of an OCI configuration. Each start of a container compiles it: 15 ms
 * with crun. */
void seccomp_add_json(struct text *out);
/* The same compiled once (13 ms), as base64 of a BPF program. */
bool seccomp_add_bpf(struct text *out, struct err *err) MUST_CHECK;

#endif
