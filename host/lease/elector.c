/* SPDX-License-Identifier: Apache-2.0 */
#include "lease/elector.h"

#include "lease/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- create and destroy --- */

lease_elector_t *lease_elector_create(const lease_elector_options_t *o)
{
    lease_elector_t *e = host_xcalloc(1, sizeof(*e));

    assert(lease_is_instance(o->instance));
    e->namespace = host_xstrdup(o->namespace);
    e->name = host_xstrdup(o->name);
    e->identity = host_xstrdup(o->identity);
    memcpy(e->instance, o->instance, sizeof(e->instance));
    if (lease_is_instance(o->previous))
        memcpy(e->previous, o->previous, sizeof(e->previous));
    e->lease_duration = o->lease_duration;
    e->renew_deadline = o->renew_deadline;
    e->retry_period = o->retry_period;
    e->stop_budget = o->stop_budget;
    e->clock_skew = o->clock_skew;
    e->act = o->actions;
    e->arg = o->arg;
    e->max_term = -1;
    e->last_holder = host_xstrdup("");
    e->last_seq = host_xstrdup("");
    e->told_holder = host_xstrdup("");
    e->get_at = CLOCK_NEVER;
    e->overdue_at = CLOCK_NEVER;
    lease_standby_enter(e);
    return e;
}

void lease_elector_destroy(lease_elector_t *e)
{
    if (e == NULL)
        return;
    if (e->fence != NULL)
        fence_close(e->fence);
    fence_unref(e->fence);
    for (size_t i = 0; i < LEASE_MAX_PENDING; i++)
        lease_pending_fini(&e->pending[i]);
    lease_record_destroy(e->record);
    free(e->stream_version);
    free(e->last_holder);
    free(e->last_seq);
    free(e->told_holder);
    free(e->trouble);
    free(e->namespace);
    free(e->name);
    free(e->identity);
    free(e);
}

/* --- for all files --- */

