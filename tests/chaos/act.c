/* SPDX-License-Identifier: Apache-2.0 */
#include "chaos/act.h"

#define MS INT64_C(1000000)

enum { EXIT_LIMIT_MS = 8000, AGAIN_MS = 200 };

/* -- Processes -- */

static void each(contest_t *c, const doing_t *d, void (*what)(side_t *s))
{
    for (int i = 0; i < c->sides; i++) {
        if (d->on[i])
            what(&c->side[i]);
    }
}

static void stop_at_seam(side_t *s)
{
    side_disturbed(s);
    s->stopped = true;
    s->stops++;
    atomic_store(&s->control->stop, 1);
}

static void resume_at_seam(side_t *s)
{
    atomic_store(&s->control->stop, 0); /* it may not have written at all */
    side_resume(s);
}

static void terminate(side_t *s)
{
    side_disturbed(s);
    replica_signal(s->replica, SIGTERM);
}

static void stop_and_terminate(side_t *s)
{
    side_stop(s);
    replica_signal(s->replica, SIGTERM);
}

static void kill_and_restart(side_t *s)
{
    side_kill(s);
    side_restart(s);
}

static void end_and_restart(contest_t *c, const doing_t *d)
{
    for (int i = 0; i < c->sides; i++) {
        side_t *s = &c->side[i];
        const int64_t until = contest_now() + EXIT_LIMIT_MS * MS;
        if (!d->on[i])
            continue;
        side_resume(s);
        while (replica_running(s->replica) && contest_now() < until)
            contest_wait(c, contest_now() + 5 * MS);
        side_kill(s);
        side_restart(s);
    }
}

/* -- Network -- */

static proxy_fault_t fault_of(const act_t *a)
{
    const int some_ms = 20 + (int) (a->dice % 400);
    proxy_fault_t f = {0};

    switch (a->kind) {
    case ACT_LATENCY:
        f.delay_ms[PROXY_UP] = f.delay_ms[PROXY_DOWN] = some_ms;
        break;
    case ACT_REPLY_LATENCY:
        f.delay_ms[PROXY_DOWN] = 2 * some_ms;
        break;
    case ACT_REPLIES_LOST:
        f.lost[PROXY_DOWN] = true;
        break;
    case ACT_BLACKHOLE:
        f.lost[PROXY_UP] = f.lost[PROXY_DOWN] = true;
        break;
    case ACT_PARTITION_HELD:
        f.held[PROXY_UP] = f.held[PROXY_DOWN] = true;
        break;
    case ACT_FLOWS_DROPPED:
        f.lost[PROXY_UP] = f.lost[PROXY_DOWN] = true;
        f.open_flows = f.silent = true;
        break;
    case ACT_FLOWS_FROZEN:
        f.held[PROXY_DOWN] = f.open_flows = true;
        break;
    case ACT_BANDWIDTH:
        f.bytes_per_s[PROXY_UP] = f.bytes_per_s[PROXY_DOWN] = 2000 + (int) (a->dice % 20000);
        break;
    default:
        break;
    }
    return f;
}

static void set_network(contest_t *c, const doing_t *d, const proxy_fault_t *fault)
{
    for (int i = 0; i < c->sides; i++) {
        if (!d->on[i])
            continue;
        side_disturbed(&c->side[i]);
        proxy_set(c->side[i].proxy, fault);
    }
}

static void reset(side_t *s)
{
    side_disturbed(s);
    proxy_reset(s->proxy);
}

/* -- The Lease -- */

static void edit(contest_t *c, const char *patch)
{
    API_REPLY r =
        api_do(c->w->e.api, "PATCH", c->lease_path, "application/merge-patch+json", patch);
}

static void edit_other_name(contest_t *c)
{
    char patch[128];
    const int leader = contest_leader(c);

    snprintf(patch, sizeof(patch), "{\"spec\":{\"holderIdentity\":\"%s\"}}",
             c->side[(leader + 1) % c->sides].name);
    edit(c, patch);
}

static void annotate(contest_t *c, doing_t *d)
{
    char patch[128];

    snprintf(patch, sizeof(patch), "{\"metadata\":{\"annotations\":{\"note\":\"%lld\"}}}",
             (long long) contest_now());
    edit(c, patch);
    d->next = contest_now() + AGAIN_MS * MS;
}

static void delete_lease(contest_t *c)
{
    API_REPLY r = api_delete(c->w->e.api, "%s", c->lease_path);
}

/* -- Clock and server -- */

static void step_wall(contest_t *c, const doing_t *d)
{
    static const int64_t steps_s[] = {2, -2, 3600, -3600, 100000000, -100000000};
    const int64_t step = steps_s[d->act->dice % 6] * 1000 * MS;

    for (int i = 0; i < c->sides; i++) {
        if (d->on[i])
            atomic_fetch_add(&c->side[i].control->wall_shift, step);
    }
}

