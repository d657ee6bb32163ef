/* SPDX-License-Identifier: Apache-2.0 */
/* `fencing: server` on a real API server, on two that share an etcd, and with the rights that
 * `leasehold rbac` prints and no others. */
#include "e2e/fenced.h"
#include "kube/credentials.h"
#include "support/relay.h"

#include <unistd.h>

enum { LIMIT = 20000, KIND_LIMIT = 60000, LEASE_MS = 3000 };

#define POLICY "ValidatingAdmissionPolicy 'leasehold-fencing."

static void expect_refused(api_reply_t *r, const char *why)
{
    EXPECT_INT(r->status, 403);
    EXPECT_TRUE(strstr(r->text, POLICY) != NULL);
    if (strstr(r->text, why) == NULL)
        tap_note("%s", r->text);
    EXPECT_TRUE(strstr(r->text, why) != NULL);
}

static void the_printed_rights_are_enough(void *arg)
{
    fenced_t f;

    fenced_open(&f, arg, "rights");
    replica_t *a = fenced_replica(&f, "a", NULL, NULL);
    REQUIRE_TRUE(replica_logged(a, "fencing: writes of earlier terms are refused", LIMIT));
    EXPECT_TRUE(fenced_wrote(&f, 1, LIMIT));
    API_REPLY fence = api_get(f.e->api, "%s", f.fence);
    EXPECT_STR(api_str(fence.json, "/spec/holderIdentity"), "a");
    EXPECT_INT(replica_log_count(a, "orbidden"), 0);
    EXPECT_TRUE(replica_says(a, "/readyz?verbose", "[+]fencing ok", LIMIT));

    /* The host itself may not do what its plugin does. */
    API_REPLY own =
        api_ask(f.e->api, &(api_request_t){.method = "PATCH",
                                           .path = f.out,
                                           .content_type = "application/merge-patch+json",
                                           .body = "{\"data\":{\"n\":\"0\"}}",
                                           .token = f.token});
    EXPECT_INT(own.status, 403);
    EXPECT_TRUE(strstr(own.text, "cannot patch resource") != NULL);
    replica_signal(a, SIGTERM);
    EXPECT_INT(replica_wait(a, LIMIT), 0);
    replica_free(a);
    fenced_close(&f);
}

static void a_host_that_lost_is_refused_by_the_server(void *arg)
{
    fenced_t f;
    char server[64];

    fenced_open(&f, arg, "lost");
    relay_t *relay = relay_open(api_credentials(f.e->api)->server, RELAY_OPEN);
    snprintf(server, sizeof(server), "https://127.0.0.1:%d", relay_port(relay));
    replica_t *a = fenced_replica(&f, "a", e2e_kubeconfig(f.e, "relayed", server, f.token), NULL);
    REQUIRE_TRUE(fenced_wrote(&f, 1, LIMIT));
    const long old = fenced_term(&f);
    API_REPLY before = fenced_write(&f, f.e->api, "a", old);
    EXPECT_INT(before.status, 200);

    replica_t *b = fenced_replica(&f, "b", NULL, NULL);
    REQUIRE_TRUE(replica_answers(b, "/readyz", 200, LIMIT));
    relay_set(relay, RELAY_FROZEN);
    REQUIRE_TRUE(fenced_wrote(&f, old + 1, LIMIT));
    EXPECT_INT(fenced_term(&f), old + 1);

    /* What the first leader has sent in time and the network has kept until now. */
    API_REPLY late = fenced_write(&f, f.e->api, "a", old);
    expect_refused(&late, "is not the present one");
    API_REPLY same_number = fenced_write(&f, f.e->api, "a", old + 1);
    expect_refused(&same_number, "is not the present one");
    API_REPLY bare = fenced_write(&f, f.e->api, NULL, 0);
    expect_refused(&bare, "must carry the term of a leader");
    API_REPLY present = fenced_write(&f, f.e->api, "b", old + 1);
    EXPECT_INT(present.status, 200);
    relay_set(relay, RELAY_OPEN);
    EXPECT_TRUE(replica_says(a, "/leader", "\"holder\":\"b\"", LIMIT));
    EXPECT_INT(fenced_term(&f), old + 1);
    replica_free(a);
    replica_free(b);
    relay_close(relay);
    fenced_close(&f);
}

static void a_fence_that_was_moved_on_is_counted_on_from(void *arg)
{
    fenced_t f;

    fenced_open(&f, arg, "moved");
    replica_t *a = fenced_replica(&f, "a", NULL, NULL);
    REQUIRE_TRUE(fenced_wrote(&f, 1, LIMIT));
    const long term = fenced_term(&f);
    API_REPLY moved =
        api_patch(f.e->api, f.fence, "merge",
                  "{\"spec\":{\"holderIdentity\":\"x\",\"leaseTransitions\":%ld}}", term + 10);
    EXPECT_INT(moved.status, 200);
    REQUIRE_TRUE(fenced_wrote(&f, term + 11, LIMIT));
    EXPECT_INT(fenced_term(&f), term + 11);
    EXPECT_INT(replica_log_count(a, "elector: term "), 1);
    replica_free(a);
    fenced_close(&f);
}

