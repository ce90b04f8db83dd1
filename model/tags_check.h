/* What ARM allows as tags of whatever has them.   Threads: any; pure. */
#ifndef MODEL_TAGS_CHECK_H
#define MODEL_TAGS_CHECK_H

#include "base/fields.h"

/* False when there was any problem; each names `field`. How many there may be is said by the field's table. */
bool tags_check(const struct text_map *tags, const char *field, struct problems *problems);

#endif
