/* SPDX-License-Identifier: Apache-2.0 */
/* What is watched, and what a plugin is told: kinds that come and go, many objects, selectors,
 * namespaces. */
#include "e2e/e2e.h"

#include <unistd.h>

#define LATECOMERS "/apis/e2e.leasehold.dev/v1/latecomers"
#define LATE_CRD                                                                                   \
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/latecomers.e2e.leasehold.dev"

enum { MANY = 10000, CHANGED = 500 };

static void make_latecomer(e2e_t *e, const char *name, const char *n)
{
    char path[256];

    snprintf(path, sizeof(path), "/apis/e2e.leasehold.dev/v1/namespaces/%s/latecomers", e->ns);
    API_REPLY r = api_post(e->api, path,
                           "{\"apiVersion\":\"e2e.leasehold.dev/v1\",\"kind\":\"Latecomer\","
                           "\"metadata\":{\"name\":\"%s\"},\"spec\":{\"n\":\"%s\"}}",
                           name, n);
    REQUIRE_INT(r.status, 201);
}

static void remove_late_kind(e2e_t *e)
{
    API_REPLY r = api_delete(e->api, "%s", LATE_CRD);

    EXPECT_TRUE(r.status == 200 || r.status == 404);
    EXPECT_TRUE(e2e_wait_status(e, LATE_CRD, 404, 30000));
}

static void a_kind_that_appears_late(void *arg)
{
    e2e_t *e = arg;
    static const char *const plugins[] = {LATE_PLUGIN, HELLO_PLUGIN, NULL};

    remove_late_kind(e);
    e2e_make_lease(e, "late");
    replica_t *a = e2e_replica(e, "a", "late", plugins);
    EXPECT_TRUE(replica_logged(a, "latecomers.e2e.leasehold.dev: ", 10000));
    EXPECT_INT(replica_get(a, "/readyz", NULL), 200);
    EXPECT_TRUE(replica_says(a, "/readyz?verbose", "latecomers.e2e.leasehold.dev: ", 1000));
    e2e_make_configmap(e, "others-go-on", NULL);
    EXPECT_TRUE(replica_logged(a, "/others-go-on is here", 3000));
    replica_mark(a);
    e2e_make_crd(e, "tests/e2e/plugins/late.yaml", LATECOMERS);
    const int64_t served = replica_now_ms();
    EXPECT_TRUE(replica_logged(a, "synced: reconciles begin controller=late", 5000));
    const int64_t took = replica_now_ms() - served;
    tap_note("synced %lld ms after the kind was served", (long long) took);
    EXPECT_TRUE(took <= 1000);
    make_latecomer(e, "first", "1");
    EXPECT_TRUE(replica_logged(a, "/first reason=changed object=1", 3000));
    replica_free(a);
}

static void a_kind_that_is_removed(void *arg)
{
    e2e_t *e = arg;
    static const char *const plugins[] = {LATE_PLUGIN, HELLO_PLUGIN, NULL};

    e2e_make_crd(e, "tests/e2e/plugins/late.yaml", LATECOMERS);
    e2e_make_lease(e, "removed");
    make_latecomer(e, "doomed", "7");
    replica_t *a = e2e_replica(e, "a", "removed", plugins);
    EXPECT_TRUE(replica_logged(a, "/doomed reason=initial object=7", 10000));
    replica_mark(a);
    remove_late_kind(e);
    EXPECT_TRUE(replica_logged(a, "/doomed reason=gone object=no last=7 uid=yes", 10000));
    EXPECT_TRUE(replica_logged(a, "latecomers.e2e.leasehold.dev: ", 10000));
    e2e_make_configmap(e, "others-still-go-on", NULL);
    EXPECT_TRUE(replica_logged(a, "/others-still-go-on is here", 3000));
    e2e_make_crd(e, "tests/e2e/plugins/late.yaml", LATECOMERS);
    make_latecomer(e, "second-life", "8");
    EXPECT_TRUE(replica_logged(a, "/second-life reason=", 5000));
    EXPECT_TRUE(replica_running(a));
    replica_free(a);
    remove_late_kind(e);
}

/* -- Many objects -- */

