/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static rig_t rig;

static void handle(void *arg, http_exchange_t *x)
{
    const char *path = http_path(x);

    (void) arg;
    if (strcmp(path, "/conflict") == 0)
        http_reply_status(x, 409, "Conflict", "the object has been modified");
    else if (strcmp(path, "/proxy") == 0)
        http_reply(x, 404, "text/html", "<html>nothing here</html>");
    else if (strcmp(path, "/busy") == 0)
        http_reply_with(x, 429, "application/json", "Retry-After: 7", "{}");
    else if (strcmp(path, "/redirect") == 0)
        http_reply_with(x, 302, "text/plain", "Location: /elsewhere", "");
    else if (strcmp(path, "/hang") == 0)
        http_wait_closed(x);
    else if (strcmp(path, "/drop") == 0)
        http_drop(x, false);
    else
        http_reply(x, 200, "application/json", "{\"a\":1}");
}

static void start(void)
{
    rig_start(&rig, &(http_server_options_t){.handler = handle}, KUBE_CLIENT_READS);
}

static void finish(void)
{
    rig_stop(&rig);
}

TestSuite(client, .init = start, .fini = finish, .timeout = 30);

/* -- Requests and answers -- */

Test(client, gives_the_body_of_a_2xx_answer)
{
    answer_t a;

    rig_get(&rig, &a, "/api/v1/pods?limit=5");
    EXPECT_INT(a.code, 0);
    EXPECT_INT(a.status, 200);
    EXPECT_STR(a.body, "{\"a\":1}");
    EXPECT_INT(a.body_len, 7);
    EXPECT_STR(http_server_line(rig.server, 0), "GET /api/v1/pods?limit=5");
}

Test(client, names_itself_and_the_plugin_in_the_user_agent)
{
    answer_t a;

    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/x", .agent = "hello"});
    rig_wait(&rig, &a);
    const char *agent = http_server_header(rig.server, 0, "User-Agent");
    cr_assert_not_null(agent);
    cr_expect(strncmp(agent, "leasehold/", 10) == 0, "agent is %s", agent);
    EXPECT_HAS(agent, " (linux/");
    EXPECT_HAS(agent, ") hello");
}

/* In the place of the one for reads: it may write without a fence. */
static void use_lease_client(void)
{
    rig_client(&rig, &(kube_client_options_t){.kind = KUBE_CLIENT_LEASE});
}

Test(client, sends_accept_content_type_and_body_as_asked)
{
    answer_t a;

    use_lease_client();
    rig_send(&rig, &a,
             (kube_request_t){.method = "PATCH",
                              .path = "/x",
                              .body = "{\"p\":2}",
                              .body_len = 7,
                              .content_type = "application/merge-patch+json",
                              .accept = "application/json;as=Table"});
    rig_wait(&rig, &a);
    EXPECT_STR(http_server_line(rig.server, 0), "PATCH /x");
    EXPECT_STR(http_server_body(rig.server, 0), "{\"p\":2}");
    EXPECT_STR(http_server_header(rig.server, 0, "Content-Type"), "application/merge-patch+json");
    EXPECT_STR(http_server_header(rig.server, 0, "Accept"), "application/json;as=Table");
    EXPECT_STR(http_server_header(rig.server, 0, "Content-Length"), "7");
    cr_expect_null(http_server_header(rig.server, 0, "Expect"));
    cr_expect_null(http_server_header(rig.server, 0, "Authorization"));
}

Test(client, gives_a_write_without_a_body_an_empty_object)
{
    answer_t a;

    use_lease_client();
    rig_send(&rig, &a, (kube_request_t){.method = "DELETE", .path = "/x"});
    rig_wait(&rig, &a);
    EXPECT_STR(http_server_line(rig.server, 0), "DELETE /x");
    EXPECT_STR(http_server_body(rig.server, 0), "{}");
}

