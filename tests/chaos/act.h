/* SPDX-License-Identifier: Apache-2.0 */
/* Doing what a plan says, and undoing it. */
#ifndef CHAOS_ACT_H
#define CHAOS_ACT_H

#include "chaos/contest.h"
#include "chaos/plan.h"

/* One act under way. */
typedef struct doing {
    const act_t *act;
    bool on[SIDES_MAX]; /* whom it hits: the leader of the moment in which it begins */
    int64_t next;       /* when it wants to be called again; INT64_MAX: not before its end */
} doing_t;

void act_begin(contest_t *c, doing_t *d, const act_t *a);
void act_again(contest_t *c, doing_t *d);
void act_end(contest_t *c, doing_t *d);
/* After all acts: nothing is wrong any more, and every side runs. */
void act_heal(contest_t *c);

#endif
