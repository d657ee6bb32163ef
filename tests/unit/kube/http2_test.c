/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2: nghttpx (package nghttp2-proxy) stands in front of the test server. */
#include "rig.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static rig_t rig;
static http_tls_t *tls;
static char dir[] = "/tmp/kube-http2-test-XXXXXX";
static char url[64];
static uint16_t port;
static pid_t proxy = -1;
static fence_t *fence;

static void handle(void *arg, http_exchange_t *x)
{
    (void) arg;
    if (strncmp(http_path(x), "/watch", 6) != 0) {
        http_reply(x, 200, "application/json", "{}");
        return;
    }
    http_chunk_begin(x, 200, "application/json");
    http_chunk(x, "event", 5);
    http_wait_closed(x);
}

static uint16_t free_port(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *) &addr, len), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *) &addr, &len), 0);
    close(fd);
    return ntohs(addr.sin_port);
}

static bool is_listening(void)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = connect(fd, (struct sockaddr *) &addr, sizeof(addr)) == 0;

    close(fd);
    return yes;
}

static void start_proxy(void)
{
    char front[64], back[64], key[64], cert[64];
    lh_error_t err = {0};

    snprintf(key, sizeof(key), "%s/key", dir);
    snprintf(cert, sizeof(cert), "%s/cert", dir);
    ASSERT_OK(file_write_atomic(key, tls->key, strlen(tls->key), 0600, &err), err);
    ASSERT_OK(file_write_atomic(cert, tls->cert, strlen(tls->cert), 0600, &err), err);
    snprintf(front, sizeof(front), "-f127.0.0.1,%u", port);
    snprintf(back, sizeof(back), "-b127.0.0.1,%u", http_server_port(rig.server));
    char *argv[] = {"nghttpx",
                    "--conf=/dev/null",
                    front,
                    back,
                    "--workers=1",
                    "--no-ocsp",
                    "--errorlog-file=/dev/null",
                    "--backend-connections-per-frontend=1000",
                    key,
                    cert,
                    NULL};
    proxy = fork();
    if (proxy == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not reach its end */
        if (freopen("/dev/null", "w", stderr) != NULL)
            execvp(argv[0], argv);
        _exit(127);
    }
    for (int i = 0; i < 500 && !is_listening(); i++)
        usleep(10000);
    cr_assert(is_listening(), "nghttpx (package nghttp2-proxy) does not listen");
}

static void stop_proxy(void)
{
    if (proxy > 0) {
        kill(proxy, SIGKILL);
        waitpid(proxy, NULL, 0);
    }
    proxy = -1;
}

static void start(void)
{
    cr_assert_not_null(mkdtemp(dir));
    tls = http_tls_create("IP:127.0.0.1");
    rig_start(&rig, &(http_server_options_t){.handler = handle}, KUBE_CLIENT_READS);
    port = free_port();
    start_proxy();
    snprintf(url, sizeof(url), "https://127.0.0.1:%u", port);
    rig.credentials.server = url;
    rig.credentials.ca_data = tls->ca;
    rig_client(&rig, &(kube_client_options_t){.kind = KUBE_CLIENT_WRITES});
    fence = fence_create(1, CLOCK_NEVER);
}

