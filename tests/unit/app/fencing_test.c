/* SPDX-License-Identifier: Apache-2.0 */
/* From a term to proofs, against a server whose Fence and policy are played here. */
#include "app/fencing.h"

#include "base/clock.h"
#include "support/expect.h"
#include "support/http_server.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define FENCE "/apis/leasehold.dev/v1/namespaces/ns/fences/lease"
#define POLICY "leasehold-fencing.ns.lease"

enum { USERS = 2 };

/* One API server; what it knows of the Fence may be older than what is stored. */
typedef struct place {
    http_server_t *server;
    char address[32];
    bool no_policy, late; /* late: its view stays at `view` */
    int64_t view;
    const char *unknown_user; /* whom the policy does not match */
} place_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what handlers share */
static int64_t term;                                     /* of the Fence; -1: there is none */
static char holder[64];
static bool no_kind, drop_put;
static char endpoints[512];
static place_t places[2];

static loop_t *loop;
static loop_timer_t alarm_timer;
static kube_credentials_t credentials;
static kube_client_t *reads, *writes;
static health_t *health;
static app_fencing_t *fencing;
static fence_t *fence;
static int proved[USERS], outnumbered;
static int64_t outnumbered_by;
static bool rang;

/* -- The server -- */

static void put_fence(http_exchange_t *x, int status)
{
    char body[512];

    snprintf(body, sizeof(body),
             "{\"metadata\":{\"name\":\"lease\",\"resourceVersion\":\"%" PRId64
             "\",\"labels\":{\"team\":\"x\"}},\"spec\":{\"holderIdentity\":\"%s\","
             "\"leaseTransitions\":%" PRId64 "}}",
             100 + term, holder, term);
    http_reply(x, status, "application/json", body);
}

static void store(http_exchange_t *x)
{
    const char *at = strstr(http_body(x), "\"holderIdentity\":\"") + 18;
    const bool drop = drop_put;

    snprintf(holder, sizeof(holder), "%.*s", (int) strcspn(at, "\""), at);
    term = strtoll(strstr(http_body(x), "\"leaseTransitions\":") + 19, NULL, 10);
    drop_put = false;
    if (drop)
        http_drop(x, false);
    else
        put_fence(x, 200);
}

static void prove(const place_t *p, http_exchange_t *x)
{
    const char *asked = http_header(x, "Impersonate-Extra-leasehold.dev%2Fterm");
    const char *user = http_header(x, "Impersonate-User");
    const int64_t known = p->late ? p->view : term;
    const bool matched = !p->no_policy && (p->unknown_user == NULL || user == NULL ||
                                           strcmp(p->unknown_user, user) != 0);

    if (matched && (asked == NULL || strtoll(asked, NULL, 10) != known))
        http_reply_status(x, 403, "Forbidden",
                          "ValidatingAdmissionPolicy '" POLICY "' with binding 'x' denied request");
    else
        put_fence(x, 200);
}

static void handle(void *arg, http_exchange_t *x)
{
    const place_t *p = arg;
    const char *method = http_method(x);

    pthread_mutex_lock(&lock);
    if (strstr(http_path(x), "/endpointslices") != NULL)
        http_reply(x, 200, "application/json", endpoints);
    else if (no_kind) /* as for a group that is not known */
        http_reply(x, 404, "text/plain", "404 page not found\n");
    else if (term < 0 && strcmp(method, "POST") != 0)
        http_reply_status(x, 404, "NotFound", "not found");
    else if (strcmp(method, "GET") == 0)
        put_fence(x, 200);
    else if (strcmp(method, "PATCH") == 0)
        prove(p, x);
    else
        store(x);
    pthread_mutex_unlock(&lock);
}

static void start_place(place_t *p)
{
    p->server = http_server_start(&(http_server_options_t){.handler = handle, .arg = p});
    snprintf(p->address, sizeof(p->address), "127.0.0.1:%u",
             (unsigned) http_server_port(p->server));
}

/* Under the lock, as handlers run meanwhile. */
#define SET(what)                                                                                  \
    do {                                                                                           \
        pthread_mutex_lock(&lock);                                                                 \
        what;                                                                                      \
        pthread_mutex_unlock(&lock);                                                               \
    } while (0)

