/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read your writes: what the API server answered to a plugin's write is put into the plugin's
 * caches at once, before the watch brings it.
 */
#ifndef PLUGIN_OVERLAY_H
#define PLUGIN_OVERLAY_H

#include "plugin/manifest.h"
#include "watch/view.h"

/* A cache that may show a written object. Borrowed during the call. */
typedef struct plugin_overlay_target {
    const plugin_watch_t *watch;
    const char *ns;  /* the one that it holds; NULL: all */
    bool namespaced; /* the kind */
    watch_view_t *view;
} plugin_overlay_target_t;

/* A write that was answered 2xx. Borrowed during the call. */
typedef struct plugin_reply {
    const char *method, *path;
    const char *body; /* the object, or a Status */
    size_t len;
} plugin_reply_t;

/* Notes the reply in the target's store if it is about an object of that watch: an object within
 * its namespace and label selector, one that has left the label selector, or the Status of a
 * completed deletion. Under a field selector objects are not noted: only the server can tell whether
 * they belong. [loop-thread] */
void plugin_overlay_note(const plugin_overlay_target_t *t, const plugin_reply_t *reply);

#endif
