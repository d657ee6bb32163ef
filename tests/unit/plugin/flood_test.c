/* SPDX-License-Identifier: Apache-2.0 */
/* The log is not flooded by failures that are alike, and nothing is left out without a word. */
#include "plugin/flood.h"

#include "base/buf.h"
#include "runtime_rig.h"

#include <semaphore.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define FORBIDDEN                                                                                  \
    "PATCH /api/v1/namespaces/ns/configmaps/%s: 403 Forbidden: configmaps \"%s\" is forbidden: "   \
    "User \"system:serviceaccount:ns:lh\" cannot patch resource \"configmaps\""

static loop_t *loop;
static int fd;
static log_t *logger;
static plugin_flood_t flood;
static buf_t text;

static void start(void)
{
    lh_error_t err = {0};

    ASSERT_OK(loop_create(&loop, &err), err);
    fd = memfd_create("log", MFD_CLOEXEC);
    logger = log_create(fd, LOG_TEXT, LOG_INFO);
    plugin_flood_init(&flood, loop, logger);
}

static void finish(void)
{
    plugin_flood_fini(&flood);
    log_destroy(logger);
    loop_destroy(loop);
    close(fd);
    buf_fini(&text);
}

TestSuite(flood, .init = start, .fini = finish);
TestSuite(controller_flood);

static bool shows(const char *line, const char *name)
{
    return plugin_flood_shows(&flood, line, "ns", name, false);
}

/* How many of count failures are shown; each is of another object. */
static int forbidden(int count)
{
    int shown = 0;

    for (int i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        host_cleanup(host_freep) char *line = host_xprintf(FORBIDDEN, name, name);
        shown += shows(line, name);
    }
    return shown;
}

static void pass(int64_t time)
{
    fake_clock_advance(time);
    loop_turn(loop);
}

/* What has been logged since the last call, without the times. */
static void expect_log(const char *expected)
{
    char data[4096];
    static off_t from;
    const ssize_t n = pread(fd, data, sizeof(data) - 1, from);

    cr_assert(n >= 0);
    data[n] = '\0';
    from += n;
    EXPECT_STR(n > 0 ? data + strcspn(data, " ") + 1 : "", expected);
}

Test(flood, of_errors_of_a_plugin_that_may_not_write_filled_the_log)
{
    EXPECT_INT(forbidden(1), 1);
    EXPECT_INT(forbidden(1000), PLUGIN_FLOOD_SHOWN - 1);
    pass(PLUGIN_FLOOD_PERIOD - 1);
    expect_log("");
    pass(1);
    host_cleanup(host_freep) char *expected =
        host_xprintf("ERROR 991 more like this one within 10 s: " FORBIDDEN "\n", "n8", "n8");
    expect_log(expected);
    EXPECT_INT(forbidden(1000), PLUGIN_FLOOD_SHOWN); /* the next period */
}

Test(flood, another_failure_is_shown_at_once)
{
    EXPECT_INT(forbidden(1000), PLUGIN_FLOOD_SHOWN);
    cr_expect(shows("no such image", "a"));
    cr_expect(shows("PATCH /x: 409 Conflict", "a"));
    cr_expect(shows("PATCH /x: 403 Forbidden", "a"));
}

/* Found in e2e/observe_test.c: two objects that were tried again and again hid the third. */
Test(flood, of_an_object_that_fails_again_hid_another_one_that_fails)
{
    int shown = 0;

    for (int i = 0; i < 100; i++)
        shown += plugin_flood_shows(&flood, "a is bad", "ns", "a", i > 0);
    EXPECT_INT(shown, 1 + PLUGIN_FLOOD_SHOWN);
    cr_expect(shows("b is bad", "b"));
}

Test(flood, names_of_the_key_make_no_difference_and_words_do)
{
    for (int i = 0; i < PLUGIN_FLOOD_SHOWN; i++)
        cr_expect(shows("cannot make one (in ns): it's bad", "one"));
    cr_expect(!shows("cannot make two (in ns): it's bad", "two"));
    cr_expect(!shows("cannot make ns.two (in ns): it's bad", "ns.two"));
    cr_expect(shows("cannot make two (in ns): it's worse", "two"));
    cr_expect(shows("cannot make three (in ns): it's bad", "two"));
    cr_expect(shows("", "a"));
}

/* As an API server that is slow, and one that has made objects anew: each line had a number of its own,
 * so all of them were logged. */
Test(flood, of_errors_with_other_numbers_each_filled_the_log)
{
    int slow = 0, anew = 0;

    for (int i = 0; i < 1000; i++) {
        host_cleanup(host_freep) char *late = host_xprintf(
            "GET /x: Operation timed out after %d milliseconds with 0 bytes received", 30001 + i);
        host_cleanup(host_freep) char *uid = host_xprintf(
            "DELETE /x: 409 Conflict: UID in precondition: 5e%04d-aa, UID in object meta: 7f%04d",
            i, i);

        slow += shows(late, "a");
        anew += shows(uid, "a");
    }
    EXPECT_INT(slow, PLUGIN_FLOOD_SHOWN);
    EXPECT_INT(anew, PLUGIN_FLOOD_SHOWN);
    cr_expect(shows("DELETE /x: 403 Forbidden", "a"));
}

