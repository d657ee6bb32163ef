/* SPDX-License-Identifier: Apache-2.0 */
/* The elector's thread, over a real socket and by the real clock. */
#include "owner.h"

#include "base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static metrics_t *metrics;
static health_t *health;
static char dir[] = "/tmp/lease-test-XXXXXX";

static void setup(void)
{
    server_start();
    metrics = metrics_create();
    health = health_create();
    cr_assert(mkdtemp(dir) != NULL);
}

static void teardown(void)
{
    host_cleanup(host_freep) char *file = host_xprintf("%s/instance", dir);

    health_destroy(health);
    metrics_destroy(metrics);
    server_stop();
    unlink(file);
    rmdir(dir);
}

TestSuite(lease, .init = setup, .fini = teardown, .timeout = 60);

static void make_held(sim_t *s)
{
    sim_create_lease(s, "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":15}", NULL);
}

static void give_to_x(sim_t *s)
{
    sim_edit(s, "{\"holderIdentity\":\"x\"}");
}

static void expect_lease(const char *expected)
{
    host_cleanup(host_freep) char *text = http_lease_text(server);

    EXPECT_STR(text, expected);
}

static double metric(const char *series)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    cr_assert(metrics_render(metrics, METRICS_TEXT, &out) == 0);
    const char *at = strstr(buf_text(&out), series);

    return at != NULL ? strtod(at + strlen(series), NULL) : -1;
}

/* --- tests --- */

Test(lease, begins_a_term_on_an_empty_lease)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000), "no term after 5 s");
    EXPECT_INT(fence_open(o.fence), true);
    EXPECT_INT(o.fence->term, 1);
    expect_lease("a/2/1");
    EXPECT_STR(o.holder, "a");
    owner_fini(&o);
}

Test(lease, keeps_it_by_renewing)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    idle(&o, 2500);
    EXPECT_INT(fence_open(o.fence), true);
    EXPECT_INT(o.ended, 0);
    owner_fini(&o);
}

Test(lease, loses_it_on_an_edit_within_milliseconds)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    idle(&o, 100);
    int64_t edited = clock_now();

    http_lease_do(server, give_to_x);
    cr_assert(await(&o, &o.ended, 1, 5000));
    EXPECT_INT(o.end, LEASE_END_LOST);
    EXPECT_STR(o.reason, "the lease is held by 'x'");
    EXPECT_INT(o.falls, 1);
    EXPECT_WITHIN(o.fell_at - edited, 0, MS(100));
    EXPECT_INT(fence_open(o.fence), false);
    owner_fini(&o);
}

Test(lease, releases_it)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    lease_release(o.lease, true, true);
    EXPECT_INT(fence_open(o.fence), false); /* closed by the call itself */
    cr_assert(await(&o, &o.ended, 1, 5000));
    EXPECT_INT(o.end, LEASE_END_RELEASED);
    EXPECT_INT(o.falls, 0);
    expect_lease("/1/1");
    owner_fini(&o);
}

Test(lease, hands_over_to_a_standby_within_milliseconds)
{
    owner_t a, b;

    http_lease_do(server, make_empty);
    owner_init(&a, "a");
    owner_start(&a);
    cr_assert(await(&a, &a.begun, 1, 5000));
    owner_init(&b, "b");
    owner_start(&b);
    cr_assert(await(&b, &b.observed, 1, 5000));
    idle(&b, 100);
    int64_t released = clock_now();

    lease_release(a.lease, true, true);
    cr_assert(await(&b, &b.begun, 1, 5000));
    EXPECT_WITHIN(clock_now() - released, 0, MS(150));
    expect_lease("b/2/2");
    owner_fini(&a);
    owner_fini(&b);
}

Test(lease, stopping_without_release_leaves_it_to_run_out)
{
    owner_t a, b;

    http_lease_do(server, make_empty);
    owner_init(&a, "a");
    owner_start(&a);
    cr_assert(await(&a, &a.begun, 1, 5000));
    owner_init(&b, "b");
    owner_start(&b);
    cr_assert(await(&b, &b.observed, 1, 5000));
    fence_t *fence = fence_ref(a.fence);

    owner_fini(&a);
    EXPECT_INT(fence_open(fence), false);
    fence_unref(fence);
    int64_t stopped = clock_now();

    cr_assert(await(&b, &b.begun, 1, 5000));
    EXPECT_WITHIN(clock_now() - stopped, MS(1700), MS(2300));
    owner_fini(&b);
}

