/* SPDX-License-Identifier: Apache-2.0 */
/* The elector alone, two of them in this process, on a real API server. */
#include "base/clock.h"
#include "e2e.h"
#include "lease/lease.h"

#include <stdatomic.h>

#define S(n) ((n) *CLOCK_S)
#define MS(n) ((n) *CLOCK_MS)

/* A host without anything to lead. */
typedef struct host {
    lease_t *lease;
    loop_t *loop; /* shared by both */
    fence_t *fence;
    int begun, ended, observed;
    int64_t begun_at;
    enum lease_end end;
    _Atomic int64_t fell_at;
} host_t;

typedef struct world {
    e2e_t *e;
    loop_t *loop;
    loop_timer_t alarm;
    bool rang;
    kube_credentials_t *credentials;
    const char *name; /* of the Lease */
    host_t a, b;
} world_t;

static void on_begin(void *arg, fence_t *fence)
{
    host_t *h = arg;

    fence_unref(h->fence);
    h->fence = fence;
    h->begun++;
    h->begun_at = clock_now();
    loop_stop(h->loop);
}

static void on_end(void *arg, enum lease_end end, int64_t until, const char *reason)
{
    host_t *h = arg;

    (void) until;
    tap_note("term ended: %s", reason);
    h->end = end;
    h->ended++;
    loop_stop(h->loop);
}

static void on_fall(void *arg)
{
    host_t *h = arg;

    atomic_store(&h->fell_at, clock_now());
}

static void on_observed(void *arg, const char *holder, bool mine)
{
    host_t *h = arg;

    (void) holder, (void) mine;
    h->observed++;
    loop_stop(h->loop);
}

static void on_alarm(loop_timer_t *timer)
{
    world_t *w = HOST_CONTAINER(timer, world_t, alarm);

    w->rang = true;
    loop_stop(w->loop);
}

static void start(world_t *w, host_t *h, const char *identity)
{
    lh_error_t err = {0};
    lease_options_t o = {.owner = w->loop,
                         .credentials = w->credentials,
                         .namespace = w->e->ns,
                         .name = w->name,
                         .identity = identity,
                         .lease_duration = S(15),
                         .renew_deadline = S(10),
                         .retry_period = S(2),
                         .stop_budget = MS(200),
                         .clock_skew = 0.02,
                         .events = {.on_begin = on_begin,
                                    .on_end = on_end,
                                    .on_fall = on_fall,
                                    .on_observed = on_observed,
                                    .arg = h}};

    *h = (host_t){.loop = w->loop};
    int ret = lease_start(&o, &h->lease, &err);

    if (ret < 0)
        tap_note("%s", err.text);
    REQUIRE_INT(ret, 0);
}

static bool await(world_t *w, const int *count, int n, int ms)
{
    w->rang = false;
    loop_timer_set(&w->alarm, clock_now() + MS(ms));
    while (*count < n && !w->rang)
        loop_run(w->loop);
    loop_timer_clear(&w->alarm);
    return *count >= n;
}

static void idle(world_t *w, int ms)
{
    int never = 0;

    await(w, &never, 1, ms);
}

static void open_world(world_t *w, void *arg, const char *name)
{
    const char *const env[] = {NULL};
    lh_error_t err = {0};

    *w = (world_t){.e = arg, .name = name};
    REQUIRE_INT(loop_create(&w->loop, &err), 0);
    loop_timer_init(&w->alarm, w->loop, on_alarm);
    REQUIRE_INT(
        kube_credentials_load(
            &(kube_credentials_source_t){.path = getenv("LEASEHOLD_TEST_KUBECONFIG"), .env = env},
            &w->credentials, &err),
        0);
}

static void close_world(world_t *w)
{
    lease_stop(w->a.lease);
    lease_stop(w->b.lease);
    fence_unref(w->a.fence);
    fence_unref(w->b.fence);
    loop_timer_clear(&w->alarm);
    loop_destroy(w->loop);
    kube_credentials_destroy(w->credentials);
}

/* a leads, b stands by. */
static void open_pair(world_t *w, void *arg, const char *name)
{
    open_world(w, arg, name);
    e2e_make_lease(w->e, name);
    start(w, &w->a, "a");
    REQUIRE_TRUE(await(w, &w->a.begun, 1, 5000));
    start(w, &w->b, "b");
    REQUIRE_TRUE(await(w, &w->b.observed, 1, 5000));
    idle(w, 200);
}

