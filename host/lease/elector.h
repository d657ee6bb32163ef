/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of the elector, as a state machine without threads, sockets or clocks: it is given
 * what happened and when, and answers what to do next. lease.c drives it; the unit tests drive it
 * with a fake clock and a scripted server; tests may replay any history.
 *
 * Inputs:  elector_start, elector_reply, elector_event, elector_watch_ended, elector_tick, the
 *          owner's calls. Each takes `now` (BOOTTIME).
 * Outputs: the actions below, through the vtable given at creation, called from within the inputs.
 */
#ifndef LEASE_ELECTOR_H
#define LEASE_ELECTOR_H

#include "base/fence.h"
#include "lease/lease.h"
#include "lease/record.h"

typedef struct lease_elector lease_elector_t;

enum lease_verb { LEASE_GET, LEASE_CREATE, LEASE_UPDATE };

/* An answer to a request of the elector. */
typedef struct lease_reply {
    uint64_t id;              /* of the request */
    int status;               /* HTTP status; 0: none (timeout, reset, TLS, DNS) */
    bool named_status;        /* the body was a Status, not a proxy's page */
    const char *status_name;  /* Status.details.name; "" when absent */
    int64_t sent_at;          /* just before the first byte could leave; 0: nothing left */
    int64_t retry_after;      /* ns; 0: none */
    const lease_record_t *record; /* of a 200 or 201; NULL when it could not be read */
    const char *text;         /* for the log */
} lease_reply_t;

/* Types of a watch event. */
enum lease_event { LEASE_EVENT_SEEN /* ADDED or MODIFIED */, LEASE_EVENT_DELETED };

typedef struct lease_actions {
    /* Send a request; exactly one elector_reply follows, at the latest after `timeout`. body is
     * borrowed. fresh: on a new connection. */
    void (*send)(void *arg, uint64_t id, enum lease_verb verb, const char *body, size_t len,
                 int64_t timeout, bool fresh);
    /* Watch the Lease from resource_version ("" : from a consistent list of the one object).
     * Replaces a watch that is open. NULL: close it. */
    void (*watch)(void *arg, const char *resource_version);
    /* Call elector_tick at `at` (CLOCK_NEVER: not at all); replaces the one before. */
    void (*wake)(void *arg, int64_t at);
    /* What lease_events_t says; begin hands over a reference of the fence. */
    void (*begin)(void *arg, fence_t *fence);
    void (*fall)(void *arg);
    void (*end)(void *arg, enum lease_end end, const char *reason);
    void (*observed)(void *arg, const char *holder, bool mine);
    /* One log line (enum log_level). */
    void (*say)(void *arg, int level, const char *text);
} lease_actions_t;

#endif
