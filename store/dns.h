/* Names below the DNS zone, as groups come by them and lose them.
 * Not for: other rooms (store.h has what they ask).   Threads: the writer's. */
#ifndef STORE_DNS_H
#define STORE_DNS_H

#include "store/tx.h"

/* The group has the name that its row says, or none: ERR_DNS_LABEL_TAKEN when another has it. `is_new`: it had none. */
bool dns_name_put(struct tx *tx, const struct group_row *row, bool is_new, struct err *err)
    MUST_CHECK;
/* Its address, as its row says, is that of its name too. */
bool dns_name_move(struct tx *tx, const struct group_row *row, struct err *err) MUST_CHECK;
bool dns_name_free(struct tx *tx, int64_t group_key, struct err *err) MUST_CHECK;
/* NULL in *name: it has none. */
bool dns_name_of(struct tx *tx, int64_t group_key, struct arena *arena, const char **name,
                 struct err *err) MUST_CHECK;

#endif
