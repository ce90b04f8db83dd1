/* Probes in the life of a group: who is asked when, and what follows from what is said. */
#include "tests/unit/supervise/node.h"
#include "tests/unit/unit.h"

#include "node-agent/runtime/fake.h"
#include "node-agent/supervise/probing.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct act runs_on[] = {{ACT_RUN, UNTIL_REMOVED}, {ACT_END, UNTIL_NOW}};

static void seconds(struct agent *agent, int count)
{
    for (int round = 0; round < count * 10; round++) {
        node_round(agent);
        if (plane_advance())
            fakes_tell_desired();
    }
}

static struct agent *begin(enum restart_policy policy)
{
    node_begin(&(struct script){policy, runs_on, 0, .probed = true});
    struct agent *agent = node_agent_new();
    plane_advance();
    fakes_tell_desired();
    seconds(agent, 2);
    assert_true(node->seen[1].running);
    return agent;
}

static void end(struct agent *agent)
{
    node_agent_free(agent);
    node_end();
}

/* What its jobs came to may be there, and not taken yet. */
TEST(an_agent_may_end_at_any_moment_of_a_start)
{
    for (int rounds = 0; rounds < 30; rounds++) {
        node_begin(&(struct script){RESTART_ALWAYS, runs_on, 0, .probed = true});
        struct agent *agent = node_agent_new();
        plane_advance();
        fakes_tell_desired();
        for (int round = 0; round < rounds; round++)
            node_round(agent);
        end(agent);
    }
}

static struct member *web(struct agent *agent)
{
    return hosted_member(agent_find(agent, NODE_UID), "web");
}

static void tell(struct agent *agent, enum probe_kind kind, enum probe_answer answer, bool good)
{
    struct probe_news news = {.token = web(agent)->health.token,
                              .kind = kind,
                              .uid = NODE_UID,
                              .container = "web",
                              .answer = answer,
                              .good = good};

    if (answer == PROBE_FAILED)
        text_copy(news.text, sizeof news.text, "cat: no such file");
    agent_take_probe(agent, &news);
}

static void say(struct agent *agent, enum probe_kind kind, enum probe_answer answer, bool good)
{
    tell(agent, kind, answer, good);
    seconds(agent, 1);
}

static int64_t happened(struct agent *agent, const char *name, const char *message, bool warning)
{
    const struct happenings *list = &web(agent)->happenings;

    for (size_t i = 0; i < list->count; i++) {
        const struct happening *item = &list->items[i];
        if (strcmp(item->name, name) == 0 && strcmp(item->message, message) == 0 &&
            item->warning == warning)
            return item->count;
    }
    return 0;
}

static bool is_open(uint16_t port)
{
    for (size_t i = 0; i < node->ports_count; i++) {
        if (node->ports[i].port == port)
            return true;
    }
    return false;
}

TEST(who_runs_is_asked_both_ways_and_who_has_no_probes_is_not)
{
    struct agent *agent = begin(RESTART_ALWAYS);

    assert_int_equal(node->asked_count, 2);
    assert_int_equal(node->probes[0].kind, PROBE_LIVENESS);
    assert_true(node->probes[0].good);
    assert_int_equal(node->probes[1].kind, PROBE_READINESS);
    assert_false(node->probes[1].good);
    assert_int_equal(node->probes[0].token, node->probes[1].token);
    assert_string_equal(node->probes[0].address, "10.0.0.1");
    end(agent);
}

TEST(requests_go_to_the_groups_own_address_whatever_clients_are_told)
{
    struct agent *agent = begin(RESTART_ALWAYS);

    text_copy(agent_find(agent, NODE_UID)->address, sizeof agent_find(agent, NODE_UID)->address,
              "203.0.113.9");
    fake_runtime_end(node->runtime, NODE_UID, "web", 1, false);
    seconds(agent, 2);
    assert_int_equal(web(agent)->restarts, 1);
    assert_int_equal(node->asked_count, 2);
    assert_string_equal(node->probes[0].address, "10.0.0.1");
    end(agent);
}

TEST(readiness_takes_the_ports_into_service_and_out_again)
{
    struct agent *agent = begin(RESTART_ALWAYS);

    assert_true(!is_open(80) && is_open(81));
    say(agent, PROBE_READINESS, PROBE_PASSED, true);
    assert_true(is_open(80) && is_open(81));
    say(agent, PROBE_READINESS, PROBE_FAILED, true);
    assert_true(is_open(80));
    say(agent, PROBE_READINESS, PROBE_FAILED, false);
    assert_true(!is_open(80) && is_open(81));
    assert_int_equal(
        happened(agent, "Unhealthy", "Readiness probe failed: cat: no such file", true), 2);
    assert_int_equal(web(agent)->restarts, 0);
    assert_int_equal(web(agent)->phase, MEMBER_RUNNING);
    end(agent);
}

