/* SPDX-License-Identifier: Apache-2.0 */
/* What people and other programs see of the elector: metrics, health checks, GET /leader. */
#ifndef LEASE_REPORT_H
#define LEASE_REPORT_H

#include "lease/elector.h"
#include "lease/mail.h"

typedef struct lease_report lease_report_t;

typedef struct lease_report_options {
    const char *namespace, *name; /* of the Lease; copied */
    const char *identity;         /* copied */
    int64_t retry_period;
    metrics_t *metrics;       /* borrowed until lease_report_destroy; may be NULL */
    health_t *health;         /* likewise */
    const lease_mail_t *mail; /* likewise */
} lease_report_options_t;

/* Caller owns the result, free with lease_report_destroy. [loop-thread] */
lease_report_t *lease_report_create(const lease_report_options_t *o);
/* The checks are gone; /leader says standby. [loop-thread] */
void lease_report_destroy(lease_report_t *r);

/* Shows status; also the sign that the elector lives. At least once a second. [elector-thread] */
void lease_report_update(lease_report_t *r, const lease_status_t *status, int64_t now);
void lease_report_count(lease_report_t *r, enum lease_count what,
                        const char *cause);                    /* [elector-thread] */
void lease_report_renewed(lease_report_t *r, int64_t latency); /* [elector-thread] */

#endif
