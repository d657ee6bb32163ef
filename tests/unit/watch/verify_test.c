/* SPDX-License-Identifier: Apache-2.0 */
/* A selected watch: left or gone? */
#include "fixture.h"

#include <stdio.h>
#include <time.h>

#define SELECTED .label_selector = "app=web"

#define GET_A "/api/v1/namespaces/ns/configmaps/a"

/* The stream has reported that "a" is no longer selected; its GET is under way. */
static void leave(fixture_t *f)
{
    list_stream(f, "a", 10);
    buf_clear(&f->seen);
    event(f, "DELETED", "a", "a", 20);
    EXPECT_SEEN(f, "~a@20 ");
    turn(f);
}

static void answer(fixture_t *f, const char *uid)
{
    host_cleanup(host_freep) char *text = object_text("a", uid, 21, "");

    fake_kube_end(call(f, GET_A), 200, text);
    turn(f);
}

Test(verify, deleted_is_left_at_once_and_gone_after_a_get_that_finds_nothing)
{
    FIXTURE(f, SELECTED);
    leave(&f);
    EXPECT_STR(fake_kube_last_path(f.kube), GET_A);
    fake_kube_end(call(&f, GET_A), 404, "");
    EXPECT_SEEN(&f, "-a@20 ");
    EXPECT_INT(fake_kube_open(f.kube), 1);
}

Test(verify, an_object_that_is_still_there_stays_left)
{
    FIXTURE(f, SELECTED);
    leave(&f);
    answer(&f, "a");
    EXPECT_SEEN(&f, "");
}

Test(verify, another_uid_under_the_name_means_gone)
{
    FIXTURE(f, SELECTED);
    leave(&f);
    answer(&f, "other");
    EXPECT_SEEN(&f, "-a@20 ");
}

Test(verify, without_selectors_deleted_is_gone)
{
    FIXTURE(f);
    list_stream(&f, "a", 10);
    event(&f, "DELETED", "a", "a", 20);
    turn(&f);
    EXPECT_SEEN(&f, "+a@1* synced -a@20 ");
    EXPECT_INT(fake_kube_sent(f.kube), 1);
}

Test(verify, a_field_selector_selects_too)
{
    FIXTURE(f, .field_selector = "status.phase=Running");
    leave(&f);
    EXPECT_STR(fake_kube_last_path(f.kube), GET_A);
}

Test(verify, an_object_that_comes_back_is_not_reported_gone)
{
    FIXTURE(f, SELECTED);
    leave(&f);
    event(&f, "ADDED", "a", "a", 30);
    EXPECT_SEEN(&f, "+a@30 ");
    fake_kube_end(call(&f, GET_A), 404, ""); /* from a moment before */
    turn(&f);
    EXPECT_SEEN(&f, "");
}

Test(verify, a_new_object_of_the_name_decides_before_it_is_reported)
{
    FIXTURE(f, SELECTED);
    leave(&f);
    event(&f, "ADDED", "a", "new", 30);
    EXPECT_SEEN(&f, "-a@20 +a@30 ");
    answer(&f, "new");
    EXPECT_SEEN(&f, "");
}

/* Waits until a's GET is asked again; not at once. */
static void asked_again(fixture_t *f)
{
    turn(f);
    cr_expect(fake_kube_find(f->kube, GET_A) == NULL, "not at once");
    for (int i = 0; i < 70 && fake_kube_find(f->kube, GET_A) == NULL; i++) {
        bookmark(f, 30, false);
        pass(f, CLOCK_S);
    }
    EXPECT_SEEN(f, "");
}

Test(verify, an_answer_that_decides_nothing_is_asked_for_again)
{
    static const int statuses[] = {503, 429, 401, 408, 405};
    FIXTURE(f, SELECTED);
    leave(&f);
    for (size_t i = 0; i < HOST_LEN(statuses); i++) {
        fake_kube_end(call(&f, GET_A), statuses[i], "");
        asked_again(&f);
    }
    fake_kube_refuse(call(&f, GET_A));
    asked_again(&f);
    fake_kube_cut(call(&f, GET_A)); /* after the head of a 200 */
    asked_again(&f);
    fake_kube_end(call(&f, GET_A), 200, "{}");
    asked_again(&f);
    fake_kube_end(call(&f, GET_A), 200, "<html>");
    asked_again(&f);
    fake_kube_end_later(call(&f, GET_A), 503, 3600 * CLOCK_S);
    asked_again(&f);
    fake_kube_end(call(&f, GET_A), 404, "");
    EXPECT_SEEN(&f, "-a@20 ");
}

