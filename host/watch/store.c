/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry has up to two states: what the stream said (live), and what the reply to a write said
 * (a note). Readers see the noted one while it is there. Either may be known to be gone, although
 * the stream has not said so yet.
 *
 * All entries stand in one list, in the order of their last put: what a new list did not bring is in
 * front, and a walk is a place in it. A live state is put in raw, and stays so while it is among the
 * most recent ones: who is told of a change reads it soon. The older ones are compressed many at a
 * time, which costs a third of one by one, without the lock; then the two are exchanged.
 */
#include "watch/store_internal.h"

#include "base/error.h"

#include <string.h>

enum { LARGE = 8 << 10 }; /* bytes of an object that shrinks well without a dictionary too */

/* -- Usage -- */

static size_t live_size(const store_entry_t *e)
{
    return e->packed ? watch_packed_size(e->live) : watch_snapshot_size(e->live);
}

static size_t live_text_len(const store_entry_t *e)
{
    size_t len;

    if (e->packed)
        return watch_packed_text_len(e->live);
    (void) watch_snapshot_text(e->live, &len);
    return len;
}

static watch_store_usage_t usage(const watch_store_t *s)
{
    return (watch_store_usage_t){.objects = s->count,
                                 .bytes = sizeof(*s) + store_table_bytes(&s->table) + s->bytes +
                                          watch_index_bytes(&s->index) + watch_dict_size(s->dict),
                                 .text_bytes = s->text_bytes};
}

static void show_usage(watch_store_t *s)
{
    const watch_store_usage_t u = usage(s);

    if (s->meters.objects != NULL)
        metric_set(s->meters.objects, (double) u.objects);
    if (s->meters.bytes != NULL)
        metric_set(s->meters.bytes, (double) u.bytes);
    if (s->meters.text_bytes != NULL)
        metric_set(s->meters.text_bytes, (double) u.text_bytes);
}

watch_store_usage_t watch_store_usage(watch_store_t *s)
{
    pthread_mutex_lock(&s->lock);
    const watch_store_usage_t u = usage(s);

    pthread_mutex_unlock(&s->lock);
    return u;
}

void watch_store_set_meters(watch_store_t *s, const watch_store_meters_t *meters)
{
    pthread_mutex_lock(&s->lock);
    s->meters = *meters;
    show_usage(s);
    pthread_mutex_unlock(&s->lock);
}

/* -- States of an entry -- */

static bool live_has_uid(const store_entry_t *e, const char *uid)
{
    return e->packed ? watch_packed_has_uid(e->live, uid)
                     : strcmp(watch_snapshot_uid(e->live), uid) == 0;
}

static const char *live_version(const store_entry_t *e)
{
    return e->packed ? watch_packed_version(e->live) : watch_snapshot_version(e->live);
}

store_state_t store_live(const store_entry_t *e)
{
    if (e->live == NULL)
        return (store_state_t){0};
    if (e->packed)
        return (store_state_t){.packed = watch_packed_ref(e->live)};
    return (store_state_t){.raw = watch_snapshot_ref(e->live)};
}

store_state_t store_view(const store_entry_t *e)
{
    if (e->note != NULL && (e->note->gone || e->note->left))
        return (store_state_t){0};
    if (e->note != NULL)
        return (store_state_t){.raw = watch_snapshot_ref(e->note->object)};
    return e->live_gone ? (store_state_t){0} : store_live(e);
}

void store_state_unref(store_state_t state)
{
    watch_snapshot_unref(state.raw);
    watch_packed_unref(state.packed);
}

watch_snapshot_t *store_open(const watch_store_t *s, store_state_t state, const char *ns)
{
    if (state.packed == NULL)
        return state.raw;
    watch_snapshot_t *opened = watch_packed_open(state.packed, s->codec, s->dict, ns);

    watch_packed_unref(state.packed);
    return opened;
}

static bool is_seen(const store_entry_t *e)
{
    if (e->note != NULL)
        return !e->note->gone && !e->note->left;
    return e->live != NULL && !e->live_gone;
}

