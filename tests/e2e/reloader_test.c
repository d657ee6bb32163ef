/* SPDX-License-Identifier: Apache-2.0 */
/* plugins/reloader on an API server: what the documentation of Stakater's Reloader says, row by row. */
#include "e2e/shipped.h"

enum { SOON = 15000 };

#define AUTO "\"reloader.stakater.com/auto\":\"true\""
#define CONTAINER "\"name\":\"app\",\"image\":\"nginx\""
#define ENV_FROM                                                                                   \
    "\"containers\":[{" CONTAINER ",\"envFrom\":[{\"configMapRef\":{\"name\":\"%s\"}}]}]"
#define UNUSED "\"containers\":[{" CONTAINER "}]"

/* A ConfigMap or Secret, and a workload; %s in its spec is the source's name. */
typedef struct scenario {
    const char *says; /* the documentation */
    const char *kind, *annotations, *spec;
    const char *source, *source_annotations; /* "configmaps" or "secrets" */
    bool rolled;
} scenario_t;

static const scenario_t scenarios[] = {
    {"auto: a ConfigMap by envFrom", "Deployment", AUTO, ENV_FROM, "configmaps", "", true},
    {"auto: a key of a ConfigMap", "Deployment", AUTO,
     "\"containers\":[{" CONTAINER ",\"env\":[{\"name\":\"K\",\"valueFrom\":{\"configMapKeyRef\":"
     "{\"name\":\"%s\",\"key\":\"k\"}}}]}]",
     "configmaps", "", true},
    {"auto: a volume of a ConfigMap", "StatefulSet", AUTO,
     "\"containers\":[{" CONTAINER ",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]}],"
     "\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"%s\"}}]",
     "configmaps", "", true},
    {"auto: a projected volume", "DaemonSet", AUTO,
     "\"containers\":[{" CONTAINER ",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]}],"
     "\"volumes\":[{\"name\":\"v\",\"projected\":{\"sources\":[{\"configMap\":{\"name\":\"%s\"}}]}}"
     "]",
     "configmaps", "", true},
    {"auto: an init container", "Deployment", AUTO,
     UNUSED ",\"initContainers\":[{\"name\":\"i\",\"image\":\"busybox\",\"envFrom\":["
            "{\"configMapRef\":{\"name\":\"%s\"}}]}]",
     "configmaps", "", true},
    {"auto: a Secret by envFrom", "Deployment", AUTO,
     "\"containers\":[{" CONTAINER ",\"envFrom\":[{\"secretRef\":{\"name\":\"%s\"}}]}]", "secrets",
     "", true},
    {"auto: a key of a Secret", "StatefulSet", AUTO,
     "\"containers\":[{" CONTAINER ",\"env\":[{\"name\":\"K\",\"valueFrom\":{\"secretKeyRef\":"
     "{\"name\":\"%s\",\"key\":\"k\"}}}]}]",
     "secrets", "", true},
    {"auto: a volume of a Secret", "DaemonSet", AUTO,
     "\"containers\":[{" CONTAINER ",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]}],"
     "\"volumes\":[{\"name\":\"v\",\"secret\":{\"secretName\":\"%s\"}}]",
     "secrets", "", true},
    {"auto: what is not used rolls nothing", "Deployment", AUTO, UNUSED, "configmaps", "", false},
    {"no annotation, no roll", "Deployment", "", ENV_FROM, "configmaps", "", false},
    {"auto for ConfigMaps only", "Deployment", "\"configmap.reloader.stakater.com/auto\":\"true\"",
     ENV_FROM, "configmaps", "", true},
    {"auto for Secrets only: not for a ConfigMap", "Deployment",
     "\"secret.reloader.stakater.com/auto\":\"true\"", ENV_FROM, "configmaps", "", false},
    {"a named ConfigMap rolls, used or not", "Deployment",
     "\"configmap.reloader.stakater.com/reload\":\"other, %s\"", UNUSED, "configmaps", "", true},
    {"a named Secret", "Deployment", "\"secret.reloader.stakater.com/reload\":\"%s\"", UNUSED,
     "secrets", "", true},
    {"names are regular expressions", "Deployment",
     "\"configmap.reloader.stakater.com/reload\":\"%.9s.*\"", UNUSED, "configmaps", "", true},
    {"search with a match", "Deployment", "\"reloader.stakater.com/search\":\"true\"", ENV_FROM,
     "configmaps", "\"reloader.stakater.com/match\":\"true\"", true},
    {"search without a match", "Deployment", "\"reloader.stakater.com/search\":\"true\"", ENV_FROM,
     "configmaps", "", false},
    {"search: a match that is not used", "Deployment", "\"reloader.stakater.com/search\":\"true\"",
     UNUSED, "configmaps", "\"reloader.stakater.com/match\":\"true\"", false},
    {"ignore on the source", "Deployment", AUTO, ENV_FROM, "configmaps",
     "\"reloader.stakater.com/ignore\":\"true\"", false},
    {"an excluded name", "Deployment",
     AUTO ",\"configmaps.exclude.reloader.stakater.com/reload\":\"%s\"", ENV_FROM, "configmaps", "",
     false},
    {"auto false", "Deployment", "\"reloader.stakater.com/auto\":\"false\"", ENV_FROM, "configmaps",
     "", false},
    /* When these have been rolled, all before them have been looked at. */
    {"(the last ConfigMap)", "Deployment", AUTO, ENV_FROM, "configmaps", "", true},
    {"(the last Secret)", "Deployment", AUTO,
     "\"containers\":[{" CONTAINER ",\"envFrom\":[{\"secretRef\":{\"name\":\"%s\"}}]}]", "secrets",
     "", true},
};

