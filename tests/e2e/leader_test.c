/* SPDX-License-Identifier: Apache-2.0 */
/* Two replicas, one Lease: who leads, who is dormant, who takes over. */
#include "e2e/e2e.h"

/* What examples/hello logs. */
#define HELLO(name) "/" name " is here"

static void the_leader_alone_reconciles(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "alone");
    replica_t *a = e2e_replica(e, "a", "alone", NULL);
    EXPECT_TRUE(e2e_wait_holder(e, "alone", "a", 5000));
    EXPECT_TRUE(replica_answers(a, "/leader", 200, 2000));
    replica_t *b = e2e_replica(e, "b", "alone", NULL);
    EXPECT_TRUE(replica_answers(b, "/readyz", 200, 5000));
    EXPECT_INT(replica_get(b, "/leader", NULL), 503);
    e2e_make_configmap(e, "alone-1", NULL);
    EXPECT_TRUE(replica_logged(a, HELLO("alone-1"), 3000));
    EXPECT_INT(replica_log_count(b, " is here"), 0);
    EXPECT_INT(replica_metric(a, "leader_election_master_status{name=\"alone\"}"), 1);
    EXPECT_INT(replica_metric(b, "leader_election_master_status{name=\"alone\"}"), 0);
    replica_free(a);
    replica_free(b);
}

static void sigterm_hands_over_in_milliseconds(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "handover");
    replica_t *a = e2e_replica(e, "a", "handover", NULL);
    EXPECT_TRUE(e2e_wait_holder(e, "handover", "a", 5000));
    replica_t *b = e2e_replica(e, "b", "handover", NULL);
    EXPECT_TRUE(replica_answers(b, "/readyz", 200, 5000));
    const int64_t start = replica_now_ms();
    replica_signal(a, SIGTERM);
    EXPECT_TRUE(e2e_wait_holder(e, "handover", "b", 2000));
    tap_note("handover after SIGTERM seen after %lld ms", (long long) (replica_now_ms() - start));
    EXPECT_INT(replica_wait(a, 5000), 0);
    EXPECT_TRUE(replica_answers(b, "/leader", 200, 2000));
    replica_free(a);
    replica_free(b);
}

/* It once ended the leader on the spot, and the Lease had to run out. */
static void sighup_hands_over_too(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "hangup");
    replica_t *a = e2e_replica(e, "a", "hangup", NULL);
    EXPECT_TRUE(e2e_wait_holder(e, "hangup", "a", 5000));
    replica_signal(a, SIGHUP);
    EXPECT_INT(replica_wait(a, 5000), 0);
    EXPECT_STR(e2e_holder(e, "hangup"), "");
    replica_free(a);
}

static void a_killed_leader_is_replaced_when_its_lease_runs_out(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "killed");
    replica_t *a = e2e_replica(e, "a", "killed", NULL);
    EXPECT_TRUE(e2e_wait_holder(e, "killed", "a", 5000));
    replica_t *b = e2e_replica(e, "b", "killed", NULL);
    EXPECT_TRUE(replica_answers(b, "/readyz", 200, 5000));
    const int64_t start = replica_now_ms();
    replica_signal(a, SIGKILL);
    EXPECT_TRUE(e2e_wait_holder(e, "killed", "b", 8000));
    const int64_t took = replica_now_ms() - start;
    tap_note("takeover after SIGKILL seen after %lld ms (lease duration 3000)", (long long) took);
    EXPECT_TRUE(took >= 2000); /* the holder's last renewal was at most a retry period ago */
    replica_free(a);
    replica_free(b);
}

static void an_edited_lease_ends_the_term_and_the_process_lives(void *arg)
{
    e2e_t *e = arg;
    char path[256];

    e2e_make_lease(e, "edited");
    replica_t *a = e2e_replica(e, "a", "edited", NULL);
    EXPECT_TRUE(replica_answers(a, "/leader", 200, 5000));
    snprintf(path, sizeof(path), "%s/edited", e->leases);
    API_REPLY r = api_patch(e->api, path, "merge",
                            "{\"spec\":{\"holderIdentity\":\"somebody-else\","
                            "\"leaseDurationSeconds\":2}}");
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(replica_answers(a, "/leader", 503, 1000));
    EXPECT_TRUE(replica_running(a));
    EXPECT_TRUE(e2e_wait_holder(e, "edited", "a", 8000)); /* stands again in the same process */
    EXPECT_TRUE(replica_answers(a, "/leader", 200, 2000));
    e2e_make_configmap(e, "after-edit", NULL);
    EXPECT_TRUE(replica_logged(a, HELLO("after-edit"), 3000));
    replica_free(a);
}

