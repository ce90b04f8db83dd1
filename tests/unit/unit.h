/* What every unit test includes: cmocka with what it wants before it, and two short words.
 *
 *     TEST(refuses_a_negative_port) { assert_false(...); }
 *     int main(void) { const struct CMUnitTest tests[] = { cmocka_unit_test(...) }; return RUN_TESTS(tests); }
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TEST(name) static void name(void **state __attribute__((unused)))
#define RUN_TESTS(tests) cmocka_run_group_tests(tests, NULL, NULL)

#endif
