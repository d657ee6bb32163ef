/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reconciles are completed by threads of the plugin's own, twice, late and with made-up ids, while
 * other calls go on and terms begin and end: one key is never handed out twice at a time, every term
 * comes to its rest, nothing of it is left.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

enum { WORKERS = 4, COMPLETERS = 3, KEYS = 24, SLOTS = 256 };

typedef struct stress {
    hooks_t hooks; /* first */
    pthread_mutex_t lock;
    pthread_cond_t more;
    lh_completion_t waiting[SLOTS];
    int keys[SLOTS];
    lh_ctx_t ctx[SLOTS];
    int count;
    bool end;
    _Atomic int out[KEYS]; /* handed out now */
    _Atomic long reconciled, completed;
} stress_t;

static void reconcile(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    stress_t *s = (stress_t *) h;
    const int key = (int) strtol(request->key->name + 4, NULL, 10);

    CHECK(atomic_fetch_add(&s->out[key], 1) == 0, "key %d is handed out twice", key);
    atomic_fetch_add(&s->reconciled, 1);
    pthread_mutex_lock(&s->lock);
    CHECK(s->count < SLOTS, "more under way than maxInFlight");
    s->waiting[s->count] = completion;
    s->keys[s->count] = key;
    s->ctx[s->count++] = request->ctx;
    pthread_cond_signal(&s->more);
    pthread_mutex_unlock(&s->lock);
}

static void other_calls(const lh_host_t *host, lh_ctx_t ctx, unsigned *seed)
{
    const lh_key_t key = {sizeof(key), 0, "ns", "key-1"};
    const lh_metric_t metric = {.struct_size = sizeof(metric), .name = "x_total", .value = 1};
    lh_snapshot_t *object = NULL;

    switch (rand_r(seed) % 4) {
    case 0:
        (void) host->enqueue(host, ctx, &key, NULL);
        break;
    case 1:
        if (host->cache_get(host, ctx, &key, &object, NULL) == 0)
            host->snapshot_release(host, object);
        break;
    case 2:
        (void) host->metric(host, &metric, NULL);
        break;
    default:
        host->log(host, ctx, LH_LOG_DEBUG, "x");
        (void) host->cancelled(host, ctx);
        break;
    }
}

static void *complete_some(void *arg)
{
    stress_t *s = arg;
    const lh_host_t *host = s->hooks.host;
    unsigned seed = (unsigned) (uintptr_t) &seed;

    for (;;) {
        pthread_mutex_lock(&s->lock);
        while (s->count == 0 && !s->end)
            pthread_cond_wait(&s->more, &s->lock);
        if (s->count == 0)
            break;
        const int i = --s->count;
        const lh_completion_t completion = s->waiting[i];
        const lh_ctx_t ctx = s->ctx[i];
        const int key = s->keys[i];
        pthread_mutex_unlock(&s->lock);

        const lh_result_t result = {sizeof(result), (uint32_t) rand_r(&seed) % 4, 0, "text"};
        other_calls(host, ctx, &seed);
        atomic_fetch_sub(&s->out[key], 1); /* from here on it may be handed out again */
        host->complete(host, completion, &result);
        host->complete(host, completion, &result);
        host->complete(host,
                       (lh_completion_t){completion.id + (unsigned) rand_r(&seed) % 3 + 1000000},
                       &result);
        other_calls(host, ctx, &seed);
        atomic_fetch_add(&s->completed, 1);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int main(void)
{
    static stress_t s = {.hooks = {.reconcile = reconcile},
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .more = PTHREAD_COND_INITIALIZER};
    pthread_t threads[COMPLETERS];
    rig_t *r = rig_create(&s.hooks, WORKERS);
    const int64_t end = clock_now() + STRESS_TIME;
    unsigned seed = 1;
    uint64_t term = 0;

    for (int i = 0; i < COMPLETERS; i++)
        threads[i] = stress_spawn(complete_some, &s);
    while (clock_now() < end) {
        rig_begin(r, ++term, KEYS);
        for (int i = 0; i < 10; i++) {
            rig_change(r, rand_r(&seed) % KEYS, 2000 + i);
            rig_turn(r, (rand_r(&seed) % 3) * CLOCK_MS);
        }
        rig_end(r, rand_r(&seed) % 2 == 0);
    }
    pthread_mutex_lock(&s.lock);
    s.end = true;
    pthread_cond_broadcast(&s.more);
    pthread_mutex_unlock(&s.lock);
    for (int i = 0; i < COMPLETERS; i++)
        pthread_join(threads[i], NULL);
    CHECK(s.completed == s.reconciled, "%ld of %ld completed", s.completed, s.reconciled);
    const double stray = rig_metric(r, "stray_completions_total{controller=\"stress\"}");
    printf("%llu terms, %ld reconciles, %.0f stray completions\n", (unsigned long long) term,
           s.reconciled, stray);
    CHECK(stray >= 2 * (double) s.reconciled, "%f stray completions are counted", stray);
    CHECK(s.reconciled > 0, "no time for one reconcile");
    rig_destroy(r);
    return 0;
}
