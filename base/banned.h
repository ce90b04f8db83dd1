/* What nobody calls, and what to call instead. Included ahead of every file of the project by its
 * arguments, so that a call does not compile. The headers that declare these come first: afterwards
 * the names are taken. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Some are macros already, by the compiler and its hardening. */
#undef sprintf
#undef vsprintf
#undef snprintf
#undef vsnprintf
#undef asprintf
#undef vasprintf
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef strtok
#undef strtok_r
#undef gets
#undef atoi
#undef atol
#undef atoll
#undef localtime
#undef localtime_r
#undef gmtime
#undef ctime
#undef asctime
#undef strftime
#undef system
#undef popen
#undef rand
#undef random
#undef mktemp

/* clang-format off */
#define BANNED_(name, instead) \
    __extension__({ _Static_assert(0, name "() is banned: " instead); 0; })

#define sprintf(...)   BANNED_("sprintf", "text_format() of base/text.h")
#define vsprintf(...)  BANNED_("vsprintf", "text_format_v() of base/text.h")
#define snprintf(...)  BANNED_("snprintf", "text_format() of base/text.h")
#define vsnprintf(...) BANNED_("vsnprintf", "text_format_v() of base/text.h")
#define asprintf(...)  BANNED_("asprintf", "text_addf() of base/text.h")
#define vasprintf(...) BANNED_("vasprintf", "text_addf_v() of base/text.h")
#define strcpy(...)    BANNED_("strcpy", "text_copy() of base/text.h")
#define strcat(...)    BANNED_("strcat", "text_add() of base/text.h")
#define strncpy(...)   BANNED_("strncpy", "text_copy() of base/text.h")
#define strncat(...)   BANNED_("strncat", "text_add() of base/text.h")
#define strtok(...)    BANNED_("strtok", "strcspn(), or a loop of your own")
#define strtok_r(...)  BANNED_("strtok_r", "strcspn(), or a loop of your own")
#define gets(...)      BANNED_("gets", "read(), with a ceiling")
#define atoi(...)      BANNED_("atoi", "text_to_int() of base/text.h")
#define atol(...)      BANNED_("atol", "text_to_int() of base/text.h")
#define atoll(...)     BANNED_("atoll", "text_to_int() of base/text.h")
#define localtime(...) BANNED_("localtime", "clock_text() of base/clock.h")
#define localtime_r(...) BANNED_("localtime_r", "clock_text() of base/clock.h")
#define gmtime(...)    BANNED_("gmtime", "clock_text() of base/clock.h")
#define ctime(...)     BANNED_("ctime", "clock_text() of base/clock.h")
#define asctime(...)   BANNED_("asctime", "clock_text() of base/clock.h")
#define strftime(...)  BANNED_("strftime", "clock_text() of base/clock.h")
#define system(...)    BANNED_("system", "process_run() of base/process.h")
#define popen(...)     BANNED_("popen", "process_run() of base/process.h")
#define rand()         BANNED_("rand", "id_token() of base/id.h, or a seeded generator of your own")
#define random()       BANNED_("random", "id_token() of base/id.h, or a seeded generator of your own")
#define mktemp(...)    BANNED_("mktemp", "file_replace() of base/file.h, or mkostemp()")
/* clang-format on */

#endif
