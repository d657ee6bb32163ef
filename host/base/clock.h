/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two clocks. Tests link tests/support/fake_clock.c in the place of clock.c, so there is no
 * state and no indirection here.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_US INT64_C(1000)
#define CLOCK_MS INT64_C(1000000)
#define CLOCK_S INT64_C(1000000000)
#define CLOCK_NEVER INT64_MAX

/* CLOCK_BOOTTIME in nanoseconds: counts suspend, never steps. Every deadline and timer of the host
 * is a value of this clock. Always positive. [any-thread] */
int64_t clock_now(void);

/* CLOCK_REALTIME in nanoseconds since 1970; only for texts that people or other programs read.
 * [any-thread] */
int64_t clock_wall(void);

/* Writes wall as RFC 3339 with microseconds, as Kubernetes' MicroTime
 * ("2026-01-02T03:04:05.000006Z"); out holds at least 32 bytes. [any-thread] */
void clock_format(int64_t wall, char out[32]);

/* Reads a time of RFC 3339, with a fraction of the second or without; one after the year 2262 is
 * CLOCK_NEVER. False for anything else. [any-thread] */
bool clock_parse(const char *text, int64_t *wall);

#endif
