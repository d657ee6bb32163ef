/* SPDX-License-Identifier: Apache-2.0 */
/* An intrusive doubly linked list; a node knows its neighbours and is in one list at most. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/base.h"

typedef struct list {
    struct list *prev, *next;
} list_t;

#define LIST_ENTRY(p, type, member) HOST_CONTAINER(p, type, member)
/* Walks all entries; the one at hand may be removed. */
#define LIST_EACH(head, it, tmp)                                                                   \
    for (list_t *it = (head)->next, *tmp = it->next; it != (head); it = tmp, tmp = it->next)

static inline void list_init(list_t *l)
{
    l->prev = l->next = l;
}

static inline bool list_empty(const list_t *l)
{
    return l->next == l;
}

static inline void list_append(list_t *head, list_t *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Leaves node as an empty list, so that removing it twice is harmless. */
static inline void list_remove(list_t *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* The first node, removed; NULL when empty. */
static inline list_t *list_pop(list_t *head)
{
    list_t *node = head->next;

    if (node == head)
        return NULL;
    list_remove(node);
    return node;
}

#endif
