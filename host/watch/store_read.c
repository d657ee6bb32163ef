/* SPDX-License-Identifier: Apache-2.0 */
/* What readers on any thread may ask. Under the lock references are taken, nothing more; texts are
 * expanded and labels compared after it. */
#include "watch/store_internal.h"

#include "base/error.h"

#include <string.h>

int watch_store_read(watch_store_t *s, const char *ns, const char *name,
                     const watch_snapshot_t *held, watch_snapshot_t **out)
{
    store_state_t state = {0};
    watch_dict_t *dict = NULL;

    pthread_mutex_lock(&s->lock);
    const store_entry_t *e = store_table_find(&s->table, ns, name);

    if (e != NULL)
        state = store_view(e);
    if (state.packed != NULL)
        dict = watch_dict_ref(s->dict);
    pthread_mutex_unlock(&s->lock);
    watch_snapshot_t *object = state.raw;

    if (state.packed != NULL && held != NULL && watch_snapshot_is_of(held, state.packed))
        object = watch_snapshot_ref(held);
    else if (state.packed != NULL)
        object = watch_packed_open(state.packed, s->codec, dict, ns);
    watch_packed_unref(state.packed);
    watch_dict_unref(dict);
    if (object != NULL && watch_snapshot_reserve(object) < 0) {
        watch_snapshot_unref(object);
        return LH_ENOMEM;
    }
    *out = object;
    return 0;
}

watch_snapshot_t *watch_store_get(watch_store_t *s, const char *ns, const char *name)
{
    watch_snapshot_t *object = NULL;

    return watch_store_read(s, ns, name, NULL, &object) == 0 ? object : NULL;
}

size_t watch_store_count(watch_store_t *s)
{
    return watch_store_usage(s).objects;
}

/* -- Names -- */

/* One object that may match. */
typedef struct candidate {
    store_state_t state;
    store_ns_t *ns;
} candidate_t;

typedef struct candidates {
    candidate_t *items;
    size_t count, cap;
    uint64_t labels; /* digest of the selector */
} candidates_t;

static void candidates_free(candidates_t *c)
{
    for (size_t i = 0; i < c->count; i++) {
        store_state_unref(c->items[i].state);
        store_ns_unref(c->items[i].ns);
    }
    free(c->items);
}

static int reserve(candidates_t *c, size_t cap)
{
    c->cap = cap;
    c->items = calloc(cap + 1, sizeof(*c->items));
    return c->items != NULL ? 0 : LH_ENOMEM;
}

/* That the labels of what readers see are none that the selector can match. */
static bool is_told_apart(const candidates_t *c, const store_entry_t *e)
{
    return e->note == NULL && e->live != NULL && e->packed &&
           (watch_packed_labels(e->live) & c->labels) != c->labels;
}

static void collect(candidates_t *c, const store_entry_t *e)
{
    if (c->count == c->cap || is_told_apart(c, e))
        return;
    const store_state_t state = store_view(e);

    if (state.raw == NULL && state.packed == NULL)
        return;
    atomic_fetch_add_explicit(&e->ns->refs, 1, memory_order_relaxed);
    c->items[c->count++] = (candidate_t){state, e->ns};
}

/* Where the objects that match are. */
typedef struct place {
    const store_ns_t *ns;           /* NULL: in all namespaces */
    bool indexed;                   /* they are all among these */
    const watch_indexed_t *objects; /* NULL: there is none */
    bool exact;                     /* and nothing else is there: labels need not be compared */
    enum watch_store_way way;       /* by which they could be found */
} place_t;

/* The label of which fewest have the value, if any is indexed. */
static void look_up_labels(place_t *p, const watch_index_t *x, const watch_selector_t *labels)
{
    const char *key, *value;

    for (size_t at = 0; watch_selector_next_equal(labels, &at, &key, &value);) {
        if (!watch_index_has(x, key))
            continue;
        const watch_indexed_t *found = watch_index_find(x, key, value);

        if (!p->indexed ||
            (p->objects != NULL && (found == NULL || found->count < p->objects->count)))
            p->objects = found;
        p->indexed = true;
    }
}