static void finish(void)
{
    char path[64];

    kube_client_destroy(rig.client);
    rig.client = NULL;
    stop_proxy();
    rig_stop(&rig);
    fence_unref(fence);
    http_tls_destroy(tls);
    static const char *const names[] = {"key", "cert"};
    for (size_t i = 0; i < HOST_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

TestSuite(http2, .init = start, .fini = finish, .timeout = 60);

/* Our connections to the proxy: sockets, whatever the number of their descriptors. */
static int connections(void)
{
    struct dirent *entry;
    DIR *d = opendir("/proc/self/fd");
    in_port_t seen[64];
    int n = 0;

    while ((entry = readdir(d)) != NULL) {
        struct sockaddr_in peer, own;
        socklen_t len = sizeof(peer), own_len = sizeof(own);
        int fd = (int) strtol(entry->d_name, NULL, 10), i = 0;
        if (getpeername(fd, (struct sockaddr *) &peer, &len) < 0 || peer.sin_family != AF_INET ||
            ntohs(peer.sin_port) != port || getsockname(fd, (struct sockaddr *) &own, &own_len) < 0)
            continue;
        while (i < n && seen[i] != own.sin_port)
            i++;
        if (i == n && n < (int) HOST_LEN(seen))
            seen[n++] = own.sin_port;
    }
    closedir(d);
    return n;
}

static kube_call_t *put(answer_t *a, const char *path)
{
    return rig_send(
        &rig, a,
        (kube_request_t){
            .method = "PUT", .path = path, .body = "{\"a\":1}", .body_len = 7, .fence = fence});
}

static void wait_for_requests(size_t n)
{
    for (int i = 0; i < 1000 && http_server_requests(rig.server) < n; i++)
        rig_run(&rig, 5);
    cr_assert_eq(http_server_requests(rig.server), n);
}

Test(http2, requests_share_one_connection)
{
    static answer_t answers[50];

    http_server_hold(rig.server);
    for (int i = 0; i < 50; i++)
        put(&answers[i], "/x");
    wait_for_requests(50);
    EXPECT_INT(connections(), 1);
    EXPECT_INT(kube_client_in_flight(rig.client), 50);
    http_server_release(rig.server);
    for (int i = 0; i < 50; i++) {
        if (answers[i].count == 0)
            rig_wait(&rig, &answers[i]);
        EXPECT_INT(answers[i].code, 0);
    }
    EXPECT_STR(http_server_body(rig.server, 7), "{\"a\":1}");
    EXPECT_STR(http_server_header(rig.server, 7, "Via"), "2 nghttpx");
}

static int count_data(void *arg, const char *data, size_t len, lh_error_t *err)
{
    int *bytes = arg;

    (void) data, (void) err;
    *bytes += (int) len;
    return 0;
}

static void never_done(void *arg, const kube_result_t *result)
{
    (void) arg;
    cr_expect(false, "a watch ended: %d %s", result->code, result->error.text);
}

Test(http2, more_than_a_hundred_streams_open_further_connections)
{
    enum { COUNT = 250 };
    static int bytes[COUNT];
    kube_call_t *calls[COUNT];
    lh_error_t err = {0};

    for (int i = 0; i < COUNT; i++)
        ASSERT_OK(kube_client_send(rig.client,
                                   &(kube_request_t){.method = "GET",
                                                     .path = "/watch",
                                                     .on_data = count_data,
                                                     .on_done = never_done,
                                                     .arg = &bytes[i]},
                                   &calls[i], &err),
                  err);
    wait_for_requests(COUNT);
    rig_run(&rig, 100);
    for (int i = 0; i < COUNT; i++)
        EXPECT_INT(bytes[i], 5);
    EXPECT_INT(connections(), 3);
    for (int i = 0; i < COUNT; i++)
        kube_call_cancel(calls[i]);
    rig_run(&rig, 50);
    EXPECT_INT(connections(), 0);
}

/* libcurl keeps the RST_STREAM back, so the server went on serving the watches of a former leader
 * until its next term. */
Test(http2, the_server_hears_of_a_cancelled_watch_though_nothing_else_is_sent)
{
    kube_call_t *call;
    answer_t a;
    int bytes = 0;
    lh_error_t err = {0};
    const kube_request_t watch = {.method = "GET",
                                  .path = "/watch",
                                  .on_data = count_data,
                                  .on_done = never_done,
                                  .arg = &bytes};

    ASSERT_OK(kube_client_send(rig.client, &watch, &call, &err), err);
    wait_for_requests(1);
    rig_run(&rig, 50);
    EXPECT_INT(connections(), 1);
    kube_call_cancel(call);
    rig_run(&rig, 50);
    EXPECT_INT(connections(), 0);
    rig_get(&rig, &a, "/x"); /* and the client goes on with another connection */
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, 0);
}

Test(http2, cancelling_one_stream_leaves_the_others_alone)
{
    answer_t a, b;

    kube_call_t *first = rig_send(
        &rig, &a, (kube_request_t){.method = "GET", .path = "/watch", .on_data = answer_data});
    wait_for_requests(1);
    kube_call_cancel(first);
    put(&b, "/x");
    rig_wait(&rig, &b);
    EXPECT_INT(b.code, 0);
    EXPECT_INT(connections(), 1);
    EXPECT_INT(a.count, 0);
}

Test(http2, a_request_that_got_no_answer_leaves_its_connection_and_streams_on_it_go_on)
{
    answer_t a, b, c;

    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/watch", .on_data = answer_data});
    wait_for_requests(1);
    http_server_hold(rig.server);
    rig_send(&rig, &b, (kube_request_t){.method = "GET", .path = "/x", .timeout = 100 * CLOCK_MS});
    rig_wait(&rig, &b);
    EXPECT_INT(b.code, LH_ETIMEDOUT);
    EXPECT_INT(connections(), 1);
    http_server_release(rig.server);
    rig_get(&rig, &c, "/y");
    EXPECT_INT(c.code, 0);
    EXPECT_INT(connections(), 2);
    EXPECT_INT(a.count, 0);
}

Test(http2, a_fall_of_the_fence_ends_every_write_and_its_connection)
{
    answer_t a, b;

    http_server_hold(rig.server);
    put(&a, "/x");
    put(&b, "/y");
    wait_for_requests(2);
    fence_close(fence);
    kube_client_cut(rig.client);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    EXPECT_INT(b.code, LH_EUNKNOWN);
    EXPECT_INT(connections(), 0);
    EXPECT_INT(kube_client_in_flight(rig.client), 0);
}

Test(http2, a_write_whose_connection_dies_is_unknown_and_not_repeated)
{
    answer_t a;

    put(&a, "/x");
    rig_wait(&rig, &a);
    http_server_hold(rig.server);
    put(&a, "/y");
    wait_for_requests(2);
    stop_proxy();
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    http_server_release(rig.server);
    start_proxy();
    rig_run(&rig, 50);
    EXPECT_INT(http_server_requests(rig.server), 2);
    put(&a, "/z");
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, 0);
}

