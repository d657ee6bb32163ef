/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for the entries of a queue. It comes from mappings of its own, which go back to the system when
 * their last entry does: on the heap entries would stand between the objects of the cache, which come
 * at the same time and stay, and none of their pages would ever become free.
 */
#ifndef QUEUE_SLAB_H
#define QUEUE_SLAB_H

#include "base/list.h"

enum { QUEUE_SLAB_STEP = 32, QUEUE_SLAB_CLASSES = 18 };

/* One thread at a time. */
typedef struct queue_slabs {
    list_t open[QUEUE_SLAB_CLASSES]; /* slabs with a free slot, by the size of their slots */
    size_t bytes;                    /* mapped */
} queue_slabs_t;

void queue_slabs_init(queue_slabs_t *s);
void queue_slabs_fini(queue_slabs_t *s); /* everything has been freed */

/* Zeroed memory for pointers and numbers, free with queue_slabs_free; NULL when there is none. */
void *queue_slabs_alloc(queue_slabs_t *s, size_t size);
void queue_slabs_free(queue_slabs_t *s, void *p);

#endif
