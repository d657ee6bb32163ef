/* SPDX-License-Identifier: Apache-2.0 */
/* The elector's requests: what is sent, what is remembered of it, what an answer means. */
#include "lease/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- what is under way --- */

void lease_pending_fini(lease_pending_t *p)
{
    free(p->uid);
    free(p->version);
    *p = (lease_pending_t){0};
}

static lease_pending_t *pending_free_slot(lease_elector_t *e)
{
    for (size_t i = 0; i < LEASE_MAX_PENDING; i++) {
        if (e->pending[i].id == 0)
            return &e->pending[i];
    }
    return NULL;
}

static lease_pending_t *pending_find(lease_elector_t *e, uint64_t id)
{
    for (size_t i = 0; i < LEASE_MAX_PENDING; i++) {
        if (id != 0 && e->pending[i].id == id)
            return &e->pending[i];
    }
    return NULL;
}

/* Rule 9: a try that went unanswered for a retry period is left with its connection, unless one
 * sent after it was answered. */
static bool needs_fresh(const lease_elector_t *e, const lease_time_t *t)
{
    for (size_t i = 0; i < LEASE_MAX_PENDING; i++) {
        const lease_pending_t *p = &e->pending[i];

        if (p->id != 0 && p->sent_at > e->answered && t->now - p->sent_at >= e->retry_period)
            return true;
    }
    return e->fresh;
}

/* An answer may come up to the deadline and still tell which write landed. The limit keeps the
 * number of requests under way small when the retry period is a tiny part of the deadline. */
static int64_t request_timeout(const lease_elector_t *e)
{
    return HOST_MIN(e->renew_deadline, 16 * e->retry_period);
}

static lease_pending_t *pending_add(lease_elector_t *e, const lease_time_t *t, enum lease_verb verb,
                                    enum lease_kind kind)
{
    lease_pending_t *p = pending_free_slot(e);

    if (p == NULL)
        return NULL;
    *p = (lease_pending_t){
        .id = ++e->last_id, .verb = verb, .kind = kind, .sent_at = t->now, .view = e->view};
    if (verb == LEASE_UPDATE) {
        p->uid = host_xstrdup(e->record->uid);
        p->version = host_xstrdup(e->record->resource_version);
    }
    return p;
}

static void pending_send(lease_elector_t *e, const lease_time_t *t, const lease_pending_t *p,
                         const buf_t *body)
{
    bool fresh = needs_fresh(e, t);

    e->act->send(e->arg, &(lease_send_t){.id = p->id,
                                         .verb = p->verb,
                                         .body = body != NULL ? buf_text(body) : NULL,
                                         .len = body != NULL ? body->len : 0,
                                         .timeout = request_timeout(e),
                                         .fresh = fresh});
}

/* --- own writes --- */

const lease_sent_t *lease_sent_find(const lease_elector_t *e, uint64_t counter)
{
    const lease_sent_t *s = &e->sent[counter % LEASE_MAX_SENT];

    return counter != 0 && s->counter == counter ? s : NULL;
}

/* Rule 7. */
static int64_t next_term(const lease_elector_t *e)
{
    return e->max_term + 1; /* max_term counts the record's transitions too */
}

static int format_write(const lease_elector_t *e, const lease_time_t *t, enum lease_kind kind,
                        bool leads_at_once, int64_t transitions, buf_t *out)
{
    bool release = kind == LEASE_KIND_RELEASE;
    bool waits = t->now < e->lead_from || (kind == LEASE_KIND_ACQUIRE && !leads_at_once);
    host_cleanup(host_freep) char *seq =
        host_xprintf("%" PRIu64 "/%s/%s", e->counter, e->instance, e->identity);

    return lease_record_format(e->record,
                               &(lease_write_t){.namespace = e->namespace,
                                                .name = e->name,
                                                .holder = release ? "" : e->identity,
                                                .seq = seq,
                                                .duration = release ? CLOCK_S : e->lease_duration,
                                                .transitions = transitions,
                                                .wall = t->wall,
                                                .acquire = kind == LEASE_KIND_ACQUIRE,
                                                .release = release,
                                                .holding = !release && waits},
                               out);
}

