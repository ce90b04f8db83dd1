/* A state folder of its own for a test of api/auth, and a clock that stands still until it is told. */
#ifndef TESTS_UNIT_AUTH_TRY_H
#define TESTS_UNIT_AUTH_TRY_H

#include "api/auth/auth.h"
#include "base/clock.h"
#include "base/file.h"
#include "tests/unit/unit.h"

#define TRY_TENANT "0f1e2d3c-0000-4000-8000-00000000000a"
#define TRY_CLIENT "0f1e2d3c-0000-4000-8000-00000000000b"
#define TRY_OBJECT "0f1e2d3c-0000-4000-8000-00000000000c"
#define TRY_SECRET "a-secret-of-24-and-more-letters"
#define TRY_AUDIENCE "https://127.0.0.1:8700"
#define TRY_ISSUER TRY_AUDIENCE "/" TRY_TENANT

extern char try_folder[64];
extern int64_t try_now_ms;

int try_begin(void **state);
int try_end(void **state);

const char *try_path(const char *name); /* in the folder; good until the next call */
void try_write(const char *name, const char *content, int mode);
struct auth_options try_options(void); /* with a principals file that holds TRY_CLIENT */
struct auth *try_open(const struct auth_options *options);
/* What opening is refused with. */
struct err try_refused(const struct auth_options *options);

#endif
