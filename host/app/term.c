/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which a term begins and ends, and the end of the host. */
#include "app/app_impl.h"
#include "base/clock.h"

#include <malloc.h>
#include <string.h>

#define FLUSH_POLL (5 * CLOCK_MS)

static void end_host(app_t *app);
static void end_loop(app_t *app);

int64_t app_write_user_timeout(const config_t *config)
{
    const double lease = (double) config->leader_election.lease_duration;

    /* The last byte is sent before the deadline; the kill limit comes that much later. */
    return (int64_t) (lease * (1 - 2 * config->leader_election.clock_skew)) -
           config->leader_election.renew_deadline;
}

/* -- The term begins -- */

static void begin_instance(app_t *app, size_t i)
{
    app->instances[i].rested = false;
    plugin_instance_begin(app->instances[i].instance, app->fence);
}

void app_term_begin(app_t *app, fence_t *fence)
{
    app->fence = fence;
    app->phase = APP_LEADING;
    health_set(app->leading, true, NULL);
    watch_hub_begin_term(app->hub);
    if (app->fencing != NULL) {
        app_fencing_begin(app->fencing, fence); /* then app_begin_proved */
        return;
    }
    for (size_t i = 0; i < app->instance_count; i++)
        begin_instance(app, i);
}

void app_begin_proved(void *arg, size_t instance)
{
    begin_instance(arg, instance);
}

static void on_begin(void *arg, fence_t *fence) /* [loop-thread] */
{
    app_t *app = arg;

    if (app->phase != APP_ENDING) {
        app_term_begin(app, fence);
        app_events_add(app->events, lease_uid(app->lease), "became leader");
        return;
    }
    /* Acquired in the moment in which the host was told to end: nothing was begun. The loop goes on
     * until it has been given back, or the time for draining is over. */
    fence_unref(fence);
    app->giving_back = true;
    loop_timer_set(&app->flush_timer, app->drain_until);
    lease_release(app->lease, true, false);
}

/* -- The term ends -- */

static void leave_term(app_t *app)
{
    fence_unref(host_steal(app->fence));
    app->phase = APP_STANDBY;
    app->stepping_down = false;
    health_set(app->leading, false, "not the leader");
}

static void stand_or_end(app_t *app)
{
    leave_term(app);
    if (app->stop_asked) {
        end_host(app);
        return;
    }
    malloc_trim(0); /* the caches are gone: a standby is small, whatever it led before */
    lease_rested(app->lease);
}

/* Every answer of the last writes is in, or the time for them is over. */
static void release(app_t *app)
{
    const int64_t since = clock_now() - app->config->leader_election.lease_duration;
    const bool clean =
        kube_client_in_flight(app->writes) == 0 && !kube_client_unknown_since(app->writes, since);

    loop_timer_clear(&app->flush_timer);
    if (app->lease == NULL) {
        fence_close(app->fence);
        kube_client_cut(app->writes);
        leave_term(app);
        end_host(app);
        return;
    }
    app->phase = APP_RELEASING;
    lease_release(app->lease, clean, app->stepping_down); /* closes the fence */
    app_events_add(app->events, lease_uid(app->lease), "stopped leading: it hands over");
    if (!clean)
        kube_client_cut(app->writes); /* else the kernel sends what it has queued, even after us */
}

static void flush(app_t *app)
{
    app->phase = APP_FLUSHING;
    if (kube_client_in_flight(app->writes) == 0 || clock_now() >= app->drain_until)
        release(app);
    else
        loop_timer_set(&app->flush_timer, HOST_MIN(clock_now() + FLUSH_POLL, app->drain_until));
}

static void given_back(app_t *app)
{
    app->giving_back = false;
    loop_timer_clear(&app->flush_timer);
    end_loop(app);
}

void app_flush_timer(loop_timer_t *timer)
{
    app_t *app = HOST_CONTAINER(timer, app_t, flush_timer);

    if (app->phase == APP_ENDING)
        given_back(app);
    else
        flush(app);
}

static bool all_rested(const app_t *app)
{
    for (size_t i = 0; i < app->instance_count; i++) {
        if (!app->instances[i].rested)
            return false;
    }
    return true;
}

/* Nothing of the term is left in any instance. */
static void rested(app_t *app)
{
    if (app->phase == APP_HANDING) {
        flush(app);
    } else if (app->phase == APP_RESTING) {
        stand_or_end(app);
    }
}

