/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question waits, is asked (its GET is under way), and is answered; one whose answer decides
 * nothing is put off and waits again after a back-off. Questions are added from
 * within the HTTP client's callbacks, where no request may be started or ended: so asking is left
 * to a timer, and a question that is answered while its GET is under way stays until that returns.
 */
#include "watch/verify.h"

#include "base/clock.h"
#include "base/list.h"
#include "watch/backoff.h"
#include "json/skim.h"

#include <string.h>
#include <uthash.h>

enum { AT_A_TIME = 8 };

#define TIMEOUT (30 * CLOCK_S)
#define LONGEST_WISH (60 * CLOCK_S) /* of Retry-After */
#define METADATA_ONLY                                                                              \
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

typedef struct question {
    list_t link;
    watch_verify_t *owner;
    watch_snapshot_t *last;
    kube_call_t *call; /* NULL: waits */
    bool answered;     /* and in the table no more */
    UT_hash_handle hh;
    char key[]; /* "namespace/name" */
} question_t;

struct watch_verify {
    kube_client_t *client;
    const kube_gvr_t *gvr;
    void (*on_gone)(void *arg, const watch_snapshot_t *last);
    void *arg;
    question_t *open; /* those not answered, by key */
    list_t waiting, asked, put_off;
    size_t asked_count;
    loop_timer_t timer;
    loop_timer_t again; /* ends what was put off */
    watch_backoff_t backoff;
};

static void set_answered(question_t *q)
{
    if (!q->answered)
        HASH_DEL(q->owner->open, q);
    q->answered = true;
}

static void question_free(question_t *q)
{
    set_answered(q);
    list_remove(&q->link);
    watch_snapshot_unref(q->last);
    free(q);
}

static void schedule(watch_verify_t *v)
{
    if (!list_empty(&v->waiting))
        loop_timer_set(&v->timer, clock_now());
}

static void put_off(watch_verify_t *v, question_t *q, int64_t at_least)
{
    list_remove(&q->link);
    list_append(&v->put_off, &q->link);
    if (v->again.at != CLOCK_NEVER)
        return;
    const int64_t now = clock_now(), delay = watch_backoff_next(&v->backoff, now);

    loop_timer_set(&v->again, now + HOST_MAX(delay, HOST_MIN(at_least, LONGEST_WISH)));
}

static void end_put_off(loop_timer_t *timer)
{
    watch_verify_t *v = HOST_CONTAINER(timer, watch_verify_t, again);

    for (list_t *node; (node = list_pop(&v->put_off)) != NULL;) {
        list_append(&v->waiting, node);
    }
    schedule(v);
}

/* -- Answers -- */

enum verdict { UNDECIDED, STAYS_LEFT, IS_GONE };

static enum verdict judge(const question_t *q, const kube_result_t *result)
{
    skim_meta_t meta;

    if (result->status == 404)
        return IS_GONE;
    if (result->status == 403)
        return STAYS_LEFT; /* it may never be told */
    if (result->code != 0 || skim_meta(result->body, result->body_len, &meta, NULL) < 0 ||
        meta.uid.p == NULL)
        return UNDECIDED;
    return skim_equal(meta.uid, watch_snapshot_uid(q->last)) ? STAYS_LEFT : IS_GONE;
}

static void on_answer(void *arg, const kube_result_t *result)
{
    question_t *q = arg;
    watch_verify_t *v = q->owner;
    const enum verdict verdict = q->answered ? STAYS_LEFT : judge(q, result);

    q->call = NULL;
    v->asked_count--;
    if (verdict == UNDECIDED) {
        put_off(v, q, result->retry_after);
        schedule(v);
        return;
    }
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *last =
        verdict == IS_GONE ? watch_snapshot_ref(q->last) : NULL;

    question_free(q);
    schedule(v);
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
            put_off(v, q, 0);
            continue;
        }
        list_remove(&q->link);
        list_append(&v->asked, &q->link);
        v->asked_count++;
    }
}

void watch_verify_add(watch_verify_t *v, watch_snapshot_t *last)
{
    const size_t ns = strlen(watch_snapshot_ns(last)), name = strlen(watch_snapshot_name(last));
    question_t *q = host_xcalloc(1, sizeof(*q) + ns + 1 + name + 1);

    memcpy(q->key, watch_snapshot_ns(last), ns);
    q->key[ns] = '/';
    memcpy(q->key + ns + 1, watch_snapshot_name(last), name);
    HASH_ADD_STR(v->open, key, q);
    q->owner = v;
    q->last = watch_snapshot_ref(last);
    list_append(&v->waiting, &q->link);
    if (v->timer.at == CLOCK_NEVER && v->asked_count < AT_A_TIME)
        schedule(v);
}

/* -- Answers from elsewhere -- */

static question_t *find(const watch_verify_t *v, const watch_snapshot_t *object)
{
    host_cleanup(buf_fini) buf_t key = BUF_INIT;
    question_t *q = NULL;

    if (v->open == NULL)
        return NULL; /* as nearly always */
    buf_printf(&key, "%s/%s", watch_snapshot_ns(object), watch_snapshot_name(object));
    HASH_FIND_STR(v->open, buf_text(&key), q);
    return q;
}

static void answer(watch_verify_t *v, question_t *q, bool gone)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *last = watch_snapshot_ref(q->last);

    if (q->call != NULL)
        set_answered(q);
    else
        question_free(q);
    if (gone)
        v->on_gone(v->arg, last);
}

void watch_verify_seen(watch_verify_t *v, const watch_snapshot_t *object)
{
    question_t *q = find(v, object);

    if (q != NULL)
        answer(v, q, strcmp(watch_snapshot_uid(q->last), watch_snapshot_uid(object)) != 0);
}

void watch_verify_all_gone(watch_verify_t *v)
{
    while (v->open != NULL) {
        answer(v, v->open, true);
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
    list_init(&v->put_off);
    loop_timer_init(&v->timer, loop, ask_next);
    loop_timer_init(&v->again, loop, end_put_off);
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
    LIST_EACH (&v->put_off, it, next) {
        question_free(LIST_ENTRY(it, question_t, link));
    }
    loop_timer_clear(&v->timer);
    loop_timer_clear(&v->again);
    free(v);
}