static const char *lease_path(const world_t *w)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", w->e->leases, w->name);
    return path;
}

static double ms_since(int64_t since, int64_t at)
{
    return (double) (at - since) / CLOCK_MS;
}

static void an_empty_lease_is_led_at_once(void *arg)
{
    world_t w;
    int64_t from = clock_now();

    open_world(&w, arg, "empty");
    e2e_make_lease(w.e, w.name);
    start(&w, &w.a, "a");
    EXPECT_TRUE(await(&w, &w.a.begun, 1, 3000));
    tap_note("led after %.1f ms", ms_since(from, w.a.begun_at));
    EXPECT_STR(e2e_holder(w.e, w.name), "a");
    close_world(&w);
}

static void a_release_hands_over_in_milliseconds(void *arg)
{
    world_t w;
    double worst = 0;

    open_pair(&w, arg, "handover");
    for (int i = 0; i < 10; i++) {
        host_t *from = i % 2 == 0 ? &w.a : &w.b, *to = i % 2 == 0 ? &w.b : &w.a;
        int begun = to->begun, ended = from->ended;
        int64_t at = clock_now();

        lease_release(from->lease, true, true);
        REQUIRE_TRUE(await(&w, &to->begun, begun + 1, 5000));
        double took = ms_since(at, to->begun_at);

        tap_note("handover %d: %.1f ms", i + 1, took);
        worst = HOST_MAX(worst, took);
        REQUIRE_TRUE(await(&w, &from->ended, ended + 1, 5000));
        EXPECT_INT(from->end, LEASE_END_RELEASED);
        lease_rested(from->lease);
        idle(&w, 300);
    }
    EXPECT_TRUE(worst < 200);
    close_world(&w);
}

static void a_leader_that_dies_is_followed_after_its_lease(void *arg)
{
    world_t w;

    open_pair(&w, arg, "takeover");
    idle(&w, 3000);
    int64_t at = clock_now();

    lease_stop(host_steal(w.a.lease)); /* releases nothing, as after SIGKILL */
    EXPECT_TRUE(!fence_open(w.a.fence));
    REQUIRE_TRUE(await(&w, &w.b.begun, 1, 20000));
    double took = ms_since(at, w.b.begun_at);

    tap_note("takeover: %.3f s", took / 1000);
    EXPECT_TRUE(took > 12900 && took < 15300);
    close_world(&w);
}

static void an_edit_to_another_holder_closes_the_fence_in_milliseconds(void *arg)
{
    world_t w;

    open_pair(&w, arg, "edit");
    int64_t at = clock_now();
    API_REPLY r = api_patch(w.e->api, lease_path(&w), "merge",
                            "{\"spec\":{\"holderIdentity\":\"somebody\"}}");
    int64_t answered = clock_now();

    EXPECT_INT(r.status, 200);
    REQUIRE_TRUE(await(&w, &w.a.ended, 1, 5000));
    EXPECT_INT(w.a.end, LEASE_END_LOST);
    tap_note("fallen %.1f ms after the edit was sent, %.1f ms after its answer",
             ms_since(at, w.a.fell_at), ms_since(answered, w.a.fell_at));
    EXPECT_TRUE(ms_since(answered, w.a.fell_at) < 100);
    idle(&w, 1000);
    EXPECT_INT(w.b.begun, 0); /* it waits for somebody's lease */
    close_world(&w);
}

static void a_deleted_lease_closes_the_fence_and_is_waited_out(void *arg)
{
    world_t w;

    open_pair(&w, arg, "deleted");
    idle(&w, 1000);
    API_REPLY r = api_delete(w.e->api, "%s", lease_path(&w));
    int64_t answered = clock_now();

    EXPECT_INT(r.status, 200);
    REQUIRE_TRUE(await(&w, &w.a.ended, 1, 5000));
    tap_note("fallen %.1f ms after the answer", ms_since(answered, w.a.fell_at));
    EXPECT_TRUE(ms_since(answered, w.a.fell_at) < 100);
    lease_rested(w.a.lease);
    w.a.begun = 0;
    int64_t at = clock_now();

    idle(&w, 10000);
    EXPECT_INT(w.a.begun + w.b.begun, 0);
    while (w.a.begun + w.b.begun == 0 && clock_now() < at + S(20))
        idle(&w, 50);
    EXPECT_INT(w.a.begun + w.b.begun, 1);
    tap_note("led again %.3f s after the deletion", ms_since(answered, clock_now()) / 1000);
    close_world(&w);
}

