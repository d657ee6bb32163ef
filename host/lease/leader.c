/* SPDX-License-Identifier: Apache-2.0 */
/* Holding the Lease: renewing it, beginning a term under it, losing it. */
#include "lease/state.h"

#include <string.h>

/* --- a write has landed --- */

/* For people: how the acquisition that is counted under this cause came about. */
static const char *why_acquired(const char *cause)
{
    static const struct {
        const char *cause, *text;
    } texts[] = {{"created", "the lease did not exist"},
                 {"released", "the lease was free"},
                 {"expired", "its last holder was silent for too long"},
                 {"resumed", "the lease was our own"}};

    for (size_t i = 0; i < HOST_LEN(texts); i++) {
        if (strcmp(cause, texts[i].cause) == 0)
            return texts[i].text;
    }
    return cause;
}

static void begin(lease_elector_t *e, int64_t deadline)
{
    e->state = LEASE_LEADING;
    e->deadline = deadline;
    e->fence = fence_create((uint64_t) e->term, deadline);
    fence_set_offset(e->fence, e->offset);
    lease_say(e, LOG_INFO, "leading, term %lld: %s", (long long) e->term, why_acquired(e->cause));
    e->act->begin(e->arg, fence_ref(e->fence));
}

/* Holding: whether the write that was sent at `sent` begins the term; otherwise renew first. */
static void begin_or_renew(lease_elector_t *e, const lease_time_t *t, int64_t sent, bool trusted)
{
    int64_t deadline = sent + e->renew_deadline;

    if (t->now < e->lead_from) {
        e->write_at = HOST_MIN(e->write_at, e->lead_from);
    } else if (trusted && deadline - t->now >= e->retry_period) {
        begin(e, deadline);
    } else {
        e->write_at = lease_hurry(e, t); /* landed, but too long ago */
    }
}

/* The deadline counts from the send of the write that landed (rules 3 and 8), unless the clocks
 * have disagreed since (rule 15). */
static void landed(lease_elector_t *e, const lease_time_t *t, uint64_t counter)
{
    const lease_sent_t *sent = lease_sent_find(e, counter);
    int64_t at = sent != NULL ? sent->at : 0;
    bool trusted = sent != NULL && counter >= e->trust_from;

    e->acked = counter;
    e->hurries = 0;
    e->acked_sent = HOST_MAX(e->acked_sent, at);
    e->acked_at = t->now;
    e->get_at = CLOCK_NEVER;
    e->write_at = HOST_MAX(at + e->retry_period, t->now);
    if (e->state == LEASE_HOLDING) {
        begin_or_renew(e, t, at, trusted);
    } else if (!trusted) {
        e->write_at = lease_hurry(e, t);
    } else if (fence_extend(e->fence, at + e->renew_deadline)) {
        e->deadline = HOST_MAX(e->deadline, at + e->renew_deadline);
    } else {
        e->write_at = CLOCK_NEVER; /* closed by the owner: its release is on the way */
    }
}

/* Rule 6. A create proves its case only by following, in the order of the stream, the deletion that
 * it was sent after. */
static bool leads_at_once(const lease_elector_t *e, const lease_sent_t *sent, bool by_watch)
{
    if (sent == NULL || !sent->leads_at_once)
        return false;
    return !sent->creates || (by_watch && sent->view == e->view);
}

void lease_hold(lease_elector_t *e, const lease_time_t *t, uint64_t counter, lease_record_t *record,
                bool by_watch)
{
    const lease_sent_t *sent = lease_sent_find(e, counter);

    e->state = LEASE_HOLDING;
    e->term = record->transitions;
    e->first = counter;
    e->renewals = e->counter + 1;
    e->acked_sent = 0;
    e->hurries = 0;
    e->stand_until = 0;
    e->duplicate = false;
    free(e->last_holder);
    free(e->last_seq);
    e->last_holder = host_xstrdup(e->identity);
    e->last_seq = host_xstrdup(record->seq);
    e->last_known = true;
    if (!leads_at_once(e, sent, by_watch)) {
        e->lead_from = HOST_MAX(e->lead_from, HOST_MAX(t->now + e->lease_duration, e->wait_until));
        lease_say(e, LOG_WARN,
                  "the lease did not exist: it is held for %.1f s before it is led, as another "
                  "host may not know yet that it is gone; create an empty Lease beforehand "
                  "(docs/election.md) to "
                  "avoid this wait",
                  (double) (e->lead_from - t->now) / CLOCK_S);
    }
    e->act->count(e->arg, LEASE_COUNT_ACQUIRED, e->cause);
    lease_take_record(e, t, record);
    lease_tell(e, e->identity, true);
    landed(e, t, counter);
    lease_stream_open(e, t, record->resource_version, false);
}

