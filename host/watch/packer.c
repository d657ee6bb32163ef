/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A training waits in the packer's list, is taken by the thread, and comes back by a task of the
 * loop. The thread exists while there are any. A packing that ends first leaves its training an
 * orphan: the thread throws the result away.
 */
#include "watch/packer.h"

#include "base/buf.h"
#include "base/clock.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>

#define SLICE (5 * CLOCK_MS)

enum {
    OBJECTS = 100,    /* of fewer a dictionary would not pay */
    ENOUGH = 1 << 20, /* bytes to train on; zstd asks for about a hundred times the dictionary */
    SAMPLE_MAX = 8 << 10, /* bytes of one object */
    SLICE_CHECK = 16,     /* objects between two looks at the clock */
    RECENT = 1 << 20      /* bytes that are not compressed yet: some hundred objects */
};

typedef struct training {
    list_t link; /* waits */
    loop_task_t task;
    watch_packer_t *packer;
    watch_packing_t *packing; /* NULL: nobody waits for it any more */
    buf_t texts;
    size_t *sizes;
    unsigned count;
    watch_dict_t *dict; /* the result; NULL: none */
    bool done;
} training_t;

struct watch_packer {
    loop_t *loop;
    size_t packings;
    watch_codec_t *codec; /* while there are packings; NULL: nothing is compressed */
    pthread_mutex_t lock; /* guards the rest */
    list_t waiting;
    pthread_t thread;
    bool started; /* to be joined */
    bool running; /* looks at the list once more */
};

struct watch_packing {
    watch_packer_t *packer;
    watch_store_t *store;
    training_t *training; /* under way; NULL: none */
    size_t enough;        /* bytes of objects for the next one */
    watch_store_walk_t walk;
    loop_timer_t slice;
};

/* -- Trainings, on the helper thread -- */

static void training_free(training_t *t)
{
    buf_fini(&t->texts);
    free(t->sizes);
    watch_dict_unref(t->dict);
    free(t);
}

/* The next one, or NULL: then the thread ends. */
static training_t *take_training(watch_packer_t *p)
{
    pthread_mutex_lock(&p->lock);
    list_t *node = list_pop(&p->waiting);

    p->running = node != NULL;
    pthread_mutex_unlock(&p->lock);
    return node != NULL ? LIST_ENTRY(node, training_t, link) : NULL;
}

static void give_back(training_t *t)
{
    watch_packer_t *p = t->packer;

    pthread_mutex_lock(&p->lock);
    t->done = true;
    const bool orphan = t->packing == NULL;

    if (!orphan)
        loop_post(p->loop, &t->task);
    pthread_mutex_unlock(&p->lock);
    if (orphan)
        training_free(t);
}

static void *train_all(void *arg)
{
    watch_packer_t *p = arg;

    for (training_t *t; (t = take_training(p)) != NULL;) {
        if (watch_dict_train(buf_text(&t->texts), t->sizes, t->count, &t->dict, NULL) < 0)
            t->dict = NULL;
        buf_fini(&t->texts);
        give_back(t);
    }
    return NULL;
}

