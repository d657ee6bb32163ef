/* SPDX-License-Identifier: Apache-2.0 */
/* A key through the queue: added, taken, finished. With metrics, as in the host. */
#include "queue/queue.h"
#include "bench/micro/micro.h"

#include <leasehold/types.h>

enum { KEYS = 1000 };

typedef struct keys {
    metrics_t *metrics;
    queue_t *queue;
    char names[KEYS][24];
    int64_t now;
} keys_t;

static void *create(void)
{
    keys_t *k = host_xcalloc(1, sizeof(*k));

    k->metrics = metrics_create();
    k->queue = queue_create(&(queue_options_t){.metrics = k->metrics, .name = "micro"});
    for (unsigned i = 0; i < KEYS; i++)
        snprintf(k->names[i], sizeof(k->names[i]), "object-%05u", i);
    return k;
}

static void destroy(void *state)
{
    keys_t *k = state;

    queue_destroy(k->queue);
    metrics_destroy(k->metrics);
    free(k);
}

static void run(void *state, size_t n)
{
    keys_t *k = state;
    queue_run_t taken;

    for (size_t i = 0; i < n; i++) {
        const queue_key_t key = {0, "bench", k->names[i % KEYS]};

        k->now += 1000;
        MICRO_REQUIRE(queue_add(k->queue, &key, LH_REASON_CHANGED, QUEUE_LIVE, k->now) == 0);
        MICRO_REQUIRE(queue_take(k->queue, k->now, &taken));
        queue_started(k->queue, taken.entry, k->now);
        queue_finish(k->queue, taken.entry, QUEUE_DONE, 0, k->now + 500);
    }
}

const micro_case_t micro_queue = {"queue", "a key added, taken, finished", create, run, destroy,
                                  NULL};
