/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which parts of an object a watch keeps: JSON Pointers, separated by commas. A pointer that meets an
 * array goes on in each of its elements. apiVersion, kind and metadata are always kept.
 */
#ifndef WATCH_FIELDS_H
#define WATCH_FIELDS_H

#include "watch/snapshot.h"

typedef struct watch_fields watch_fields_t;

/* NULL gives NULL, which keeps all. Caller owns *out, free with watch_fields_destroy. LH_EINVAL with
 * the pointer at fault in the text. */
HOST_MUST_USE int watch_fields_parse(const char *paths, watch_fields_t **out, lh_error_t *err);
void watch_fields_destroy(watch_fields_t *f); /* NULL is allowed */

/* That the part at this JSON Pointer is kept whole. */
bool watch_fields_keep(const watch_fields_t *f, const char *path);

/* As watch_snapshot_create, of what is kept. [any-thread] */
HOST_MUST_USE int watch_fields_snapshot(const watch_fields_t *f, const char *text, size_t len,
                                        const char *api_version, const char *kind,
                                        watch_snapshot_t **out, lh_error_t *err);

#endif