static void ten_terms_in_one_process(void *arg)
{
    e2e_t *e = arg;
    char path[256], name[32], line[64];

    e2e_make_lease(e, "terms");
    replica_t *a = e2e_replica(e, "a", "terms", NULL);
    snprintf(path, sizeof(path), "%s/terms", e->leases);
    for (int i = 0; i < 10; i++) {
        EXPECT_TRUE(replica_answers(a, "/leader", 200, 8000));
        snprintf(name, sizeof(name), "terms-%d", i);
        snprintf(line, sizeof(line), HELLO("terms-%d"), i);
        e2e_make_configmap(e, name, NULL);
        EXPECT_TRUE(replica_logged(a, line, 3000));
        API_REPLY r =
            api_patch(e->api, path, "merge",
                      "{\"spec\":{\"holderIdentity\":\"x%d\",\"leaseDurationSeconds\":1}}", i);
        EXPECT_TRUE(replica_answers(a, "/leader", 503, 2000));
    }
    EXPECT_TRUE(replica_running(a));
    replica_free(a);
}

static void election_disabled_leads_at_once(void *arg)
{
    e2e_t *e = arg;
    replica_t *a = e2e_replica(e, "a", NULL, NULL);

    EXPECT_TRUE(replica_answers(a, "/readyz", 200, 5000));
    EXPECT_TRUE(replica_says(a, "/leader", "\"state\":\"election disabled\"", 1000));
    EXPECT_INT(replica_get(a, "/leader", NULL), 200);
    API_REPLY lease = api_get(e->api, "%s/leasehold-leader", e->leases); /* the name by default */
    EXPECT_INT(lease.status, 404);
    e2e_make_configmap(e, "no-election", NULL);
    EXPECT_TRUE(replica_logged(a, HELLO("no-election"), 3000));
    replica_signal(a, SIGTERM);
    EXPECT_INT(replica_wait(a, 5000), 0);
    replica_free(a);
}

static void a_standby_ends_at_once(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "standby-end");
    replica_t *a = e2e_replica(e, "a", "standby-end", NULL);
    EXPECT_TRUE(e2e_wait_holder(e, "standby-end", "a", 5000));
    replica_t *b = e2e_replica(e, "b", "standby-end", NULL);
    EXPECT_TRUE(replica_answers(b, "/readyz", 200, 5000));
    replica_signal(b, SIGTERM);
    EXPECT_INT(replica_wait(b, 2000), 0);
    EXPECT_STR(e2e_holder(e, "standby-end"), "a");
    replica_free(a);
    replica_free(b);
}

static void sigterm_releases_with_the_mark(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "released");
    replica_t *a = e2e_replica(e, "a", "released", NULL);
    EXPECT_TRUE(e2e_wait_holder(e, "released", "a", 5000));
    replica_signal(a, SIGTERM);
    EXPECT_INT(replica_wait(a, 5000), 0);
    API_REPLY r = api_get(e->api, "%s/released", e->leases);
    EXPECT_STR(api_str(r.json, "/spec/holderIdentity"), "");
    EXPECT_INT(api_int(r.json, "/spec/leaseDurationSeconds"), 1);
    EXPECT_STR(api_str(r.json, "/metadata/annotations/leasehold.dev~1released"),
               api_str(r.json, "/metadata/annotations/leasehold.dev~1seq"));
    replica_free(a);
}

static const tap_test_t tests[] = {
    {"the leader alone reconciles, the standby is ready and dormant", the_leader_alone_reconciles},
    {"SIGTERM hands over in milliseconds", sigterm_hands_over_in_milliseconds},
    {"SIGHUP hands over as well", sighup_hands_over_too},
    {"a killed leader is replaced when its lease runs out",
     a_killed_leader_is_replaced_when_its_lease_runs_out},
    {"an edited Lease ends the term, and the process stands again",
     an_edited_lease_ends_the_term_and_the_process_lives},
    {"ten terms in one process", ten_terms_in_one_process},
    {"with election disabled it leads at once", election_disabled_leads_at_once},
    {"a standby ends at once and touches nothing", a_standby_ends_at_once},
    {"SIGTERM leaves a Lease that is marked as released", sigterm_releases_with_the_mark},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "leader", tests, sizeof(tests) / sizeof(tests[0]));
}