Test(lease, expires_when_the_server_refuses_every_renewal_and_comes_back)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    http_lease_fail(server, 503);
    cr_assert(await(&o, &o.ended, 1, 3000));
    EXPECT_INT(o.end, LEASE_END_EXPIRED);
    EXPECT_INT(o.falls, 1);
    http_lease_fail(server, 0);
    lease_rested(o.lease);
    cr_assert(await(&o, &o.begun, 2, 3000));
    EXPECT_INT(o.fence->term, 2);
    owner_fini(&o);
}

Test(lease, waits_for_a_server_that_is_not_there_yet)
{
    uint16_t port;
    http_server_t *s = http_server_start(&(http_server_options_t){0});
    owner_t o;

    port = http_server_port(s);
    http_server_stop(s);
    host_cleanup(host_freep) char *url = host_xprintf("http://127.0.0.1:%u", port);

    credentials.server = url;
    owner_init(&o, "a");
    owner_start(&o);
    idle(&o, 600);
    EXPECT_INT(o.observed, 0);
    owner_fini(&o); /* and ends without having reached it */
}

Test(lease, rule_14_is_not_renewed_for_an_owner_that_does_not_turn)
{
    owner_t o;
    _Atomic int64_t beat = clock_now();

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    o.options.lease_duration = S(5);
    o.options.renew_deadline = S(3);
    o.options.owner_beat = &beat;
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    int64_t stuck = clock_now();

    cr_assert(await(&o, &o.ended, 1, 8000));
    EXPECT_INT(o.end, LEASE_END_EXPIRED);
    EXPECT_WITHIN(o.fell_at - stuck, S(2), S(5) + MS(500));
    owner_fini(&o);
}

/* How often the elector's thread has waited and was woken. */
static int electors_turns(void)
{
    char path[64], text[4096];
    int turns = -1;
    DIR *tasks = opendir("/proc/self/task");

    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", task->d_name);
        FILE *f = fopen(path, "r");
        const size_t len = f != NULL ? fread(text, 1, sizeof(text) - 1, f) : 0;

        text[len] = '\0';
        if (f != NULL)
            fclose(f);
        const char *switches = strstr(text, "\nvoluntary_ctxt_switches:");
        if (strncmp(text, "Name:\telector\n", 14) == 0 && switches != NULL)
            turns = (int) strtol(strchr(switches, '\t'), NULL, 10);
    }
    closedir(tasks);
    return turns;
}

/* It beat each second as well, though a renewal's answer had just shown that it lives. */
Test(lease, a_leader_sleeps_between_its_renewals)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    o.options.lease_duration = S(15);
    o.options.renew_deadline = S(10);
    o.options.retry_period = S(4);
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    idle(&o, 500);
    const int before = electors_turns();

    idle(&o, 2500);
    EXPECT_INT(before > 0, true);
    EXPECT_INT(electors_turns() - before, 0);
    owner_fini(&o);
}

Test(lease, a_watch_that_is_refused_is_replaced_by_asking)
{
    owner_t o;

    http_lease_refuse_watch(server, 403);
    http_lease_do(server, make_held);
    owner_init(&o, "a");
    owner_start(&o);
    cr_assert(await(&o, &o.observed, 1, 5000));
    EXPECT_STR(o.holder, "x");
    size_t before = http_server_requests(http_lease_server(server));

    idle(&o, 1500);
    size_t asked = http_server_requests(http_lease_server(server)) - before;

    cr_expect(asked >= 4 && asked <= 8, "%zu requests in 1.5 s", asked);
    owner_fini(&o);
}

Test(lease, a_watch_ended_by_an_error_event_is_opened_again)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    idle(&o, 100);
    http_lease_end_watches(server, 410);
    idle(&o, 500);
    EXPECT_INT(o.ended, 0);
    int64_t edited = clock_now();

    http_lease_do(server, give_to_x);
    cr_assert(await(&o, &o.ended, 1, 5000));
    EXPECT_WITHIN(o.fell_at - edited, 0, MS(100));
    owner_fini(&o);
}

/* --- rule 17 --- */

