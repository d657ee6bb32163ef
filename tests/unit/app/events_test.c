/* SPDX-License-Identifier: Apache-2.0 */
/* Events on the Lease: what is sent, and that nothing hangs on it. */
#include "app/events.h"

#include "base/clock.h"
#include "support/expect.h"
#include "support/http_server.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <unistd.h>

static loop_t *loop;
static http_server_t *server;
static kube_credentials_t credentials;
static app_events_t *events;
static log_t *told;
static int log_fds[2];
static int status;

static void answer(void *arg, http_exchange_t *x)
{
    (void) arg;
    if (status == 403)
        http_reply_status(x, 403, "Forbidden", "events is forbidden");
    else
        http_reply(x, 201, "application/json", "{}");
}

static void setup(void)
{
    lh_error_t err = {0};

    status = 201;
    cr_assert_eq(pipe2(log_fds, O_CLOEXEC | O_NONBLOCK), 0);
    told = log_create(log_fds[1], LOG_TEXT, LOG_INFO);
    ASSERT_OK(loop_create(&loop, &err), err);
    server = http_server_start(&(http_server_options_t){.handler = answer});
    credentials = (kube_credentials_t){.server = (char *) http_server_url(server)};
    events = app_events_create(&(app_events_options_t){.loop = loop,
                                                       .credentials = &credentials,
                                                       .log = told,
                                                       .namespace = "ns",
                                                       .lease = "my-lease",
                                                       .identity = "pod-\"0\""});
}

static void teardown(void)
{
    app_events_destroy(events);
    http_server_stop(server);
    loop_destroy(loop);
    log_destroy(told);
    close(log_fds[0]);
    close(log_fds[1]);
}

TestSuite(events, .init = setup, .fini = teardown);

static loop_timer_t alarm_timer;

static void on_alarm(loop_timer_t *timer)
{
    (void) timer;
    loop_stop(loop);
}

static void run(int ms)
{
    loop_timer_init(&alarm_timer, loop, on_alarm);
    loop_timer_set(&alarm_timer, clock_now() + ms * CLOCK_MS);
    loop_run(loop);
}

/* Turns the loop until `count` requests have come and no connection is open, or 5 s are over. */
static bool settled(size_t count)
{
    for (int i = 0; i < 1000; i++) {
        run(5);
        if (http_server_requests(server) >= count && http_server_open_connections(server) == 0)
            return true;
    }
    return false;
}

/* Turns the loop until something is logged, or 5 s are over. */
static const char *logged(void)
{
    static char text[2048];
    ssize_t n = -1;

    for (int i = 0; i < 1000 && n <= 0; i++) {
        run(5);
        n = read(log_fds[0], text, sizeof(text) - 1);
    }
    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* The text at "key" or "parent.key". */
static const char *at(const cJSON *event, const char *path)
{
    const char *dot = strchr(path, '.');
    host_cleanup(host_freep) char *parent =
        dot != NULL ? host_xprintf("%.*s", (int) (dot - path), path) : NULL;
    const cJSON *value = parent != NULL ? cJSON_GetObjectItemCaseSensitive(event, parent) : event;

    value = cJSON_GetObjectItemCaseSensitive(value, dot != NULL ? dot + 1 : path);
    return cJSON_IsString(value) ? value->valuestring : "(none)";
}

Test(events, k3_say_who_became_leader_in_client_gos_words)
{
    app_events_add(events, "u-1", "became leader");
    cr_assert(settled(1), "no request, or its connection stays open");
    EXPECT_STR(http_server_line(server, 0), "POST /apis/events.k8s.io/v1/namespaces/ns/events");
    cJSON *e = cJSON_Parse(http_server_body(server, 0));

    EXPECT_STR(at(e, "apiVersion"), "events.k8s.io/v1");
    EXPECT_STR(at(e, "kind"), "Event");
    EXPECT_STR(at(e, "metadata.namespace"), "ns");
    EXPECT_HAS(at(e, "metadata.name"), "my-lease.");
    EXPECT_STR(at(e, "type"), "Normal");
    EXPECT_STR(at(e, "reason"), "LeaderElection");
    EXPECT_STR(at(e, "action"), "LeaderElection");
    EXPECT_STR(at(e, "note"), "pod-\"0\" became leader");
    EXPECT_STR(at(e, "reportingController"), "leasehold.dev/host");
    EXPECT_STR(at(e, "reportingInstance"), "pod-\"0\"");
    EXPECT_STR(at(e, "regarding.apiVersion"), "coordination.k8s.io/v1");
    EXPECT_STR(at(e, "regarding.kind"), "Lease");
    EXPECT_STR(at(e, "regarding.namespace"), "ns");
    EXPECT_STR(at(e, "regarding.name"), "my-lease");
    EXPECT_STR(at(e, "regarding.uid"), "u-1");
    EXPECT_HAS(at(e, "eventTime"), "T");
    cJSON_Delete(e);
}

Test(events, go_without_a_uid_that_is_not_known)
{
    app_events_add(events, "", "stopped leading: it hands over");
    cr_assert(settled(1));
    cJSON *e = cJSON_Parse(http_server_body(server, 0));

    EXPECT_STR(at(e, "regarding.uid"), "(none)");
    EXPECT_STR(at(e, "note"), "pod-\"0\" stopped leading: it hands over");
    cJSON_Delete(e);
}

Test(events, k4_without_a_recorder_there_are_none)
{
    app_events_add(NULL, "u-1", "became leader");
    EXPECT_INT(http_server_requests(server), 0);
}

Test(events, that_are_refused_are_told_once)
{
    status = 403;
    app_events_add(events, "u-1", "became leader");
    const char *text = logged();
    EXPECT_HAS(text, "INFO  no Events are recorded on the Lease: ");
    EXPECT_HAS(text, "events is forbidden");
    app_events_add(events, "u-1", "stopped leading: x");
    cr_assert(settled(2));
    char more;
    EXPECT_INT(read(log_fds[0], &more, 1), -1);
}

/* A server that does not answer costs at most four requests, and the host's end does not wait. */
Test(events, that_pile_up_are_dropped)
{
    http_server_hold(server);
    for (int i = 0; i < 100; i++)
        app_events_add(events, "u-1", "became leader");
    cr_assert(http_server_requests(server) <= 4);
    for (int i = 0; i < 1000 && http_server_requests(server) < 4; i++)
        run(5);
    run(100); /* for a fifth */
    EXPECT_INT(http_server_requests(server), 4);
    const int64_t begun = clock_now();

    app_events_destroy(host_steal(events));
    cr_expect(clock_now() - begun < CLOCK_S, "took %lld ms",
              (long long) ((clock_now() - begun) / CLOCK_MS));
    http_server_release(server);
}

Test(events, of_a_server_that_is_away_cost_nothing)
{
    credentials.server = (char *) "http://127.0.0.1:1";
    app_events_add(events, "u-1", "became leader");
    EXPECT_HAS(logged(), "no Events are recorded on the Lease: ");
    EXPECT_INT(http_server_requests(server), 0);
}
