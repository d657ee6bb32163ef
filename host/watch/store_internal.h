/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share. All of it with the store's lock held, or on the loop's thread,
 * which alone changes anything. */
#ifndef WATCH_STORE_INTERNAL_H
#define WATCH_STORE_INTERNAL_H

#include "base/hash_table.h"
#include "watch/index.h"
#include "watch/packed.h"
#include "watch/store.h"

#include <pthread.h>
#include <uthash.h>

/* A namespace: one text for all its objects. */
typedef struct store_ns {
    UT_hash_handle hh;
    list_t objects;        /* its entries; it stands in the table while there are any */
    size_t entries;        /* how many */
    _Atomic uint32_t refs; /* of the table, and of readers */
    char text[];
} store_ns_t;

/* What the reply to a write said of an object; rare. */
typedef struct store_note {
    list_t link; /* among all notes, oldest first */
    struct store_entry *entry;
    watch_snapshot_t *object;
    uint16_t epoch;
    bool gone; /* known to be gone */
    bool left; /* outside the selectors: nothing is shown until the note ends */
} store_note_t;

/* A state as it is kept: raw or packed, at most one of the two. */
typedef struct store_state {
    watch_snapshot_t *raw;
    watch_packed_t *packed;
} store_state_t;

/* An object. What the stream said of it is its live state. */
typedef struct store_entry {
    list_t link;      /* in the store's order */
    list_t in_ns;     /* among the objects of its namespace */
    hash_node_t node; /* in the table; of a free one the next */
    store_ns_t *ns;
    void *live; /* watch_packed_t when `packed`, else watch_snapshot_t; NULL: none */
    store_note_t *note;
    watch_index_item_t *indexed;
    uint32_t generation; /* of the list that saw it last */
    uint16_t epoch;      /* of the live state */
    bool packed : 1;
    bool recent : 1;    /* the live state is raw and counts as recent */
    bool live_gone : 1; /* known to be gone, although the stream has not said so yet */
} store_entry_t;

typedef struct store_slab store_slab_t;

typedef struct store_table {
    hash_table_t entries;
    store_ns_t *namespaces;
    store_slab_t *slabs;
    hash_node_t *free;
    size_t bytes; /* without the hash table */
} store_table_t;

struct watch_store {
    _Atomic uint32_t refs;
    _Atomic bool synced;
    pthread_mutex_t lock; /* guards the rest */
    store_table_t table;
    size_t count; /* entries that readers see */
    list_t order; /* of their last put */
    list_t walks;
    list_t notes;
    uint32_t generation;
    uint16_t epoch; /* how often the server went back; versions of two epochs are not compared */
    watch_index_t index;
    char position[32]; /* how far the stream has come; "" when unknown */

    watch_codec_t *codec; /* NULL: nothing is compressed */
    watch_dict_t *dict;   /* NULL: not yet */
    void (*on_raw)(void *arg);
    void *on_raw_arg;
    size_t bytes, text_bytes;  /* of the states; of the live ones' texts */
    watch_store_walk_t recent; /* in front of it no state is recent */
    size_t recent_bytes, recent_most;
    watch_store_meters_t meters;
};

/* -- store_table.c -- */

void store_table_fini(store_table_t *t);          /* it is empty, and may be used again */
size_t store_table_bytes(const store_table_t *t); /* of memory */
store_entry_t *store_table_find(const store_table_t *t, const char *ns, const char *name);
/* A new entry of that key, without a state. */
store_entry_t *store_table_add(store_table_t *t, const char *ns, const char *name);
void store_table_remove(store_table_t *t, store_entry_t *e);
store_ns_t *store_table_ns(const store_table_t *t, const char *ns); /* NULL: nothing is in it */
void store_ns_unref(store_ns_t *ns);
const char *store_entry_name(const store_entry_t *e);

/* -- store.c -- */

/* What readers see: references are taken; both NULL: nothing. */
store_state_t store_view(const store_entry_t *e);
void store_state_unref(store_state_t state);
store_state_t store_live(const store_entry_t *e); /* the live one, likewise */
/* The state as a snapshot; takes state over. */
watch_snapshot_t *store_open(const watch_store_t *s, store_state_t state, const char *ns);
/* What readers see of the entry is found by the index. */
void store_index(watch_store_t *s, store_entry_t *e);
/* The next entry with a live state; NULL at the end. */
store_entry_t *store_next_live(watch_store_t *s, watch_store_walk_t *walk);

#endif