void lease_say(lease_elector_t *e, enum log_level level, const char *fmt, ...)
{
    char text[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    e->act->say(e->arg, level, text);
}

void lease_tell(lease_elector_t *e, const char *holder, bool mine)
{
    if (e->told && e->told_mine == mine && strcmp(e->told_holder, holder) == 0)
        return;
    free(e->told_holder);
    e->told_holder = host_xstrdup(holder);
    e->told_mine = mine;
    e->told = true;
    e->act->observed(e->arg, holder, mine);
}

void lease_take_record(lease_elector_t *e, const lease_time_t *t, lease_record_t *record)
{
    if (e->record == NULL || strcmp(e->record->resource_version, record->resource_version) != 0) {
        e->view++;
        lease_request_fine(e); /* what failed belongs to another state of the Lease */
    }
    lease_record_destroy(e->record);
    e->record = record;
    e->max_term = HOST_MAX(e->max_term, record->transitions);
    e->known = true;
    e->known_at = t->now;
    e->absent = false;
    e->vanished = false;
}

bool lease_owner_alive(lease_elector_t *e, const lease_time_t *t)
{
    int64_t limit = HOST_MAX(2 * CLOCK_S, e->renew_deadline / 2);
    bool alive = t->beat == CLOCK_NEVER || t->now - t->beat <= limit;

    if (!alive && !e->idle_owner)
        lease_say(e, LOG_ERROR, "the main loop has not turned for %.1f s: the lease is not renewed",
                  (double) (t->now - t->beat) / CLOCK_S);
    if (alive && e->idle_owner)
        lease_say(e, LOG_INFO, "the main loop turns again");
    e->idle_owner = !alive;
    return alive;
}

/* --- what comes before and after every input --- */

/* Rule 15: the machine may have been away for a time that BOOTTIME does not know of. */
static void check_clocks(lease_elector_t *e, const lease_time_t *t)
{
    int64_t offset = t->wall - t->now;
    int64_t ahead = offset - e->offset;

    e->offset = offset;
    if (ahead > CLOCK_S)
        e->trust_from = e->counter + 1;
    if (e->state == LEASE_LEADING) {
        if (ahead > CLOCK_S) {
            fence_suspend(e->fence); /* first: a log may block */
            e->write_at = t->now;
        }
        fence_set_offset(e->fence, offset);
    }
    if (ahead <= CLOCK_S)
        return;
    lease_say(e, LOG_WARN, "the wall clock ran ahead by %.1f s%s", (double) ahead / CLOCK_S,
              e->state == LEASE_LEADING ? ": writes wait until a renewal is acknowledged" : "");
}

static void enter(lease_elector_t *e, const lease_time_t *t)
{
    check_clocks(e, t);
    if (e->state == LEASE_LEADING && t->now >= e->deadline)
        lease_fall(e, t, LEASE_END_EXPIRED, "no renewal was acknowledged in time");
    if (t->now >= e->overdue_at) {
        e->overdue_at = CLOCK_NEVER;
        e->act->overdue(e->arg);
    }
}

/* Does what is due and asks to be woken for what is next. */
static void settle(lease_elector_t *e, const lease_time_t *t)
{
    int64_t next;

    switch (e->state) {
    case LEASE_STANDBY:
        next = lease_standby_settle(e, t);
        break;
    case LEASE_RELEASING:
        next = lease_release_settle(e, t);
        break;
    default:
        next = lease_hold_settle(e, t);
        break;
    }
    next = HOST_MIN(next, lease_request_settle(e, t));
    next = HOST_MIN(next, lease_stream_settle(e, t));
    next = HOST_MIN(next, e->overdue_at);
    e->act->wake(e->arg, HOST_MAX(next, t->now + CLOCK_MS));
}

/* --- inputs --- */

void lease_elector_start(lease_elector_t *e, const lease_time_t *t)
{
    e->offset = t->wall - t->now;
    settle(e, t);
}

void lease_elector_tick(lease_elector_t *e, const lease_time_t *t)
{
    enter(e, t);
    settle(e, t);
}

void lease_elector_reply(lease_elector_t *e, const lease_time_t *t, const lease_reply_t *reply)
{
    enter(e, t);
    lease_request_answered(e, t, reply);
    settle(e, t);
}

/* A record or a deletion, from the stream that began with what is known. An older one than is
 * known by now is no news. */
static void watched(lease_elector_t *e, const lease_time_t *t, lease_record_t *record, bool deleted)
{
    if (e->record != NULL &&
        lease_version_compare(record->resource_version, e->record->resource_version) < 0) {
        lease_record_destroy(record);
        return;
    }
    if (deleted) {
        lease_record_destroy(record);
        record = NULL;
    }
    switch (e->state) {
    case LEASE_STANDBY:
        if (record != NULL)
            lease_standby_seen(e, t, record, true);
        else
            lease_standby_absent(e, t, true);
        break;
    case LEASE_RELEASING:
        lease_release_seen(e, t, record, true);
        break;
    default:
        lease_hold_seen(e, t, record, true);
        break;
    }
}

void lease_elector_event(lease_elector_t *e, const lease_time_t *t, enum lease_event event,
                         lease_record_t *record, const char *version)
{
    enter(e, t);
    e->heard_at = t->now;
    e->watch_failed = false;
    free(e->stream_version);
    e->stream_version = host_xstrdup(record != NULL ? record->resource_version : version);
    if (record != NULL)
        watched(e, t, record, event == LEASE_EVENT_DELETED);
    settle(e, t);
}

void lease_elector_watch_ended(lease_elector_t *e, const lease_time_t *t, int status,
                               int64_t retry_after, const char *text)
{
    enter(e, t);
    lease_stream_ended(e, t, status, retry_after, text);
    settle(e, t);
}

void lease_elector_release(lease_elector_t *e, const lease_time_t *t, bool clean, bool stand_back)
{
    enter(e, t);
    if (e->state == LEASE_LEADING)
        lease_release_begin(e, t, clean, stand_back);
    settle(e, t);
}

void lease_elector_stand_back(lease_elector_t *e, const lease_time_t *t)
{
    const bool other = e->record != NULL && e->record->holder[0] != '\0' &&
                       lease_record_own(e->record, e->identity, e->instance) == 0;

    enter(e, t);
    if (e->state == LEASE_STANDBY && !other)
        e->stand_until = t->now + e->lease_duration;
    settle(e, t);
}

void lease_elector_outnumbered(lease_elector_t *e, const lease_time_t *t, uint64_t term,
                               int64_t seen)
{
    char reason[64];

    enter(e, t);
    if (e->state == LEASE_LEADING && (uint64_t) e->term == term) {
        snprintf(reason, sizeof(reason), "the Fence has term %lld already", (long long) seen);
        e->max_term = HOST_MAX(e->max_term, seen);
        lease_fall(e, t, LEASE_END_LOST, reason);
    }
    settle(e, t);
}

void lease_elector_rested(lease_elector_t *e, const lease_time_t *t)
{
    e->resting = false;
    e->overdue_at = CLOCK_NEVER;
    enter(e, t);
    settle(e, t);
}

/* --- status --- */

void lease_elector_status(const lease_elector_t *e, lease_status_t *out)
{
    bool mine = e->state != LEASE_STANDBY;

    *out = (lease_status_t){
        .state = e->state,
        .stopping = e->fence != NULL && fence_gate_closed(e->fence),
        .observed = e->told,
        .uid = e->record != NULL ? e->record->uid : "",
        .holder = e->told_holder,
        .since = e->record != NULL ? e->record->acquired : "",
        .mine = mine,
        .duplicate = e->duplicate,
        .trouble = e->trouble != NULL ? e->trouble : "",
        .term = e->record != NULL ? e->record->transitions : 0,
        .duration = e->record != NULL ? e->record->duration : 0,
        .wait_until = lease_wait_until(e),
        .seen_at = mine ? e->acked_sent : e->sight,
        .deadline = e->state == LEASE_LEADING ? e->deadline : 0,
    };
}
