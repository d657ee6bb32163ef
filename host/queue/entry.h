/* SPDX-License-Identifier: Apache-2.0 */
/* One key of the queue, as the files of this folder see it. */
#ifndef QUEUE_ENTRY_H
#define QUEUE_ENTRY_H

#include "base/hash_table.h"
#include "base/list.h"
#include "queue/queue.h"

enum { QUEUE_PRIORITIES = QUEUE_INITIAL + 1 };

/* An object that is to be reported as gone or left. */
typedef struct queue_tombstone {
    struct queue_tombstone *next; /* younger */
    watch_snapshot_t *last;
    uint32_t reason;
    char uid[];
} queue_tombstone_t;

struct queue_space;

typedef struct queue_entry {
    queue_key_t key;           /* its strings are in text */
    hash_node_t node;          /* in the queue's table */
    struct queue_space *space; /* its namespace; holds a reference */
    list_t link;               /* ready: keys of its namespace; handed out: those begun, or stale */
    list_t oldest;             /* ready with QUEUE_INITIAL: by waiting time */

    queue_tombstone_t *tombs; /* to be delivered, oldest first */
    uint32_t tomb_count;
    uint32_t reason;   /* of the waiting run for the present object; QUEUE_NO_REASON: none */
    uint32_t failures; /* in a row */
    enum queue_priority priority;
    uint32_t run_reason; /* of the run handed out */

    bool pending;      /* wants a run as soon as possible */
    bool ready;        /* stands in the line: pending and not handed out */
    bool running;      /* handed out */
    bool stale;        /* handed out before queue_clear */
    bool guest;        /* here by queue_add_guest alone */
    bool object_waits; /* behind the run of a tombstone waits one for the present object */

    int64_t at;       /* delayed until then; CLOCK_NEVER: not */
    size_t slot;      /* in the heap */
    int64_t added_at; /* when it became pending */

    queue_tombstone_t *current; /* of the run handed out */
    int64_t run_added_at;       /* when that became pending */
    int64_t started_at;         /* 0: handed out, not begun */

    char text[];
} queue_entry_t;

#define QUEUE_NO_REASON UINT32_MAX

#endif
