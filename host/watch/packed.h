/* SPDX-License-Identifier: Apache-2.0 */
/* An object as the store keeps it: compressed, with what the store has to know of it beside.
 * Immutable, shared by reference count. */
#ifndef WATCH_PACKED_H
#define WATCH_PACKED_H

#include "watch/codec.h"
#include "watch/snapshot.h"

typedef struct watch_packed watch_packed_t;

/* Compresses the object's text, by dict unless that is NULL. Caller owns the result, release with
 * watch_packed_unref; NULL when it is better left as it is (it hardly shrinks, its names are
 * overlong) or memory is out. [loop-thread] */
watch_packed_t *watch_packed_create(watch_codec_t *c, const watch_dict_t *dict,
                                    const watch_snapshot_t *object);
watch_packed_t *watch_packed_ref(watch_packed_t *p);
void watch_packed_unref(watch_packed_t *p); /* NULL is allowed [any-thread] */

/* Borrowed until the last unref. [any-thread] */
const char *watch_packed_name(const watch_packed_t *p);
const char *watch_packed_version(const watch_packed_t *p);
uint64_t watch_packed_labels(const watch_packed_t *p); /* their digest (watch/selector.h) */
bool watch_packed_has_uid(const watch_packed_t *p, const char *uid);
size_t watch_packed_size(const watch_packed_t *p);     /* bytes of memory */
size_t watch_packed_text_len(const watch_packed_t *p); /* of the object */

/* Of a snapshot that was opened: where its text comes from. */
typedef struct watch_opened {
    watch_lazy_t lazy;
    watch_packed_t *packed;
    watch_codec_t *codec;
    watch_dict_t *dict;
} watch_opened_t;

/* A snapshot of it, whose text is expanded when it is first read. codec and dict: those that it was
 * made with; references are taken. Caller owns the result, release with watch_snapshot_unref.
 * [any-thread] */
watch_snapshot_t *watch_packed_open(watch_packed_t *p, watch_codec_t *c, watch_dict_t *dict,
                                    const char *ns);
void watch_opened_fini(watch_opened_t *o); /* by the snapshot */

#endif