/* -- The host -- */

static void on_proved(void *arg, size_t user)
{
    (void) arg;
    proved[user]++;
    loop_stop(loop);
}

static void on_outnumbered(void *arg, uint64_t own, int64_t seen)
{
    (void) arg;
    EXPECT_INT(own, 5);
    outnumbered++;
    outnumbered_by = seen;
    loop_stop(loop);
}

static void on_alarm(loop_timer_t *timer)
{
    (void) timer;
    rang = true;
    loop_stop(loop);
}

static kube_client_t *client(enum kube_client_kind kind)
{
    kube_client_t *c = NULL;
    lh_error_t err = {0};

    ASSERT_OK(kube_client_create(
                  &(kube_client_options_t){.loop = loop, .credentials = &credentials, .kind = kind},
                  &c, &err),
              err);
    return c;
}

static void setup(void)
{
    lh_error_t err = {0};

    signal(SIGPIPE, SIG_IGN);
    ASSERT_OK(loop_create(&loop, &err), err);
    loop_timer_init(&alarm_timer, loop, on_alarm);
    health = health_create();
    term = -1;
    start_place(&places[0]);
    credentials = (kube_credentials_t){.server = (char *) http_server_url(places[0].server),
                                       .namespace = (char *) "",
                                       .origin = (char *) "test"};
    reads = client(KUBE_CLIENT_READS);
    writes = client(KUBE_CLIENT_WRITES);
    fence = fence_create(5, CLOCK_NEVER);
}

static void teardown(void)
{
    app_fencing_destroy(fencing);
    fence_unref(fence);
    kube_client_destroy(reads);
    kube_client_destroy(writes);
    for (size_t i = 0; i < HOST_LEN(places); i++) {
        if (places[i].server != NULL)
            http_server_stop(places[i].server);
    }
    loop_timer_clear(&alarm_timer);
    health_destroy(health);
    loop_destroy(loop);
}

TestSuite(fencing, .init = setup, .fini = teardown, .timeout = 30);

static void begin(const char *const *addresses, int64_t lease_duration)
{
    fencing = app_fencing_create(&(app_fencing_options_t){.loop = loop,
                                                          .credentials = &credentials,
                                                          .reads = reads,
                                                          .writes = writes,
                                                          .health = health,
                                                          .namespace = "ns",
                                                          .name = "lease",
                                                          .identity = "me",
                                                          .addresses = addresses,
                                                          .lease_duration = lease_duration,
                                                          .on_proved = on_proved,
                                                          .on_outnumbered = on_outnumbered});
    app_fencing_add_user(fencing, "one");
    app_fencing_add_user(fencing, "two");
    app_fencing_begin(fencing, fence);
}

/* Runs until *flag is n; false after ms. */
static bool await(const int *flag, int n, int ms)
{
    rang = false;
    loop_timer_set(&alarm_timer, clock_now() + ms * CLOCK_MS);
    while (*flag < n && !rang)
        loop_run(loop);
    loop_timer_clear(&alarm_timer);
    return *flag >= n;
}

static void run(int ms)
{
    const int never = 0;

    (void) await(&never, 1, ms);
}

static bool all_proved(int ms)
{
    return await(&proved[0], 1, ms) && await(&proved[1], 1, ms);
}

/* What /readyz/fencing says. Caller frees. */
static char *shown(void)
{
    buf_t out = BUF_INIT;

    EXPECT_INT(health_report_one(health, HEALTH_READYZ, "fencing", &out) >= 0, true);
    return buf_steal(&out);
}

/* Runs until the check says so. */
static void await_shown(const char *part)
{
    char *text = shown();

    for (int i = 0; i < 500 && strstr(text, part) == NULL; i++) {
        free(text);
        run(10);
        text = shown();
    }
    EXPECT_HAS(text, part);
    free(text);
}

/* How many requests of p begin so. */
static int asked(const place_t *p, const char *line)
{
    int n = 0;

    for (size_t i = 0; i < http_server_requests(p->server); i++)
        n += strncmp(http_server_line(p->server, i), line, strlen(line)) == 0;
    return n;
}

