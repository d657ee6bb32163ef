/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to the replicas of one episode, and when: it follows from the seed alone. */
#ifndef CHAOS_PLAN_H
#define CHAOS_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum { ACTS_MAX = 4 };

enum act_target { ACT_LEADER, ACT_STANDBY, ACT_ALL };

enum act_kind {
    /* processes */
    ACT_STOP,          /* SIGSTOP, later SIGCONT */
    ACT_STOP_AT_SEAM,  /* SIGSTOP between the check of the fence and the send, later SIGCONT */
    ACT_STOP_AND_TERM, /* SIGSTOP, SIGTERM, later SIGCONT; restarted once it has ended */
    ACT_KILL,          /* restarted later, as are the next two */
    ACT_TERM,
    ACT_KILL_AT_ONCE, /* restarted at once */
    /* network */
    ACT_LATENCY,
    ACT_REPLY_LATENCY,
    ACT_REPLIES_LOST,
    ACT_RESET,
    ACT_BLACKHOLE,      /* bytes are lost, connections reset afterwards */
    ACT_PARTITION_HELD, /* bytes arrive afterwards */
    ACT_FLOWS_DROPPED,  /* silently and for good; new connections are fine */
    ACT_FLOWS_FROZEN,   /* replies on what is open arrive afterwards */
    ACT_BANDWIDTH,
    /* the Lease */
    ACT_EDIT_HOLDER,
    ACT_EDIT_OTHER_NAME, /* to the other replica's name */
    ACT_EMPTY,
    ACT_SHORTEN,
    ACT_ANNOTATE, /* again and again */
    ACT_DELETE,
    /* clock */
    ACT_WALL_STEP,
    /* the embedded API server's faults */
    ACT_STORM,           /* of an error status on Leases */
    ACT_STORM_ON_ALL,    /* on everything */
    ACT_COMMIT_NO_REPLY, /* on Leases */
    ACT_WATCH_FROZEN,    /* the Lease's; thawed later: it lags */
    ACT_WATCH_CUT,
    /* the cluster's API server */
    ACT_SERVER_RESTART,
    ACT_KINDS
};

typedef struct act {
    enum act_kind kind;
    enum act_target target;
    int at_ms, len_ms; /* since the first write of the episode */
    uint32_t dice;     /* for what the kind leaves open */
} act_t;

typedef struct plan {
    const char *durations, *isolation;
    int lease_ms, sides, acts;
    act_t act[ACTS_MAX]; /* in the order of their times */
} plan_t;

plan_t plan_make(uint64_t seed, int episode, bool cluster);
const char *act_name(enum act_kind kind);

#endif
