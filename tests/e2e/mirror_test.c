/* SPDX-License-Identifier: Apache-2.0 */
/* plugins/mirror on an API server: what Reflector's documentation says, case by case. */
#include "e2e/shipped.h"

enum { SOON = 15000 };

#define PREFIX "reflector.v1.k8s.emberstack.com/"
#define NOTE(name) "/metadata/annotations/reflector.v1.k8s.emberstack.com~1" name
#define ALLOWED "\"" PREFIX "reflection-allowed\":\"true\""
#define AUTO ALLOWED ",\"" PREFIX "reflection-auto-enabled\":\"true\""

typedef struct place {
    const char *a, *b; /* namespaces of the run */
} place_t;

static const char *path_of(const char *ns, const char *resource, const char *name)
{
    static char paths[8][320];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "/api/v1/namespaces/%s/%s%s%s", ns, resource,
             *name != '\0' ? "/" : "", name);
    return path;
}

static const char *config(const char *ns, const char *name)
{
    return path_of(ns, "configmaps", name);
}

static void make(e2e_t *e, const char *ns, const char *resource, const char *name,
                 const char *annotations, const char *more)
{
    API_REPLY r = api_post(e->api, path_of(ns, resource, ""),
                           "{\"metadata\":{\"name\":\"%s\",\"annotations\":{%s}},%s}", name,
                           annotations, more);
    REQUIRE_INT(r.status, 201);
}

/* A source of the run's namespace whose mirrors stay in the run's namespaces. */
static void make_source(e2e_t *e, const char *resource, const char *name, const char *annotations,
                        const char *more)
{
    char all[2048];

    snprintf(all, sizeof(all), "%s,\"" PREFIX "reflection-allowed-namespaces\":\"%s-.*\"",
             annotations, e->ns);
    make(e, e->ns, resource, name, all, more);
}

static void change(e2e_t *e, const char *path, const char *patch)
{
    API_REPLY r = api_patch(e->api, path, "merge", "%s", patch);

    EXPECT_INT(r.status, 200);
}

static void remove_it(e2e_t *e, const char *path)
{
    API_REPLY r = api_delete(e->api, "%s", path);

    EXPECT_INT(r.status, 200);
}

/* Namespaces stay for the rest of the run: they are made once. */
static place_t places(e2e_t *e)
{
    static place_t p;

    if (p.a == NULL)
        p = (place_t){e2e_make_namespace(e, "a"), e2e_make_namespace(e, "b")};
    return p;
}

static place_t start_isolated(shipped_t *s, e2e_t *e, const char *isolation)
{
    const place_t p = places(e);
    char instances[256];

    snprintf(instances, sizeof(instances),
             "    mirror:\n      isolation: %s\n"
             "      config: {excludedNamespaces: [\"kube-*\", \"*-excluded\"]}",
             isolation);
    shipped_start(s, e, MIRROR_PLUGIN, instances);
    return p;
}

static place_t start(shipped_t *s, e2e_t *e)
{
    return start_isolated(s, e, "thread");
}

static bool holds(e2e_t *e, const char *path, const char *value)
{
    return e2e_wait_value(e, path, "/data/k", value, SOON);
}

/* When this one has its mirror, what was made before it has been looked at. */
static void wait_for_the_last(e2e_t *e, const place_t *p, const char *name)
{
    make_source(e, "configmaps", name, AUTO, "\"data\":{\"k\":\"v\"}");
    REQUIRE_TRUE(holds(e, config(p->b, name), "v"));
}

