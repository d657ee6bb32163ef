/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/owners.h"

#include <string.h>
#include <uthash.h>

struct watch_owner {
    UT_hash_handle hh;
    list_t objects;
    char uid[];
};

static watch_owner_t *find(watch_owners_t *o, const char *uid)
{
    watch_owner_t *owner = NULL;

    HASH_FIND_STR(o->table, uid, owner);
    return owner;
}

static watch_owner_t *get(watch_owners_t *o, const char *uid)
{
    watch_owner_t *owner = find(o, uid);

    if (owner == NULL) {
        size_t size = strlen(uid) + 1;

        owner = host_xcalloc(1, sizeof(*owner) + size);
        memcpy(owner->uid, uid, size);
        list_init(&owner->objects);
        HASH_ADD_STR(o->table, uid, owner);
        o->bytes += sizeof(*owner) + size;
    }
    return owner;
}

static watch_owned_t *add(watch_owners_t *o, void *entry, const char *uid)
{
    watch_owned_t *item = host_xcalloc(1, sizeof(*item));

    item->owner = get(o, uid);
    item->entry = entry;
    list_append(&item->owner->objects, &item->link);
    o->bytes += sizeof(*item);
    return item;
}

static void drop_all(watch_owners_t *o, watch_owned_t *owned)
{
    for (watch_owned_t *item = owned, *next; item != NULL; item = next) {
        watch_owner_t *owner = item->owner;

        next = item->next;
        list_remove(&item->link);
        o->bytes -= sizeof(*item);
        free(item);
        if (list_empty(&owner->objects)) {
            o->bytes -= sizeof(*owner) + strlen(owner->uid) + 1;
            /* The analyzer thinks that it may stand in no table. */
            HASH_DEL(o->table, owner); /* NOLINT(clang-analyzer-core.NullDereference) */
            free(owner);
        }
    }
}

void watch_owners_set(watch_owners_t *o, watch_owned_t **owned, void *entry,
                      const watch_snapshot_t *object)
{
    const skim_span_t references =
        object != NULL ? watch_snapshot_owners(object) : (skim_span_t){0};
    watch_owned_t **at = owned;
    skim_span_t reference;

    /* Mostly they are the same as before; the first that is not, and all behind it, are made anew. */
    for (const char *p = NULL; skim_element_next(references, &p, &reference);) {
        host_cleanup(host_freep) char *uid = skim_dup(skim_get(reference, "uid"));

        if (uid == NULL)
            continue;
        if (*at == NULL || strcmp((*at)->owner->uid, uid) != 0) {
            drop_all(o, host_steal(*at));
            *at = add(o, entry, uid);
        }
        at = &(*at)->next;
    }
    drop_all(o, host_steal(*at));
}

list_t *watch_owners_find(watch_owners_t *o, const char *uid)
{
    watch_owner_t *owner = find(o, uid);

    return owner != NULL ? &owner->objects : NULL;
}
