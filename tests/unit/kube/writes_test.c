/* SPDX-License-Identifier: Apache-2.0 */
/* The write path: fence, gate, second attempts, cutting. */
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

static rig_t rig;
static fence_t *fence;

static void handle(void *arg, http_exchange_t *x)
{
    (void) arg;
    if (strcmp(http_path(x), "/drop") == 0)
        http_drop(x, false);
    else if (strcmp(http_path(x), "/hang") == 0)
        http_wait_closed(x);
    else if (strcmp(http_path(x), "/unavailable") == 0)
        http_reply_status(x, 503, "ServiceUnavailable", "try later");
    else if (strcmp(http_path(x), "/conflict") == 0)
        http_reply_status(x, 409, "Conflict", "modified");
    else
        http_reply(x, 200, "application/json", "{}");
}

static void start(void)
{
    rig_start(&rig, &(http_server_options_t){.handler = handle}, KUBE_CLIENT_WRITES);
    fence = fence_create(1, CLOCK_NEVER);
}

static void finish(void)
{
    rig_stop(&rig);
    fence_unref(fence);
}

TestSuite(writes, .init = start, .fini = finish, .timeout = 30);

static kube_call_t *put(answer_t *a, const char *path)
{
    return rig_send(&rig, a,
                    (kube_request_t){.method = "PUT",
                                     .path = path,
                                     .body = "{\"kind\":\"X\"}",
                                     .body_len = 12,
                                     .fence = fence});
}

/* Turns the loop until the server has n requests. */
static void wait_for_requests(size_t n)
{
    for (int i = 0; i < 500 && http_server_requests(rig.server) < n; i++)
        rig_run(&rig, 5);
    cr_assert_eq(http_server_requests(rig.server), n);
}

static int refused_code(kube_request_t request)
{
    lh_error_t err = {0};
    return kube_client_send(rig.client, &request, NULL, &err);
}

/* -- Admission -- */

Test(writes, a_write_under_an_open_fence_is_answered)
{
    answer_t a;

    put(&a, "/x");
    EXPECT_INT(kube_client_in_flight(rig.client), 0);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, 0);
    EXPECT_STR(http_server_body(rig.server, 0), "{\"kind\":\"X\"}");
    EXPECT_INT(kube_client_in_flight(rig.client), 0);
    EXPECT_INT(kube_client_unknown_since(rig.client, 1), false);
}

Test(writes, a_write_without_a_fence_is_refused)
{
    EXPECT_INT(refused_code((kube_request_t){.method = "PUT", .path = "/x"}), LH_EINVAL);
}

Test(writes, a_closed_fence_refuses_at_once)
{
    fence_close(fence);
    EXPECT_INT(refused_code((kube_request_t){.method = "PUT", .path = "/x", .fence = fence}),
               LH_EFENCED);
    EXPECT_INT(http_server_connections(rig.server), 0);
}

Test(writes, a_fence_past_its_deadline_refuses_at_once)
{
    fence_unref(fence);
    fence = fence_create(1, clock_now() - 1);
    EXPECT_INT(refused_code((kube_request_t){.method = "PUT", .path = "/x", .fence = fence}),
               LH_EFENCED);
}

Test(writes, a_fence_that_closes_before_the_sending_keeps_everything_back)
{
    answer_t a;

    put(&a, "/x");
    fence_close(fence);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EFENCED);
    EXPECT_INT(a.sent_at, 0);
    EXPECT_STR(a.error.text, "PUT /x: the term is over; nothing was sent");
    rig_run(&rig, 50);
    EXPECT_INT(http_server_requests(rig.server), 0);
    EXPECT_INT(kube_client_unknown_since(rig.client, 1), false);
}