/* -- The Fence -- */

Test(fencing, a_fence_that_is_missing_is_created_before_anything_is_proved)
{
    begin(NULL, 15 * CLOCK_S);
    EXPECT_INT(all_proved(5000), true);
    EXPECT_STR(http_server_line(places[0].server, 0), "GET " FENCE);
    EXPECT_STR(http_server_line(places[0].server, 1),
               "POST /apis/leasehold.dev/v1/namespaces/ns/fences");
    EXPECT_STR(http_server_body(places[0].server, 1),
               "{\"metadata\":{\"name\":\"lease\"},\"apiVersion\":\"leasehold.dev/v1\","
               "\"kind\":\"Fence\",\"spec\":{\"holderIdentity\":\"me\",\"leaseTransitions\":5}}");
    EXPECT_INT(asked(&places[0], "PATCH " FENCE "/status?dryRun=All"), 2 * USERS);
    host_cleanup(host_freep) char *text = shown();
    EXPECT_STR(text, "ok");
    EXPECT_INT(proved[0] + proved[1], 2);
}

Test(fencing, the_fence_of_an_earlier_term_is_updated_under_its_version)
{
    term = 4;
    snprintf(holder, sizeof(holder), "other");
    begin(NULL, 15 * CLOCK_S);
    EXPECT_INT(all_proved(5000), true);
    EXPECT_STR(http_server_line(places[0].server, 1), "PUT " FENCE);
    EXPECT_STR(http_server_body(places[0].server, 1),
               "{\"metadata\":{\"name\":\"lease\",\"resourceVersion\":\"104\",\"labels\":{\"team\":"
               "\"x\"}},\"spec\":{\"holderIdentity\":\"me\",\"leaseTransitions\":5}}");
}

Test(fencing, a_fence_whose_term_is_not_below_ours_is_left_and_told)
{
    term = 5; /* of our name, but not written by this term */
    snprintf(holder, sizeof(holder), "me");
    begin(NULL, 15 * CLOCK_S);
    EXPECT_INT(await(&outnumbered, 1, 5000), true);
    EXPECT_INT(outnumbered_by, 5);
    EXPECT_INT(http_server_requests(places[0].server), 1);
    EXPECT_INT(proved[0] + proved[1], 0);
}

Test(fencing, a_write_of_the_fence_whose_answer_is_lost_is_looked_up)
{
    term = 4;
    drop_put = true;
    begin(NULL, 15 * CLOCK_S);
    EXPECT_INT(all_proved(5000), true);
    EXPECT_INT(asked(&places[0], "PUT"), 1);
    EXPECT_INT(outnumbered, 0);
}

Test(fencing, without_the_kind_it_says_what_to_do_and_goes_on_when_it_is_there)
{
    no_kind = true;
    begin(NULL, 15 * CLOCK_S);
    await_shown("the kind Fence is not installed: apply what 'leasehold rbac' prints");
    EXPECT_INT(proved[0] + proved[1], 0);
    SET(no_kind = false);
    EXPECT_INT(all_proved(5000), true);
}

Test(fencing, at_the_end_of_all_terms_nothing_is_written)
{
    term = INT32_MAX;
    begin(NULL, 15 * CLOCK_S);
    await_shown("the Fence has term 2147483647, and none comes after it");
    EXPECT_INT(outnumbered, 0);
    EXPECT_INT(asked(&places[0], "PUT"), 0);
}

/* -- Proofs -- */

Test(fencing, where_no_policy_refuses_nothing_is_proved)
{
    places[0].no_policy = true;
    begin(NULL, 15 * CLOCK_S);
    await_shown("under a term that never was, so it does not fence");
    EXPECT_INT(proved[0] + proved[1], 0);
    SET(places[0].no_policy = false);
    EXPECT_INT(all_proved(5000), true);
}

Test(fencing, a_user_whom_the_policy_does_not_know_holds_up_no_other)
{
    places[0].unknown_user = "one";
    begin(NULL, 15 * CLOCK_S);
    EXPECT_INT(await(&proved[1], 1, 5000), true);
    await_shown("accepts a write of 'one'");
    EXPECT_INT(proved[0], 0);
}

