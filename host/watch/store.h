/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cached objects of one stream. One writer, the loop; readers on any thread take a reference
 * under the store's lock, which is held for a lookup only.
 */
#ifndef WATCH_STORE_H
#define WATCH_STORE_H

#include "base/list.h"
#include "base/metrics.h"
#include "watch/codec.h"
#include "watch/selector.h"
#include "watch/snapshot.h"

typedef struct watch_store watch_store_t;

watch_store_t *watch_store_create(void); /* one reference, free with watch_store_unref */
watch_store_t *watch_store_ref(watch_store_t *s);
void watch_store_unref(watch_store_t *s); /* the last one frees; NULL is allowed [any-thread] */

/* -- Readers -- [any-thread] */

/* The object, *out NULL when there is none. Sees noted writes. held: a state of it that the caller has
 * (NULL: none), which may be given again when it is still the present one. Caller owns *out, release with
 * watch_snapshot_unref. LH_ENOMEM. */
HOST_MUST_USE int watch_store_read(watch_store_t *s, const char *ns, const char *name,
                                   const watch_snapshot_t *held, watch_snapshot_t **out);
/* The same where lack of memory may count as absence. */
watch_snapshot_t *watch_store_get(watch_store_t *s, const char *ns, const char *name);

typedef struct watch_name {
    char *ns, *name; /* one allocation, freed with ns */
} watch_name_t;
/* Names of the objects that match (each of the three may be NULL: any). Caller owns the array,
 * free with watch_names_free. LH_ENOMEM. */
HOST_MUST_USE int watch_store_names(watch_store_t *s, const char *ns,
                                    const watch_selector_t *labels, const char *owner_uid,
                                    watch_name_t **out, size_t *count, lh_error_t *err);
void watch_names_free(watch_name_t *names, size_t count);
size_t watch_store_count(watch_store_t *s);
bool watch_store_synced(watch_store_t *s);

/* -- The writer -- [loop-thread] */

enum watch_change {
    WATCH_SAME,
    WATCH_OLDER, /* a newer state of the same uid is there */
    WATCH_ADDED,
    WATCH_MODIFIED,
    WATCH_REPLACED /* another uid */
};
/* Puts object in (a reference is taken) unless it is the same or older. *old (may be NULL) is what
 * it replaced, NULL when nothing; caller owns. A noted write yields only to a version not lower. */
enum watch_change watch_store_put(watch_store_t *s, watch_snapshot_t *object,
                                  watch_snapshot_t **old);
/* Takes an object out; the removed state, caller owns, or NULL when there was none (or a newer
 * object of that name stands there). version: of the deletion; "" when unknown, then only an object
 * of this uid goes. */
watch_snapshot_t *watch_store_remove(watch_store_t *s, const char *ns, const char *name,
                                     const char *uid, const char *version);
/* An object that is there could not be read: a list did bring it, and its last state stays. When the
 * last state is of another uid (uid "": not known) that one is taken out; caller owns it. */
watch_snapshot_t *watch_store_touch(watch_store_t *s, const char *ns, const char *name,
                                    const char *uid);
void watch_store_clear(watch_store_t *s);
bool watch_store_is_shared(watch_store_t *s); /* there are other references */
/* A part of the last unref's work, before it, when the store is not shared: takes out up to `most`
 * objects. False when there is nothing left to do. */
bool watch_store_shrink(watch_store_t *s, size_t most);
void watch_store_set_synced(watch_store_t *s, bool synced);
/* The stream has delivered everything up to version: noted writes up to there have done their work.
 * Versions that are not comparable are left alone. */
void watch_store_passed(watch_store_t *s, const char *version);

/* The server went back in time, as after a restored backup: a list follows, and what it brings
 * replaces what is there, however low its versions. Until then readers see what they saw. */
void watch_store_rewind(watch_store_t *s);

/* That the stream has brought this object, in this version or (where that can be told) a later one. */
bool watch_store_has(watch_store_t *s, const char *ns, const char *name, const char *uid,
                     const char *version);
