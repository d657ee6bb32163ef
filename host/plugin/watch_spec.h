/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLUGIN_WATCH_SPEC_H
#define PLUGIN_WATCH_SPEC_H

#include "plugin/manifest.h"
#include "watch/hub.h"

/* What a watch of a manifest asks for in this namespace (NULL: all). Strings are borrowed. */
static inline watch_spec_t plugin_watch_spec(const plugin_watch_t *w, const char *ns)
{
    return (watch_spec_t){.gvr = w->gvr,
                          .ns = ns,
                          .label_selector = w->label_selector,
                          .field_selector = w->field_selector,
                          .metadata_only = w->metadata_only,
                          .fields = w->fields,
                          .index_labels = w->index_labels};
}

#endif