Test(flood, what_is_rare_is_never_left_out)
{
    for (int i = 0; i < 100; i++) {
        EXPECT_INT(forbidden(PLUGIN_FLOOD_SHOWN), PLUGIN_FLOOD_SHOWN);
        pass(PLUGIN_FLOOD_PERIOD);
    }
    expect_log("");
}

Test(flood, of_more_kinds_than_are_kept_the_oldest_is_told_and_begins_anew)
{
    EXPECT_INT(forbidden(11), PLUGIN_FLOOD_SHOWN);
    for (int i = 1; i < PLUGIN_FLOOD_KINDS; i++) {
        char line[16];
        snprintf(line, sizeof(line), "failure %c", 'a' + i);
        fake_clock_advance(1);
        cr_expect(shows(line, "a"));
    }
    expect_log("");
    cr_expect(shows("one too many", "a"));
    host_cleanup(host_freep) char *expected =
        host_xprintf("ERROR 1 more like this one within 10 s: " FORBIDDEN "\n", "n9", "n9");
    expect_log(expected);
    EXPECT_INT(forbidden(1), 1);
}

Test(flood, what_was_left_out_is_told_at_the_end)
{
    EXPECT_INT(forbidden(12), PLUGIN_FLOOD_SHOWN);
    plugin_flood_fini(&flood);
    host_cleanup(host_freep) char *expected =
        host_xprintf("ERROR 2 more like this one within 10 s: " FORBIDDEN "\n", "n9", "n9");
    expect_log(expected);
}

static void fail(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    host_cleanup(host_freep) char *why =
        host_xprintf(FORBIDDEN, request->key->name, request->key->name);
    const lh_result_t result = {.struct_size = sizeof(result), .action = LH_FAIL, .text = why};

    h->host->complete(h->host, completion, &result);
}

Test(controller_flood, failures_that_are_not_logged_are_counted)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g",
                                        "h", "i", "j", "k", "l", "m", NULL};
    host_cleanup(host_freep) char *expected = host_xprintf(
        " ERROR 3 more like this one within 10 s: reconcile failed for good: " FORBIDDEN
        " controller=puppet\n",
        "j", "j");
    hooks_t hooks = {.reconcile = fail};
    int out = memfd_create("log", MFD_CLOEXEC), lines = 0;
    char log[8192] = "";

    cr_assert(out >= 0 && dup2(out, STDERR_FILENO) >= 0);
    rig_t *r = rig_create_with(&(rig_options_t){.hooks = &hooks, .workers = 1});

    rig_lead(r, 1, names);
    rig_until_series(r, "controller_runtime_reconcile_errors_total{controller=\"puppet\"}", 13);
    cr_assert(pread(out, log, sizeof(log) - 1, 0) > 0);
    for (const char *at = log; (at = strstr(at, " ERROR reconcile failed for good: ")) != NULL;
         at++)
        lines++;
    EXPECT_INT(lines, PLUGIN_FLOOD_SHOWN);
    fake_clock_advance(PLUGIN_FLOOD_PERIOD);
    rig_idle(r);
    cr_assert(pread(out, log, sizeof(log) - 1, 0) > 0);
    EXPECT_HAS(log, expected);
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
    close(out);
}

/* A reconcile that is inside when its term is given up, and then fails. */
static sem_t entered, go;

static void fail_late(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    sem_post(&entered);
    sem_wait(&go);
    fail(h, request, completion);
}

/* Up to maxInFlight of them: their requests were cancelled, and the next leader does them. */
Test(controller_flood, failures_of_a_term_that_is_given_up_are_not_logged)
{
    static const char *const names[] = {"a", NULL};
    hooks_t hooks = {.reconcile = fail_late};
    int out = memfd_create("log", MFD_CLOEXEC);
    char log[8192] = "";

    sem_init(&entered, 0, 0);
    sem_init(&go, 0, 0);
    cr_assert(out >= 0 && dup2(out, STDERR_FILENO) >= 0);
    rig_t *r = rig_create_with(&(rig_options_t){.hooks = &hooks, .workers = 1});

    rig_lead(r, 1, names);
    while (sem_trywait(&entered) < 0)
        loop_turn(r->loop);
    rig_end(r, false, CLOCK_S);
    sem_post(&go);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
    cr_assert(pread(out, log, sizeof(log) - 1, 0) >= 0);
    cr_expect(strstr(log, "reconcile failed") == NULL, "the log is: %s", log);
    close(out);
}
