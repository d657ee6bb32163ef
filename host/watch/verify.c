/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question waits, is asked (its GET is under way), and is answered. Questions are added from
 * within the HTTP client's callbacks, where no request may be started or ended: so asking is left
 * to a timer, and a question that is answered while its GET is under way stays until that returns.
 */
#include "watch/verify.h"

#include "base/clock.h"
#include "base/list.h"
#include "json/skim.h"

#include <string.h>

enum { AT_A_TIME = 8 };

#define TIMEOUT (30 * CLOCK_S)
#define PAUSE (2 * CLOCK_S) /* after an answer that decides nothing */
#define METADATA_ONLY                                                                              \
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

typedef struct question {
    list_t link;
    watch_verify_t *owner;
    watch_snapshot_t *last;
    kube_call_t *call; /* NULL: waits */
    bool answered;
} question_t;

struct watch_verify {
    kube_client_t *client;
    const kube_gvr_t *gvr;
    void (*on_gone)(void *arg, const watch_snapshot_t *last);
    void *arg;
    list_t waiting, asked;
    size_t asked_count;
    loop_timer_t timer;
};

static void question_free(question_t *q)
{
    list_remove(&q->link);
    watch_snapshot_unref(q->last);
    free(q);
}

static void schedule(watch_verify_t *v, int64_t after)
{
    if (!list_empty(&v->waiting))
        loop_timer_set(&v->timer, clock_now() + after);
}

/* -- Answers -- */

/* That the answer shows an object of another uid under the name. */
static bool is_replaced(const question_t *q, const kube_result_t *result)
{
    skim_meta_t meta;

    return skim_meta(result->body, result->body_len, &meta, NULL) == 0 && meta.uid.p != NULL &&
           !skim_equal(meta.uid, watch_snapshot_uid(q->last));
}

static bool decides_nothing(const kube_result_t *result)
{
    return result->status == 0 || result->status == 429 || result->status >= 500;
}

static void on_answer(void *arg, const kube_result_t *result)
{
    question_t *q = arg;
    watch_verify_t *v = q->owner;

    q->call = NULL;
    v->asked_count--;
    if (!q->answered && result->code != 0 && decides_nothing(result)) {
        list_remove(&q->link);
        list_append(&v->waiting, &q->link);
        schedule(v, HOST_MAX(PAUSE, result->retry_after));
        return;
    }
    bool gone = result->code == 0 ? is_replaced(q, result) : result->status == 404;
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *last =
        gone && !q->answered ? watch_snapshot_ref(q->last) : NULL;

    question_free(q);
    schedule(v, 0);
    if (last != NULL)
        v->on_gone(v->arg, last);
}

/* -- Asking -- */

static int ask(watch_verify_t *v, question_t *q)
{
    host_cleanup(buf_fini) buf_t path = BUF_INIT;
    const watch_snapshot_t *last = q->last;
    int ret = kube_path(&path, v->gvr, watch_snapshot_ns(last), watch_snapshot_name(last));

    if (ret < 0)
        return ret;
    const kube_request_t request = {
        .method = "GET",
        .path = buf_text(&path),
        .accept = METADATA_ONLY,
        .timeout = TIMEOUT,
        .on_done = on_answer,
        .arg = q,
    };

    return kube_client_send(v->client, &request, &q->call, NULL);
}

static void ask_next(loop_timer_t *timer)
{
    watch_verify_t *v = HOST_CONTAINER(timer, watch_verify_t, timer);

    while (v->asked_count < AT_A_TIME && !list_empty(&v->waiting)) {
        question_t *q = LIST_ENTRY(v->waiting.next, question_t, link);

        if (ask(v, q) < 0) {
            schedule(v, PAUSE);
            return;
        }
        list_remove(&q->link);
        list_append(&v->asked, &q->link);
        v->asked_count++;
    }
}

void watch_verify_add(watch_verify_t *v, watch_snapshot_t *last)
{
    question_t *q = host_xcalloc(1, sizeof(*q));

    q->owner = v;
    q->last = watch_snapshot_ref(last);
    list_append(&v->waiting, &q->link);
    if (v->timer.at == CLOCK_NEVER && v->asked_count < AT_A_TIME)
        schedule(v, 0);
}

/* -- Answers from elsewhere -- */

static question_t *find(list_t *list, const watch_snapshot_t *object)
{
    LIST_EACH (list, it, next) {
        question_t *q = LIST_ENTRY(it, question_t, link);

        if (!q->answered &&
            strcmp(watch_snapshot_name(q->last), watch_snapshot_name(object)) == 0 &&
            strcmp(watch_snapshot_ns(q->last), watch_snapshot_ns(object)) == 0)
            return q;
    }
    return NULL;
}

static void answer(watch_verify_t *v, question_t *q, bool gone)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *last = watch_snapshot_ref(q->last);

    if (q->call != NULL)
        q->answered = true;
    else
        question_free(q);
    if (gone)
        v->on_gone(v->arg, last);
}

void watch_verify_seen(watch_verify_t *v, const watch_snapshot_t *object)
{
    question_t *q = find(&v->waiting, object);

    if (q == NULL)
        q = find(&v->asked, object);
    if (q != NULL)
        answer(v, q, strcmp(watch_snapshot_uid(q->last), watch_snapshot_uid(object)) != 0);
}

void watch_verify_all_gone(watch_verify_t *v)
{
    list_t *const lists[] = {&v->waiting, &v->asked};

    for (size_t i = 0; i < HOST_LEN(lists); i++) {
        LIST_EACH (lists[i], it, next) {
            question_t *q = LIST_ENTRY(it, question_t, link);

            if (!q->answered)
                answer(v, q, true);
        }
    }
}

/* -- Life -- */

watch_verify_t *watch_verify_create(loop_t *loop, kube_client_t *client, const kube_gvr_t *gvr,
                                    void (*on_gone)(void *arg, const watch_snapshot_t *last),
                                    void *arg)
{
    watch_verify_t *v = host_xcalloc(1, sizeof(*v));

    v->client = client;
    v->gvr = gvr;
    v->on_gone = on_gone;
    v->arg = arg;
    list_init(&v->waiting);
    list_init(&v->asked);
    loop_timer_init(&v->timer, loop, ask_next);
    return v;
}

void watch_verify_destroy(watch_verify_t *v)
{
    if (v == NULL)
        return;
    LIST_EACH (&v->asked, it, next) {
        question_t *q = LIST_ENTRY(it, question_t, link);

        kube_call_cancel(q->call);
        question_free(q);
    }
    LIST_EACH (&v->waiting, it, next) {
        question_free(LIST_ENTRY(it, question_t, link));
    }
    loop_timer_clear(&v->timer);
    free(v);
}
