/* SPDX-License-Identifier: Apache-2.0 */
/* The elector's messages to its owner's loop: in order, none after the end. */
#ifndef LEASE_MAIL_H
#define LEASE_MAIL_H

#include "lease/lease.h"

typedef struct lease_mail lease_mail_t;

/* Caller owns the result, end it with lease_mail_close. owner is borrowed until then.
 * [loop-thread] */
lease_mail_t *lease_mail_create(loop_t *owner, const lease_events_t *events);
/* What was not delivered is dropped; nothing is delivered any more. Also from within an event.
 * [loop-thread] */
void lease_mail_close(lease_mail_t *m);

/* fence is handed over; uid of the Lease is copied. [elector-thread] */
void lease_mail_begin(lease_mail_t *m, fence_t *fence, const char *uid);
void lease_mail_end(lease_mail_t *m, enum lease_end end, int64_t until,
                    const char *reason);                                  /* [elector-thread] */
void lease_mail_observed(lease_mail_t *m, const char *holder, bool mine); /* [elector-thread] */

/* The fence of the term that the owner has been told of and not yet that it ended; NULL: none.
 * Borrowed until the owner's loop runs again. [loop-thread] */
fence_t *lease_mail_term(const lease_mail_t *m);
/* The uid that the last delivered begin came with; "" before the first. [loop-thread] */
const char *lease_mail_uid(const lease_mail_t *m);
/* True from the begin that was sent to the end that was delivered. [any-thread] */
bool lease_mail_acting(const lease_mail_t *m);

#endif