static void set_rule(contest_t *c, const act_t *a)
{
    static const char *const storms[] = {"\"status\":429,\"retryAfter\":1",
                                         "\"status\":500",
                                         "\"status\":503",
                                         "\"status\":401",
                                         "\"status\":403",
                                         "\"status\":409",
                                         "\"status\":422",
                                         "\"status\":404",
                                         "\"refuse\":true",
                                         "\"latencyBeforeMs\":300",
                                         "\"latencyAfterMs\":600"};
    const char *members = a->kind == ACT_COMMIT_NO_REPLY
                              ? "\"dropReply\":true"
                              : storms[a->dice % (sizeof(storms) / sizeof(*storms))];

    server_rule(c->w->server, c->w->e.api, members, a->kind == ACT_STORM_ON_ALL);
}

/* -- Which of them -- */

static bool is_global(enum act_kind kind)
{
    return kind >= ACT_EDIT_HOLDER && kind != ACT_WALL_STEP;
}

static void choose(contest_t *c, doing_t *d)
{
    int leader = contest_leader(c);

    if (leader < 0)
        leader = (int) (d->act->dice % (unsigned) c->sides);
    for (int i = 0; i < c->sides; i++)
        d->on[i] = d->act->target == ACT_ALL || is_global(d->act->kind) ||
                   (i == leader) == (d->act->target == ACT_LEADER);
}

static void disturb_all(contest_t *c)
{
    for (int i = 0; i < c->sides; i++)
        side_disturbed(&c->side[i]);
}

void act_begin(contest_t *c, doing_t *d, const act_t *a)
{
    *d = (doing_t){.act = a, .next = INT64_MAX};
    choose(c, d);
    switch (a->kind) {
    case ACT_STOP:
        each(c, d, side_stop);
        break;
    case ACT_STOP_AT_SEAM:
        each(c, d, stop_at_seam);
        break;
    case ACT_STOP_AND_TERM:
        each(c, d, stop_and_terminate);
        break;
    case ACT_KILL:
        each(c, d, side_kill);
        break;
    case ACT_TERM:
        each(c, d, terminate);
        break;
    case ACT_KILL_AT_ONCE:
        each(c, d, kill_and_restart);
        break;
    case ACT_RESET:
        each(c, d, reset);
        break;
    case ACT_EDIT_HOLDER:
        edit(c, "{\"spec\":{\"holderIdentity\":\"somebody\",\"leaseDurationSeconds\":1}}");
        break;
    case ACT_EDIT_OTHER_NAME:
        edit_other_name(c);
        break;
    case ACT_EMPTY:
        edit(c, "{\"spec\":{\"holderIdentity\":\"\"}}");
        break;
    case ACT_SHORTEN:
        edit(c, "{\"spec\":{\"leaseDurationSeconds\":1}}");
        break;
    case ACT_ANNOTATE:
        annotate(c, d);
        break;
    case ACT_DELETE:
        delete_lease(c);
        break;
    case ACT_WALL_STEP:
        step_wall(c, d);
        break;
    case ACT_STORM:
    case ACT_STORM_ON_ALL:
    case ACT_COMMIT_NO_REPLY:
        disturb_all(c);
        set_rule(c, a);
        break;
    case ACT_WATCH_FROZEN:
        disturb_all(c);
        server_watches(c->w->e.api, "freeze-watches", "leases");
        break;
    case ACT_WATCH_CUT:
        disturb_all(c);
        server_watches(c->w->e.api, "cut-watches", "leases");
        break;
    case ACT_SERVER_RESTART:
        disturb_all(c);
        world_restart_server(c->w, a->dice % 2 != 0);
        break;
    default: {
        const proxy_fault_t fault = fault_of(a);
        set_network(c, d, &fault);
    }
    }
}

void act_again(contest_t *c, doing_t *d)
{
    annotate(c, d);
}

void act_end(contest_t *c, doing_t *d)
{
    static const proxy_fault_t none;

    switch (d->act->kind) {
    case ACT_STOP:
        each(c, d, side_resume);
        break;
    case ACT_STOP_AT_SEAM:
        each(c, d, resume_at_seam);
        break;
    case ACT_STOP_AND_TERM:
    case ACT_TERM:
        end_and_restart(c, d);
        break;
    case ACT_KILL:
        each(c, d, side_restart);
        break;
    case ACT_STORM:
    case ACT_STORM_ON_ALL:
    case ACT_COMMIT_NO_REPLY:
        server_rule(c->w->server, c->w->e.api, "", false);
        break;
    case ACT_WATCH_FROZEN:
        server_watches(c->w->e.api, "thaw-watches", "leases");
        break;
    default:
        if (d->act->kind >= ACT_LATENCY && d->act->kind <= ACT_BANDWIDTH)
            set_network(c, d, &none);
        break;
    }
    d->next = INT64_MAX;
}

void act_heal(contest_t *c)
{
    static const proxy_fault_t none;

    for (int i = 0; i < c->sides; i++) {
        side_t *s = &c->side[i];
        atomic_store(&s->control->stop, 0);
        side_resume(s);
        proxy_set(s->proxy, &none);
        side_restart(s);
    }
    if (c->w->server != NULL) {
        server_rule(c->w->server, c->w->e.api, "", false);
        server_watches(c->w->e.api, "thaw-watches", "leases");
    }
}
