/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's index: the objects that name an owner in metadata.ownerReferences, by its uid, and those
 * that have a label, by its value, for the keys that are asked for. The store's lock guards it.
 */
#ifndef WATCH_INDEX_H
#define WATCH_INDEX_H

#include "base/hash_table.h"
#include "base/list.h"
#include "watch/snapshot.h"

#define WATCH_INDEX_OWNER "" /* the key of owners: no label has it */
#define WATCH_INDEX_LABELS 16u

/* What has one value. */
typedef struct watch_indexed {
    list_t objects; /* of watch_index_item_t */
    size_t count;
} watch_indexed_t;

/* One object under one value. */
typedef struct watch_index_item {
    list_t link;                   /* among the objects of the value */
    struct watch_index_item *next; /* of the same object */
    watch_indexed_t *under;
    void *entry; /* the store's entry of the object */
} watch_index_item_t;

/* A label by whose value objects are found. */
typedef struct watch_index_label {
    struct watch_index_label *next; /* asked for later */
    bool complete;                  /* every object that has it is there */
    char key[];
} watch_index_label_t;

typedef struct watch_index {
    hash_table_t values;
    watch_index_label_t *labels;
    size_t label_count;
    size_t bytes; /* without the hash table */
} watch_index_t;

void watch_index_fini(watch_index_t *x); /* no object is in it */

/* From now on objects that are set are found by this label too, unless they are already, or there are
 * WATCH_INDEX_LABELS: each costs every object a look. complete: there are no other objects. */
void watch_index_add(watch_index_t *x, const char *key, bool complete);
bool watch_index_has(const watch_index_t *x, const char *key); /* and it is complete */
/* All objects have been set since the first `count` labels were asked for. */
void watch_index_complete(watch_index_t *x, size_t count);
bool watch_index_is_complete(const watch_index_t *x); /* each label is */

/* The object of entry is `object` now (NULL: nothing to see), and found by what it names, once by each
 * value. *items is the entry's, NULL at first; nothing is left there when `object` is NULL. */
void watch_index_set(watch_index_t *x, watch_index_item_t **items, void *entry,
                     const watch_snapshot_t *object);
/* The objects of a value of key (WATCH_INDEX_OWNER: of an owner's uid), NULL when there are none.
 * Borrowed until the next change. */
watch_indexed_t *watch_index_find(const watch_index_t *x, const char *key, const char *value);

size_t watch_index_bytes(const watch_index_t *x); /* of memory */

#endif
