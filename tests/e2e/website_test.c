/* SPDX-License-Identifier: Apache-2.0 */
/* examples/website on a real API server. No kubelet runs there: the test writes Deployment.status. */
#include "e2e/e2e.h"

#define SITES "/apis/example.leasehold.dev/v1/namespaces/%s/websites"
#define FINALIZER "example.leasehold.dev/registry"

enum { QUICK = 5000, COLLECTED = 90000 };

static const char *const plugins[] = {WEBSITE_PLUGIN, NULL};
static const char *const kinds[] = {
    "/api/v1", "configmaps", "/apis/apps/v1", "deployments", "/api/v1", "services", NULL};

/* -- Paths; borrowed until the eighth next call -- */

static const char *path_of(const e2e_t *e, const char *api, const char *resource, const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *out = paths[next++ % 8];

    snprintf(out, sizeof(paths[0]), "%s/namespaces/%s/%s/%s", api, e->ns, resource, name);
    return out;
}

static const char *site_path(const e2e_t *e, const char *name)
{
    return path_of(e, "/apis/example.leasehold.dev/v1", "websites", name);
}

static const char *deployment_path(const e2e_t *e, const char *name)
{
    return path_of(e, "/apis/apps/v1", "deployments", name);
}

static const char *configmap_path(const e2e_t *e, const char *name)
{
    return path_of(e, "/api/v1", "configmaps", name);
}

/* -- Steps -- */

static replica_t *start(e2e_t *e, const char *name, const char *lease, const char *isolation)
{
    char instances[128];

    snprintf(instances, sizeof(instances), "    website: {isolation: %s}", isolation);
    return replica_start(&(replica_options_t){
        .name = name, .lease = lease, .ns = e->ns, .plugins = plugins, .instances = instances});
}

static replica_t *start_leader(e2e_t *e, const char *lease, const char *isolation)
{
    e2e_make_lease(e, lease);
    replica_t *r = start(e, "a", lease, isolation);
    REQUIRE_TRUE(replica_logged(r, "synced: reconciles begin", 10000));
    return r;
}

static void make_site(e2e_t *e, const char *name, int replicas, char uid[64])
{
    char path[256];

    snprintf(path, sizeof(path), SITES, e->ns);
    API_REPLY r = api_post(e->api, path,
                           "{\"apiVersion\":\"example.leasehold.dev/v1\",\"kind\":\"Website\","
                           "\"metadata\":{\"name\":\"%s\"},"
                           "\"spec\":{\"replicas\":%d,\"html\":\"<p>\\\"%s\\\"</p>\\n\"}}",
                           name, replicas, name);
    REQUIRE_INT(r.status, 201);
    if (uid != NULL)
        snprintf(uid, 64, "%s", api_str(r.json, "/metadata/uid"));
}

static bool wait_children(e2e_t *e, const char *name, int status, int ms)
{
    bool all = true;

    for (const char *const *k = kinds; *k != NULL; k += 2)
        all = e2e_wait_status(e, path_of(e, k[0], k[1], name), status, ms) && all;
    return all;
}

/* What the Deployment controller would say when so many Pods are ready. */
static void play_kubelet(e2e_t *e, const char *name, int ready)
{
    char path[320];

    snprintf(path, sizeof(path), "%s/status", deployment_path(e, name));
    API_REPLY r = api_patch(e->api, path, "merge",
                            "{\"status\":{\"replicas\":%d,\"updatedReplicas\":%d,"
                            "\"readyReplicas\":%d,\"availableReplicas\":%d}}",
                            ready, ready, ready, ready);
    REQUIRE_INT(r.status, 200);
}

static bool wait_ready(e2e_t *e, const char *name, const char *status, int ms)
{
    return e2e_wait_value(e, site_path(e, name), "/status/conditions/0/status", status, ms);
}

static void delete_site(e2e_t *e, const char *name)
{
    API_REPLY r = api_delete(e->api, "%s", site_path(e, name));

    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(e2e_wait_status(e, site_path(e, name), 404, QUICK));
}

/* Leaves nothing with a finalizer behind: the namespace could not go. */
static void end(e2e_t *e, replica_t *leader, const char *name)
{
    delete_site(e, name);
    replica_free(leader);
}

/* -- Tests -- */

