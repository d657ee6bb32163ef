/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin tells people: Events, metrics, log lines, readiness. */
#include "services_rig.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* -- Events -- */

#define EVENTS "/apis/events.k8s.io/v1/namespaces/"

static int tell(rig_t *r, const lh_snapshot_t *regarding, uint32_t type, const char *reason,
                const char *action, const char *note)
{
    const lh_event_t event = {sizeof(event), type, regarding, reason, action, note};

    return r->host->event(r->host, r->run, &event, NULL);
}

/* The body of the only Event under way; it is answered. */
static char *sent_event(rig_t *r)
{
    loop_turn(r->loop);
    kube_call_t *call = fake_kube_find(r->kube, EVENTS);
    const kube_request_t *q = fake_kube_request(call);
    char *body = host_xprintf("%.*s", (int) q->body_len, q->body);

    EXPECT_STR(q->method, "POST");
    fake_kube_end(call, 201, "{}");
    return body;
}

Test(report, an_event_has_all_that_the_api_requires)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns");

    EXPECT_INT(tell(r, one, LH_EVENT_WARNING, "NoQuota", "Scale", "a \"note\""), 0);
    host_cleanup(host_freep) char *body = sent_event(r);
    EXPECT_STR(fake_kube_last_path(r->kube), EVENTS "ns/events");
    EXPECT_STR(body,
               "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{"
               "\"name\":\"one.1886caf21c964970\",\"namespace\":\"ns\"},"
               "\"eventTime\":\"2026-01-02T03:04:05.000006Z\",\"type\":\"Warning\","
               "\"reportingController\":\"leasehold.dev/rigged\","
               "\"reportingInstance\":\"replica-1\",\"reason\":\"NoQuota\",\"action\":\"Scale\","
               "\"note\":\"a \\\"note\\\"\",\"regarding\":{\"fieldPath\":\"\","
               "\"apiVersion\":\"example.com/v1\",\"kind\":\"Website\",\"namespace\":\"ns\","
               "\"name\":\"one\",\"uid\":\"u1\"}}");
    r->host->snapshot_release(r->host, one);
    rig_destroy(r);
}

Test(report, an_event_of_an_older_plugin_lacks_what_it_lacks)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns");
    const lh_event_t old = {offsetof(lh_event_t, action),
                            LH_EVENT_NORMAL,
                            one,
                            "Made",
                            (const char *) 1,
                            (const char *) 1};

    EXPECT_INT(r->host->event(r->host, r->run, &old, NULL), 0);
    host_cleanup(host_freep) char *body = sent_event(r);
    EXPECT_HAS(body, "\"type\":\"Normal\"");
    EXPECT_HAS(body, "\"reason\":\"Made\",\"action\":\"Made\",\"note\":\"\"");
    r->host->snapshot_release(r->host, one);
    rig_destroy(r);
}

Test(report, an_event_about_a_cluster_scoped_object_lives_in_default)
{
    rig_t *r = rig_create();
    lh_snapshot_t *role = rig_object("system:node-.", NULL);

    EXPECT_INT(tell(r, role, LH_EVENT_NORMAL, "Made", NULL, NULL), 0);
    host_cleanup(host_freep) char *body = sent_event(r);
    /* Its own name must be a DNS name; that of the object stands as it is. */
    EXPECT_HAS(body, "\"metadata\":{\"name\":\"systemxnode.1886caf21c964970\","
                     "\"namespace\":\"default\"}");
    EXPECT_HAS(body, "\"namespace\":\"\",\"name\":\"system:node-.\"");
    EXPECT_STR(fake_kube_last_path(r->kube), EVENTS "default/events");
    r->host->snapshot_release(r->host, role);
    rig_destroy(r);
}

Test(report, the_note_of_an_event_is_cut_after_1_kib_but_not_inside_a_character)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns");
    char note[1100];

    memset(note, 'x', sizeof(note) - 1);
    note[sizeof(note) - 1] = '\0';
    memcpy(note + 1023, "\xc3\xa4", 2);
    EXPECT_INT(tell(r, one, LH_EVENT_NORMAL, "Made", NULL, note), 0);
    host_cleanup(host_freep) char *body = sent_event(r);
    const char *at = strstr(body, "\"note\":\"") + 8;
    EXPECT_INT(strspn(at, "x"), 1023);
    EXPECT_INT(at[1023], '"');
    r->host->snapshot_release(r->host, one);
    rig_destroy(r);
}

