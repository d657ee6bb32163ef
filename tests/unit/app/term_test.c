/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a term's end and the host's, between an elector and instances that only note what they
 * are told. */
#include "app/app_impl.h"
#include "support/expect.h"
#include "support/fake_clock.h"

enum { INSTANCES = 2 };

static app_t app;
static app_instance_t instances[INSTANCES];
static config_t config;
static int releases, rests, ends, stops;
static bool released_clean;
static int64_t end_deadline;

/* -- In the place of lease/ and plugin/ -- */

void lease_release(lease_t *l, bool clean, bool stand_back)
{
    (void) l, (void) stand_back;
    releases++;
    released_clean = clean;
}

void lease_rested(lease_t *l)
{
    (void) l;
    rests++;
}

void plugin_instance_begin(plugin_instance_t *i, fence_t *fence)
{
    (void) i, (void) fence;
}

void plugin_instance_end(plugin_instance_t *i, int64_t deadline)
{
    (void) i;
    ends++;
    end_deadline = deadline;
}

void plugin_instance_stop(plugin_instance_t *i, int64_t deadline)
{
    (void) i, (void) deadline;
    stops++;
}

void plugin_instance_kill(plugin_instance_t *i)
{
    (void) i;
}

/* -- The rig -- */

static lease_t *const some_lease = (lease_t *) &app; /* only passed on */
static loop_timer_t alarm_timer;
static bool rang;

static void on_alarm(loop_timer_t *timer)
{
    (void) timer;
    rang = true;
    loop_stop(app.loop);
}

/* Whether the loop has been told to end; forgotten by asking. */
static bool stopped(void)
{
    rang = false;
    loop_timer_set(&alarm_timer, clock_now());
    loop_run(app.loop); /* at once after a stop */
    loop_timer_clear(&alarm_timer);
    return !rang;
}

static void setup(void)
{
    lh_error_t err = {0};

    config = (config_t){.drain_timeout = 10 * CLOCK_S, .stop_budget = CLOCK_S / 5};
    app = (app_t){.config = &config,
                  .lease = some_lease,
                  .instances = instances,
                  .instance_count = INSTANCES,
                  .phase = APP_STANDBY};
    ASSERT_OK(loop_create(&app.loop, &err), err);
    app.health = health_create();
    app.leading = health_add(app.health, "leading", 0, 0);
    loop_timer_init(&app.flush_timer, app.loop, app_flush_timer);
    loop_timer_init(&alarm_timer, app.loop, on_alarm);
    for (int i = 0; i < INSTANCES; i++)
        instances[i] = (app_instance_t){.app = &app};
}

static void teardown(void)
{
    loop_timer_clear(&app.flush_timer);
    health_destroy(app.health);
    loop_destroy(app.loop);
}

TestSuite(term, .init = setup, .fini = teardown);

static void all(void (*told)(void *instance))
{
    for (int i = 0; i < INSTANCES; i++)
        told(&instances[i]);
}

static void begin(void)
{
    app_lease_events.on_begin(&app, fence_create(1, CLOCK_NEVER));
}

Test(term, a_standby_that_is_told_to_end_ends_with_its_instances)
{
    app_stop(&app);
    EXPECT_INT(stops, INSTANCES);
    EXPECT_INT(stopped(), false);
    all(app_instance_ended);
    EXPECT_INT(stopped(), true);
    EXPECT_INT(releases, 0);
}

Test(term, acquired_in_the_moment_of_sigterm_is_given_back_before_the_loop_ends)
{
    app_stop(&app);
    begin();
    EXPECT_INT(releases, 1);
    EXPECT_INT(released_clean, true);
    all(app_instance_ended);
    EXPECT_INT(stopped(), false); /* its release is not answered yet */
    app_lease_events.on_end(&app, LEASE_END_RELEASED, CLOCK_NEVER, "the lease was released");
    EXPECT_INT(stopped(), true);
}

Test(term, given_back_before_the_instances_have_ended_waits_for_them)
{
    app_stop(&app);
    begin();
    app_lease_events.on_end(&app, LEASE_END_RELEASED, CLOCK_NEVER, "the lease was released");
    EXPECT_INT(stopped(), false);
    all(app_instance_ended);
    EXPECT_INT(stopped(), true);
}

Test(term, whose_giving_back_is_not_answered_ends_with_the_drain)
{
    app_stop(&app);
    begin();
    all(app_instance_ended);
    fake_clock_advance(10 * CLOCK_S - 1);
    loop_turn(app.loop);
    EXPECT_INT(stopped(), false);
    fake_clock_advance(1);
    loop_turn(app.loop);
    EXPECT_INT(stopped(), true);
}

Test(term, that_ends_by_force_gives_the_instances_the_electors_time)
{
    begin();
    const int64_t until = clock_now() + CLOCK_S / 6;
    fake_clock_advance(CLOCK_MS); /* the letter was on its way */
    app_lease_events.on_end(&app, LEASE_END_LOST, until, "the lease was deleted");
    EXPECT_INT(ends, INSTANCES);
    EXPECT_INT(end_deadline, until);
    EXPECT_INT(rests, 0);
    all(app_instance_rested);
    EXPECT_INT(rests, 1);
}

/* A freeze longer than the lease once switched off each plugin that had anything to deactivate: the time
 * for it was over before the loop turned again. */
Test(term, that_ends_by_force_after_a_freeze_leaves_the_instances_time_to_return)
{
    begin();
    const int64_t until = clock_now() + CLOCK_S / 6;
    fake_clock_advance(60 * CLOCK_S);
    app_lease_events.on_end(&app, LEASE_END_EXPIRED, until, "no renewal was acknowledged in time");
    EXPECT_INT(ends, INSTANCES);
    EXPECT_INT(end_deadline, clock_now() + config.stop_budget / 2);
}
