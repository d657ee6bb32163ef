/* SPDX-License-Identifier: Apache-2.0 */
/* The ctx table, completion, requests and the cache, as a plugin sees them through its host table. */
#include "services_rig.h"
#include "support/bad_arguments.h"

#include <stdio.h>
#include <string.h>

/* -- Which ctx are live -- */

/* What each function that takes a ctx says of it: cancelled, cache_get, cache_list, enqueue, event,
 * request. */
static void ask_all(rig_t *r, lh_ctx_t ctx, int codes[6])
{
    const lh_key_t key = {sizeof(key), 0, "ns", "one"};
    const lh_query_t query = {.struct_size = sizeof(query)};
    lh_snapshot_t *object = rig_object("one", "ns"), *out = NULL;
    const lh_event_t event = {.struct_size = sizeof(event), .regarding = object, .reason = "Why"};
    lh_cursor_t *cursor = NULL;
    rig_request_t request;

    codes[0] = r->host->cancelled(r->host, ctx);
    codes[1] = r->host->cache_get(r->host, ctx, &key, &out, NULL);
    codes[2] = r->host->cache_list(r->host, ctx, &query, &cursor, NULL);
    codes[3] = r->host->enqueue(r->host, ctx, &key, NULL);
    codes[4] = r->host->event(r->host, ctx, &event, NULL);
    codes[5] = rig_send(r, ctx, "GET", "/api/v1/pods", NULL, &request);
    r->host->snapshot_release(r->host, object);
    plugin_services_cancel(r->services); /* `request` is about to go */
}

static void expect_all(rig_t *r, lh_ctx_t ctx, int code)
{
    static const char *const names[] = {"cancelled", "cache_get", "cache_list",
                                        "enqueue",   "event",     "request"};
    int codes[6];

    ask_all(r, ctx, codes);
    for (int i = 0; i < 6; i++) {
        /* There is no cache in this rig. */
        const int expected = code == 0 && (i == 1 || i == 2) ? LH_EUNAVAILABLE : code;
        cr_expect(codes[i] == expected, "%s gave %d (%s), expected %d", names[i], codes[i],
                  lh_strerror(codes[i]), expected);
    }
}

Test(services, a_live_ctx_is_served)
{
    rig_t *r = rig_create();

    expect_all(r, r->run, 0);
    rig_destroy(r);
    r = rig_create();
    expect_all(r, r->term, 0);
    rig_destroy(r);
}

Test(services, a_ctx_that_was_never_given_out_is_invalid)
{
    rig_t *r = rig_create();

    expect_all(r, (lh_ctx_t){0}, LH_EINVAL);
    expect_all(r, (lh_ctx_t){r->run.id + 1}, LH_EINVAL);
    expect_all(r, (lh_ctx_t){UINT64_MAX}, LH_EINVAL);
    rig_destroy(r);
}

Test(services, a_completed_or_cancelled_ctx_is_refused)
{
    rig_t *r = rig_create();
    const lh_ctx_t other = rig_open(r);

    rig_complete(r, r->run);
    expect_all(r, r->run, LH_ECANCELED);
    loop_turn(r->loop);
    expect_all(r, r->run, LH_ECANCELED);
    plugin_services_cancel(r->services);
    expect_all(r, other, LH_ECANCELED);
    expect_all(r, r->term, LH_ECANCELED);
    rig_destroy(r);
}

Test(services, a_ctx_of_an_ended_term_stays_fenced_in_the_next)
{
    rig_t *r = rig_create();
    const lh_ctx_t run = r->run, term = r->term;

    rig_complete(r, rig_open(r));
    plugin_services_end(r->services);
    expect_all(r, run, LH_EFENCED);
    expect_all(r, term, LH_EFENCED);
    rig_begin(r, 2);
    expect_all(r, run, LH_EFENCED);
    expect_all(r, term, LH_EFENCED);
    expect_all(r, (lh_ctx_t){run.id + 1}, LH_EFENCED); /* completed back then */
    rig_destroy(r);
}

Test(services, rule_10_s14_a_reconcile_that_slept_through_two_terms_cannot_act_under_the_third)
{
    rig_t *r = rig_create();
    const lh_ctx_t run = r->run, term = r->term;
    rig_request_t write;

    for (uint64_t next = 2; next <= 3; next++) {
        plugin_services_end(r->services);
        rig_begin(r, next);
    }
    EXPECT_INT(fence_open(r->fence), true); /* this process leads again, and others may write */
    expect_all(r, run, LH_EFENCED);         /* reads too */
    expect_all(r, term, LH_EFENCED);
    EXPECT_INT(rig_send(r, run, "PUT", "/api/v1/x", "{}", &write), LH_EFENCED);
    EXPECT_INT(rig_send(r, run, "GET", "/api/v1/x", NULL, &write), LH_EFENCED);
    rig_complete(r, run); /* counted, no more */
    rig_destroy(r);
}