void app_instance_rested(void *arg)
{
    app_instance_t *mine = arg;

    mine->rested = true;
    if (all_rested(mine->app))
        rested(mine->app);
}

static void end_instances(app_t *app, int64_t deadline)
{
    if (app->fencing != NULL)
        app_fencing_end(app->fencing);
    if (all_rested(app)) { /* none has begun */
        rested(app);
        return;
    }
    /* An instance may answer from within the call; the last one to answer finishes the term. */
    for (size_t i = 0; i < app->instance_count; i++) {
        if (!app->instances[i].rested)
            plugin_instance_end(app->instances[i].instance, deadline);
    }
}

/* A host that was frozen, or whose loop was, finds that the time is over before anything could use it, and
 * would give up each plugin. Threads are fenced, and what is isolated the elector kills in time whatever
 * is said here. */
static int64_t time_to_return(const app_t *app, int64_t until)
{
    return HOST_MAX(until, clock_now() + app->config->stop_budget / 2);
}

static void record_loss(app_t *app, const char *reason)
{
    host_cleanup(host_freep) char *text = host_xprintf("stopped leading: %s", reason);

    app_events_add(app->events, lease_uid(app->lease), text);
}

static void on_end(void *arg, enum lease_end end, int64_t until,
                   const char *reason) /* [loop-thread] */
{
    app_t *app = arg;

    if (app->phase == APP_ENDING) {
        given_back(app);
        return;
    }
    app_control_ended(app->control, reason);
    if (end == LEASE_END_RELEASED) {
        stand_or_end(app);
        return;
    }
    loop_timer_clear(&app->flush_timer);
    if (app->stepping_down) /* cut short: the release that would have said so did not count */
        lease_stand_back(app->lease);
    if (app->phase != APP_RELEASING)
        record_loss(app, reason);
    const bool drained = app->phase == APP_FLUSHING || app->phase == APP_RELEASING;
    app->phase = APP_RESTING;
    if (drained)
        rested(app);
    else
        end_instances(app, time_to_return(app, until));
}

static void on_fall(void *arg) /* [elector-thread] */
{
    app_t *app = arg;

    kube_client_cut(app->writes);
}

static void on_overdue(void *arg) /* [elector-thread] */
{
    app_t *app = arg;

    for (size_t i = 0; i < app->instance_count; i++)
        plugin_instance_kill(app->instances[i].instance);
}

static void on_observed(void *arg, const char *holder, bool mine) /* [loop-thread] */
{
    app_t *app = arg;

    (void) holder;
    (void) mine;
    health_set(app->observed, true, NULL);
}

const lease_events_t app_lease_events = {
    .on_begin = on_begin,
    .on_end = on_end,
    .on_fall = on_fall,
    .on_overdue = on_overdue,
    .on_observed = on_observed,
};

/* -- The host ends -- */

static void end_loop(app_t *app)
{
    for (size_t i = 0; i < app->instance_count; i++) {
        if (!app->instances[i].ended)
            return;
    }
    if (!app->giving_back)
        loop_stop(app->loop);
}

void app_instance_ended(void *arg)
{
    app_instance_t *mine = arg;

    mine->ended = true;
    end_loop(mine->app);
}

static void end_host(app_t *app)
{
    const int64_t deadline = HOST_MAX(app->drain_until, clock_now() + app->config->stop_budget);

    app->phase = APP_ENDING;
    for (size_t i = 0; i < app->instance_count; i++)
        plugin_instance_stop(app->instances[i].instance, deadline);
    if (app->instance_count == 0)
        end_loop(app);
}

static void hand_over(app_t *app)
{
    log_info(app->log, "handing over: no new write is sent, reconciles are coming to their end");
    fence_close_gate(app->fence);
    app->phase = APP_HANDING;
    end_instances(app, app->drain_until);
}

bool app_step_down(app_t *app)
{
    if (app->phase == APP_LEADING) {
        app->stepping_down = true;
        app->drain_until = clock_now() + app->config->drain_timeout;
        hand_over(app);
        return true;
    }
    return app->phase == APP_HANDING || app->phase == APP_FLUSHING || app->phase == APP_RELEASING;
}

void app_stop(app_t *app)
{
    /* A step-down that is under way keeps its time. */
    if (!app->stop_asked && app->phase != APP_HANDING && app->phase != APP_FLUSHING)
        app->drain_until = clock_now() + app->config->drain_timeout;
    app->stop_asked = true;
    if (app->phase == APP_STANDBY)
        end_host(app);
    else if (app->phase == APP_LEADING)
        hand_over(app);
}