Test(client, decodes_a_status_answer)
{
    answer_t a;

    rig_get(&rig, &a, "/conflict");
    EXPECT_INT(a.code, LH_ECONFLICT);
    EXPECT_INT(a.status, 409);
    EXPECT_STR(a.reason, "Conflict");
    EXPECT_INT(a.named_status, true);
    EXPECT_INT(a.error.code, LH_ECONFLICT);
    EXPECT_INT(a.error.status, 409);
    EXPECT_STR(a.error.text, "GET /conflict: 409 Conflict: the object has been modified");
    EXPECT_HAS(a.body, "\"kind\":\"Status\"");
}

Test(client, tells_a_proxys_page_from_a_status)
{
    answer_t a;

    rig_get(&rig, &a, "/proxy");
    EXPECT_INT(a.code, LH_ENOTFOUND);
    EXPECT_INT(a.named_status, false);
    EXPECT_STR(a.reason, "");
    EXPECT_STR(a.error.text, "GET /proxy: 404 Not Found");
}

Test(client, reads_retry_after)
{
    answer_t a;

    rig_get(&rig, &a, "/busy");
    EXPECT_INT(a.code, LH_ETHROTTLED);
    EXPECT_INT(a.retry_after, 7 * CLOCK_S);
}

Test(client, does_not_follow_redirects)
{
    answer_t a;

    rig_get(&rig, &a, "/redirect");
    EXPECT_INT(a.status, 302);
    EXPECT_INT(a.code, LH_EAPI);
    EXPECT_INT(http_server_requests(rig.server), 1);
}

Test(client, sent_at_lies_between_the_call_and_the_answer)
{
    answer_t a;
    int64_t before = clock_now();

    rig_get(&rig, &a, "/x");
    cr_expect(a.sent_at >= before, "%ld before %ld", (long) a.sent_at, (long) before);
    cr_expect(a.sent_at <= clock_now(), "%ld is in the future", (long) a.sent_at);
}

Test(client, keeps_one_connection_for_requests_one_after_another)
{
    answer_t a;

    for (int i = 0; i < 5; i++)
        rig_get(&rig, &a, "/x");
    EXPECT_INT(http_server_requests(rig.server), 5);
    EXPECT_INT(http_server_connections(rig.server), 1);
}

Test(client, answers_many_requests_at_once)
{
    enum { COUNT = 250 }; /* more than one lane takes */
    answer_t *answers = host_xcalloc(COUNT, sizeof(*answers));

    for (int i = 0; i < COUNT; i++)
        rig_send(&rig, &answers[i], (kube_request_t){.method = "GET", .path = "/x"});
    for (int i = 0; i < COUNT; i++) {
        if (answers[i].count == 0)
            rig_wait(&rig, &answers[i]);
        cr_assert_eq(answers[i].code, 0, "%d: %s", i, answers[i].error.text);
    }
    EXPECT_INT(http_server_requests(rig.server), COUNT);
    free(answers);
}

/* -- What is refused before it is sent -- */

static void expect_refused(kube_request_t request, const char *part)
{
    lh_error_t err = {0};

    request.on_done = NULL;
    EXPECT_INT(kube_client_send(rig.client, &request, NULL, &err), LH_EINVAL);
    EXPECT_HAS(err.text, part);
}

Test(client, refuses_requests_that_would_break_the_protocol)
{
    expect_refused((kube_request_t){.method = "HEAD", .path = "/x"}, "method 'HEAD'");
    expect_refused((kube_request_t){.method = "GET", .path = "x"}, "path 'x'");
    expect_refused((kube_request_t){.method = "GET", .path = "/x y"}, "percent-encoded");
    expect_refused((kube_request_t){.method = "GET", .path = "/x#y"}, "percent-encoded");
    expect_refused((kube_request_t){.method = "GET", .path = "/x", .accept = "a\r\nB: c"},
                   "control character");
    expect_refused((kube_request_t){.method = "PUT", .path = "/x", .content_type = "a\nb"},
                   "control character");
    expect_refused((kube_request_t){.method = "GET", .path = "/x", .agent = "a\nb"},
                   "control character");
    EXPECT_INT(http_server_connections(rig.server), 0);
}