static void set_recent(watch_store_t *s, store_entry_t *e, bool recent)
{
    if (e->recent)
        s->recent_bytes -= live_size(e);
    if (recent)
        s->recent_bytes += live_size(e);
    e->recent = recent;
}

/* Without touching what is seen. live is taken over. */
static void set_live(watch_store_t *s, store_entry_t *e, void *live, bool packed)
{
    const store_state_t old =
        e->packed ? (store_state_t){.packed = e->live} : (store_state_t){.raw = e->live};

    if (e->live != NULL) {
        set_recent(s, e, false);
        s->bytes -= live_size(e);
        s->text_bytes -= live_text_len(e);
    }
    e->live = live;
    e->packed = packed;
    if (live != NULL) {
        set_recent(s, e, !packed);
        s->bytes += live_size(e);
        s->text_bytes += live_text_len(e);
    } else {
        e->live_gone = false;
    }
    store_state_unref(old);
}

static size_t note_size(const store_note_t *n)
{
    return sizeof(*n) + watch_snapshot_size(n->object);
}

static void drop_note(watch_store_t *s, store_entry_t *e)
{
    store_note_t *n = e->note;

    if (n == NULL)
        return;
    e->note = NULL;
    s->bytes -= note_size(n);
    list_remove(&n->link);
    watch_snapshot_unref(n->object);
    free(n);
}

static void add_note(watch_store_t *s, store_entry_t *e, watch_snapshot_t *object, bool left)
{
    store_note_t *n = host_xcalloc(1, sizeof(*n));

    drop_note(s, e);
    *n = (store_note_t){
        .entry = e, .object = watch_snapshot_ref(object), .epoch = s->epoch, .left = left};
    e->note = n;
    list_append(&s->notes, &n->link);
    s->bytes += note_size(n);
}

static void leave_order(watch_store_t *s, store_entry_t *e)
{
    LIST_EACH (&s->walks, it, next) {
        watch_store_walk_t *walk = LIST_ENTRY(it, watch_store_walk_t, link);

        if (walk->at == &e->link)
            walk->at = e->link.next;
    }
    list_remove(&e->link);
}

static void join_order(watch_store_t *s, store_entry_t *e)
{
    list_append(&s->order, &e->link);
    LIST_EACH (&s->walks, it, next) {
        watch_store_walk_t *walk = LIST_ENTRY(it, watch_store_walk_t, link);

        if (walk->at == &s->order)
            walk->at = &e->link;
    }
}

void store_index(watch_store_t *s, store_entry_t *e)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *view =
        store_open(s, store_view(e), e->ns->text);

    watch_index_set(&s->index, &e->indexed, e, view);
}

/* After a change of states: what readers see is counted and indexed. The entry ends with
 * its last state. */
static void settle(watch_store_t *s, store_entry_t *e, bool was_seen)
{
    s->count += is_seen(e);
    s->count -= was_seen;
    store_index(s, e);
    if (e->live == NULL && e->note == NULL) {
        leave_order(s, e);
        store_table_remove(&s->table, e);
    }
    show_usage(s);
}

static void end_note(watch_store_t *s, store_entry_t *e)
{
    const bool was_seen = is_seen(e);

    drop_note(s, e);
    settle(s, e, was_seen);
}

static void end_entry(watch_store_t *s, store_entry_t *e)
{
    const bool was_seen = is_seen(e);

    drop_note(s, e);
    set_live(s, e, NULL, false);
    settle(s, e, was_seen);
}

/* That a is b or an earlier version; false when that cannot be told. */
static bool not_above(const char *a, const char *b)
{
    int order = watch_version_compare(a, b);

    return order == 0 || order == -1;
}

/* That a state of this uid and version, which came later, ends the note. Where versions cannot be
 * compared any does, for else the note would cover it until the next list. */