static void expect_owned(e2e_t *e, const char *api, const char *resource, const char *uid)
{
    API_REPLY r = api_get(e->api, "%s", path_of(e, api, resource, "owned"));

    EXPECT_STR(api_str(r.json, "/metadata/ownerReferences/0/uid"), uid);
    EXPECT_STR(api_str(r.json, "/metadata/ownerReferences/0/kind"), "Website");
    EXPECT_STR(api_str(r.json, "/metadata/ownerReferences/0/controller"), "true");
}

static void children_with_owner_references(void *arg)
{
    e2e_t *e = arg;
    char uid[64];
    replica_t *a = start_leader(e, "owned", "thread");

    make_site(e, "owned", 2, uid); /* of a fresh CRD: takes the server two seconds */
    const int64_t start_at = replica_now_ms();
    EXPECT_TRUE(wait_children(e, "owned", 200, QUICK));
    tap_note("three children seen %lld ms after the Website's creation was answered",
             (long long) (replica_now_ms() - start_at));
    for (const char *const *k = kinds; *k != NULL; k += 2)
        expect_owned(e, k[0], k[1], uid);
    API_REPLY page = api_get(e->api, "%s", configmap_path(e, "owned"));
    EXPECT_STR(api_str(page.json, "/data/index.html"), "<p>\"owned\"</p>\n");
    API_REPLY deployment = api_get(e->api, "%s", deployment_path(e, "owned"));
    EXPECT_INT(api_int(deployment.json, "/spec/replicas"), 2);
    API_REPLY site = api_get(e->api, "%s", site_path(e, "owned"));
    EXPECT_STR(api_str(site.json, "/metadata/finalizers/0"), FINALIZER);
    end(e, a, "owned");
}

static void status_follows_the_deployment(void *arg)
{
    e2e_t *e = arg;
    replica_t *a = start_leader(e, "status", "thread");

    make_site(e, "status", 2, NULL);
    EXPECT_TRUE(wait_ready(e, "status", "False", QUICK));
    API_REPLY before = api_get(e->api, "%s", site_path(e, "status"));
    EXPECT_STR(api_str(before.json, "/status/conditions/0/type"), "Ready");
    EXPECT_STR(api_str(before.json, "/status/conditions/0/reason"), "Starting");
    play_kubelet(e, "status", 1);
    EXPECT_TRUE(e2e_wait_value(e, site_path(e, "status"), "/status/readyReplicas", "1", QUICK));
    play_kubelet(e, "status", 2);
    const int64_t start_at = replica_now_ms();
    EXPECT_TRUE(wait_ready(e, "status", "True", QUICK));
    tap_note("Ready seen %lld ms after the Deployment's status",
             (long long) (replica_now_ms() - start_at));
    API_REPLY after = api_get(e->api, "%s", site_path(e, "status"));
    EXPECT_STR(api_str(after.json, "/status/conditions/0/reason"), "Serving");
    EXPECT_INT(api_int(after.json, "/status/observedGeneration"),
               api_int(after.json, "/metadata/generation"));
    end(e, a, "status");
}

static void an_update_reaches_the_children(void *arg)
{
    e2e_t *e = arg;
    static const char page[] = "/spec/template/metadata/annotations/example.leasehold.dev~1page";
    char generation[32];
    replica_t *a = start_leader(e, "update", "thread");

    make_site(e, "update", 1, NULL);
    EXPECT_TRUE(wait_children(e, "update", 200, QUICK));
    API_REPLY old = api_get(e->api, "%s", deployment_path(e, "update"));
    API_REPLY r = api_patch(e->api, site_path(e, "update"), "merge",
                            "{\"spec\":{\"replicas\":3,\"html\":\"new\"}}");
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(e2e_wait_value(e, configmap_path(e, "update"), "/data/index.html", "new", QUICK));
    EXPECT_TRUE(e2e_wait_value(e, deployment_path(e, "update"), "/spec/replicas", "3", QUICK));
    snprintf(generation, sizeof(generation), "%ld", api_int(r.json, "/metadata/generation"));
    EXPECT_TRUE(
        e2e_wait_value(e, site_path(e, "update"), "/status/observedGeneration", generation, QUICK));
    API_REPLY now = api_get(e->api, "%s", deployment_path(e, "update"));
    EXPECT_TRUE(strcmp(api_str(old.json, page), api_str(now.json, page)) != 0);
    end(e, a, "update");
}