static void automatic_mirrors(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;
    const place_t p = start(&s, e);

    make_source(e, "configmaps", "auto", AUTO, "\"data\":{\"k\":\"v\",\"old\":\"x\"}");
    EXPECT_TRUE(holds(e, config(p.a, "auto"), "v"));
    EXPECT_TRUE(holds(e, config(p.b, "auto"), "v"));
    API_REPLY mirror = api_get(e->api, "%s", config(p.a, "auto"));
    API_REPLY source = api_get(e->api, "%s", config(e->ns, "auto"));
    EXPECT_HAS(api_str(mirror.json, NOTE("reflects")), "/auto");
    EXPECT_STR(api_str(mirror.json, NOTE("auto-reflects")), "True");
    EXPECT_STR(api_str(mirror.json, NOTE("reflected-version")),
               api_str(source.json, "/metadata/resourceVersion"));
    API_REPLY elsewhere = api_get(e->api, "%s", config("default", "auto"));
    EXPECT_INT(elsewhere.status, 404);

    change(e, config(e->ns, "auto"), "{\"data\":{\"k\":\"w\",\"old\":null}}");
    EXPECT_TRUE(holds(e, config(p.a, "auto"), "w"));
    EXPECT_TRUE(e2e_wait_value(e, config(p.a, "auto"), "/data/old", "", SOON));
    change(e, config(p.a, "auto"), "{\"data\":{\"k\":\"mine\"}}");
    EXPECT_TRUE(holds(e, config(p.a, "auto"), "w"));
    remove_it(e, config(p.b, "auto"));
    EXPECT_TRUE(holds(e, config(p.b, "auto"), "w"));

    remove_it(e, config(e->ns, "auto"));
    EXPECT_TRUE(e2e_wait_status(e, config(p.a, "auto"), 404, SOON));
    EXPECT_TRUE(e2e_wait_status(e, config(p.b, "auto"), 404, SOON));
    shipped_stop(&s);
}

static void lists_and_selectors(void *arg)
{
    e2e_t *e = arg;
    char annotations[768], path[256];
    shipped_t s;
    const place_t p = start(&s, e);

    snprintf(annotations, sizeof(annotations),
             AUTO ",\"" PREFIX "reflection-auto-namespaces\":\"%s\"", p.a);
    make_source(e, "configmaps", "listed", annotations, "\"data\":{\"k\":\"v\"}");
    EXPECT_TRUE(holds(e, config(p.a, "listed"), "v"));
    make_source(e, "configmaps", "selected",
                AUTO ",\"" PREFIX "reflection-auto-namespaces-selector\":\"tier in (gold)\"",
                "\"data\":{\"k\":\"v\"}");
    wait_for_the_last(e, &p, "last-listed");
    EXPECT_TRUE(e2e_wait_status(e, config(p.b, "listed"), 404, SOON));
    EXPECT_TRUE(e2e_wait_status(e, config(p.b, "selected"), 404, SOON));

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s", p.b);
    change(e, path, "{\"metadata\":{\"labels\":{\"tier\":\"gold\"}}}");
    EXPECT_TRUE(holds(e, config(p.b, "selected"), "v"));
    change(e, path, "{\"metadata\":{\"labels\":{\"tier\":null}}}");
    EXPECT_TRUE(e2e_wait_status(e, config(p.b, "selected"), 404, SOON));
    shipped_stop(&s);
}

static void a_new_namespace(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;

    const place_t p = start(&s, e);
    make_source(e, "configmaps", "later", AUTO, "\"data\":{\"k\":\"v\"}");
    EXPECT_TRUE(holds(e, config(p.a, "later"), "v"));
    const char *excluded = e2e_make_namespace(e, "excluded"), *c = e2e_make_namespace(e, "c");
    EXPECT_TRUE(holds(e, config(c, "later"), "v"));
    EXPECT_TRUE(e2e_wait_status(e, config(excluded, "later"), 404, SOON));
    shipped_stop(&s);
}

static void turned_off(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;
    const place_t p = start(&s, e);

    make_source(e, "configmaps", "off", AUTO, "\"data\":{\"k\":\"v\"}");
    make_source(e, "configmaps", "bare", AUTO, "\"data\":{\"k\":\"v\"}");
    EXPECT_TRUE(holds(e, config(p.a, "off"), "v"));
    EXPECT_TRUE(holds(e, config(p.a, "bare"), "v"));
    change(e, config(e->ns, "off"),
           "{\"metadata\":{\"annotations\":{\"" PREFIX "reflection-auto-enabled\":\"false\"}}}");
    change(e, config(e->ns, "bare"), "{\"metadata\":{\"annotations\":null}}");
    EXPECT_TRUE(e2e_wait_status(e, config(p.a, "off"), 404, SOON));
    EXPECT_TRUE(e2e_wait_status(e, config(p.a, "bare"), 404, SOON));
    shipped_stop(&s);
}