Test(verify, what_was_put_off_is_answered_by_a_new_object)
{
    FIXTURE(f, SELECTED);
    leave(&f);
    fake_kube_end(call(&f, GET_A), 401, "");
    event(&f, "ADDED", "a", "new", 30);
    EXPECT_SEEN(&f, "-a@20 +a@30 ");
}

Test(verify, what_may_not_be_read_stays_left)
{
    FIXTURE(f, SELECTED);
    leave(&f);
    fake_kube_end(call(&f, GET_A), 403, "");
    pass(&f, 60 * CLOCK_S);
    EXPECT_SEEN(&f, "");
    cr_expect(fake_kube_find(f.kube, GET_A) == NULL, "not asked again");
}

Test(verify, what_a_new_list_does_not_bring_has_left_until_it_is_known_gone)
{
    FIXTURE(f, SELECTED);
    list_stream(&f, "a", 10);
    fake_clock_advance(60 * CLOCK_S);
    error_event(&f, 410, "too old");
    turn(&f);
    buf_clear(&f.seen);
    bookmark(&f, 30, true);
    turn(&f);
    EXPECT_SEEN(&f, "~a@1 ");
    fake_kube_end(call(&f, GET_A), 404, "");
    EXPECT_SEEN(&f, "-a@1 ");
}

Test(verify, many_questions_are_asked_a_few_at_a_time)
{
    FIXTURE(f, SELECTED);
    list_stream(&f, "abcdefghijklmnopqrst", 10);
    for (char c = 'a'; c <= 't'; c++) {
        char name[] = {c, '\0'};

        event(&f, "DELETED", name, name, 20);
    }
    turn(&f);
    EXPECT_INT(fake_kube_open(f.kube), 1 + 8);
    size_t answered = 0;

    for (kube_call_t *c; (c = fake_kube_find(f.kube, "/configmaps/")) != NULL; answered++) {
        fake_kube_end(c, 404, "");
        turn(&f);
    }
    EXPECT_INT(answered, 20);
}

/* Sends one event for each of `count` names; the processor time that it took. */
static double burst(fixture_t *f, const char *type, char prefix, int count)
{
    char name[16];
    struct timespec from, to;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "%c%d", prefix, i);
        event(f, type, name, name, 20);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (double) (to.tv_sec - from.tv_sec) + (double) (to.tv_nsec - from.tv_nsec) * 1e-9;
}

/* Each event looked through every open question. */
Test(verify, open_questions_do_not_slow_events_down)
{
    enum { MANY = 20000 };
    FIXTURE(f, SELECTED);
    list_stream(&f, "", 10);
    burst(&f, "ADDED", 'a', MANY);
    double before = burst(&f, "ADDED", 'b', MANY);

    burst(&f, "DELETED", 'a', MANY);
    double with = burst(&f, "ADDED", 'c', MANY);

    cr_expect(with < 4 * before, "%d events took %.3f s with as many questions, %.3f s before",
              MANY, with, before);
}

Test(verify, when_the_kind_goes_everything_that_was_selected_is_gone)
{
    FIXTURE(f, SELECTED);
    list_stream(&f, "a", 10);
    fake_kube_set_kind(f.kube, NULL);
    bookmark(&f, 11, false);
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    buf_clear(&f.seen);
    fake_kube_end(call(&f, "watch=1"), 404, "");
    turn(&f);
    pass(&f, 3 * CLOCK_S);
    EXPECT_SEEN(&f, "-a@1 lost ");
    EXPECT_INT(fake_kube_open(f.kube), 0);
}

Test(verify, when_the_kind_goes_everything_that_left_is_gone)
{
    FIXTURE(f, SELECTED);
    leave(&f);
    fake_kube_set_kind(f.kube, NULL);
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 404, "");
    turn(&f);
    pass(&f, 3 * CLOCK_S);
    EXPECT_SEEN(&f, "-a@20 lost ");
    fake_kube_end(call(&f, GET_A), 404, "");
    EXPECT_SEEN(&f, "");
}
