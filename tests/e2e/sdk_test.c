/* SPDX-License-Identifier: Apache-2.0 */
/* Every function of the host table with a ctx in every state, in both modes: tests/sdk/everything.h
 * says what each case does and what each probe gives. */
#include "e2e/e2e.h"

enum { LIMIT = 15000 };

static const char *const cases[] = {"live",     "term",    "activate",  "completed", "unknown",
                                    "old-term", "old-key", "cancelled", "stopped"};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

/* One mode's namespace, replica and results. */
typedef struct side {
    const char *mode, *ns;
    char configmaps[160], lease[256];
    replica_t *replica;
    cJSON *data[CASES];
} side_t;

/* Filled by the first two tests, compared by those that follow. */
static side_t sides[2] = {{.mode = "thread"}, {.mode = "process"}};

static void make_case(e2e_t *e, const side_t *s, const char *name, const char *test)
{
    API_REPLY r =
        api_post(e->api, s->configmaps,
                 "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"sdk-suite\":\"%s\"}}}", name, test);

    REQUIRE_INT(r.status, 201);
}

/* Waits for NAME-result to hold `value` for `probe` (NULL: anything), keeps its data. */
static void keep_result(e2e_t *e, side_t *s, const char *name, const char *probe, const char *value)
{
    char path[256], pointer[64];

    snprintf(path, sizeof(path), "%s/%s-result", s->configmaps, name);
    snprintf(pointer, sizeof(pointer), "/data/%s", probe);
    REQUIRE_TRUE(value == NULL ? e2e_wait_status(e, path, 200, LIMIT)
                               : e2e_wait_value(e, path, pointer, value, LIMIT));
    API_REPLY r = api_get(e->api, "%s", path);
    for (int i = 0; i < CASES; i++) {
        if (strcmp(cases[i], name) != 0)
            continue;
        cJSON_Delete(s->data[i]);
        s->data[i] = cJSON_Duplicate(api_at(r.json, "/data"), true);
    }
}

static void start(e2e_t *e, side_t *s)
{
    char instances[192], lease[64];

    s->ns = e2e_make_namespace(e, s->mode);
    snprintf(s->configmaps, sizeof(s->configmaps), "/api/v1/namespaces/%s/configmaps", s->ns);
    snprintf(lease, sizeof(lease), "sdk-%s", s->mode);
    snprintf(s->lease, sizeof(s->lease), "%s/%s", e->leases, lease);
    e2e_make_lease(e, lease);
    snprintf(instances, sizeof(instances),
             "    everything: {isolation: %s, workers: 4, namespaces: [%s]}", s->mode, s->ns);
    s->replica = replica_start(
        &(replica_options_t){.name = "a",
                             .lease = lease,
                             .ns = e->ns,
                             .instances = instances,
                             .plugins = (const char *const[]){EVERYTHING_PLUGIN, NULL}});
    REQUIRE_TRUE(replica_logged(s->replica, "synced: reconciles begin", LIMIT));
}

static void first_term(e2e_t *e, side_t *s)
{
    make_case(e, s, "walked", "report");
    make_case(e, s, "live", "live");
    keep_result(e, s, "live", NULL, NULL);
    make_case(e, s, "term", "term");
    make_case(e, s, "activate", "activate");
    make_case(e, s, "unknown", "unknown");
    make_case(e, s, "old-term", "old-term");
    make_case(e, s, "old-key", "old-key");
    keep_result(e, s, "term", NULL, NULL);
    keep_result(e, s, "activate", NULL, NULL);
    keep_result(e, s, "unknown", NULL, NULL);
    keep_result(e, s, "old-term", "none", "0");
    keep_result(e, s, "old-key", "none", "0");
    make_case(e, s, "completed", "completed");
    REQUIRE_TRUE(replica_logged(s->replica, "sdk-suite: completed of", LIMIT));
    make_case(e, s, "report-1", "report");
    keep_result(e, s, "completed", NULL, NULL);
}