static bool ends_note(const store_note_t *n, const char *uid, const char *version)
{
    int order = watch_version_compare(watch_snapshot_version(n->object), version);

    return order == 2 ? *version != '\0' && strcmp(watch_snapshot_uid(n->object), uid) == 0
                      : order != 1;
}

static store_entry_t *get(watch_store_t *s, const watch_snapshot_t *object)
{
    const char *ns = watch_snapshot_ns(object), *name = watch_snapshot_name(object);
    store_entry_t *e = store_table_find(&s->table, ns, name);

    if (e != NULL)
        return e;
    e = store_table_add(&s->table, ns, name);
    e->epoch = s->epoch;
    join_order(s, e);
    return e;
}

/* -- Life -- */

watch_store_t *watch_store_create(void)
{
    watch_store_t *s = host_xcalloc(1, sizeof(*s));

    atomic_init(&s->refs, 1);
    pthread_mutex_init(&s->lock, NULL);
    list_init(&s->order);
    list_init(&s->walks);
    list_init(&s->notes);
    list_append(&s->walks, &s->recent.link);
    s->recent.at = &s->order;
    return s;
}

watch_store_t *watch_store_ref(watch_store_t *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void watch_store_unref(watch_store_t *s)
{
    if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) > 1)
        return;
    watch_store_clear(s);
    store_table_fini(&s->table);
    watch_index_fini(&s->index);
    watch_dict_unref(s->dict);
    watch_codec_unref(s->codec);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void watch_store_clear(watch_store_t *s)
{
    (void) watch_store_shrink(s, SIZE_MAX);
    pthread_mutex_lock(&s->lock);
    s->position[0] = '\0';
    pthread_mutex_unlock(&s->lock);
}

bool watch_store_is_shared(watch_store_t *s)
{
    return atomic_load_explicit(&s->refs, memory_order_acquire) > 1;
}

bool watch_store_shrink(watch_store_t *s, size_t most)
{
    pthread_mutex_lock(&s->lock);
    LIST_EACH (&s->order, it, next) {
        if (most-- == 0)
            break;
        end_entry(s, LIST_ENTRY(it, store_entry_t, link));
    }
    const bool more = s->table.entries.count > 0;

    pthread_mutex_unlock(&s->lock);
    return more;
}

void watch_store_set_synced(watch_store_t *s, bool synced)
{
    atomic_store_explicit(&s->synced, synced, memory_order_release);
}

bool watch_store_synced(watch_store_t *s)
{
    return atomic_load_explicit(&s->synced, memory_order_acquire);
}

/* -- Compression -- */

void watch_store_set_codec(watch_store_t *s, watch_codec_t *codec, void (*on_raw)(void *arg),
                           void *arg)
{
    pthread_mutex_lock(&s->lock);
    if (s->codec == NULL && codec != NULL)
        s->codec = watch_codec_ref(codec);
    s->on_raw = on_raw;
    s->on_raw_arg = arg;
    pthread_mutex_unlock(&s->lock);
}

void watch_store_set_dict(watch_store_t *s, watch_dict_t *dict)
{
    pthread_mutex_lock(&s->lock);
    s->dict = watch_dict_ref(dict);
    show_usage(s);
    pthread_mutex_unlock(&s->lock);
}

void watch_store_keep_recent(watch_store_t *s, size_t most)
{
    s->recent_most = most;
}

/* That there is what its live state can be compressed with. */
static bool can_pack(const watch_store_t *s, const store_entry_t *e)
{
    return s->codec != NULL && (s->dict != NULL || live_text_len(e) >= LARGE);
}

/* The live state, which is raw, is compressed if that is worth it, and recent no more. Without the lock:
 * only this thread changes entries, and readers only take references. */
static void pack(watch_store_t *s, store_entry_t *e)
{
    watch_packed_t *packed =
        can_pack(s, e) ? watch_packed_create(s->codec, s->dict, e->live) : NULL;

    pthread_mutex_lock(&s->lock);
    if (packed != NULL)
        set_live(s, e, packed, true);
    else
        set_recent(s, e, false);
    show_usage(s);
    pthread_mutex_unlock(&s->lock);
}