Test(services, a_closed_fence_or_gate_is_seen_at_once)
{
    rig_t *r = rig_create();

    fence_close_gate(r->fence);
    expect_all(r, r->run, LH_ECANCELED);
    fence_close(r->fence);
    expect_all(r, r->run, LH_EFENCED);
    rig_complete(r, r->run);
    expect_all(r, r->run, LH_EFENCED);
    rig_destroy(r);
}

Test(services, a_suspended_fence_is_not_told_as_the_end_of_the_term)
{
    rig_t *r = rig_create();
    rig_request_t read, write;

    fence_suspend(r->fence);
    EXPECT_INT(rig_send(r, r->run, "GET", "/api/v1/x", NULL, &read), 0);
    EXPECT_INT(rig_send(r, r->run, "PUT", "/api/v1/x", "{}", &write), 0);
    loop_turn(r->loop);
    EXPECT_INT(read.done, 0); /* both have gone on to the client, which keeps the write back */
    EXPECT_INT(write.done, 0);
    expect_all(r, r->run, 0); /* and cancels it */
    EXPECT_INT(read.code, LH_ECANCELED);
    expect_all(r, r->run, LH_ECANCELED);
    rig_destroy(r);
}

Test(services, an_error_says_its_code)
{
    rig_t *r = rig_create();
    const lh_key_t key = {sizeof(key), 0, "ns", "one"};
    lh_error_t err = {0};

    fence_close(r->fence);
    EXPECT_INT(r->host->enqueue(r->host, r->run, &key, &err), LH_EFENCED);
    EXPECT_INT(err.code, LH_EFENCED);
    EXPECT_HAS(err.text, "term is over");
    rig_destroy(r);
}

/* -- Completion -- */

static void complete(rig_t *r, lh_ctx_t ctx, const lh_result_t *result)
{
    r->host->complete(r->host, (lh_completion_t){ctx.id}, result);
    loop_turn(r->loop);
}

static double stray(rig_t *r)
{
    static const char series[] = "leasehold_plugin_stray_completions_total{controller=\"rig\"} ";
    host_cleanup(host_freep) char *text = rig_metrics(r);
    const char *at = strstr(text, series);

    return at != NULL ? strtod(at + strlen(series), NULL) : -1;
}

Test(services, a_completion_counts_once)
{
    rig_t *r = rig_create();

    complete(r, r->run, &(lh_result_t){sizeof(lh_result_t), LH_REQUEUE_AFTER, 5, "soon"});
    EXPECT_INT(r->completed, r->run.id);
    EXPECT_INT(r->result.action, LH_REQUEUE_AFTER);
    EXPECT_INT(r->result.after_ns, 5);
    EXPECT_STR(r->text, "soon");
    complete(r, r->run, &(lh_result_t){sizeof(lh_result_t), LH_FAIL, 0, "no"});
    EXPECT_INT(r->completions, 1);
    EXPECT_INT(stray(r), 1);
    rig_destroy(r);
}

Test(services, what_is_no_reconcile_cannot_be_completed)
{
    rig_t *r = rig_create();
    const lh_ctx_t old = rig_open(r);

    complete(r, (lh_ctx_t){0}, NULL);
    complete(r, (lh_ctx_t){UINT64_MAX}, NULL);
    complete(r, r->term, NULL);
    EXPECT_INT(r->host->cancelled(r->host, r->term), 0);
    plugin_services_drop(r->services, old.id);
    complete(r, old, NULL);
    plugin_services_end(r->services);
    complete(r, r->run, NULL);
    EXPECT_INT(r->completions, 0);
    EXPECT_INT(stray(r), 5);
    rig_destroy(r);
}

Test(services, a_cancelled_reconcile_may_still_be_completed)
{
    rig_t *r = rig_create();

    plugin_services_cancel(r->services);
    complete(r, r->run, &(lh_result_t){.struct_size = sizeof(lh_result_t)});
    EXPECT_INT(r->completions, 1);
    EXPECT_INT(stray(r), 0);
    rig_destroy(r);
}

