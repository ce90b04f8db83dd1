/* Where a header Location leads.   Threads: any. */
#ifndef PROBE_REDIRECT_H
#define PROBE_REDIRECT_H

#include "base/text.h"

/* `location` may be a whole URL, or what follows the scheme, the host or the folder of `from`. False: it leads nowhere. */
bool redirect_add(struct text *out, const char *from, const char *location) MUST_CHECK;
bool redirect_same_host(const char *left, const char *right);

#endif
