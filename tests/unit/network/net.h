/* What the tests of real namespaces and real packets share: a place of their own (place.h), one network in it that each
 * test has anew, groups by number. Needs root.
 * Threads: one.   Owner: place_down(), network_down(). */
#ifndef TESTS_UNIT_NETWORK_NET_H
#define TESTS_UNIT_NETWORK_NET_H

#include "tests/unit/network/place.h"

#include "tests/unit/unit.h"

enum { PORT = 8080 };
#define PUBLIC "198.51.100.40"

extern struct place place;
extern struct err err;
extern struct network_options options;
extern struct network *network;

int place_up(void **state);
int place_down(void **state);
int network_up(void **state);
int network_down(void **state);
#define WITH_NETWORK(test) cmocka_unit_test_setup_teardown(test, network_up, network_down)
#define NETWORK_TESTS(tests) cmocka_run_group_tests(tests, place_up, place_down)

/* Of the group with this number; four of them last. */
const char *uid(int number);
struct network_group up(int number);
void down(int number);
void open_ports(int number, const struct network_port *ports, size_t count);
void open_tcp(int number, uint16_t port);
/* With PORT open to all, at that public address (NULL: the node's), or in that subnet. */
bool expose(int number, const char *address, const char *subnet, char shown[16]);
/* The network anew, with public addresses on the way out; its own is `address`, NULL: none. */
void network_with_node_address(const char *address);
/* Looks for changes of somebody else's. */
void look(void);

/* From there a connection to PORT is taken there; who came is in `peer`. */
bool reaches(const char *from, const char *to_net, const char *address,
             char peer[NETWORK_ADDRESS_SIZE]);
/* A listener of the group hears who asks for `public`:port. */
bool asks(const char *from, const struct network_group *group, const char *public, uint16_t port,
          char peer[NETWORK_ADDRESS_SIZE]);

/* For place_inside(): the host is named as groups are here. */
bool named_box(void *context);

/* All packet rules; the caller's to free. */
struct text *ruleset(void);
/* Of any set or map of any table. */
bool rules_hold_elements(void);
/* Of a file; NULL: it cannot be read. The caller's to free. */
char *content(const char *path);
bool file_is(const char *path, const char *expected);

#endif
