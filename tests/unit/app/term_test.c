/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a term's end and the host's, between an elector and instances that only note what they
 * are told. */
#include "app/app_impl.h"
#include "support/expect.h"
#include "support/fake_clock.h"
#include "support/http_server.h"

enum { INSTANCES = 2 };

static app_t app;
static app_instance_t instances[INSTANCES];
static config_t config;
static int releases, rests, ends, begins, hub_begins, begins_before, fencings, stops;
static bool released_clean, released_standing_back;
static int stand_backs;
static int64_t end_deadline;

/* -- In the place of lease/ and plugin/ -- */

void lease_release(lease_t *l, bool clean, bool stand_back)
{
    (void) l;
    released_standing_back = stand_back;
    releases++;
    released_clean = clean;
}

void lease_stand_back(lease_t *l)
{
    (void) l;
    stand_backs++;
}

const char *lease_uid(const lease_t *l)
{
    (void) l;
    return "";
}

void lease_rested(lease_t *l)
{
    (void) l;
    rests++;
}

void plugin_instance_begin(plugin_instance_t *i, fence_t *fence)
{
    (void) i, (void) fence;
    begins++;
}

void watch_hub_begin_term(watch_hub_t *hub)
{
    (void) hub;
    hub_begins++;
    begins_before = begins;
}

void app_fencing_begin(app_fencing_t *f, fence_t *fence)
{
    (void) f, (void) fence;
    fencings++;
}