typedef struct successor {
    char uid[64];
} successor_t;

static bool is_another(const api_reply_t *r, void *arg)
{
    return r->status == 200 &&
           strcmp(api_str(r->json, "/metadata/uid"), ((successor_t *) arg)->uid) != 0;
}

static void a_deleted_child_comes_back(void *arg)
{
    e2e_t *e = arg;
    replica_t *a = start_leader(e, "back", "thread");

    make_site(e, "back", 1, NULL);
    EXPECT_TRUE(wait_children(e, "back", 200, QUICK));
    for (const char *const *k = kinds; *k != NULL; k += 2) {
        const char *path = path_of(e, k[0], k[1], "back");
        successor_t before;
        API_REPLY r = api_get(e->api, "%s", path);
        snprintf(before.uid, sizeof(before.uid), "%s", api_str(r.json, "/metadata/uid"));
        API_REPLY gone = api_delete(e->api, "%s", path);
        const int64_t start_at = replica_now_ms();
        EXPECT_INT(gone.status, 200);
        EXPECT_TRUE(api_until(e->api, path, QUICK, is_another, &before));
        tap_note("%s came back after %lld ms", k[1], (long long) (replica_now_ms() - start_at));
    }
    end(e, a, "back");
}

static void deletion_runs_the_finalizer(void *arg)
{
    e2e_t *e = arg;
    replica_t *a = start_leader(e, "end", "thread");
    const char *registry = configmap_path(e, "website-registry");

    make_site(e, "end", 1, NULL);
    EXPECT_TRUE(wait_children(e, "end", 200, QUICK));
    API_REPLY entered = api_get(e->api, "%s", registry);
    EXPECT_HAS(api_str(entered.json, "/data/end"), "http://end.");
    delete_site(e, "end");
    API_REPLY left = api_get(e->api, "%s", registry);
    EXPECT_STR(api_str(left.json, "/data/end"), "");
    const int64_t start_at = replica_now_ms();
    EXPECT_TRUE(wait_children(e, "end", 404, COLLECTED));
    tap_note("children collected %lld ms after the Website had gone",
             (long long) (replica_now_ms() - start_at));
    EXPECT_INT(replica_log_count(a, "reconcile failed for good"), 0);
    replica_free(a);
}

static void make_foreign_service(e2e_t *e, const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/services", e->ns);
    API_REPLY r =
        api_post(e->api, path,
                 "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"ports\":[{\"port\":80}]}}", name);
    REQUIRE_INT(r.status, 201);
}

/* The leader gets stuck half-way, because the Service's name is taken, and dies there. */
static void a_follower_finishes_a_half_done_site(void *arg)
{
    e2e_t *e = arg;
    const char *service = path_of(e, "/api/v1", "services", "half");

    make_foreign_service(e, "half");
    replica_t *a = start_leader(e, "half", "thread");
    replica_t *b = start(e, "b", "half", "thread");
    EXPECT_TRUE(replica_answers(b, "/readyz", 200, 10000));
    make_site(e, "half", 1, NULL);
    EXPECT_TRUE(
        e2e_wait_value(e, site_path(e, "half"), "/status/conditions/0/reason", "Failed", QUICK));
    API_REPLY site = api_get(e->api, "%s", site_path(e, "half"));
    EXPECT_HAS(api_str(site.json, "/status/conditions/0/message"), "belongs to somebody else");
    EXPECT_TRUE(e2e_wait_status(e, deployment_path(e, "half"), 200, QUICK));
    replica_signal(a, SIGKILL);
    API_REPLY freed = api_delete(e->api, "%s", service);
    EXPECT_INT(freed.status, 200);
    EXPECT_TRUE(e2e_wait_holder(e, "half", "b", 10000));
    const int64_t start_at = replica_now_ms();
    EXPECT_TRUE(e2e_wait_value(e, service, "/metadata/ownerReferences/0/name", "half", QUICK));
    EXPECT_TRUE(
        e2e_wait_value(e, site_path(e, "half"), "/status/conditions/0/reason", "Starting", QUICK));
    tap_note("finished %lld ms after the new holder was seen",
             (long long) (replica_now_ms() - start_at));
    replica_free(a);
    end(e, b, "half");
}