TEST(ports_that_could_not_be_opened_are_opened_a_second_later)
{
    struct agent *agent = begin(RESTART_ALWAYS);

    node->opens_failing = 1;
    say(agent, PROBE_READINESS, PROBE_PASSED, true);
    seconds(agent, 2);
    assert_true(is_open(80));
    end(agent);
}

TEST(liveness_ends_the_run_and_the_next_is_asked_anew)
{
    struct agent *agent = begin(RESTART_ON_FAILURE);
    int64_t first = web(agent)->health.token;

    say(agent, PROBE_READINESS, PROBE_PASSED, true);
    say(agent, PROBE_LIVENESS, PROBE_FAILED, true);
    assert_int_equal(web(agent)->restarts, 0);
    say(agent, PROBE_LIVENESS, PROBE_FAILED, false);
    seconds(agent, 2);
    assert_int_equal(web(agent)->restarts, 1);
    assert_int_equal(web(agent)->phase, MEMBER_RUNNING);
    assert_int_equal(web(agent)->previous.exit_code, 128 + 15);
    assert_int_equal(happened(agent, "Unhealthy", "Liveness probe failed: cat: no such file", true),
                     2);
    assert_int_equal(happened(agent, "Killing",
                              "Killing container web: failed liveness probe, will be restarted",
                              false),
                     1);
    assert_true(!is_open(80)); /* the new run is not ready */
    assert_int_equal(node->asked_count, 2);
    assert_true(node->probes[0].token > first);
    end(agent);
}

TEST(who_does_not_end_when_asked_is_killed_after_the_grace)
{
    struct agent *agent = begin(RESTART_ALWAYS);

    fake_runtime_stubborn(node->runtime, true);
    say(agent, PROBE_LIVENESS, PROBE_FAILED, false);
    seconds(agent, 8);
    assert_int_equal(web(agent)->restarts, 0);
    assert_int_equal(node->asked_count, 0);
    seconds(agent, 3);
    assert_int_equal(web(agent)->restarts, 1);
    assert_int_equal(web(agent)->previous.exit_code, 128 + 9);
    end(agent);
}

TEST(with_never_the_run_ends_and_no_other_follows)
{
    struct agent *agent = begin(RESTART_NEVER);

    say(agent, PROBE_LIVENESS, PROBE_FAILED, false);
    seconds(agent, 3);
    assert_int_equal(web(agent)->phase, MEMBER_ENDED);
    assert_true(web(agent)->final);
    assert_int_equal(happened(agent, "Killing",
                              "Killing container web: failed liveness probe, will not be restarted",
                              false),
                     1);
    end(agent);
}

TEST(failures_whose_words_differ_each_time_push_no_other_events_out)
{
    struct agent *agent = begin(RESTART_ALWAYS);

    for (int i = 0; i < 150; i++) {
        struct probe_news news = {.token = web(agent)->health.token,
                                  .kind = PROBE_READINESS,
                                  .uid = NODE_UID,
                                  .container = "web",
                                  .answer = PROBE_FAILED};
        text_format(news.text, sizeof news.text, "at second %d", i);
        agent_take_probe(agent, &news);
    }
    assert_int_equal(happened(agent, "Started", "Started container", false), 1);
    assert_int_equal(happened(agent, "Unhealthy", "Readiness probe failed: at second 149", true),
                     1);
    assert_int_equal(happened(agent, "Unhealthy", "Readiness probe failed: at second 130", true),
                     1);
    assert_int_equal(happened(agent, "Unhealthy", "Readiness probe failed: at second 129", true),
                     0);
    end(agent);
}

TEST(what_is_said_of_an_earlier_run_is_not_held_against_this_one)
{
    struct agent *agent = begin(RESTART_ALWAYS);
    struct probe_news old = {.token = web(agent)->health.token,
                             .kind = PROBE_LIVENESS,
                             .uid = NODE_UID,
                             .container = "web",
                             .answer = PROBE_FAILED,
                             .text = "late"};

    fake_runtime_end(node->runtime, NODE_UID, "web", 0, false);
    seconds(agent, 2);
    assert_int_equal(web(agent)->restarts, 1);
    agent_take_probe(agent, &old);
    seconds(agent, 2);
    assert_int_equal(web(agent)->restarts, 1);
    assert_int_equal(happened(agent, "Unhealthy", "Liveness probe failed: late", true), 0);
    end(agent);
}

