/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin of the SDK suite on the fake host: each case of everything.h. */
#include "support/expect.h"

#include <leasehold/testing.h>

#define PATH "/api/v1/namespaces/ns/configmaps/"

static lh_fake_t *leader(const char *test)
{
    lh_fake_t *fake = lh_fake_lead(NULL);
    char json[256];

    (void) snprintf(json, sizeof(json),
                    "{'metadata': {'namespace': 'ns', 'name': 'a', 'labels': {'sdk-suite': '%s'}}}",
                    test);
    lh_fake_put(fake, 0, json);
    lh_fake_put(
        fake, 0,
        "{'metadata': {'namespace': 'ns', 'name': 'z', 'labels': {'sdk-suite': 'report'}}}");
    return fake;
}

static void expect_probe(lh_fake_t *fake, const char *probe, const char *expected)
{
    char pointer[64];

    (void) snprintf(pointer, sizeof(pointer), "/data/%s", probe);
    const char *value = lh_fake_value(fake, PATH "a-result", pointer);
    cr_expect(value != NULL && strcmp(value, expected) == 0, "%s is '%s', expected '%s'", probe,
              value != NULL ? value : "(absent)", expected);
}

static void expect_done(lh_fake_result_t result)
{
    cr_expect(result.action == LH_DONE && result.completions == 1,
              "action %u after %u completions: %s", result.action, result.completions, result.text);
}

/* Needs a live ctx: the code of a live one, or that of the dead one. */
static void expect_calls(lh_fake_t *fake, const char *dead)
{
    static const struct {
        const char *probe, *live;
    } table[] = {
        {"call", "0"},        {"call.write", "-8"},       {"call.absent", "-8"},
        {"cache_get", "0"},   {"cache_get.absent", "-8"}, {"cache_list", "0"},
        {"walk.update", "0"}, {"enqueue", "0"},           {"event", "0"},
        {"cancelled", "0"},   {"request", "0"},           {"foreign_thread.cache_get", "0"}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        expect_probe(fake, table[i].probe, dead != NULL ? dead : table[i].live);
}

/* Independent of any ctx. */
static void expect_rest(lh_fake_t *fake)
{
    static const char *const fine[] = {"metric", "now", "get_extension", "post", "snapshot_text"};
    static const char *const invalid[] = {"call.bad_method", "call.bad_path", "cache_get.bad_watch",
                                          "enqueue.bad_watch", "metric.negative"};

    for (size_t i = 0; i < 5; i++) {
        expect_probe(fake, fine[i], "0");
        expect_probe(fake, invalid[i], "-1");
    }
    expect_probe(fake, "foreign_thread.call", "-22");
}

static void end(lh_fake_t *fake)
{
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(everything, reports_a_live_ctx)
{
    lh_fake_t *fake = leader("live");

    expect_done(lh_fake_reconcile(fake, 0, "ns", "a"));
    expect_calls(fake, NULL);
    expect_rest(fake);
    expect_probe(fake, "response_status", "200");
    expect_probe(fake, "response_text", "0");
    expect_probe(fake, "cursor_next", "0");
    expect_probe(fake, "cursor.objects", "2");
    expect_probe(fake, "request.callback", "0");
    expect_probe(fake, "plugin_thread.call", "0");
    expect_probe(fake, "post.fn", "0");
    EXPECT_INT(lh_fake_metric(fake, "everything_cases_total{case=\"live\"}"), 1);
    EXPECT_STR(lh_fake_logged(fake, "is over"), "info: sdk-suite: live of ns/a is over");
    EXPECT_STR(lh_fake_event(fake, 0), "Normal Probed ns/a: the SDK suite was here");
    EXPECT_INT(lh_fake_enqueued(fake, 0, "ns", "a-absent"), 1);
    EXPECT_INT(lh_fake_ready(fake, NULL), 1);
    end(fake);
}

Test(everything, reports_the_ctx_of_the_term)
{
    lh_fake_t *fake = leader("term");

    expect_done(lh_fake_reconcile(fake, 0, "ns", "a"));
    expect_calls(fake, NULL);
    end(fake);
}

Test(everything, reports_what_activate_may_do)
{
    lh_fake_t *fake = leader("activate");

    expect_done(lh_fake_reconcile(fake, 0, "ns", "a"));
    expect_probe(fake, "call", "0");
    expect_probe(fake, "cancelled", "0");
    end(fake);
}

Test(everything, reports_a_completed_ctx)
{
    lh_fake_t *fake = leader("completed");

    expect_done(lh_fake_reconcile(fake, 0, "ns", "a"));
    cr_expect_null(lh_fake_object(fake, PATH "a-result"), "reported with a dead ctx");
    expect_done(lh_fake_reconcile(fake, 0, "ns", "z"));
    expect_calls(fake, "-5");
    expect_rest(fake);
    end(fake);
}

static void cancel(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    (void) call;
    (void) arg;
    lh_fake_cancel(fake);
    lh_fake_on_call(fake, NULL, NULL);
}

static void end_term(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    (void) call;
    (void) arg;
    lh_fake_end_term(fake);
    lh_fake_on_call(fake, NULL, NULL);
}

Test(everything, reports_a_cancelled_ctx)
{
    lh_fake_t *fake = leader("cancelled");

    lh_fake_on_call(fake, cancel, NULL);
    expect_done(lh_fake_reconcile(fake, 0, "ns", "a"));
    expect_done(lh_fake_reconcile(fake, 0, "ns", "z"));
    expect_probe(fake, "wait", "0");
    expect_calls(fake, "-5");
    expect_rest(fake);
    end(fake);
}

Test(everything, reports_a_ctx_whose_term_was_lost)
{
    lh_fake_t *fake = leader("cancelled");
    lh_error_t err;

    lh_fake_on_call(fake, end_term, NULL);
    expect_done(lh_fake_reconcile(fake, 0, "ns", "a"));
    lh_fake_deactivate(fake);
    ASSERT_OK(lh_fake_activate(fake, &err), err);
    expect_done(lh_fake_reconcile(fake, 0, "ns", "z"));
    expect_calls(fake, "-6");
    end(fake);
}

static void in_second_term(const char *test)
{
    lh_fake_t *fake = leader(test);
    lh_error_t err;

    expect_done(lh_fake_reconcile(fake, 0, "ns", "a"));
    expect_probe(fake, "none", "0");
    lh_fake_deactivate(fake);
    ASSERT_OK(lh_fake_activate(fake, &err), err);
    expect_done(lh_fake_reconcile(fake, 0, "ns", "a"));
    expect_calls(fake, "-6");
    expect_rest(fake);
    if (strcmp(test, "old-key") == 0) {
        expect_probe(fake, "kept.snapshot", "0");
        expect_probe(fake, "kept.cursor", "0");
    }
    end(fake);
}

Test(everything, reports_the_ctx_of_an_old_term)
{
    in_second_term("old-term");
}

Test(everything, reports_the_ctx_of_a_reconcile_of_an_old_term)
{
    in_second_term("old-key");
}

Test(everything, reports_a_ctx_that_is_none)
{
    lh_fake_t *fake = leader("unknown");

    expect_done(lh_fake_reconcile(fake, 0, "ns", "a"));
    expect_calls(fake, "-1");
    expect_rest(fake);
    end(fake);
}
