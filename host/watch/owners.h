/* SPDX-License-Identifier: Apache-2.0 */
/* The store's index from an owner's uid to the objects that name it in metadata.ownerReferences.
 * The store's lock guards it. */
#ifndef WATCH_OWNERS_H
#define WATCH_OWNERS_H

#include "base/list.h"
#include "watch/snapshot.h"

typedef struct watch_owner watch_owner_t;

/* One reference from an object to an owner. */
typedef struct watch_owned {
    list_t link;              /* among the owner's objects */
    struct watch_owned *next; /* of the same object */
    watch_owner_t *owner;
    void *entry; /* the store's entry of the object */
} watch_owned_t;

typedef struct watch_owners {
    watch_owner_t *table;
    size_t bytes;
} watch_owners_t;

/* The object of entry is `object` now (NULL: nothing to see), and found under its owners. *owned is
 * the entry's, NULL at first; nothing is left there when `object` is NULL. */
void watch_owners_set(watch_owners_t *o, watch_owned_t **owned, void *entry,
                      const watch_snapshot_t *object);
/* The list of watch_owned_t of an owner, NULL when it has none. Borrowed until the next change. */
list_t *watch_owners_find(watch_owners_t *o, const char *uid);

#endif
