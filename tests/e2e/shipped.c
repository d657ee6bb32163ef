/* SPDX-License-Identifier: Apache-2.0 */
#include "e2e/shipped.h"

#include <unistd.h>

enum { LIMIT = 20000 };

#define RBAC "/apis/rbac.authorization.k8s.io/v1"

/* "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles" */
static void path_of(const cJSON *object, char *out, size_t size)
{
    const char *ns = api_str(object, "/metadata/namespace"), *kind = api_str(object, "/kind");
    char plural[64];
    size_t len = 0;

    for (; kind[len] != '\0'; len++)
        plural[len] = (char) (kind[len] | 0x20);
    snprintf(plural + len, sizeof(plural) - len, "s");
    snprintf(out, size, RBAC "%s%s/%s", *ns != '\0' ? "/namespaces/" : "", ns, plural);
}

/* What the verb prints is bound to the account in e->ns, but the host's Lease is in "default". */
static void grant_one(shipped_t *s, cJSON *object)
{
    char path[256], label[64];
    cJSON *subject = api_at(object, "/subjects/0");
    cJSON *labels = cJSON_AddObjectToObject(api_at(object, "/metadata"), "labels");

    snprintf(label, sizeof(label), "%s", s->e->ns);
    cJSON_AddStringToObject(labels, "e2e", label);
    if (subject != NULL)
        cJSON_ReplaceItemInObject(subject, "namespace", cJSON_CreateString(s->e->ns));
    path_of(object, path, sizeof(path));
    char *body = cJSON_PrintUnformatted(object);
    API_REPLY r = api_do(s->e->api, "POST", path, NULL, body);
    EXPECT_INT(r.status, 201);
    cJSON_free(body);
}

static void grant(shipped_t *s)
{
    char *text = NULL;
    cJSON *object;

    REQUIRE_INT(replica_ask(s->replica,
                            (const char *const[]){"rbac", "-o", "json", "--service-account",
                                                  s->lease, NULL},
                            &text),
                0);
    cJSON *list = cJSON_Parse(text);
    REQUIRE_TRUE(list != NULL);
    cJSON_ArrayForEach (object, api_at(list, "/items")) {
        grant_one(s, object);
    }
    cJSON_Delete(list);
    free(text);
}

void shipped_start(shipped_t *s, e2e_t *e, const char *plugin, const char *instances)
{
    *s = (shipped_t){.e = e};
    snprintf(s->lease, sizeof(s->lease), "%s-%d", e->ns, ++e->users);
    API_REPLY lease = api_post(e->api, "/apis/coordination.k8s.io/v1/namespaces/default/leases",
                               "{\"metadata\":{\"name\":\"%s\"}}", s->lease);
    REQUIRE_INT(lease.status, 201);
    const char *kubeconfig = e2e_make_account(e, s->lease);
    s->replica = replica_start(&(replica_options_t){.name = "a",
                                                    .lease = s->lease,
                                                    .ns = "*",
                                                    .kubeconfig = kubeconfig,
                                                    .plugins = (const char *const[]){plugin, NULL},
                                                    .instances = instances});
    if (kubeconfig != NULL)
        grant(s);
    REQUIRE_TRUE(replica_logged(s->replica, "synced: reconciles begin", LIMIT));
    s->refused = replica_log_count(s->replica, "forbidden");
}

void shipped_stop(shipped_t *s)
{
    static const char *const all[] = {"clusterroles", "clusterrolebindings",
                                      "namespaces/default/roles",
                                      "namespaces/default/rolebindings"};

    EXPECT_INT(replica_log_count(s->replica, "forbidden"), s->refused);
    replica_free(s->replica);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        API_REPLY r = api_delete(s->e->api, RBAC "/%s?labelSelector=e2e=%s", all[i], s->e->ns);
    }
    API_REPLY lease = api_delete(
        s->e->api, "/apis/coordination.k8s.io/v1/namespaces/default/leases/%s", s->lease);
}

/* The sum of a metric's series; -1 without an answer. */
static double sum(const char *metrics, const char *name)
{
    double total = metrics != NULL ? 0 : -1;

    for (const char *at = metrics; at != NULL && (at = strstr(at, name)) != NULL; at++) {
        const char *value = strstr(at, "} ");
        if ((at == metrics || at[-1] == '\n') && at[strlen(name)] == '{' && value != NULL)
            total += strtod(value + 2, NULL);
    }
    return total;
}

/* A job on its way to a worker is in neither gauge: what counts is that nothing moves for a while. */
bool shipped_rests(shipped_t *s, int ms)
{
    const int64_t until = replica_now_ms() + ms;
    double done = -1;
    int still = 0;

    while (still < 5 && replica_now_ms() < until) {
        char *metrics = NULL;
        (void) replica_get(s->replica, "/metrics", &metrics);
        const double now = sum(metrics, "controller_runtime_reconcile_total");
        const bool rests = sum(metrics, "workqueue_depth") == 0 &&
                           sum(metrics, "controller_runtime_active_workers") == 0;
        still = rests && now == done ? still + 1 : 0;
        done = now;
        free(metrics);
        usleep(20000);
    }
    return still == 5;
}

void shipped_make_kind(e2e_t *e, const char *group, const char *plural, const char *kind)
{
    char path[256];

    API_REPLY r = api_post(
        e->api, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "{\"metadata\":{\"name\":\"%s.%s\"},\"spec\":{\"group\":\"%s\",\"scope\":\"Namespaced\","
        "\"names\":{\"plural\":\"%s\",\"kind\":\"%s\"},\"versions\":[{\"name\":\"v1\","
        "\"served\":true,\"storage\":true,\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\","
        "\"x-kubernetes-preserve-unknown-fields\":true}}}]}}",
        plural, group, group, plural, kind);
    REQUIRE_INT(r.status, 201);
    snprintf(e->crd, sizeof(e->crd), "%s.%s", plural, group);
    snprintf(path, sizeof(path), "/apis/%s/v1/%s", group, plural);
    REQUIRE_TRUE(e2e_wait_status(e, path, 200, 30000));
}

typedef struct wanted {
    const char *reason, *name;
} wanted_t;

static bool has_event(const api_reply_t *r, void *arg)
{
    const wanted_t *w = arg;
    const cJSON *event;

    cJSON_ArrayForEach (event, api_at(r->json, "/items")) {
        if (strcmp(api_str(event, "/reason"), w->reason) == 0 &&
            strcmp(api_str(event, "/regarding/name"), w->name) == 0)
            return true;
    }
    return false;
}

bool shipped_event(e2e_t *e, const char *ns, const char *reason, const char *name, int ms)
{
    char path[256];

    snprintf(path, sizeof(path), "/apis/events.k8s.io/v1/namespaces/%s/events", ns);
    return api_until(e->api, path, ms, has_event, &(wanted_t){reason, name});
}