Test(report, an_event_with_a_word_too_long_or_an_unknown_type_is_refused)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns");
    char word[130];

    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    EXPECT_INT(tell(r, one, LH_EVENT_NORMAL, word, NULL, NULL), LH_EINVAL);
    EXPECT_INT(tell(r, one, LH_EVENT_NORMAL, "Made", word, NULL), LH_EINVAL);
    EXPECT_INT(tell(r, one, 2, "Made", NULL, NULL), LH_EINVAL);
    EXPECT_INT(tell(r, one, LH_EVENT_NORMAL, "", NULL, NULL), LH_EINVAL);
    word[128] = '\0';
    EXPECT_INT(tell(r, one, LH_EVENT_NORMAL, word, NULL, NULL), 0);
    loop_turn(r->loop);
    EXPECT_INT(fake_kube_sent(r->kube), 1);
    r->host->snapshot_release(r->host, one);
    rig_destroy(r);
}

static double series(rig_t *r, const char *name)
{
    host_cleanup(host_freep) char *text = rig_metrics(r);
    const char *at = strstr(text, name);

    return at != NULL && at[strlen(name)] == ' ' ? strtod(at + strlen(name), NULL) : -1;
}

#define DROPPED "leasehold_plugin_events_dropped_total{controller=\"rig\"}"

static int tell_of(rig_t *r, int i)
{
    char name[16];

    (void) snprintf(name, sizeof(name), "o-%d", i);
    lh_snapshot_t *object = rig_object(name, "ns");
    const int ret = tell(r, object, LH_EVENT_NORMAL, "Made", NULL, NULL);
    r->host->snapshot_release(r->host, object);
    return ret;
}

Test(report, events_beyond_what_may_be_under_way_are_dropped_and_counted)
{
    rig_t *r = rig_create();

    for (int i = 0; i < 260; i++)
        EXPECT_INT(tell_of(r, i), 0);
    loop_turn(r->loop);
    EXPECT_INT(fake_kube_open(r->kube), 256);
    EXPECT_INT(series(r, DROPPED), 4);
    fake_kube_end(fake_kube_find(r->kube, EVENTS), 403, "{}");
    EXPECT_INT(series(r, DROPPED), 5);
    fake_kube_end(fake_kube_find(r->kube, EVENTS), 201, "{}");
    EXPECT_INT(tell_of(r, 260), 0);
    EXPECT_INT(tell_of(r, 261), 0);
    EXPECT_INT(series(r, DROPPED), 5);
    rig_destroy(r);
}

Test(report, an_event_outlives_its_reconcile_but_not_its_term)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns");

    EXPECT_INT(tell(r, one, LH_EVENT_NORMAL, "Made", NULL, NULL), 0);
    rig_complete(r, r->run);
    loop_turn(r->loop);
    loop_turn(r->loop);
    EXPECT_INT(fake_kube_open(r->kube), 1);
    plugin_services_end(r->services);
    EXPECT_INT(fake_kube_open(r->kube), 0);
    r->host->snapshot_release(r->host, one);
    rig_destroy(r);
}

/* -- Metrics -- */

typedef const char *const *words_t;
#define WORDS(...) ((const char *const[]){__VA_ARGS__})

static int measure(rig_t *r, uint32_t type, const char *name, double value, uint32_t count,
                   words_t names, words_t values, lh_error_t *err)
{
    const lh_metric_t m = {.struct_size = sizeof(m),
                           .type = type,
                           .name = name,
                           .label_names = names,
                           .label_values = values,
                           .label_count = count,
                           .value = value};

    return r->host->metric(r->host, &m, err);
}

static int add(rig_t *r, const char *name, double value)
{
    return measure(r, LH_METRIC_COUNTER, name, value, 0, NULL, NULL, NULL);
}