Test(writes, a_closed_gate_refuses_new_writes_and_lets_those_in_flight_finish)
{
    answer_t a;

    http_server_hold(rig.server);
    put(&a, "/x");
    wait_for_requests(1);
    EXPECT_INT(kube_client_in_flight(rig.client), 1);
    fence_close_gate(fence);
    EXPECT_INT(refused_code((kube_request_t){.method = "PUT", .path = "/y", .fence = fence}),
               LH_ECANCELED);
    http_server_release(rig.server);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, 0);
    EXPECT_INT(http_server_requests(rig.server), 1);
}

Test(writes, a_gate_that_closes_while_connecting_keeps_everything_back)
{
    answer_t a;

    put(&a, "/x");
    fence_close_gate(fence);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_ECANCELED);
    EXPECT_INT(a.sent_at, 0);
    EXPECT_INT(kube_client_in_flight(rig.client), 0);
    EXPECT_INT(http_server_requests(rig.server), 0);
}

Test(writes, with_an_empty_text_for_a_body_get_an_empty_object)
{
    answer_t a;

    rig_send(&rig, &a,
             (kube_request_t){.method = "DELETE", .path = "/x", .body = "", .fence = fence});
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, 0);
    EXPECT_STR(http_server_body(rig.server, 0), "{}");
}

/* A plugin may ask for any timeout; added to the time it must not overflow. */
Test(writes, with_the_longest_timeout_of_all_are_not_timed_out_at_once)
{
    answer_t a;

    rig_send(
        &rig, &a,
        (kube_request_t){.method = "POST", .path = "/x", .fence = fence, .timeout = INT64_MAX});
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, 0);
    EXPECT_INT(http_server_requests(rig.server), 1);
}

/* -- Outcomes -- */

Test(writes, are_never_sent_twice_when_a_reused_connection_dies)
{
    answer_t a;
    int64_t before = clock_now();

    put(&a, "/x");
    rig_wait(&rig, &a);
    put(&a, "/drop"); /* on the same connection; libcurl would send it again */
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    cr_expect(a.sent_at != 0, "it was sent");
    EXPECT_STR(a.error.text,
               "PUT /drop: the connection was lost before the answer; the outcome is unknown");
    rig_run(&rig, 50);
    EXPECT_INT(http_server_requests(rig.server), 2);
    EXPECT_INT(kube_client_in_flight(rig.client), 0);
    EXPECT_INT(kube_client_unknown_since(rig.client, before), true);
    EXPECT_INT(kube_client_unknown_since(rig.client, clock_now()), false);
}

Test(writes, on_a_new_connection_that_dies_are_unknown)
{
    answer_t a;

    put(&a, "/drop");
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    EXPECT_INT(http_server_requests(rig.server), 1);
}

Test(writes, that_time_out_are_unknown)
{
    answer_t a;

    rig_send(&rig, &a,
             (kube_request_t){
                 .method = "POST", .path = "/hang", .fence = fence, .timeout = 100 * CLOCK_MS});
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    EXPECT_STR(a.error.text, "POST /hang: no answer within 0.1 s; the outcome is unknown");
    EXPECT_INT(kube_client_unknown_since(rig.client, a.sent_at), true);
    EXPECT_INT(kube_client_unknown_since(rig.client, a.sent_at + 1), false);
}

Test(writes, answered_with_5xx_keep_their_code_and_count_as_unknown)
{
    answer_t a;

    put(&a, "/unavailable");
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNAVAILABLE);
    EXPECT_INT(a.status, 503);
    EXPECT_INT(kube_client_unknown_since(rig.client, a.sent_at), true);
}

Test(writes, answered_with_a_conflict_are_known)
{
    answer_t a;

    put(&a, "/conflict");
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_ECONFLICT);
    EXPECT_INT(kube_client_unknown_since(rig.client, 1), false);
}

Test(writes, that_cannot_connect_were_not_sent)
{
    answer_t a;

    http_server_stop(rig.server);
    rig.server = NULL;
    put(&a, "/x");
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNAVAILABLE);
    EXPECT_INT(a.sent_at, 0);
    EXPECT_INT(kube_client_unknown_since(rig.client, 1), false);
}