Test(fencing, an_api_server_whose_view_is_late_is_waited_for)
{
    const char *const addresses[] = {places[1].address, NULL};

    start_place(&places[1]);
    places[1].late = true;
    places[1].view = 4;
    begin(addresses, 15 * CLOCK_S);
    await_shown("denied request");
    EXPECT_INT(proved[0] + proved[1], 0);
    SET(places[1].late = false);
    EXPECT_INT(all_proved(5000), true);
    EXPECT_INT(asked(&places[0], "PATCH"), 2 * USERS);
}

Test(fencing, a_fence_that_moves_on_before_the_proof_is_told)
{
    SET(places[0].late = true; places[0].view = 4);
    begin(NULL, 15 * CLOCK_S);
    await_shown("denied request");
    SET(term = 9);
    EXPECT_INT(await(&outnumbered, 1, 5000), true);
    EXPECT_INT(outnumbered_by, 9);
}

Test(fencing, an_api_server_that_is_silent_is_done_without_after_a_lease_duration)
{
    const char *const addresses[] = {places[1].address, NULL};
    const int64_t from = clock_now();

    start_place(&places[1]);
    http_server_stop(host_steal(places[1].server)); /* nobody listens there now */
    begin(addresses, CLOCK_S / 2);
    EXPECT_INT(all_proved(5000), true);
    EXPECT_INT(clock_now() - from >= CLOCK_S / 2, true);
    await_shown("not proved by the API server at 127.0.0.1:");
}

Test(fencing, without_any_answer_nothing_is_proved)
{
    term = 4;
    begin(NULL, CLOCK_S / 4);
    SET(places[0].late = true; places[0].view = 3);
    await_shown("denied request");
    http_server_stop(host_steal(places[0].server));
    run(1000);
    EXPECT_INT(proved[0] + proved[1], 0);
}

Test(fencing, in_a_pod_the_endpoints_of_the_service_are_asked)
{
    start_place(&places[1]);
    credentials.in_cluster = true;
    snprintf(endpoints, sizeof(endpoints),
             "{\"items\":[{\"addressType\":\"IPv4\",\"ports\":[{\"port\":%u}],\"endpoints\":["
             "{\"addresses\":[\"127.0.0.1\"]}]}]}",
             (unsigned) http_server_port(places[1].server));
    begin(NULL, 15 * CLOCK_S);
    EXPECT_INT(all_proved(5000), true);
    EXPECT_INT(asked(&places[0], "PATCH"), 2 * USERS);
    EXPECT_INT(asked(&places[1], "PATCH"), 2 * USERS);
}

/* -- Later -- */

Test(fencing, after_a_refused_write_a_fence_that_was_lost_is_made_again)
{
    begin(NULL, 15 * CLOCK_S);
    EXPECT_INT(all_proved(5000), true);
    run(20);
    SET(term = -1);
    app_fencing_check(fencing);
    for (int i = 0; i < 200 && asked(&places[0], "POST") < 2; i++)
        run(10);
    EXPECT_INT(asked(&places[0], "POST"), 2);
    EXPECT_INT(outnumbered, 0);
    EXPECT_INT(proved[0], 1);
}

Test(fencing, after_a_refused_write_a_later_term_is_told)
{
    begin(NULL, 15 * CLOCK_S);
    EXPECT_INT(all_proved(5000), true);
    run(20);
    SET(term = 6);
    app_fencing_check(fencing);
    EXPECT_INT(await(&outnumbered, 1, 5000), true);
    EXPECT_INT(outnumbered_by, 6);
}

Test(fencing, a_term_that_ends_before_its_proofs_hears_of_none)
{
    http_server_hold(places[0].server);
    begin(NULL, 15 * CLOCK_S);
    for (int i = 0; i < 200 && http_server_requests(places[0].server) == 0; i++)
        run(10);
    app_fencing_end(fencing);
    http_server_release(places[0].server);
    run(100);
    EXPECT_INT(http_server_requests(places[0].server), 1);
    EXPECT_INT(proved[0] + proved[1], 0);
    app_fencing_begin(fencing, fence);
    EXPECT_INT(all_proved(5000), true);
}