Test(http2, a_cancelled_write_stays_in_flight_until_its_answer_is_in)
{
    answer_t a;

    http_server_hold(rig.server);
    kube_call_t *call = put(&a, "/x");
    wait_for_requests(1);
    kube_call_cancel(call);
    EXPECT_INT(kube_client_in_flight(rig.client), 1);
    rig_run(&rig, 50);
    EXPECT_INT(kube_client_in_flight(rig.client), 1);
    http_server_release(rig.server);
    for (int i = 0; i < 200 && kube_client_in_flight(rig.client) != 0; i++)
        rig_run(&rig, 10);
    EXPECT_INT(kube_client_in_flight(rig.client), 0);
    EXPECT_INT(a.count, 0);
    EXPECT_INT(kube_client_unknown_since(rig.client, 1), false);
}

Test(http2, a_large_body_travels_whole)
{
    enum { SIZE = 3 * 1024 * 1024 };
    char *body = malloc(SIZE);
    answer_t a;

    memset(body, 'b', SIZE);
    rig_send(&rig, &a,
             (kube_request_t){
                 .method = "POST", .path = "/x", .body = body, .body_len = SIZE, .fence = fence});
    memset(body, 'c', SIZE); /* it was copied */
    free(body);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, 0);
    const char *got = http_server_body(rig.server, 0);
    EXPECT_INT(strlen(got), SIZE);
    EXPECT_INT(strspn(got, "b"), SIZE);
}
