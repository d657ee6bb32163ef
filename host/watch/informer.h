/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps one store equal to what the API server has, by one list and then watches:
 *
 *   look up -> list -> watch -> watch -> ...
 *     ^         ^        |        a watch that ends is opened again from the last version seen
 *     |         +--------+        expired: list again; what vanished is reported as gone
 *     +------------------+        kind not there (any more): what was there is gone; look up
 *
 * docs/watch.md tells what users may rely on.
 */
#ifndef WATCH_INFORMER_H
#define WATCH_INFORMER_H

#include "kube/discovery.h"
#include "watch/hub.h"

typedef struct watch_informer watch_informer_t;

/* All on the loop's thread; none from within a call of this file. on_event may come from within the
 * HTTP client: no request of that client may be started or ended there. */
typedef struct watch_informer_handler {
    void (*on_event)(void *arg, const watch_event_t *event); /* [loop-thread] */
    /* true: the store is consistent for the first time, or for the first time in this term. false: the kind is not installed any more,
     * everything was reported as gone. [loop-thread] */
    void (*on_synced)(void *arg, bool synced);
    /* As watch_handler_t.on_state; only when it changes. [loop-thread] */
    void (*on_state)(void *arg, const char *problem);
} watch_informer_handler_t;

/* Begins by itself in the loop's next turn. options and handler are borrowed, spec is copied.
 * Caller owns the result, free with watch_informer_destroy. [loop-thread] */
watch_informer_t *watch_informer_create(const watch_hub_options_t *options,
                                        const watch_spec_t *spec,
                                        const watch_informer_handler_t *handler, void *arg);
/* Ends the requests and frees; no callback comes any more. NULL is allowed. Not from on_event. */
void watch_informer_destroy(watch_informer_t *w);

/* A term begins. The store is not consistent any more, until a list of this term is complete or it was
 * confirmed (watch/confirm.h): on_synced comes then. Writes noted in earlier terms are forgotten. */
void watch_informer_begin_term(watch_informer_t *w);

watch_store_t *watch_informer_store(watch_informer_t *w); /* borrowed until destroy */
bool watch_informer_synced(const watch_informer_t *w);
bool watch_informer_denied(const watch_informer_t *w);         /* the last answer was 401 or 403 */
bool watch_informer_namespaced(const watch_informer_t *w);     /* false before it is known */
const char *watch_informer_problem(const watch_informer_t *w); /* NULL: none */

#endif