/* -- Cancelling -- */

Test(writes, cancelled_in_flight_count_until_their_answer_is_in)
{
    answer_t a, b;

    http_server_hold(rig.server);
    kube_call_t *call = put(&a, "/x");
    wait_for_requests(1);
    kube_call_cancel(call);
    EXPECT_INT(kube_client_in_flight(rig.client), 1);
    rig_run(&rig, 50);
    EXPECT_INT(kube_client_in_flight(rig.client), 1);
    EXPECT_INT(http_server_open_connections(rig.server), 1);
    http_server_release(rig.server);
    put(&b, "/y");
    rig_wait(&rig, &b);
    rig_run(&rig, 20);
    EXPECT_INT(kube_client_in_flight(rig.client), 0);
    EXPECT_INT(a.count, 0);
    EXPECT_INT(kube_client_unknown_since(rig.client, 1), false);
}

Test(writes, cancelled_before_they_are_sent_are_not_sent)
{
    answer_t a;

    kube_call_cancel(put(&a, "/x"));
    rig_run(&rig, 50);
    EXPECT_INT(kube_client_in_flight(rig.client), 0);
    EXPECT_INT(http_server_requests(rig.server), 0);
    EXPECT_INT(a.count, 0);
}

/* -- The fence falls -- */

static void *cut_main(void *arg)
{
    (void) arg;
    fence_close(fence);
    kube_client_cut(rig.client);
    return NULL;
}

/* What the elector does, on its thread. */
static void cut_from_another_thread(void)
{
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, cut_main, NULL), 0);
    pthread_join(thread, NULL);
}

Test(writes, in_flight_end_at_once_when_another_thread_cuts)
{
    answer_t a, b, c;

    http_server_hold(rig.server);
    put(&a, "/x");
    put(&b, "/y");
    rig_send(&rig, &c, (kube_request_t){.method = "GET", .path = "/z", .fence = fence});
    wait_for_requests(3);
    int64_t before = clock_now();
    cut_from_another_thread();
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    EXPECT_INT(b.code, LH_EUNKNOWN);
    EXPECT_INT(c.code, LH_EFENCED);
    EXPECT_INT(b.count, 1);
    EXPECT_INT(kube_client_in_flight(rig.client), 0);
    cr_expect(clock_now() - before < 500 * CLOCK_MS, "it took %ld ms",
              (long) ((clock_now() - before) / CLOCK_MS));
    http_server_release(rig.server);
    cr_expect(http_server_wait_idle(rig.server, 2000), "connections are still open");
}

Test(writes, of_a_cut_client_that_are_not_sent_yet_stay_so_even_under_an_open_fence)
{
    answer_t a;

    put(&a, "/x");
    kube_client_cut(rig.client);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EFENCED);
    EXPECT_INT(http_server_requests(rig.server), 0);
}

Test(writes, cancelled_in_flight_end_when_the_fence_falls)
{
    answer_t a;

    http_server_hold(rig.server);
    kube_call_t *call = put(&a, "/x");
    wait_for_requests(1);
    kube_call_cancel(call);
    cut_from_another_thread();
    rig_run(&rig, 50);
    EXPECT_INT(kube_client_in_flight(rig.client), 0);
    EXPECT_INT(a.count, 0);
    EXPECT_INT(kube_client_unknown_since(rig.client, 1), true);
}

Test(writes, whose_answer_comes_after_the_deadline_are_unknown)
{
    answer_t a;

    fence_unref(fence);
    fence = fence_create(1, clock_now() + 100 * CLOCK_MS);
    http_server_hold(rig.server);
    put(&a, "/x");
    wait_for_requests(1);
    rig_run(&rig, 150); /* nobody closes the fence: its deadline passes */
    http_server_release(rig.server);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    EXPECT_HAS(a.error.text, "the term ended while it was under way");
}