Test(report, counters_add_gauges_replace_histograms_observe)
{
    rig_t *r = rig_create();

    EXPECT_INT(add(r, "made_total", 1), 0);
    EXPECT_INT(add(r, "made_total", 2.5), 0);
    EXPECT_INT(measure(r, LH_METRIC_GAUGE, "depth", 3, 1, WORDS("queue"), WORDS("a"), NULL), 0);
    EXPECT_INT(measure(r, LH_METRIC_GAUGE, "depth", -1, 1, WORDS("queue"), WORDS("a"), NULL), 0);
    EXPECT_INT(measure(r, LH_METRIC_HISTOGRAM, "took_seconds", 0.2, 0, NULL, NULL, NULL), 0);
    EXPECT_INT(series(r, "leasehold_plugin_made_total{controller=\"rig\"}") * 10, 35);
    EXPECT_INT(series(r, "leasehold_plugin_depth{controller=\"rig\",queue=\"a\"}"), -1);
    EXPECT_INT(series(r, "leasehold_plugin_took_seconds_count{controller=\"rig\"}"), 1);
    rig_destroy(r);
}

Test(report, names_that_prometheus_would_refuse_are_refused)
{
    rig_t *r = rig_create();
    char name[66];

    memset(name, 'a', 65);
    name[65] = '\0';
    EXPECT_INT(add(r, NULL, 1), LH_EINVAL);
    EXPECT_INT(add(r, "", 1), LH_EINVAL);
    EXPECT_INT(add(r, "1x", 1), LH_EINVAL);
    EXPECT_INT(add(r, "Made", 1), LH_EINVAL);
    EXPECT_INT(add(r, "a b", 1), LH_EINVAL);
    EXPECT_INT(add(r, name, 1), LH_EINVAL);
    EXPECT_INT(add(r, name + 1, 1), 0);
    EXPECT_INT(measure(r, 3, "x", 1, 0, NULL, NULL, NULL), LH_EINVAL);
    rig_destroy(r);
}

Test(report, a_plugin_cannot_move_a_metric_of_the_host)
{
    rig_t *r = rig_create();

    EXPECT_INT(add(r, "stray_completions_total", 1), LH_EINVAL);
    EXPECT_INT(add(r, "events_dropped_total", 1), LH_EINVAL);
    EXPECT_INT(add(r, "restarts_total", 1), LH_EINVAL);
    EXPECT_INT(measure(r, LH_METRIC_GAUGE, "abandoned_calls", 1, 0, NULL, NULL, NULL), LH_EINVAL);
    EXPECT_INT(series(r, DROPPED), 0);
    rig_destroy(r);
}

static int label(rig_t *r, uint32_t count, words_t names, words_t values)
{
    return measure(r, LH_METRIC_GAUGE, "x", 1, count, names, values, NULL);
}

Test(report, bad_labels_are_refused)
{
    rig_t *r = rig_create();

    EXPECT_INT(label(r, 1, NULL, WORDS("v")), LH_EINVAL);
    EXPECT_INT(label(r, 1, WORDS("a"), NULL), LH_EINVAL);
    EXPECT_INT(label(r, 1, WORDS(NULL), WORDS("v")), LH_EINVAL);
    EXPECT_INT(label(r, 1, WORDS("a"), WORDS(NULL)), LH_EINVAL);
    EXPECT_INT(label(r, 1, WORDS("controller"), WORDS("v")), LH_EINVAL);
    EXPECT_INT(label(r, 1, WORDS("le"), WORDS("v")), LH_EINVAL);
    EXPECT_INT(label(r, 1, WORDS("__a"), WORDS("v")), LH_EINVAL);
    EXPECT_INT(label(r, 2, WORDS("a", "a"), WORDS("v", "w")), LH_EINVAL);
    EXPECT_INT(label(r, 9, WORDS("a", "b", "c", "d", "e", "f", "g", "h", "i"),
                     WORDS("", "", "", "", "", "", "", "", "")),
               LH_EINVAL);
    EXPECT_INT(label(r, UINT32_MAX, WORDS("a"), WORDS("v")), LH_EINVAL);
    EXPECT_INT(label(r, 8, WORDS("a", "b", "c", "d", "e", "f", "g", "h"),
                     WORDS("", "", "", "", "", "", "", "")),
               0);
    rig_destroy(r);
}