store_entry_t *store_next_live(watch_store_t *s, watch_store_walk_t *walk)
{
    while (walk->at != &s->order) {
        store_entry_t *e = LIST_ENTRY(walk->at, store_entry_t, link);

        walk->at = walk->at->next;
        if (e->live != NULL)
            return e;
    }
    return NULL;
}

/* After e was put. A large state is compressed at once. When the recent ones have become too many
 * half of them are, the older ones: what that needs, contexts and dictionary, is brought into the
 * processor's cache once. */
static void pack_recent(watch_store_t *s, store_entry_t *e)
{
    if (s->codec == NULL)
        return;
    if (e->recent && !can_pack(s, e) && s->on_raw != NULL)
        s->on_raw(s->on_raw_arg);
    if (e->recent && live_size(e) > s->recent_most / 4)
        pack(s, e);
    if (s->recent_bytes <= s->recent_most)
        return;
    while (s->recent_bytes > s->recent_most / 2 && (e = store_next_live(s, &s->recent)) != NULL) {
        if (e->recent)
            pack(s, e);
    }
}

bool watch_store_pack(watch_store_t *s, watch_store_walk_t *walk)
{
    pthread_mutex_lock(&s->lock);
    store_entry_t *e = store_next_live(s, walk);

    pthread_mutex_unlock(&s->lock);
    if (e != NULL && !e->packed)
        pack(s, e);
    return e != NULL;
}

/* -- The stream -- */

static bool same_text(const watch_snapshot_t *a, const watch_snapshot_t *b)
{
    size_t a_len, b_len;
    const char *a_text = watch_snapshot_text(a, &a_len), *b_text = watch_snapshot_text(b, &b_len);

    return a_len == b_len && memcmp(a_text, b_text, a_len) == 0;
}

static enum watch_change change_of(const watch_store_t *s, const store_entry_t *e,
                                   const watch_snapshot_t *object)
{
    if (e->live == NULL)
        return WATCH_ADDED;
    if (!live_has_uid(e, watch_snapshot_uid(object)))
        return WATCH_REPLACED;
    if (e->epoch != s->epoch) { /* a version may have been given a second time */
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *live =
            store_open(s, store_live(e), e->ns->text);

        return same_text(live, object) ? WATCH_SAME : WATCH_MODIFIED;
    }
    switch (watch_version_compare(watch_snapshot_version(object), live_version(e))) {
    case 0:
        return WATCH_SAME;
    case -1:
        return WATCH_OLDER;
    default:
        return WATCH_MODIFIED;
    }
}

/* Puts object in as the live state; the note yields to it unless it is newer. What is known from
 * before the server went back, deletions too, counts no more. */
static void put_live(watch_store_t *s, store_entry_t *e, watch_snapshot_t *object)
{
    const char *uid = watch_snapshot_uid(object), *version = watch_snapshot_version(object);
    const bool was_seen = is_seen(e);
    const store_note_t *note = e->note != NULL && e->note->epoch == s->epoch ? e->note : NULL;
    const bool note_same = note != NULL && strcmp(watch_snapshot_uid(note->object), uid) == 0;
    const bool live_same = e->live != NULL && e->epoch == s->epoch && live_has_uid(e, uid);
    const bool gone = (e->live_gone && live_same) || (note_same && note->gone);

    if (note == NULL || ends_note(note, uid, version))
        drop_note(s, e);
    set_live(s, e, watch_snapshot_ref(object), false);
    e->epoch = s->epoch;
    e->live_gone = gone;
    settle(s, e, was_seen);
}

static void touch(watch_store_t *s, store_entry_t *e)
{
    e->generation = s->generation;
    leave_order(s, e);
    join_order(s, e);
}

