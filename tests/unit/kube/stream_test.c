/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are handed on as they come, and what their callback may do. */
#include "rig.h"

#include "base/error.h"

#include <stdatomic.h>
#include <stdio.h>

static rig_t rig;
static atomic_bool go_on; /* lets the handler send the rest */

static void handle(void *arg, http_exchange_t *x)
{
    (void) arg;
    if (strcmp(http_path(x), "/refused") == 0) {
        http_reply_status(x, 410, "Expired", "too old resource version");
        return;
    }
    if (strcmp(http_path(x), "/plain") == 0) {
        http_reply(x, 200, "application/json", "{}");
        return;
    }
    http_chunk_begin(x, 200, "application/json");
    http_chunk(x, "first ", 6);
    if (strcmp(http_path(x), "/stuck") == 0) {
        http_wait_closed(x);
        return;
    }
    while (!atomic_load(&go_on) && http_sleep(x, 5))
        continue;
    http_chunk(x, "second", 6);
    if (strcmp(http_path(x), "/cut") == 0)
        http_drop(x, false);
    else
        http_chunk_end(x);
}

static void start(void)
{
    atomic_store(&go_on, false);
    rig_start(&rig, &(http_server_options_t){.handler = handle}, KUBE_CLIENT_READS);
}

static void finish(void)
{
    rig_stop(&rig);
}

TestSuite(stream, .init = start, .fini = finish, .timeout = 30);

static kube_call_t *watch(answer_t *a, const char *path)
{
    return rig_send(&rig, a,
                    (kube_request_t){.method = "GET", .path = path, .on_data = answer_data});
}

/* rig_send sets on_done and arg together, so on_data gets the answer, too. */
static void wait_for_data(answer_t *a, size_t len)
{
    for (int i = 0; i < 200 && a->data_len < len; i++)
        rig_run(&rig, 10);
    cr_assert_geq(a->data_len, len, "%zu bytes have come, expected %zu", a->data_len, len);
}

Test(stream, hands_on_chunks_before_the_body_ends)
{
    answer_t a;

    watch(&a, "/watch");
    wait_for_data(&a, 6);
    EXPECT_STR(a.data, "first ");
    EXPECT_INT(a.count, 0);
    atomic_store(&go_on, true);
    rig_wait(&rig, &a);
    EXPECT_STR(a.data, "first second");
    EXPECT_INT(a.code, 0);
    EXPECT_INT(a.body_len, 0);
}

Test(stream, collects_the_body_of_a_refusal_instead)
{
    answer_t a;

    watch(&a, "/refused");
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EGONE);
    EXPECT_STR(a.reason, "Expired");
    EXPECT_INT(a.data_len, 0);
}

Test(stream, a_body_that_is_cut_off_is_an_error)
{
    answer_t a;

    atomic_store(&go_on, true);
    watch(&a, "/cut");
    rig_wait(&rig, &a);
    EXPECT_STR(a.data, "first second");
    EXPECT_INT(a.code, LH_EIO);
    EXPECT_INT(a.status, 200);
    EXPECT_INT(http_server_requests(rig.server), 1);
}

static int refuse_data(void *arg, const char *data, size_t len, lh_error_t *err)
{
    (void) arg, (void) data, (void) len;
    return host_fail(err, LH_EPARSE, "this is no event");
}

Test(stream, ends_with_the_code_of_the_data_callback)
{
    answer_t a;

    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/watch", .on_data = refuse_data});
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EPARSE);
    EXPECT_STR(a.error.text, "GET /watch: this is no event");
}

Test(stream, cancelling_closes_the_stream)
{
    answer_t a;
    kube_call_t *call = watch(&a, "/stuck");

    wait_for_data(&a, 6);
    kube_call_cancel(call);
    cr_expect(http_server_wait_idle(rig.server, 2000), "the connection is still open");
    rig_run(&rig, 20);
    EXPECT_INT(a.count, 0);
}

/* From within on_data of one call another is cancelled and a third is sent. */
static kube_call_t *victim;
static answer_t third;

static void third_done(void *arg, const kube_result_t *result)
{
    (void) arg;
    third.count++;
    third.code = result->code;
    loop_stop(rig.loop);
}

static int meddle(void *arg, const char *data, size_t len, lh_error_t *err)
{
    (void) data, (void) len;
    (void) arg;
    if (victim != NULL) {
        kube_call_cancel(victim);
        victim = NULL;
        return kube_client_send(
            rig.client, &(kube_request_t){.method = "GET", .path = "/plain", .on_done = third_done},
            NULL, err);
    }
    return 0;
}

Test(stream, the_data_callback_may_send_and_cancel_others)
{
    answer_t a, b;

    third.count = 0;
    victim = watch(&b, "/watch");
    wait_for_data(&b, 6);
    atomic_store(&go_on, false);
    kube_call_t *call =
        rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/watch", .on_data = meddle});
    rig_wait(&rig, &third);
    EXPECT_INT(third.code, 0);
    atomic_store(&go_on, true);
    rig_wait(&rig, &a);
    (void) call;
    EXPECT_INT(a.code, 0);
    EXPECT_INT(b.count, 0);
}

static int send_and_cancel(void *arg, const char *data, size_t len, lh_error_t *err)
{
    kube_call_t *call = NULL;

    (void) arg, (void) data, (void) len;
    int ret = kube_client_send(
        rig.client, &(kube_request_t){.method = "GET", .path = "/plain", .on_done = third_done},
        &call, err);
    if (ret == 0)
        kube_call_cancel(call);
    return ret;
}

Test(stream, a_call_sent_and_cancelled_within_the_data_callback_is_never_sent)
{
    answer_t a;

    third.count = 0;
    atomic_store(&go_on, true);
    rig_send(&rig, &a,
             (kube_request_t){.method = "GET", .path = "/watch", .on_data = send_and_cancel});
    rig_wait(&rig, &a);
    rig_run(&rig, 20);
    EXPECT_INT(third.count, 0);
    EXPECT_INT(http_server_requests(rig.server), 1);
}