/* Forgets every noted write, as a term's end asks for. That an object is known to be gone stays. */
void watch_store_forget_notes(watch_store_t *s);

/* A new list begins; one that was begun before is forgotten. */
void watch_store_list_begin(watch_store_t *s);
/* After the list's last object: takes out the next object that was not put since list_begin, also
 * while events go on. Caller owns it; NULL when none is left. */
watch_snapshot_t *watch_store_sweep(watch_store_t *s);
/* After the sweep: like watch_store_passed, and drops noted writes that cannot be compared. */
void watch_store_list_end(watch_store_t *s, const char *version);

/* Objects that have one of these labels ("app,tier") are found by its value without a look at others.
 * Those that are there already: once a walk that began after this has come to its end; till then all are
 * looked at, as for any other label. */
void watch_store_index_labels(watch_store_t *s, const char *keys);

/* A walk over the stream's objects, in slices: every object that stays comes at least once, one
 * that changes meanwhile may come again. */
typedef struct watch_store_walk {
    list_t link;   /* among the walks of the store */
    list_t *at;    /* what comes next */
    size_t labels; /* that were indexed when it began */
} watch_store_walk_t;
void watch_store_walk_begin(watch_store_t *s, watch_store_walk_t *walk);
/* The next object, caller owns; NULL at the end. */
watch_snapshot_t *watch_store_walk_next(watch_store_t *s, watch_store_walk_t *walk);
void watch_store_walk_end(watch_store_t *s, watch_store_walk_t *walk); /* harmless when ended */

/* Read-your-writes: the object in a write's reply is seen by readers at once, unless the stream has
 * passed its version; events for it still come by the stream. A reference is taken. */
void watch_store_note_write(watch_store_t *s, watch_snapshot_t *object);
/* The same when the write took the object out of the selectors: readers see none of its states until
 * the stream brings this one or a later one. */
void watch_store_note_left(watch_store_t *s, watch_snapshot_t *object);
/* After a successful delete without finalizers: this uid is known to be gone. */
void watch_store_note_delete(watch_store_t *s, const char *ns, const char *name, const char *uid);

/* -- Compression -- [loop-thread] */

/* From now on large objects are compressed when they are put, and all others once there is a
 * dictionary, unless they are recent. on_raw is told of each that is not because there is none
 * yet; NULL: nobody is. A reference is taken. */
void watch_store_set_codec(watch_store_t *s, watch_codec_t *codec, void (*on_raw)(void *arg),
                           void *arg);
/* The latest states that the stream brought are not compressed, up to so many bytes, but for those that
 * take a quarter of it: whoever was told of them reads them soon. 0, when it is not called: none. */
void watch_store_keep_recent(watch_store_t *s, size_t most);
/* Once; a reference is taken. What is there is compressed by watch_store_pack. */
void watch_store_set_dict(watch_store_t *s, watch_dict_t *dict);
/* Compresses the next of the walk's objects that is not yet. False at the end. */
bool watch_store_pack(watch_store_t *s, watch_store_walk_t *walk);

typedef struct watch_store_usage {
    size_t objects;    /* as readers see them */
    size_t bytes;      /* that the store takes, without what malloc adds */
    size_t text_bytes; /* the same objects as text */
} watch_store_usage_t;
watch_store_usage_t watch_store_usage(watch_store_t *s); /* [any-thread] */

/* How watch_store_names finds its candidates. */
enum watch_store_way {
    WATCH_BY_OWNER,
    WATCH_BY_LABEL,
    WATCH_BY_NAMESPACE,
    WATCH_BY_ALL,
    WATCH_WAYS
};

/* Where the store shows its usage; each may be NULL. Borrowed until they are set to NULL. */
typedef struct watch_store_meters {
    metric_cell_t *objects, *bytes, *text_bytes;
    metric_cell_t *reads[WATCH_WAYS]; /* calls of watch_store_names */
} watch_store_meters_t;
void watch_store_set_meters(watch_store_t *s, const watch_store_meters_t *meters);

#endif