static bool start_thread(watch_packer_t *p)
{
    sigset_t blocked, before;

    if (p->started)
        pthread_join(p->thread, NULL); /* it has ended, or is about to */
    host_thread_signals(&blocked);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    p->started = pthread_create(&p->thread, NULL, train_all, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return p->started;
}

static void submit(watch_packer_t *p, training_t *t)
{
    pthread_mutex_lock(&p->lock);
    list_append(&p->waiting, &t->link);
    const bool start = !p->running;

    p->running = true;
    pthread_mutex_unlock(&p->lock);
    if (!start || start_thread(p))
        return;
    pthread_mutex_lock(&p->lock);
    p->running = false; /* the next one tries again */
    pthread_mutex_unlock(&p->lock);
}

/* -- Slices -- */

static void pack_slice(loop_timer_t *timer)
{
    watch_packing_t *k = HOST_CONTAINER(timer, watch_packing_t, slice);
    const int64_t until = clock_now() + SLICE;

    do {
        for (int i = 0; i < SLICE_CHECK; i++) {
            if (!watch_store_pack(k->store, &k->walk)) {
                watch_store_walk_end(k->store, &k->walk);
                malloc_trim(0); /* what was raw until now was larger */
                return;
            }
        }
    } while (clock_now() < until);
    loop_timer_set(&k->slice, clock_now());
}

/* The end of a training. One that failed is tried again when there is twice as much. */
static void trained(loop_task_t *task)
{
    training_t *t = HOST_CONTAINER(task, training_t, task);
    watch_packing_t *k = t->packing;

    k->training = NULL;
    if (t->dict != NULL) {
        watch_store_set_codec(k->store, NULL, NULL, NULL);
        watch_store_set_dict(k->store, t->dict);
        watch_store_walk_begin(k->store, &k->walk);
        loop_timer_set(&k->slice, clock_now());
    } else {
        k->enough = 2 * watch_store_usage(k->store).text_bytes;
    }
    training_free(t);
}

/* -- Samples -- */

static int add_sample(training_t *t, const watch_snapshot_t *object)
{
    size_t len;
    const char *text = watch_snapshot_text(object, &len);

    t->sizes[t->count] = HOST_MIN(len, (size_t) SAMPLE_MAX);
    return buf_append(&t->texts, text, t->sizes[t->count++]);
}

static training_t *take_samples(watch_packing_t *k)
{
    const size_t most = watch_store_count(k->store);
    training_t *t = host_xcalloc(1, sizeof(*t));
    watch_store_walk_t walk;
    int ret = 0;

    list_init(&t->link);
    t->task.fn = trained;
    t->packer = k->packer;
    t->packing = k;
    t->sizes = calloc(most + 1, sizeof(*t->sizes));
    watch_store_walk_begin(k->store, &walk);
    while (t->sizes != NULL && ret == 0 && t->count < most && t->texts.len < (size_t) ENOUGH) {
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object =
            watch_store_walk_next(k->store, &walk);

        if (object == NULL)
            break;
        ret = add_sample(t, object);
    }
    watch_store_walk_end(k->store, &walk);
    if (t->sizes != NULL && ret == 0)
        return t;
    training_free(t);
    return NULL;
}

/* One more object is not compressed. */
static void on_raw(void *arg)
{
    watch_packing_t *k = arg;
    const watch_store_usage_t u = watch_store_usage(k->store);

    if (k->training != NULL || u.objects < OBJECTS || u.text_bytes < k->enough)
        return;
    k->training = take_samples(k);
    if (k->training != NULL)
        submit(k->packer, k->training);
}

/* -- Life -- */

watch_packing_t *watch_packing_begin(watch_packer_t *p, watch_store_t *store)
{
    watch_packing_t *k = host_xcalloc(1, sizeof(*k));

    k->packer = p;
    k->store = watch_store_ref(store);
    k->enough = ENOUGH;
    list_init(&k->walk.link);
    loop_timer_init(&k->slice, p->loop, pack_slice);
    if (p->packings++ == 0)
        p->codec = watch_codec_create();
    watch_store_set_codec(store, p->codec, on_raw, k);
    watch_store_keep_recent(store, RECENT);
    return k;
}

/* Nobody waits for it any more: it goes at once, or when the thread is through with it. */
static void abandon(training_t *t)
{
    watch_packer_t *p = t->packer;

    pthread_mutex_lock(&p->lock);
    const bool waits = !list_empty(&t->link), done = t->done;

    list_remove(&t->link);
    if (done)
        loop_withdraw(p->loop, &t->task);
    t->packing = NULL;
    pthread_mutex_unlock(&p->lock);
    if (waits || done)
        training_free(t);
}

void watch_packing_end(watch_packing_t *k)
{
    if (k == NULL)
        return;
    if (k->training != NULL)
        abandon(k->training);
    loop_timer_clear(&k->slice);
    watch_store_walk_end(k->store, &k->walk);
    watch_store_set_codec(k->store, NULL, NULL, NULL);
    watch_store_unref(k->store);
    if (--k->packer->packings == 0)
        watch_codec_unref(host_steal(k->packer->codec));
    free(k);
}

watch_packer_t *watch_packer_create(loop_t *loop)
{
    watch_packer_t *p = host_xcalloc(1, sizeof(*p));

    p->loop = loop;
    pthread_mutex_init(&p->lock, NULL);
    list_init(&p->waiting);
    return p;
}

void watch_packer_destroy(watch_packer_t *p)
{
    if (p == NULL)
        return;
    if (p->started)
        pthread_join(p->thread, NULL);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
