/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash_table.h"

enum { FIRST_CAP = 64, MOVE = 2 };

/* FNV-1a. */
uint32_t hash_table_hash(uint32_t h, const char *text)
{
    const unsigned char *p = (const unsigned char *) text;

    do {
        h = (h ^ *p) * 16777619u;
    } while (*p++ != '\0');
    return h;
}

void hash_table_fini(hash_table_t *t)
{
    free(t->buckets);
    free(t->old);
    *t = (hash_table_t){0};
}

/* The last characters change the low bits too little without the others. */
static hash_node_t **bucket_of(const hash_table_t *t, uint32_t hash)
{
    const size_t at = hash ^ hash >> 15;

    if (t->old != NULL && (at & (t->old_cap - 1)) >= t->moved)
        return &t->old[at & (t->old_cap - 1)];
    return &t->buckets[at & (t->cap - 1)];
}

/* -- Growing -- */

static void put(hash_table_t *t, hash_node_t *node)
{
    hash_node_t **bucket = bucket_of(t, node->hash);

    node->next = *bucket;
    *bucket = node;
}

static void move_some(hash_table_t *t)
{
    for (int i = 0; i < MOVE && t->old != NULL && t->moved < t->old_cap; i++) {
        hash_node_t *node = host_steal(t->old[t->moved]), *next;

        t->moved++;
        for (; node != NULL; node = next) {
            next = node->next;
            put(t, node);
        }
    }
    if (t->old != NULL && t->moved == t->old_cap) {
        free(host_steal(t->old));
        t->old_cap = 0;
    }
}

/* Without memory for it the chains just grow longer. */
static void grow(hash_table_t *t)
{
    hash_node_t **buckets = calloc(t->cap * 2, sizeof(hash_node_t *));

    if (buckets == NULL)
        return;
    t->old = t->buckets;
    t->old_cap = t->cap;
    t->moved = 0;
    t->buckets = buckets;
    t->cap *= 2;
}

/* -- Nodes -- */

static hash_node_t *with_hash(hash_node_t *node, uint32_t hash)
{
    while (node != NULL && node->hash != hash) {
        node = node->next;
    }
    return node;
}

hash_node_t *hash_table_first(const hash_table_t *t, uint32_t hash)
{
    return t->cap > 0 ? with_hash(*bucket_of(t, hash), hash) : NULL;
}

hash_node_t *hash_table_next(const hash_node_t *node)
{
    return with_hash(node->next, node->hash);
}

void hash_table_add(hash_table_t *t, hash_node_t *node, uint32_t hash)
{
    if (t->cap == 0) {
        t->buckets = host_xcalloc(FIRST_CAP, sizeof(hash_node_t *));
        t->cap = FIRST_CAP;
    }
    if (t->old == NULL && t->count >= t->cap)
        grow(t);
    move_some(t);
    node->hash = hash;
    put(t, node);
    t->count++;
    t->swept = 0;
}

static void removed_one(hash_table_t *t)
{
    if (--t->count == 0 && t->cap > FIRST_CAP)
        hash_table_fini(t);
}

void hash_table_remove(hash_table_t *t, hash_node_t *node)
{
    hash_node_t **at = bucket_of(t, node->hash);

    while (*at != node) {
        at = &(*at)->next;
    }
    *at = node->next;
    removed_one(t);
}

static hash_node_t *pop_from(hash_table_t *t, hash_node_t **bucket)
{
    hash_node_t *node = *bucket;

    *bucket = node->next;
    removed_one(t);
    return node;
}

hash_node_t *hash_table_pop(hash_table_t *t)
{
    for (; t->old != NULL && t->moved < t->old_cap; t->moved++) {
        if (t->old[t->moved] != NULL)
            return pop_from(t, &t->old[t->moved]);
    }
    for (; t->swept < t->cap; t->swept++) {
        if (t->buckets[t->swept] != NULL)
            return pop_from(t, &t->buckets[t->swept]);
    }
    return NULL;
}

size_t hash_table_bytes(const hash_table_t *t)
{
    return (t->cap + t->old_cap) * sizeof(hash_node_t *);
}
