#include "tests/unit/network/net.h"

#include "base/file.h"
#include "base/process.h"

#include <netinet/in.h>
#include <string.h>

struct place place;
struct err err;
struct network_options options = {.bridge = "berth0", .range = "10.101.0.0/24", .nat = true};
struct network *network;

int place_up(void **state UNUSED)
{
    if (place_new(&place, &err)) {
        options.run_dir = place.folder;
        return 0;
    }
    print_error("%s\n", err.text);
    return -1;
}

int place_down(void **state UNUSED)
{
    return place_free(&place, &err) ? 0 : -1;
}

int network_up(void **state UNUSED)
{
    network = network_open(&options, &err);
    if (!network)
        print_error("%s\n", err.text);
    return network ? 0 : -1;
}

int network_down(void **state UNUSED)
{
    network_free(TAKE(network));
    if (network_close_all(&options, &err))
        return 0;
    print_error("%s\n", err.text);
    return -1;
}

const char *uid(int number)
{
    static char uids[4][ID_SIZE];
    static int turn;
    char *out = uids[turn++ % 4];
    text_format(out, ID_SIZE, "0190b6a0-0000-7000-8000-%012d", number);
    return out;
}

struct network_group up(int number)
{
    struct network_group group = {0};
    struct network_spec spec = {.uid = uid(number), .hostname = "box"};
    if (!network_group_up(network, &spec, &group, &err))
        print_error("%s\n", err.text);
    return group;
}

void down(int number)
{
    if (!network_group_down(network, uid(number), &err))
        fail_msg("%s", err.text);
}

bool reaches(const char *from, const char *to_net, const char *address,
             char peer[NETWORK_ADDRESS_SIZE])
{
    AUTO_CLOSE int listener = place_listen(to_net, address, PORT);
    AUTO_CLOSE int connected = place_connect(from, address, PORT, 2000);
    return listener >= 0 && connected >= 0 && place_accept(listener, peer);
}

char *content(const char *path)
{
    char *bytes = NULL;
    size_t size;
    return file_read(path, 65536, &bytes, &size, &err) ? bytes : NULL;
}

bool file_is(const char *path, const char *expected)
{
    AUTO_FREE char *bytes = content(path);
    return bytes && strcmp(bytes, expected) == 0;
}

void open_ports(int number, const struct network_port *ports, size_t count)
{
    if (!network_group_open(network, uid(number), ports, count, &err))
        fail_msg("%s", err.text);
}

void open_tcp(int number, uint16_t port)
{
    struct network_port ports = {IPPROTO_TCP, port};
    open_ports(number, &ports, 1);
}

bool expose(int number, const char *address, const char *subnet, char shown[16])
{
    static const struct network_port port = {IPPROTO_TCP, PORT};
    struct network_exposure exposure = {.ports = &port,
                                        .ports_count = 1,
                                        .is_public = !subnet,
                                        .public_address = address,
                                        .subnet = subnet};
    bool done = network_group_expose(network, uid(number), &exposure, shown, &err);
    if (!done)
        print_error("%s\n", err.text);
    return done;
}

bool asks(const char *from, const struct network_group *group, const char *public, uint16_t port,
          char peer[NETWORK_ADDRESS_SIZE])
{
    AUTO_CLOSE int listener = place_listen(group->net_path, group->address, port);
    AUTO_CLOSE int connected = place_connect(from, public, port, 500);
    return listener >= 0 && connected >= 0 && place_accept(listener, peer);
}

void network_with_node_address(const char *address)
{
    struct network_options other = options;
    network_free(TAKE(network));
    other.public_address = address;
    other.public_link = "up0";
    network = network_open(&other, &err);
    assert_non_null(network);
}

struct text *ruleset(void)
{
    static const char *const list[] = {"nft", "list", "ruleset", NULL};
    struct process process = {.argv = list};
    struct process_result result;
    struct text *out = text_new(1 << 20);
    assert_true(process_run(&process, out, NULL, &result, &err));
    return out;
}

bool rules_hold_elements(void)
{
    AUTO(text) *out = ruleset();
    assert_non_null(strstr(out->bytes, "set owners"));
    return strstr(out->bytes, "elements = {") != NULL;
}

void look(void)
{
    if (!network_look(network, &err))
        fail_msg("%s", err.text);
}

bool named_box(void *context UNUSED)
{
    char name[64];
    return gethostname(name, sizeof name) == 0 && strcmp(name, "box") == 0;
}
