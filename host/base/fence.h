/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fence: until when the writes of one term may be sent. One reference-counted object per term,
 * created by the elector, tested by everybody who is about to send, closed by anybody.
 *
 * The deadline is counted from the *send* of the last acknowledged renewal, on CLOCK_BOOTTIME, so
 * it holds through suspend and needs no thread to be alive when it passes. Beside it stands the
 * gate of the voluntary stop: once closed no new write starts, while those in flight finish.
 * docs/election.md gives the reasons.
 */
#ifndef BASE_FENCE_H
#define BASE_FENCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct fence {
    uint64_t term;
    _Atomic uint32_t refs;
    _Atomic bool gate_closed;
    _Atomic int64_t deadline_ns; /* BOOTTIME; 0: closed for ever; negative: suspended */
    _Atomic int64_t offset_ns;   /* REALTIME - BOOTTIME at the elector's last check */
} fence_t;

/* A fence for term, open until deadline_ns (CLOCK_NEVER: election disabled). Caller owns one
 * reference, free with fence_unref. [any-thread] */
fence_t *fence_create(uint64_t term, int64_t deadline_ns);
fence_t *fence_ref(fence_t *f); /* caller owns one more reference [any-thread] */
void fence_unref(fence_t *f);   /* NULL is allowed [any-thread] */
void fence_unrefp(fence_t **f); /* for host_cleanup */

/* True while a write of this term may be sent. Costs two acquire loads and two clock reads.
 * [any-thread] */
bool fence_open(const fence_t *f);

/* True while the term is not over: open, or only suspended. What is not open and lives waits for a
 * renewal. [any-thread] */
bool fence_lives(const fence_t *f);

/* True while a *new* write or reconcile of this term may start: open, and the gate is not closed.
 * [any-thread] */
bool fence_admits(const fence_t *f);

/* Moves the deadline forward; never backwards. False when the fence is closed, or was already past
 * its deadline: a late reply does not open it again. Lifts a suspension; that the renewal was sent
 * after it is for the caller to know. [elector-thread] */
bool fence_extend(fence_t *f, int64_t deadline_ns);

/* Shuts the fence until a renewal sent after this call is acknowledged, without ending the term:
 * the clocks disagree about how long the machine was away. [elector-thread] */
void fence_suspend(fence_t *f);

/* Tells by how much REALTIME was ahead of BOOTTIME just now, after fence_suspend() when that had
 * grown by more than a second. From then on the fence is shut, as if suspended, while it is more than
 * a second ahead of that: a machine that was away for a time that BOOTTIME does not know of sends
 * nothing, even before the elector has noticed. Never called (election disabled): not compared.
 * [elector-thread] */
void fence_set_offset(fence_t *f, int64_t offset_ns);

/* Ends the term's right to write, for ever. [any-thread] */
void fence_close(fence_t *f);

/* Closes the gate: no new write is admitted, those in flight go on. [any-thread] */
void fence_close_gate(fence_t *f);
bool fence_gate_closed(const fence_t *f); /* [any-thread] */

#endif