TEST(a_container_that_ended_by_itself_is_not_blamed_by_its_probe)
{
    struct agent *agent = begin(RESTART_ON_FAILURE);

    fake_runtime_end(node->runtime, NODE_UID, "web", 0, false);
    say(agent, PROBE_LIVENESS, PROBE_FAILED, false);
    seconds(agent, 2);
    assert_int_equal(web(agent)->restarts, 0);
    assert_true(web(agent)->final);
    assert_int_equal(happened(agent, "Unhealthy", "Liveness probe failed: cat: no such file", true),
                     0);
    end(agent);
}

TEST(a_stop_ends_the_probes_first)
{
    struct agent *agent = begin(RESTART_ALWAYS);

    fake_runtime_stubborn(node->runtime, true);
    agent_find(agent, NODE_UID)->wanted = WANTED_STOP;
    agent_changed(agent, agent_find(agent, NODE_UID));
    seconds(agent, 1);
    assert_int_equal(agent_find(agent, NODE_UID)->stage, STAGE_ENDING);
    assert_int_equal(node->asked_count, 0);
    end(agent);
}

TEST(an_agent_that_comes_back_asks_again_and_keeps_what_was_in_service)
{
    struct agent *agent = begin(RESTART_ALWAYS);

    say(agent, PROBE_READINESS, PROBE_PASSED, true);
    node_agent_free(agent);
    node_pass(30);
    agent = node_agent_new();
    assert_int_equal(node->asked_count, 2);
    assert_true(node->probes[1].good);
    assert_true(node->probes[0].running_ms >= 30000);
    seconds(agent, 2);
    assert_true(is_open(80));
    say(agent, PROBE_READINESS, PROBE_FAILED, false);
    assert_true(!is_open(80));
    end(agent);
}

/* It was ready, its port was opened, it was not ready any more; of the opening nobody heard. */
static void die_while_opening(void)
{
    struct agent *agent = node_agent_new();

    plane_advance();
    fakes_tell_desired();
    seconds(agent, 2);
    tell(agent, PROBE_READINESS, PROBE_PASSED, true);
    for (int round = 0; round < 10 && !is_open(80); round++)
        node_round(agent);
    bool opened = is_open(80);
    tell(agent, PROBE_READINESS, PROBE_FAILED, false);
    _exit(opened && is_open(80) ? 0 : 1);
}

TEST(ports_that_were_being_opened_when_the_agent_died_are_closed_by_the_next)
{
    int status = -1;

    node_begin(&(struct script){RESTART_ALWAYS, runs_on, 0, .probed = true});
    pid_t child = fork();
    if (child == 0)
        die_while_opening();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct agent *agent = node_agent_new();
    plane_advance();
    fakes_tell_desired();
    seconds(agent, 2);
    assert_true(!is_open(80) && is_open(81));
    end(agent);
}

TEST(an_agent_that_died_while_it_ended_an_unhealthy_container_ends_it)
{
    struct agent *agent = begin(RESTART_ALWAYS);

    fake_runtime_stubborn(node->runtime, true);
    say(agent, PROBE_LIVENESS, PROBE_FAILED, false);
    node_agent_free(agent);
    agent = node_agent_new();
    assert_int_equal(node->asked_count, 0);
    plane_advance();
    fakes_tell_desired();
    seconds(agent, 13);
    assert_int_equal(web(agent)->restarts, 1);
    end(agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_agent_may_end_at_any_moment_of_a_start),
        cmocka_unit_test(who_runs_is_asked_both_ways_and_who_has_no_probes_is_not),
        cmocka_unit_test(requests_go_to_the_groups_own_address_whatever_clients_are_told),
        cmocka_unit_test(readiness_takes_the_ports_into_service_and_out_again),
        cmocka_unit_test(ports_that_could_not_be_opened_are_opened_a_second_later),
        cmocka_unit_test(liveness_ends_the_run_and_the_next_is_asked_anew),
        cmocka_unit_test(who_does_not_end_when_asked_is_killed_after_the_grace),
        cmocka_unit_test(with_never_the_run_ends_and_no_other_follows),
        cmocka_unit_test(failures_whose_words_differ_each_time_push_no_other_events_out),
        cmocka_unit_test(what_is_said_of_an_earlier_run_is_not_held_against_this_one),
        cmocka_unit_test(a_container_that_ended_by_itself_is_not_blamed_by_its_probe),
        cmocka_unit_test(a_stop_ends_the_probes_first),
        cmocka_unit_test(an_agent_that_comes_back_asks_again_and_keeps_what_was_in_service),
        cmocka_unit_test(ports_that_were_being_opened_when_the_agent_died_are_closed_by_the_next),
        cmocka_unit_test(an_agent_that_died_while_it_ended_an_unhealthy_container_ends_it),
    };

    return RUN_TESTS(tests);
}
