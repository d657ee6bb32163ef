/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/discovery.h"

#include "rig.h"

#include <stdatomic.h>
#include <stdio.h>

static rig_t rig;
static kube_discovery_t *discovery;
static atomic_bool aggregated, crd_exists, broken, busy;
static const char *_Atomic version; /* NULL: 404 */
static const char *_Atomic rubbish; /* answered to everything unless NULL */

static const kube_gvr_t pods = {"", "v1", "pods"};
static const kube_gvr_t nodes = {"", "v1", "nodes"};
static const kube_gvr_t deployments = {"apps", "v1", "deployments"};
static const kube_gvr_t reviews = {"authorization.k8s.io", "v1", "subjectaccessreviews"};
static const kube_gvr_t websites = {"example.com", "v1", "websites"};

#define VERBS "\"verbs\":[\"create\",\"delete\",\"get\",\"list\",\"watch\"]"

static const char core_aggregated[] =
    "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"items\":["
    "{\"metadata\":{\"creationTimestamp\":null},\"versions\":[{\"version\":\"v1\",\"resources\":["
    "{\"resource\":\"pods\",\"responseKind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"},"
    "\"scope\":\"Namespaced\"," VERBS ",\"subresources\":[{\"subresource\":\"status\"}]},"
    "{\"resource\":\"nodes\",\"responseKind\":{\"kind\":\"Node\"},\"scope\":\"Cluster\"," VERBS
    "}]}]}]}";
static const char groups_aggregated[] =
    "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"items\":["
    "{\"metadata\":{\"name\":\"apps\"},\"versions\":[{\"version\":\"v1\",\"resources\":["
    "{\"resource\":\"deployments\",\"responseKind\":{\"kind\":\"Deployment\"},"
    "\"scope\":\"Namespaced\"," VERBS "}]}]},"
    "{\"metadata\":{\"name\":\"authorization.k8s.io\"},\"versions\":[{\"version\":\"v1\","
    "\"resources\":[{\"resource\":\"subjectaccessreviews\",\"responseKind\":{\"kind\":"
    "\"SubjectAccessReview\"},\"scope\":\"Cluster\",\"verbs\":[\"create\"]}]}]}]}";
