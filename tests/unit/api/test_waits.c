/* The table of waiting requests without any server: requests that only note that they were resumed.
 */
#include "api/inside.h"
#include "base/clock.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct api api;
static int64_t now_ns;

struct waiting {
    struct request request;
    int resumed;
};

static void resume(struct request *request)
{
    CONTAINER_OF(request, struct waiting, request)->resumed++;
}

static const struct transport transport = {.resume = resume};

static int64_t boot_ns(void *context UNUSED)
{
    return now_ns;
}

static int64_t now_ms(void *context UNUSED)
{
    return 1700000000000 + now_ns / 1000000;
}

static int begin(void **state UNUSED)
{
    static const struct clock_source source = {.now_ms = now_ms, .boot_ns = boot_ns};
    struct err err = {0};

    now_ns = INT64_C(1000000000000);
    clock_replace(&source);
    api.waits = waits_new(&err);
    return api.waits ? 0 : -1;
}

static int end(void **state UNUSED)
{
    waits_free(api.waits);
    clock_replace(NULL);
    return 0;
}

static void waiting_init(struct waiting *waiting)
{
    *waiting = (struct waiting){.request = {.api = &api, .transport = &transport}};
    waiting->request.arena = arena_new(1 << 20);
    assert_non_null(waiting->request.arena);
}

static void waiting_done(struct waiting *waiting)
{
    arena_free(waiting->request.arena);
}

static void pass_ms(int64_t ms)
{
    now_ns += ms * 1000000;
    waits_tick(api.waits);
}

static void change(enum change_kind kind, int64_t key)
{
    struct change one = {.kind = kind};

    if (kind == CHANGE_OPERATION)
        one.operation_key = key;
    else
        one.node_key = key;
    waits_changed(api.waits, &one, 1);
}

TEST(a_change_of_an_operation_ends_the_waits_for_it_and_no_other)
{
    struct waiting first, second, other;

    waiting_init(&first);
    waiting_init(&second);
    waiting_init(&other);
    assert_true(wait_for(&first.request, WAIT_OPERATION, 7, 1000, NULL, NULL));
    assert_true(wait_for(&second.request, WAIT_OPERATION, 7, 1000, NULL, NULL));
    assert_true(wait_for(&other.request, WAIT_DESIRED, 7, 1000, NULL, NULL));
    wait_begin(&first.request);
    wait_begin(&second.request);
    wait_begin(&other.request);
    change(CHANGE_OPERATION, 8);
    assert_int_equal(first.resumed, 0);
    change(CHANGE_OPERATION, 7);
    assert_int_equal(first.resumed, 1);
    assert_int_equal(second.resumed, 1);
    assert_int_equal(first.request.wait.end, WAIT_ENDED);
    assert_int_equal(other.resumed, 0);
    change(CHANGE_ASSIGNMENT, 7);
    assert_int_equal(other.resumed, 1);
    change(CHANGE_OPERATION, 7);
    assert_int_equal(first.resumed, 1);
    waiting_done(&first);
    waiting_done(&second);
    waiting_done(&other);
}

TEST(time_ends_a_wait_once_and_not_too_early)
{
    struct waiting waiting;

    waiting_init(&waiting);
    assert_true(wait_for(&waiting.request, WAIT_DESIRED, 1, 30000, NULL, NULL));
    wait_begin(&waiting.request);
    for (int i = 0; i < 119; i++)
        pass_ms(250);
    assert_int_equal(waiting.resumed, 0);
    for (int i = 0; i < 4; i++)
        pass_ms(250);
    assert_int_equal(waiting.resumed, 1);
    assert_int_equal(waiting.request.wait.end, WAIT_TOO_LATE);
    pass_ms(120000);
    assert_int_equal(waiting.resumed, 1);
    waiting_done(&waiting);
}

TEST(a_machine_that_slept_ends_all_waits)
{
    struct waiting waiting;

    waiting_init(&waiting);
    assert_true(wait_for(&waiting.request, WAIT_DESIRED, 1, 30000, NULL, NULL));
    wait_begin(&waiting.request);
    pass_ms(INT64_C(3600) * 1000);
    assert_int_equal(waiting.resumed, 1);
    waiting_done(&waiting);
}

