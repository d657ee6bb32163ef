/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/pace.h"

#include "base/clock.h"
#include "base/rand.h"

#define AGAIN_QPS 100

enum { AGAIN_BURST = 10 };

static bool has_room(const watch_pace_t *p)
{
    return p->most == 0 || p->reading < p->most;
}

static void begin(watch_pace_t *p, watch_turn_t *t)
{
    p->reading++;
    t->held = true;
    t->fn(t);
}

/* Not from within a stream's callback, where no request may be started. */
static void begin_next(loop_task_t *task)
{
    watch_pace_t *p = HOST_CONTAINER(task, watch_pace_t, next);

    while (has_room(p) && !list_empty(&p->waiting))
        begin(p, LIST_ENTRY(list_pop(&p->waiting), watch_turn_t, link));
}

void watch_pace_init(watch_pace_t *p, loop_t *loop, size_t max_lists)
{
    *p = (watch_pace_t){.loop = loop, .most = max_lists, .next = {.fn = begin_next}};
    list_init(&p->waiting);
    bucket_init(&p->again, AGAIN_QPS, AGAIN_BURST);
}

void watch_pace_fini(watch_pace_t *p)
{
    loop_withdraw(p->loop, &p->next);
}

void watch_turn_init(watch_turn_t *t, void (*fn)(watch_turn_t *turn))
{
    *t = (watch_turn_t){.fn = fn};
    list_init(&t->link);
}

void watch_turn_take(watch_pace_t *p, watch_turn_t *t)
{
    if (p == NULL || t->held)
        t->fn(t);
    else if (has_room(p) && list_empty(&p->waiting))
        begin(p, t);
    else
        list_append(&p->waiting, &t->link);
}

void watch_turn_end(watch_pace_t *p, watch_turn_t *t)
{
    list_remove(&t->link);
    if (p == NULL || !t->held)
        return;
    t->held = false;
    p->reading--;
    if (!list_empty(&p->waiting))
        loop_post(p->loop, &p->next);
}

int64_t watch_pace_again(watch_pace_t *p)
{
    const int64_t wait = p != NULL ? bucket_take(&p->again, clock_now()) : 0;

    return wait + rand_below(wait);
}
