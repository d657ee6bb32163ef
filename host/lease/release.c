/* SPDX-License-Identifier: Apache-2.0 */
/* Giving the Lease back (rules 11 and 12). */
#include "lease/state.h"

#include <string.h>

/* record (handed over, may be NULL) is what is known of the Lease now. */
static void finish(lease_elector_t *e, const lease_time_t *t, lease_record_t *record,
                   const char *cause, const char *reason)
{
    bool stand_back = e->stand_back;

    lease_say(e, LOG_INFO, "term %lld has ended: %s", (long long) e->term, reason);
    e->act->count(e->arg, LEASE_COUNT_ENDED, cause);
    lease_standby_enter(e);
    e->resting = true;
    e->stand_until = stand_back ? t->now + e->lease_duration : 0;
    e->known = false;
    e->get_at = CLOCK_NEVER;
    e->act->end(e->arg, LEASE_END_RELEASED, CLOCK_NEVER, reason);
    if (record != NULL)
        lease_standby_seen(e, t, record, true);
}

void lease_release_begin(lease_elector_t *e, const lease_time_t *t, bool clean, bool stand_back)
{
    fence_close(e->fence);
    e->state = LEASE_RELEASING;
    e->stand_back = stand_back;
    e->get_at = CLOCK_NEVER;
    e->write_at = t->now;
    e->hurries = 0;
    if (!clean)
        finish(e, t, NULL, "left", "the lease is left to expire: not every write was answered");
}

/* Our own release, or an emptied record that says so. */
static bool is_our_release(const lease_elector_t *e, const lease_record_t *r)
{
    lease_seq_t seq;

    return r->released && r->holder[0] == '\0' && lease_seq_parse(r->seq, &seq) &&
           strcmp(seq.instance, e->instance) == 0;
}

void lease_release_seen(lease_elector_t *e, const lease_time_t *t, lease_record_t *record,
                        bool by_watch)
{
    if (record == NULL) {
        finish(e, t, NULL, "left", "the lease was deleted before it was released");
        if (by_watch)
            lease_standby_absent(e, t, true);
    } else if (is_our_release(e, record)) {
        finish(e, t, record, "released", "the lease was released");
    } else if (strcmp(record->uid, e->record->uid) != 0 ||
               lease_record_own(record, e->identity, e->instance) == 0) {
        finish(e, t, record, "left", "the lease is somebody else's, there is nothing to release");
    } else {
        lease_take_record(e, t, record);
        if (e->write_at == CLOCK_NEVER)
            e->write_at = lease_hurry(e, t); /* a conflict was asked about: once more */
    }
}

int64_t lease_release_settle(lease_elector_t *e, const lease_time_t *t)
{
    if (t->now >= e->deadline) {
        finish(e, t, NULL, "left", "the lease is left to expire: its release was not answered");
        return CLOCK_NEVER;
    }
    if (e->write_at <= t->now)
        lease_write(e, t, LEASE_KIND_RELEASE, false);
    return HOST_MIN(e->write_at, e->deadline);
}
