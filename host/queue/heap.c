/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/heap.h"

#include "base/clock.h"

#include <leasehold/error.h>

int queue_heap_reserve(queue_heap_t *h, size_t n)
{
    if (n <= h->cap)
        return 0;
    size_t cap = HOST_MAX(n, h->cap * 2);
    queue_entry_t **items = reallocarray(h->items, cap, sizeof(*items));

    if (items == NULL)
        return LH_ENOMEM;
    h->items = items;
    h->cap = cap;
    return 0;
}

static void place(queue_heap_t *h, size_t slot, queue_entry_t *e)
{
    h->items[slot] = e;
    e->slot = slot;
}

static void sift_up(queue_heap_t *h, size_t slot, queue_entry_t *e)
{
    while (slot > 0 && h->items[(slot - 1) / 2]->at > e->at) {
        place(h, slot, h->items[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    place(h, slot, e);
}

static void sift_down(queue_heap_t *h, size_t slot, queue_entry_t *e)
{
    for (;;) {
        size_t child = slot * 2 + 1;

        if (child >= h->count)
            break;
        if (child + 1 < h->count && h->items[child + 1]->at < h->items[child]->at)
            child++;
        if (h->items[child]->at >= e->at)
            break;
        place(h, slot, h->items[child]);
        slot = child;
    }
    place(h, slot, e);
}

void queue_heap_set(queue_heap_t *h, queue_entry_t *e, int64_t at)
{
    queue_heap_remove(h, e);
    e->at = at;
    sift_up(h, h->count++, e);
}

void queue_heap_remove(queue_heap_t *h, queue_entry_t *e)
{
    if (e->at == CLOCK_NEVER)
        return;
    queue_entry_t *last = h->items[--h->count];

    e->at = CLOCK_NEVER;
    if (last == e)
        return;
    if (e->slot > 0 && h->items[(e->slot - 1) / 2]->at > last->at)
        sift_up(h, e->slot, last);
    else
        sift_down(h, e->slot, last);
}

queue_entry_t *queue_heap_first(const queue_heap_t *h)
{
    return h->count > 0 ? h->items[0] : NULL;
}

void queue_heap_fini(queue_heap_t *h)
{
    free(h->items);
    *h = (queue_heap_t){0};
}
