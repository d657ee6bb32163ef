/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of what a watch is about, and the names of an object that cannot be read as a whole. */
#ifndef WATCH_SPEC_H
#define WATCH_SPEC_H

#include "watch/hub.h"
#include "json/skim.h"

/* All strings are copied: group, version and resource are never NULL, the others are NULL
 * instead of "". Freed with watch_spec_fini. */
void watch_spec_copy(watch_spec_t *out, const watch_spec_t *spec);
void watch_spec_fini(watch_spec_t *spec);
/* "apps/v1", "v1". Caller owns, free(). */
char *watch_spec_api_version(const watch_spec_t *spec);
/* Both selectors, with ";" between them; "": none. Caller owns, free(). */
char *watch_spec_selectors(const watch_spec_t *spec);

/* Its lines tell this watch from others of the same resource. Caller owns, free with log_destroy. */
log_t *watch_spec_log(const watch_spec_t *spec, const log_t *parent);

/* Names are "" where they are absent or cannot be read. Freed with watch_loose_fini. */
typedef struct watch_loose {
    char *ns, *name, *uid, *version;
} watch_loose_t;
/* Takes them out of the text of an object that is broken elsewhere. LH_ENOMEM. */
HOST_MUST_USE int watch_loose_read(skim_span_t object, watch_loose_t *out);
void watch_loose_fini(watch_loose_t *l);

#endif
