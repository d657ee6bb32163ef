/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the streams of one hub share the API server: so many lists at a time, in the order in which they
 * were asked for; and what many streams lose at one moment, as when their server is started again, they
 * ask for again one after the other. All on the loop thread.
 */
#ifndef WATCH_PACE_H
#define WATCH_PACE_H

#include "base/bucket.h"
#include "base/list.h"
#include "base/loop.h"

/* A stream's turn to read a list. */
typedef struct watch_turn {
    list_t link; /* among those that wait */
    bool held;
    void (*fn)(struct watch_turn *turn); /* it has come: requests may be started from it */
} watch_turn_t;

typedef struct watch_pace {
    loop_t *loop;
    size_t most, reading; /* lists */
    list_t waiting;
    loop_task_t next;
    bucket_t again;
} watch_pace_t;

void watch_pace_init(watch_pace_t *p, loop_t *loop, size_t max_lists); /* 0: any number */
void watch_pace_fini(watch_pace_t *p); /* nobody waits or reads any more */

void watch_turn_init(watch_turn_t *t, void (*fn)(watch_turn_t *turn));
/* Calls its function: at once where there is room or it is held already, else when its turn comes. p NULL,
 * here and below: at once. */
void watch_turn_take(watch_pace_t *p, watch_turn_t *t);
/* Gives it back, or waits no longer; of one that does neither, nothing. */
void watch_turn_end(watch_pace_t *p, watch_turn_t *t);

/* How long to wait before a stream that worked is opened or listed again, in ns: not at all, or when
 * several have ended just now, so long that they come at about 100 a second, at random. */
int64_t watch_pace_again(watch_pace_t *p);

#endif