static void restart(const char *state_dir, const char *again_in, int ms, bool expected)
{
    owner_t first, second;

    http_lease_do(server, make_empty);
    owner_init(&first, "a");
    first.options.state_dir = state_dir;
    first.options.lease_duration = S(15);
    owner_start(&first);
    cr_assert(await(&first, &first.begun, 1, 5000));
    owner_fini(&first);
    owner_init(&second, "a");
    second.options.state_dir = again_in;
    second.options.lease_duration = S(15);
    owner_start(&second);
    EXPECT_INT(await(&second, &second.begun, 1, ms), expected);
    if (expected)
        EXPECT_INT(second.fence->term, 2);
    owner_fini(&second);
}

Test(lease, rule_17_a_restart_with_its_instance_file_resumes_at_once)
{
    restart(dir, dir, 2000, true);
}

Test(lease, rule_17_a_restart_without_it_waits)
{
    restart(dir, NULL, 1000, false);
}

Test(lease, rule_17_a_second_live_process_does_not_resume)
{
    owner_t first, second;

    http_lease_do(server, make_empty);
    owner_init(&first, "a");
    first.options.state_dir = dir;
    owner_start(&first);
    cr_assert(await(&first, &first.begun, 1, 5000));
    owner_init(&second, "a");
    second.options.state_dir = dir;
    owner_start(&second);
    EXPECT_INT(await(&second, &second.begun, 1, 1500), false);
    EXPECT_INT(fence_open(first.fence), true);
    owner_fini(&second);
    owner_fini(&first);
}

static _Atomic bool hold_syncs, syncing;

/* In the place of the C library's: the elector thread waits in it as long as the test wants. */
int fsync(int fd)
{
    atomic_store(&syncing, true);
    while (atomic_load(&hold_syncs))
        usleep(1000);
    return (int) syscall(SYS_fsync, fd);
}

static bool has_written(void)
{
    http_server_t *s = http_lease_server(server);
    bool found = false;

    for (size_t i = 0; i < http_server_requests(s) && !found; i++)
        found = strncmp(http_server_line(s, i), "PUT ", 4) == 0;
    return found;
}

Test(lease, rule_17_nothing_is_written_to_the_lease_before_the_new_id_is_in_the_file)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    o.options.state_dir = dir;
    atomic_store(&hold_syncs, true);
    owner_start(&o);
    for (int i = 0; i < 5000 && !atomic_load(&syncing); i++)
        usleep(1000);
    EXPECT_INT(atomic_load(&syncing), true);
    idle(&o, 100);
    EXPECT_INT(has_written(), false);
    atomic_store(&hold_syncs, false);
    cr_assert(await(&o, &o.begun, 1, 5000));
    EXPECT_INT(has_written(), true);
    owner_fini(&o);
}

/* --- what people see --- */

static int leader_document(buf_t *out)
{
    buf_clear(out);
    return health_document(health, "/leader", out);
}

Test(lease, the_leader_document_says_who_leads)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    owner_t o;

    http_lease_do(server, make_held);
    owner_init(&o, "a");
    o.options.health = health;
    owner_start(&o);
    cr_assert(await(&o, &o.observed, 1, 5000));
    idle(&o, 20);
    EXPECT_INT(leader_document(&out), 503);
    EXPECT_HAS(buf_text(&out), "\"state\":\"standby\"");
    EXPECT_HAS(buf_text(&out), "\"holder\":\"x\"");
    EXPECT_HAS(buf_text(&out), "\"identity\":\"a\"");
    EXPECT_HAS(buf_text(&out), "\"secondsToDeadline\":null");
    owner_fini(&o);
    EXPECT_INT(leader_document(&out), 503);
}

Test(lease, the_leader_document_is_200_on_the_leader_alone)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    o.options.health = health;
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    idle(&o, 20);
    EXPECT_INT(leader_document(&out), 200);
    EXPECT_HAS(buf_text(&out), "\"state\":\"leading\"");
    EXPECT_HAS(buf_text(&out), "\"term\":1,\"leaseAge\":0.");
    const char *left = strstr(buf_text(&out), "\"secondsToDeadline\":");
    cr_assert(left != NULL);
    const double seconds = strtod(left + strlen("\"secondsToDeadline\":"), NULL);
    cr_expect(seconds > 0 && seconds <= 1, "%g s to a deadline that is 1 s from the send", seconds);
    http_lease_do(server, give_to_x);
    cr_assert(await(&o, &o.ended, 1, 5000));
    idle(&o, 20);
    EXPECT_INT(leader_document(&out), 503);
    EXPECT_HAS(buf_text(&out), "\"holder\":\"x\"");
    owner_fini(&o);
}