void lease_hold_acknowledged(lease_elector_t *e, const lease_time_t *t, uint64_t counter,
                             lease_record_t *record)
{
    lease_take_record(e, t, record);
    if (counter > e->acked)
        landed(e, t, counter);
}

/* --- losing it --- */

/* The owner's limit ends by this part of the budget before ours: what it gives up in time, and says
 * so, is not overdue. */
enum { OWNERS_HEADSTART = 8 };

void lease_fall(lease_elector_t *e, const lease_time_t *t, enum lease_end end, const char *reason)
{
    int64_t kill_limit =
        e->acked_sent + (int64_t) ((double) e->lease_duration * (1 - 2 * e->clock_skew));

    fence_close(e->fence);
    e->act->fall(e->arg);
    lease_say(e, LOG_WARN, "term %lld has ended: %s", (long long) e->term, reason);
    e->act->count(e->arg, LEASE_COUNT_ENDED, end == LEASE_END_EXPIRED ? "deadline" : "lost");
    lease_standby_enter(e);
    e->resting = true;
    e->overdue_at = HOST_MIN(t->now + e->stop_budget, kill_limit);
    e->known = false;
    e->get_at = CLOCK_NEVER;
    e->act->end(e->arg, end, e->overdue_at - e->stop_budget / OWNERS_HEADSTART, reason);
}

/* Rule 10. record (handed over, NULL: deleted) is what was seen instead of ours. */
static void lose(lease_elector_t *e, const lease_time_t *t, lease_record_t *record, bool by_watch)
{
    host_cleanup(host_freep) char *reason =
        record == NULL              ? host_xstrdup("the lease was deleted")
        : record->holder[0] == '\0' ? host_xstrdup("the lease was emptied by somebody else")
                                    : host_xprintf("the lease is held by '%s'", record->holder);

    if (record != NULL && strcmp(record->holder, e->identity) == 0) {
        free(reason);
        reason = host_xstrdup("the lease is held by another process of our name");
    }
    if (e->state == LEASE_LEADING) {
        lease_fall(e, t, LEASE_END_LOST, reason);
    } else {
        lease_say(e, LOG_WARN, "not leading: %s", reason);
        e->act->count(e->arg, LEASE_COUNT_ENDED, "lost");
        lease_standby_enter(e);
    }
    if (record != NULL)
        lease_standby_seen(e, t, record, by_watch);
    else
        lease_standby_absent(e, t, by_watch);
}

void lease_hold_seen(lease_elector_t *e, const lease_time_t *t, lease_record_t *record,
                     bool by_watch)
{
    uint64_t own = record != NULL ? lease_record_own(record, e->identity, e->instance) : 0;

    if (own == 0 || strcmp(record->uid, e->record->uid) != 0) {
        lose(e, t, record, by_watch);
        return;
    }
    bool changed = strcmp(record->resource_version, e->record->resource_version) != 0;
    bool news = own > e->acked && own >= e->first && record->duration == e->lease_duration;

    lease_take_record(e, t, record);
    if (news)
        landed(e, t, own);
    else if (!by_watch)
        e->write_at = lease_hurry(e, t); /* somebody annotated it (rule 8) */
    else if (changed && e->write_at != CLOCK_NEVER)
        e->write_at = HOST_MIN(e->write_at, e->acked_sent + e->retry_period / 2);
}

/* --- what is due --- */

int64_t lease_hold_settle(lease_elector_t *e, const lease_time_t *t)
{
    int64_t next = e->state == LEASE_LEADING ? e->deadline : CLOCK_NEVER;

    if (e->write_at <= t->now) {
        if (!lease_owner_alive(e, t))
            return HOST_MIN(next, t->now + e->retry_period / 4);
        lease_write(e, t, LEASE_KIND_RENEW, false);
    }
    /* The watch owes us the event of a renewal that was acknowledged. */
    if (e->watching && e->acked_at > e->heard_at) {
        lease_stream_renew(e, t);
        next = HOST_MIN(next, HOST_MAX(lease_stream_silent_at(e), t->now + e->retry_period));
    }
    return HOST_MIN(next, e->write_at);
}