static void nobody_deletes_the_fence_or_turns_it_back(void *arg)
{
    fenced_t f;

    fenced_open(&f, arg, "kept");
    replica_t *a = fenced_replica(&f, "a", NULL, NULL);
    REQUIRE_TRUE(fenced_wrote(&f, 1, LIMIT));
    API_REPLY gone = api_delete(f.e->api, "%s", f.fence);
    expect_refused(&gone, "delete this policy before");
    API_REPLY all = api_delete(f.e->api, "/apis/leasehold.dev/v1/namespaces/%s/fences", f.e->ns);
    expect_refused(&all, "delete this policy before");
    API_REPLY back = api_patch(f.e->api, f.fence, "merge", "{\"spec\":{\"leaseTransitions\":0}}");
    EXPECT_INT(back.status, 422);
    EXPECT_TRUE(strstr(back.text, "a term never goes backwards") != NULL);
    replica_free(a);
    fenced_close(&f);
}

static void without_the_policies_nothing_is_activated(void *arg)
{
    fenced_t f;

    fenced_open(&f, arg, "bare");
    API_REPLY unbound =
        api_delete(f.e->api,
                   "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/"
                   "leasehold-fencing.%s.bare",
                   f.e->ns);
    EXPECT_INT(unbound.status, 200);
    REQUIRE_TRUE(fenced_wait_refused(&f, false, LIMIT)); /* the server hears of it by a watch */
    replica_t *a = fenced_replica(&f, "a", NULL, NULL);
    EXPECT_TRUE(replica_logged(a, "under a term that never was, so it does not fence", LIMIT));
    EXPECT_TRUE(replica_says(a, "/readyz?verbose", "[-]fencing failed: ", LIMIT));
    EXPECT_INT(replica_get(a, "/leader", NULL), 200);
    API_REPLY out = api_get(f.e->api, "%s", f.out);
    EXPECT_STR(api_str(out.json, "/data/term"), "");
    replica_free(a);
    fenced_close(&f);
}

/* -- Two API servers -- */

static char second_config[96];

static api_t *start_second(e2e_t *e)
{
    api_t *api = fenced_second(e);

    snprintf(second_config, sizeof(second_config), "apiServers: [\"%s\"]\n",
             strstr(api_credentials(api)->server, "://") + 3);
    return api;
}

static void every_api_server_refuses_once_one_term_is_led(void *arg)
{
    fenced_t f;

    fenced_open(&f, arg, "two");
    api_t *second = start_second(f.e);
    replica_t *a = fenced_replica(&f, "a", NULL, second_config);
    REQUIRE_TRUE(fenced_wrote(&f, 1, KIND_LIMIT)); /* the new server may look late for the kind */
    const long old = fenced_term(&f);
    replica_t *b = fenced_replica(&f, "b", NULL, second_config);
    REQUIRE_TRUE(replica_answers(b, "/readyz", 200, LIMIT));
    replica_signal(a, SIGKILL);
    REQUIRE_TRUE(replica_logged(b, "fencing: writes of earlier terms are refused", LIMIT));
    API_REPLY here = fenced_write(&f, f.e->api, "a", old),
              there = fenced_write(&f, second, "a", old);
    expect_refused(&here, "is not the present one");
    expect_refused(&there, "is not the present one");
    API_REPLY fine = fenced_write(&f, second, "b", old + 1);
    EXPECT_INT(fine.status, 200);
    replica_free(a);
    replica_free(b);
    api_close(second);
    e2e_script("second", "stop");
    fenced_close(&f);
}

static void a_paused_api_server_is_waited_for_as_long_as_a_lease(void *arg)
{
    fenced_t f;

    fenced_open(&f, arg, "paused");
    api_t *second = start_second(f.e);
    replica_t *a = fenced_replica(&f, "a", NULL, second_config);
    REQUIRE_TRUE(fenced_wrote(&f, 1, KIND_LIMIT)); /* the new server may look late for the kind */
    const long old = fenced_term(&f);
    replica_t *b = fenced_replica(&f, "b", NULL, second_config);
    REQUIRE_TRUE(replica_answers(b, "/readyz", 200, LIMIT));
    e2e_script("second", "pause");
    replica_signal(a, SIGTERM);
    EXPECT_INT(replica_wait(a, LIMIT), 0);
    REQUIRE_TRUE(replica_logged(b, "elector: leading, term", LIMIT));
    const int64_t led = replica_now_ms();
    REQUIRE_TRUE(fenced_wrote(&f, old + 1, LIMIT));
    const int64_t waited = replica_now_ms() - led;
    tap_note("activated %lld ms after it led", (long long) waited);
    EXPECT_TRUE(waited >= LEASE_MS - 100);
    EXPECT_TRUE(
        replica_says(b, "/readyz?verbose", "not proved by the API server at 127.0.0.1:", LIMIT));
    e2e_script("second", "resume");
    replica_free(a);
    replica_free(b);
    api_close(second);
    e2e_script("second", "stop");
    fenced_close(&f);
}

static const tap_test_t tests[] = {
    {"fencing: the rights that leasehold rbac prints are enough", the_printed_rights_are_enough},
    {"fencing: writes of a host that lost are refused by the server",
     a_host_that_lost_is_refused_by_the_server},
    {"fencing: a Fence that was moved on is counted on from",
     a_fence_that_was_moved_on_is_counted_on_from},
    {"fencing: nobody deletes the Fence or turns it back",
     nobody_deletes_the_fence_or_turns_it_back},
    {"fencing: without the policies nothing is activated",
     without_the_policies_nothing_is_activated},
    {"fencing: every API server refuses once a term is proved",
     every_api_server_refuses_once_one_term_is_led},
    {"fencing: a paused API server is waited for as long as a lease",
     a_paused_api_server_is_waited_for_as_long_as_a_lease},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "fence", tests, sizeof(tests) / sizeof(tests[0]));
}