void app_fencing_end(app_fencing_t *f)
{
    (void) f;
    fencings--;
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
        instances[i] = (app_instance_t){.app = &app, .rested = true};
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

Test(term, tells_the_watches_that_it_begins_before_the_instances)
{
    begin();
    EXPECT_INT(hub_begins, 1);
    EXPECT_INT(begins_before, 0);
    EXPECT_INT(begins, INSTANCES);
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

Test(term, unacknowledged_bytes_of_a_write_die_between_deadline_and_kill_limit)
{
    static const struct {
        int64_t duration, deadline;
        double skew;
        int64_t expected;
    } rows[] = {{15 * CLOCK_S, 10 * CLOCK_S, 0.02, 4400 * CLOCK_MS},
                {3 * CLOCK_S, 2 * CLOCK_S, 0.02, 880 * CLOCK_MS},
                {10 * CLOCK_S, 8 * CLOCK_S, 0, 2 * CLOCK_S}};

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        config.leader_election.lease_duration = rows[i].duration;
        config.leader_election.renew_deadline = rows[i].deadline;
        config.leader_election.clock_skew = rows[i].skew;
        const int64_t off = app_write_user_timeout(&config) - rows[i].expected;

        cr_expect(off >= -1 && off <= 1, "row %zu is off by %lld ns", i, (long long) off);
    }
}

/* -- Voluntary stop -- */

static void with_writes_to(const char *url)
{
    static kube_credentials_t credentials;
    lh_error_t err = {0};

    credentials.server = (char *) (uintptr_t) url;

    ASSERT_OK(kube_client_create(&(kube_client_options_t){.loop = app.loop,
                                                          .credentials = &credentials,
                                                          .kind = KUBE_CLIENT_WRITES},
                                 &app.writes, &err),
              err);
}

/* The writes of the test's term: none. */
static void with_writes(void)
{
    with_writes_to("http://127.0.0.1:1");
}

static http_server_t *server;
static int answers, answer_code;

static void on_answer(void *arg, const kube_result_t *result)
{
    (void) arg;
    answers++;
    answer_code = result->code;
}

static void turn_until(const int *count, int n)
{
    for (int i = 0; i < 5000 && *count < n; i++) {
        loop_turn(app.loop);
        usleep(1000);
    }
}

/* A term with one write that the server has and does not answer yet. */
static void begin_with_a_write_in_flight(void)
{
    lh_error_t err = {0};

    config.leader_election.lease_duration = 15 * CLOCK_S;
    server = http_server_start(&(http_server_options_t){0});
    http_server_hold(server);
    with_writes_to(http_server_url(server));
    begin();
    ASSERT_OK(kube_client_send(
                  app.writes,
                  &(kube_request_t){
                      .method = "PUT", .path = "/x", .fence = app.fence, .on_done = on_answer},
                  NULL, &err),
              err);
    for (int i = 0; i < 5000 && http_server_requests(server) < 1; i++) {
        loop_turn(app.loop);
        usleep(1000);
    }
    EXPECT_INT(kube_client_in_flight(app.writes), 1);
}

static void end_of_writes(void)
{
    kube_client_destroy(app.writes);
    http_server_stop(server);
}

Test(term, rule_11_the_answer_to_a_write_in_flight_is_awaited_before_the_release)
{
    begin_with_a_write_in_flight();
    app_stop(&app);
    all(app_instance_rested);
    for (int i = 0; i < 20; i++) {
        fake_clock_advance(100 * CLOCK_MS);
        loop_turn(app.loop);
    }
    EXPECT_INT(releases, 0);
    http_server_release(server);
    turn_until(&answers, 1);
    EXPECT_INT(answer_code, 0);
    fake_clock_advance(100 * CLOCK_MS);
    loop_turn(app.loop);
    EXPECT_INT(releases, 1);
    EXPECT_INT(released_clean, true);
    end_of_writes();
}

Test(term, rule_11_a_write_without_an_answer_at_the_end_of_the_drain_leaves_the_lease_to_expire)
{
    begin_with_a_write_in_flight();
    app_stop(&app);
    all(app_instance_rested);
    fake_clock_advance(10 * CLOCK_S - 1);
    loop_turn(app.loop);
    EXPECT_INT(releases, 0);
    fake_clock_advance(1);
    loop_turn(app.loop);
    EXPECT_INT(releases, 1);
    EXPECT_INT(released_clean, false);
    turn_until(&answers, 1);
    EXPECT_INT(answer_code, LH_EUNKNOWN); /* its connection was cut */
    end_of_writes();
}

Test(term, rule_11_a_write_that_ended_as_unknown_within_a_lease_duration_leaves_the_lease_to_expire)
{
    static const struct {
        int64_t ago;
        bool clean;
    } rows[] = {{0, false}, {15 * CLOCK_S - CLOCK_MS, false}, {15 * CLOCK_S + CLOCK_MS, true}};

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        begin_with_a_write_in_flight();
        http_server_drop_all(server, true);
        turn_until(&answers, (int) i + 1);
        EXPECT_INT(answer_code, LH_EUNKNOWN);
        fake_clock_advance(rows[i].ago);
        EXPECT_INT(app_step_down(&app), true);
        all(app_instance_rested);
        EXPECT_INT(releases, i + 1);
        cr_expect_eq(released_clean, rows[i].clean, "row %zu", i);
        app_lease_events.on_end(&app, LEASE_END_RELEASED, CLOCK_NEVER, "x");
        end_of_writes();
    }
}

/* -- Step-down -- */

Test(term, rule_11_a_step_down_drains_releases_and_stands_back_in_the_same_process)
{
    with_writes();
    begin();
    fence_t *fence = fence_ref(app.fence);
    EXPECT_INT(app_step_down(&app), true);
    EXPECT_INT(fence_gate_closed(fence), true); /* no new write starts */
    EXPECT_INT(fence_open(fence), true);        /* those in flight go on */
    EXPECT_INT(ends, INSTANCES);
    EXPECT_INT(end_deadline, clock_now() + 10 * CLOCK_S);
    EXPECT_INT(releases, 0);
    all(app_instance_rested);
    EXPECT_INT(releases, 1);
    EXPECT_INT(released_clean, true);
    EXPECT_INT(released_standing_back, true);
    app_lease_events.on_end(&app, LEASE_END_RELEASED, CLOCK_NEVER, "the lease was released");
    EXPECT_INT(rests, 1);
    EXPECT_INT(stand_backs, 0); /* the release has said so */
    EXPECT_INT(stops, 0);
    EXPECT_INT(stopped(), false);
    fence_unref(fence);
    kube_client_destroy(app.writes);
}

