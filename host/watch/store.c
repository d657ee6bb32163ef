/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of entries, chained. All entries stand in one list, in the order of their last put:
 * what a new list did not bring is in front, and a walk is a marker that moves through it.
 *
 * An entry has up to two states: what the stream said (live), and what the reply to a write said
 * (noted). Readers see the noted one while it is there. Either may be known to be gone, although
 * the stream has not said so yet.
 */
#include "watch/store.h"

#include "base/error.h"
#include "watch/owners.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { FIRST_CAP = 64, MAX_VERSION = 32 };

typedef struct entry {
    watch_store_node_t node; /* first: the list is one of nodes */
    struct entry *next;      /* in its bucket */
    uint32_t hash;
    uint32_t generation;         /* of the list that saw it last */
    uint16_t epoch, noted_epoch; /* of the live and the noted state */
    bool live_gone, noted_gone;
    bool noted_left; /* the noted state is outside the selectors: nothing is shown until it ends */
    watch_snapshot_t *live, *noted;
    const watch_snapshot_t *view; /* what readers see: one of the two or NULL */
    list_t noted_link;
    watch_owned_t *owned;
} entry_t;

struct watch_store {
    _Atomic uint32_t refs;
    _Atomic bool synced;
    pthread_mutex_t lock; /* guards the rest */
    entry_t **buckets;
    size_t cap; /* a power of two */
    size_t entries;
    size_t count; /* entries that readers see */
    list_t order;
    list_t noted; /* entries with a noted state, oldest first */
    uint32_t generation;
    uint16_t epoch; /* how often the server went back; versions of two epochs are not compared */
    watch_owners_t owners;
    char position[MAX_VERSION]; /* how far the stream has come; "" when unknown */
};

/* -- Table -- */

static uint32_t hash_of(const char *ns, const char *name)
{
    uint32_t h = 2166136261u;

    for (const char *p = ns; *p != '\0'; p++) {
        h = (h ^ (unsigned char) *p) * 16777619u;
    }
    h = (h ^ '/') * 16777619u;
    for (const char *p = name; *p != '\0'; p++) {
        h = (h ^ (unsigned char) *p) * 16777619u;
    }
    return h;
}

static const watch_snapshot_t *any_state(const entry_t *e)
{
    return e->live != NULL ? e->live : e->noted;
}

static entry_t *find(const watch_store_t *s, const char *ns, const char *name)
{
    uint32_t hash = hash_of(ns, name);

    for (entry_t *e = s->buckets[hash & (s->cap - 1)]; e != NULL; e = e->next) {
        const watch_snapshot_t *state = any_state(e);

        if (e->hash == hash && strcmp(watch_snapshot_name(state), name) == 0 &&
            strcmp(watch_snapshot_ns(state), ns) == 0)
            return e;
    }
    return NULL;
}

/* Without memory for it the chains just grow longer. */
static void grow(watch_store_t *s)
{
    size_t cap = s->cap * 2;
    entry_t **buckets = calloc(cap, sizeof(*buckets));

    if (buckets == NULL)
        return;
    for (size_t i = 0; i < s->cap; i++) {
        for (entry_t *e = s->buckets[i], *next; e != NULL; e = next) {
            next = e->next;
            e->next = buckets[e->hash & (cap - 1)];
            buckets[e->hash & (cap - 1)] = e;
        }
    }
    free(s->buckets);
    s->buckets = buckets;
    s->cap = cap;
}

static entry_t *get(watch_store_t *s, const watch_snapshot_t *object)
{
    const char *ns = watch_snapshot_ns(object), *name = watch_snapshot_name(object);
    entry_t *e = find(s, ns, name);

    if (e != NULL)
        return e;
    if (s->entries >= s->cap)
        grow(s);
    e = host_xcalloc(1, sizeof(*e));
    e->hash = hash_of(ns, name);
    e->epoch = s->epoch;
    e->next = s->buckets[e->hash & (s->cap - 1)];
    s->buckets[e->hash & (s->cap - 1)] = e;
    list_append(&s->order, &e->node.link);
    list_init(&e->noted_link);
    s->entries++;
    return e;
}

