/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the test build of the host (seam.c, seam_clock.c) and the judge tell each other through files whose
 * names begin with $CHAOS_SEAM:
 *   .control   a seam_control_t, mapped by both
 *   .sent      one line for each write of a plugin whose last body byte is about to be handed over:
 *              "<checked> <sent> <term> <deadline> <body>\n", times on CLOCK_BOOTTIME
 */
#ifndef CHAOS_SEAM_H
#define CHAOS_SEAM_H

#include <stdatomic.h>
#include <stdint.h>

#define SEAM_VARIABLE "CHAOS_SEAM"

typedef struct seam_control {
    _Atomic int64_t wall_shift; /* ns, added to CLOCK_REALTIME */
    _Atomic uint32_t stop;      /* not 0: the next write raises SIGSTOP between check and send */
} seam_control_t;

/* The process's own, mapped on first use; all zero without $CHAOS_SEAM. [any-thread] */
seam_control_t *seam_control(void);
/* What clock_now() told this thread last: in seam_sending() the time at which the fence was found open. */
int64_t seam_last_now(void);

#endif