static void the_same_in_a_process_of_its_own(void *arg)
{
    e2e_t *e = arg;
    replica_t *a = start_leader(e, "process", "process");
    char uid[64];

    EXPECT_TRUE(replica_logged(a, "created: plugin website 1.0.0, process", QUICK) ||
                replica_log_count(a, "created: plugin website 1.0.0, process") > 0);
    make_site(e, "process", 1, uid);
    EXPECT_TRUE(wait_children(e, "process", 200, QUICK));
    play_kubelet(e, "process", 1);
    EXPECT_TRUE(wait_ready(e, "process", "True", QUICK));
    delete_site(e, "process");
    replica_signal(a, SIGTERM);
    EXPECT_INT(replica_wait(a, QUICK), 0);
    replica_free(a);
}

static void the_crd(void *arg)
{
    e2e_t *e = arg;

    e2e_make_crd(e, "examples/website/crd.yaml", "/apis/example.leasehold.dev/v1/websites");
}

/* -- examples/memcached -- */

static void expect_available(e2e_t *e, const char *memcached, const char *replicas)
{
    char message[64];

    snprintf(message, sizeof(message), "the Deployment has %s replicas", replicas);
    EXPECT_TRUE(e2e_wait_value(e, deployment_path(e, "cache"), "/spec/replicas", replicas, QUICK));
    EXPECT_TRUE(e2e_wait_value(e, memcached, "/status/conditions/0/message", message, QUICK));
}

static void a_memcached_has_its_deployment(void *arg)
{
    e2e_t *e = arg;
    char path[256], memcached[300], crd[64];

    snprintf(crd, sizeof(crd), "%s", e->crd); /* of the Websites, deleted at the end of all */
    e2e_make_crd(e, "examples/memcached/crd.yaml", "/apis/cache.example.com/v1alpha1/memcacheds");
    e2e_make_lease(e, "memcached");
    replica_t *a =
        replica_start(&(replica_options_t){.name = "a",
                                           .lease = "memcached",
                                           .ns = e->ns,
                                           .plugins = (const char *[]){MEMCACHED_PLUGIN, NULL}});
    snprintf(path, sizeof(path), "/apis/cache.example.com/v1alpha1/namespaces/%s/memcacheds",
             e->ns);
    snprintf(memcached, sizeof(memcached), "%s/cache", path);
    API_REPLY made =
        api_post(e->api, path,
                 "{\"apiVersion\":\"cache.example.com/v1alpha1\",\"kind\":"
                 "\"Memcached\",\"metadata\":{\"name\":\"cache\"},\"spec\":{\"size\":2}}");
    EXPECT_INT(made.status, 201);
    expect_available(e, memcached, "2");
    API_REPLY status = api_get(e->api, "%s", memcached);
    EXPECT_STR(api_str(status.json, "/status/conditions/0/status"), "True");
    EXPECT_STR(api_str(status.json, "/status/conditions/0/observedGeneration"), "1");
    API_REPLY patched = api_patch(e->api, memcached, "merge", "{\"spec\":{\"size\":3}}");
    EXPECT_INT(patched.status, 200);
    expect_available(e, memcached, "3");
    API_REPLY deleted = api_delete(e->api, "%s", memcached);
    EXPECT_INT(deleted.status, 200);
    EXPECT_TRUE(e2e_wait_status(e, deployment_path(e, "cache"), 404, COLLECTED));
    replica_free(a);
    API_REPLY gone =
        api_delete(e->api, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/%s", e->crd);
    EXPECT_INT(gone.status, 200);
    snprintf(e->crd, sizeof(e->crd), "%s", crd);
}

static const tap_test_t tests[] = {
    {"the CRD of examples/website is accepted and served", the_crd},
    {"a Website gets children that it owns", children_with_owner_references},
    {"a Website's status follows its Deployment", status_follows_the_deployment},
    {"an update of a Website reaches its children", an_update_reaches_the_children},
    {"a child deleted by hand comes back", a_deleted_child_comes_back},
    {"deletion runs the finalizer, and the children are collected", deletion_runs_the_finalizer},
    {"a follower finishes a site that a killed leader left half done",
     a_follower_finishes_a_half_done_site},
    {"a Website in process mode comes and goes as in thread mode",
     the_same_in_a_process_of_its_own},
    {"a Memcached of examples/memcached has its Deployment", a_memcached_has_its_deployment},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "website", tests, sizeof(tests) / sizeof(tests[0]));
}