/* How many of PREFIX-0 ... have a line "ConfigMap NS/PREFIX-i is here" in the log. */
static int count_named(replica_t *r, const char *ns, const char *prefix, int count)
{
    char *log = replica_log(r), *seen = calloc((size_t) count, 1), part[256];
    int found = 0;

    snprintf(part, sizeof(part), "ConfigMap %s/%s-", ns, prefix);
    for (const char *at = log; (at = strstr(at, part)) != NULL;) {
        at += strlen(part);
        const long i = strtol(at, NULL, 10);
        if (i >= 0 && i < count && !seen[i]++)
            found++;
    }
    free(seen);
    free(log);
    return found;
}

static double reconciles(replica_t *r)
{
    return replica_metric(
        r, "controller_runtime_reconcile_total{controller=\"hello\",result=\"success\"}");
}

static bool reconciled(replica_t *r, int count, int ms)
{
    const int64_t until = replica_now_ms() + ms;

    while (reconciles(r) < count) {
        if (replica_now_ms() > until || !replica_running(r))
            return false;
        usleep(20000);
    }
    return true;
}

static long memory_kib(replica_t *r, const char *what)
{
    char path[64], line[256];
    long kib = 0;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int) replica_pid(r));
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, what, strlen(what)) == 0)
            kib = strtol(line + strlen(what) + 1, NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return kib;
}

static void ten_thousand_objects(void *arg)
{
    e2e_t *e = arg;
    char path[256];
    const char *ns = e2e_make_namespace(e, "many");

    const int64_t making = replica_now_ms();
    e2e_make_many(e, ns, "many", MANY);
    tap_note("%d ConfigMaps made in %lld ms", MANY, (long long) (replica_now_ms() - making));
    replica_t *a =
        replica_start(&(replica_options_t){.name = "a",
                                           .lease = NULL,
                                           .ns = ns,
                                           .plugins = (const char *const[]){HELLO_PLUGIN, NULL}});
    const int64_t start = replica_now_ms();
    EXPECT_TRUE(reconciled(a, MANY, 60000));
    tap_note("%d reconciled %lld ms after the start; PSS %ld KiB", MANY,
             (long long) (replica_now_ms() - start), memory_kib(a, "Pss:"));
    EXPECT_INT(count_named(a, ns, "many", MANY), MANY);
    const int initial = (int) reconciles(a);
    EXPECT_TRUE(initial <= MANY + 1); /* and the namespace's own kube-root-ca.crt */
    replica_mark(a);
    for (int i = 0; i < CHANGED; i++) {
        snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps/many-%d", ns, i);
        API_REPLY r = api_patch(e->api, path, "merge", "{\"data\":{\"k\":\"new\"}}");
        REQUIRE_INT(r.status, 200);
    }
    snprintf(path, sizeof(path), "%s/many-%d is here", ns, CHANGED - 1);
    EXPECT_TRUE(replica_logged(a, path, 5000));
    EXPECT_TRUE(reconciled(a, initial + CHANGED, 5000));
    replica_free(a);
}

/* -- Selectors and namespaces -- */

static void label(e2e_t *e, const char *name, const char *value)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", e->configmaps, name);
    API_REPLY r =
        api_patch(e->api, path, "merge", "{\"metadata\":{\"labels\":{\"witness\":\"%s\"}}}", value);
    EXPECT_INT(r.status, 200);
}

static void make_witness(e2e_t *e, const char *name, const char *value)
{
    API_REPLY r = api_post(e->api, e->configmaps,
                           "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"witness\":\"%s\"}},"
                           "\"data\":{\"n\":\"1\"}}",
                           name, value);

    REQUIRE_INT(r.status, 201);
}

static void leaving_a_selector_is_not_going(void *arg)
{
    e2e_t *e = arg;
    static const char *const plugins[] = {LABELLED_PLUGIN, NULL};

    make_witness(e, "leaves", "yes");
    make_witness(e, "goes", "yes");
    make_witness(e, "never", "no");
    e2e_make_lease(e, "selector");
    replica_t *a = e2e_replica(e, "a", "selector", plugins);
    EXPECT_TRUE(replica_logged(a, "/leaves reason=initial object=1", 10000));
    EXPECT_TRUE(replica_logged(a, "/goes reason=initial object=1", 3000));
    label(e, "leaves", "no");
    EXPECT_TRUE(replica_logged(a, "/leaves reason=left object=no last=1 uid=yes", 3000));
    label(e, "leaves", "yes");
    EXPECT_TRUE(replica_logged(a, "/leaves reason=changed object=1", 3000));
    API_REPLY r = api_delete(e->api, "%s/goes", e->configmaps);
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(replica_logged(a, "/goes reason=gone object=no last=1 uid=yes", 5000));
    EXPECT_INT(replica_log_count(a, "/never "), 0);
    EXPECT_INT(replica_log_count(a, "/leaves reason=gone"), 0);
    replica_free(a);
}

