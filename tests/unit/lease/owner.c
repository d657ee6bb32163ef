/* SPDX-License-Identifier: Apache-2.0 */
#include "owner.h"

#include <signal.h>
#include <stdio.h>

http_lease_t *server;
kube_credentials_t credentials;

void server_start(void)
{
    signal(SIGPIPE, SIG_IGN);
    server = http_lease_start();
    credentials =
        (kube_credentials_t){.server = (char *) http_server_url(http_lease_server(server)),
                             .namespace = (char *) "",
                             .origin = (char *) "test"};
}

void server_stop(void)
{
    http_lease_stop(server);
}

static void on_begin(void *arg, fence_t *fence)
{
    owner_t *o = arg;

    fence_unref(o->fence);
    o->fence = fence;
    o->begun++;
    if (o->stop_at_begin)
        lease_stop(host_steal(o->lease));
    loop_stop(o->loop);
}

static void on_end(void *arg, enum lease_end end, int64_t until, const char *reason)
{
    owner_t *o = arg;

    (void) until;
    cr_expect(!fence_open(o->fence), "the fence is open at its end");
    o->end = end;
    snprintf(o->reason, sizeof(o->reason), "%s", reason);
    o->ended++;
    loop_stop(o->loop);
}

static void on_fall(void *arg)
{
    owner_t *o = arg;

    atomic_store(&o->fell_at, clock_now());
    atomic_fetch_add(&o->falls, 1);
}

static void on_observed(void *arg, const char *holder, bool mine)
{
    owner_t *o = arg;

    (void) mine;
    snprintf(o->holder, sizeof(o->holder), "%s", holder);
    o->observed++;
    loop_stop(o->loop);
}

static void on_alarm(loop_timer_t *timer)
{
    owner_t *o = HOST_CONTAINER(timer, owner_t, alarm);

    o->rang = true;
    loop_stop(o->loop);
}

void owner_init(owner_t *o, const char *identity)
{
    lh_error_t err = {0};

    *o = (owner_t){0};
    ASSERT_OK(loop_create(&o->loop, &err), err);
    loop_timer_init(&o->alarm, o->loop, on_alarm);
    o->options = (lease_options_t){.owner = o->loop,
                                   .credentials = &credentials,
                                   .namespace = "default",
                                   .name = SIM_LEASE,
                                   .identity = identity,
                                   .lease_duration = S(2),
                                   .renew_deadline = S(1),
                                   .retry_period = MS(250),
                                   .stop_budget = MS(200),
                                   .clock_skew = 0.02,
                                   .events = {.on_begin = on_begin,
                                              .on_end = on_end,
                                              .on_fall = on_fall,
                                              .on_observed = on_observed,
                                              .arg = o}};
}

void owner_start(owner_t *o)
{
    lh_error_t err = {0};

    ASSERT_OK(lease_start(&o->options, &o->lease, &err), err);
}

void owner_fini(owner_t *o)
{
    lease_stop(o->lease);
    fence_unref(o->fence);
    loop_timer_clear(&o->alarm);
    loop_destroy(o->loop);
}

bool await(owner_t *o, const int *count, int n, int ms)
{
    o->rang = false;
    loop_timer_set(&o->alarm, clock_now() + MS(ms));
    while (*count < n && !o->rang)
        loop_run(o->loop);
    loop_timer_clear(&o->alarm);
    return *count >= n;
}

void idle(owner_t *o, int ms)
{
    int never = 0;

    await(o, &never, 1, ms);
}

void make_empty(sim_t *s)
{
    sim_create_lease(s, "{}", NULL);
}