static void drop(watch_store_t *s, entry_t *e)
{
    entry_t **at = &s->buckets[e->hash & (s->cap - 1)];

    while (*at != e) {
        at = &(*at)->next;
    }
    *at = e->next;
    list_remove(&e->node.link);
    s->entries--;
    free(e);
}

/* -- States of an entry -- */

static const watch_snapshot_t *view_of(const entry_t *e)
{
    if (e->noted != NULL)
        return e->noted_gone || e->noted_left ? NULL : e->noted;
    return e->live_gone ? NULL : e->live;
}

/* Sets both states (references are taken over; the present ones may be among them), then the view.
 * The entry ends with its last state. */
static void set_states(watch_store_t *s, entry_t *e, watch_snapshot_t *live,
                       watch_snapshot_t *noted)
{
    watch_snapshot_t *old_live = e->live, *old_noted = e->noted;

    e->live = live;
    e->noted = noted;
    e->live_gone = e->live_gone && live != NULL;
    e->noted_gone = e->noted_gone && noted != NULL;
    const watch_snapshot_t *view = view_of(e);

    if (view != e->view) {
        watch_owners_move(&s->owners, &e->owned, e, e->view, view);
        s->count += view != NULL;
        s->count -= e->view != NULL;
        e->view = view;
    }
    if (old_noted != noted) {
        list_remove(&e->noted_link);
        if (noted != NULL)
            list_append(&s->noted, &e->noted_link);
        watch_snapshot_unref(old_noted);
    }
    if (old_live != live)
        watch_snapshot_unref(old_live);
    if (live == NULL && noted == NULL)
        drop(s, e);
}

static bool same_uid(const watch_snapshot_t *a, const watch_snapshot_t *b)
{
    return strcmp(watch_snapshot_uid(a), watch_snapshot_uid(b)) == 0;
}

/* That a is b or an earlier version; false when that cannot be told. */
static bool not_above(const char *a, const char *b)
{
    int order = watch_version_compare(a, b);

    return order == 0 || order == -1;
}

/* That a state of this uid and version, which came later, ends what was noted. Where versions cannot
 * be compared any does, for else the note would cover it until the next list. */
static bool ends_note(const watch_snapshot_t *noted, const char *uid, const char *version)
{
    int order = watch_version_compare(watch_snapshot_version(noted), version);

    return order == 2 ? *version != '\0' && strcmp(watch_snapshot_uid(noted), uid) == 0
                      : order != 1;
}

/* -- Life -- */

