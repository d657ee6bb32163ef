/* SPDX-License-Identifier: Apache-2.0 */
/* The elector's requests and its watch on the wire: a client of its own, on the elector's loop. */
#ifndef LEASE_LINK_H
#define LEASE_LINK_H

#include "kube/client.h"
#include "lease/elector.h"

typedef struct lease_link lease_link_t;

/* What comes in; never from within lease_link_send or lease_link_watch. [elector-thread] */
typedef struct lease_link_events {
    void (*on_reply)(void *arg, const lease_reply_t *reply);
    void (*on_event)(void *arg, enum lease_event event, lease_record_t *record,
                     const char *version);
    void (*on_watch_ended)(void *arg, int status, int64_t retry_after, const char *text);
} lease_link_events_t;

typedef struct lease_link_options {
    loop_t *loop; /* all are borrowed until lease_link_destroy */
    const kube_credentials_t *credentials;
    const char *namespace, *name; /* of the Lease */
    const log_t *log;
    metrics_t *metrics;
    const lease_link_events_t *events;
    void *arg;
} lease_link_options_t;

/* Caller owns *out, free with lease_link_destroy. [elector-thread] or before it runs */
HOST_MUST_USE int lease_link_create(const lease_link_options_t *o, lease_link_t **out,
                                    lh_error_t *err);
/* No event follows. [elector-thread] */
void lease_link_destroy(lease_link_t *l);

/* The actions of lease/elector.h of the same names. [elector-thread] */
void lease_link_send(lease_link_t *l, const lease_send_t *request);
void lease_link_watch(lease_link_t *l, const char *version, bool fresh);

#endif
