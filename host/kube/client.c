/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/client.h"

#include "base/clock.h"
#include "base/error.h"
#include "kube/client_internal.h"

#include <stdio.h>

/* As long as the keepalive takes: it does not run while sent data is not acknowledged. */
#define USER_TIMEOUT (11 * CLOCK_S)

static void on_tidy(loop_timer_t *timer)
{
    kube_client_settle(HOST_CONTAINER(timer, kube_client_t, tidy));
}

static void on_plugin_run(loop_task_t *task);

/* -- Life -- */

int kube_client_create(const kube_client_options_t *options, kube_client_t **out, lh_error_t *err)
{
    kube_client_t *c = host_xcalloc(1, sizeof(*c));
    int ret = kube_target_init(&c->target, options->credentials, options->address, err);

    if (ret == 0)
        ret = kube_certs_init(&c->certs, options->credentials, options->log, err);
    /* Counts its uses, and is safe on several threads since libcurl 7.84. */
    if (ret == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        ret = host_fail(err, LH_EIO, "libcurl cannot be set up");
    if (ret < 0) {
        kube_certs_fini(&c->certs);
        kube_target_fini(&c->target);
        free(c);
        return ret;
    }
    c->loop = options->loop;
    c->kind = options->kind;
    c->log = options->log;
    kube_token_init(&c->token, options->credentials, options->log);
    const bool writes = options->kind == KUBE_CLIENT_WRITES;
    kube_sockets_init(&c->sockets, writes ? options->write_user_timeout : USER_TIMEOUT, writes);
    kube_meters_init(&c->meters, options->metrics, c->target.host);
    list_init(&c->lanes);
    list_init(&c->calls);
    list_init(&c->waiting);
    list_init(&c->held);
    list_init(&c->doomed);
    loop_timer_init(&c->tidy, c->loop, on_tidy);
    c->exec = options->credentials->exec;
    c->listener = (kube_exec_listener_t){.loop = c->loop, .task = {.fn = on_plugin_run}};
    if (c->exec != NULL)
        kube_exec_listen(c->exec, &c->listener);
    *out = c;
    return 0;
}

static void free_calls(list_t *list)
{
    list_t *node;

    while ((node = list_pop(list)) != NULL) {
        kube_call_t *call = LIST_ENTRY(node, kube_call_t, node);
        loop_timer_clear(&call->timer);
        kube_call_free(call);
    }
}

/* True when there is a fallen call. The sockets are cut when something of one may still wait to be
 * sent. */
static bool cut_if_fallen(kube_client_t *c)
{
    const fence_t *good = NULL; /* most calls have the same fence: it is tested once */
    bool fallen = false, sent = false;

    if (c->kind != KUBE_CLIENT_WRITES)
        return false;
    LIST_EACH (&c->calls, it, tmp) {
        const kube_call_t *call = LIST_ENTRY(it, kube_call_t, node);
        if (call->request.fence == good && good != NULL && call->cuts == atomic_load(&c->cuts))
            continue;
        if (!kube_call_fallen(call)) {
            good = call->request.fence;
            continue;
        }
        fallen = true;
        sent = sent || call->sent_at != 0;
    }
    if (!sent)
        return fallen;
    kube_sockets_cut(&c->sockets);
    LIST_EACH (&c->lanes, it, tmp) {
        LIST_ENTRY(it, kube_lane_t, node)->retired = true;
    }
    return true;
}

void kube_client_destroy(kube_client_t *c)
{
    list_t *node;

    if (c == NULL)
        return;
    HOST_ASSERT_LOOP(c->loop);
    assert(c->driving == 0);
    cut_if_fallen(c);
    if (c->exec != NULL)
        kube_exec_unlisten(c->exec, &c->listener);
    loop_timer_clear(&c->tidy);
    free_calls(&c->waiting);
    free_calls(&c->held);
    free_calls(&c->doomed);
    free_calls(&c->calls);
    while ((node = list_pop(&c->lanes)) != NULL)
        kube_lane_destroy(LIST_ENTRY(node, kube_lane_t, node));
    kube_sockets_fini(&c->sockets);
    kube_meters_fini(&c->meters);
    kube_token_fini(&c->token);
    kube_certs_fini(&c->certs);
    kube_target_fini(&c->target);
    curl_global_cleanup();
    free(c);
}

loop_t *kube_client_loop(const kube_client_t *c)
{
    return c->loop;
}

/* -- Ending calls -- */

static void finish(kube_call_t *call, const kube_result_t *result)
{
    list_remove(&call->node);
    loop_timer_clear(&call->timer);
    kube_call_detach(call);
    if (!call->cancelled)
        call->request.on_done(call->request.arg, result);
    kube_call_free(call);
}

static void finish_stopped(kube_call_t *call, int code, const char *text)
{
    kube_result_t result;

    kube_outcome_stopped(call, code, text, &result);
    finish(call, &result);
}

/* Gives it to libcurl, with the certificates as they are now; others need another connection. */
static int start(kube_call_t *call, bool fresh, lh_error_t *err)
{
    kube_client_t *c = call->client;
    const bool other = kube_certs_refresh(&c->certs);

    return kube_call_start(call, kube_lane_get(c, fresh || other), err);
}

static void start_or_finish(kube_call_t *call, bool fresh)
{
    lh_error_t err;
    int ret = start(call, fresh, &err);

    if (ret < 0)
        finish_stopped(call, ret, err.text);
}

/* Makes a read fit to be started once more. */
static void reset(kube_call_t *call)
{
    kube_meters_retry(&call->client->meters, call->request.method, call->status);
    kube_call_detach(call);
    call->restarts++;
    call->second_attempt = false;
    call->status = 0;
    call->retry_after = 0;
    call->received = 0;
    buf_clear(&call->in);
}

/* Until the credential plugin has run. */
static void hold(kube_call_t *call)
{
    list_remove(&call->node);
    list_append(&call->client->held, &call->node);
    call->held = true;
}

/* A credential that could not be renewed is tried all the same: the API server has the last word. */
static void on_plugin_run(loop_task_t *task)
{
    kube_client_t *c = HOST_CONTAINER(task, kube_client_t, listener.task);
    list_t held, *node;
    lh_error_t err;

    if (kube_exec_busy(c->exec))
        return; /* once more after that */
    const int ready = kube_exec_ready(c->exec, &err);

    list_init(&held);
    while ((node = list_pop(&c->held)) != NULL)
        list_append(&held, node);
    while ((node = list_pop(&held)) != NULL) {
        kube_call_t *call = LIST_ENTRY(node, kube_call_t, node);
        list_append(&c->calls, node);
        call->held = false;
        if (ready < 0)
            finish_stopped(call, ready, err.text);
        else
            start_or_finish(call, false);
    }
    kube_client_settle(c);
}

/* A read is repeated once by itself: when the connection died under it before an answer, and when
 * a 401 answered a token that has been replaced. A write never is. */
static bool repeat(kube_call_t *call)
{
    kube_client_t *c = call->client;
    const char *header;
    bool run = false; /* of the plugin, which may give another one */

    if (call->status == 401) {
        kube_token_refused(&c->token);
        run = c->exec != NULL && kube_exec_refused(c->exec, call->token_generation);
    }
    if (call->write || call->restarts > 0 || call->cancelled || call->stop_code != 0)
        return false;
    const bool other = call->status == 401 && kube_token_get(&c->token, &header, NULL) == 0 &&
                       c->token.generation != call->token_generation;
    if (!call->second_attempt && !other && !run)
        return false;
    reset(call);
    if (run && !other)
        hold(call);
    else
        start_or_finish(call, false);
    return true;
}

/* libcurl has ended call. */
static void complete(kube_call_t *call, CURLcode curl)
{
    kube_status_t status = {0};
    kube_result_t result;

    /* A certificate is shown once per connection: whoever is refused comes back on a new one, with
     * the files as they are by then. */
    if ((curl != CURLE_OK && call->stop_code == 0) || call->status == 401)
        call->lane->retired = true;
    if (repeat(call))
        return;
    kube_outcome(call, curl, &status, &result);
    finish(call, &result);
}

static void on_timeout(loop_timer_t *timer)
{
    kube_call_t *call = HOST_CONTAINER(timer, kube_call_t, timer);
    kube_client_t *c = call->client;
    char text[192];
    bool unknown = kube_call_may_count(call);

    cut_if_fallen(c); /* taking a handle away makes libcurl send */
    if (call->lane != NULL && call->status == 0)
        call->lane->retired = true; /* the connection may be dead: the next one uses another */
    if (call->held)
        snprintf(text, sizeof(text), "%s has given no credential within %.3g s",
                 kube_exec_name(c->exec), (double) call->request.timeout / (double) CLOCK_S);
    else
        snprintf(text, sizeof(text), "no answer within %.3g s%s",
                 (double) call->request.timeout / (double) CLOCK_S,
                 unknown ? "; the outcome is unknown" : "");
    finish_stopped(call, unknown ? LH_EUNKNOWN : LH_ETIMEDOUT, text);
    kube_client_settle(c);
}

void kube_client_guard(kube_client_t *c)
{
    list_t fallen, *node;

    if (!cut_if_fallen(c))
        return;
    list_init(&fallen);
    LIST_EACH (&c->calls, it, tmp) {
        if (kube_call_fallen(LIST_ENTRY(it, kube_call_t, node))) {
            list_remove(it);
            list_append(&fallen, it);
        }
    }
    while ((node = fallen.next) != &fallen) {
        kube_call_t *call = LIST_ENTRY(node, kube_call_t, node);
        const bool suspended = kube_call_suspended(call);
        if (call->write && call->sent_at != 0)
            finish_stopped(call, LH_EUNKNOWN,
                           suspended ? "writes were suspended while it was under way; the outcome "
                                       "is unknown"
                                     : "the term ended while it was under way; the outcome is "
                                       "unknown");
        else if (suspended)
            finish_stopped(call, LH_EUNAVAILABLE, KUBE_TEXT_SUSPENDED);
        else
            finish_stopped(call, LH_EFENCED, "the term is over; nothing was sent");
    }
}

static void start_waiting(kube_client_t *c)
{
    list_t *node;

    while ((node = list_pop(&c->waiting)) != NULL) {
        kube_call_t *call = LIST_ENTRY(node, kube_call_t, node);
        list_append(&c->calls, node);
        start_or_finish(call, call->request.fresh_connection);
    }
}

static void drop_empty_lanes(kube_client_t *c)
{
    bool kept = false;

    LIST_EACH (&c->lanes, it, tmp) {
        kube_lane_t *lane = LIST_ENTRY(it, kube_lane_t, node);
        if (lane->calls == 0 && (lane->retired || lane->held_reset || kept))
            kube_lane_destroy(lane);
        else
            kept = kept || !lane->retired;
    }
}

void kube_client_settle(kube_client_t *c)
{
    free_calls(&c->doomed);
    LIST_EACH (&c->lanes, it, tmp) {
        kube_lane_t *lane = LIST_ENTRY(it, kube_lane_t, node);
        CURLMsg *msg;
        int left;

        while ((msg = curl_multi_info_read(lane->multi, &left)) != NULL) {
            kube_call_t *call = NULL;
            CURLcode result = msg->data.result;
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **) &call);
            complete(call, result);
        }
    }
    start_waiting(c);
    drop_empty_lanes(c);
}

