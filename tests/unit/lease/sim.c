/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include "sim_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum event_kind { ARRIVE, REPLY, FRAME, STREAM_END, WAKE, REST };

struct sim_event {
    struct sim_event *next;
    int64_t at;
    enum event_kind kind;
    sim_host_t *host;
    uint64_t id; /* of the request, the stream or the wake-up */
    enum lease_verb verb;
    char *text; /* body or answer */
    int status;
    int64_t timeout_at;
};

static void put(struct sim_event *ev, struct sim_event **list)
{
    while (*list != NULL && (*list)->at <= ev->at)
        list = &(*list)->next;
    ev->next = *list;
    *list = ev;
}

static struct sim_event *plan(sim_host_t *h, enum event_kind kind, int64_t at)
{
    struct sim_event *ev = host_xcalloc(1, sizeof(*ev));

    ev->kind = kind;
    ev->host = h;
    ev->at = at;
    return ev;
}

static void event_free(struct sim_event *ev)
{
    free(ev->text);
    free(ev);
}

lease_time_t sim_time(const sim_host_t *h)
{
    int64_t now = clock_now();

    return (lease_time_t){
        .now = now, .wall = clock_wall(), .beat = h->wedged_at != CLOCK_NEVER ? h->wedged_at : now};
}

static void append(char *to, size_t size, const char *fmt, ...) HOST_PRINTF(3, 4);
static void append(char *to, size_t size, const char *fmt, ...)
{
    size_t len = strlen(to);
    va_list args;

    va_start(args, fmt);
    vsnprintf(to + len, size - len, fmt, args);
    va_end(args);
}

static void note_op(sim_host_t *h, enum lease_verb verb, int status)
{
    static const char *const names[] = {"GET", "POST", "PUT", "DELETE"};

    append(h->ops, sizeof(h->ops), "%s%s ", h->ops[0] != '\0' ? ", " : "", names[verb]);
    if (status != 0)
        append(h->ops, sizeof(h->ops), "%d", status);
    else
        append(h->ops, sizeof(h->ops), "-");
}

const char *sim_ops(sim_host_t *h)
{
    static char text[sizeof(h->ops)];

    memcpy(text, h->ops, sizeof(text));
    h->ops[0] = '\0';
    return text;
}

/* --- actions of the elector --- */

static void on_send(void *arg, const lease_send_t *r)
{
    sim_host_t *h = arg;
    const sim_net_t *net = &h->net;
    int64_t now = clock_now();
    bool arrives = !net->cut && !net->refuse && (r->fresh || !net->old_connections_dead);

    if (r->verb == LEASE_GET)
        h->reads++;
    else
        h->writes++;
    h->fresh += r->fresh;
    h->last_timeout = r->timeout;
    struct sim_event *ev = arrives
                               ? plan(h, ARRIVE, now + SIM_LATENCY + net->request_delay)
                               : plan(h, REPLY, net->refuse ? now + SIM_LATENCY : now + r->timeout);

    ev->id = r->id;
    ev->verb = r->verb;
    ev->text = arrives && r->body != NULL ? host_xstrdup(r->body) : NULL;
    ev->timeout_at = now + r->timeout;
    put(ev, &h->sim->events);
}

static void on_watch(void *arg, const char *version, bool fresh)
{
    sim_host_t *h = arg;

    h->stream_id++;
    h->stream_open = version != NULL;
    if (version == NULL)
        return;
    h->watches++;
    h->fresh += fresh;
    h->stream_version = strtoull(version, NULL, 10);
    if (h->net.watch_status != 0 || h->net.cut || h->net.refuse) {
        struct sim_event *ev = plan(h, STREAM_END, clock_now() + 2 * SIM_LATENCY);

        ev->id = h->stream_id;
        ev->status = h->net.watch_status;
        h->stream_open = false;
        put(ev, &h->sim->events);
        return;
    }
    sim_stream_all(h->sim);
}

static void on_wake(void *arg, int64_t at)
{
    sim_host_t *h = arg;
    struct sim_event *ev = plan(h, WAKE, HOST_MAX(at, clock_now()));

    ev->id = ++h->wake_id;
    if (at == CLOCK_NEVER)
        event_free(ev);
    else
        put(ev, &h->sim->events);
}

