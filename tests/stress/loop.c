/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads post to one loop: tasks that are posted again and again (each run sees at least what
 * was written before the post that caused it), tasks that free themselves, and synchronous calls. */
#include "base/loop.h"
#include "stress.h"

enum { PRODUCERS = 6 };

typedef struct producer {
    loop_t *loop;
    int64_t end;
    loop_task_t task;
    _Atomic long written;
    long seen, runs, posts; /* seen and runs are the loop's, until it has stopped */
    long *freed;            /* the loop's */
    long once;              /* tasks that free themselves */
} producer_t;

typedef struct once {
    loop_task_t task;
    long *freed;
} once_t;

static void run_task(loop_task_t *task)
{
    producer_t *p = HOST_CONTAINER(task, producer_t, task);
    long written = atomic_load_explicit(&p->written, memory_order_relaxed);

    CHECK(written >= p->seen, "went back from %ld to %ld", p->seen, written);
    p->seen = written;
    p->runs++;
}

static void run_once(loop_task_t *task)
{
    once_t *once = HOST_CONTAINER(task, once_t, task);

    ++*once->freed;
    free(once);
}

static void read_seen(void *arg)
{
    producer_t *p = arg;

    CHECK(p->seen == atomic_load(&p->written), "a post was lost: saw %ld of %ld", p->seen,
          atomic_load(&p->written));
}

static void *produce(void *arg)
{
    producer_t *p = arg;

    for (long i = 1; clock_now() < p->end; i++) {
        atomic_store_explicit(&p->written, i, memory_order_relaxed);
        loop_post(p->loop, &p->task);
        p->posts++;
        if (i % 8 == 0) {
            once_t *once = host_xcalloc(1, sizeof(*once));

            once->task.fn = run_once;
            once->freed = p->freed;
            loop_post(p->loop, &once->task);
            p->once++;
        }
        if (i % 32 == 0)
            loop_call_sync(p->loop, read_seen, p);
    }
    loop_call_sync(p->loop, read_seen, p);
    return NULL;
}

static void *run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

int main(void)
{
    producer_t producers[PRODUCERS] = {0};
    pthread_t threads[PRODUCERS];
    long freed = 0, once = 0, posts = 0, runs = 0;
    loop_t *loop = NULL;
    lh_error_t err = {0};
    int ret = loop_create(&loop, &err);

    CHECK(ret == 0, "%s", err.text);
    pthread_t runner = stress_spawn(run_loop, loop);

    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (producer_t){.loop = loop,
                                    .end = clock_now() + STRESS_TIME,
                                    .task = {.fn = run_task},
                                    .freed = &freed};
        threads[i] = stress_spawn(produce, &producers[i]);
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    loop_stop(loop);
    pthread_join(runner, NULL);
    loop_destroy(loop);
    for (int i = 0; i < PRODUCERS; i++) {
        once += producers[i].once;
        posts += producers[i].posts;
        runs += producers[i].runs;
    }
    printf("%ld posts, %ld runs, %ld tasks freed\n", posts, runs, freed);
    CHECK(freed == once, "%ld tasks ran of %ld", freed, once);
    CHECK(runs > 0 && runs <= posts, "%ld runs of %ld posts", runs, posts);
    return 0;
}