Test(report, a_name_keeps_the_type_and_labels_of_its_first_use)
{
    rig_t *r = rig_create();

    EXPECT_INT(measure(r, LH_METRIC_GAUGE, "x", 1, 1, WORDS("a"), WORDS("v"), NULL), 0);
    EXPECT_INT(measure(r, LH_METRIC_COUNTER, "x", 1, 1, WORDS("a"), WORDS("v"), NULL), LH_EINVAL);
    EXPECT_INT(measure(r, LH_METRIC_GAUGE, "x", 1, 1, WORDS("b"), WORDS("v"), NULL), LH_EINVAL);
    EXPECT_INT(measure(r, LH_METRIC_GAUGE, "x", 1, 0, NULL, NULL, NULL), LH_EINVAL);
    rig_destroy(r);
}

Test(report, values_that_would_spoil_a_metric_are_refused)
{
    rig_t *r = rig_create();

    EXPECT_INT(add(r, "x", -1), LH_EINVAL);
    EXPECT_INT(add(r, "x", NAN), LH_EINVAL);
    EXPECT_INT(add(r, "x", INFINITY), LH_EINVAL);
    EXPECT_INT(measure(r, LH_METRIC_HISTOGRAM, "y", NAN, 0, NULL, NULL, NULL), LH_EINVAL);
    EXPECT_INT(measure(r, LH_METRIC_GAUGE, "z", NAN, 0, NULL, NULL, NULL), 0);
    rig_destroy(r);
}

Test(report, an_instance_has_at_most_64_metrics)
{
    rig_t *r = rig_create();
    lh_error_t err = {0};
    char name[16];

    for (int i = 0; i < 64; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        EXPECT_INT(add(r, name, 1), 0);
    }
    EXPECT_INT(measure(r, LH_METRIC_COUNTER, "m64", 1, 0, NULL, NULL, &err), LH_ETOOBIG);
    EXPECT_INT(err.code, LH_ETOOBIG); /* the code that is returned and the one in err are one */
    EXPECT_INT(add(r, "m0", 1), 0);
    rig_destroy(r);
}

Test(report, an_instance_has_at_most_1000_series)
{
    rig_t *r = rig_create();
    lh_error_t err = {0};
    char value[16];

    for (int i = 0; i < 1000; i++) {
        snprintf(value, sizeof(value), "v%d", i);
        EXPECT_INT(label(r, 1, WORDS("a"), WORDS(value)), 0);
    }
    EXPECT_INT(measure(r, LH_METRIC_GAUGE, "x", 1, 1, WORDS("a"), WORDS("one more"), &err),
               LH_ETOOBIG);
    EXPECT_INT(err.code, LH_ETOOBIG);
    EXPECT_INT(label(r, 1, WORDS("a"), WORDS("v0")), 0);
    rig_destroy(r);
}

Test(report, a_label_value_is_cut_after_128_bytes)
{
    rig_t *r = rig_create();
    char value[200];

    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    EXPECT_INT(label(r, 1, WORDS("a"), WORDS(value)), 0);
    value[128] = '\0';
    host_cleanup(host_freep) char *cut =
        host_xprintf("leasehold_plugin_x{controller=\"rig\",a=\"%s\"}", value);
    EXPECT_INT(series(r, cut), 1);
    rig_destroy(r);
}

/* -- Log lines -- */

/* Without a seed a reconcileID is the number of the ctx. */
#define RUN " namespace=ns name=one reconcileID=00000000-0000-8000-8000-000000000002 term=1\n"

Test(report, a_log_line_names_the_controller_and_the_object)
{
    rig_t *r = rig_create();

    r->host->log(r->host, r->run, LH_LOG_INFO, "about an object");
    r->host->log(r->host, (lh_ctx_t){0}, LH_LOG_WARN, "about nothing");
    r->host->log(r->host, r->term, LH_LOG_INFO, "about the term");
    r->host->log(r->host, r->run, LH_LOG_DEBUG, "not shown");
    r->host->log(r->host, r->run, 77, "of no level");
    rig_complete(r, r->run);
    r->host->log(r->host, r->run, LH_LOG_INFO, "after\nits end");
    host_cleanup(host_freep) char *log = rig_log(r);
    EXPECT_HAS(log, "INFO  about an object controller=rig" RUN);
    EXPECT_HAS(log, "WARN  about nothing controller=rig\n");
    EXPECT_HAS(log, "INFO  about the term controller=rig term=1\n");
    EXPECT_HAS(log, "ERROR of no level controller=rig" RUN);
    EXPECT_HAS(log, "INFO  after\\nits end controller=rig\n");
    cr_expect(strstr(log, "not shown") == NULL);
    rig_destroy(r);
}

