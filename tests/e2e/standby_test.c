/* SPDX-License-Identifier: Apache-2.0 */
/* standby: warm. The caches follow while another replica leads; what a takeover then asks for. */
#include "e2e/e2e.h"

#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

enum { MANY = 5500 }; /* more than are compared one by one */

/* Of the stream of a namespace's ConfigMaps; more: a further label, or "". */
static double metric_of(replica_t *r, const char *family, const char *ns, const char *more)
{
    char series[512];

    snprintf(series, sizeof(series),
             "leasehold_watch_%s{group=\"\",version=\"v1\",resource=\"configmaps\","
             "namespace=\"%s\",selector=\"\",projection=\"full\"%s}",
             family, ns, more);
    return replica_metric(r, series);
}

static double lists(replica_t *r, const char *ns)
{
    return metric_of(r, "lists_total", ns, ",mode=\"whole\"");
}

/* By whichever method: it depends on what happens meanwhile. */
static double confirmations(replica_t *r, const char *ns)
{
    static const char *const methods[] = {",how=\"comparison\"", ",how=\"version\""};
    double sum = 0;

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        const double n = metric_of(r, "confirmations_total", ns, methods[i]);

        sum += n > 0 ? n : 0;
    }
    return sum;
}

/* There are this many in the end. */
static void expect_confirmations(replica_t *r, const char *ns, double count)
{
    for (int i = 0; i < 250 && confirmations(r, ns) < count; i++)
        poll(NULL, 0, 20);
    EXPECT_INT(confirmations(r, ns), count);
}

/* A replica of hello, which watches this namespace. */
static replica_t *start(const e2e_t *e, const char *name, const char *lease, const char *ns,
                        const char *standby)
{
    char config[32], instances[128];

    snprintf(config, sizeof(config), "standby: %s", standby);
    snprintf(instances, sizeof(instances), "    hello: {namespaces: [%s]}", ns);
    return replica_start(&(replica_options_t){.name = name,
                                              .lease = lease,
                                              .ns = e->ns,
                                              .plugins = (const char *const[]){HELLO_PLUGIN, NULL},
                                              .instances = instances,
                                              .config = config});
}

/* Waits until the cache has as many objects as the server. */
static bool follows(e2e_t *e, replica_t *r, const char *ns)
{
    API_REPLY list = api_get(e->api, "/api/v1/namespaces/%s/configmaps", ns);
    const int count = cJSON_GetArraySize(api_at(list.json, "/items"));
    const int64_t until = replica_now_ms() + 10000;

    while (metric_of(r, "objects", ns, "") != count && replica_now_ms() < until)
        usleep(10000);
    return metric_of(r, "objects", ns, "") == count;
}

/* A leads, B stands by; both warm. */
typedef struct pair {
    replica_t *a, *b;
} pair_t;

static pair_t open_pair(e2e_t *e, const char *ns, const char *lease)
{
    pair_t p;

    e2e_make_lease(e, lease);
    p.a = start(e, "a", lease, ns, "warm");
    REQUIRE_TRUE(replica_answers(p.a, "/leader", 200, 10000));
    p.b = start(e, "b", lease, ns, "warm");
    REQUIRE_TRUE(replica_answers(p.b, "/readyz", 200, 10000));
    return p;
}

static void close_pair(pair_t *p)
{
    replica_free(p->b);
    replica_free(p->a);
}

static void hand_over(pair_t *p)
{
    replica_signal(p->a, SIGTERM);
    EXPECT_INT(replica_wait(p->a, 10000), 0);
    EXPECT_TRUE(replica_answers(p->b, "/leader", 200, 10000));
}

static void a_cold_standby_watches_nothing_but_the_lease(void *arg)
{
    e2e_t *e = arg;
    const char *ns = e2e_make_namespace(e, "cold");

    e2e_make_lease(e, "cold");
    replica_t *a = start(e, "a", "cold", ns, "cold");
    EXPECT_TRUE(replica_answers(a, "/leader", 200, 10000));
    EXPECT_TRUE(replica_logged(a, "synced: reconciles begin", 10000));
    replica_t *b = start(e, "b", "cold", ns, "cold");
    EXPECT_TRUE(replica_answers(b, "/readyz", 200, 10000));
    EXPECT_INT(metric_of(b, "objects", ns, ""), -1);
    replica_free(b);
    replica_free(a);
}

static void make(e2e_t *e, const char *ns, const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps", ns);
    API_REPLY made = api_post(e->api, path, "{\"metadata\":{\"name\":\"%s\"}}", name);
    EXPECT_INT(made.status, 201);
}

static void a_warm_standby_follows_and_reconciles_nothing(void *arg)
{
    e2e_t *e = arg;
    const char *ns = e2e_make_namespace(e, "follows");
    pair_t p = open_pair(e, ns, "follows");

    make(e, ns, "follows-1");
    EXPECT_TRUE(replica_logged(p.a, "/follows-1 is here", 5000));
    EXPECT_TRUE(follows(e, p.b, ns));
    EXPECT_INT(replica_log_count(p.b, " is here"), 0);
    API_REPLY r = api_delete(e->api, "/api/v1/namespaces/%s/configmaps/follows-1", ns);
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(replica_logged(p.a, "/follows-1 is gone", 5000));
    EXPECT_TRUE(follows(e, p.b, ns));
    EXPECT_INT(replica_log_count(p.b, " is gone"), 0);
    EXPECT_INT(replica_metric(p.b, "leader_election_master_status{name=\"follows\"}"), 0);
    close_pair(&p);
}