enum watch_change watch_store_put(watch_store_t *s, watch_snapshot_t *object,
                                  watch_snapshot_t **old)
{
    store_state_t before = {0};

    pthread_mutex_lock(&s->lock);
    store_entry_t *e = get(s, object);
    enum watch_change change = change_of(s, e, object);

    touch(s, e);
    const bool changed = change != WATCH_SAME && change != WATCH_OLDER;

    if (changed && old != NULL)
        before = store_live(e);
    if (changed || e->epoch != s->epoch)
        put_live(s, e, object);
    pthread_mutex_unlock(&s->lock);
    pack_recent(s, e);
    if (old != NULL)
        *old = store_open(s, before, e->ns->text);
    return change;
}

/* Takes the live state out; the note goes too when it is of the same uid and not newer. The caller
 * owns the result; e may be gone afterwards. */
static watch_snapshot_t *take_live(watch_store_t *s, store_entry_t *e, const char *version)
{
    const bool was_seen = is_seen(e);
    watch_snapshot_t *live = store_open(s, store_live(e), e->ns->text);
    const char *uid = watch_snapshot_uid(live);

    if (e->note != NULL && strcmp(watch_snapshot_uid(e->note->object), uid) == 0 &&
        (e->note->gone || ends_note(e->note, uid, version)))
        drop_note(s, e);
    set_live(s, e, NULL, false);
    settle(s, e, was_seen);
    return live;
}

watch_snapshot_t *watch_store_remove(watch_store_t *s, const char *ns, const char *name,
                                     const char *uid, const char *version)
{
    watch_snapshot_t *removed = NULL;

    pthread_mutex_lock(&s->lock);
    store_entry_t *e = store_table_find(&s->table, ns, name);

    if (e != NULL && e->live != NULL &&
        (live_has_uid(e, uid) || not_above(live_version(e), version)))
        removed = take_live(s, e, version);
    pthread_mutex_unlock(&s->lock);
    return removed;
}

watch_snapshot_t *watch_store_touch(watch_store_t *s, const char *ns, const char *name,
                                    const char *uid)
{
    watch_snapshot_t *removed = NULL;

    pthread_mutex_lock(&s->lock);
    store_entry_t *e = store_table_find(&s->table, ns, name);

    if (e != NULL && e->live != NULL) {
        if (*uid != '\0' && !live_has_uid(e, uid))
            removed = take_live(s, e, "");
        else
            touch(s, e);
    }
    pthread_mutex_unlock(&s->lock);
    return removed;
}

static void set_position(watch_store_t *s, const char *version)
{
    size_t size = strlen(version) + 1;

    if (size <= sizeof(s->position))
        memcpy(s->position, version, size);
    else
        s->position[0] = '\0';
}

void watch_store_passed(watch_store_t *s, const char *version)
{
    pthread_mutex_lock(&s->lock);
    set_position(s, version);
    LIST_EACH (&s->notes, it, next) {
        const store_note_t *n = LIST_ENTRY(it, store_note_t, link);
        int order = watch_version_compare(watch_snapshot_version(n->object), version);

        if (order == 1)
            break; /* later notes are nearly always newer ones */
        if (order != 2)
            end_note(s, n->entry);
    }
    pthread_mutex_unlock(&s->lock);
}

void watch_store_rewind(watch_store_t *s)
{
    pthread_mutex_lock(&s->lock);
    s->epoch++;
    s->position[0] = '\0';
    pthread_mutex_unlock(&s->lock);
}

bool watch_store_has(watch_store_t *s, const char *ns, const char *name, const char *uid,
                     const char *version)
{
    pthread_mutex_lock(&s->lock);
    const store_entry_t *e = store_table_find(&s->table, ns, name);
    const bool has =
        e != NULL && e->live != NULL && live_has_uid(e, uid) && not_above(version, live_version(e));

    pthread_mutex_unlock(&s->lock);
    return has;
}

void watch_store_forget_notes(watch_store_t *s)
{
    pthread_mutex_lock(&s->lock);
    LIST_EACH (&s->notes, it, next) {
        end_note(s, LIST_ENTRY(it, store_note_t, link)->entry);
    }
    pthread_mutex_unlock(&s->lock);
}