Test(client, for_reads_refuses_a_write_even_with_a_fence)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    fence_t *fence = fence_create(1, CLOCK_NEVER);

    for (size_t i = 0; i < HOST_LEN(methods); i++)
        expect_refused((kube_request_t){.method = methods[i], .path = "/x", .fence = fence},
                       "a client for reads sends no writes");
    EXPECT_INT(http_server_connections(rig.server), 0);
    fence_unref(fence);
}

/* -- Failures -- */

Test(client, times_out_in_time)
{
    answer_t a;
    int64_t before = clock_now();

    rig_send(&rig, &a,
             (kube_request_t){.method = "GET", .path = "/hang", .timeout = 200 * CLOCK_MS});
    rig_wait(&rig, &a);
    int64_t took = clock_now() - before;
    EXPECT_INT(a.code, LH_ETIMEDOUT);
    EXPECT_INT(a.status, 0);
    EXPECT_STR(a.error.text, "GET /hang: no answer within 0.2 s");
    cr_expect(took >= 200 * CLOCK_MS && took < 1500 * CLOCK_MS, "it took %ld ms",
              (long) (took / CLOCK_MS));
}

/* libcurl's resolver thread comes here. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    const struct timespec pause = {.tv_sec = 3};

    (void) node, (void) service, (void) hints, (void) out;
    nanosleep(&pause, NULL);
    return EAI_AGAIN;
}

Test(client, does_not_wait_for_the_resolver_after_a_timeout)
{
    answer_t a;

    rig.credentials.server = (char *) "https://slow.leasehold.invalid:6443";
    rig_client(&rig, &(kube_client_options_t){0});
    int64_t before = clock_now();
    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/x", .timeout = 100 * CLOCK_MS});
    rig_wait(&rig, &a);
    int64_t took = clock_now() - before;
    EXPECT_INT(a.code, LH_ETIMEDOUT);
    EXPECT_INT(a.sent_at, 0);
    cr_expect(took < 1500 * CLOCK_MS, "it took %ld ms", (long) (took / CLOCK_MS));
}

Test(client, says_that_the_connection_is_refused)
{
    answer_t a;
    char want[128];
    uint16_t port = http_server_port(rig.server);

    http_server_stop(rig.server);
    rig.server = NULL;
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
    rig.credentials.server = url;
    rig_client(&rig, &(kube_client_options_t){0});
    rig_get(&rig, &a, "/x?limit=1");
    EXPECT_INT(a.code, LH_EUNAVAILABLE);
    EXPECT_INT(a.sent_at, 0);
    snprintf(want, sizeof(want), "GET /x: cannot reach http://127.0.0.1:%u: Connection refused",
             port);
    EXPECT_STR(a.error.text, want);
}

static int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    cr_assert_not_null(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

/* A port where connecting takes for ever: nobody accepts, and the queue is full. */
static uint16_t deaf_port(int fds[4])
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);

    for (int i = 0; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        cr_assert(fds[i] >= 0);
    }
    cr_assert_eq(bind(fds[0], (struct sockaddr *) &addr, len), 0);
    cr_assert_eq(listen(fds[0], 0), 0);
    cr_assert_eq(getsockname(fds[0], (struct sockaddr *) &addr, &len), 0);
    for (int i = 1; i < 4; i++)
        (void) connect(fds[i], (struct sockaddr *) &addr, len);
    return ntohs(addr.sin_port);
}

/* libcurl closes such a socket without telling (close_socket is not called). */
Test(client, a_connection_that_is_given_up_leaves_nothing_behind)
{
    int fds[4];
    char url[64];
    answer_t a;

    snprintf(url, sizeof(url), "http://127.0.0.1:%u", deaf_port(fds));
    rig.credentials.server = url;
    rig_client(&rig, &(kube_client_options_t){0});
    int before = count_fds();
    for (int i = 0; i < 3; i++) {
        rig_send(&rig, &a,
                 (kube_request_t){.method = "GET", .path = "/x", .timeout = 100 * CLOCK_MS});
        rig_wait(&rig, &a);
        EXPECT_INT(a.code, LH_ETIMEDOUT);
        EXPECT_INT(a.sent_at, 0);
        EXPECT_INT(count_fds(), before);
    }
    for (int i = 0; i < 4; i++)
        close(fds[i]);
}