/* The term is lost while "cancelled" is inside a reconcile. */
static void second_term(e2e_t *e, side_t *s)
{
    make_case(e, s, "cancelled", "cancelled");
    REQUIRE_TRUE(replica_logged(s->replica, "sdk-suite: cancelled waits", LIMIT));
    API_REPLY edited =
        api_patch(e->api, s->lease, "merge",
                  "{\"spec\":{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":1}}");
    REQUIRE_INT(edited.status, 200);
    REQUIRE_TRUE(replica_logged(s->replica, "sdk-suite: cancelled of", 2000));
    API_REPLY gone = api_delete(e->api, "%s/cancelled", s->configmaps);
    REQUIRE_INT(gone.status, 200);
    keep_result(e, s, "cancelled", "wait", "0");
    keep_result(e, s, "old-term", "call", "-6");
    keep_result(e, s, "old-key", "call", "-6");
}

/* A voluntary stop while "cancelled" is inside a reconcile: the term is not over, its gate is closed.
 * Nothing can be written with that ctx, so the outcome is in the log. */
static void last_term(e2e_t *e, side_t *s)
{
    static const char kept[] = "sdk-suite: kept of stopped: ";

    REQUIRE_TRUE(e2e_wait_holder(e, strrchr(s->lease, '/') + 1, "a", LIMIT));
    make_case(e, s, "stopped", "cancelled");
    REQUIRE_TRUE(replica_logged(s->replica, "sdk-suite: stopped waits", LIMIT));
    replica_signal(s->replica, SIGTERM);
    EXPECT_INT(replica_wait(s->replica, LIMIT), 0);
    char *log = replica_log(s->replica);
    const char *line = strstr(log, kept);
    if (line != NULL)
        s->data[CASES - 1] = cJSON_Parse(line + strlen(kept));
    free(log);
    REQUIRE_TRUE(s->data[CASES - 1] != NULL);
}

static void expect_seen_outside(e2e_t *e, side_t *s)
{
    char *body = NULL;

    EXPECT_TRUE(replica_metric(s->replica, "leasehold_plugin_everything_cases_total{"
                                           "controller=\"everything\",case=\"live\"}") >= 1);
    EXPECT_INT(replica_get(s->replica, "/readyz?verbose", &body), 200);
    EXPECT_HAS(body, "plugin-everything.ready ok");
    free(body);
    API_REPLY events = api_get(e->api, "/apis/events.k8s.io/v1/namespaces/%s/events", s->ns);
    EXPECT_HAS(events.text, "the SDK suite was here");
}

static void run_side(e2e_t *e, side_t *s)
{
    start(e, s);
    first_term(e, s);
    expect_seen_outside(e, s);
    second_term(e, s);
    last_term(e, s);
    replica_free(s->replica);
}

static void in_thread_mode(void *arg)
{
    run_side(arg, &sides[0]);
}

static void in_process_mode(void *arg)
{
    run_side(arg, &sides[1]);
}

/* -- What is expected -- */

static const char *value_of(const side_t *s, int test, const char *probe)
{
    const char *value =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(s->data[test], probe));

    return value != NULL ? value : "(absent)";
}

static void expect_probe(const side_t *s, int test, const char *probe, const char *expected)
{
    const char *value = value_of(s, test, probe);

    if (strcmp(value, expected) != 0)
        tap_fail(__FILE__, __LINE__, "%s mode, case %s: %s is %s, expected %s", s->mode,
                 cases[test], probe, value, expected);
}

