/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over a store, and what is indexed by them. */
#include "watch/store_internal.h"

#include <string.h>

/* -- The index -- */

void watch_store_index_labels(watch_store_t *s, const char *keys)
{
    host_cleanup(host_freep) char *each = host_xstrdup(keys);
    char *next = each;

    pthread_mutex_lock(&s->lock);
    for (const char *key; (key = strsep(&next, ",")) != NULL;)
        watch_index_add(&s->index, key, s->table.entries.count == 0);
    /* No walk comes to what the stream does not know yet. */
    LIST_EACH (&s->notes, it, next_note) {
        store_index(s, LIST_ENTRY(it, store_note_t, link)->entry);
    }
    pthread_mutex_unlock(&s->lock);
}

/* -- Walks -- */

void watch_store_walk_begin(watch_store_t *s, watch_store_walk_t *walk)
{
    pthread_mutex_lock(&s->lock);
    list_append(&s->walks, &walk->link);
    walk->at = s->order.next;
    walk->labels = s->index.label_count;
    pthread_mutex_unlock(&s->lock);
}

/* For the labels that were asked for after the entry was put. Texts are expanded before the lock is taken:
 * only this thread changes entries. live: its state. */
static void index_anew(watch_store_t *s, store_entry_t *e, const watch_snapshot_t *live)
{
    const bool is_live = e->note == NULL && !e->live_gone;
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *view =
        is_live ? watch_snapshot_ref(live) : store_open(s, store_view(e), e->ns->text);

    if (view != NULL)
        (void) watch_snapshot_labels(view);
    pthread_mutex_lock(&s->lock);
    watch_index_set(&s->index, &e->indexed, e, view);
    pthread_mutex_unlock(&s->lock);
}

watch_snapshot_t *watch_store_walk_next(watch_store_t *s, watch_store_walk_t *walk)
{
    pthread_mutex_lock(&s->lock);
    store_entry_t *e = store_next_live(s, walk);
    const store_state_t state = e != NULL ? store_live(e) : (store_state_t){0};
    const bool complete = watch_index_is_complete(&s->index);

    if (e == NULL)
        watch_index_complete(&s->index, walk->labels);
    pthread_mutex_unlock(&s->lock);
    if (e == NULL)
        return NULL;
    watch_snapshot_t *object = store_open(s, state, e->ns->text);

    if (!complete)
        index_anew(s, e, object);
    return object;
}

void watch_store_walk_end(watch_store_t *s, watch_store_walk_t *walk)
{
    pthread_mutex_lock(&s->lock);
    list_remove(&walk->link);
    pthread_mutex_unlock(&s->lock);
}