Test(client, an_answer_that_never_comes_is_an_io_error)
{
    answer_t a;

    rig_get(&rig, &a, "/drop");
    EXPECT_INT(a.code, LH_EIO);
    EXPECT_INT(a.status, 0);
    cr_expect(a.sent_at != 0, "it was sent");
}

Test(client, repeats_a_read_when_a_reused_connection_dies_under_it)
{
    answer_t a;

    rig_get(&rig, &a, "/x");
    rig_get(&rig, &a, "/drop");
    EXPECT_INT(a.code, LH_EIO); /* dropped the second time as well */
    EXPECT_INT(http_server_requests(rig.server), 3);
}

Test(client, an_idle_connection_that_died_costs_nothing)
{
    answer_t a;

    rig_get(&rig, &a, "/x");
    http_server_drop_all(rig.server, false);
    cr_assert(http_server_wait_idle(rig.server, 2000));
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.code, 0);
    EXPECT_INT(http_server_requests(rig.server), 2);
}

Test(client, refuses_a_body_that_is_larger_than_allowed)
{
    answer_t a;

    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/x", .max_body = 6});
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_ETOOBIG);
    EXPECT_STR(a.error.text, "GET /x: the answer is larger than allowed");
    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/x", .max_body = 7});
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, 0);
}

/* The server learns of a closed connection a little later. */
static void expect_open_connections(size_t n)
{
    for (int i = 0; i < 400 && http_server_open_connections(rig.server) != n; i++)
        rig_run(&rig, 5);
    EXPECT_INT(http_server_open_connections(rig.server), n);
}

/* -- Cancelling -- */

Test(client, a_cancelled_call_is_never_heard_of_again)
{
    answer_t a, b;

    kube_call_t *call = rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/x"});
    kube_call_cancel(call);
    rig_get(&rig, &b, "/y");
    EXPECT_INT(a.count, 0);
    EXPECT_INT(b.code, 0);
}

struct pair {
    answer_t *first;
    kube_call_t *other;
};

static void cancel_other(void *arg, const kube_result_t *result)
{
    struct pair *p = arg;

    (void) result;
    p->first->count++;
    kube_call_cancel(p->other);
    loop_stop(rig.loop);
}

Test(client, a_call_may_be_cancelled_when_another_is_done)
{
    answer_t a, b;
    struct pair p = {.first = &a};

    p.other = rig_send(&rig, &b, (kube_request_t){.method = "GET", .path = "/hang"});
    rig_send(&rig, &a,
             (kube_request_t){.method = "GET", .path = "/x", .on_done = cancel_other, .arg = &p});
    rig_wait(&rig, &a);
    rig_run(&rig, 50);
    EXPECT_INT(b.count, 0);
    expect_open_connections(1);
}

Test(client, destroying_the_client_ends_its_calls_silently)
{
    answer_t a, b;

    use_lease_client();
    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/hang"});
    rig_send(&rig, &b, (kube_request_t){.method = "PUT", .path = "/hang"});
    rig_run(&rig, 50);
    EXPECT_INT(http_server_requests(rig.server), 2);
    kube_client_destroy(rig.client);
    rig.client = NULL;
    cr_expect(http_server_wait_idle(rig.server, 2000), "connections stay open");
    EXPECT_INT(a.count + b.count, 0);
}

/* -- Fresh connections -- */

Test(client, a_fresh_request_leaves_the_connection_for_itself_and_those_after_it)
{
    answer_t a, b, c;

    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/x"});
    rig_wait(&rig, &a);
    rig_send(&rig, &b, (kube_request_t){.method = "GET", .path = "/y", .fresh_connection = true});
    rig_wait(&rig, &b);
    rig_get(&rig, &c, "/z");
    EXPECT_INT(http_server_connection_of(rig.server, 0), 0);
    EXPECT_INT(http_server_connection_of(rig.server, 1), 1);
    EXPECT_INT(http_server_connection_of(rig.server, 2), 1);
    expect_open_connections(1);
}