Test(writes, of_the_next_term_use_new_connections)
{
    answer_t a, b;

    http_server_hold(rig.server);
    put(&a, "/x");
    wait_for_requests(1);
    cut_from_another_thread();
    rig_wait(&rig, &a);
    http_server_release(rig.server);
    fence_unref(fence);
    fence = fence_create(2, CLOCK_NEVER);
    put(&b, "/y");
    rig_wait(&rig, &b);
    EXPECT_INT(b.code, 0);
    EXPECT_INT(http_server_connection_of(rig.server, 1), 1);
}

Test(writes, of_the_next_term_are_answered_although_idle_connections_were_cut)
{
    answer_t a, b;

    put(&a, "/x");
    rig_wait(&rig, &a);
    cut_from_another_thread();
    fence_unref(fence);
    fence = fence_create(2, CLOCK_NEVER);
    put(&b, "/y");
    rig_wait(&rig, &b);
    EXPECT_STR(b.error.text, "");
    EXPECT_INT(b.code, 0);
    EXPECT_INT(http_server_connection_of(rig.server, 1), 1);
}

/* -- The fence is suspended: the term goes on -- */

Test(writes, under_a_suspended_fence_are_told_to_wait_not_that_the_term_is_over)
{
    lh_error_t err = {0};
    answer_t a;

    fence_suspend(fence);
    const kube_request_t request = {.method = "PUT", .path = "/x", .fence = fence};
    EXPECT_INT(kube_client_send(rig.client, &request, NULL, &err), LH_EUNAVAILABLE);
    EXPECT_STR(err.text, "PUT /x: writes wait until the lease has been renewed; nothing was sent");
    EXPECT_INT(fence_extend(fence, CLOCK_NEVER), true);
    put(&a, "/x");
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, 0);
    fence_suspend(fence);
    fence_close_gate(fence);
    EXPECT_INT(refused_code(request), LH_ECANCELED);
}

Test(writes, not_sent_when_the_fence_is_suspended_may_be_tried_again)
{
    answer_t a;

    put(&a, "/x");
    fence_suspend(fence);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNAVAILABLE);
    EXPECT_INT(a.sent_at, 0);
    EXPECT_HAS(a.error.text, "writes wait until the lease has been renewed; nothing was sent");
    EXPECT_INT(http_server_requests(rig.server), 0);
    EXPECT_INT(kube_client_unknown_since(rig.client, 1), false);
}

Test(writes, in_flight_when_the_fence_is_suspended_are_unknown_and_say_why)
{
    answer_t a, b;

    http_server_hold(rig.server);
    put(&a, "/x");
    wait_for_requests(1);
    fence_suspend(fence);
    http_server_release(rig.server);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    EXPECT_STR(a.error.text,
               "PUT /x: writes were suspended while it was under way; the outcome is unknown");
    EXPECT_INT(fence_extend(fence, CLOCK_NEVER), true);
    put(&b, "/y"); /* on a new connection: the old one was cut */
    rig_wait(&rig, &b);
    EXPECT_INT(b.code, 0);
}

/* -- Between two system calls -- */

/* What happens when libcurl is about to send a head that begins with "PUT /hooked". */
static enum { DO_NOTHING, CLOSE_FENCE, SUSPEND_FENCE, LOSE_CONNECTION } on_send;

/* libcurl comes here, and so does the test server. */
ssize_t send(int fd, const void *data, size_t len, int flags)
{
    if (len > 11 && memcmp(data, "PUT /hooked", 11) == 0) {
        if (on_send == CLOSE_FENCE)
            fence_close(fence);
        if (on_send == SUSPEND_FENCE)
            fence_suspend(fence);
        if (on_send == LOSE_CONNECTION) {
            on_send = DO_NOTHING;
            errno = ECONNRESET;
            return -1;
        }
    }
    return sendto(fd, data, len, flags, NULL, 0);
}

