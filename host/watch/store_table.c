/* SPDX-License-Identifier: Apache-2.0 */
/* Entries by namespace and name, and by namespace alone. They come from slabs. */
#include "watch/store_internal.h"

#include <string.h>

enum { PER_SLAB = 512 };

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

static void give_entry(store_table_t *t, store_entry_t *e)
{
    e->node.next = t->free;
    t->free = &e->node;
}

static store_entry_t *take_entry(store_table_t *t)
{
    if (t->free == NULL) {
        store_slab_t *slab = host_xcalloc(1, sizeof(*slab));

        slab->next = t->slabs;
        t->slabs = slab;
        t->bytes += sizeof(*slab);
        for (size_t i = PER_SLAB; i-- > 0;) {
            give_entry(t, &slab->entries[i]);
        }
    }
    store_entry_t *e = HASH_TABLE_ENTRY(t->free, store_entry_t, node);

    t->free = e->node.next;
    *e = (store_entry_t){0};
    return e;
}

static void free_slabs(store_table_t *t)
{
    for (store_slab_t *slab = t->slabs, *next; slab != NULL; slab = next) {
        next = slab->next;
        free(slab);
        t->bytes -= sizeof(*slab);
    }
    t->slabs = NULL;
    t->free = NULL;
}

/* -- The table -- */

static uint32_t hash_of(const char *ns, const char *name)
{
    return hash_table_hash(hash_table_hash(HASH_TABLE_SEED, ns), name);
}

const char *store_entry_name(const store_entry_t *e)
{
    if (e->live == NULL)
        return watch_snapshot_name(e->note->object);
    return e->packed ? watch_packed_name(e->live) : watch_snapshot_name(e->live);
}

store_entry_t *store_table_find(const store_table_t *t, const char *ns, const char *name)
{
    hash_node_t *n = hash_table_first(&t->entries, hash_of(ns, name));

    for (; n != NULL; n = hash_table_next(n)) {
        store_entry_t *e = HASH_TABLE_ENTRY(n, store_entry_t, node);

        if (strcmp(store_entry_name(e), name) == 0 && strcmp(e->ns->text, ns) == 0)
            return e;
    }
    return NULL;
}

store_entry_t *store_table_add(store_table_t *t, const char *ns, const char *name)
{
    store_entry_t *e = take_entry(t);

    ns_join(t, e, ns);
    hash_table_add(&t->entries, &e->node, hash_of(ns, name));
    return e;
}

void store_table_remove(store_table_t *t, store_entry_t *e)
{
    hash_table_remove(&t->entries, &e->node);
    ns_leave(t, e);
    give_entry(t, e);
    if (t->entries.count == 0 && t->slabs->next != NULL)
        store_table_fini(t); /* what was large is given back */
}

size_t store_table_bytes(const store_table_t *t)
{
    return t->bytes + hash_table_bytes(&t->entries);
}

void store_table_fini(store_table_t *t)
{
    hash_table_fini(&t->entries);
    free_slabs(t);
}