Test(client, an_answer_on_the_connection_that_was_left_still_arrives)
{
    answer_t a, b;

    http_server_hold(rig.server);
    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/x"});
    rig_run(&rig, 50);
    rig_send(&rig, &b, (kube_request_t){.method = "GET", .path = "/y", .fresh_connection = true});
    rig_run(&rig, 50);
    http_server_release(rig.server);
    rig_run(&rig, 100);
    EXPECT_INT(a.count, 1);
    EXPECT_INT(a.code, 0);
    EXPECT_INT(b.count, 1);
    EXPECT_INT(http_server_connections(rig.server), 2);
}

Test(client, a_request_that_got_no_answer_leaves_its_connection)
{
    answer_t a, b;

    rig_get(&rig, &a, "/x");
    rig_send(&rig, &a,
             (kube_request_t){.method = "GET", .path = "/hang", .timeout = 100 * CLOCK_MS});
    rig_wait(&rig, &a);
    rig_get(&rig, &b, "/x");
    EXPECT_INT(b.code, 0);
    EXPECT_INT(http_server_connection_of(rig.server, 2), 1);
}

/* -- Metrics -- */

Test(client, counts_requests_by_code_method_and_host)
{
    metrics_t *m = metrics_create();
    answer_t a;
    char series[160];

    rig_client(&rig, &(kube_client_options_t){.metrics = m});
    rig_get(&rig, &a, "/x");
    rig_get(&rig, &a, "/conflict");
    rig_get(&rig, &a, "/conflict");
    rig_get(&rig, &a, "/drop"); /* twice: it is repeated */
    unsigned port = http_server_port(rig.server);
    snprintf(series, sizeof(series),
             "rest_client_requests_total{code=\"200\",method=\"GET\",host=\"127.0.0.1:%u\"}", port);
    EXPECT_INT(rig_metric(m, series), 1);
    snprintf(series, sizeof(series),
             "rest_client_requests_total{code=\"409\",method=\"GET\",host=\"127.0.0.1:%u\"}", port);
    EXPECT_INT(rig_metric(m, series), 2);
    snprintf(series, sizeof(series),
             "rest_client_requests_total{code=\"<error>\",method=\"GET\",host=\"127.0.0.1:%u\"}",
             port);
    EXPECT_INT(rig_metric(m, series), 1);
    snprintf(series, sizeof(series),
             "rest_client_request_duration_seconds_count{verb=\"GET\",host=\"127.0.0.1:%u\"}",
             port);
    EXPECT_INT(rig_metric(m, series), 4);
    kube_client_destroy(rig.client);
    rig.client = NULL;
    metrics_destroy(m);
}

/* Expects the value of a series with the label host="HOST:<the server's port>" as its last. */
static void expect_series(metrics_t *m, const char *name, const char *host, double expected)
{
    host_cleanup(host_freep) char *series =
        host_xprintf("%s,host=\"%s:%u\"}", name, host, (unsigned) http_server_port(rig.server));
    const double value = rig_metric(m, series);

    cr_expect(value > expected - 1e-9 && value < expected + 1e-9, "%s is %g, expected %g", series,
              value, expected);
}