Test(lease, a_leader_that_hands_over_is_stopping_and_still_the_leader)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    o.options.health = health;
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    fence_close_gate(o.fence);
    idle(&o, 400); /* past a renewal */
    EXPECT_INT(leader_document(&out), 200);
    EXPECT_HAS(buf_text(&out), "\"state\":\"stopping\"");
    owner_fini(&o);
}

Test(lease, a_host_that_holds_without_leading_says_so)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    owner_t o;

    owner_init(&o, "a");
    o.options.health = health;
    owner_start(&o);
    cr_assert(await(&o, &o.observed, 2, 5000)); /* absent, then held by itself */
    idle(&o, 20);
    EXPECT_INT(leader_document(&out), 503);
    EXPECT_HAS(buf_text(&out), "\"state\":\"holding\"");
    EXPECT_HAS(buf_text(&out), "\"holder\":\"a\"");
    owner_fini(&o);
}

Test(lease, metrics_keep_the_names_of_client_go)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    o.options.metrics = metrics;
    owner_start(&o);
    EXPECT_INT(metric("leader_election_master_status{name=\"" SIM_LEASE "\"} "), 0);
    cr_assert(await(&o, &o.begun, 1, 5000));
    idle(&o, 600);
    EXPECT_INT(metric("leader_election_master_status{name=\"" SIM_LEASE "\"} "), 1);
    EXPECT_INT(metric("leader_election_slowpath_total{name=\"" SIM_LEASE "\"} "), 0);
    EXPECT_INT(metric("leasehold_lease_transitions_total{name=\"" SIM_LEASE
                      "\",change=\"acquired\","
                      "cause=\"released\"} "),
               1);
    cr_expect(metric("leasehold_lease_renew_duration_seconds_count{name=\"" SIM_LEASE "\"} ") >= 2);
    cr_expect(metric("leasehold_lease_deadline_seconds{name=\"" SIM_LEASE "\"} ") > 0);
    EXPECT_INT(metric("leasehold_lease_gate_open{name=\"" SIM_LEASE "\"} "), 1);
    fence_close_gate(o.fence);
    idle(&o, 600); /* the next renewal shows it */
    EXPECT_INT(metric("leasehold_lease_gate_open{name=\"" SIM_LEASE "\"} "), 0);
    EXPECT_INT(metric("leader_election_master_status{name=\"" SIM_LEASE "\"} "), 1);
    owner_fini(&o);
}

static bool live(const char *check, buf_t *out)
{
    buf_clear(out);
    return health_report_one(health, HEALTH_LIVEZ, check, out) == 1;
}

Test(lease, h1_h3_livez_is_fine_for_a_host_that_does_not_lead_however_old_the_lease)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    owner_t o;

    http_lease_do(server, make_held);
    owner_init(&o, "a");
    o.options.health = health;
    owner_start(&o);
    EXPECT_INT(live("lease", &out), true); /* before it has seen anything */
    cr_assert(await(&o, &o.observed, 1, 5000));
    idle(&o, 3000); /* longer than the deadline and the 2 s after it */
    EXPECT_INT(live("lease", &out), true);
    owner_fini(&o);
}

Test(lease, h2_h4_h5_livez_fails_for_a_host_that_calls_itself_leader_two_seconds_after_its_deadline)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    o.options.health = health;
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    EXPECT_INT(live("lease", &out), true);
    EXPECT_INT(live("elector", &out), true);
    http_lease_fail(server, 503);
    usleep(2000 * 1000); /* the owner is stuck: it does not learn of the end of its term */
    EXPECT_INT(live("lease", &out), true);
    usleep(1600 * 1000);
    EXPECT_INT(live("lease", &out), false);
    EXPECT_HAS(buf_text(&out), "still calls itself leader");
    EXPECT_INT(live("elector", &out), true);
    cr_assert(await(&o, &o.ended, 1, 1000)); /* it turns again */
    EXPECT_INT(live("lease", &out), true);
    owner_fini(&o);
}

