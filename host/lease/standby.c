/* SPDX-License-Identifier: Apache-2.0 */
/* Standing by: what is seen of the Lease, how long to wait, when to stand. */
#include "lease/state.h"

#include <string.h>

/* Spreads the candidates that see a lease end at the same time. */
#define MAX_JITTER (10 * CLOCK_MS)
#define LONG_WAIT 4 /* times our own duration: somebody should know */

void lease_standby_enter(lease_elector_t *e)
{
    e->state = LEASE_STANDBY;
    e->fallen = e->counter;
    if (e->fence != NULL) { /* a term was on */
        e->led_first = e->first;
        e->led_renewals = e->renewals;
        e->led_last = e->counter;
    }
    e->write_at = 0;
    if (e->acked != 0)
        e->wait_until = HOST_MAX(e->wait_until, e->acked_sent + e->lease_duration);
    e->acked = 0;
    e->first = 0;
    fence_unref(e->fence);
    e->fence = NULL;
}

/* Held by this process, or by the dead one that it continues (rule 17; not when that one had still
 * to wait before it could lead). */
static bool is_own(const lease_elector_t *e, const lease_record_t *r)
{
    if (lease_record_own(r, e->identity, e->instance) != 0)
        return true;
    return e->previous[0] != '\0' && !r->holding &&
           lease_record_own(r, e->identity, e->previous) != 0;
}

/* Rule 10. Held by us since we led: each renewal of the last term was an update of the one before, so
 * that nobody else can have come between. A create may land late on a Lease that was deleted, whoever
 * has held it in the meantime, and so tells nothing, unless it is the one that began the term. */
static bool may_resume(const lease_elector_t *e, const lease_record_t *r)
{
    const uint64_t own = lease_record_own(r, e->identity, e->instance);

    if (own == 0)
        return is_own(e, r); /* of the one that we continue */
    return own == e->led_first || (own >= e->led_renewals && own <= e->led_last);
}

static bool names_holder(const lease_record_t *r)
{
    lease_seq_t seq;

    return lease_seq_parse(r->seq, &seq) && strcmp(seq.name, r->holder) == 0;
}

/* Each write of a Leasehold has a seq: a record that has one was held. */
static bool was_never_held(const lease_record_t *r)
{
    return r->holder[0] == '\0' && !r->was_held && r->seq[0] == '\0';
}

/* Rule 5. */
static bool empty_is_believed(const lease_elector_t *e, const lease_record_t *r)
{
    if (r->released || was_never_held(r))
        return true;
    if (e->last_holder[0] == '\0')
        return r->seq[0] == '\0'; /* no Leasehold has ever written it */
    return !e->last_known && strcmp(e->last_seq, r->seq) == 0;
}

static bool is_free(const lease_elector_t *e, const lease_record_t *r)
{
    return r->holder[0] == '\0' && empty_is_believed(e, r);
}

/* --- what is seen --- */

static bool is_sign_of_life(const lease_elector_t *e, const lease_record_t *r)
{
    return e->record == NULL || strcmp(e->record->uid, r->uid) != 0 ||
           strcmp(e->record->spec, r->spec) != 0 || strcmp(e->record->seq, r->seq) != 0;
}

/* Rule 1: one that names us but is not ours, and moves. */
static void watch_for_duplicate(lease_elector_t *e, const lease_record_t *r)
{
    bool names_us = strcmp(r->holder, e->identity) == 0 && !is_own(e, r);
    bool named_us =
        e->record != NULL && strcmp(e->record->holder, e->identity) == 0 && !is_own(e, e->record);

    if (!names_us) {
        e->duplicate = false;
    } else if (named_us && !e->duplicate) {
        e->duplicate = true;
        e->act->count(e->arg, LEASE_COUNT_DUPLICATE, "");
        lease_say(e, LOG_ERROR,
                  "another live process uses the name '%s': every replica needs its own",
                  e->identity);
    }
}

