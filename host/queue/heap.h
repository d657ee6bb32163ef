/* SPDX-License-Identifier: Apache-2.0 */
/* The delayed keys, earliest first: a binary heap that knows each key's place. */
#ifndef QUEUE_HEAP_H
#define QUEUE_HEAP_H

#include "queue/entry.h"

typedef struct queue_heap {
    queue_entry_t **items;
    size_t count, cap;
} queue_heap_t;

/* Makes room for n keys in all, so that queue_heap_set cannot fail. 0 or LH_ENOMEM. */
HOST_MUST_USE int queue_heap_reserve(queue_heap_t *h, size_t n);
/* Puts e in for `at`, or moves it there. */
void queue_heap_set(queue_heap_t *h, queue_entry_t *e, int64_t at);
void queue_heap_remove(queue_heap_t *h, queue_entry_t *e); /* also one that is not in it */
queue_entry_t *queue_heap_first(const queue_heap_t *h);    /* NULL when empty */
void queue_heap_fini(queue_heap_t *h);

#endif