Test(lease, rule_14_losing_the_api_server_fails_no_livez)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    o.options.health = health;
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    http_lease_fail(server, 503);
    cr_assert(await(&o, &o.ended, 1, 5000));
    lease_rested(o.lease);
    idle(&o, 1000);
    EXPECT_INT(health_report(health, HEALTH_LIVEZ, NULL, false, NULL, 0, &out), true);
    EXPECT_INT(live("elector", &out), true);
    EXPECT_INT(live("lease", &out), true);
    EXPECT_INT(live("lease-requests", &out), false); /* shown, and does not count */
    owner_fini(&o);
}

Test(lease, rule_1_another_process_of_the_same_name_is_shown_by_health)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    owner_t first, second;

    http_lease_do(server, make_empty);
    owner_init(&first, "a");
    owner_start(&first);
    cr_assert(await(&first, &first.begun, 1, 5000));
    owner_init(&second, "a");
    second.options.health = health;
    owner_start(&second);
    idle(&second, 1000);
    EXPECT_INT(live("lease-name", &out), false);
    EXPECT_HAS(buf_text(&out), "under the name 'a'");
    buf_clear(&out);
    EXPECT_INT(health_report(health, HEALTH_LIVEZ, NULL, false, NULL, 0, &out),
               true); /* only shown */
    owner_fini(&second);
    owner_fini(&first);
}

/* --- ends --- */

Test(lease, may_be_stopped_from_within_its_own_callback)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    o.stop_at_begin = true;
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    EXPECT_INT(fence_open(o.fence), false);
    owner_fini(&o);
}

Test(lease, a_release_that_was_asked_for_just_before_the_stop_is_carried_out)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    lease_release(o.lease, true, false);
    lease_stop(host_steal(o.lease));
    expect_lease("/1/1");
    EXPECT_INT(o.ended, 0);
    owner_fini(&o);
}

Test(lease, a_term_that_the_owner_was_never_told_of_is_given_back_by_the_stop)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    owner_start(&o);
    for (int i = 0; i < 2000; i++) { /* its loop does not turn */
        host_cleanup(host_freep) char *text = http_lease_text(server);
        if (strcmp(text, "a/2/1") == 0)
            break;
        usleep(1000);
    }
    usleep(100 * 1000);
    lease_stop(host_steal(o.lease));
    EXPECT_INT(o.begun, 0);
    expect_lease("/1/1");
    owner_fini(&o);
}

Test(lease, a_release_without_an_answer_does_not_hold_the_stop_up_for_long)
{
    owner_t o;

    http_lease_do(server, make_empty);
    owner_init(&o, "a");
    o.options.lease_duration = S(15);
    o.options.renew_deadline = S(10);
    owner_start(&o);
    cr_assert(await(&o, &o.begun, 1, 5000));
    http_lease_fail(server, 503);
    lease_release(o.lease, true, false);
    const int64_t asked = clock_now();

    lease_stop(host_steal(o.lease));
    EXPECT_WITHIN(clock_now() - asked, S(1) + MS(900), S(3) + MS(500));
    owner_fini(&o);
}

Test(lease, no_callback_follows_the_stop)
{
    owner_t o;

    http_lease_do(server, make_empty);
    for (int i = 0; i < 20; i++) {
        owner_init(&o, "a");
        owner_start(&o);
        usleep((useconds_t) i * 500);
        lease_stop(host_steal(o.lease));
        int told = o.begun + o.ended + o.observed;

        loop_turn(o.loop);
        EXPECT_INT(o.begun + o.ended + o.observed, told);
        owner_fini(&o);
    }
}

Test(lease, a_certificate_authority_that_cannot_be_read_is_refused_at_the_start)
{
    lh_error_t err = {0};
    owner_t o;

    credentials.server = (char *) "https://127.0.0.1:1";
    credentials.ca_file = (char *) "/nonexistent/ca.crt";
    owner_init(&o, "a");
    int ret = lease_start(&o.options, &o.lease, &err);

    cr_expect(ret < 0 || o.lease != NULL);
    if (ret < 0)
        EXPECT_HAS(err.text, "lease default/" SIM_LEASE);
    owner_fini(&o);
}
