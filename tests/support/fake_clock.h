/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks that stand still until a test moves them. Linking support_fake_clock in the place of
 * host_clock gives clock_now() and clock_wall(); they start at 1000 s and at
 * 2026-01-02T03:04:05.000006Z.
 *
 * Timers: loop_turn() fires those whose time has come by this clock, so a test advances it and
 * then turns the loop. A loop inside loop_run() on another thread is not woken by a change of the
 * clock; it looks at its timers when something is posted to it.
 */
#ifndef SUPPORT_FAKE_CLOCK_H
#define SUPPORT_FAKE_CLOCK_H

#include "base/clock.h"

#define FAKE_CLOCK_START (1000 * CLOCK_S)
#define FAKE_CLOCK_WALL_START INT64_C(1767323045000006000)

void fake_clock_set(int64_t now);       /* BOOTTIME alone [any-thread] */
void fake_clock_set_wall(int64_t wall); /* REALTIME alone: a step of the wall clock [any-thread] */
void fake_clock_advance(int64_t ns);    /* both [any-thread] */

#endif