static void a_conflicting_object(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;
    const place_t p = start(&s, e);

    make(e, p.a, "configmaps", "taken", "", "\"data\":{\"k\":\"mine\"}");
    make_source(e, "configmaps", "taken", AUTO, "\"data\":{\"k\":\"v\"}");
    EXPECT_TRUE(holds(e, config(p.b, "taken"), "v"));
    EXPECT_TRUE(replica_logged(s.replica, "it has an object of this name", SOON));
    API_REPLY still = api_get(e->api, "%s", config(p.a, "taken"));
    EXPECT_STR(api_str(still.json, "/data/k"), "mine");
    remove_it(e, config(p.a, "taken"));
    EXPECT_TRUE(holds(e, config(p.a, "taken"), "v"));
    shipped_stop(&s);
}

static void direct_mirrors(void *arg)
{
    e2e_t *e = arg;
    char reflects[320];
    shipped_t s;
    const place_t p = start(&s, e);

    snprintf(reflects, sizeof(reflects), "\"" PREFIX "reflects\":\"%s/direct\"", e->ns);
    make_source(e, "configmaps", "direct", ALLOWED, "\"data\":{\"k\":\"v\"}");
    make(e, p.a, "configmaps", "copy", reflects, "\"data\":{\"k\":\"old\"}");
    EXPECT_TRUE(holds(e, config(p.a, "copy"), "v"));
    change(e, config(e->ns, "direct"), "{\"data\":{\"k\":\"w\"}}");
    EXPECT_TRUE(holds(e, config(p.a, "copy"), "w"));
    change(e, config(e->ns, "direct"),
           "{\"metadata\":{\"annotations\":{\"" PREFIX "reflection-allowed\":\"false\"}},"
           "\"data\":{\"k\":\"x\"}}");
    remove_it(e, config(e->ns, "direct"));
    wait_for_the_last(e, &p, "last-direct");
    API_REPLY still = api_get(e->api, "%s", config(p.a, "copy"));
    EXPECT_STR(api_str(still.json, "/data/k"), "w");
    shipped_stop(&s);
}

static void secrets(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;
    const place_t p = start_isolated(&s, e, "process");

    make_source(e, "secrets", "tls", AUTO,
                "\"type\":\"kubernetes.io/tls\","
                "\"data\":{\"tls.crt\":\"AA==\",\"tls.key\":\"AQ==\"}");
    EXPECT_TRUE(
        e2e_wait_value(e, path_of(p.a, "secrets", "tls"), "/type", "kubernetes.io/tls", SOON));
    change(e, path_of(e->ns, "secrets", "tls"), "{\"data\":{\"tls.crt\":\"Ag==\"}}");
    EXPECT_TRUE(e2e_wait_value(e, path_of(p.a, "secrets", "tls"), "/data/tls.crt", "Ag==", SOON));
    shipped_stop(&s);
}

static void what_happened_while_nobody_led(void *arg)
{
    e2e_t *e = arg;
    shipped_t s;
    const place_t p = start(&s, e);

    make_source(e, "configmaps", "gone", AUTO, "\"data\":{\"k\":\"v\"}");
    make_source(e, "configmaps", "changed", AUTO, "\"data\":{\"k\":\"v\"}");
    EXPECT_TRUE(holds(e, config(p.a, "gone"), "v"));
    EXPECT_TRUE(holds(e, config(p.a, "changed"), "v"));
    replica_signal(s.replica, SIGTERM);
    EXPECT_INT(replica_wait(s.replica, SOON), 0);
    remove_it(e, config(e->ns, "gone"));
    change(e, config(e->ns, "changed"), "{\"data\":{\"k\":\"w\"}}");
    replica_restart(s.replica);
    EXPECT_TRUE(e2e_wait_status(e, config(p.a, "gone"), 404, SOON));
    EXPECT_TRUE(holds(e, config(p.a, "changed"), "w"));
    shipped_stop(&s);
}

static const tap_test_t tests[] = {
    {"mirror: automatic mirrors come, follow, come back and go", automatic_mirrors},
    {"mirror: lists and selectors of namespaces", lists_and_selectors},
    {"mirror: a new namespace gets its mirrors, an excluded one does not", a_new_namespace},
    {"mirror: automatic mirrors go when they are turned off", turned_off},
    {"mirror: an object that is in the way is left alone", a_conflicting_object},
    {"mirror: a mirror made by hand follows while it is allowed, and stays", direct_mirrors},
    {"mirror: in a process of its own, a Secret keeps its type", secrets},
    {"mirror: what happened while nobody led is made up for", what_happened_while_nobody_led},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "mirror", tests, sizeof(tests) / sizeof(tests[0]));
}