Test(writes, end_without_their_body_when_the_fence_closes_after_the_head)
{
    answer_t a;

    on_send = CLOSE_FENCE;
    put(&a, "/hooked");
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    EXPECT_STR(a.error.text, "PUT /hooked: the term ended while it was being sent; the outcome is "
                             "unknown");
    rig_run(&rig, 50);
    EXPECT_INT(http_server_connections(rig.server), 1);
    EXPECT_INT(http_server_requests(rig.server), 0);
}

Test(writes, end_without_their_body_when_the_fence_is_suspended_after_the_head)
{
    answer_t a;

    on_send = SUSPEND_FENCE;
    put(&a, "/hooked");
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    EXPECT_STR(a.error.text, "PUT /hooked: writes were suspended while it was being sent; the "
                             "outcome is unknown");
    EXPECT_INT(http_server_requests(rig.server), 0);
}

Test(writes, are_not_tried_again_even_if_the_first_attempt_failed_at_its_first_byte)
{
    answer_t a;

    put(&a, "/x");
    rig_wait(&rig, &a);
    on_send = LOSE_CONNECTION; /* a reused one: libcurl goes back and connects again */
    put(&a, "/hooked");
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EIO);
    EXPECT_STR(a.error.text, "PUT /hooked: the connection was lost before the answer; it was not "
                             "sent to its end and has no effect");
    EXPECT_INT(kube_client_unknown_since(rig.client, 1), false);
    EXPECT_INT(on_send, DO_NOTHING);
    rig_run(&rig, 50);
    EXPECT_INT(http_server_requests(rig.server), 1);
}

Test(writes, about_to_be_sent_on_an_idle_connection_see_a_fence_that_has_just_closed)
{
    answer_t a, b;

    put(&a, "/x");
    put(&b, "/x"); /* two connections, idle afterwards */
    rig_wait(&rig, &a);
    if (b.count == 0)
        rig_wait(&rig, &b);
    EXPECT_INT(http_server_connections(rig.server), 2);
    on_send = CLOSE_FENCE;
    put(&a, "/hooked");
    put(&b, "/y"); /* libcurl gets to it within the same call */
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    EXPECT_INT(b.code, LH_EFENCED);
    EXPECT_INT(b.sent_at, 0);
    rig_run(&rig, 50);
    EXPECT_INT(http_server_requests(rig.server), 2);
}

/* -- Queued bytes -- */

enum { BIG = 16 * 1024 * 1024, /* more than the kernel queues */ MEDIUM = 1024 * 1024 /* less */ };
static atomic_bool may_read;
static atomic_long received; /* -1 - n: n bytes and the end */

/* Reads nothing until it may, then everything. */
static bool slow_reader(void *arg, http_conn_t *conn)
{
    static char waste[65536];
    long total = 0, n;

    (void) arg;
    while (!atomic_load(&may_read)) {
        const struct timespec pause = {.tv_nsec = 2000000};
        nanosleep(&pause, NULL);
    }
    while ((n = http_conn_read(conn, waste, sizeof(waste))) > 0)
        total += n;
    atomic_store(&received, -1 - total);
    return false;
}

static long wait_for_end(void)
{
    for (int i = 0; i < 500 && atomic_load(&received) == 0; i++)
        rig_run(&rig, 10);
    cr_assert(atomic_load(&received) != 0, "the server still waits for more");
    return -1 - atomic_load(&received);
}

/* A write of len bytes that stand in the kernel's queue towards a server that does not read. */
static void start_unread_write(answer_t *a, size_t len, int64_t timeout)
{
    host_cleanup(host_freep) char *body = malloc(len);

    cr_assert_not_null(body);
    memset(body, 'x', len);
    finish();
    atomic_store(&may_read, false);
    atomic_store(&received, 0);
    rig_start(&rig, &(http_server_options_t){.on_connection = slow_reader, .receive_buffer = 8192},
              KUBE_CLIENT_WRITES);
    fence = fence_create(1, CLOCK_NEVER);
    rig_send(&rig, a,
             (kube_request_t){.method = "PUT",
                              .path = "/big",
                              .body = body,
                              .body_len = len,
                              .fence = fence,
                              .timeout = timeout});
    rig_run(&rig, 200);
    EXPECT_INT(kube_client_in_flight(rig.client), 1);
}

