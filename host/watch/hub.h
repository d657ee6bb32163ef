/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared subscriptions: one list-and-watch stream per (resource, namespace, selectors, projection)
 * however many plugins ask for it. Who asks for less than a stream that is open, or announced, gets a
 * view of that (watch/view.h). The hub owns the streams (watch/informer.h) and their stores; a subscriber
 * gets events on the loop thread.
 */
#ifndef WATCH_HUB_H
#define WATCH_HUB_H

#include "base/loop.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "watch/store.h"

typedef struct watch_hub watch_hub_t;
typedef struct watch_sub watch_sub_t;
typedef struct watch_view watch_view_t; /* watch/view.h */
typedef struct watch_plan watch_plan_t;

typedef struct watch_spec {
    kube_gvr_t gvr;
    const char *ns;             /* NULL: all namespaces */
    const char *label_selector; /* NULL: none */
    const char *field_selector; /* NULL: none */
    bool metadata_only;         /* PartialObjectMetadata */
    const char *fields;         /* what is kept of an object (watch/fields.h); NULL: all */
    const char *index_labels;   /* by which the store finds objects ("app,tier"); NULL: none */
} watch_spec_t;

enum watch_event_type {
    WATCH_EVENT_CHANGED, /* object is there (new or changed) */
    WATCH_EVENT_GONE,    /* it does not exist any more (or was replaced by another uid) */
    WATCH_EVENT_LEFT     /* it exists, but not within the selectors; or: not known yet which */
};

/* Borrowed until on_event returns. */
typedef struct watch_event {
    enum watch_event_type type;
    bool initial;                   /* part of the first list of this subscription */
    const watch_snapshot_t *object; /* NULL when gone or left */
    const watch_snapshot_t *old;    /* the state before; NULL when unknown */
} watch_event_t;

typedef struct watch_handler {
    void (*on_event)(void *arg, const watch_event_t *event); /* [loop-thread] */
    /* The first list is complete: the store is consistent from now on. Again after the kind was
     * away. [loop-thread] */
    void (*on_synced)(void *arg);
    /* Why there is nothing yet, for people ("kind not installed", "forbidden: ..."); NULL when the
     * stream works, which on_synced tells too. [loop-thread] */
    void (*on_state)(void *arg, const char *problem);
} watch_handler_t;

typedef struct watch_hub_options {
    loop_t *loop;
    kube_client_t *client;       /* KUBE_CLIENT_READS; borrowed */
    kube_discovery_t *discovery; /* borrowed */
    const log_t *log;
    metrics_t *metrics;
    size_t max_lists; /* that are read at a time; 0: any number */
    struct watch_pace
        *pace; /* the hub's own, for its streams; NULL: they do not wait for each other */
} watch_hub_options_t;

/* Caller owns the result, free with watch_hub_destroy, when no subscription is open.
 * [loop-thread] */
watch_hub_t *watch_hub_create(const watch_hub_options_t *options);
void watch_hub_destroy(watch_hub_t *hub); /* NULL is allowed */

/* A term begins: what streams brought before it is confirmed before anybody is told that they have
 * synced (watch/informer.h). Subscriptions of the term are opened after it. [loop-thread] */
void watch_hub_begin_term(watch_hub_t *hub);

/* Says that somebody will subscribe to this when a term begins: then those who ask for less of the same
 * need no stream of their own. spec is copied; ended by watch_withdraw. [loop-thread] */
watch_plan_t *watch_announce(watch_hub_t *hub, const watch_spec_t *spec);
void watch_withdraw(watch_plan_t *plan); /* NULL is allowed */

/* Opens a subscription. Events begin from the loop, never from within. A stream that exists already
 * is replayed to the newcomer as initial events. Ended by watch_unsubscribe. LH_EINVAL for
 * selectors and fields that cannot be parsed. [loop-thread] */
HOST_MUST_USE int watch_subscribe(watch_hub_t *hub, const watch_spec_t *spec,
                                  const watch_handler_t *handler, void *arg, watch_sub_t **out,
                                  lh_error_t *err);
/* No event comes after it returns; the last subscriber's leaving closes the stream.
 * [loop-thread] */
void watch_unsubscribe(watch_sub_t *sub);

/* What the subscription sees of the stream's store; caller owns one more reference, free with
 * watch_view_unref. It stays readable after the subscription has ended, but is not kept up.
 * [loop-thread] */
watch_view_t *watch_sub_view(watch_sub_t *sub);
bool watch_sub_namespaced(const watch_sub_t *sub); /* as discovery says; false before it is known */

#endif
