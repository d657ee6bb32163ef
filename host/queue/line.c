/* SPDX-License-Identifier: Apache-2.0 */
#define HASH_NONFATAL_OOM 1
#include "queue/line.h"

#include <string.h>

void queue_line_init(queue_line_t *l, int64_t aging)
{
    *l = (queue_line_t){.aging = aging};
    for (int p = 0; p < QUEUE_PRIORITIES; p++) {
        list_init(&l->turns[p]);
    }
    list_init(&l->oldest);
}

queue_space_t *queue_line_space(queue_line_t *l, const char *ns)
{
    size_t len = strlen(ns);
    queue_space_t *s = NULL;

    HASH_FIND(hh, l->spaces, ns, len, s);
    if (s == NULL) {
        s = calloc(1, sizeof(*s) + len + 1);
        if (s == NULL)
            return NULL;
        memcpy(s->ns, ns, len + 1);
        HASH_ADD_KEYPTR(hh, l->spaces, s->ns, len, s);
        if (s->hh.tbl == NULL) {
            free(s);
            return NULL;
        }
        for (int p = 0; p < QUEUE_PRIORITIES; p++) {
            list_init(&s->keys[p]);
            list_init(&s->turn[p]);
        }
    }
    s->refs++;
    return s;
}

void queue_line_unref(queue_line_t *l, queue_space_t *s)
{
    if (--s->refs > 0)
        return;
    HASH_DEL(l->spaces, s);
    free(s);
}

void queue_line_push(queue_line_t *l, queue_entry_t *e, bool front)
{
    queue_space_t *s = e->space;
    list_t *keys = &s->keys[e->priority], *turns = &l->turns[e->priority];
    list_t *turn = &s->turn[e->priority];

    /* Appending to a list's first node puts it in front. */
    if (front)
        list_remove(turn);
    if (front || list_empty(keys))
        list_append(front ? turns->next : turns, turn);
    list_append(front ? keys->next : keys, &e->link);
    if (e->priority == QUEUE_INITIAL)
        list_append(front ? l->oldest.next : &l->oldest, &e->oldest);
    e->ready = true;
    l->count[e->priority]++;
}

void queue_line_remove(queue_line_t *l, queue_entry_t *e)
{
    queue_space_t *s = e->space;

    list_remove(&e->link);
    list_remove(&e->oldest);
    if (list_empty(&s->keys[e->priority]))
        list_remove(&s->turn[e->priority]);
    e->ready = false;
    l->count[e->priority]--;
}

/* Live keys go first, but not for ever: once a key of the initial list has waited for long, the two classes
 * take turns, and in each the namespaces do. */
static enum queue_priority choose(queue_line_t *l, int64_t now)
{
    if (l->count[QUEUE_LIVE] == 0)
        return QUEUE_INITIAL;
    if (l->count[QUEUE_INITIAL] == 0)
        return QUEUE_LIVE;
    const queue_entry_t *oldest = LIST_ENTRY(l->oldest.next, queue_entry_t, oldest);

    if (now - oldest->added_at < l->aging)
        return QUEUE_LIVE;
    l->aged_turn = !l->aged_turn;
    return l->aged_turn ? QUEUE_INITIAL : QUEUE_LIVE;
}

queue_entry_t *queue_line_pop(queue_line_t *l, int64_t now)
{
    if (l->count[QUEUE_LIVE] + l->count[QUEUE_INITIAL] == 0)
        return NULL;
    enum queue_priority p = choose(l, now);
    queue_space_t *s = HOST_CONTAINER(l->turns[p].next, queue_space_t, turn[p]);
    queue_entry_t *e = LIST_ENTRY(s->keys[p].next, queue_entry_t, link);

    queue_line_remove(l, e);
    if (!list_empty(&s->keys[p])) {
        list_remove(&s->turn[p]);
        list_append(&l->turns[p], &s->turn[p]);
    }
    return e;
}