static const char *workload_path(const e2e_t *e, const char *kind, const char *name)
{
    static char paths[4][320];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "/apis/apps/v1/namespaces/%s/%ss%s%s", e->ns, kind,
             *name != '\0' ? "/" : "", name);
    for (char *c = strstr(path, kind); *c != '/' && *c != '\0'; c++)
        *c = (char) (*c | 0x20);
    return path;
}

static void source_path(const e2e_t *e, const char *resource, const char *name, char path[320])
{
    snprintf(path, 320, "/api/v1/namespaces/%s/%s%s%s", e->ns, resource, *name != '\0' ? "/" : "",
             name);
}

static void make_source(e2e_t *e, const char *resource, const char *name, const char *annotations)
{
    char path[320];

    source_path(e, resource, "", path);
    API_REPLY r = api_post(e->api, path,
                           "{\"metadata\":{\"name\":\"%s\",\"annotations\":{%s}},"
                           "\"data\":{\"k\":\"b25l\"}}",
                           name, annotations);
    REQUIRE_INT(r.status, 201);
}

static void change_source(e2e_t *e, const char *resource, const char *name, const char *value)
{
    char path[320];

    source_path(e, resource, name, path);
    API_REPLY r = api_patch(e->api, path, "merge", "{\"data\":{\"k\":\"%s\"}}", value);
    EXPECT_INT(r.status, 200);
}

__attribute__((format(printf, 3, 0))) static void fill(char *out, size_t size, const char *format,
                                                       const char *source)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(out, size, format, source);
#pragma GCC diagnostic pop
}

static void make_workload(e2e_t *e, const char *kind, const char *name, const char *source,
                          const char *annotations, const char *spec)
{
    char own_annotations[512], own_spec[1024];

    fill(own_annotations, sizeof(own_annotations), annotations, source);
    fill(own_spec, sizeof(own_spec), spec, source);
    API_REPLY r = api_post(
        e->api, workload_path(e, kind, ""),
        "{\"metadata\":{\"name\":\"%s\",\"annotations\":{%s}},\"spec\":{%s"
        "\"selector\":{\"matchLabels\":{\"app\":\"%s\"}},\"template\":{\"metadata\":{\"labels\":{"
        "\"app\":\"%s\"}},\"spec\":{%s}}}}",
        name, own_annotations, strcmp(kind, "StatefulSet") == 0 ? "\"serviceName\":\"x\"," : "",
        name, name, own_spec);
    REQUIRE_INT(r.status, 201);
}

/* A change of the template is a new generation. */
static bool wait_generation(e2e_t *e, const char *kind, const char *name, const char *generation,
                            int ms)
{
    return e2e_wait_value(e, workload_path(e, kind, name), "/metadata/generation", generation, ms);
}

static void start(shipped_t *s, e2e_t *e, const char *isolation, const char *config)
{
    char instances[512];

    snprintf(instances, sizeof(instances),
             "    reloader: {isolation: %s, namespaces: [%s], config: {%s}}", isolation, e->ns,
             config);
    shipped_start(s, e, RELOADER_PLUGIN, instances);
    REQUIRE_TRUE(shipped_rests(s, SOON));
}

static void the_documented_annotations(void *arg)
{
    enum { COUNT = sizeof(scenarios) / sizeof(scenarios[0]) };
    e2e_t *e = arg;
    char names[COUNT][16];
    shipped_t s;

    for (size_t i = 0; i < COUNT; i++) {
        const scenario_t *row = &scenarios[i];
        snprintf(names[i], sizeof(names[i]), "source-%zu-x", i + 10);
        make_source(e, row->source, names[i], row->source_annotations);
        make_workload(e, row->kind, names[i], names[i], row->annotations, row->spec);
    }
    start(&s, e, "thread", "");
    for (size_t i = 0; i < COUNT; i++)
        change_source(e, scenarios[i].source, names[i], "dHdv");
    for (size_t i = COUNT; i-- > 0;) {
        const scenario_t *row = &scenarios[i];
        const bool fine = wait_generation(e, row->kind, names[i], row->rolled ? "2" : "1", SOON);
        tap_note("%s: %s", row->says, row->rolled ? "rolled" : "not rolled");
        if (!fine)
            tap_fail(__FILE__, __LINE__, "'%s': %s is not as it should be: %s", row->says, names[i],
                     row->rolled ? "rolled" : "not rolled");
    }
    EXPECT_TRUE(shipped_event(e, e->ns, "Reloaded", names[0], SOON));
    shipped_stop(&s);
}

