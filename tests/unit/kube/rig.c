/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <signal.h>
#include <stdio.h>

static void on_alarm(loop_timer_t *timer)
{
    rig_t *rig = HOST_CONTAINER(timer, rig_t, alarm);

    rig->rang = true;
    loop_stop(rig->loop);
}

void rig_client(rig_t *rig, const kube_client_options_t *more)
{
    kube_client_options_t options = *more;
    lh_error_t err = {0};

    kube_client_destroy(rig->client);
    options.loop = rig->loop;
    options.credentials = &rig->credentials;
    ASSERT_OK(kube_client_create(&options, &rig->client, &err), err);
}

void rig_start(rig_t *rig, const http_server_options_t *options, enum kube_client_kind kind)
{
    lh_error_t err = {0};

    signal(SIGPIPE, SIG_IGN);
    *rig = (rig_t){0};
    ASSERT_OK(loop_create(&rig->loop, &err), err);
    loop_timer_init(&rig->alarm, rig->loop, on_alarm);
    rig->server = http_server_start(options);
    rig->credentials.server = (char *) http_server_url(rig->server);
    rig->credentials.namespace = (char *) "";
    rig->credentials.origin = (char *) "test";
    rig_client(rig, &(kube_client_options_t){.kind = kind});
}

void rig_stop(rig_t *rig)
{
    kube_client_destroy(rig->client);
    http_server_stop(rig->server);
    loop_timer_clear(&rig->alarm);
    loop_destroy(rig->loop);
}

static void keep(void *arg, const kube_result_t *r)
{
    answer_t *a = arg;

    a->count++;
    a->code = r->code;
    a->status = r->status;
    snprintf(a->reason, sizeof(a->reason), "%s", r->reason);
    snprintf(a->body, sizeof(a->body), "%s", r->body);
    a->body_len = r->body_len;
    a->sent_at = r->sent_at;
    a->retry_after = r->retry_after;
    a->named_status = r->named_status;
    a->error = r->error;
    loop_stop(a->rig->loop);
}

kube_call_t *rig_send(rig_t *rig, answer_t *a, kube_request_t request)
{
    kube_call_t *call = NULL;
    lh_error_t err = {0};

    *a = (answer_t){.rig = rig};
    if (request.on_done == NULL) {
        request.on_done = keep;
        request.arg = a;
    }
    ASSERT_OK(kube_client_send(rig->client, &request, &call, &err), err);
    return call;
}

void rig_wait(rig_t *rig, const answer_t *a)
{
    int64_t until = clock_now() + 10 * CLOCK_S;

    rig->rang = false;
    loop_timer_set(&rig->alarm, until);
    while (a->count == 0 && !rig->rang)
        loop_run(rig->loop);
    loop_timer_clear(&rig->alarm);
    cr_assert(a->count == 1, "on_done was called %d times", a->count);
}

bool rig_run_until(rig_t *rig, const bool *flag, int ms)
{
    rig->rang = false;
    loop_timer_set(&rig->alarm, clock_now() + ms * CLOCK_MS);
    while (!*flag && !rig->rang)
        loop_run(rig->loop);
    loop_timer_clear(&rig->alarm);
    return *flag;
}

void rig_run(rig_t *rig, int ms)
{
    bool never = false;

    (void) rig_run_until(rig, &never, ms);
}

void rig_get(rig_t *rig, answer_t *a, const char *path)
{
    rig_send(rig, a, (kube_request_t){.method = "GET", .path = path});
    rig_wait(rig, a);
}

int answer_data(void *arg, const char *data, size_t len, lh_error_t *err)
{
    answer_t *a = arg;

    (void) err;
    len = HOST_MIN(len, sizeof(a->data) - 1 - a->data_len);
    memcpy(a->data + a->data_len, data, len);
    a->data_len += len;
    a->data[a->data_len] = '\0';
    loop_stop(a->rig->loop);
    return 0;
}

double rig_metric(metrics_t *m, const char *series)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    cr_assert_eq(metrics_render(m, METRICS_TEXT, &text), 0);
    const char *at = strstr(buf_text(&text), series);
    return at != NULL ? strtod(at + strlen(series), NULL) : -1;
}