static void put_question(struct waiting *waiting, struct question *question, int64_t node_key)
{
    *question = (struct question){.kind = QUESTION_LOGS, .uid = "u", .container = "c"};
    assert_true(wait_answer(&waiting->request, node_key, question, NULL));
    wait_begin(&waiting->request);
}

TEST(a_poll_that_its_node_left_behind_ends_and_the_question_waits_for_the_next_one)
{
    struct waiting dead, other, asker;
    struct question question;

    waiting_init(&dead);
    waiting_init(&other);
    waiting_init(&asker);
    assert_true(wait_for(&dead.request, WAIT_DESIRED, 5, 30000, NULL, NULL));
    assert_true(wait_for(&other.request, WAIT_DESIRED, 6, 30000, NULL, NULL));
    wait_begin(&dead.request);
    wait_begin(&other.request);
    waits_overtake_polls(api.waits, 5);
    assert_int_equal(dead.resumed, 1);
    assert_int_equal(dead.request.wait.end, WAIT_OVERTAKEN);
    assert_int_equal(other.resumed, 0);
    put_question(&asker, &question, 5);
    assert_int_equal(dead.resumed, 1);
    assert_true(waits_has_question(api.waits, 5));
    waiting_done(&dead);
    waiting_done(&other);
    waiting_done(&asker);
}

TEST(the_end_of_a_look_ends_the_waits_for_it_and_no_other)
{
    struct waiting first, other;

    waiting_init(&first);
    waiting_init(&other);
    assert_true(wait_for(&first.request, WAIT_IMAGE, 7, 1000, NULL, NULL));
    assert_true(wait_for(&other.request, WAIT_OPERATION, 7, 1000, NULL, NULL));
    wait_begin(&first.request);
    wait_begin(&other.request);
    waits_image_known(api.waits, 8);
    assert_int_equal(first.resumed, 0);
    waits_image_known(api.waits, 7);
    assert_int_equal(first.resumed, 1);
    assert_int_equal(first.request.wait.end, WAIT_ENDED);
    assert_int_equal(other.resumed, 0);
    pass_ms(2000);
    waiting_done(&first);
    waiting_done(&other);
}

static bool due(struct request *request UNUSED)
{
    return true;
}

TEST(what_came_before_the_wait_is_seen)
{
    struct waiting waiting;

    waiting_init(&waiting);
    assert_true(wait_for(&waiting.request, WAIT_OPERATION, 1, 1000, due, NULL));
    wait_begin(&waiting.request);
    assert_int_equal(waiting.resumed, 1);
    assert_int_equal(waiting.request.wait.end, WAIT_ENDED);
    waiting_done(&waiting);
}

/* ---- questions ---- */

TEST(a_question_wakes_its_node_and_is_told_once)
{
    struct waiting asker, poll;
    struct question question, *told;
    size_t count;

    waiting_init(&asker);
    waiting_init(&poll);
    assert_true(wait_for(&poll.request, WAIT_DESIRED, 5, 30000, NULL, NULL));
    wait_begin(&poll.request);
    put_question(&asker, &question, 5);
    assert_int_equal(poll.resumed, 1);
    assert_true(waits_has_question(api.waits, 5));
    assert_false(waits_has_question(api.waits, 6));
    assert_true(waits_questions(api.waits, 6, poll.request.arena, &told, &count));
    assert_int_equal(count, 0);
    assert_true(waits_questions(api.waits, 5, poll.request.arena, &told, &count));
    assert_int_equal(count, 1);
    assert_string_equal(told[0].container, "c");
    assert_string_equal(told[0].id, question.id);
    assert_false(waits_has_question(api.waits, 5));
    assert_int_equal(asker.resumed, 0);
    waits_changed(api.waits, NULL, 0);
    pass_ms(60000);
    assert_int_equal(asker.resumed, 1);
    waiting_done(&asker);
    waiting_done(&poll);
}

