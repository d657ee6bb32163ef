/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that left a selected watch: were they deleted, or do they only not match any more? The
 * server says DELETED for both. One GET for each decides, a few at a time.
 */
#ifndef WATCH_VERIFY_H
#define WATCH_VERIFY_H

#include "base/loop.h"
#include "kube/client.h"
#include "kube/path.h"
#include "watch/snapshot.h"

typedef struct watch_verify watch_verify_t;

/* on_gone: the object of this last state does not exist any more. Also called from within
 * watch_verify_seen and watch_verify_all_gone. gvr and client are borrowed. Caller owns the result,
 * free with watch_verify_destroy. [loop-thread] */
watch_verify_t *watch_verify_create(loop_t *loop, kube_client_t *client, const kube_gvr_t *gvr,
                                    void (*on_gone)(void *arg, const watch_snapshot_t *last),
                                    void *arg);
void watch_verify_destroy(watch_verify_t *v); /* NULL is allowed; what is open stays undecided */

/* Asks what became of the object. A reference is taken. */
void watch_verify_add(watch_verify_t *v, watch_snapshot_t *last);
/* object is there: an open question under its name is answered by it. */
void watch_verify_seen(watch_verify_t *v, const watch_snapshot_t *object);
void watch_verify_all_gone(watch_verify_t *v); /* the kind itself has gone */

#endif