static const char pods_legacy[] =
    "{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":["
    "{\"name\":\"pods\",\"namespaced\":true,\"kind\":\"Pod\"," VERBS "},"
    "{\"name\":\"pods/status\",\"namespaced\":true,\"kind\":\"Pod\"," VERBS "}]}";
static const char websites_legacy[] =
    "{\"kind\":\"APIResourceList\",\"groupVersion\":\"example.com/v1\",\"resources\":["
    "{\"name\":\"websites\",\"namespaced\":true,\"kind\":\"Website\"," VERBS "}]}";

static void handle(void *arg, http_exchange_t *x)
{
    const char *path = http_path(x), *type = "application/json";
    bool all = atomic_load(&aggregated);

    (void) arg;
    if (atomic_load(&busy))
        http_reply_with(x, 429, type, "Retry-After: 7", "{}");
    else if (atomic_load(&broken))
        http_reply_status(x, 503, "ServiceUnavailable", "not now");
    else if (atomic_load(&rubbish) != NULL)
        http_reply(x, 200, type, atomic_load(&rubbish));
    else if (strcmp(path, "/version") == 0 && atomic_load(&version) != NULL)
        http_reply(x, 200, type, atomic_load(&version));
    else if (strcmp(path, "/api") == 0)
        http_reply(x, 200, type, all ? core_aggregated : "{\"kind\":\"APIVersions\"}");
    else if (strcmp(path, "/apis") == 0)
        http_reply(x, 200, type, all ? groups_aggregated : "{\"kind\":\"APIGroupList\"}");
    else if (strcmp(path, "/api/v1") == 0)
        http_reply(x, 200, type, pods_legacy);
    else if (strcmp(path, "/apis/example.com/v1") == 0 && atomic_load(&crd_exists))
        http_reply(x, 200, type, websites_legacy);
    else
        http_reply(x, 404, "text/plain", "404 page not found");
}

static void start(void)
{
    atomic_store(&aggregated, true);
    atomic_store(&crd_exists, false);
    atomic_store(&broken, false);
    atomic_store(&busy, false);
    atomic_store(&rubbish, NULL);
    atomic_store(&version, NULL);
    rig_start(&rig, &(http_server_options_t){.handler = handle}, KUBE_CLIENT_READS);
    discovery = kube_discovery_create(rig.client, NULL);
}

static void finish(void)
{
    kube_discovery_destroy(discovery);
    rig_stop(&rig);
}

TestSuite(discovery, .init = start, .fini = finish, .timeout = 30);

typedef struct found {
    bool done;
    int count, code;
    char kind[64];
    bool namespaced, watchable;
    int64_t retry_after;
    lh_error_t err;
} found_t;

static void keep(void *arg, int code, const kube_kind_t *kind, const lh_error_t *err,
                 int64_t retry_after)
{
    found_t *f = arg;

    f->done = true;
    f->count++;
    f->code = code;
    f->retry_after = retry_after;
    if (kind != NULL) {
        snprintf(f->kind, sizeof(f->kind), "%s", kind->kind);
        f->namespaced = kind->namespaced;
        f->watchable = kind->watchable;
    }
    if (err != NULL)
        f->err = *err;
    loop_stop(rig.loop);
}

static kube_lookup_t *ask(found_t *f, const kube_gvr_t *gvr, bool fresh)
{
    kube_lookup_t *l = NULL;
    lh_error_t err = {0};

    *f = (found_t){0};
    ASSERT_OK(kube_discovery_lookup(discovery, gvr, fresh, keep, f, &l, &err), err);
    EXPECT_INT(f->count, 0); /* never from within */
    return l;
}

static void look_up(found_t *f, const kube_gvr_t *gvr, bool fresh)
{
    ask(f, gvr, fresh);
    cr_assert(rig_run_until(&rig, &f->done, 5000), "no answer");
    EXPECT_INT(f->count, 1);
}

Test(discovery, finds_a_kind_of_the_core_group)
{
    found_t f;

    look_up(&f, &pods, false);
    EXPECT_INT(f.code, 0);
    EXPECT_STR(f.kind, "Pod");
    EXPECT_INT(f.namespaced, true);
    EXPECT_INT(f.watchable, true);
    EXPECT_STR(http_server_line(rig.server, 0), "GET /version");
    EXPECT_STR(http_server_line(rig.server, 1), "GET /api");
    EXPECT_HAS(http_server_header(rig.server, 1, "Accept"),
               "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,");
}

Test(discovery, tells_scope_and_verbs)
{
    found_t f;

    look_up(&f, &nodes, false);
    EXPECT_STR(f.kind, "Node");
    EXPECT_INT(f.namespaced, false);
    look_up(&f, &reviews, false);
    EXPECT_STR(f.kind, "SubjectAccessReview");
    EXPECT_INT(f.watchable, false);
}

Test(discovery, asks_once_for_all_kinds_and_answers_from_the_cache)
{
    found_t a, b, c;

    ask(&a, &deployments, false);
    ask(&b, &deployments, false);
    ask(&c, &reviews, false);
    cr_assert(rig_run_until(&rig, &a.done, 5000) && rig_run_until(&rig, &b.done, 5000) &&
              rig_run_until(&rig, &c.done, 5000));
    look_up(&a, &deployments, false);
    EXPECT_STR(a.kind, "Deployment");
    EXPECT_INT(http_server_requests(rig.server), 2);
}

Test(discovery, a_fresh_lookup_asks_for_the_group_version_alone)
{
    found_t f;

    look_up(&f, &pods, false);
    look_up(&f, &pods, true);
    EXPECT_STR(f.kind, "Pod");
    EXPECT_INT(http_server_requests(rig.server), 3);
    EXPECT_STR(http_server_line(rig.server, 2), "GET /api/v1");
}

Test(discovery, lookups_of_one_group_version_at_a_time_share_a_request)
{
    found_t a, b, c, d;

    atomic_store(&crd_exists, true);
    look_up(&a, &pods, false);
    look_up(&a, &websites, false);
    size_t asked = http_server_requests(rig.server);
    kube_lookup_t *first = ask(&a, &websites, true);
    ask(&b, &websites, true);
    ask(&c, &(const kube_gvr_t){"example.com", "v1", "others"}, true);
    ask(&d, &pods, true);
    kube_lookup_cancel(first);
    cr_assert(rig_run_until(&rig, &b.done, 5000) && rig_run_until(&rig, &c.done, 5000) &&
              rig_run_until(&rig, &d.done, 5000));
    EXPECT_INT(a.count, 0);
    EXPECT_STR(b.kind, "Website");
    EXPECT_INT(c.code, LH_ENOTFOUND);
    EXPECT_STR(d.kind, "Pod");
    EXPECT_INT(http_server_requests(rig.server) - asked, 2);
}

Test(discovery, the_nearest_resource_of_the_group_version_is_named)
{
    const kube_gvr_t slip = {"", "v1", "pod"}, far = {"", "v1", "xyzzy"};
    found_t f;

    look_up(&f, &slip, false);
    EXPECT_INT(f.code, LH_ENOTFOUND);
    EXPECT_STR(f.err.text, "resource 'pod' (v1) is not installed; did you mean 'pods'?");
    look_up(&f, &far, false);
    EXPECT_STR(f.err.text, "resource 'xyzzy' (v1) is not installed");
}

Test(discovery, a_kind_that_appears_is_found_when_asked_again)
{
    found_t f;

    look_up(&f, &websites, false);
    EXPECT_INT(f.code, LH_ENOTFOUND);
    EXPECT_STR(f.err.text, "resource 'websites' (example.com/v1) is not installed");
    look_up(&f, &websites, false);
    EXPECT_INT(f.code, LH_ENOTFOUND);
    atomic_store(&crd_exists, true);
    look_up(&f, &websites, false);
    EXPECT_INT(f.code, 0);
    EXPECT_STR(f.kind, "Website");
    size_t asked = http_server_requests(rig.server);
    look_up(&f, &websites, false);
    EXPECT_INT(f.code, 0);
    EXPECT_INT(http_server_requests(rig.server), asked);
}

Test(discovery, a_kind_that_vanishes_is_not_found_when_asked_afresh)
{
    found_t f;

    atomic_store(&crd_exists, true);
    look_up(&f, &pods, false);
    look_up(&f, &websites, false);
    look_up(&f, &websites, false);
    EXPECT_INT(f.code, 0);
    atomic_store(&crd_exists, false);
    look_up(&f, &websites, false);
    EXPECT_INT(f.code, 0); /* cached */
    look_up(&f, &websites, true);
    EXPECT_INT(f.code, LH_ENOTFOUND);
    look_up(&f, &websites, false);
    EXPECT_INT(f.code, LH_ENOTFOUND);
}

Test(discovery, works_with_a_server_that_does_not_aggregate)
{
    found_t f;

    atomic_store(&aggregated, false);
    look_up(&f, &pods, false);
    EXPECT_INT(f.code, 0);
    EXPECT_STR(f.kind, "Pod");
    EXPECT_STR(http_server_line(rig.server, 2), "GET /api/v1");
    look_up(&f, &nodes, false);
    EXPECT_INT(f.code, LH_ENOTFOUND);
}

Test(discovery, knows_the_servers_version_where_it_says_it)
{
    static const struct {
        const char *answer;
        unsigned minor;
    } table[] = {{"{\"major\":\"1\",\"minor\":\"34\"}", 34},
                 {"{\"major\":\"1\",\"minor\":\"9+\"}", 9},
                 {"{\"major\":\"2\",\"minor\":\"34\"}", 0},
                 {"{\"major\":\"1\",\"minor\":\"-1\"}", 0},
                 {"{\"major\":\"1\"}", 0},
                 {"<html>", 0},
                 {NULL, 0}};

    EXPECT_INT(kube_discovery_minor(discovery), 0);
    for (size_t i = 0; i < HOST_LEN(table); i++) {
        found_t f;

        kube_discovery_destroy(discovery);
        discovery = kube_discovery_create(rig.client, NULL);
        atomic_store(&version, table[i].answer);
        look_up(&f, &pods, false);
        EXPECT_INT(f.code, 0);
        cr_expect(kube_discovery_minor(discovery) == table[i].minor, "%s: %u, expected %u",
                  table[i].answer != NULL ? table[i].answer : "404",
                  kube_discovery_minor(discovery), table[i].minor);
    }
}

Test(discovery, a_server_in_trouble_is_no_missing_kind)
{
    found_t f;

    atomic_store(&broken, true);
    look_up(&f, &pods, false);
    EXPECT_INT(f.code, LH_EUNAVAILABLE);
    EXPECT_STR(f.err.text, "GET /api: 503 ServiceUnavailable: not now");
    atomic_store(&broken, false);
    look_up(&f, &pods, false);
    EXPECT_INT(f.code, 0);
}

Test(discovery, the_retry_after_of_a_busy_server_was_not_told)
{
    found_t f;

    atomic_store(&busy, true);
    look_up(&f, &pods, false);
    EXPECT_STR(f.err.text, "GET /api: 429 Too Many Requests");
    EXPECT_INT(f.retry_after, 7 * CLOCK_S);
    atomic_store(&busy, false);
    look_up(&f, &pods, false);
    EXPECT_INT(f.code, 0);
    EXPECT_INT(f.retry_after, 0);
    atomic_store(&busy, true);
    look_up(&f, &pods, true); /* by a request for the one group version */
    EXPECT_STR(f.err.text, "GET /api/v1: 429 Too Many Requests");
    EXPECT_INT(f.retry_after, 7 * CLOCK_S);
}

Test(discovery, cancelled_lookups_are_never_answered)
{
    found_t a, b, c;

    kube_lookup_t *first = ask(&a, &pods, false);
    ask(&b, &pods, false);
    kube_lookup_cancel(first);
    cr_assert(rig_run_until(&rig, &b.done, 5000));
    kube_lookup_cancel(ask(&c, &pods, false)); /* from the cache */
    kube_lookup_cancel(ask(&c, &pods, true));  /* on its way */
    rig_run(&rig, 50);
    EXPECT_INT(a.count, 0);
    EXPECT_INT(b.count, 1);
    EXPECT_INT(c.count, 0);
}

Test(discovery, destroying_it_drops_pending_lookups)
{
    found_t a, b, c;

    look_up(&a, &pods, false);
    ask(&a, &pods, false);
    ask(&b, &pods, true);
    ask(&c, &deployments, false);
    kube_discovery_destroy(discovery);
    discovery = NULL;
    rig_run(&rig, 50);
    EXPECT_INT(a.count + b.count + c.count, 0);
}

Test(discovery, a_group_version_without_the_kind_does_not_offer_it)
{
    found_t f;
    static const kube_gvr_t odd = {"example.com", "v1", "pods"};

    atomic_store(&aggregated, false);
    atomic_store(&crd_exists, true);
    look_up(&f, &odd, false);
    EXPECT_INT(f.code, LH_ENOTFOUND);
}

Test(discovery, rubbish_instead_of_a_list_is_no_missing_kind)
{
    static const char *const answers[] = {"",
                                          "<html>",
                                          "{}",
                                          "[]",
                                          "{\"kind\":\"Status\"}",
                                          "{\"kind\":\"APIResourceList\",\"resources\":[{"};
    found_t f;

    for (size_t i = 0; i < HOST_LEN(answers); i++) { /* of the root */
        atomic_store(&rubbish, answers[i]);
        look_up(&f, &pods, false);
        cr_expect(f.code == LH_EPARSE, "%s: %d", answers[i], f.code);
    }
    atomic_store(&rubbish, NULL);
    look_up(&f, &pods, false);
    EXPECT_INT(f.code, 0);
    for (size_t i = 0; i < HOST_LEN(answers); i++) { /* of a group version */
        atomic_store(&rubbish, answers[i]);
        look_up(&f, &pods, true);
        cr_expect(f.code == LH_EPARSE, "%s: %d", answers[i], f.code);
    }
    look_up(&f, &pods, false);
    EXPECT_INT(f.code, 0); /* still cached */
}
