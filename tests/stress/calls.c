/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers block in call() while the API server answers some, fails some and leaves the rest, and the
 * term ends by force or voluntarily: every call comes back, once, with an outcome that fits.
 */
#include "rig.h"

#include <string.h>

enum { WORKERS = 4, KEYS = 16 };

typedef struct stress {
    hooks_t hooks; /* first */
    _Atomic long begun, answered, refused, woken, unknown, callbacks;
} stress_t;

static void count(stress_t *s, int code, bool write)
{
    if (code == 0)
        atomic_fetch_add(&s->answered, 1);
    else if (code == LH_EFORBIDDEN)
        atomic_fetch_add(&s->refused, 1);
    else if (code == LH_ECANCELED || code == LH_EFENCED)
        atomic_fetch_add(&s->woken, 1);
    else {
        CHECK(write && (code == LH_EUNKNOWN || code == LH_EIO), "%s ended with %d",
              write ? "PUT" : "GET", code);
        atomic_fetch_add(&s->unknown, 1);
    }
}

static void on_answer(void *arg, int code, lh_response_t *response, const lh_error_t *err)
{
    stress_t *s = arg;

    (void) err;
    CHECK((code == 0) == (response != NULL), "code %d, response %p", code, (void *) response);
    s->hooks.host->response_release(s->hooks.host, response);
    count(s, code, true);
    atomic_fetch_add(&s->callbacks, 1);
}

static void reconcile(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    stress_t *s = (stress_t *) h;
    const lh_host_t *host = h->host;
    const bool write = request->ctx.id % 2 == 0;
    const lh_api_request_t q = {.struct_size = sizeof(q),
                                .method = write ? "PUT" : "GET",
                                .path = "/api/v1/namespaces/ns/configmaps/out",
                                .body = "{}",
                                .body_len = write ? 2 : 0};
    const lh_result_t again = {sizeof(again), LH_REQUEUE_AFTER, 0, NULL};
    lh_response_t *response = NULL;
    lh_error_t err = {0};

    atomic_fetch_add(&s->begun, 1);
    if (request->ctx.id % 3 == 0 && host->request(host, request->ctx, &q, on_answer, s, NULL) == 0)
        atomic_fetch_add(&s->begun, 1);
    const int code = host->call(host, request->ctx, &q, &response, &err);
    CHECK(code == 0 || (err.code == code && err.text[0] != '\0'), "code %d, err %d '%s'", code,
          err.code, err.text);
    count(s, code, write);
    host->response_release(host, response);
    host->complete(host, completion, &again);
}

/* One of four is left open. */
static void answer_some(rig_t *r, unsigned *seed)
{
    for (kube_call_t *call = fake_kube_find(r->kube, "/out"), *next; call != NULL; call = next) {
        next = fake_kube_next(r->kube, call, "/out");
        switch (rand_r(seed) % 4) {
        case 0:
            fake_kube_end(call, 403, "{}");
            break;
        case 1:
        case 2:
            fake_kube_end(
                call, 200,
                "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"out\",\"namespace\":\"ns\","
                "\"uid\":\"u\",\"resourceVersion\":\"5\"}}");
            break;
        default:
            break;
        }
    }
}

/* A voluntary end awaits the writes under way. */
static void end_voluntarily(rig_t *r)
{
    fence_close_gate(r->fence);
    plugin_instance_end(r->instance, clock_now() + 20 * CLOCK_S);
    while (!r->rested) {
        kube_call_t *call = fake_kube_find(r->kube, "/out");

        if (call != NULL)
            fake_kube_end(call, 200, "{}");
        loop_turn(r->loop);
    }
}

/* At a forced one the client cuts its connections. */
static void end_by_force(rig_t *r)
{
    fence_close(r->fence);
    plugin_instance_end(r->instance, clock_now() + 20 * CLOCK_S);
    for (kube_call_t *call; (call = fake_kube_find(r->kube, "/out")) != NULL;)
        fake_kube_cut(call);
    rig_until(r, &r->rested, "rested");
}

int main(void)
{
    static stress_t s = {.hooks = {.reconcile = reconcile}};
    rig_t *r = rig_create(&s.hooks, WORKERS);
    const int64_t end = clock_now() + STRESS_TIME;
    unsigned seed = 1;
    uint64_t term = 0;

    while (clock_now() < end) {
        rig_begin(r, ++term, KEYS);
        for (int i = 0; i < 8; i++) {
            rig_turn(r, CLOCK_MS);
            answer_some(r, &seed);
        }
        if (term % 2 == 0)
            end_by_force(r);
        else
            end_voluntarily(r);
    }
    rig_destroy(r);
    printf("%llu terms, %ld calls: %ld answered, %ld refused, %ld woken, %ld unknown\n",
           (unsigned long long) term, s.begun, s.answered, s.refused, s.woken, s.unknown);
    CHECK(s.begun == s.answered + s.refused + s.woken + s.unknown, "a call did not come back");
    CHECK(s.answered > 0 && s.woken > 0 && s.callbacks > 0, "a case was not reached");
    return 0;
}