Test(client, measures_sizes_waits_and_repetitions)
{
    metrics_t *m = metrics_create();
    answer_t a;

    rig_client(&rig, &(kube_client_options_t){.kind = KUBE_CLIENT_LEASE, .metrics = m});
    rig_get(&rig, &a, "/x");
    const double body = (double) a.body_len;

    rig_get(&rig, &a, "/drop"); /* twice: it is repeated */
    rig_send(&rig, &a,
             (kube_request_t){.method = "POST", .path = "/x", .body = "{\"a\":1}", .body_len = 7});
    rig_wait(&rig, &a);
    rig_get(&rig, &a, "/x?watch=1");
    EXPECT_INT(a.status, 200);
    expect_series(m, "rest_client_request_retries_total{code=\"<error>\",verb=\"GET\"", "127.0.0.1",
                  1);
    expect_series(m, "rest_client_request_size_bytes_sum{verb=\"POST\"", "127.0.0.1", 7);
    expect_series(m, "rest_client_request_size_bytes_sum{verb=\"GET\"", "127.0.0.1", 0);
    expect_series(m, "rest_client_request_size_bytes_count{verb=\"GET\"", "127.0.0.1", 3);
    expect_series(m, "rest_client_response_size_bytes_count{verb=\"GET\"", "127.0.0.1", 1);
    expect_series(m, "rest_client_response_size_bytes_sum{verb=\"GET\"", "127.0.0.1", body);
    expect_series(m, "rest_client_rate_limiter_duration_seconds_count{verb=\"GET\"", "127.0.0.1",
                  3);
    cr_expect(rig_metric(m, "rest_client_dns_resolution") < 0, "an address was looked up");
    kube_client_destroy(rig.client);
    rig.client = NULL;
    metrics_destroy(m);
}

Test(client, measures_lookups_of_names_once_a_connection)
{
    metrics_t *m = metrics_create();
    char *real = rig.credentials.server;
    host_cleanup(host_freep) char *named =
        host_xprintf("http://localhost:%u", (unsigned) http_server_port(rig.server));
    answer_t a;

    rig.credentials.server = named;
    rig_client(&rig, &(kube_client_options_t){.metrics = m});
    rig_get(&rig, &a, "/x");
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.status, 200);
    EXPECT_INT(
        rig_metric(m, "rest_client_dns_resolution_duration_seconds_count{host=\"localhost\"}"), 1);
    expect_series(m, "rest_client_requests_total{code=\"200\",method=\"GET\"", "localhost", 2);
    kube_client_destroy(rig.client);
    rig.client = NULL;
    rig.credentials.server = real;
    metrics_destroy(m);
}

/* -- As somebody else, somewhere else -- */

Test(client, a_request_as_an_actor_carries_its_user_term_and_holder)
{
    const kube_actor_t actor = {.user = "system:serviceaccount:ns:x", .holder = "a", .term = 7};
    answer_t a;

    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/x", .as = &actor});
    rig_wait(&rig, &a);
    EXPECT_STR(http_server_header(rig.server, 0, "Impersonate-User"), "system:serviceaccount:ns:x");
    EXPECT_STR(http_server_header(rig.server, 0, "Impersonate-Extra-leasehold.dev%2Fterm"), "7");
    EXPECT_STR(http_server_header(rig.server, 0, "Impersonate-Extra-leasehold.dev%2Fholder"), "a");
    rig_get(&rig, &a, "/y");
    EXPECT_INT(http_server_header(rig.server, 1, "Impersonate-User") == NULL, true);
}

Test(client, an_actor_that_would_end_a_header_is_refused)
{
    const kube_actor_t actor = {.user = "x", .holder = "a\r\nEvil: 1"};
    const kube_request_t request = {.method = "GET", .path = "/x", .as = &actor};
    lh_error_t err = {0};

    EXPECT_INT(kube_client_send(rig.client, &request, NULL, &err), LH_EINVAL);
    EXPECT_STR(err.text, "GET /x: a user or holder holds a control character");
}

Test(client, of_one_address_asks_there_under_the_servers_name)
{
    host_cleanup(host_freep) char *address =
        host_xprintf("127.0.0.1:%u", (unsigned) http_server_port(rig.server));
    char *real = rig.credentials.server;
    answer_t a;

    rig.credentials.server = (char *) (uintptr_t) "http://kube.invalid:6443";
    rig_client(&rig, &(kube_client_options_t){.kind = KUBE_CLIENT_READS, .address = address});
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.status, 200);
    EXPECT_STR(http_server_header(rig.server, 0, "Host"), "kube.invalid:6443");
    rig.credentials.server = real;
}