static void made(e2e_t *e, const char *name)
{
    make_source(e, "configmaps", name, "");
    make_workload(e, "Deployment", name, name, AUTO, ENV_FROM);
}

#define VALUE "/spec/template/spec/containers/0/env/0/value"
#define NAME "/spec/template/spec/containers/0/env/0/name"

static void env_vars_hold_the_digest(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;

    made(e, "env");
    start(&s, e, "thread", "");
    change_source(e, "configmaps", "env", "two");
    EXPECT_TRUE(wait_generation(e, "Deployment", "env", "2", SOON));
    API_REPLY r = api_get(e->api, "%s", workload_path(e, "Deployment", "env"));
    EXPECT_STR(api_str(r.json, NAME), "STAKATER_ENV_CONFIGMAP");
    EXPECT_STR(api_str(r.json, VALUE),
               "21bfb784d06635d2a43a1b4b74851858875eef72"); /* sha1sum of k=two */
    EXPECT_STR(api_str(r.json, "/spec/template/spec/containers/0/image"), "nginx");
    EXPECT_STR(api_str(r.json, "/spec/template/spec/containers/0/envFrom/0/configMapRef/name"),
               "env");
    shipped_stop(&s);
}

static void annotations_tell_the_source(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;

    made(e, "anno");
    start(&s, e, "process", "reloadStrategy: annotations");
    change_source(e, "configmaps", "anno", "two");
    EXPECT_TRUE(wait_generation(e, "Deployment", "anno", "2", SOON));
    API_REPLY r = api_get(e->api, "%s", workload_path(e, "Deployment", "anno"));
    EXPECT_HAS(api_str(r.json, "/spec/template/metadata/annotations/reloader.stakater.com~1"
                               "last-reloaded-from"),
               "{\"type\":\"CONFIGMAP\",\"name\":\"anno\"");
    EXPECT_STR(api_str(r.json, NAME), "");
    shipped_stop(&s);
}

static void a_change_while_nobody_leads(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;

    made(e, "missed");
    start(&s, e, "thread", "");
    change_source(e, "configmaps", "missed", "two");
    EXPECT_TRUE(wait_generation(e, "Deployment", "missed", "2", SOON));
    replica_signal(s.replica, SIGTERM);
    EXPECT_INT(replica_wait(s.replica, SOON), 0);
    change_source(e, "configmaps", "missed", "three");
    replica_restart(s.replica);
    EXPECT_TRUE(wait_generation(e, "Deployment", "missed", "3", SOON));
    EXPECT_TRUE(shipped_rests(&s, SOON));
    API_REPLY r = api_get(e->api, "%s", workload_path(e, "Deployment", "missed"));
    EXPECT_STR(api_str(r.json, "/metadata/generation"), "3");
    shipped_stop(&s);
}

static void creation_and_deletion(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;

    make_workload(e, "Deployment", "born", "born", AUTO, ENV_FROM);
    start(&s, e, "thread", "reloadOnCreate: true, reloadOnDelete: true");
    make_source(e, "configmaps", "born", "");
    EXPECT_TRUE(wait_generation(e, "Deployment", "born", "2", SOON));
    API_REPLY gone = api_delete(e->api, "%s/born", e->configmaps);
    EXPECT_INT(gone.status, 200);
    EXPECT_TRUE(wait_generation(e, "Deployment", "born", "3", SOON));
    API_REPLY r = api_get(e->api, "%s", workload_path(e, "Deployment", "born"));
    EXPECT_STR(api_str(r.json, NAME), "");
    shipped_stop(&s);
}

static void all_without_annotations(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;

    make_source(e, "configmaps", "every", "");
    make_workload(e, "Deployment", "every", "every", "", ENV_FROM);
    make_workload(e, "Deployment", "every-not", "every", "\"reloader.stakater.com/auto\":\"false\"",
                  ENV_FROM);
    start(&s, e, "thread", "autoReloadAll: true");
    change_source(e, "configmaps", "every", "two");
    EXPECT_TRUE(wait_generation(e, "Deployment", "every", "2", SOON));
    EXPECT_TRUE(shipped_rests(&s, SOON));
    EXPECT_TRUE(wait_generation(e, "Deployment", "every-not", "1", SOON));
    shipped_stop(&s);
}

static const tap_test_t tests[] = {
    {"reloader: the documented annotations", the_documented_annotations},
    {"reloader: env-vars hold the digest that the original would write", env_vars_hold_the_digest},
    {"reloader: in a process of its own, annotations tell which source it was",
     annotations_tell_the_source},
    {"reloader: a change while nobody leads is made up for", a_change_while_nobody_leads},
    {"reloader: creation and deletion roll when that is wanted", creation_and_deletion},
    {"reloader: all workloads, but those that opt out", all_without_annotations},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "reloader", tests, sizeof(tests) / sizeof(tests[0]));
}