/* r shows a write of a Leasehold that we have not seen under its own name. */
static bool was_taken_unseen(const lease_elector_t *e, const lease_record_t *r)
{
    lease_seq_t seq;
    bool seen = e->record != NULL && strcmp(e->record->uid, r->uid) == 0 &&
                strcmp(e->record->seq, r->seq) == 0;

    return !seen && !r->let_go && !names_holder(r) && lease_seq_parse(r->seq, &seq);
}

/* An edit by mistake can keep everybody out for years, and nothing that is written takes it back. */
static void warn_of_long_wait(lease_elector_t *e, const lease_record_t *r)
{
    const bool told = e->record != NULL && e->record->duration == r->duration;

    if (told || is_own(e, r) || r->duration <= LONG_WAIT * e->lease_duration)
        return;
    lease_say(
        e, LOG_WARN,
        "the lease states %lld s for '%s': not leading for that long, whatever it says later; if "
        "that is a mistake, mend the lease and restart all replicas",
        (long long) (r->duration / CLOCK_S), r->holder);
}

/* Rule 4: from now on for the duration that it states, and never less than was seen before. What
 * somebody else has written into the record of a Leasehold says nothing of how long that one leads. */
static void note_sight(lease_elector_t *e, const lease_time_t *t, const lease_record_t *r)
{
    int64_t duration = r->duration != 0 ? r->duration : e->lease_duration;
    int64_t safe = t->now + HOST_MAX(duration, e->lease_duration);

    e->sight = t->now;
    e->hurries = 0;
    warn_of_long_wait(e, r);
    if (r->holder[0] != '\0') {
        if (strcmp(r->holder, e->last_holder) != 0)
            e->earlier_until = e->wait_until;
        if (was_taken_unseen(e, r))
            e->wait_until = e->earlier_until = HOST_MAX(e->wait_until, safe);
        e->wait_until = HOST_MAX(e->wait_until, names_holder(r) ? safe : t->now + duration);
        if (!is_own(e, r))
            e->others_until = e->wait_until;
        free(e->last_holder);
        free(e->last_seq);
        e->last_holder = host_xstrdup(r->holder);
        e->last_seq = host_xstrdup(r->seq);
        e->last_known = names_holder(r);
    } else if (!empty_is_believed(e, r)) {
        e->wait_until = HOST_MAX(e->wait_until, safe);
        e->others_until = e->earlier_until = e->wait_until;
    }
    if (r->released) /* whoever held it had waited for those before */
        e->wait_until = e->others_until = e->earlier_until = t->now;
    if (r->holder[0] != '\0' && strcmp(r->holder, e->identity) != 0)
        e->stand_until = 0;
}

/* An acquisition of this standing whose reply was lost, or comes later than the event. */
static bool is_landed_acquisition(const lease_elector_t *e, const lease_record_t *r)
{
    uint64_t own = lease_record_own(r, e->identity, e->instance);
    const lease_sent_t *sent = lease_sent_find(e, own);

    return own > e->fallen && r->duration == e->lease_duration &&
           (sent == NULL || sent->kind == LEASE_KIND_ACQUIRE);
}

void lease_standby_seen(lease_elector_t *e, const lease_time_t *t, lease_record_t *record,
                        bool by_watch)
{
    e->get_at = CLOCK_NEVER;
    if (is_landed_acquisition(e, record)) {
        lease_hold(e, t, lease_record_own(record, e->identity, e->instance), record, by_watch);
        return;
    }
    bool alive = is_sign_of_life(e, record);

    if (alive) {
        watch_for_duplicate(e, record);
        note_sight(e, t, record);
    }
    lease_take_record(e, t, record);
    e->jitter = e->act->random(e->arg, MAX_JITTER + 1);
    lease_tell(e, record->holder, false);
    if (alive && !by_watch && e->watching)
        lease_stream_renew(e, t);
}