Test(writes, cutting_drops_what_the_kernel_has_queued)
{
    answer_t a;

    start_unread_write(&a, BIG, 0);
    cut_from_another_thread();
    atomic_store(&may_read, true);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    long got = wait_for_end();
    cr_expect(got < 256 * 1024, "%ld bytes arrived after the cut", got);
}

Test(writes, whose_body_did_not_get_through_in_time_have_no_effect)
{
    answer_t a;

    start_unread_write(&a, BIG, 300 * CLOCK_MS);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_ETIMEDOUT);
    EXPECT_INT(kube_client_unknown_since(rig.client, 1), false);
    atomic_store(&may_read, true);
    long got = wait_for_end();
    cr_expect(got < BIG, "all %ld bytes arrived", got);
}

Test(writes, that_timed_out_leave_nothing_in_the_kernel_for_after_the_fence)
{
    answer_t a;

    start_unread_write(&a, MEDIUM, 300 * CLOCK_MS);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN); /* it was queued to its last byte */
    rig_run(&rig, 20);
    cut_from_another_thread(); /* too late for a socket that is closed */
    atomic_store(&may_read, true);
    long got = wait_for_end();
    cr_expect(got < 256 * 1024, "%ld of %d bytes arrived after the fence had fallen", got, MEDIUM);
}

Test(writes, a_body_is_cut_short_when_the_fence_closes_while_it_is_fed)
{
    answer_t a;

    start_unread_write(&a, BIG, 0);
    fence_close(fence); /* and nobody cuts: the next drive does */
    atomic_store(&may_read, true);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNKNOWN);
    long got = wait_for_end();
    cr_expect(got < BIG, "all %ld bytes arrived", got);
}

/* -- Sockets -- */

/* The client's socket to the server. */
static int client_socket(void)
{
    struct dirent *entry;
    DIR *dir = opendir("/proc/self/fd");
    int found = -1;

    cr_assert_not_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        struct sockaddr_in peer;
        socklen_t len = sizeof(peer);
        int fd = (int) strtol(entry->d_name, NULL, 10);
        if (getpeername(fd, (struct sockaddr *) &peer, &len) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == http_server_port(rig.server))
            found = fd;
    }
    closedir(dir);
    cr_assert(found >= 0, "no connection to the server");
    return found;
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    cr_assert_eq(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

Test(writes, sockets_notice_a_dead_peer)
{
    answer_t a;

    rig_client(&rig, &(kube_client_options_t){.kind = KUBE_CLIENT_WRITES,
                                              .write_user_timeout = 4300 * CLOCK_MS});
    put(&a, "/x");
    rig_wait(&rig, &a);
    int fd = client_socket();
    EXPECT_INT(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_INT(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 5);
    EXPECT_INT(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 2);
    EXPECT_INT(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    EXPECT_INT(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 4300);
}

static int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

Test(writes, terms_leave_no_file_descriptors_behind)
{
    answer_t a;
    int before = 0;

    for (int i = 0; i < 30; i++) {
        put(&a, "/x");
        rig_wait(&rig, &a);
        http_server_hold(rig.server);
        put(&a, "/y");
        rig_run(&rig, 10);
        cut_from_another_thread();
        if (a.count == 0)
            rig_wait(&rig, &a);
        http_server_release(rig.server);
        fence_unref(fence);
        fence = fence_create((uint64_t) i + 2, CLOCK_NEVER);
        cr_assert(http_server_wait_idle(rig.server, 2000));
        if (i == 2)
            before = count_fds();
    }
    EXPECT_INT(count_fds(), before);
}
