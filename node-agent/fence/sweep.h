/* Killing everything in a cgroup folder and those below it, on cgroup v1 and v2. Allocates nothing.
 * Threads: one. */
#ifndef NODE_AGENT_FENCE_SWEEP_H
#define NODE_AGENT_FENCE_SWEEP_H

/* Kills what it finds and returns how many processes that were; 0: the folder is empty, or not there. Processes need a
 * moment to be gone: call it until it returns 0. */
int sweep(const char *folder);

#endif
