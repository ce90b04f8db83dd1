/* Takes IPv4 addresses off this machine's links: a public address of a group must not answer here any more when the group may
 * run elsewhere. The names of a folder's files are the addresses (node-agent/network/publish.c keeps them); a file goes
 * before its address, so that who adds one again sees that it is no longer his.
 * Threads: one.   Owner: nothing to free; no memory is taken. */
#ifndef NODE_AGENT_FENCE_WITHDRAW_H
#define NODE_AGENT_FENCE_WITHDRAW_H

void withdraw(const char *folder);

#endif