/* -- Requests -- */

static int check_fence(const kube_request_t *request, lh_error_t *err)
{
    const fence_t *fence = request->fence;
    const char *why = NULL;
    int code = 0;

    if (fence == NULL)
        return 0;
    if (!fence_lives(fence)) {
        code = LH_EFENCED;
        why = "the term is over; nothing was sent";
    } else if (fence_gate_closed(fence)) {
        code = LH_ECANCELED;
        why = "the term is being given up; nothing was sent";
    } else if (!fence_open(fence)) {
        code = LH_EUNAVAILABLE;
        why = KUBE_TEXT_SUSPENDED;
    }
    if (code != 0)
        host_error_set(err, code, "%s %.200s: %s", request->method, request->path, why);
    return code;
}

int kube_client_send(kube_client_t *c, const kube_request_t *request, kube_call_t **out,
                     lh_error_t *err)
{
    kube_call_t *call = NULL;
    int ret;

    HOST_ASSERT_LOOP(c->loop);
    ret = check_fence(request, err);
    if (ret < 0)
        return ret;
    const int ready = c->exec != NULL ? kube_exec_ready(c->exec, err) : 1;
    if (ready < 0)
        return host_error_wrap(err, ready, "%s %.200s", request->method, request->path);
    ret = kube_call_create(c, request, &call, err);
    if (ret < 0)
        return ret;
    loop_timer_init(&call->timer, c->loop, on_timeout);
    call->held = ready == 0;
    if (!call->held && c->driving == 0)
        ret = start(call, request->fresh_connection, err);
    if (ret < 0) {
        kube_call_free(call);
        return ret;
    }
    list_append(call->held ? &c->held : c->driving == 0 ? &c->calls : &c->waiting, &call->node);
    if (request->timeout > 0 && request->timeout < CLOCK_NEVER - call->started_at)
        loop_timer_set(&call->timer, call->started_at + request->timeout);
    if (out != NULL)
        *out = call;
    return 0;
}

int kube_call_status(const kube_call_t *call)
{
    return call->status;
}

void kube_call_cancel(kube_call_t *call)
{
    kube_client_t *c = call->client;

    HOST_ASSERT_LOOP(c->loop);
    call->cancelled = true;
    if (call->write && call->sent_at != 0)
        return; /* it stays in flight */
    list_remove(&call->node);
    if (call->lane != NULL && call->request.on_data != NULL)
        call->lane->held_reset = true;
    if (c->driving > 0) {
        list_append(&c->doomed, &call->node);
        return;
    }
    cut_if_fallen(c); /* taking a handle away makes libcurl send */
    loop_timer_clear(&call->timer);
    kube_call_free(call);
    loop_timer_set(&c->tidy, clock_now()); /* its lane may be empty */
}

void kube_client_cut(kube_client_t *c)
{
    atomic_fetch_add(&c->cuts, 1);
    kube_sockets_cut(&c->sockets);
}

size_t kube_client_in_flight(const kube_client_t *c)
{
    return c->in_flight;
}

bool kube_client_unknown_since(const kube_client_t *c, int64_t since)
{
    return c->last_unknown != 0 && c->last_unknown >= since;
}