Test(term, rule_11_a_step_down_that_a_loss_cuts_short_stands_back_too)
{
    begin();
    EXPECT_INT(app_step_down(&app), true);
    app_lease_events.on_end(&app, LEASE_END_EXPIRED, clock_now(), "no renewal");
    EXPECT_INT(stand_backs, 1);
    EXPECT_INT(rests, 0);
    all(app_instance_rested);
    EXPECT_INT(rests, 1);
    EXPECT_INT(releases, 0);
    begin(); /* and the next term is an ordinary one */
    app_lease_events.on_end(&app, LEASE_END_LOST, clock_now(), "the lease was deleted");
    EXPECT_INT(stand_backs, 1);
}

Test(term, a_step_down_without_a_term_does_nothing)
{
    EXPECT_INT(app_step_down(&app), false);
    begin();
    app_lease_events.on_end(&app, LEASE_END_LOST, clock_now(), "the lease was deleted");
    EXPECT_INT(app_step_down(&app), false); /* it has ended, and is being torn down */
    all(app_instance_rested);
    app_stop(&app);
    EXPECT_INT(app_step_down(&app), false);
    EXPECT_INT(releases, 0);
}

Test(term, a_second_step_down_gives_no_more_time)
{
    begin();
    EXPECT_INT(app_step_down(&app), true);
    const int64_t until = app.drain_until;
    fake_clock_advance(CLOCK_S);
    EXPECT_INT(app_step_down(&app), true);
    EXPECT_INT(app.drain_until, until);
    EXPECT_INT(ends, INSTANCES);
}

Test(term, sigterm_in_the_middle_of_a_step_down_ends_the_host_after_it_and_gives_no_more_time)
{
    with_writes();
    begin();
    EXPECT_INT(app_step_down(&app), true);
    const int64_t until = app.drain_until;
    fake_clock_advance(CLOCK_S);
    app_stop(&app);
    EXPECT_INT(app.drain_until, until);
    EXPECT_INT(ends, INSTANCES);
    all(app_instance_rested);
    EXPECT_INT(releases, 1);
    app_lease_events.on_end(&app, LEASE_END_RELEASED, CLOCK_NEVER, "the lease was released");
    EXPECT_INT(rests, 0);
    EXPECT_INT(stops, INSTANCES);
    all(app_instance_ended);
    EXPECT_INT(stopped(), true);
    kube_client_destroy(app.writes);
}

Test(term, sigterm_long_after_a_step_down_has_its_own_time)
{
    with_writes();
    begin();
    app_step_down(&app);
    all(app_instance_rested);
    app_lease_events.on_end(&app, LEASE_END_RELEASED, CLOCK_NEVER, "the lease was released");
    fake_clock_advance(3600 * CLOCK_S);
    app_stop(&app);
    EXPECT_INT(app.drain_until, clock_now() + 10 * CLOCK_S);
    kube_client_destroy(app.writes);
}

/* -- With fencing on the server -- */

static void begin_fenced(void)
{
    app.fencing = (app_fencing_t *) &app; /* only passed on */
    begin();
}

Test(term, under_server_side_fencing_an_instance_begins_when_it_is_proved)
{
    begin_fenced();
    EXPECT_INT(fencings, 1);
    EXPECT_INT(begins, 0);
    app_begin_proved(&app, 1);
    EXPECT_INT(begins, 1);
    app_begin_proved(&app, 0);
    EXPECT_INT(begins, 2);
}

Test(term, that_ends_before_all_are_proved_ends_those_that_began)
{
    begin_fenced();
    app_begin_proved(&app, 1);
    app_lease_events.on_end(&app, LEASE_END_LOST, clock_now(), "the lease was deleted");
    EXPECT_INT(fencings, 0);
    EXPECT_INT(ends, 1);
    EXPECT_INT(rests, 0);
    app_instance_rested(&instances[1]);
    EXPECT_INT(rests, 1);
}

Test(term, that_ends_before_any_is_proved_has_nothing_to_end)
{
    begin_fenced();
    app_lease_events.on_end(&app, LEASE_END_LOST, clock_now(), "the lease was deleted");
    EXPECT_INT(ends, 0);
    EXPECT_INT(rests, 1);
}