void lease_write(lease_elector_t *e, const lease_time_t *t, enum lease_kind kind,
                 bool leads_at_once)
{
    host_cleanup(buf_fini) buf_t body = BUF_INIT;
    int64_t transitions = kind == LEASE_KIND_ACQUIRE ? next_term(e) : e->term;

    e->write_at = t->now + e->retry_period;
    if (pending_free_slot(e) == NULL)
        return;
    e->counter++;
    if (format_write(e, t, kind, leads_at_once, transitions, &body) < 0) {
        lease_say(e, LOG_ERROR, "lease: out of memory");
        return;
    }
    e->sent[e->counter % LEASE_MAX_SENT] = (lease_sent_t){.counter = e->counter,
                                                          .at = t->now,
                                                          .kind = kind,
                                                          .leads_at_once = leads_at_once,
                                                          .creates = e->record == NULL,
                                                          .view = e->view};
    lease_pending_t *p = pending_add(e, t, e->record != NULL ? LEASE_UPDATE : LEASE_CREATE, kind);

    p->counter = e->counter;
    pending_send(e, t, p, &body);
}

void lease_delete(lease_elector_t *e, const lease_time_t *t)
{
    host_cleanup(buf_fini) buf_t body = BUF_INIT;
    lease_pending_t *p = pending_add(e, t, LEASE_DELETE, LEASE_KIND_READ);

    e->write_at = t->now + e->retry_period;
    if (p == NULL)
        return;
    buf_puts(&body,
             "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":");
    buf_json_string(&body, e->record->uid, strlen(e->record->uid));
    buf_puts(&body, ",\"resourceVersion\":");
    buf_json_string(&body, e->record->resource_version, strlen(e->record->resource_version));
    buf_puts(&body, "}}");
    pending_send(e, t, p, &body);
}

/* --- asking --- */

int64_t lease_hurry(lease_elector_t *e, const lease_time_t *t)
{
    return e->hurries++ < 4 ? t->now : t->now + e->retry_period / 8;
}

void lease_ask(lease_elector_t *e, const lease_time_t *t)
{
    e->get_at = lease_hurry(e, t);
}

int64_t lease_request_settle(lease_elector_t *e, const lease_time_t *t)
{
    if (e->get_at <= t->now) {
        lease_pending_t *p = pending_add(e, t, LEASE_GET, LEASE_KIND_READ);

        e->get_at = t->now + e->retry_period; /* for the case that no answer comes */
        e->asked_at = t->now;
        e->look_jitter = e->act->random(e->arg, e->retry_period / 5);
        if (p != NULL)
            pending_send(e, t, p, NULL);
    }
    return e->get_at;
}

/* --- answers --- */

static const char *failure_cause(int status)
{
    switch (status) {
    case 0:
        return "no-answer";
    case 200:
    case 201:
        return "not-as-sent";
    case 401:
        return "unauthorized";
    case 403:
        return "forbidden";
    case 409:
        return "conflict";
    case 429:
        return "throttled";
    default:
        return status >= 500 ? "server-error" : "refused";
    }
}

void lease_request_fine(lease_elector_t *e)
{
    if (e->trouble != NULL)
        lease_say(e, LOG_INFO, "the API server answers for the lease again");
    free(host_steal(e->trouble));
    e->refused = false;
}

/* Rule 8: the outcome is unknown; tried again after a retry period, or when the server says, but
 * before the deadline. */
static int64_t retry_time(const lease_elector_t *e, const lease_time_t *t, const lease_pending_t *p,
                          const lease_reply_t *reply)
{
    int64_t regular = p->sent_at + e->retry_period;
    int64_t told = t->now + HOST_MIN(reply->retry_after, 60 * CLOCK_S);

    if (e->state == LEASE_LEADING || e->state == LEASE_RELEASING)
        told = HOST_MIN(told, e->deadline - e->retry_period);
    else
        regular += e->act->random(e->arg, e->retry_period / 5);
    return HOST_MAX(HOST_MAX(regular, told), t->now);
}

/* The refusal of a write speaks of the Lease as it was when that was sent. */
static void tell_trouble(lease_elector_t *e, const lease_pending_t *p, const lease_reply_t *reply)
{
    static const char *const verbs[] = {"get", "create", "update", "delete"};
    bool refused = p->verb != LEASE_GET && reply->status >= 400 && reply->status < 500 &&
                   reply->status != 408 && reply->status != 429;

    if (refused && p->view != e->view)
        return;
    char *text = host_xprintf(
        "%s lease: %s", verbs[p->verb],
        reply->text != NULL && reply->text[0] != '\0' ? reply->text : failure_cause(reply->status));

    lease_say(e, e->trouble != NULL ? LOG_DEBUG : LOG_WARN, "%s", text);
    free(e->trouble);
    e->trouble = text;
    e->refused = refused;
}

static void trouble(lease_elector_t *e, const lease_time_t *t, const lease_pending_t *p,
                    const lease_reply_t *reply)
{
    tell_trouble(e, p, reply);
    if (p->kind == LEASE_KIND_RENEW)
        e->act->count(e->arg, LEASE_COUNT_RENEW_FAILURE, failure_cause(reply->status));
    if (p->verb == LEASE_GET)
        e->get_at = retry_time(e, t, p, reply);
    else if (p->counter == e->counter && e->write_at != CLOCK_NEVER)
        e->write_at = retry_time(e, t, p, reply);
}

/* Hands what was read to the state. record NULL: the Lease is absent. */
static void seen(lease_elector_t *e, const lease_time_t *t, lease_record_t *record)
{
    switch (e->state) {
    case LEASE_STANDBY:
        if (record != NULL)
            lease_standby_seen(e, t, record, false);
        else
            lease_standby_absent(e, t, false);
        break;
    case LEASE_RELEASING:
        lease_release_seen(e, t, record, false);
        break;
    default:
        lease_hold_seen(e, t, record, false);
        break;
    }
}

static bool says_absent(const lease_elector_t *e, const lease_reply_t *reply)
{
    return reply->status == 404 && reply->missing != NULL && strcmp(reply->missing, e->name) == 0;
}

/* record is handed over. */
static void got(lease_elector_t *e, const lease_time_t *t, const lease_pending_t *p,
                const lease_reply_t *reply, lease_record_t *record)
{
    bool absent = says_absent(e, reply);

    if (!absent && (reply->status != 200 || record == NULL)) {
        lease_record_destroy(record);
        trouble(e, t, p, reply);
        return;
    }
    if (!e->refused)
        lease_request_fine(e);
    /* What was learnt since the question is newer, unless the answer's version says otherwise. */
    if (p->view != e->view &&
        (record == NULL || e->record == NULL ||
         lease_version_compare(record->resource_version, e->record->resource_version) < 0)) {
        lease_record_destroy(record);
        if (e->get_at != CLOCK_NEVER)
            lease_ask(e, t);
        return;
    }
    e->get_at = CLOCK_NEVER;
    seen(e, t, record);
}

/* Rule 3. */
static bool acknowledges(const lease_elector_t *e, const lease_pending_t *p,
                         const lease_reply_t *reply, const lease_record_t *r)
{
    lease_seq_t seq;
    bool release = p->kind == LEASE_KIND_RELEASE;

    if (r == NULL || reply->status != (p->verb == LEASE_CREATE ? 201 : 200))
        return false;
    if (p->verb == LEASE_UPDATE &&
        (strcmp(r->uid, p->uid) != 0 || strcmp(r->resource_version, p->version) == 0))
        return false;
    return strcmp(r->holder, release ? "" : e->identity) == 0 &&
           r->duration == (release ? CLOCK_S : e->lease_duration) &&
           lease_seq_parse(r->seq, &seq) && seq.counter == p->counter &&
           strcmp(seq.instance, e->instance) == 0 && strcmp(seq.name, e->identity) == 0;
}

/* The watch has told of what came after. */
static bool is_overtaken(lease_elector_t *e, const lease_record_t *record)
{
    if (e->record != NULL)
        return lease_version_compare(record->resource_version, e->record->resource_version) < 0;
    e->known = e->known && !e->absent; /* deleted before or after this? ask */
    return e->absent;
}

/* record is handed over. A create that is to be led at once is acknowledged by the watch alone:
 * only its order of events proves that nobody else came and went before it arrived (rule 6). */
static void acknowledged(lease_elector_t *e, const lease_time_t *t, const lease_pending_t *p,
                         lease_record_t *record)
{
    lease_request_fine(e);
    if (p->kind == LEASE_KIND_RENEW)
        e->act->renewed(e->arg, t->now - p->sent_at);
    const lease_sent_t *sent = lease_sent_find(e, p->counter);
    bool watch_tells = e->state == LEASE_STANDBY && sent != NULL && sent->creates &&
                       sent->leads_at_once && p->view == e->view;

    if (watch_tells || (p->view != e->view && is_overtaken(e, record))) {
        lease_record_destroy(record);
        return;
    }
    switch (e->state) {
    case LEASE_STANDBY:
        lease_standby_seen(e, t, record, false);
        break;
    case LEASE_RELEASING:
        if (p->kind == LEASE_KIND_RELEASE)
            lease_release_seen(e, t, record, false);
        else
            lease_record_destroy(record);
        break;
    default:
        lease_hold_acknowledged(e, t, p->counter, record);
        break;
    }
}

/* Rule 8: somebody else wrote, or an earlier write of ours landed. Asking tells. */
static void conflict(lease_elector_t *e, const lease_time_t *t, const lease_pending_t *p)
{
    const char *version = e->record != NULL ? e->record->resource_version : "";

    if (strcmp(p->version != NULL ? p->version : "", version) != 0) {
        if (p->counter == e->counter && e->write_at != CLOCK_NEVER)
            e->write_at = lease_hurry(e, t); /* the watch has told more by now */
        return;
    }
    if (e->state == LEASE_STANDBY) {
        e->known = false;
    } else {
        e->act->count(e->arg, LEASE_COUNT_SLOW_PATH, failure_cause(409));
        if (p->kind == LEASE_KIND_RENEW)
            e->act->count(e->arg, LEASE_COUNT_RENEW_FAILURE, failure_cause(409));
        e->write_at = CLOCK_NEVER;
    }
    lease_ask(e, t);
}

/* The object that an own PUT should have changed is gone: the answer says so itself, or the PUT
 * made a new one (rule 2; only a server that ignores the uid does that). */
static void gone(lease_elector_t *e, const lease_time_t *t, const lease_pending_t *p,
                 bool made_anew)
{
    if (made_anew)
        e->lead_from = HOST_MAX(e->lead_from, t->now + e->lease_duration);
    if (e->state == LEASE_STANDBY) {
        e->fallen = e->counter;
        e->known = false;
        lease_ask(e, t);
    } else if (p->counter >= e->first) {
        seen(e, t, NULL);
        e->known = false;
    }
}

/* record is handed over. */
static void written(lease_elector_t *e, const lease_time_t *t, const lease_pending_t *p,
                    const lease_reply_t *reply, lease_record_t *record)
{
    if (acknowledges(e, p, reply, record)) {
        acknowledged(e, t, p, record);
        return;
    }
    lease_record_destroy(record);
    if (reply->status == 409)
        conflict(e, t, p);
    else if (p->verb == LEASE_UPDATE && (reply->status == 201 || says_absent(e, reply)))
        gone(e, t, p, reply->status == 201);
    else
        trouble(e, t, p, reply);
}

void lease_request_answered(lease_elector_t *e, const lease_time_t *t, const lease_reply_t *reply)
{
    lease_pending_t *slot = pending_find(e, reply->id);

    if (slot == NULL) {
        lease_record_destroy(reply->record);
        return;
    }
    lease_pending_t p = *slot;

    *slot = (lease_pending_t){0};
    if (p.sent_at >= e->answered)
        e->fresh = reply->status == 0 || reply->status == 401 || reply->status >= 500;
    if (reply->status != 0)
        e->answered = HOST_MAX(e->answered, p.sent_at);
    switch (p.verb) {
    case LEASE_GET:
        got(e, t, &p, reply, reply->record);
        break;
    case LEASE_DELETE:
        lease_record_destroy(reply->record);
        e->known = false;
        lease_ask(e, t);
        break;
    default:
        written(e, t, &p, reply, reply->record);
        break;
    }
    lease_pending_fini(&p);
}
