/* What the agent needs to know and have of its machine.   Threads: start-up. */
#ifndef NODE_AGENT_MACHINE_H
#define NODE_AGENT_MACHINE_H

#include "base/arena.h"
#include "base/err.h"
#include "model/link.h"
#include "node-agent/config.h"

/* Name, boot id, architecture and capacity of this machine, as configured or as found. In the arena. */
bool machine_describe(const struct agent_config *config, struct arena *arena,
                      struct join_request *out, struct err *err) MUST_CHECK;
/* A folder whose files are in memory only: made, and a tmpfs mounted there (mode 0700) when it is not on one. */
bool machine_memory_folder(const char *path, struct err *err) MUST_CHECK;
/* Unmounts what machine_memory_folder() mounted. Nothing mounted is success. */
bool machine_memory_folder_remove(const char *path, struct err *err) MUST_CHECK;
/* No core dumps: they would hold secrets. */
void machine_no_dumps(void);
/* Workers share one heap: one for each thread would keep a megabyte of what a burst left behind. */
void machine_small_heap(void);
/* As many open files as may be: each group holds one, and each container one. */
void machine_many_files(void);

#endif
