/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of the elector, as a state machine without threads, sockets or clocks: it is given
 * what happened and when, and answers what to do next. lease.c drives it; the unit tests drive it
 * with a fake clock and a scripted server; tests may replay any history.
 *
 * Inputs:  the functions lease_elector_*; each takes the time. Records are handed over with them.
 * Outputs: the actions below, called from within the inputs. An action must not call an input.
 *
 *   standby -> holding -> leading -> releasing -> standby
 *                 |          |
 *                 +----------+-> (loss, deadline) -> standby
 *
 * All functions are the elector thread's.
 */
#ifndef LEASE_ELECTOR_H
#define LEASE_ELECTOR_H

#include "base/clock.h"
#include "base/fence.h"
#include "lease/lease.h"
#include "lease/record.h"

typedef struct lease_elector lease_elector_t;

/* When an input happens. */
typedef struct lease_time {
    int64_t now;  /* BOOTTIME */
    int64_t wall; /* REALTIME */
    int64_t beat; /* the owner's last turn on BOOTTIME; CLOCK_NEVER: not asked */
} lease_time_t;

enum lease_verb { LEASE_GET, LEASE_CREATE, LEASE_UPDATE, LEASE_DELETE };

typedef struct lease_send {
    uint64_t id; /* of the reply */
    enum lease_verb verb;
    const char *body; /* borrowed until send returns; NULL: none */
    size_t len;
    int64_t timeout;
    bool fresh; /* on a new connection, with the name resolved anew */
} lease_send_t;

/* The answer to a request. */
typedef struct lease_reply {
    uint64_t id;
    int status;             /* HTTP status; 0: none (timeout, reset, TLS, DNS) */
    const char *missing;    /* of a 404 that is a Status: the name that it says is not there */
    int64_t retry_after;    /* ns; 0: none */
    lease_record_t *record; /* of a 200 or 201; NULL when it could not be read. Handed over */
    const char *text;       /* why it failed, for the log */
} lease_reply_t;

enum lease_event {
    LEASE_EVENT_SEEN, /* ADDED or MODIFIED */
    LEASE_EVENT_DELETED,
    LEASE_EVENT_BOOKMARK
};

enum lease_state { LEASE_STANDBY, LEASE_HOLDING, LEASE_LEADING, LEASE_RELEASING };

enum lease_count {
    LEASE_COUNT_ACQUIRED,      /* cause: why the lease could be had */
    LEASE_COUNT_ENDED,         /* cause: why the term ended */
    LEASE_COUNT_RENEW_FAILURE, /* cause: what the answer was */
    LEASE_COUNT_SLOW_PATH,     /* a holder had to ask what is true */
    LEASE_COUNT_DUPLICATE      /* another live process has our name */
};

typedef struct lease_actions {
    /* One reply follows, at the latest after the timeout. */
    void (*send)(void *arg, const lease_send_t *request);
    /* Watch the Lease from resource_version, in the place of the watch that is open. The end of
     * one that was replaced is not told. NULL: close it. */
    void (*watch)(void *arg, const char *resource_version, bool fresh);
    /* Call lease_elector_tick at `at`; in the place of the time before. */
    void (*wake)(void *arg, int64_t at);
    /* A term begins. One reference of fence is handed over. */
    void (*begin)(void *arg, fence_t *fence);
    /* The fence has just been closed by force; then comes end. */
    void (*fall)(void *arg);
    void (*end)(void *arg, enum lease_end end, int64_t until, const char *reason);
    /* The time that the teardown of a forced end has is over; a little after `until`. */
    void (*overdue)(void *arg);
    void (*observed)(void *arg, const char *holder, bool mine);
    void (*count)(void *arg, enum lease_count what, const char *cause);
    /* A renewal was acknowledged, this long after it was sent. */
    void (*renewed)(void *arg, int64_t latency);
    void (*say)(void *arg, enum log_level level, const char *text);
    int64_t (*random)(void *arg, int64_t bound); /* in [0, bound) */
} lease_actions_t;

typedef struct lease_elector_options {
    const char *namespace, *name; /* of the Lease */
    const char *identity;
    const char *instance; /* of this process */
    const char *previous; /* of a dead process of this identity that is continued; "": none */
    int64_t lease_duration, renew_deadline, retry_period, stop_budget; /* ns */
    double clock_skew;
    const lease_actions_t *actions; /* borrowed */
    void *arg;
} lease_elector_options_t;

/* Strings are copied. Caller owns the result, free with lease_elector_destroy. [elector-thread] */
lease_elector_t *lease_elector_create(const lease_elector_options_t *options);
/* Closes the fence of a term that is on. NULL is allowed. [elector-thread] */
void lease_elector_destroy(lease_elector_t *e);

void lease_elector_start(lease_elector_t *e, const lease_time_t *t); /* [elector-thread] */
void lease_elector_tick(lease_elector_t *e, const lease_time_t *t);  /* [elector-thread] */
void lease_elector_reply(lease_elector_t *e, const lease_time_t *t,
                         const lease_reply_t *reply); /* [elector-thread] */
/* record (handed over) is that of SEEN and DELETED; version that of a BOOKMARK. [elector-thread] */
void lease_elector_event(lease_elector_t *e, const lease_time_t *t, enum lease_event event,
                         lease_record_t *record, const char *version);
/* status: 200 when the server ended it in order, else what was answered (an ERROR event's code), 0
 * for none. [elector-thread] */
void lease_elector_watch_ended(lease_elector_t *e, const lease_time_t *t, int status,
                               int64_t retry_after, const char *text);
/* What the owner asks by the functions of lease/lease.h that have these names. [elector-thread] */
void lease_elector_outnumbered(lease_elector_t *e, const lease_time_t *t, uint64_t term,
                               int64_t seen);
void lease_elector_release(lease_elector_t *e, const lease_time_t *t, bool clean, bool stand_back);
void lease_elector_stand_back(lease_elector_t *e, const lease_time_t *t); /* [elector-thread] */
void lease_elector_rested(lease_elector_t *e, const lease_time_t *t);

/* What people may see of it. Strings are borrowed until the next input. [elector-thread] */
typedef struct lease_status {
    enum lease_state state;
    bool stopping;       /* leading, but no new write starts: it is being handed over */
    bool observed;       /* the Lease, or its absence */
    const char *uid;     /* of the Lease; "": not known, or absent */
    const char *holder;  /* "": none */
    const char *since;   /* acquireTime of the Lease as seen last; "": none */
    bool mine;           /* held by this process */
    bool duplicate;      /* held by another live process of our name */
    const char *trouble; /* why the last request failed; "": it did not */
    int64_t term;        /* of the holder */
    int64_t duration;    /* that the Lease states, as seen last; 0: none */
    int64_t seen_at;     /* of the last sign of life of the holder, 0: none */
    int64_t wait_until;  /* no term begins before (rules 4 to 6); 0: nothing is waited for */
    int64_t deadline;    /* of the fence; 0: no term is on */
} lease_status_t;
void lease_elector_status(const lease_elector_t *e, lease_status_t *out);

#endif
