/* What people read of a command that failed: its output as well-formed text of one event.
 * Threads: any; pure. */
#ifndef PROBE_WORDS_H
#define PROBE_WORDS_H

#include "node-agent/probe/probe.h"

void words_of_command(const char *output, int exit_code, char out[PROBE_TEXT_SIZE]);
void words_of_timeout(const char *output, int64_t timeout_ms, char out[PROBE_TEXT_SIZE]);

#endif
