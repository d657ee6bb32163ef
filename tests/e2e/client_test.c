/* SPDX-License-Identifier: Apache-2.0 */
/* The client of the SDK inside of a host, against the API server: each case of tests/sdk/client_probe.h in
 * thread and in process mode. One replica has an instance of the plugin in each. */
#include "e2e/e2e.h"

enum { LIMIT = 90000, QUICK = 15000 }; /* the collector of a real server takes its time */

static const char *const modes[] = {"thread", "process"};

typedef struct suite {
    e2e_t e;
    const char *ns[2]; /* by mode */
    replica_t *replica;
} suite_t;

/* As JSON, which both servers take. */
static const char crd[] =
    "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","
    "\"metadata\":{\"name\":\"probes.client.leasehold.dev\"},\"spec\":{\"group\":"
    "\"client.leasehold.dev\",\"scope\":\"Namespaced\",\"names\":{\"kind\":\"Probe\",\"plural\":"
    "\"probes\"},\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true,\"subresources\":"
    "{\"status\":{}},\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\",\"properties\":{\"spec\":"
    "{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true},\"status\":{\"type\":"
    "\"object\",\"x-kubernetes-preserve-unknown-fields\":true}}}}}]}}";

static void make_crd(e2e_t *e)
{
    API_REPLY r =
        api_post(e->api, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "%s", crd);

    if (r.status != 409) {
        REQUIRE_INT(r.status, 201);
        snprintf(e->crd, sizeof(e->crd), "probes.client.leasehold.dev");
    }
    REQUIRE_TRUE(e2e_wait_status(e, "/apis/client.leasehold.dev/v1/probes", 200, QUICK));
}

/* Once, inside of the first test that needs it. */
static void start(suite_t *s)
{
    char instances[512];

    if (s->replica != NULL)
        return;
    make_crd(&s->e);
    e2e_make_lease(&s->e, "client");
    for (int i = 0; i < 2; i++)
        s->ns[i] = e2e_make_namespace(&s->e, modes[i]);
    snprintf(instances, sizeof(instances),
             "    in-thread: {plugin: client-probe, workers: 2, namespaces: [%s]}\n"
             "    in-process: {plugin: client-probe, workers: 2, isolation: process,"
             " namespaces: [%s]}",
             s->ns[0], s->ns[1]);
    s->replica = replica_start(
        &(replica_options_t){.name = "a",
                             .lease = "client",
                             .ns = s->e.ns,
                             .instances = instances,
                             .plugins = (const char *const[]){CLIENT_PROBE_PLUGIN, NULL}});
}

static void ask(suite_t *s, const char *name, int mode)
{
    char path[256];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps", s->ns[mode]);
    API_REPLY r = api_post(s->e.api, path,
                           "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"client-probe\":\"%s\"}}}",
                           name, name);
    REQUIRE_INT(r.status, 201);
}

static void expect_answer(suite_t *s, const char *name, int mode)
{
    char path[256];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps/%s-result", s->ns[mode], name);
    REQUIRE_TRUE(e2e_wait_status(&s->e, path, 200, LIMIT));
    API_REPLY r = api_get(s->e.api, "%s", path);
    EXPECT_STR(api_str(r.json, "/data/failed"), "");
    EXPECT_TRUE(strtol(api_str(r.json, "/data/checks"), NULL, 10) >= 3);
    tap_note("%s, %s: %s checks", name, modes[mode], api_str(r.json, "/data/checks"));
}

/* A test of its own for each case of the plugin. */
#define CASE(function, name)                                                                       \
    static void function(void *arg)                                                                \
    {                                                                                              \
        suite_t *s = arg;                                                                          \
        start(s);                                                                                  \
        for (int mode = 0; mode < 2; mode++)                                                       \
            ask(s, name, mode);                                                                    \
        for (int mode = 0; mode < 2; mode++)                                                       \
            expect_answer(s, name, mode);                                                          \
    }

CASE(verbs, "verbs")
CASE(patches, "patches")
CASE(strategic, "strategic")
CASE(scale, "scale")
CASE(preconditions, "preconditions")
CASE(orphans, "orphans")
CASE(lists, "lists")
CASE(creates_or_patches, "creates-or-patches")
CASE(async, "async")
CASE(owns, "owns")
CASE(references, "references")
CASE(retries, "retries")
CASE(finalizers, "finalizers")
CASE(statuses, "statuses")
CASE(applies, "applies")
CASE(conflicts, "conflicts")
CASE(applies_lists, "applies-lists")
CASE(labels, "labels")
CASE(selectors, "selectors")
CASE(label_selectors, "label-selectors")
CASE(times, "times")
CASE(quantities, "quantities")

/* The only Event about a ConfigMap, once its series has begun. */
static bool is_series(const api_reply_t *r, void *arg)
{
    (void) arg;
    return r->status == 200 && api_int(r->json, "/items/0/series/count") >= 2;
}

static void events_become_a_series(void *arg)
{
    suite_t *s = arg;
    char path[256];

    start(s);
    for (int mode = 0; mode < 2; mode++) {
        ask(s, "events", mode);
        expect_answer(s, "events", mode);
        snprintf(path, sizeof(path), "/apis/events.k8s.io/v1/namespaces/%s/events", s->ns[mode]);
        EXPECT_TRUE(api_until(s->e.api, path, QUICK, is_series, NULL));
        API_REPLY r = api_get(s->e.api, "%s", path);
        EXPECT_STR(api_str(r.json, "/items/0/note"), "the client's suite was here");
        EXPECT_STR(api_str(r.json, "/items/0/regarding/name"), "events");
        EXPECT_TRUE(api_at(r.json, "/items/1") == NULL);
    }
}

static void ends(void *arg)
{
    suite_t *s = arg;

    start(s);
    replica_signal(s->replica, SIGTERM);
    EXPECT_INT(replica_wait(s->replica, QUICK), 0);
}

static const tap_test_t tests[] = {
    {"the verbs answer with their codes", verbs},
    {"patches of three kinds are sent", patches},
    {"a strategic patch merges lists by their keys", strategic},
    {"a scale is read and patched", scale},
    {"a deletion has preconditions", preconditions},
    {"a deletion leaves orphans", orphans},
    {"a list is walked page by page", lists},
    {"what differs is created or patched", creates_or_patches},
    {"and without waiting for the answer", async},
    {"a controller leaves others' objects alone", owns},
    {"a snapshot knows its kind", references},
    {"a conflict is retried with the fresh object", retries},
    {"finalizers come and go", finalizers},
    {"a status is written once and its times are kept", statuses},
    {"an apply changes what differs and takes back what is dropped", applies},
    {"an apply names the managers it conflicts with", conflicts},
    {"an apply merges lists by their keys", applies_lists},
    {"labels are valid where the server says so", labels},
    {"selectors choose what the server chooses", selectors},
    {"a label selector means the same as its text", label_selectors},
    {"times are those of the server", times},
    {"quantities are printed as by the server", quantities},
    {"the same Event again becomes a series", events_become_a_series},
    {"the host ends", ends}};

int main(int argc, char **argv)
{
    static suite_t s;

    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return tap_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]), NULL);
    e2e_open(&s.e, "client");
    const int status = tap_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]), &s);
    replica_free(s.replica);
    e2e_close(&s.e);
    return status;
}
