/* SPDX-License-Identifier: Apache-2.0 */
/* What readers on any thread may ask. Under the lock references are taken, nothing more; texts are
 * expanded and labels compared after it. */
#include "watch/store_internal.h"

#include "base/error.h"

#include <string.h>

int watch_store_read(watch_store_t *s, const char *ns, const char *name, watch_snapshot_t **out)
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

    if (state.packed != NULL)
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

    return watch_store_read(s, ns, name, &object) == 0 ? object : NULL;
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

static void collect(candidates_t *c, const store_entry_t *e, const char *ns)
{
    if (c->count == c->cap || (ns != NULL && strcmp(e->ns->text, ns) != 0) || is_told_apart(c, e))
        return;
    const store_state_t state = store_view(e);

    if (state.raw == NULL && state.packed == NULL)
        return;
    atomic_fetch_add_explicit(&e->ns->refs, 1, memory_order_relaxed);
    c->items[c->count++] = (candidate_t){state, e->ns};
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
static int collect_owned(watch_store_t *s, const char *ns, const char *owner_uid, candidates_t *c)
{
    list_t *owned = watch_owners_find(&s->owners, owner_uid);

    if (owned == NULL)
        return 0;
    if (reserve(c, list_length(owned)) < 0)
        return LH_ENOMEM;
    LIST_EACH (owned, it, next) {
        collect(c, LIST_ENTRY(it, watch_owned_t, link)->entry, ns);
    }
    return 0;
}

/* The same without an owner. */
static int collect_all(watch_store_t *s, const char *ns, candidates_t *c)
{
    if (reserve(c, s->count) < 0)
        return LH_ENOMEM;
    LIST_EACH (&s->order, it, next) {
        collect(c, LIST_ENTRY(it, store_entry_t, link), ns);
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
    int ret =
        owner_uid != NULL ? collect_owned(s, ns, owner_uid, &found) : collect_all(s, ns, &found);
    host_cleanup(dict_unrefp) watch_dict_t *dict = watch_dict_ref(s->dict);

    pthread_mutex_unlock(&s->lock);
    watch_name_t *names = ret == 0 ? calloc(found.count + 1, sizeof(*names)) : NULL;
    size_t n = 0;

    if (names == NULL)
        return host_fail(err, LH_ENOMEM, "cached names: out of memory");
    for (size_t i = 0; ret >= 0 && i < found.count; i++) {
        ret = matches(s, dict, &found.items[i], labels);
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