/* dead: the code of a ctx that is not live; NULL: it is. */
static void expect_case(const side_t *s, int test, const char *dead)
{
    static const char *const by_ctx[] = {"call",
                                         "0",
                                         "call.write",
                                         "-8",
                                         "call.absent",
                                         "-8",
                                         "cache_get",
                                         "0",
                                         "cache_get.absent",
                                         "-8",
                                         "cache_list",
                                         "0",
                                         "walk.update",
                                         "0",
                                         "enqueue",
                                         "0",
                                         "event",
                                         "0",
                                         "cancelled",
                                         "0",
                                         "request",
                                         "0",
                                         "foreign_thread.cache_get",
                                         "0",
                                         NULL};
    static const char *const anyhow[] = {"call.bad_method",
                                         "-1",
                                         "call.bad_path",
                                         "-1",
                                         "cache_get.bad_watch",
                                         "-1",
                                         "enqueue.bad_watch",
                                         "-1",
                                         "metric.negative",
                                         "-1",
                                         "metric",
                                         "0",
                                         "now",
                                         "0",
                                         "get_extension",
                                         "0",
                                         "post",
                                         "0",
                                         "snapshot_text",
                                         "0",
                                         "foreign_thread.call",
                                         "-22",
                                         NULL};
    static const char *const live_only[] = {"response_status",
                                            "200",
                                            "response_text",
                                            "0",
                                            "cursor_next",
                                            "0",
                                            "request.callback",
                                            "0",
                                            "plugin_thread.call",
                                            "0",
                                            "post.fn",
                                            "0",
                                            NULL};

    for (const char *const *p = by_ctx; *p != NULL; p += 2)
        expect_probe(s, test, p[0], dead != NULL ? dead : p[1]);
    for (const char *const *p = anyhow; *p != NULL; p += 2)
        expect_probe(s, test, p[0], p[1]);
    for (const char *const *p = live_only; *p != NULL && dead == NULL; p += 2)
        expect_probe(s, test, p[0], p[1]);
    if (dead == NULL)
        EXPECT_TRUE(strtol(value_of(s, test, "cursor.objects"), NULL, 10) >= 1);
}

static void expect_both(int test, const char *dead)
{
    for (int i = 0; i < 2; i++)
        expect_case(&sides[i], test, dead);
}

static void live(void *arg)
{
    (void) arg;
    expect_both(0, NULL);
    expect_both(1, NULL);
}

static void in_activate(void *arg)
{
    (void) arg;
    for (int i = 0; i < 2; i++) {
        expect_probe(&sides[i], 2, "call", "0");
        expect_probe(&sides[i], 2, "cancelled", "0");
    }
}

static void completed(void *arg)
{
    (void) arg;
    expect_both(3, "-5");
}

static void unknown(void *arg)
{
    (void) arg;
    expect_both(4, "-1");
}

static void old_terms(void *arg)
{
    (void) arg;
    expect_both(5, "-6");
    expect_both(6, "-6");
    for (int i = 0; i < 2; i++) {
        expect_probe(&sides[i], 6, "kept.snapshot", "0");
        expect_probe(&sides[i], 6, "kept.cursor", "0");
    }
}

static void cancelled(void *arg)
{
    (void) arg;
    expect_both(7, "-6");
}

static void stopped(void *arg)
{
    (void) arg;
    expect_both(8, "-5");
}

static void the_same_in_both(void *arg)
{
    int probes = 0;

    (void) arg;
    for (int test = 0; test < CASES; test++) {
        REQUIRE_TRUE(sides[0].data[test] != NULL && sides[1].data[test] != NULL);
        EXPECT_INT(cJSON_GetArraySize(sides[0].data[test]),
                   cJSON_GetArraySize(sides[1].data[test]));
        for (const cJSON *p = sides[0].data[test]->child; p != NULL; p = p->next, probes++) {
            if (strcmp(p->string, "cursor.objects") != 0) /* depends on the moment */
                expect_probe(&sides[1], test, p->string, p->valuestring);
        }
    }
    tap_note("%d probes in %d cases gave the same in both modes", probes, CASES);
}

static const tap_test_t tests[] = {
    {"every case comes to its end in thread mode", in_thread_mode},
    {"every case comes to its end in process mode", in_process_mode},
    {"a live ctx may do everything, of a reconcile and of the term", live},
    {"activate() may call the API", in_activate},
    {"a completed ctx is refused with LH_ECANCELED", completed},
    {"a ctx that was never given out is refused with LH_EINVAL", unknown},
    {"a ctx of an old term is refused with LH_EFENCED", old_terms},
    {"a ctx whose term was lost is refused with LH_EFENCED", cancelled},
    {"a ctx of a term that is given up is refused with LH_ECANCELED", stopped},
    {"both modes give the same", the_same_in_both},
};

int main(int argc, char **argv)
{
    const int status = e2e_main(argc, argv, "sdk", tests, sizeof(tests) / sizeof(tests[0]));

    for (int i = 0; i < 2 * CASES; i++)
        cJSON_Delete(sides[i / CASES].data[i % CASES]);
    return status;
}