static void on_begin(void *arg, fence_t *fence)
{
    sim_host_t *h = arg;

    fence_unref(h->fence);
    h->fence = fence;
    h->term = fence->term;
    h->begun++;
    h->begun_at = clock_now();
}

static void on_fall(void *arg)
{
    sim_host_t *h = arg;

    cr_expect(!fence_open(h->fence), "the fence is open when it falls");
    h->falls++;
    h->fell_at = clock_now();
}

static void on_end(void *arg, enum lease_end end, int64_t until, const char *reason)
{
    sim_host_t *h = arg;

    cr_expect(!fence_open(h->fence), "the fence is open when its term has ended");
    h->ends++;
    h->end = end;
    h->ended_at = clock_now();
    snprintf(h->end_reason, sizeof(h->end_reason), "%s", reason);
    if (h->teardown == SIM_LIMIT)
        put(plan(h, REST, HOST_MAX(until, clock_now()) + SIM_LATENCY), &h->sim->events);
    else if (h->teardown != CLOCK_NEVER)
        put(plan(h, REST, clock_now() + h->teardown), &h->sim->events);
}

static void on_overdue(void *arg)
{
    sim_host_t *h = arg;

    h->overdues++;
    h->overdue_at = clock_now();
}

static void on_observed(void *arg, const char *holder, bool mine)
{
    sim_host_t *h = arg;

    snprintf(h->observed, sizeof(h->observed), "%s", holder);
    h->observed_mine = mine;
    h->observations++;
}

static void on_count(void *arg, enum lease_count what, const char *cause)
{
    sim_host_t *h = arg;

    h->duplicates += what == LEASE_COUNT_DUPLICATE;
    h->slow_paths += what == LEASE_COUNT_SLOW_PATH;
    h->refused_renewals += what == LEASE_COUNT_RENEW_FAILURE;
    if (what == LEASE_COUNT_ACQUIRED || what == LEASE_COUNT_ENDED)
        append(h->transitions, sizeof(h->transitions), "%s ", cause);
}

static void on_renewed(void *arg, int64_t latency)
{
    (void) arg;
    cr_expect(latency >= 0, "a renewal took %lld ns", (long long) latency);
}

static void on_say(void *arg, enum log_level level, const char *text)
{
    static const char letters[] = "DIWE";
    sim_host_t *h = arg;

    append(h->said, sizeof(h->said), "%c %s\n", letters[level], text);
}

static int64_t on_random(void *arg, int64_t bound)
{
    sim_host_t *h = arg;

    if (h->fixed_random >= 0)
        return HOST_MIN(h->fixed_random, bound - 1);
    h->random_state = h->random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return bound > 0 ? (int64_t) ((h->random_state >> 33) % (uint64_t) bound) : 0;
}

static const lease_actions_t actions = {.send = on_send,
                                        .watch = on_watch,
                                        .wake = on_wake,
                                        .begin = on_begin,
                                        .fall = on_fall,
                                        .end = on_end,
                                        .overdue = on_overdue,
                                        .observed = on_observed,
                                        .count = on_count,
                                        .renewed = on_renewed,
                                        .say = on_say,
                                        .random = on_random};

/* --- hosts --- */

static sim_host_t *start(sim_t *s, const char *identity, const char *previous, int64_t duration,
                         int64_t deadline, int64_t period)
{
    sim_host_t *h = host_xcalloc(1, sizeof(*h));

    cr_assert(s->host_count < SIM_MAX_HOSTS);
    h->sim = s;
    h->identity = host_xstrdup(identity);
    s->hosts[s->host_count++] = h;
    snprintf(h->instance, sizeof(h->instance), "%032zx", s->host_count);
    h->wedged_at = CLOCK_NEVER;
    h->teardown = 10 * CLOCK_MS;
    h->random_state = s->host_count;
    h->net.fail_verb = -1;
    h->net.refuse = s->unreachable;
    h->backlog_tail = &h->backlog;
    h->elector = lease_elector_create(&(lease_elector_options_t){.namespace = "default",
                                                                 .name = SIM_LEASE,
                                                                 .identity = identity,
                                                                 .instance = h->instance,
                                                                 .previous = previous,
                                                                 .lease_duration = duration,
                                                                 .renew_deadline = deadline,
                                                                 .retry_period = period,
                                                                 .stop_budget = CLOCK_S / 5,
                                                                 .clock_skew = 0.02,
                                                                 .actions = &actions,
                                                                 .arg = h});
    lease_time_t t = sim_time(h);

    lease_elector_start(h->elector, &t);
    return h;
}