watch_store_t *watch_store_create(void)
{
    watch_store_t *s = host_xcalloc(1, sizeof(*s));

    atomic_init(&s->refs, 1);
    pthread_mutex_init(&s->lock, NULL);
    s->buckets = host_xcalloc(FIRST_CAP, sizeof(entry_t *));
    s->cap = FIRST_CAP;
    list_init(&s->order);
    list_init(&s->noted);
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
    free(s->buckets);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void watch_store_clear(watch_store_t *s)
{
    pthread_mutex_lock(&s->lock);
    LIST_EACH (&s->order, it, next) {
        watch_store_node_t *node = LIST_ENTRY(it, watch_store_node_t, link);

        if (!node->marker)
            set_states(s, (entry_t *) node, NULL, NULL);
    }
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
        watch_store_node_t *node = LIST_ENTRY(it, watch_store_node_t, link);

        if (most-- == 0)
            break;
        if (!node->marker)
            set_states(s, (entry_t *) node, NULL, NULL);
    }
    const bool more = s->entries > 0;

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

/* -- Readers -- */

watch_snapshot_t *watch_store_get(watch_store_t *s, const char *ns, const char *name)
{
    watch_snapshot_t *found = NULL;

    pthread_mutex_lock(&s->lock);
    const entry_t *e = find(s, ns, name);

    if (e != NULL && e->view != NULL)
        found = watch_snapshot_ref(e->view);
    pthread_mutex_unlock(&s->lock);
    return found;
}

size_t watch_store_count(watch_store_t *s)
{
    pthread_mutex_lock(&s->lock);
    size_t count = s->count;

    pthread_mutex_unlock(&s->lock);
    return count;
}

struct objects {
    watch_snapshot_t **items;
    size_t count, cap;
};

static void objects_free(struct objects *o)
{
    for (size_t i = 0; i < o->count; i++) {
        watch_snapshot_unref(o->items[i]);
    }
    free(o->items);
}

static void collect(struct objects *o, const entry_t *e, const char *ns)
{
    if (e->view != NULL && o->count < o->cap &&
        (ns == NULL || strcmp(watch_snapshot_ns(e->view), ns) == 0))
        o->items[o->count++] = watch_snapshot_ref(e->view);
}

static size_t list_length(const list_t *list)
{
    size_t n = 0;

    for (const list_t *it = list->next; it != list; it = it->next) {
        n++;
    }
    return n;
}

/* The owner's objects, in this namespace; with the lock held. */
static int collect_owned(watch_store_t *s, const char *ns, const char *owner_uid, struct objects *o)
{
    list_t *owned = watch_owners_find(&s->owners, owner_uid);

    if (owned == NULL)
        return 0;
    o->cap = list_length(owned);
    o->items = calloc(o->cap, sizeof(*o->items));
    if (o->items == NULL)
        return LH_ENOMEM;
    LIST_EACH (owned, it, next) {
        collect(o, LIST_ENTRY(it, watch_owned_t, link)->entry, ns);
    }
    return 0;
}

/* The same without an owner. */
static int collect_all(watch_store_t *s, const char *ns, struct objects *o)
{
    o->cap = s->count;
    o->items = calloc(o->cap + 1, sizeof(*o->items));
    if (o->items == NULL)
        return LH_ENOMEM;
    LIST_EACH (&s->order, it, next) {
        watch_store_node_t *node = LIST_ENTRY(it, watch_store_node_t, link);

        if (!node->marker)
            collect(o, (const entry_t *) node, ns);
    }
    return 0;
}

static int name_copy(const watch_snapshot_t *object, watch_name_t *out)
{
    const char *ns = watch_snapshot_ns(object), *name = watch_snapshot_name(object);
    size_t ns_size = strlen(ns) + 1, name_size = strlen(name) + 1;
    char *text = malloc(ns_size + name_size);

    if (text == NULL)
        return LH_ENOMEM;
    memcpy(text, ns, ns_size);
    memcpy(text + ns_size, name, name_size);
    *out = (watch_name_t){.ns = text, .name = text + ns_size};
    return 0;
}

int watch_store_names(watch_store_t *s, const char *ns, const watch_selector_t *labels,
                      const char *owner_uid, watch_name_t **out, size_t *count, lh_error_t *err)
{
    host_cleanup(objects_free) struct objects found = {0};

    pthread_mutex_lock(&s->lock);
    int ret =
        owner_uid != NULL ? collect_owned(s, ns, owner_uid, &found) : collect_all(s, ns, &found);
    pthread_mutex_unlock(&s->lock);
    watch_name_t *names = ret == 0 ? calloc(found.count + 1, sizeof(*names)) : NULL;
    size_t n = 0;

    if (names == NULL)
        return host_fail(err, LH_ENOMEM, "cached names: out of memory");
    for (size_t i = 0; i < found.count; i++) {
        if (!watch_selector_match(labels, watch_snapshot_labels(found.items[i])))
            continue;
        if (name_copy(found.items[i], &names[n]) < 0) {
            watch_names_free(names, n);
            return host_fail(err, LH_ENOMEM, "cached names: out of memory");
        }
        n++;
    }
    *out = names;
    *count = n;
    return 0;
}

void watch_names_free(watch_name_t *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(names[i].ns);
    }
    free(names);
}

/* -- The stream -- */

static bool same_text(const watch_snapshot_t *a, const watch_snapshot_t *b)
{
    size_t a_len, b_len;
    const char *a_text = watch_snapshot_text(a, &a_len), *b_text = watch_snapshot_text(b, &b_len);

    return a_len == b_len && memcmp(a_text, b_text, a_len) == 0;
}

static enum watch_change change_of(const watch_store_t *s, const entry_t *e,
                                   const watch_snapshot_t *object)
{
    const watch_snapshot_t *live = e->live;

    if (live == NULL)
        return WATCH_ADDED;
    if (!same_uid(live, object))
        return WATCH_REPLACED;
    if (e->epoch != s->epoch) /* a version may have been given a second time */
        return same_text(live, object) ? WATCH_SAME : WATCH_MODIFIED;
    switch (watch_version_compare(watch_snapshot_version(object), watch_snapshot_version(live))) {
    case 0:
        return WATCH_SAME;
    case -1:
        return WATCH_OLDER;
    default:
        return WATCH_MODIFIED;
    }
}

