/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one subscriber sees of a store: all of it, or the objects of one namespace, of a label selector,
 * or their metadata alone. Nothing is copied but what is read.
 */
#ifndef WATCH_VIEW_H
#define WATCH_VIEW_H

#include "watch/hub.h"

/* The metadata of an object's text as a snapshot of its own, as a watch of metadata brings it. kind: put
 * in. Caller owns *out. LH_EPARSE, LH_ENOMEM. [any-thread] */
HOST_MUST_USE int watch_view_metadata(const char *text, size_t len, const char *kind,
                                      watch_snapshot_t **out);

/* -- Readers -- [any-thread] */

watch_view_t *watch_view_ref(watch_view_t *v);
void watch_view_unref(watch_view_t *v); /* the last one frees; NULL is allowed */

bool watch_view_synced(watch_view_t *v); /* as watch_store_synced */
/* As watch_store_read, and as watch_store_get. */
HOST_MUST_USE int watch_view_read(watch_view_t *v, const char *ns, const char *name,
                                  const watch_snapshot_t *held, watch_snapshot_t **out);
watch_snapshot_t *watch_view_get(watch_view_t *v, const char *ns, const char *name);
/* As watch_store_names; labels: a selector's text, NULL or "": any. LH_EINVAL too. */
HOST_MUST_USE int watch_view_names(watch_view_t *v, const char *ns, const char *labels,
                                   const char *owner_uid, watch_name_t **out, size_t *count,
                                   lh_error_t *err);

/* -- The loop -- [loop-thread] */

/* A view for what spec asks for, of no store yet. Caller owns *out, one reference. LH_EINVAL: a label
 * selector that cannot be parsed. */
HOST_MUST_USE int watch_view_create(const watch_spec_t *spec, watch_view_t **out, lh_error_t *err);
/* From now on of this store, whose stream brings what `wider` asks for: the same or more. A reference to
 * store is taken, wider is borrowed for the call. */
void watch_view_set(watch_view_t *v, const watch_spec_t *wider, watch_store_t *store);
/* The kind has no namespaces: that of the view selects nothing. */
void watch_view_set_cluster_scoped(watch_view_t *v);

/* What the view shows of an event: false when nothing. *shown is valid as long as event; what it owns is
 * given back by watch_view_event_fini. */
typedef struct watch_view_event {
    watch_event_t event;
    watch_snapshot_t *object, *old; /* projections */
} watch_view_event_t;
bool watch_view_show(watch_view_t *v, const watch_event_t *event, watch_view_event_t *shown);
void watch_view_event_fini(watch_view_event_t *shown);

/* Whether noted objects are to be whole (or the fields that are kept), not metadata alone. */
bool watch_view_holds_whole(const watch_view_t *v);
/* As watch_store_note_write, _note_left and _note_delete: what is outside the view is hidden by it. */
void watch_view_note_write(watch_view_t *v, watch_snapshot_t *object);
void watch_view_note_left(watch_view_t *v, watch_snapshot_t *object);
void watch_view_note_delete(watch_view_t *v, const char *ns, const char *name, const char *uid);

#endif
