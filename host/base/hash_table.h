/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An intrusive hash table. It grows by a second array of buckets, to which each new node moves a few of
 * the first: no addition has to wait for all nodes. The owner compares keys:
 *
 *   for (hash_node_t *n = hash_table_first(t, hash); n != NULL; n = hash_table_next(n)) ...
 */
#ifndef BASE_HASH_TABLE_H
#define BASE_HASH_TABLE_H

#include "base/base.h"

typedef struct hash_node {
    struct hash_node *next; /* in its bucket */
    uint32_t hash;
} hash_node_t;

/* All zero: an empty one. */
typedef struct hash_table {
    hash_node_t **buckets, **old; /* old: while nodes move from there, NULL else */
    size_t cap, old_cap;          /* powers of two; 0: no node has come yet */
    size_t moved;                 /* buckets of old that are empty by now */
    size_t swept;                 /* buckets that hash_table_pop has found empty */
    size_t count;
} hash_table_t;

#define HASH_TABLE_ENTRY(p, type, member) HOST_CONTAINER(p, type, member)
#define HASH_TABLE_SEED 2166136261u

/* The hash of text, its end included, behind what has the hash h (HASH_TABLE_SEED: nothing). */
uint32_t hash_table_hash(uint32_t h, const char *text);

void hash_table_fini(hash_table_t *t); /* its nodes are left alone; it is empty then */

/* The nodes of this hash, one after the other; NULL at the end. */
hash_node_t *hash_table_first(const hash_table_t *t, uint32_t hash);
hash_node_t *hash_table_next(const hash_node_t *node);

void hash_table_add(hash_table_t *t, hash_node_t *node, uint32_t hash);
/* With the last node a large table is given back. */
void hash_table_remove(hash_table_t *t, hash_node_t *node);
/* Takes any node out; NULL when there is none. To empty a table takes as long as it is large. */
hash_node_t *hash_table_pop(hash_table_t *t);

size_t hash_table_bytes(const hash_table_t *t); /* of memory, without the nodes */

#endif
