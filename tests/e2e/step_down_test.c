/* SPDX-License-Identifier: Apache-2.0 */
/* leasehold status and leasehold step-down beside a running host, and the Events of its terms. */
#include "e2e/e2e.h"

static const char *const step_down[] = {"step-down", "--wait", NULL};

/* Runs a verb beside the replica; true when it ends with status and prints text. */
static bool asks(const replica_t *r, const char *const *verb, int status, const char *text)
{
    char *out = NULL;
    const int got = replica_ask(r, verb, &out);
    const bool fine = got == status && strstr(out, text) != NULL;

    if (!fine)
        tap_note("'%s' ends with %d and says: %s", verb[0], got, out);
    free(out);
    return fine;
}

static void hands_over_and_the_process_stands_by(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "stepped");
    replica_t *a = e2e_replica(e, "a", "stepped", NULL);
    EXPECT_TRUE(replica_answers(a, "/leader", 200, 5000));
    replica_t *b = e2e_replica(e, "b", "stepped", NULL);
    EXPECT_TRUE(replica_answers(b, "/readyz", 200, 5000));
    EXPECT_TRUE(asks(a, (const char *const[]){"status", NULL}, 0, "state       leading\n"));
    const int64_t start = replica_now_ms();
    EXPECT_TRUE(
        asks(a, step_down, 0, "handing over\nthe term has ended: the lease was released\n"));
    EXPECT_TRUE(e2e_wait_holder(e, "stepped", "b", 2000));
    tap_note("handover after step-down seen after %lld ms", (long long) (replica_now_ms() - start));
    EXPECT_TRUE(replica_answers(b, "/leader", 200, 2000));
    EXPECT_TRUE(
        asks(a, (const char *const[]){"status", "-o", "json", NULL}, 0, "\"state\":\"standby\""));
    EXPECT_TRUE(asks(a, step_down, 0, "the host is not leading: nothing to hand over\n"));
    EXPECT_TRUE(replica_running(a));
    /* And back again: the one that has stepped down works on. */
    EXPECT_TRUE(asks(b, step_down, 0, "the term has ended: the lease was released\n"));
    EXPECT_TRUE(e2e_wait_holder(e, "stepped", "a", 2000));
    e2e_make_configmap(e, "after-step-down", NULL);
    EXPECT_TRUE(replica_logged(a, "/after-step-down is here", 3000));
    replica_free(a);
    replica_free(b);
}

static void alone_it_stands_back_for_a_lease_duration(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "alone");
    replica_t *a = e2e_replica(e, "a", "alone", NULL);
    EXPECT_TRUE(replica_answers(a, "/leader", 200, 5000));
    const int64_t start = replica_now_ms();
    EXPECT_TRUE(asks(a, step_down, 0, "the lease was released\n"));
    EXPECT_STR(e2e_holder(e, "alone"), "");
    EXPECT_TRUE(replica_answers(a, "/leader", 200, 8000));
    const int64_t took = replica_now_ms() - start;
    tap_note("led again after %lld ms (lease duration 3000)", (long long) took);
    EXPECT_TRUE(took >= 3000);
    replica_free(a);
}

static void a_host_that_is_not_there_is_a_failure(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "gone");
    replica_t *a = e2e_replica(e, "a", "gone", NULL);
    EXPECT_TRUE(replica_answers(a, "/leader", 200, 5000));
    replica_signal(a, SIGKILL); /* leaves its socket behind */
    EXPECT_INT(replica_wait(a, 5000), 128 + SIGKILL);
    EXPECT_TRUE(asks(a, step_down, 1, "no host runs with stateDir '"));
    replica_restart(a);
    EXPECT_TRUE(replica_answers(a, "/leader", 200, 8000));
    EXPECT_TRUE(asks(a, (const char *const[]){"status", NULL}, 0, "identity    a (pid "));
    replica_free(a);
}

static void without_election_there_is_nobody_to_hand_over_to(void *arg)
{
    replica_t *a = e2e_replica(arg, "a", NULL, NULL);

    EXPECT_TRUE(replica_answers(a, "/readyz", 200, 5000));
    EXPECT_TRUE(asks(a, step_down, 1, "leader election is disabled"));
    EXPECT_TRUE(
        asks(a, (const char *const[]){"status", NULL}, 0, "election    election disabled\n"));
    replica_free(a);
}

/* Counts the Events on the Lease, with its uid, whose note begins with text. */
static int count_events(e2e_t *e, const char *lease, const char *text)
{
    API_REPLY l = api_get(e->api, "%s/%s", e->leases, lease);
    API_REPLY r = api_get(e->api, "/apis/events.k8s.io/v1/namespaces/%s/events", e->ns);
    const cJSON *event;
    int count = 0;

    cJSON_ArrayForEach (event, cJSON_GetObjectItemCaseSensitive(r.json, "items")) {
        count += strcmp(api_str(event, "/regarding/kind"), "Lease") == 0 &&
                 strcmp(api_str(event, "/regarding/name"), lease) == 0 &&
                 strcmp(api_str(event, "/regarding/uid"), api_str(l.json, "/metadata/uid")) == 0 &&
                 strncmp(api_str(event, "/note"), text, strlen(text)) == 0;
    }
    return count;
}

static bool event_comes(e2e_t *e, const char *lease, const char *text)
{
    const int64_t end = replica_now_ms() + 5000;

    while (count_events(e, lease, text) != 1 && replica_now_ms() < end)
        ;
    return count_events(e, lease, text) == 1;
}

static void each_change_of_leader_is_an_event_on_the_lease(void *arg)
{
    e2e_t *e = arg;
    char path[256];

    e2e_make_lease(e, "told");
    replica_t *a = e2e_replica(e, "a", "told", NULL);
    EXPECT_TRUE(event_comes(e, "told", "a became leader"));
    EXPECT_TRUE(asks(a, step_down, 0, "the lease was released\n"));
    EXPECT_TRUE(event_comes(e, "told", "a stopped leading: it hands over"));
    replica_t *b = e2e_replica(e, "b", "told", NULL);
    EXPECT_TRUE(event_comes(e, "told", "b became leader"));
    snprintf(path, sizeof(path), "%s/told", e->leases);
    API_REPLY r =
        api_patch(e->api, path, "merge", "{\"spec\":{\"holderIdentity\":\"somebody-else\"}}");
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(event_comes(e, "told", "b stopped leading: the lease is held by 'somebody-else'"));
    replica_free(a);
    replica_free(b);
}

static const tap_test_t tests[] = {
    {"step-down hands over, and the process stands by", hands_over_and_the_process_stands_by},
    {"alone it stands back for a lease duration", alone_it_stands_back_for_a_lease_duration},
    {"a host that is not there is a failure", a_host_that_is_not_there_is_a_failure},
    {"without election there is nobody to hand over to",
     without_election_there_is_nobody_to_hand_over_to},
    {"each change of leader is an Event on the Lease",
     each_change_of_leader_is_an_event_on_the_lease},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "step-down", tests, sizeof(tests) / sizeof(tests[0]));
}
