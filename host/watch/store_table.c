/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of entries, chained. It grows by a second table, to which each new entry moves a few
 * buckets of the first, so that no put has to wait for all of them. Entries come from slabs.
 */
#include "watch/store_internal.h"

#include <string.h>

enum { FIRST_CAP = 64, PER_SLAB = 512, MOVE = 2 };

struct store_slab {
    store_slab_t *next;
    store_entry_t entries[PER_SLAB];
};

/* -- Namespaces -- */

store_ns_t *store_table_ns(const store_table_t *t, const char *text)
{
    store_ns_t *ns = NULL;

    HASH_FIND_STR(t->namespaces, text, ns);
    return ns;
}

static store_ns_t *ns_get(store_table_t *t, const char *text)
{
    store_ns_t *ns = store_table_ns(t, text);

    if (ns == NULL) {
        const size_t size = strlen(text) + 1;

        ns = host_xcalloc(1, sizeof(*ns) + size);
        memcpy(ns->text, text, size);
        atomic_init(&ns->refs, 1);
        list_init(&ns->objects);
        HASH_ADD_STR(t->namespaces, text, ns);
        t->bytes += sizeof(*ns) + size;
    }
    return ns;
}

static void ns_join(store_table_t *t, store_entry_t *e, const char *text)
{
    e->ns = ns_get(t, text);
    e->ns->entries++;
    list_append(&e->ns->objects, &e->in_ns);
}

static void ns_leave(store_table_t *t, store_entry_t *e)
{
    store_ns_t *ns = e->ns;

    list_remove(&e->in_ns);
    if (--ns->entries > 0)
        return;
    HASH_DEL(t->namespaces, ns);
    t->bytes -= sizeof(*ns) + strlen(ns->text) + 1;
    store_ns_unref(ns);
}

void store_ns_unref(store_ns_t *ns)
{
    if (atomic_fetch_sub_explicit(&ns->refs, 1, memory_order_acq_rel) == 1)
        free(ns);
}

/* -- Slabs -- */

static store_entry_t *take_entry(store_table_t *t)
{
    if (t->free == NULL) {
        store_slab_t *slab = host_xcalloc(1, sizeof(*slab));

        slab->next = t->slabs;
        t->slabs = slab;
        t->bytes += sizeof(*slab);
        for (size_t i = PER_SLAB; i-- > 0;) {
            slab->entries[i].next = t->free;
            t->free = &slab->entries[i];
        }
    }
    store_entry_t *e = t->free;

    t->free = e->next;
    *e = (store_entry_t){0};
    return e;
}

static void give_entry(store_table_t *t, store_entry_t *e)
{
    e->next = t->free;
    t->free = e;
}

static void free_slabs(store_table_t *t)
{
    for (store_slab_t *slab = t->slabs, *next; slab != NULL; slab = next) {
        next = slab->next;
        free(slab);
    }
    t->slabs = NULL;
    t->free = NULL;
}

/* -- Buckets -- */

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

static store_entry_t **bucket_of(const store_table_t *t, uint32_t hash)
{
    if (t->old != NULL && (hash & (t->old_cap - 1)) >= t->moved)
        return &t->old[hash & (t->old_cap - 1)];
    return &t->buckets[hash & (t->cap - 1)];
}

static void free_old(store_table_t *t)
{
    free(host_steal(t->old));
    t->bytes -= t->old_cap * sizeof(*t->old);
    t->old_cap = 0;
}

static void move_some(store_table_t *t)
{
    for (int i = 0; i < MOVE && t->old != NULL; i++) {
        for (store_entry_t *e = t->old[t->moved], *next; e != NULL; e = next) {
            store_entry_t **to = &t->buckets[e->hash & (t->cap - 1)];

            next = e->next;
            e->next = *to;
            *to = e;
        }
        if (++t->moved == t->old_cap)
            free_old(t);
    }
}

/* Without memory for it the chains just grow longer. */
static void grow(store_table_t *t)
{
    store_entry_t **buckets = calloc(t->cap * 2, sizeof(*buckets));

    if (buckets == NULL)
        return;
    t->old = t->buckets;
    t->old_cap = t->cap;
    t->moved = 0;
    t->buckets = buckets;
    t->cap *= 2;
    t->bytes += t->cap * sizeof(*buckets);
}

/* -- The table -- */

const char *store_entry_name(const store_entry_t *e)
{
    if (e->live == NULL)
        return watch_snapshot_name(e->note->object);
    return e->packed ? watch_packed_name(e->live) : watch_snapshot_name(e->live);
}

store_entry_t *store_table_find(const store_table_t *t, const char *ns, const char *name)
{
    const uint32_t hash = hash_of(ns, name);

    for (store_entry_t *e = *bucket_of(t, hash); e != NULL; e = e->next) {
        if (e->hash == hash && strcmp(store_entry_name(e), name) == 0 &&
            strcmp(e->ns->text, ns) == 0)
            return e;
    }
    return NULL;
}

store_entry_t *store_table_add(store_table_t *t, const char *ns, const char *name)
{
    if (t->old == NULL && t->entries >= t->cap)
        grow(t);
    move_some(t);
    store_entry_t *e = take_entry(t);

    e->hash = hash_of(ns, name);
    ns_join(t, e, ns);
    store_entry_t **bucket = bucket_of(t, e->hash);

    e->next = *bucket;
    *bucket = e;
    t->entries++;
    return e;
}

void store_table_remove(store_table_t *t, store_entry_t *e)
{
    store_entry_t **at = bucket_of(t, e->hash);

    while (*at != e) {
        at = &(*at)->next;
    }
    *at = e->next;
    ns_leave(t, e);
    give_entry(t, e);
    if (--t->entries == 0 && t->slabs->next != NULL) {
        store_table_fini(t); /* what was large is given back */
        store_table_init(t);
    }
}

void store_table_init(store_table_t *t)
{
    *t = (store_table_t){.buckets = host_xcalloc(FIRST_CAP, sizeof(store_entry_t *)),
                         .cap = FIRST_CAP,
                         .bytes = FIRST_CAP * sizeof(store_entry_t *)};
}

void store_table_fini(store_table_t *t)
{
    free_slabs(t);
    free(host_steal(t->buckets));
    free(host_steal(t->old));
}
