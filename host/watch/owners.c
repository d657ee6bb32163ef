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
    }
    return owner;
}

static void add(watch_owners_t *o, watch_owned_t **owned, void *entry, const char *uid)
{
    watch_owned_t *item = host_xcalloc(1, sizeof(*item));

    item->owner = get(o, uid);
    item->entry = entry;
    item->next = *owned;
    *owned = item;
    list_append(&item->owner->objects, &item->link);
}

static void drop_all(watch_owners_t *o, watch_owned_t **owned)
{
    while (*owned != NULL) {
        watch_owned_t *item = *owned;
        watch_owner_t *owner = item->owner;

        *owned = item->next;
        list_remove(&item->link);
        free(item);
        if (list_empty(&owner->objects)) {
            /* The analyzer thinks that it may stand in no table. */
            HASH_DEL(o->table, owner); /* NOLINT(clang-analyzer-core.NullDereference) */
            free(owner);
        }
    }
}

static skim_span_t owners_of(const watch_snapshot_t *s)
{
    return s != NULL ? watch_snapshot_owners(s) : (skim_span_t){0};
}

void watch_owners_move(watch_owners_t *o, watch_owned_t **owned, void *entry,
                       const watch_snapshot_t *from, const watch_snapshot_t *to)
{
    skim_span_t before = owners_of(from), after = owners_of(to), reference;

    if (before.len == after.len && (after.len == 0 || memcmp(before.p, after.p, after.len) == 0))
        return;
    drop_all(o, owned);
    for (const char *at = NULL; skim_element_next(after, &at, &reference);) {
        host_cleanup(host_freep) char *uid = skim_dup(skim_get(reference, "uid"));

        if (uid != NULL)
            add(o, owned, entry, uid);
    }
}

list_t *watch_owners_find(watch_owners_t *o, const char *uid)
{
    watch_owner_t *owner = find(o, uid);

    return owner != NULL ? &owner->objects : NULL;
}