static place_t look_up(const watch_store_t *s, const char *ns, const watch_selector_t *labels,
                       const char *owner_uid)
{
    place_t p = {.ns = ns != NULL ? store_table_ns(&s->table, ns) : NULL,
                 .way = ns != NULL ? WATCH_BY_NAMESPACE : WATCH_BY_ALL};

    if (owner_uid != NULL) {
        p.indexed = true;
        p.objects = watch_index_find(&s->index, WATCH_INDEX_OWNER, owner_uid);
        p.way = WATCH_BY_OWNER;
    } else if (s->index.labels != NULL) {
        look_up_labels(&p, &s->index, labels);
        p.way = p.indexed ? WATCH_BY_LABEL : p.way;
    }
    if (ns != NULL && p.ns == NULL) { /* it has no objects */
        p.indexed = true;
        p.objects = NULL;
    } else if (owner_uid == NULL && p.ns != NULL && p.objects != NULL &&
               p.ns->entries < p.objects->count) {
        p.indexed = false; /* fewer are in the namespace */
    }
    p.exact = owner_uid == NULL && p.indexed && watch_selector_size(labels) == 1;
    return p;
}

static void collect_indexed(candidates_t *c, const place_t *p)
{
    LIST_EACH (&p->objects->objects, it, next) {
        const store_entry_t *e = LIST_ENTRY(it, watch_index_item_t, link)->entry;

        if (p->ns == NULL || e->ns == p->ns)
            collect(c, e);
    }
}

/* With the lock held: what may match. */
static int collect_all(watch_store_t *s, const place_t *p, candidates_t *c)
{
    if (p->indexed && p->objects == NULL)
        return reserve(c, 0);
    if (reserve(c, p->indexed      ? p->objects->count
                   : p->ns != NULL ? p->ns->entries
                                   : s->table.entries.count) < 0)
        return LH_ENOMEM;
    if (p->indexed) {
        collect_indexed(c, p);
    } else if (p->ns != NULL) {
        LIST_EACH (&p->ns->objects, it, next) {
            collect(c, LIST_ENTRY(it, store_entry_t, in_ns));
        }
    } else {
        LIST_EACH (&s->order, it, next) {
            collect(c, LIST_ENTRY(it, store_entry_t, link));
        }
    }
    return 0;
}

static int name_copy(const candidate_t *c, watch_name_t *out)
{
    const char *ns = c->ns->text;
    const char *name = c->state.packed != NULL ? watch_packed_name(c->state.packed)
                                               : watch_snapshot_name(c->state.raw);
    size_t ns_size = strlen(ns) + 1, name_size = strlen(name) + 1;
    char *text = malloc(ns_size + name_size);

    if (text == NULL)
        return LH_ENOMEM;
    memcpy(text, ns, ns_size);
    memcpy(text + ns_size, name, name_size);
    *out = (watch_name_t){.ns = text, .name = text + ns_size};
    return 0;
}

/* Whether labels match: 1 or 0, or LH_ENOMEM. */
static int matches(watch_store_t *s, watch_dict_t *dict, const candidate_t *c,
                   const watch_selector_t *labels)
{
    if (labels == NULL)
        return 1;
    if (c->state.packed == NULL)
        return watch_selector_match(labels, watch_snapshot_labels(c->state.raw));
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object =
        watch_packed_open(c->state.packed, s->codec, dict, c->ns->text);

    if (watch_snapshot_reserve(object) < 0)
        return LH_ENOMEM;
    return watch_selector_match(labels, watch_snapshot_labels(object));
}

static void dict_unrefp(watch_dict_t **d)
{
    watch_dict_unref(*d);
}

int watch_store_names(watch_store_t *s, const char *ns, const watch_selector_t *labels,
                      const char *owner_uid, watch_name_t **out, size_t *count, lh_error_t *err)
{
    host_cleanup(candidates_free) candidates_t found = {.labels = watch_selector_digest(labels)};

    pthread_mutex_lock(&s->lock);
    const place_t place = look_up(s, ns, labels, owner_uid);
    int ret = collect_all(s, &place, &found);
    if (s->meters.reads[place.way] != NULL)
        metric_add(s->meters.reads[place.way], 1);
    host_cleanup(dict_unrefp) watch_dict_t *dict = watch_dict_ref(s->dict);

    pthread_mutex_unlock(&s->lock);
    watch_name_t *names = ret == 0 ? calloc(found.count + 1, sizeof(*names)) : NULL;
    size_t n = 0;

    if (names == NULL)
        return host_fail(err, LH_ENOMEM, "cached names: out of memory");
    for (size_t i = 0; ret >= 0 && i < found.count; i++) {
        ret = matches(s, dict, &found.items[i], place.exact ? NULL : labels);
        if (ret <= 0)
            continue;
        ret = name_copy(&found.items[i], &names[n]);
        n += ret == 0;
    }
    if (ret < 0) {
        watch_names_free(names, n);
        return host_fail(err, LH_ENOMEM, "cached names: out of memory");
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