static void several_namespaces(void *arg)
{
    e2e_t *e = arg;
    const char *one = e2e_make_namespace(e, "one"), *two = e2e_make_namespace(e, "two");
    const char *three = e2e_make_namespace(e, "three");
    char instances[256], text[256];

    snprintf(instances, sizeof(instances), "    hello: {namespaces: [%s, %s]}", one, two);
    e2e_make_many(e, one, "cm", 4);
    e2e_make_many(e, three, "cm", 4);
    e2e_make_lease(e, "namespaces");
    replica_t *a =
        replica_start(&(replica_options_t){.name = "a",
                                           .lease = "namespaces",
                                           .ns = e->ns,
                                           .instances = instances,
                                           .plugins = (const char *const[]){HELLO_PLUGIN, NULL}});
    EXPECT_TRUE(replica_logged(a, "synced: reconciles begin", 10000));
    e2e_make_many(e, two, "cm", 4);
    snprintf(text, sizeof(text), "%s/cm-3 is here", one);
    EXPECT_TRUE(replica_logged(a, text, 3000));
    snprintf(text, sizeof(text), "%s/cm-3 is here", two);
    EXPECT_TRUE(replica_logged(a, text, 3000));
    EXPECT_INT(replica_log_count(a, three), 0);
    replica_free(a);
}

/* hello watches all ConfigMaps of the namespace, the witness those with its label. */
static void who_asks_for_less_shares_the_stream(void *arg)
{
    e2e_t *e = arg;
    static const char objects[] = "leasehold_watch_objects{group=\"\",version=\"v1\",resource="
                                  "\"configmaps\",namespace=\"%s\","
                                  "selector=\"%s\",projection=\"full\"}";
    char all[256], labelled[256];

    snprintf(all, sizeof(all), objects, e->ns, "");
    snprintf(labelled, sizeof(labelled), objects, e->ns, "witness=yes");
    make_witness(e, "shared", "yes");
    make_witness(e, "unshared", "no");
    e2e_make_lease(e, "share");
    replica_t *a =
        e2e_replica(e, "a", "share", (const char *const[]){HELLO_PLUGIN, LABELLED_PLUGIN, NULL});
    EXPECT_TRUE(replica_logged(a, "/shared reason=initial object=1", 10000));
    EXPECT_TRUE(replica_logged(a, "/unshared is here", 10000));
    EXPECT_TRUE(replica_metric(a, all) >= 2);
    EXPECT_INT(replica_metric(a, labelled), -1); /* it has no stream */
    label(e, "shared", "no");
    EXPECT_TRUE(replica_logged(a, "/shared reason=left object=no last=1 uid=yes", 3000));
    label(e, "unshared", "yes");
    EXPECT_TRUE(replica_logged(a, "/unshared reason=changed object=1", 3000));
    API_REPLY r = api_delete(e->api, "%s/unshared", e->configmaps);
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(replica_logged(a, "/unshared reason=gone object=no last=1 uid=yes", 3000));
    EXPECT_TRUE(replica_logged(a, "/unshared is gone", 3000));
    replica_free(a);
}

static const tap_test_t tests[] = {
    {"a kind that appears late is waited for, and the others go on", a_kind_that_appears_late},
    {"a kind that is removed takes its objects along and may come back", a_kind_that_is_removed},
    {"each of 10,000 objects is reconciled", ten_thousand_objects},
    {"an object that leaves the selector has left, a deleted one is gone",
     leaving_a_selector_is_not_going},
    {"an instance sees the namespaces that it names and no others", several_namespaces},
    {"who asks for less shares the stream", who_asks_for_less_shares_the_stream},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "watch", tests, sizeof(tests) / sizeof(tests[0]));
}
