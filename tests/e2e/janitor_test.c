/* SPDX-License-Identifier: Apache-2.0 */
/* plugins/janitor on an API server: what kube-janitor's documentation says, row by row. */
#include "e2e/shipped.h"

#define GROUP "janitor.example.leasehold.dev"

enum { GONE = 15000 };

/* A ConfigMap unless path says otherwise. */
typedef struct scenario {
    const char *says; /* the documentation */
    const char *name, *annotations;
    bool deleted;
} scenario_t;

static const scenario_t scenarios[] = {
    {"janitor/ttl: deleted when older", "ttl", "\"janitor/ttl\":\"1s\"", true},
    {"janitor/ttl: not yet", "ttl-later", "\"janitor/ttl\":\"8h\"", false},
    {"janitor/ttl: forever is never deleted", "ttl-forever", "\"janitor/ttl\":\"forever\"", false},
    {"janitor/ttl: what is none is ignored", "ttl-none", "\"janitor/ttl\":\"1y\"", false},
    {"janitor/expires: a date", "date", "\"janitor/expires\":\"2020-01-01\"", true},
    {"janitor/expires: date and time", "minute", "\"janitor/expires\":\"2020-01-17T15:14\"", true},
    {"janitor/expires: with seconds", "second", "\"janitor/expires\":\"2020-01-17T15:14:38Z\"",
     true},
    {"janitor/expires: in the future", "future", "\"janitor/expires\":\"2999-01-01\"", false},
    {"janitor/expires: what is none is ignored", "no-time",
     "\"janitor/expires\":\"2020-01-01 00:00\"", false},
    {"both: the earlier counts", "both",
     "\"janitor/ttl\":\"8h\",\"janitor/expires\":\"2020-01-01\"", true},
    {"without annotations nothing is deleted", "plain", "", false},
    {"a rule deletes what it matches", "pr-17", "", true},
    {"a rule does not count where janitor/ttl is set", "pr-18", "\"janitor/ttl\":\"forever\"",
     false},
};

static void make(e2e_t *e, const char *ns, const char *name, const char *annotations)
{
    char path[256];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps", ns);
    API_REPLY r = api_post(e->api, path, "{\"metadata\":{\"name\":\"%s\",\"annotations\":{%s}}}",
                           name, annotations);
    REQUIRE_INT(r.status, 201);
}

static const char *configmap(const e2e_t *e, const char *name)
{
    static char paths[4][320];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", e->configmaps, name);
    return path;
}

/* The instance, for the namespaces of the run only; a line of its configuration, or one behind its kinds,
 * more. */
static void start(shipped_t *s, e2e_t *e, const char *line, const char *last)
{
    char instances[1024];

    snprintf(instances, sizeof(instances),
             "    janitor:\n"
             "      config:\n"
             "        includeNamespaces: [%s, %s-kept, %s-going]\n"
             "        excludeNamespaces: [%s-kept]\n"
             "        rules:\n"
             "          - id: pull-requests\n"
             "            resources: [configmaps]\n"
             "            jmespath: \"starts_with(metadata.name, 'pr-')\"\n"
             "            ttl: 1s\n%s"
             "        kinds:\n"
             "          - {version: v1, resource: configmaps, kind: ConfigMap}\n"
             "          - {version: v1, resource: namespaces, kind: Namespace}\n%s",
             e->ns, e->ns, e->ns, e->ns, line, last);
    shipped_start(s, e, JANITOR_PLUGIN, instances);
}

/* When this one is gone, everything that was made before it has been looked at. */
static void wait_for_the_last(e2e_t *e, const char *name)
{
    make(e, e->ns, name, "\"janitor/ttl\":\"1s\"");
    REQUIRE_TRUE(e2e_wait_status(e, configmap(e, name), 404, GONE));
}

static void the_documented_annotations(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;

    start(&s, e, "", "");
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        make(e, e->ns, scenarios[i].name, scenarios[i].annotations);
    wait_for_the_last(e, "last");
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        const scenario_t *row = &scenarios[i];
        const char *path = configmap(e, row->name);
        const bool fine = e2e_wait_status(e, path, row->deleted ? 404 : 200, GONE);

        tap_note("%s: %s", row->says, row->deleted ? "deleted" : "kept");
        if (!fine)
            tap_fail(__FILE__, __LINE__, "'%s': %s is not %s", row->says, row->name,
                     row->deleted ? "deleted" : "kept");
    }
    EXPECT_TRUE(shipped_event(e, e->ns, "TimeToLiveExpired", "ttl", GONE));
    EXPECT_TRUE(shipped_event(e, e->ns, "ExpiryTimeReached", "date", GONE));
    EXPECT_TRUE(replica_logged(s.replica, "annotation janitor/ttl is ignored: '1y'", 0) ||
                replica_log_count(s.replica, "annotation janitor/ttl is ignored: '1y'") > 0);
    shipped_stop(&s);
}

