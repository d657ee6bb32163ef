/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compresses what the stores of a hub hold. Once there is a megabyte of objects of a kind, a
 * dictionary is trained on some of them; then all are compressed in slices, and new ones as they are
 * put.
 */
#ifndef WATCH_PACKER_H
#define WATCH_PACKER_H

#include "base/loop.h"
#include "watch/store.h"

typedef struct watch_packer watch_packer_t;   /* of a hub */
typedef struct watch_packing watch_packing_t; /* of one store */

/* Caller owns the result, free with watch_packer_destroy after all packings have ended. [loop-thread] */
watch_packer_t *watch_packer_create(loop_t *loop);
void watch_packer_destroy(watch_packer_t *p); /* NULL is allowed */

/* Caller owns the result, free with watch_packing_end; the store stays as it is then. A reference to
 * the store is taken. [loop-thread] */
watch_packing_t *watch_packing_begin(watch_packer_t *p, watch_store_t *store);
void watch_packing_end(watch_packing_t *packing); /* NULL is allowed */

#endif
