/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ready keys in the order in which they are handed out: by priority, then the namespaces in
 * turn, then by arrival. Once keys of the initial list have waited for long they get every second
 * turn: nobody's flood, of events or of objects in the first list, holds up another namespace.
 */
#ifndef QUEUE_LINE_H
#define QUEUE_LINE_H

#include "queue/entry.h"

#include <uthash.h>

/* A namespace with keys in the queue, ready or not. */
typedef struct queue_space {
    UT_hash_handle hh;
    size_t refs;
    list_t keys[QUEUE_PRIORITIES]; /* its ready keys */
    list_t turn[QUEUE_PRIORITIES]; /* place among the namespaces that have some */
    char ns[];
} queue_space_t;

typedef struct queue_line {
    queue_space_t *spaces;
    list_t turns[QUEUE_PRIORITIES];
    list_t oldest; /* keys of QUEUE_INITIAL by waiting time */
    size_t count[QUEUE_PRIORITIES];
    int64_t aging;
    bool aged_turn; /* the last contested turn went to an aged key */
} queue_line_t;

void queue_line_init(queue_line_t *l, int64_t aging);

/* The namespace, with one more reference; NULL when out of memory. */
queue_space_t *queue_line_space(queue_line_t *l, const char *ns);
void queue_line_unref(queue_line_t *l, queue_space_t *s);

/* Puts e at the end of its namespace's keys, or in front of them. */
void queue_line_push(queue_line_t *l, queue_entry_t *e, bool front);
void queue_line_remove(queue_line_t *l, queue_entry_t *e);
/* Takes the next key; NULL when there is none. */
queue_entry_t *queue_line_pop(queue_line_t *l, int64_t now);

#endif