sim_host_t *sim_start(sim_t *s, const char *identity)
{
    return start(s, identity, "", 15 * CLOCK_S, 10 * CLOCK_S, 2 * CLOCK_S);
}

sim_host_t *sim_restart(sim_t *s, const char *identity, const char *previous)
{
    return start(s, identity, previous != NULL ? previous : "", 15 * CLOCK_S, 10 * CLOCK_S,
                 2 * CLOCK_S);
}

sim_host_t *sim_start_with(sim_t *s, const char *identity, int64_t duration, int64_t deadline,
                           int64_t period)
{
    return start(s, identity, "", duration, deadline, period);
}

void sim_kill(sim_host_t *h)
{
    h->dead = true;
    h->stream_open = false;
}

void sim_pause(sim_host_t *h)
{
    h->paused = true;
}

void sim_release(sim_host_t *h, bool clean, bool stand_back)
{
    lease_time_t t = sim_time(h);

    lease_elector_release(h->elector, &t, clean, stand_back);
}

void sim_cut_watch(sim_host_t *h, int status, int64_t retry_after)
{
    lease_time_t t = sim_time(h);

    cr_assert(h->stream_open, "no watch is open");
    h->stream_open = false;
    h->stream_id++;
    lease_elector_watch_ended(h->elector, &t, status, retry_after, "cut by the test");
}

bool sim_leads(const sim_host_t *h)
{
    return !h->dead && h->fence != NULL && fence_open(h->fence);
}

sim_host_t *sim_leader(sim_t *s)
{
    for (size_t i = 0; i < s->host_count; i++) {
        if (sim_leads(s->hosts[i]))
            return s->hosts[i];
    }
    return NULL;
}

/* --- events --- */

/* A frame only says that there is something to read: a stream that was frozen gives what it has
 * kept, in order. */
void sim_stream_all(sim_t *s)
{
    for (size_t i = 0; i < s->host_count; i++) {
        sim_host_t *h = s->hosts[i];

        if (h->stream_open && h->stream_version < s->version) {
            struct sim_event *ev = plan(h, FRAME, clock_now() + SIM_LATENCY);

            ev->id = h->stream_id;
            put(ev, &s->events);
        }
    }
}

/* A request reaches the server. */
static void arrive(sim_t *s, struct sim_event *ev)
{
    sim_host_t *h = ev->host;
    const sim_net_t *net = &h->net;
    bool write = ev->verb != LEASE_GET;
    char *body = ev->text;
    bool fails = net->fail_status != 0 && (net->fail_verb < 0 || net->fail_verb == (int) ev->verb);

    ev->text = NULL;
    ev->status = fails ? net->fail_status : sim_serve(s, ev->verb, body, &ev->text);
    free(body);
    ev->kind = REPLY;
    ev->at += SIM_LATENCY + net->reply_delay;
    if (net->lose_replies || (write && net->lose_write_replies) || ev->at > ev->timeout_at) {
        free(ev->text);
        ev->text = NULL;
        ev->status = 0;
        ev->at = ev->timeout_at;
    }
    put(ev, &s->events);
}

static lease_record_t *parse(const char *text)
{
    lease_record_t *r = NULL;
    lh_error_t err = {0};

    if (text != NULL)
        ASSERT_OK(lease_record_parse(text, strlen(text), &r, &err), err);
    return r;
}

static void read_stream(sim_host_t *h)
{
    for (struct sim_change *c = h->sim->changes; c != NULL; c = c->next) {
        if (!h->stream_open || h->net.freeze_watch || h->net.cut)
            return;
        if (c->version <= h->stream_version || c->at + SIM_LATENCY > clock_now())
            continue;
        lease_time_t t = sim_time(h);

        h->stream_version = c->version;
        lease_elector_event(h->elector, &t, c->deleted ? LEASE_EVENT_DELETED : LEASE_EVENT_SEEN,
                            parse(c->text), NULL);
    }
}

