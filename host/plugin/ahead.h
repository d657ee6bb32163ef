/* SPDX-License-Identifier: Apache-2.0 */
/* How many jobs a runner is given ahead of its workers. Times are BOOTTIME. */
#ifndef PLUGIN_AHEAD_H
#define PLUGIN_AHEAD_H

#include "base/base.h"

typedef struct plugin_ahead {
    /* Jobs that wait in the runner for each worker, so that it need not wait for the loop: one, and
     * more where calls are so short that two changes of threads would cost more than the call. The
     * rest stays in the queue, where priorities count; while calls are slow (0), all of it. */
    uint32_t count;
    int64_t call_time; /* of late, on average */
    int64_t begun_at;  /* the latest call, as far as is known */
} plugin_ahead_t;

/* [loop-thread] */
void plugin_ahead_init(plugin_ahead_t *a);
void plugin_ahead_begun(plugin_ahead_t *a, int64_t now);
void plugin_ahead_returned(plugin_ahead_t *a, int64_t took);

/* When what waits behind the calls that are inside has waited too long; CLOCK_NEVER: nothing is to
 * wait there any more. */
int64_t plugin_ahead_due(const plugin_ahead_t *a);
/* No worker is free: whether what waits in the runner is to be taken back now. True once: until a call
 * shows again that it is short, nothing is to be handed over in advance. */
bool plugin_ahead_is_over(plugin_ahead_t *a, int64_t now);

#endif