void lease_standby_absent(lease_elector_t *e, const lease_time_t *t, bool by_watch)
{
    bool was = e->absent;

    e->get_at = CLOCK_NEVER;
    e->known = true;
    if (was)
        return;
    lease_record_destroy(e->record);
    e->record = NULL;
    e->view++;
    e->absent = true;
    e->vanished = by_watch;
    e->known_at = t->now;
    e->sight = 0;
    e->duplicate = false;
    if (e->max_term >= LEASE_MAX_TERM)
        e->max_term = -1; /* the numbers start again with the next uid (rule 7) */
    e->jitter = e->act->random(e->arg, MAX_JITTER + 1);
    lease_tell(e, "", false);
    if (!by_watch && e->watching)
        lease_stream_close(e);
}

/* --- standing --- */

/* Rule 6: nobody can have held it unseen, and whoever was seen has run out. */
static bool absence_is_proved(const lease_elector_t *e)
{
    return e->vanished && e->watching;
}

/* When the leases that were seen no longer stand in our way. */
static int64_t leases_end(const lease_elector_t *e)
{
    if (e->absent)
        return absence_is_proved(e) ? e->wait_until : 0;
    if (may_resume(e, e->record))
        return e->others_until; /* somebody else may have been put in between */
    if (was_never_held(e->record))
        return e->others_until; /* but another one was, which somebody has deleted */
    if (is_free(e, e->record))
        return e->earlier_until; /* whoever let go speaks for itself alone */
    return e->wait_until;
}

int64_t lease_wait_until(const lease_elector_t *e)
{
    if (e->state == LEASE_HOLDING)
        return e->lead_from;
    if (e->state != LEASE_STANDBY)
        return 0;
    return e->record != NULL ? leases_end(e) : e->wait_until; /* a create is held for as long */
}

/* When to stand; CLOCK_NEVER: not before something else happens. */
static int64_t stand_at(const lease_elector_t *e)
{
    if (e->resting || !e->known)
        return CLOCK_NEVER;
    int64_t at = HOST_MAX(e->known_at, HOST_MAX(e->stand_until, e->write_at));
    return HOST_MAX(at, leases_end(e)) + e->jitter;
}

static void stand(lease_elector_t *e, const lease_time_t *t)
{
    const lease_record_t *r = e->record;

    if (e->absent) {
        e->cause = "created";
        lease_write(e, t, LEASE_KIND_ACQUIRE, absence_is_proved(e));
        return;
    }
    if (e->max_term >= LEASE_MAX_TERM) {
        lease_say(e, LOG_WARN, "the lease has used up its terms: it is deleted and created anew");
        lease_delete(e, t);
        return;
    }
    e->cause = may_resume(e, r) ? "resumed" : is_free(e, r) ? "released" : "expired";
    lease_write(e, t, LEASE_KIND_ACQUIRE, true);
}

/* When to ask although nothing is in doubt; CLOCK_NEVER: the watch will tell. */
static int64_t look_at(const lease_elector_t *e, const lease_time_t *t)
{
    const lease_record_t *r = e->record;
    int64_t next = e->asked_at + e->retry_period;

    if (e->polling || (e->absent && !e->vanished))
        return next + e->look_jitter;
    if (r != NULL && r->holder[0] != '\0' && !may_resume(e, r) && t->now < e->wait_until)
        return HOST_MAX(next, lease_stream_silent_at(e));
    return CLOCK_NEVER;
}

int64_t lease_standby_settle(lease_elector_t *e, const lease_time_t *t)
{
    int64_t due = stand_at(e);

    if (!e->known) {
        if (!e->resting && e->get_at == CLOCK_NEVER)
            e->get_at = t->now;
        return CLOCK_NEVER;
    }
    if (due <= t->now) {
        if (!lease_owner_alive(e, t))
            return t->now + e->retry_period / 2;
        stand(e, t);
        return e->write_at;
    }
    if (e->resting || e->get_at != CLOCK_NEVER)
        return due;
    int64_t look = look_at(e, t);

    if (look > t->now)
        return HOST_MIN(due, look);
    e->get_at = t->now;
    return due;
}