TEST(what_a_node_was_asked_before_it_joined_anew_is_told_again)
{
    struct waiting asker, other;
    struct question question, second, *told;
    size_t count;

    waiting_init(&asker);
    waiting_init(&other);
    put_question(&asker, &question, 5);
    put_question(&other, &second, 6);
    for (int64_t node_key = 5; node_key <= 6; node_key++) {
        assert_true(waits_questions(api.waits, node_key, asker.request.arena, &told, &count));
        assert_int_equal(count, 1);
    }
    waits_node_joined(api.waits, 5);
    waits_node_joined(api.waits, 5);
    assert_true(waits_questions(api.waits, 5, asker.request.arena, &told, &count));
    assert_int_equal(count, 1);
    assert_string_equal(told[0].id, question.id);
    assert_false(waits_has_question(api.waits, 5));
    assert_false(waits_has_question(api.waits, 6));
    waiting_done(&asker);
    waiting_done(&other);
}

TEST(an_answer_goes_to_who_asked_that_node)
{
    static const char json[] = "{\"content\":\"hello\\n\"}";
    struct waiting asker;
    struct question question;
    struct err err = {0};

    waiting_init(&asker);
    put_question(&asker, &question, 5);
    assert_false(waits_give_answer(api.waits, 6, question.id, json, sizeof json - 1, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(waits_give_answer(api.waits, 5, "x", json, sizeof json - 1, &err));
    assert_int_equal(asker.resumed, 0);
    assert_true(waits_give_answer(api.waits, 5, question.id, json, sizeof json - 1, &err));
    assert_int_equal(asker.resumed, 1);
    assert_string_equal(asker.request.wait.answer->content, "hello\n");
    assert_false(waits_give_answer(api.waits, 5, question.id, json, sizeof json - 1, &err));
    waiting_done(&asker);
}

TEST(an_answer_that_makes_no_sense_ends_the_wait_too)
{
    struct waiting asker;
    struct question question;
    struct err err = {0};

    waiting_init(&asker);
    put_question(&asker, &question, 5);
    assert_false(waits_give_answer(api.waits, 5, question.id, "[]", 2, &err));
    assert_int_equal(asker.resumed, 1);
    assert_null(asker.request.wait.answer);
    waiting_done(&asker);
}

TEST(stopping_ends_what_waits_and_what_begins_to)
{
    struct waiting before, after;

    waiting_init(&before);
    waiting_init(&after);
    assert_true(wait_for(&before.request, WAIT_DESIRED, 1, 30000, NULL, NULL));
    wait_begin(&before.request);
    waits_stop(api.waits);
    assert_int_equal(before.resumed, 1);
    assert_int_equal(before.request.wait.end, WAIT_STOPPING);
    assert_true(wait_for(&after.request, WAIT_DESIRED, 1, 30000, NULL, NULL));
    wait_begin(&after.request);
    assert_int_equal(after.resumed, 1);
    assert_int_equal(after.request.wait.end, WAIT_STOPPING);
    waiting_done(&before);
    waiting_done(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_change_of_an_operation_ends_the_waits_for_it_and_no_other,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            a_poll_that_its_node_left_behind_ends_and_the_question_waits_for_the_next_one, begin,
            end),
        cmocka_unit_test_setup_teardown(the_end_of_a_look_ends_the_waits_for_it_and_no_other, begin,
                                        end),
        cmocka_unit_test_setup_teardown(time_ends_a_wait_once_and_not_too_early, begin, end),
        cmocka_unit_test_setup_teardown(a_machine_that_slept_ends_all_waits, begin, end),
        cmocka_unit_test_setup_teardown(what_came_before_the_wait_is_seen, begin, end),
        cmocka_unit_test_setup_teardown(a_question_wakes_its_node_and_is_told_once, begin, end),
        cmocka_unit_test_setup_teardown(what_a_node_was_asked_before_it_joined_anew_is_told_again,
                                        begin, end),
        cmocka_unit_test_setup_teardown(an_answer_goes_to_who_asked_that_node, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_that_makes_no_sense_ends_the_wait_too, begin,
                                        end),
        cmocka_unit_test_setup_teardown(stopping_ends_what_waits_and_what_begins_to, begin, end),
    };
    return RUN_TESTS(tests);
}