Test(services, a_missing_result_is_a_failure)
{
    rig_t *r = rig_create();

    complete(r, r->run, NULL);
    EXPECT_INT(r->result.action, LH_FAIL);
    EXPECT_STR(r->text, "no result was given");
    rig_destroy(r);
}

Test(services, a_result_whose_size_was_not_set_is_no_success)
{
    rig_t *r = rig_create();

    complete(r, r->run, &(lh_result_t){.struct_size = 0, .action = LH_RETRY});
    EXPECT_INT(r->result.action, LH_FAIL);
    complete(r, rig_open(r), &(lh_result_t){.struct_size = 4, .action = LH_RETRY});
    EXPECT_INT(r->result.action, LH_FAIL);
    rig_destroy(r);
}

Test(services, a_shorter_result_of_an_older_plugin_is_understood)
{
    rig_t *r = rig_create();
    const lh_result_t old = {offsetof(lh_result_t, text), LH_REQUEUE_AFTER, 7, (const char *) 1};

    complete(r, r->run, &old);
    EXPECT_INT(r->result.action, LH_REQUEUE_AFTER);
    EXPECT_INT(r->result.after_ns, 7);
    EXPECT_STR(r->text, "(null)");
    rig_destroy(r);
}

Test(services, odd_results_are_put_right)
{
    rig_t *r = rig_create();
    char text[3000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    complete(r, r->run, &(lh_result_t){sizeof(lh_result_t), 99, -5, text});
    EXPECT_INT(r->result.action, LH_FAIL);
    EXPECT_INT(r->result.after_ns, 0);
    EXPECT_INT(strlen(r->text), 1024);
    rig_destroy(r);
}

Test(services, a_completion_after_the_plugin_is_destroyed_does_nothing)
{
    rig_t *r = rig_create();

    plugin_table_end(&r->table);
    complete(r, r->run, NULL);
    EXPECT_INT(r->completions, 0);
    rig_destroy(r);
}

/* -- Structs of another age, NULLs -- */

Test(services, null_arguments_are_refused)
{
    rig_t *r = rig_create();
    const lh_key_t key = {sizeof(key), 0, "ns", "one"}, no_ns = {sizeof(key), 0, NULL, "one"},
                   no_name = {sizeof(key), 0, "ns", NULL}, empty = {sizeof(key), 0, "ns", ""};
    const lh_query_t query = {.struct_size = sizeof(query)};
    const lh_event_t event = {.struct_size = sizeof(event), .reason = "Why"};
    lh_snapshot_t *out = NULL;
    lh_cursor_t *cursor = NULL;
    const lh_host_t *h = r->host;

    EXPECT_INT(h->cache_get(h, r->run, NULL, &out, NULL), LH_EINVAL);
    EXPECT_INT(h->cache_get(h, r->run, &key, NULL, NULL), LH_EINVAL);
    EXPECT_INT(h->cache_get(h, r->run, &no_ns, &out, NULL), LH_EINVAL);
    EXPECT_INT(h->cache_get(h, r->run, &no_name, &out, NULL), LH_EINVAL);
    EXPECT_INT(h->cache_get(h, r->run, &empty, &out, NULL), LH_EINVAL);
    EXPECT_INT(h->cache_list(h, r->run, NULL, &cursor, NULL), LH_EINVAL);
    EXPECT_INT(h->cache_list(h, r->run, &query, NULL, NULL), LH_EINVAL);
    EXPECT_INT(h->cursor_next(h, NULL, &out, NULL), LH_EINVAL);
    EXPECT_INT(h->enqueue(h, r->run, NULL, NULL), LH_EINVAL);
    EXPECT_INT(h->event(h, r->run, NULL, NULL), LH_EINVAL);
    EXPECT_INT(h->event(h, r->run, &event, NULL), LH_EINVAL);
    EXPECT_INT(h->metric(h, NULL, NULL), LH_EINVAL);
    EXPECT_INT(h->post(h, NULL, NULL, NULL, NULL), LH_EINVAL);
    EXPECT_INT(h->request(h, r->run, NULL, NULL, NULL, NULL), LH_EINVAL);
    h->log(h, r->run, LH_LOG_ERROR, NULL);
    cr_expect(h->get_extension(h, NULL) == NULL && h->get_extension(h, "lh.none/1") == NULL);
    rig_destroy(r);
}

Test(services, handles_may_be_null)
{
    rig_t *r = rig_create();
    const lh_host_t *h = r->host;
    size_t len = 9;

    EXPECT_STR(h->snapshot_text(h, NULL, &len), "");
    EXPECT_INT(len, 0);
    EXPECT_STR(h->snapshot_text(h, NULL, NULL), "");
    cr_expect(h->snapshot_retain(h, NULL) == NULL);
    h->snapshot_release(h, NULL);
    len = 9;
    EXPECT_STR(h->response_text(h, NULL, &len), "");
    EXPECT_INT(len, 0);
    EXPECT_INT(h->response_status(h, NULL), 0);
    h->response_release(h, NULL);
    h->cursor_release(h, NULL);
    rig_destroy(r);
}

Test(services, structs_whose_size_was_not_set_are_refused)
{
    rig_t *r = rig_create();
    lh_snapshot_t *object = rig_object("one", "ns"), *out = NULL;
    const lh_key_t key = {0, 0, "ns", "one"};
    const lh_query_t query = {.struct_size = 4};
    const lh_event_t event = {.struct_size = 0, .regarding = object, .reason = "Why"};
    const lh_metric_t metric = {.struct_size = 0, .name = "x"};
    lh_cursor_t *cursor = NULL;
    const lh_host_t *h = r->host;

    EXPECT_INT(h->cache_get(h, r->run, &key, &out, NULL), LH_EINVAL);
    EXPECT_INT(h->enqueue(h, r->run, &key, NULL), LH_EINVAL);
    EXPECT_INT(h->cache_list(h, r->run, &query, &cursor, NULL), LH_EINVAL);
    EXPECT_INT(h->event(h, r->run, &event, NULL), LH_EINVAL);
    EXPECT_INT(h->metric(h, &metric, NULL), LH_EINVAL);
    h->snapshot_release(h, object);
    rig_destroy(r);
}

Test(services, half_a_pointer_is_never_followed)
{
    rig_t *r = rig_create();
    lh_snapshot_t *out = NULL;

    /* 12: ends in the middle of ns; 20: in the middle of name. */
    for (uint32_t size = 9; size < sizeof(lh_key_t); size++) {
        const lh_key_t key = {size, 0, "ns", "one"};
        EXPECT_INT(r->host->cache_get(r->host, r->run, &key, &out, NULL), LH_EINVAL);
    }
    rig_destroy(r);
}

Test(services, a_longer_struct_of_a_newer_plugin_is_cut)
{
    rig_t *r = rig_create();
    const struct {
        lh_key_t key;
        const char *newer;
    } key = {{sizeof(key), 0, "ns", "one"}, (const char *) 1};

    EXPECT_INT(r->host->enqueue(r->host, r->run, &key.key, NULL), 0);
    loop_turn(r->loop);
    EXPECT_STR(r->key, "0:ns/one");
    rig_destroy(r);
}

Test(services, names_too_long_are_refused)
{
    rig_t *r = rig_create();
    char name[300];

    memset(name, 'a', 254);
    name[254] = '\0';
    const lh_key_t key = {sizeof(key), 0, "ns", name};
    EXPECT_INT(r->host->enqueue(r->host, r->run, &key, NULL), LH_EINVAL);
    name[253] = '\0';
    EXPECT_INT(r->host->enqueue(r->host, r->run, &key, NULL), 0);
    rig_destroy(r);
}

Test(services, only_keys_of_primary_watches_are_queued)
{
    rig_t *r = rig_create();
    const lh_key_t owned = {sizeof(owned), 1, "ns", "one"},
                   unknown = {sizeof(owned), 2, "ns", "one"};

    EXPECT_INT(r->host->enqueue(r->host, r->run, &owned, NULL), LH_EINVAL);
    EXPECT_INT(r->host->enqueue(r->host, r->run, &unknown, NULL), LH_EINVAL);
    loop_turn(r->loop);
    EXPECT_INT(r->enqueued, 0);
    rig_destroy(r);
}

Test(services, a_key_that_arrives_after_its_term_is_dropped)
{
    rig_t *r = rig_create();
    const lh_key_t key = {sizeof(key), 0, "ns", "one"};

    EXPECT_INT(r->host->enqueue(r->host, r->run, &key, NULL), 0);
    plugin_services_end(r->services);
    rig_begin(r, 2);
    loop_turn(r->loop);
    EXPECT_INT(r->enqueued, 0);
    rig_destroy(r);
}

/* -- Requests -- */

static void check_request(const lh_api_request_t *request, int expected, const char *part)
{
    lh_error_t err = {0};

    EXPECT_INT(plugin_request_check(request, &err), expected);
    EXPECT_HAS(err.text, part);
}

#define REQUEST(...)                                                                               \
    (&(lh_api_request_t){.struct_size = sizeof(lh_api_request_t),                                  \
                         .method = "PUT",                                                          \
                         .path = "/api/v1/x",                                                      \
                         __VA_ARGS__})

Test(services, refuses_what_the_fake_host_refuses)
{
    rig_t *r = rig_create();

    lh_snapshot_t *regarding = rig_object("one", "ns");

    expect_bad_arguments(r->host, r->run, 1, regarding, 0);
    r->host->snapshot_release(r->host, regarding);
    rig_destroy(r);
}

Test(services, bad_requests_are_refused_with_a_text)
{
    static char path[9000];

    memset(path, 'a', sizeof(path) - 1);
    memcpy(path, "/api/", 5);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
    check_request(REQUEST(.method = NULL), LH_EINVAL, "method");
    check_request(REQUEST(.method = "HEAD"), LH_EINVAL, "method");
    check_request(REQUEST(.method = "put"), LH_EINVAL, "method");
    check_request(REQUEST(.path = NULL), LH_EINVAL, "path");
    check_request(REQUEST(.path = "/healthz"), LH_EINVAL, "path");
    check_request(REQUEST(.path = "http://elsewhere/api/"), LH_EINVAL, "path");
    check_request(REQUEST(.path = "/api/v1/a b"), LH_EINVAL, "percent-encoded");
    check_request(REQUEST(.path = "/api/v1/a\r\nHost: b"), LH_EINVAL, "percent-encoded");
    check_request(REQUEST(.path = path), LH_EINVAL, "too long");
    check_request(REQUEST(.content_type = "a/b\r\nX: y"), LH_EINVAL, "content_type");
    check_request(REQUEST(.body = NULL, .body_len = 1), LH_EINVAL, "body is NULL");
    check_request(REQUEST(.body = path, .body_len = (3 << 20) + 1), LH_ETOOBIG, "body of");
    check_request(REQUEST(.body = path, .body_len = UINT64_MAX), LH_ETOOBIG, "body of");
    check_request(REQUEST(.body = path, .body_len = 3 << 20), 0, "");
#pragma GCC diagnostic pop
}

#define OUT "/api/v1/namespaces/ns/configmaps/out"

static const char object[] = "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"out\"}}";

Test(services, a_request_is_sent_and_answered)
{
    rig_t *r = rig_create();
    rig_request_t q;

    EXPECT_INT(rig_send(r, r->run, "PUT", OUT, "{}", &q), 0);
    cr_expect(fake_kube_find(r->kube, OUT) == NULL, "sent on the plugin's thread");
    loop_turn(r->loop);
    const kube_request_t *sent = fake_kube_request(fake_kube_find(r->kube, OUT));
    EXPECT_STR(sent->method, "PUT");
    EXPECT_INT(sent->body_len, 2);
    EXPECT_INT(memcmp(sent->body, "{}", 2), 0);
    EXPECT_STR(sent->agent, "rigged");
    EXPECT_INT(sent->timeout, 30 * CLOCK_S);
    fake_kube_end(fake_kube_find(r->kube, OUT), 201, object);
    EXPECT_INT(q.done, 1);
    EXPECT_INT(q.code, 0);
    EXPECT_INT(q.status, 201);
    EXPECT_INT(r->written, 1);
    rig_destroy(r);
}

static void ignore(void *arg, int code, plugin_response_t *response, const lh_error_t *err)
{
    (void) arg;
    (void) code;
    (void) err;
    free(response);
}

Test(services, a_time_out_beyond_all_reason_is_cut_to_an_hour)
{
    rig_t *r = rig_create();
    const lh_api_request_t request = {
        .struct_size = sizeof(request), .method = "GET", .path = OUT, .timeout_ns = INT64_MAX};

    EXPECT_INT(
        r->table.backend.ops->request(r->table.backend.self, r->run, &request, ignore, NULL, NULL),
        0);
    loop_turn(r->loop);
    EXPECT_INT(fake_kube_request(fake_kube_find(r->kube, OUT))->timeout, 3600 * CLOCK_S);
    rig_destroy(r);
}

/* A silent API server at a takeover took all of activate()'s ten seconds, and the instance was off. */
Test(services, a_limit_shortens_the_time_outs_of_what_is_asked_under_it)
{
    rig_t *r = rig_create();
    const lh_api_request_t request = {.struct_size = sizeof(request), .method = "GET", .path = OUT};

    plugin_services_limit(r->services, clock_now() + 9 * CLOCK_S);
    fake_clock_advance(2 * CLOCK_S);
    EXPECT_INT(
        r->table.backend.ops->request(r->table.backend.self, r->run, &request, ignore, NULL, NULL),
        0);
    loop_turn(r->loop);
    EXPECT_INT(fake_kube_request(fake_kube_find(r->kube, OUT))->timeout, 7 * CLOCK_S);
    rig_destroy(r);
}

Test(services, a_refusal_is_no_write)
{
    rig_t *r = rig_create();
    rig_request_t q;

    EXPECT_INT(rig_send(r, r->run, "PUT", OUT, "{}", &q), 0);
    loop_turn(r->loop);
    fake_kube_end(fake_kube_find(r->kube, OUT), 403, "{}");
    EXPECT_INT(q.code, LH_EFORBIDDEN);
    EXPECT_INT(r->written, 0);
    rig_destroy(r);
}

Test(services, a_dry_run_writes_nothing)
{
    rig_t *r = rig_create();
    rig_request_t q;

    EXPECT_INT(rig_send(r, r->run, "PUT", OUT "?dryRun=All", "{}", &q), 0);
    loop_turn(r->loop);
    fake_kube_end(fake_kube_find(r->kube, OUT), 200, object);
    EXPECT_INT(q.code, 0);
    EXPECT_INT(rig_send(r, r->run, "DELETE", OUT, "{\"dryRun\":[\"All\"]}", &q), 0);
    loop_turn(r->loop);
    fake_kube_end(fake_kube_find(r->kube, OUT), 200, object);
    EXPECT_INT(q.code, 0);
    EXPECT_INT(r->written, 0);
    EXPECT_INT(rig_send(r, r->run, "DELETE", OUT, "{\"propagationPolicy\":\"Background\"}", &q), 0);
    loop_turn(r->loop);
    fake_kube_end(fake_kube_find(r->kube, OUT), 200, object);
    EXPECT_INT(r->written, 1);
    rig_destroy(r);
}

Test(services, a_cancelled_ctx_loses_what_is_not_sent_and_its_reads_at_once)
{
    rig_t *r = rig_create();
    rig_request_t read, write, unsent;

    EXPECT_INT(rig_send(r, r->run, "GET", OUT "/read", NULL, &read), 0);
    EXPECT_INT(rig_send(r, r->run, "PUT", OUT "/write", "{}", &write), 0);
    loop_turn(r->loop);
    EXPECT_INT(rig_send(r, r->run, "PUT", OUT "/unsent", "{}", &unsent), 0);
    fence_close_gate(r->fence);
    plugin_services_cancel(r->services);
    EXPECT_INT(read.code, LH_ECANCELED);
    EXPECT_INT(unsent.code, LH_ECANCELED);
    EXPECT_INT(write.done, 0); /* it has been sent: its answer is awaited */
    loop_turn(r->loop);
    cr_expect(fake_kube_find(r->kube, "/unsent") == NULL);
    fake_kube_end(fake_kube_find(r->kube, "/write"), 200, object);
    EXPECT_INT(write.code, 0);
    rig_destroy(r);
}

Test(services, the_end_of_the_term_ends_writes_under_way_as_unknown)
{
    rig_t *r = rig_create();
    rig_request_t read, write;

    EXPECT_INT(rig_send(r, r->run, "GET", OUT "/read", NULL, &read), 0);
    EXPECT_INT(rig_send(r, r->term, "PUT", OUT "/write", "{}", &write), 0);
    loop_turn(r->loop);
    fence_close(r->fence);
    plugin_services_end(r->services);
    EXPECT_INT(read.code, LH_EFENCED);
    EXPECT_INT(write.code, LH_EUNKNOWN);
    EXPECT_INT(fake_kube_open(r->kube), 0);
    rig_destroy(r);
}

Test(services, a_write_that_outlives_its_reconcile_ends_with_the_term)
{
    rig_t *r = rig_create();
    rig_request_t write, late;
    const lh_ctx_t other = rig_open(r);

    EXPECT_INT(rig_send(r, r->run, "PUT", OUT "/write", "{}", &write), 0);
    EXPECT_INT(rig_send(r, other, "PUT", OUT "/late", "{}", &late), 0);
    loop_turn(r->loop);
    rig_complete(r, r->run);
    loop_turn(r->loop);
    EXPECT_INT(write.done, 0);
    rig_complete(r, other); /* the loop hears of it after the term's end only */
    plugin_services_end(r->services);
    EXPECT_INT(write.code, LH_EUNKNOWN);
    loop_turn(r->loop);
    EXPECT_INT(late.code, LH_EUNKNOWN);
    EXPECT_INT(fake_kube_open(r->kube), 0);
    rig_destroy(r);
}

Test(services, a_completed_reconcile_loses_its_reads)
{
    rig_t *r = rig_create();
    rig_request_t read;

    EXPECT_INT(rig_send(r, r->run, "GET", OUT, NULL, &read), 0);
    loop_turn(r->loop);
    rig_complete(r, r->run);
    loop_turn(r->loop);
    EXPECT_INT(read.code, LH_ECANCELED);
    EXPECT_INT(fake_kube_open(r->kube), 0);
    rig_destroy(r);
}

Test(services, nothing_is_left_in_the_loops_queue_when_the_services_end)
{
    rig_t *r = rig_create();
    lh_snapshot_t *regarding = rig_object("one", "ns");
    const lh_event_t event = {
        .struct_size = sizeof(event), .regarding = regarding, .reason = "Why"};
    rig_request_t write;

    EXPECT_INT(r->host->event(r->host, r->run, &event, NULL), 0);
    EXPECT_INT(rig_send(r, r->run, "PUT", OUT, "{}", &write), 0);
    r->host->snapshot_release(r->host, regarding);
    plugin_services_end(r->services);
    EXPECT_INT(write.code, LH_ECANCELED);
    rig_destroy(r); /* turns the loop once more after the services are gone */
    EXPECT_INT(write.done, 1);
}

/* -- The cache -- */

static watch_store_t *store_of(const char *ns, const char *const *names)
{
    watch_store_t *s = watch_store_create();

    for (; *names != NULL; names++) {
        watch_snapshot_t *o = (watch_snapshot_t *) rig_object(*names, ns);
        (void) watch_store_put(s, o, NULL);
        watch_snapshot_unref(o);
    }
    watch_store_set_synced(s, true);
    return s;
}

static int count_walk(rig_t *r, const lh_query_t *query)
{
    lh_cursor_t *cursor = NULL;
    lh_snapshot_t *s = NULL;
    int n = 0;
    const int ret = r->host->cache_list(r->host, r->run, query, &cursor, NULL);

    if (ret < 0)
        return ret;
    while (r->host->cursor_next(r->host, cursor, &s, NULL) == 0 && s != NULL) {
        r->host->snapshot_release(r->host, s);
        n++;
    }
    r->host->cursor_release(r->host, cursor);
    return n;
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(services, the_cache_answers_from_the_store_of_the_keys_namespace)
{
    rig_t *r = rig_create();
    watch_store_t *a = store_of("a", NAMES("one", "two")), *b = store_of("b", NAMES("one"));
    const plugin_cache_slot_t slots[] = {{0, "a", rig_view(a)}, {0, "b", rig_view(b)}};
    const lh_key_t in_a = {sizeof(in_a), 0, "a", "two"}, in_b = {sizeof(in_a), 0, "b", "two"},
                   in_c = {sizeof(in_a), 0, "c", "two"}, secret = {sizeof(in_a), 1, "a", "two"},
                   unknown = {sizeof(in_a), 7, "a", "two"};
    const lh_host_t *h = r->host;
    lh_snapshot_t *s = NULL;
    lh_error_t err = {0};

    rig_set_cache(r, slots, 2);
    EXPECT_INT(h->cache_get(h, r->run, &in_a, &s, NULL), 0);
    h->snapshot_release(h, s);
    EXPECT_INT(h->cache_get(h, r->run, &in_b, &s, &err), LH_ENOTFOUND);
    EXPECT_HAS(err.text, "configmaps 'b/two'");
    EXPECT_INT(h->cache_get(h, r->run, &in_c, &s, &err), LH_EUNAVAILABLE);
    EXPECT_HAS(err.text, "in namespace c");
    EXPECT_INT(h->cache_get(h, r->run, &secret, &s, NULL), LH_EUNAVAILABLE);
    EXPECT_INT(h->cache_get(h, r->run, &unknown, &s, NULL), LH_EINVAL);
    EXPECT_INT(count_walk(r, &(lh_query_t){.struct_size = sizeof(lh_query_t)}), 3);
    EXPECT_INT(count_walk(r, &(lh_query_t){.struct_size = sizeof(lh_query_t), .ns = "a"}), 2);
    EXPECT_INT(count_walk(r, &(lh_query_t){.struct_size = 8}), 3); /* an older plugin's */
    EXPECT_INT(count_walk(r, &(lh_query_t){.struct_size = sizeof(lh_query_t), .ns = "c"}),
               LH_EUNAVAILABLE);
    EXPECT_INT(count_walk(r, &(lh_query_t){.struct_size = sizeof(lh_query_t), .watch = 9}),
               LH_EINVAL);
    EXPECT_INT(
        count_walk(r, &(lh_query_t){.struct_size = sizeof(lh_query_t), .label_selector = "a in ("}),
        LH_EINVAL);
    watch_store_set_synced(b, false);
    EXPECT_INT(h->cache_get(h, r->run, &in_b, &s, NULL), LH_EUNAVAILABLE);
    watch_store_unref(a);
    watch_store_unref(b);
    rig_destroy(r);
}

static void expect_next(rig_t *r, lh_cursor_t *cursor, const char *name)
{
    lh_snapshot_t *s = NULL;

    EXPECT_INT(r->host->cursor_next(r->host, cursor, &s, NULL), 0);
    if (name == NULL)
        cr_expect(s == NULL, "more than there is");
    else
        EXPECT_HAS(r->host->snapshot_text(r->host, s, NULL), name);
    r->host->snapshot_release(r->host, s);
}

Test(services, a_walk_that_goes_back_gives_what_it_gave_and_no_more)
{
    rig_t *r = rig_create();
    watch_store_t *a = store_of("a", NAMES("one", "two")), *b = store_of("b", NAMES("three"));
    const plugin_cache_slot_t slots[] = {{0, "a", rig_view(a)}, {0, "b", rig_view(b)}};
    const lh_query_t query = {.struct_size = sizeof(query)};
    watch_snapshot_t *one = watch_store_get(a, "a", "one");
    plugin_cursor_t *cursor = NULL;

    rig_set_cache(r, slots, 2);
    EXPECT_INT(r->host->cache_list(r->host, r->run, &query, (lh_cursor_t **) &cursor, NULL), 0);
    EXPECT_INT(r->table.backend.ops->cursor_names(r->table.backend.self, cursor), 3);
    watch_snapshot_unref(watch_store_remove(a, "a", "one", "u1", ""));
    expect_next(r, (lh_cursor_t *) cursor, "\"two\"");
    expect_next(r, (lh_cursor_t *) cursor, "\"three\"");
    expect_next(r, (lh_cursor_t *) cursor, NULL);
    (void) watch_store_put(a, one, NULL); /* back again, but it was not given */
    r->table.backend.ops->cursor_back(r->table.backend.self, cursor, 2);
    expect_next(r, (lh_cursor_t *) cursor, "\"two\"");
    r->table.backend.ops->cursor_back(r->table.backend.self, cursor, 1);
    expect_next(r, (lh_cursor_t *) cursor, "\"two\"");
    expect_next(r, (lh_cursor_t *) cursor, "\"three\"");
    expect_next(r, (lh_cursor_t *) cursor, NULL);
    r->host->cursor_release(r->host, (lh_cursor_t *) cursor);
    watch_snapshot_unref(one);
    watch_store_unref(a);
    watch_store_unref(b);
    rig_destroy(r);
}

Test(services, a_walk_skips_what_has_gone_and_outlives_the_term)
{
    rig_t *r = rig_create();
    watch_store_t *a = store_of("a", NAMES("one", "two"));
    const plugin_cache_slot_t slot = {0, NULL, rig_view(a)};
    const lh_query_t query = {.struct_size = sizeof(query)};
    lh_cursor_t *cursor = NULL;
    lh_snapshot_t *s = NULL;

    rig_set_cache(r, &slot, 1);
    EXPECT_INT(r->host->cache_list(r->host, r->run, &query, &cursor, NULL), 0);
    watch_snapshot_unref(watch_store_remove(a, "a", "one", "u1", ""));
    plugin_services_set_cache(r->services, NULL, 0);
    plugin_services_end(r->services);
    watch_store_unref(a);
    EXPECT_INT(r->host->cursor_next(r->host, cursor, &s, NULL), 0);
    EXPECT_HAS(r->host->snapshot_text(r->host, s, NULL), "\"two\"");
    r->host->snapshot_release(r->host, s);
    EXPECT_INT(r->host->cursor_next(r->host, cursor, &s, NULL), 0);
    cr_expect(s == NULL);
    EXPECT_INT(r->host->cursor_next(r->host, cursor, &s, NULL), 0);
    cr_expect(s == NULL, "the end is not the end");
    r->host->cursor_release(r->host, cursor);
    rig_destroy(r);
}