/* Puts object in as the live state; the noted one yields to it unless it is newer. What is known
 * from before the server went back, deletions too, counts no more. */
static void put_live(watch_store_t *s, entry_t *e, watch_snapshot_t *object)
{
    watch_snapshot_t *noted = e->noted_epoch == s->epoch ? e->noted : NULL;
    const watch_snapshot_t *live = e->epoch == s->epoch ? e->live : NULL;
    bool noted_same = noted != NULL && same_uid(noted, object);
    bool live_same = live != NULL && same_uid(live, object);

    e->epoch = s->epoch;
    e->live_gone = (e->live_gone && live_same) || (e->noted_gone && noted_same);
    if (noted != NULL &&
        ends_note(noted, watch_snapshot_uid(object), watch_snapshot_version(object)))
        noted = NULL;
    set_states(s, e, watch_snapshot_ref(object), noted);
}

static void touch(watch_store_t *s, entry_t *e)
{
    e->generation = s->generation;
    list_remove(&e->node.link);
    list_append(&s->order, &e->node.link);
}

enum watch_change watch_store_put(watch_store_t *s, watch_snapshot_t *object,
                                  watch_snapshot_t **old)
{
    watch_snapshot_t *before = NULL;

    pthread_mutex_lock(&s->lock);
    entry_t *e = get(s, object);
    enum watch_change change = change_of(s, e, object);

    touch(s, e);
    const bool changed = change != WATCH_SAME && change != WATCH_OLDER;

    if (changed && old != NULL && e->live != NULL)
        before = watch_snapshot_ref(e->live);
    if (changed || e->epoch != s->epoch)
        put_live(s, e, object);
    pthread_mutex_unlock(&s->lock);
    if (old != NULL)
        *old = before;
    return change;
}

/* Takes the live state out; the noted one goes too when it is of the same uid and not newer. The
 * caller owns the result; e may be gone afterwards. */
static watch_snapshot_t *take_live(watch_store_t *s, entry_t *e, const char *version)
{
    watch_snapshot_t *live = watch_snapshot_ref(e->live), *noted = e->noted;

    if (noted != NULL && same_uid(noted, live) &&
        (e->noted_gone || ends_note(noted, watch_snapshot_uid(live), version)))
        noted = NULL;
    set_states(s, e, NULL, noted);
    return live;
}

watch_snapshot_t *watch_store_remove(watch_store_t *s, const char *ns, const char *name,
                                     const char *uid, const char *version)
{
    watch_snapshot_t *removed = NULL;

    pthread_mutex_lock(&s->lock);
    entry_t *e = find(s, ns, name);

    if (e != NULL && e->live != NULL &&
        (strcmp(watch_snapshot_uid(e->live), uid) == 0 ||
         not_above(watch_snapshot_version(e->live), version)))
        removed = take_live(s, e, version);
    pthread_mutex_unlock(&s->lock);
    return removed;
}

