/* SPDX-License-Identifier: Apache-2.0 */
/* One object at one time, as immutable JSON text (metadata.managedFields removed), shared by
 * reference count. This is what lh_snapshot_t points to. */
#ifndef WATCH_SNAPSHOT_H
#define WATCH_SNAPSHOT_H

#include "json/skim.h"

typedef struct watch_snapshot watch_snapshot_t;
struct watch_opened; /* watch/packed.h */
struct watch_packed;

/* From the text of one object. api_version and kind (NULL: leave it) are put in when the text lacks
 * them, as the elements of a list do, and in the place of PartialObjectMetadata's. Caller owns
 * *out, release with watch_snapshot_unref. LH_EPARSE, also without metadata.name or of another kind;
 * LH_ETOOBIG from 2 GiB on; LH_ENOMEM. [any-thread] */
HOST_MUST_USE int watch_snapshot_create(const char *text, size_t len, const char *api_version,
                                        const char *kind, watch_snapshot_t **out, lh_error_t *err);
/* The same without white space around it. meta: what skim_meta() gave for exactly this text; NULL: it is
 * asked. [any-thread] */
HOST_MUST_USE int watch_snapshot_from(skim_span_t object, const skim_meta_t *meta,
                                      const char *api_version, const char *kind,
                                      watch_snapshot_t **out, lh_error_t *err);
/* Of an object that the store keeps compressed; what o refers to is taken over. The strings are copied.
 * [any-thread] */
watch_snapshot_t *watch_snapshot_of_opened(const struct watch_opened *o, const char *ns,
                                           const char *name, const char *uid, const char *version);
/* That it is of this very state of an object, which the store keeps compressed. [any-thread] */
bool watch_snapshot_is_of(const watch_snapshot_t *s, const struct watch_packed *packed);
/* Takes the memory that reading the text may need, so that reading cannot fail. LH_ENOMEM.
 * [any-thread] */
HOST_MUST_USE int watch_snapshot_reserve(const watch_snapshot_t *s);
watch_snapshot_t *watch_snapshot_ref(const watch_snapshot_t *s); /* [any-thread] */
void watch_snapshot_unref(watch_snapshot_t *s);                  /* NULL is allowed [any-thread] */
void watch_snapshot_unrefp(watch_snapshot_t **s);                /* for host_cleanup */

/* All borrowed until the last unref. [any-thread] */
/* NUL-terminated. When it is compressed so far, it is expanded here; without a reserve before, lack
 * of memory ends the process. */
const char *watch_snapshot_text(const watch_snapshot_t *s, size_t *len);
const char *watch_snapshot_ns(const watch_snapshot_t *s); /* "" for a cluster-scoped object */
const char *watch_snapshot_name(const watch_snapshot_t *s);
const char *watch_snapshot_uid(const watch_snapshot_t *s);
const char *watch_snapshot_version(const watch_snapshot_t *s); /* resourceVersion */
skim_span_t watch_snapshot_labels(const watch_snapshot_t *s);  /* as skim_meta gives them */
skim_span_t watch_snapshot_owners(const watch_snapshot_t *s);
size_t
watch_snapshot_size(const watch_snapshot_t *s); /* bytes of memory, without an expanded text */

/* Compares resourceVersions of one resource: -1, 0 or 1 when both are decimal integers (KEP-5504),
 * else 0 when equal and 2 when not comparable. [any-thread] */
int watch_version_compare(const char *a, const char *b);

#endif
