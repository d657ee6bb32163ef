/* SPDX-License-Identifier: Apache-2.0 */
/* One episode of a plan, and the sum of many. */
#ifndef CHAOS_EPISODE_H
#define CHAOS_EPISODE_H

#include "chaos/contest.h"
#include "chaos/plan.h"

typedef struct outcome {
    verdict_t v;
    bool stuck;          /* nobody led once everything was well again */
    int stops;           /* by SIGSTOP */
    long lease_requests; /* -1: not counted */
    double seconds;
} outcome_t;

/* shared: what others do to the server is not known here. trace as of judge(). */
outcome_t episode_run(world_t *w, const plan_t *p, int number, bool shared, FILE *trace);

#endif