static void a_ttl_that_is_shortened(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;

    start(&s, e, "", "      isolation: process\n");
    make(e, e->ns, "shortened", "\"janitor/ttl\":\"1w\"");
    wait_for_the_last(e, "before");
    API_REPLY r = api_patch(e->api, configmap(e, "shortened"), "merge",
                            "{\"metadata\":{\"annotations\":{\"janitor/ttl\":\"1s\"}}}");
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(e2e_wait_status(e, configmap(e, "shortened"), 404, GONE));
    shipped_stop(&s);
}

static void custom_resources(void *arg)
{
    e2e_t *e = arg;
    char path[256], object[320];
    shipped_t s;

    shipped_make_kind(e, GROUP, "temps", "Temp");
    start(&s, e, "", "          - {group: " GROUP ", version: v1, resource: temps, kind: Temp}\n");
    snprintf(path, sizeof(path), "/apis/" GROUP "/v1/namespaces/%s/temps", e->ns);
    snprintf(object, sizeof(object), "%s/one", path);
    API_REPLY made = api_post(e->api, path,
                              "{\"apiVersion\":\"" GROUP "/v1\",\"kind\":\"Temp\",\"metadata\":"
                              "{\"name\":\"one\",\"annotations\":{\"janitor/ttl\":\"1s\"}}}");
    REQUIRE_INT(made.status, 201);
    EXPECT_TRUE(e2e_wait_status(e, object, 404, GONE));
    shipped_stop(&s);
}

static bool is_going(const api_reply_t *r, void *arg)
{
    (void) arg;
    return r->status == 404 || *api_str(r->json, "/metadata/deletionTimestamp") != '\0';
}

static void namespaces(void *arg)
{
    e2e_t *e = arg;
    const char *kept = e2e_make_namespace(e, "kept"), *going = e2e_make_namespace(e, "going");
    char path[2][256];
    shipped_t s;

    start(&s, e, "", "");
    make(e, kept, "in-it", "\"janitor/ttl\":\"1s\"");
    snprintf(path[0], sizeof(path[0]), "/api/v1/namespaces/%s", kept);
    snprintf(path[1], sizeof(path[1]), "/api/v1/namespaces/%s", going);
    for (size_t i = 0; i < 2; i++) {
        API_REPLY r = api_patch(e->api, path[i], "merge",
                                "{\"metadata\":{\"annotations\":{\"janitor/ttl\":\"1s\"}}}");
        EXPECT_INT(r.status, 200);
    }
    EXPECT_TRUE(api_until(e->api, path[1], GONE, is_going, NULL));
    wait_for_the_last(e, "after");
    API_REPLY still = api_get(e->api, "%s", path[0]);
    EXPECT_INT(still.status, 200);
    EXPECT_STR(api_str(still.json, "/metadata/deletionTimestamp"), "");
    API_REPLY inside = api_get(e->api, "%s/configmaps/in-it", path[0]);
    EXPECT_INT(inside.status, 200);
    shipped_stop(&s);
}

static void a_dry_run(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;

    start(&s, e, "        dryRun: true\n", "");
    make(e, e->ns, "dry", "\"janitor/ttl\":\"1s\"");
    EXPECT_TRUE(replica_logged(s.replica, "dry run: ConfigMap would be deleted", GONE));
    API_REPLY still = api_get(e->api, "%s", configmap(e, "dry"));
    EXPECT_INT(still.status, 200);
    EXPECT_TRUE(replica_says(s.replica, "/metrics",
                             "leasehold_plugin_deletions_total{controller=\"janitor\","
                             "resource=\"configmaps\",reason=\"ttl\",dry_run=\"true\"} 1",
                             GONE));
    shipped_stop(&s);
}

static void without_kinds(void *arg)
{
    e2e_t *e = arg;
    replica_t *a = replica_start(
        &(replica_options_t){.name = "a",
                             .lease = "without",
                             .ns = e->ns,
                             .plugins = (const char *const[]){JANITOR_PLUGIN, NULL},
                             .instances = "    janitor: {config: {kinds: [{version: v1, resource: "
                                          "pods}]}}"});

    EXPECT_TRUE(replica_logged(a, "config.kinds[0].kind: is missing", GONE));
    replica_free(a);
}

static const tap_test_t tests[] = {
    {"janitor: the documented annotations and a rule", the_documented_annotations},
    {"janitor: in a process of its own, a TTL that is shortened counts at once",
     a_ttl_that_is_shortened},
    {"janitor: custom resources have TTLs as well", custom_resources},
    {"janitor: namespaces go, but not those to leave alone", namespaces},
    {"janitor: a dry run deletes nothing", a_dry_run},
    {"janitor: a kind that is none is told with its place", without_kinds},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "janitor", tests, sizeof(tests) / sizeof(tests[0]));
}
