/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The elector: holds or waits for one Lease, on its own thread, loop and connection.
 *
 * The rules are those of docs/election.md. The decisions are made by a state machine without I/O
 * (lease/elector.h); this file gives it a thread, a client and timers.
 *
 * Life as the owner (the loop thread) sees it:
 *   start -> standby -> term begins -> (voluntary stop: prepare ... release | forced: term ends)
 *         -> rested -> standby -> ... -> stop
 * Callbacks are posted to the owner's loop, in order.
 */
#ifndef LEASE_LEASE_H
#define LEASE_LEASE_H

#include "base/fence.h"
#include "base/health.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "kube/credentials.h"

typedef struct lease lease_t;

/* Why a term ended. */
enum lease_end {
    LEASE_END_RELEASED, /* we gave it back, or left it to expire, as asked */
    LEASE_END_LOST,     /* definite loss: somebody else's, or deleted */
    LEASE_END_EXPIRED,  /* no renewal was acknowledged before the deadline */
};

typedef struct lease_events {
    /* A term begins: fence is open. A reference goes with the call (caller of the callback gives
     * it; the owner releases it with fence_unref). [loop-thread] */
    void (*on_begin)(void *arg, fence_t *fence);
    /* The term has ended; its fence is closed, and on a forced end the write sockets are already
     * cut. The owner tears down and calls lease_rested(); on a forced end it gives up what is not
     * through by `until` (BOOTTIME), so early before on_overdue that this comes for an owner alone
     * that does not turn. reason is for people. [loop-thread] */
    void (*on_end)(void *arg, enum lease_end end, int64_t until, const char *reason);
    /* Called on the elector thread the moment a fence falls by force: cuts the write connections.
     * Must not block. [elector-thread] */
    void (*on_fall)(void *arg);
    /* The stop budget after on_fall is over and lease_rested has not been called: isolated workers
     * are killed now, whatever the loop is doing. Must not block. [elector-thread] */
    void (*on_overdue)(void *arg);
    /* The first sight of the Lease (or of its absence), then each change of holder. holder "" when
     * there is none; mine: it is this process. [loop-thread] */
    void (*on_observed)(void *arg, const char *holder, bool mine);
    void *arg;
} lease_events_t;

typedef struct lease_options {
    loop_t *owner; /* callbacks are posted here; borrowed until lease_stop */
    const kube_credentials_t *credentials;
    const char *namespace, *name;                         /* of the Lease; copied */
    const char *identity;                                 /* Name; copied */
    int64_t lease_duration, renew_deadline, retry_period; /* ns, validated by config/ */
    int64_t stop_budget;                                  /* ns, see on_overdue */
    double clock_skew;
    const char *state_dir; /* of this identity, exists; NULL: no restart file (rule 17) */
    const _Atomic int64_t *owner_beat; /* clock_now() of the owner's last turn: only a live leader
                                          renews (rule 14) */
    const log_t *log;
    metrics_t *metrics;
    health_t *health; /* gets the checks "elector" and "lease", and the document /leader */
    lease_events_t events;
} lease_options_t;

/* Starts the thread. Caller owns *out, end it with lease_stop. [loop-thread] */
HOST_MUST_USE int lease_start(const lease_options_t *options, lease_t **out, lh_error_t *err);

/* Voluntary stop, last step: everything is drained and deactivated, the fence is closed by this
 * call. clean: the outcome of every write sent in the last lease duration is known, so the Lease
 * is released; otherwise it is left to expire. on_end(LEASE_END_RELEASED) follows. stand_back: do
 * not stand again for a lease duration or until another holder is seen (step-down). Ignored when
 * the term has ended by itself meanwhile (its on_end is on the way). [loop-thread] */
void lease_release(lease_t *l, bool clean, bool stand_back);

/* After an on_end by force that came in the middle of a step-down: do not stand again for a lease
 * duration, or until another holder is seen. Before lease_rested. [loop-thread] */
void lease_stand_back(lease_t *l);

/* The uid of the Lease of the term that on_begin told of last; "" before the first. Borrowed until
 * the next on_begin. [loop-thread] */
const char *lease_uid(const lease_t *l);

/* The term numbers of this Lease are used up to `seen` elsewhere: the term `term` ends by force, as a
 * definite loss, and the next one has a higher number (rule 7). Ignored when another one is on.
 * [loop-thread] */
void lease_outnumbered(lease_t *l, uint64_t term, int64_t seen);

/* After on_end: the owner has torn down, the elector may stand again. [loop-thread] */
void lease_rested(lease_t *l);

/* Ends the thread and frees l. A term that is on is not released (use lease_release before), except
 * one whose on_begin has not come yet. Waits up to 2 s for the answer to a release that is under way.
 * No callback follows. NULL is allowed. [loop-thread] */
void lease_stop(lease_t *l);

#endif