static void a_handover_to_a_warm_standby_lists_nothing_again(void *arg)
{
    e2e_t *e = arg;
    const char *ns = e2e_make_namespace(e, "few");
    pair_t p = open_pair(e, ns, "few");

    make(e, ns, "few-1");
    EXPECT_TRUE(follows(e, p.b, ns));
    hand_over(&p);
    EXPECT_TRUE(replica_logged(p.b, "/few-1 is here", 5000));
    EXPECT_INT(lists(p.b, ns), 1);
    EXPECT_INT(confirmations(p.b, ns), 1);
    make(e, ns, "few-2");
    EXPECT_TRUE(replica_logged(p.b, "/few-2 is here", 5000));
    close_pair(&p);
}

/* Too many to be compared quickly, and nothing happens that could show how far the stream has come. */
static void of_a_quiet_kind_with_many_objects_a_bookmark_confirms_the_cache(void *arg)
{
    e2e_t *e = arg;
    const char *ns = e2e_make_namespace(e, "many");

    e2e_make_many(e, ns, "many", MANY);
    pair_t p = open_pair(e, ns, "many");
    EXPECT_TRUE(follows(e, p.b, ns));
    const int64_t begun = replica_now_ms();

    hand_over(&p);
    EXPECT_TRUE(replica_logged(p.b, "objects confirmed by version", 10000));
    EXPECT_TRUE(replica_logged(p.b, "/many-5499 is here", 10000));
    tap_note("reconciles of %d objects, %" PRId64 " ms after SIGTERM to the leader", MANY,
             replica_now_ms() - begun);
    EXPECT_INT(lists(p.b, ns), 1);
    close_pair(&p);
}

/* The leader is killed; what happens until its Lease runs out nobody reconciles. */
static void what_changes_while_nobody_leads_is_reconciled_in_its_last_state(void *arg)
{
    e2e_t *e = arg;
    const char *ns = e2e_make_namespace(e, "gap");
    pair_t p = open_pair(e, ns, "gap");

    make(e, ns, "gap-old");
    EXPECT_TRUE(replica_logged(p.a, "/gap-old is here", 5000));
    EXPECT_TRUE(follows(e, p.b, ns));
    replica_signal(p.a, SIGKILL);
    API_REPLY r = api_delete(e->api, "/api/v1/namespaces/%s/configmaps/gap-old", ns);
    EXPECT_INT(r.status, 200);
    make(e, ns, "gap-new");
    EXPECT_TRUE(replica_answers(p.b, "/leader", 200, 15000));
    EXPECT_TRUE(replica_logged(p.b, "/gap-new is here", 5000));
    EXPECT_INT(replica_log_count(p.b, "gap-old"), 0);
    EXPECT_TRUE(follows(e, p.b, ns));
    close_pair(&p);
}

static void every_term_confirms_anew(void *arg)
{
    static const char *const step_down[] = {"step-down", "--wait", NULL};
    e2e_t *e = arg;
    const char *ns = e2e_make_namespace(e, "terms");
    pair_t p = open_pair(e, ns, "warm-terms");
    replica_t *const both[] = {p.a, p.b};
    char line[64], name[32];
    double before = 0;

    for (int i = 0; i < 4; i++) {
        replica_t *leader = both[i % 2];
        char *out = NULL;

        EXPECT_TRUE(replica_answers(leader, "/leader", 200, 10000));
        snprintf(name, sizeof(name), "terms-%d", i);
        snprintf(line, sizeof(line), "/terms-%d is here", i);
        make(e, ns, name);
        EXPECT_TRUE(replica_logged(leader, line, 5000));
        EXPECT_TRUE(follows(e, both[(i + 1) % 2], ns));
        if (i ==
            0) /* a term that begins before the first list is complete has nothing to confirm */
            before = confirmations(p.a, ns);
        EXPECT_INT(replica_ask(leader, step_down, &out), 0);
        free(out);
    }
    expect_confirmations(p.a, ns, before + 2); /* the third term, and the one that begins now */
    expect_confirmations(p.b, ns, 2);
    EXPECT_INT(lists(p.a, ns), 1);
    EXPECT_INT(lists(p.b, ns), 1);
    close_pair(&p);
}

static const tap_test_t all[] = {
    {"a cold standby watches nothing but the Lease", a_cold_standby_watches_nothing_but_the_lease},
    {"a warm standby follows and reconciles nothing",
     a_warm_standby_follows_and_reconciles_nothing},
    {"a handover to a warm standby lists nothing again",
     a_handover_to_a_warm_standby_lists_nothing_again},
    {"of a quiet kind with many objects a bookmark confirms the cache",
     of_a_quiet_kind_with_many_objects_a_bookmark_confirms_the_cache},
    {"what changes while nobody leads is reconciled in its last state",
     what_changes_while_nobody_leads_is_reconciled_in_its_last_state},
    {"every term confirms anew", every_term_confirms_anew},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "standby", all, sizeof(all) / sizeof(all[0]));
}
