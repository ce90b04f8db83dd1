/* Probes of the agent's containers: begun, ended, and what they say taken into the groups.
 * Threads: the loop's, but those functions the prober calls. */
#ifndef SUPERVISE_PROBING_H
#define SUPERVISE_PROBING_H

#include "node-agent/supervise/agent_state.h"

bool agent_prober_new(struct agent *agent, struct err *err) MUST_CHECK;
/* Who runs is asked, who does not is asked no more. After any change. */
void agent_probe(struct agent *agent, struct hosted *group);
void agent_take_probe(struct agent *agent, const struct probe_news *news);

/* A step's share: what the job is told, and what it did. */
void probing_step(struct hosted *group, struct job *job);
void probing_done(struct agent *agent, struct hosted *group, const struct job *job);

#endif
