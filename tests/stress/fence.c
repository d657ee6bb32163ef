/* SPDX-License-Identifier: Apache-2.0 */
/* One thread renews and suspends, one closes, many test: nobody sees the fence open after the
 * close, and the last reference may be dropped anywhere. */
#include "base/fence.h"
#include "stress.h"

enum { TESTERS = 4 };

typedef struct round {
    fence_t *fence;      /* one reference for each thread */
    _Atomic bool closed; /* set after fence_close has returned */
    _Atomic int at_work; /* testers that have seen the fence once */
    _Atomic long tested;
} round_t;

static void *test(void *arg)
{
    round_t *r = arg;
    bool closed = false;
    long tested = 0;

    while (!closed) {
        closed = atomic_load(&r->closed);
        bool admits = fence_admits(r->fence), open = fence_open(r->fence);

        CHECK(!closed || (!admits && !open), "open after the close");
        if (tested++ == 0)
            atomic_fetch_add(&r->at_work, 1);
    }
    atomic_fetch_add(&r->tested, tested);
    fence_unref(r->fence);
    return NULL;
}

static void *renew(void *arg)
{
    round_t *r = arg;
    bool alive = true;

    for (unsigned i = 0; alive; i++) {
        bool closed = atomic_load(&r->closed);

        if (i % 4 == 0) {
            fence_suspend(r->fence);
            CHECK(!fence_open(r->fence), "open while suspended");
        }
        alive = fence_extend(r->fence, clock_now() + 10 * CLOCK_S);
        CHECK(!closed || !alive, "extended after the close");
    }
    CHECK(!fence_open(r->fence), "open after a refused renewal");
    fence_unref(r->fence);
    return NULL;
}

static void *close_fence(void *arg)
{
    round_t *r = arg;

    while (atomic_load(&r->at_work) < TESTERS)
        ;
    fence_close_gate(r->fence);
    fence_close(r->fence);
    atomic_store(&r->closed, true);
    CHECK(!fence_extend(r->fence, CLOCK_NEVER), "extended after the close");
    fence_unref(r->fence);
    return NULL;
}

int main(void)
{
    int64_t end = clock_now() + STRESS_TIME;
    long tested = 0;
    int rounds = 0;

    for (; clock_now() < end; rounds++) {
        round_t r = {.fence = fence_create((uint64_t) rounds, clock_now() + 10 * CLOCK_S)};
        pthread_t threads[TESTERS + 2];

        for (int i = 0; i < TESTERS + 2; i++)
            fence_ref(r.fence);
        fence_unref(r.fence);
        for (int i = 0; i < TESTERS; i++)
            threads[i] = stress_spawn(test, &r);
        threads[TESTERS] = stress_spawn(renew, &r);
        threads[TESTERS + 1] = stress_spawn(close_fence, &r);
        for (int i = 0; i < TESTERS + 2; i++)
            pthread_join(threads[i], NULL);
        tested += atomic_load(&r.tested);
    }
    printf("%d rounds, %ld tests\n", rounds, tested);
    CHECK(rounds > 0, "no time for one round");
    return 0;
}