static void annotations_every_half_second_do_not_cost_the_lease(void *arg)
{
    world_t w;

    open_pair(&w, arg, "annotated");
    for (int i = 0; i < 32; i++) {
        API_REPLY r = api_patch(w.e->api, lease_path(&w), "merge",
                                "{\"metadata\":{\"annotations\":{\"note\":\"%d\"}}}", i);

        EXPECT_INT(r.status, 200);
        idle(&w, 500);
    }
    EXPECT_INT(w.a.ended, 0);
    EXPECT_TRUE(fence_open(w.a.fence));
    close_world(&w);
}

static void a_duration_cut_to_a_second_does_not_let_the_standby_in(void *arg)
{
    world_t w;

    open_pair(&w, arg, "shortened");
    API_REPLY r =
        api_patch(w.e->api, lease_path(&w), "merge", "{\"spec\":{\"leaseDurationSeconds\":1}}");

    EXPECT_INT(r.status, 200);
    idle(&w, 4000);
    EXPECT_INT(w.a.ended, 0);
    EXPECT_INT(w.b.begun, 0);
    API_REPLY now = api_get(w.e->api, "%s", lease_path(&w));

    EXPECT_INT(api_int(now.json, "/spec/leaseDurationSeconds"), 15);
    close_world(&w);
}

static void foreign_fields_survive(void *arg)
{
    world_t w;

    open_pair(&w, arg, "foreign");
    API_REPLY r = api_patch(w.e->api, lease_path(&w), "merge",
                            "{\"metadata\":{\"labels\":{\"team\":\"x\"},\"annotations\":"
                            "{\"note\":\"kept\"}}}");

    EXPECT_INT(r.status, 200);
    idle(&w, 4500);
    API_REPLY now = api_get(w.e->api, "%s", lease_path(&w));

    EXPECT_STR(api_str(now.json, "/metadata/labels/team"), "x");
    EXPECT_STR(api_str(now.json, "/metadata/annotations/note"), "kept");
    EXPECT_STR(api_str(now.json, "/spec/holderIdentity"), "a");
    close_world(&w);
}

static void a_release_that_comes_after_the_deletion_creates_nothing(void *arg)
{
    world_t w;

    open_pair(&w, arg, "gone");
    lease_stop(host_steal(w.b.lease));
    API_REPLY r = api_delete(w.e->api, "%s", lease_path(&w));

    EXPECT_INT(r.status, 200);
    lease_release(w.a.lease, true, true);
    REQUIRE_TRUE(await(&w, &w.a.ended, 1, 5000));
    idle(&w, 300);
    API_REPLY now = api_get(w.e->api, "%s", lease_path(&w));

    EXPECT_INT(now.status, 404);
    close_world(&w);
}

int main(int argc, char **argv)
{
    static const tap_test_t tests[] = {
        {"lease: an empty lease is led at once", an_empty_lease_is_led_at_once},
        {"lease: a release hands over in milliseconds", a_release_hands_over_in_milliseconds},
        {"lease: a leader that dies is followed after its lease",
         a_leader_that_dies_is_followed_after_its_lease},
        {"lease: an edit to another holder closes the fence in milliseconds",
         an_edit_to_another_holder_closes_the_fence_in_milliseconds},
        {"lease: a deleted lease closes the fence and is waited out",
         a_deleted_lease_closes_the_fence_and_is_waited_out},
        {"lease: annotations every half second do not cost the lease",
         annotations_every_half_second_do_not_cost_the_lease},
        {"lease: a duration cut to a second does not let the standby in",
         a_duration_cut_to_a_second_does_not_let_the_standby_in},
        {"lease: foreign fields survive", foreign_fields_survive},
        {"lease: a release that comes after the deletion creates nothing",
         a_release_that_comes_after_the_deletion_creates_nothing},
    };

    return e2e_main(argc, argv, "lease", tests, HOST_LEN(tests));
}
