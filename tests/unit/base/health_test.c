/* SPDX-License-Identifier: Apache-2.0 */
#include "base/health.h"

#include "support/expect.h"

#include <stdio.h>

static void health_destroyp(health_t **h)
{
    health_destroy(*h);
}

/* Expects the outcome and the text of a report; more arguments are names to exclude. */
#define EXPECT_REPORT(h, endpoint, verbose, passed, text, ...)                                     \
    do {                                                                                           \
        const char *exclude_[] = {NULL, ##__VA_ARGS__};                                            \
        host_cleanup(buf_fini) buf_t out_ = BUF_INIT;                                              \
        EXPECT_INT(health_report(h, endpoint, NULL, verbose, exclude_ + 1, HOST_LEN(exclude_) - 1, \
                                 &out_),                                                           \
                   passed);                                                                        \
        EXPECT_STR(buf_text(&out_), text);                                                         \
    } while (0)

Test(health, without_checks_all_is_well)
{
    host_cleanup(health_destroyp) health_t *h = health_create();

    EXPECT_REPORT(h, HEALTH_LIVEZ, false, true, "ok");
    EXPECT_REPORT(h, HEALTH_STARTUPZ, true, true, "startupz check passed\n");
}

Test(health, a_check_fails_until_it_is_first_set)
{
    host_cleanup(health_destroyp) health_t *h = health_create();
    health_check_t *c = health_add(h, "api", HEALTH_READYZ, 0);

    EXPECT_REPORT(h, HEALTH_READYZ, true, false,
                  "[-]api failed: not started\nreadyz check failed\n");
    health_set(c, true, NULL);
    EXPECT_REPORT(h, HEALTH_READYZ, false, true, "ok");
}

Test(health, checks_are_listed_in_the_order_of_being_added)
{
    host_cleanup(health_destroyp) health_t *h = health_create();
    health_check_t *b = health_add(h, "b", HEALTH_LIVEZ, 0);
    health_check_t *a = health_add(h, "a", HEALTH_LIVEZ, 0);

    health_set(b, true, NULL);
    health_set(a, true, "ignored");
    EXPECT_REPORT(h, HEALTH_LIVEZ, true, true, "[+]b ok\n[+]a ok\nlivez check passed\n");
    health_set(b, false, "loop is stuck");
    EXPECT_REPORT(h, HEALTH_LIVEZ, true, false,
                  "[-]b failed: loop is stuck\n[+]a ok\nlivez check failed\n");
}

Test(health, reasons_are_for_verbose_only)
{
    host_cleanup(health_destroyp) health_t *h = health_create();

    health_set(health_add(h, "a", HEALTH_LIVEZ, 0), false, "secret");
    EXPECT_REPORT(h, HEALTH_LIVEZ, false, false,
                  "[-]a failed: reason withheld\nlivez check failed\n");
}

Test(health, a_check_counts_only_for_its_endpoints)
{
    host_cleanup(health_destroyp) health_t *h = health_create();

    health_set(health_add(h, "a", HEALTH_READYZ | HEALTH_STARTUPZ, 0), false, "x");
    EXPECT_REPORT(h, HEALTH_LIVEZ, true, true, "livez check passed\n");
    EXPECT_REPORT(h, HEALTH_READYZ, true, false, "[-]a failed: x\nreadyz check failed\n");
    EXPECT_REPORT(h, HEALTH_STARTUPZ, true, false, "[-]a failed: x\nstartupz check failed\n");
}

Test(health, a_check_that_is_only_shown_never_fails_an_endpoint)
{
    host_cleanup(health_destroyp) health_t *h = health_create();
    health_check_t *c = health_add(h, "plugin/a", 0, HEALTH_READYZ);

    health_set(c, false, "no RBAC");
    EXPECT_REPORT(h, HEALTH_READYZ, true, true,
                  "[-]plugin/a failed: no RBAC (does not count)\nreadyz check passed\n");
    EXPECT_REPORT(h, HEALTH_READYZ, false, true, "ok");
    EXPECT_REPORT(h, HEALTH_LIVEZ, true, true, "livez check passed\n");
}

Test(health, excluded_checks_do_not_count)
{
    host_cleanup(health_destroyp) health_t *h = health_create();

    health_set(health_add(h, "a", HEALTH_LIVEZ, 0), false, "x");
    health_set(health_add(h, "b", HEALTH_LIVEZ, 0), true, NULL);
    EXPECT_REPORT(h, HEALTH_LIVEZ, true, true, "[+]a excluded: ok\n[+]b ok\nlivez check passed\n",
                  "a");
    EXPECT_REPORT(h, HEALTH_LIVEZ, false, true, "ok", "a");
    EXPECT_REPORT(h, HEALTH_LIVEZ, false, false,
                  "[-]a failed: reason withheld\n[+]b excluded: ok\nlivez check failed\n", "b");
}

Test(health, unknown_excludes_are_named_once)
{
    host_cleanup(health_destroyp) health_t *h = health_create();

    health_set(health_add(h, "a", HEALTH_LIVEZ, 0), true, NULL);
    EXPECT_REPORT(h, HEALTH_LIVEZ, true, true,
                  "[+]a excluded: ok\nwarn: some health checks cannot be excluded: no matches for "
                  "\"x\",\"y\\n[+]\"\nlivez check passed\n",
                  "x", "a", "y\n[+]", "x");
    EXPECT_REPORT(h, HEALTH_LIVEZ, false, true, "ok", "x");
}

Test(health, a_reason_is_one_line_and_is_cut)
{
    host_cleanup(health_destroyp) health_t *h = health_create();
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    health_check_t *c = health_add(h, "a", HEALTH_LIVEZ, 0);

    health_set(c, false, "x\n[+]b ok");
    EXPECT_REPORT(h, HEALTH_LIVEZ, true, false, "[-]a failed: x\\n[+]b ok\nlivez check failed\n");
    host_cleanup(host_freep) char *lengthy = host_xprintf("%01000d", 0);

    health_set(c, false, lengthy);
    health_report(h, HEALTH_LIVEZ, NULL, true, NULL, 0, &out);
    EXPECT_INT(strspn(buf_text(&out) + strlen("[-]a failed: "), "0"), 511);
}

Test(health, a_name_with_control_characters_was_printed_raw)
{
    host_cleanup(health_destroyp) health_t *h = health_create();
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    health_add(h, "file-a\n[+]b ok\x1b[2J.so", 0, HEALTH_READYZ);
    EXPECT_REPORT(h, HEALTH_READYZ, true, true,
                  "[-]file-a\\n[+]b ok\\u001b[2J.so failed: not started (does not count)\n"
                  "readyz check passed\n");
    EXPECT_INT(health_report_one(h, HEALTH_READYZ, "file-a\\n[+]b ok\\u001b[2J.so", &out), 0);
    EXPECT_STR(buf_text(&out), "file-a\\n[+]b ok\\u001b[2J.so failed: not started\n");
}

/* Two files, whose names people read alike. */
Test(health, a_name_that_reads_like_an_escaped_one_ended_a_debug_build)
{
    host_cleanup(health_destroyp) health_t *h = health_create();

    health_add(h, "file-a\n.so", 0, HEALTH_READYZ);
    health_set(health_add(h, "file-a\\n.so", 0, HEALTH_READYZ), false, "bad");
    EXPECT_REPORT(h, HEALTH_READYZ, true, true,
                  "[-]file-a\\n.so failed: not started (does not count)\n"
                  "[-]file-a\\n.so failed: bad (does not count)\n"
                  "readyz check passed\n");
}

static bool computed(void *arg, char *reason, size_t size)
{
    const int *value = arg;

    if (*value == 1)
        return true;
    snprintf(reason, size, "value is %d", *value);
    return false;
}

Test(health, computed_checks_are_asked_each_time)
{
    host_cleanup(health_destroyp) health_t *h = health_create();
    int value = 1;

    health_add_fn(h, "fn", HEALTH_LIVEZ, computed, &value);
    EXPECT_REPORT(h, HEALTH_LIVEZ, true, true, "[+]fn ok\nlivez check passed\n");
    value = 5;
    EXPECT_REPORT(h, HEALTH_LIVEZ, true, false, "[-]fn failed: value is 5\nlivez check failed\n");
    EXPECT_REPORT(h, HEALTH_READYZ, true, true, "readyz check passed\n");
}

static bool has_no_opinion(void *arg, char *reason, size_t size)
{
    (void) arg;
    snprintf(reason, size, "a \"reason\"");
    return false;
}

Test(health, all_checks_are_listed_for_programs_whatever_they_count_for)
{
    health_t *h = health_create();
    buf_t out = BUF_INIT;

    health_list(h, &out);
    EXPECT_STR(buf_text(&out), "[]");
    health_set(health_add(h, "a", HEALTH_LIVEZ, 0), true, "unused");
    health_add(h, "b", 0, 0);
    health_add_fn(h, "c", HEALTH_READYZ, has_no_opinion, NULL);
    buf_clear(&out);
    health_list(h, &out);
    EXPECT_STR(buf_text(&out), "[{\"name\":\"a\",\"ok\":true,\"reason\":null},"
                               "{\"name\":\"b\",\"ok\":false,\"reason\":\"not started\"},"
                               "{\"name\":\"c\",\"ok\":false,\"reason\":\"a \\\"reason\\\"\"}]");
    buf_fini(&out);
    health_destroy(h);
}

Test(health, removed_checks_are_gone_and_their_names_free)
{
    host_cleanup(health_destroyp) health_t *h = health_create();
    health_check_t *c = health_add(h, "a", HEALTH_LIVEZ, 0);

    health_remove(h, c);
    EXPECT_REPORT(h, HEALTH_LIVEZ, true, true, "livez check passed\n");
    health_set(health_add(h, "a", HEALTH_LIVEZ, 0), true, NULL);
    EXPECT_REPORT(h, HEALTH_LIVEZ, true, true, "[+]a ok\nlivez check passed\n");
}

Test(health, one_check_can_be_asked_for)
{
    host_cleanup(health_destroyp) health_t *h = health_create();
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    health_set(health_add(h, "a", HEALTH_LIVEZ, HEALTH_READYZ), true, NULL);
    health_set(health_add(h, "b", HEALTH_LIVEZ, 0), false, "stuck");
    EXPECT_INT(health_report_one(h, HEALTH_LIVEZ, "a", &out), 1);
    EXPECT_INT(health_report_one(h, HEALTH_READYZ, "a", &out), 1);
    EXPECT_INT(health_report_one(h, HEALTH_LIVEZ, "b", &out), 0);
    EXPECT_INT(health_report_one(h, HEALTH_READYZ, "b", &out), -1);
    EXPECT_INT(health_report_one(h, HEALTH_LIVEZ, "c", &out), -1);
    EXPECT_STR(buf_text(&out), "okokb failed: stuck\n");
}

Test(health, the_latest_document_of_a_path_is_given)
{
    host_cleanup(health_destroyp) health_t *h = health_create();
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    EXPECT_INT(health_document(h, "/leader", &out), 0);
    health_publish(h, "/leader", 503, "{\"leader\":false}");
    health_publish(h, "/other", 200, "[]");
    EXPECT_INT(health_document(h, "/leader", &out), 503);
    EXPECT_STR(buf_text(&out), "{\"leader\":false}");
    health_publish(h, "/leader", 200, "{}");
    buf_clear(&out);
    EXPECT_INT(health_document(h, "/leader", &out), 200);
    EXPECT_STR(buf_text(&out), "{}");
}

static void put_count(void *arg, buf_t *out)
{
    buf_printf(out, "asked %d times", ++*(int *) arg);
}

Test(health, a_document_may_be_made_when_it_is_asked_for)
{
    health_t *h = health_create();
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    int count = 0;

    health_publish_fn(h, "/status", put_count, &count);
    EXPECT_INT(health_document(h, "/status", &out), 200);
    EXPECT_STR(buf_text(&out), "asked 1 times");
    buf_clear(&out);
    EXPECT_INT(health_document(h, "/status", &out), 200);
    EXPECT_STR(buf_text(&out), "asked 2 times");
    EXPECT_INT(health_document(h, "/leader", &out), 0);
    health_destroy(h);
}
