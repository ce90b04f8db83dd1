/* node-agent/supervise/health.h: which ports are in service, and who is ended for its health. */
#include "tests/unit/unit.h"

#include "node-agent/supervise/health.h"

#include <netinet/in.h>

/* ---- ports ---- */

enum { WEB, SIDE, SILENT, CONTAINERS };

/* web is asked and has 80 and 53/udp, side is not asked and has 80 too, silent is asked and has 9000. */
static struct group_properties *group(void)
{
    static struct probe probe;
    static struct container_port web_ports[] = {{PROTOCOL_TCP, 8080}, {PROTOCOL_UDP, 53}},
                                 side_ports[] = {{-1, 80}, {PROTOCOL_TCP, 53}},
                                 silent_ports[] = {{PROTOCOL_TCP, 80}, {PROTOCOL_TCP, 9000}},
                                 ports[] = {{PROTOCOL_TCP, 8080},
                                            {PROTOCOL_UDP, 53},
                                            {PROTOCOL_TCP, 80},
                                            {PROTOCOL_TCP, 9000},
                                            {PROTOCOL_TCP, 7}};
    static struct container_properties of[] = {
        [WEB] = {.ports = web_ports, .ports_count = 2, .readiness = &probe},
        [SIDE] = {.ports = side_ports, .ports_count = 2},
        [SILENT] = {.ports = silent_ports, .ports_count = 2, .readiness = &probe}};
    static struct container containers[] = {[WEB] = {"web", &of[WEB]},
                                            [SIDE] = {"side", &of[SIDE]},
                                            [SILENT] = {"silent", &of[SILENT]}};
    static struct group_address address = {.ports = ports, .ports_count = 5};
    static struct group_properties properties = {
        .containers = containers, .containers_count = CONTAINERS, .address = &address};

    return &properties;
}

static bool is_open(int64_t ready, int protocol, uint16_t port)
{
    struct network_port ports[LIMIT_ADDRESS_PORTS_MAX];
    size_t count = health_ports(group(), ready, ports);

    for (size_t i = 0; i < count; i++) {
        if (ports[i].protocol == protocol && ports[i].port == port)
            return true;
    }
    return false;
}

TEST(a_port_is_in_service_while_its_container_is_ready)
{
    int64_t web = INT64_C(1) << WEB, silent = INT64_C(1) << SILENT;

    assert_false(is_open(0, IPPROTO_TCP, 8080));
    assert_false(is_open(0, IPPROTO_UDP, 53));
    assert_true(is_open(web, IPPROTO_TCP, 8080));
    assert_true(is_open(web, IPPROTO_UDP, 53));
    assert_false(is_open(web, IPPROTO_TCP, 9000));
    assert_true(is_open(silent, IPPROTO_TCP, 9000));
    assert_false(is_open(silent, IPPROTO_TCP, 8080));
}

TEST(a_port_of_a_container_that_is_not_asked_is_always_in_service)
{
    assert_true(is_open(0, IPPROTO_TCP, 80)); /* another that has it, too, is not ready */
}

TEST(a_port_that_no_container_declares_is_in_service)
{
    assert_true(is_open(0, IPPROTO_TCP, 7));
}

TEST(a_group_without_an_address_has_no_ports)
{
    struct group_properties properties = *group();
    struct network_port ports[LIMIT_ADDRESS_PORTS_MAX];

    properties.address = NULL;
    assert_int_equal(health_ports(&properties, -1, ports), 0);
}

/* ---- who is ended ---- */

static void up(struct hosted *hosted, struct member members[2], enum restart_policy policy)
{
    *hosted = (struct hosted){.stage = STAGE_UP,
                              .policy = policy,
                              .pace = &restart_pace_usual,
                              .members = members,
                              .members_count = 2};
    members[0] = (struct member){.name = "web", .phase = MEMBER_RUNNING, .health.failed = true};
    members[1] = (struct member){.name = "side", .phase = MEMBER_RUNNING};
}

TEST(who_failed_is_asked_to_end_and_killed_after_its_grace)
{
    struct hosted hosted;
    struct member members[2];

    up(&hosted, members, RESTART_ALWAYS);
    struct plan plan = health_plan(&hosted, 100, true);
    assert_int_equal(plan.step, PLAN_KILL);
    assert_int_equal(plan.member, 0);
    members[0].health.ending = true;
    members[0].health.kill_ms = 200;
    assert_int_equal(health_plan(&hosted, 300, true).step, PLAN_NONE);
    members[0].health.ending = false;
    plan = health_plan(&hosted, 100, true);
    assert_int_equal(plan.step, PLAN_NONE);
    assert_int_equal(plan.wake_ms, 200);
    assert_int_equal(health_plan(&hosted, 200, true).step, PLAN_KILL);
}

TEST(nobody_is_ended_who_may_not_be_started_again_now)
{
    struct hosted hosted;
    struct member members[2];

    up(&hosted, members, RESTART_ALWAYS);
    assert_int_equal(health_plan(&hosted, 100, false).step, PLAN_NONE);
}

TEST(who_is_ended_for_its_health_starts_again_whatever_its_code_unless_the_policy_is_never)
{
    static const enum restart_policy policies[] = {RESTART_ALWAYS, RESTART_ON_FAILURE,
                                                   RESTART_NEVER};

    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        struct hosted hosted;
        struct member members[2];
        up(&hosted, members, policies[i]);
        for (size_t m = 0; m < 2; m++)
            member_ended(&hosted, &members[m], &(struct ending){5, 5, 0, NULL});
        assert_int_equal(members[0].final, policies[i] == RESTART_NEVER);
        assert_int_equal(members[1].final, policies[i] != RESTART_ALWAYS);
        assert_false(members[0].health.failed);
    }
}

TEST(ports_that_could_not_be_set_are_set_again_later)
{
    struct hosted hosted;
    struct member members[2];

    up(&hosted, members, RESTART_ALWAYS);
    members[0].health.failed = false;
    hosted.served = SERVED_UNKNOWN;
    assert_int_equal(health_plan(&hosted, 100, true).step, PLAN_OPEN);
    hosted.serving = true;
    assert_int_equal(health_plan(&hosted, 100, true).step, PLAN_NONE);
    hosted.serving = false;
    hosted.serve_ms = 200;
    assert_int_equal(health_plan(&hosted, 100, false).wake_ms, 200);
    assert_int_equal(health_plan(&hosted, 200, false).step, PLAN_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_is_in_service_while_its_container_is_ready),
        cmocka_unit_test(a_port_of_a_container_that_is_not_asked_is_always_in_service),
        cmocka_unit_test(a_port_that_no_container_declares_is_in_service),
        cmocka_unit_test(a_group_without_an_address_has_no_ports),
        cmocka_unit_test(who_failed_is_asked_to_end_and_killed_after_its_grace),
        cmocka_unit_test(nobody_is_ended_who_may_not_be_started_again_now),
        cmocka_unit_test(
            who_is_ended_for_its_health_starts_again_whatever_its_code_unless_the_policy_is_never),
        cmocka_unit_test(ports_that_could_not_be_set_are_set_again_later),
    };

    return RUN_TESTS(tests);
}
