/* The file that the agent and berth-fence both map.
 *
 *     deadline_ns    LEASE_NONE until the first renewal, then a CLOCK_BOOTTIME instant, LEASE_FIRED once it has passed
 *     sweeping       berth-fence is killing; who takes the lease out of LEASE_FIRED waits until it is not
 *
 * berth-fence holds a record lock on the file while it lives: that tells who it is, and that there is one.
 * No libraries: berth-fence is linked to nothing but libc. */
#ifndef NODE_AGENT_FENCE_LEASE_H
#define NODE_AGENT_FENCE_LEASE_H

#include <stdatomic.h>
#include <stdint.h>

#define LEASE_MAGIC UINT64_C(0x31636e6662727468)
#define LEASE_NONE INT64_C(0)
#define LEASE_FIRED INT64_C(-1)

enum { LEASE_BOOT_ID_SIZE = 40, LEASE_FOLDERS_SIZE = 4096, LEASE_SWEEP_MS = 100 };

struct lease {
    uint64_t magic;
    char boot_id[LEASE_BOOT_ID_SIZE]; /* instants of another boot mean nothing */
    char folders
        [LEASE_FOLDERS_SIZE]; /* ADDRESSES and FOLDERs of the running berth-fence, one a line */
    _Atomic int64_t deadline_ns;
    _Atomic int64_t fired_ms; /* Unix time; only read in LEASE_FIRED */
    _Atomic int32_t finished; /* the last sweep found no process */
    _Atomic int32_t sweeping;
};

#endif
