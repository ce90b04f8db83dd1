/* Elements of the nftables sets and maps that rules.c declares, changed in one transaction of the kernel: all of it
 * happens, or nothing. A transaction is one message and some tens of microseconds; no program is run.
 *
 *     AUTO(elements) *change = elements_new("berth_berth0", err);
 *     elements_put(change, &element);
 *     elements_drop(change, &other);
 *     if (!elements_commit(change, err)) ...
 *
 * Threads: one at a time; speaks to the network namespace of the thread that made it.   Owner: elements_free(). */
#ifndef NODE_AGENT_NETWORK_ELEMENTS_H
#define NODE_AGENT_NETWORK_ELEMENTS_H

#include "base/auto.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { ELEMENT_KEY_SIZE = 20 };

/* Key as the kernel lays it out: network byte order, each part of a concatenation filled up to four bytes. */
struct element {
    const char *set; /* a name of inside.h */
    uint8_t key[ELEMENT_KEY_SIZE];
    size_t key_size;
    bool mapped; /* of a map: to value, as it lies in memory */
    uint32_t value;
};
/* By set, then by key, then by value; 0: the same. */
int element_compare(const struct element *left, const struct element *right);

struct elements;
struct elements *elements_new(const char *table, struct err *err) MUST_CHECK;
void elements_free(struct elements *elements);
void elements_put(struct elements *elements, const struct element *element);  /* may be there */
void elements_drop(struct elements *elements, const struct element *element); /* may be gone */
/* Nothing to change is a success. The transaction is empty afterwards. */
bool elements_commit(struct elements *elements, struct err *err) MUST_CHECK;

AUTO_TYPE(elements);

#endif