watch_snapshot_t *watch_store_touch(watch_store_t *s, const char *ns, const char *name,
                                    const char *uid)
{
    watch_snapshot_t *removed = NULL;

    pthread_mutex_lock(&s->lock);
    entry_t *e = find(s, ns, name);

    if (e != NULL && e->live != NULL) {
        if (*uid != '\0' && strcmp(watch_snapshot_uid(e->live), uid) != 0)
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
    LIST_EACH (&s->noted, it, next) {
        entry_t *e = LIST_ENTRY(it, entry_t, noted_link);
        int order = watch_version_compare(watch_snapshot_version(e->noted), version);

        if (order == 1)
            break; /* later notes are nearly always newer ones */
        if (order != 2)
            set_states(s, e, e->live, NULL);
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
    const entry_t *e = find(s, ns, name);
    const bool has = e != NULL && e->live != NULL &&
                     strcmp(watch_snapshot_uid(e->live), uid) == 0 &&
                     not_above(version, watch_snapshot_version(e->live));

    pthread_mutex_unlock(&s->lock);
    return has;
}

void watch_store_forget_notes(watch_store_t *s)
{
    pthread_mutex_lock(&s->lock);
    LIST_EACH (&s->noted, it, next) {
        entry_t *e = LIST_ENTRY(it, entry_t, noted_link);

        set_states(s, e, e->live, NULL);
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
        watch_store_node_t *node = LIST_ENTRY(it, watch_store_node_t, link);
        entry_t *e = (entry_t *) node;

        if (node->marker || e->live == NULL)
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
    LIST_EACH (&s->noted, it, next) {
        entry_t *e = LIST_ENTRY(it, entry_t, noted_link);

        if (e->noted_epoch != s->epoch ||
            watch_version_compare(watch_snapshot_version(e->noted), version) != 1)
            set_states(s, e, e->live, NULL);
    }
    pthread_mutex_unlock(&s->lock);
}

/* -- Walks -- */

void watch_store_walk_begin(watch_store_t *s, watch_store_node_t *walk)
{
    pthread_mutex_lock(&s->lock);
    walk->marker = true;
    list_append(s->order.next, &walk->link); /* in front of the first */
    pthread_mutex_unlock(&s->lock);
}

watch_snapshot_t *watch_store_walk_next(watch_store_t *s, watch_store_node_t *walk)
{
    watch_snapshot_t *found = NULL;

    pthread_mutex_lock(&s->lock);
    for (list_t *it = walk->link.next; it != &s->order && found == NULL; it = walk->link.next) {
        watch_store_node_t *node = LIST_ENTRY(it, watch_store_node_t, link);

        if (!node->marker && ((entry_t *) node)->live != NULL)
            found = watch_snapshot_ref(((entry_t *) node)->live);
        list_t *after = it->next;

        list_remove(&walk->link);
        list_append(after, &walk->link);
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

void watch_store_walk_end(watch_store_t *s, watch_store_node_t *walk)
{
    pthread_mutex_lock(&s->lock);
    list_remove(&walk->link);
    pthread_mutex_unlock(&s->lock);
}

/* -- Noted writes -- */

/* That the stream may have shown the live state after the object was written. Where versions cannot
 * be compared a write that is shown late is better than one that covers what came after it. */
static bool covers(const watch_snapshot_t *live, const watch_snapshot_t *object)
{
    int order = watch_version_compare(watch_snapshot_version(object), watch_snapshot_version(live));

    return order == 2 ? same_uid(live, object) : order != 1;
}

/* That its uid was deleted already: the replies came in another order than the writes were done. */
static bool is_known_gone(const watch_store_t *s, const entry_t *e, const watch_snapshot_t *object)
{
    return (e->noted_gone && e->noted_epoch == s->epoch && same_uid(e->noted, object)) ||
           (e->live_gone && e->epoch == s->epoch && same_uid(e->live, object));
}

static void note(watch_store_t *s, watch_snapshot_t *object, bool left)
{
    const char *version = watch_snapshot_version(object);

    pthread_mutex_lock(&s->lock);
    entry_t *e = find(s, watch_snapshot_ns(object), watch_snapshot_name(object));

    /* What is not there need not be hidden. */
    if ((e != NULL || !left) && !not_above(version, s->position)) {
        e = e != NULL ? e : get(s, object);
        bool known = e->live != NULL && e->epoch == s->epoch && covers(e->live, object);
        bool older = e->noted != NULL && e->noted_epoch == s->epoch &&
                     not_above(version, watch_snapshot_version(e->noted));

        if (!known && !older) {
            e->noted_gone = is_known_gone(s, e, object);
            e->noted_left = left;
            e->noted_epoch = s->epoch;
            set_states(s, e, e->live, watch_snapshot_ref(object));
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
    entry_t *e = find(s, ns, name);

    if (e != NULL) {
        if (e->live != NULL && strcmp(watch_snapshot_uid(e->live), uid) == 0)
            e->live_gone = true;
        if (e->noted != NULL && strcmp(watch_snapshot_uid(e->noted), uid) == 0)
            e->noted_gone = true;
        set_states(s, e, e->live, e->noted);
    }
    pthread_mutex_unlock(&s->lock);
}