/* Just in the drain, where it matters, lines lost their object. */
Test(report, a_log_line_of_a_cancelled_reconcile_still_names_the_object)
{
    rig_t *r = rig_create();

    plugin_services_cancel(r->services);
    r->host->log(r->host, r->run, LH_LOG_INFO, "giving up");
    host_cleanup(host_freep) char *log = rig_log(r);
    EXPECT_HAS(log, "INFO  giving up controller=rig" RUN);
    rig_destroy(r);
}

Test(report, each_instance_has_a_log_level_of_its_own)
{
    rig_t *r = rig_create();

    log_set_level(r->shared.log, "rig", LOG_DEBUG);
    r->host->log(r->host, r->run, LH_LOG_DEBUG, "shown");
    log_set_level(r->shared.log, "rig", LOG_ERROR);
    r->host->log(r->host, r->run, LH_LOG_WARN, "hidden");
    log_set_level(r->shared.log, "other", LOG_DEBUG);
    r->host->log(r->host, r->run, LH_LOG_WARN, "hidden");
    host_cleanup(host_freep) char *log = rig_log(r);
    EXPECT_HAS(log, "DEBUG shown controller=rig" RUN);
    cr_expect(strstr(log, "hidden") == NULL, "%s", log);
    rig_destroy(r);
}

Test(report, a_log_line_is_cut_after_4_kib)
{
    rig_t *r = rig_create();
    char text[5000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    r->host->log(r->host, r->term, LH_LOG_INFO, text);
    host_cleanup(host_freep) char *log = rig_log(r);
    EXPECT_INT(strspn(strchr(log, 'x'), "x"), 4096);
    rig_destroy(r);
}

/* -- Readiness -- */

static char *readyz(rig_t *r, bool *ok)
{
    buf_t text = BUF_INIT;

    *ok = health_report(r->shared.health, HEALTH_READYZ, NULL, true, NULL, 0, &text);
    return buf_steal(&text);
}

Test(report, an_instances_own_line_never_makes_the_host_unready)
{
    rig_t *r = rig_create();
    bool ok;

    r->host->set_ready(r->host, 0, "no database");
    host_cleanup(host_freep) char *no = readyz(r, &ok);
    EXPECT_HAS(no, "[-]plugin-rig.ready failed: no database");
    EXPECT_INT(ok, 1);
    r->host->set_ready(r->host, 0, NULL);
    host_cleanup(host_freep) char *why = readyz(r, &ok);
    EXPECT_HAS(why, "[-]plugin-rig.ready failed: not ready");
    r->host->set_ready(r->host, 1, NULL);
    host_cleanup(host_freep) char *yes = readyz(r, &ok);
    EXPECT_HAS(yes, "[+]plugin-rig.ready ok");
    rig_destroy(r);
}

Test(report, an_instances_own_line_makes_the_host_unready_where_plugins_are_required)
{
    rig_t *r = rig_create();
    bool ok;

    r->shared.counts = HEALTH_READYZ;
    r->host->set_ready(r->host, 0, "no database");
    host_cleanup(host_freep) char *no = readyz(r, &ok);
    EXPECT_HAS(no, "[-]plugin-rig.ready failed: no database\n");
    EXPECT_INT(ok, 0);
    r->host->set_ready(r->host, 1, NULL);
    host_cleanup(host_freep) char *yes = readyz(r, &ok);
    EXPECT_HAS(yes, "[+]plugin-rig.ready ok");
    EXPECT_INT(ok, 1);
    rig_destroy(r);
}

Test(report, the_line_of_one_instance_is_not_the_check_of_another)
{
    rig_t *r = rig_create();
    health_check_t *other = health_add(r->shared.health, "plugin-rig-ready", 0, HEALTH_READYZ);

    r->host->set_ready(r->host, 0, "no"); /* two checks of one name end a debug build */
    health_remove(r->shared.health, other);
    rig_destroy(r);
}