static void deliver(struct sim_event *ev)
{
    sim_host_t *h = ev->host;
    lease_time_t t = sim_time(h);

    switch (ev->kind) {
    case REPLY: {
        bool failed = h->net.fail_status == ev->status && ev->status != 0;

        note_op(h, ev->verb, ev->status);
        lease_elector_reply(h->elector, &t,
                            &(lease_reply_t){
                                .id = ev->id,
                                .status = ev->status,
                                .missing = ev->status != 404 ? NULL
                                           : failed          ? h->net.fail_missing
                                                             : SIM_LEASE,
                                .retry_after = failed ? h->net.fail_retry_after : 0,
                                .record = parse(ev->text),
                                .text = "answered by the test",
                            });
        break;
    }
    case FRAME:
        if (ev->id == h->stream_id)
            read_stream(h);
        break;
    case STREAM_END:
        if (ev->id == h->stream_id)
            lease_elector_watch_ended(h->elector, &t, ev->status, 0, "ended by the test");
        break;
    case WAKE:
        read_stream(h);
        if (ev->id == h->wake_id)
            lease_elector_tick(h->elector, &t);
        break;
    default:
        lease_elector_rested(h->elector, &t);
        break;
    }
}

static void happen(sim_t *s, struct sim_event *ev)
{
    if (ev->kind == ARRIVE) {
        arrive(s, ev);
        return;
    }
    if (ev->host->paused) {
        ev->next = NULL;
        *ev->host->backlog_tail = ev;
        ev->host->backlog_tail = &ev->next;
        return;
    }
    if (!ev->host->dead)
        deliver(ev);
    event_free(ev);
}

void sim_resume(sim_host_t *h)
{
    struct sim_event *next = h->backlog;

    h->paused = false;
    h->backlog = NULL;
    h->backlog_tail = &h->backlog;
    while (next != NULL) {
        struct sim_event *ev = next;

        next = ev->next;
        happen(h->sim, ev);
    }
}

static void note_overlap(sim_t *s)
{
    size_t open = 0;

    for (size_t i = 0; i < s->host_count; i++)
        open += sim_leads(s->hosts[i]);
    if (open >= 2 && s->overlap_since == 0)
        s->overlap_since = clock_now();
    if (open < 2 && s->overlap_since != 0) {
        s->overlap += clock_now() - s->overlap_since;
        s->overlap_since = 0;
    }
}

static void step_to(sim_t *s, int64_t at)
{
    if (at > clock_now())
        fake_clock_advance(at - clock_now());
    note_overlap(s);
}

void sim_run(sim_t *s, int64_t ns)
{
    int64_t end = clock_now() + ns;

    while (s->events != NULL && s->events->at <= end) {
        struct sim_event *ev = s->events;

        s->events = ev->next;
        step_to(s, ev->at);
        happen(s, ev);
        note_overlap(s);
    }
    step_to(s, end);
}

int64_t sim_until_leading(sim_host_t *h, int64_t ns)
{
    int64_t from = clock_now();
    int begun = h->begun;

    while (h->begun == begun && clock_now() < from + ns)
        sim_run(h->sim, CLOCK_MS);
    return h->begun != begun ? h->begun_at - from : -1;
}

/* --- create and destroy --- */

sim_t *sim_create(void)
{
    sim_t *s = host_xcalloc(1, sizeof(*s));

    s->version = 1000;
    s->changes_tail = &s->changes;
    return s;
}

static void events_free(struct sim_event *list)
{
    while (list != NULL) {
        struct sim_event *next = list->next;

        event_free(list);
        list = next;
    }
}

void sim_destroy(sim_t *s)
{
    for (size_t i = 0; i < s->host_count; i++) {
        sim_host_t *h = s->hosts[i];

        lease_elector_destroy(h->elector);
        fence_unref(h->fence);
        events_free(h->backlog);
        free(h->identity);
        free(h);
    }
    events_free(s->events);
    for (struct sim_change *c = s->changes; c != NULL;) {
        struct sim_change *next = c->next;

        free(c->text);
        free(c);
        c = next;
    }
    cJSON_Delete(s->lease);
    free(s);
}