void watch_store_list_begin(watch_store_t *s)
{
    pthread_mutex_lock(&s->lock);
    s->generation++;
    pthread_mutex_unlock(&s->lock);
}

watch_snapshot_t *watch_store_sweep(watch_store_t *s)
{
    watch_snapshot_t *swept = NULL;

    pthread_mutex_lock(&s->lock);
    LIST_EACH (&s->order, it, next) {
        store_entry_t *e = LIST_ENTRY(it, store_entry_t, link);

        if (e->live == NULL)
            continue;
        if (e->generation != s->generation)
            swept = take_live(s, e, "");
        break;
    }
    pthread_mutex_unlock(&s->lock);
    return swept;
}

void watch_store_list_end(watch_store_t *s, const char *version)
{
    pthread_mutex_lock(&s->lock);
    set_position(s, version);
    LIST_EACH (&s->notes, it, next) {
        const store_note_t *n = LIST_ENTRY(it, store_note_t, link);

        if (n->epoch != s->epoch ||
            watch_version_compare(watch_snapshot_version(n->object), version) != 1)
            end_note(s, n->entry);
    }
    pthread_mutex_unlock(&s->lock);
}

/* -- Noted writes -- */

/* That the stream may have shown the live state after the object was written. Where versions cannot
 * be compared a write that is shown late is better than one that covers what came after it. */
static bool covers(const store_entry_t *e, const watch_snapshot_t *object)
{
    int order = watch_version_compare(watch_snapshot_version(object), live_version(e));

    return order == 2 ? live_has_uid(e, watch_snapshot_uid(object)) : order != 1;
}

/* That its uid was deleted already: the replies came in another order than the writes were done. */
static bool is_known_gone(const watch_store_t *s, const store_entry_t *e, const char *uid)
{
    const store_note_t *n = e->note;

    return (n != NULL && n->gone && n->epoch == s->epoch &&
            strcmp(watch_snapshot_uid(n->object), uid) == 0) ||
           (e->live_gone && e->epoch == s->epoch && live_has_uid(e, uid));
}

static void note(watch_store_t *s, watch_snapshot_t *object, bool left)
{
    const char *version = watch_snapshot_version(object);

    pthread_mutex_lock(&s->lock);
    store_entry_t *e =
        store_table_find(&s->table, watch_snapshot_ns(object), watch_snapshot_name(object));

    /* What is not there need not be hidden. */
    if ((e != NULL || !left) && !not_above(version, s->position)) {
        e = e != NULL ? e : get(s, object);
        const bool was_seen = is_seen(e);
        const bool known = e->live != NULL && e->epoch == s->epoch && covers(e, object);
        const bool older = e->note != NULL && e->note->epoch == s->epoch &&
                           not_above(version, watch_snapshot_version(e->note->object));

        if (!known && !older) {
            const bool gone = is_known_gone(s, e, watch_snapshot_uid(object));

            add_note(s, e, object, left);
            e->note->gone = gone;
            settle(s, e, was_seen);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

void watch_store_note_write(watch_store_t *s, watch_snapshot_t *object)
{
    note(s, object, false);
}

void watch_store_note_left(watch_store_t *s, watch_snapshot_t *object)
{
    note(s, object, true);
}

void watch_store_note_delete(watch_store_t *s, const char *ns, const char *name, const char *uid)
{
    pthread_mutex_lock(&s->lock);
    store_entry_t *e = store_table_find(&s->table, ns, name);

    if (e != NULL) {
        const bool was_seen = is_seen(e);

        if (e->live != NULL && live_has_uid(e, uid))
            e->live_gone = true;
        if (e->note != NULL && strcmp(watch_snapshot_uid(e->note->object), uid) == 0)
            e->note->gone = true;
        settle(s, e, was_seen);
    }
    pthread_mutex_unlock(&s->lock);
}
