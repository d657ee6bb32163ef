/* SPDX-License-Identifier: Apache-2.0 */
/* An event of a watch from its bytes to the completed reconcile: everything that the host does but the
 * socket and the change of threads. A runner of our own completes each job as soon as it has it, and
 * one loop runs it all, so that what is counted is the same at every run. */
#include "base/clock.h"
#include "bench/micro/micro.h"
#include "plugin/controller.h"
#include "support/fake_kube.h"

#include <string.h>
#include <unistd.h>

static const char manifest[] =
    "{\"abi\": 0, \"id\": \"micro\", \"version\": \"1.0.0\", \"watches\": [{\"version\": \"v1\", "
    "\"resource\": \"configmaps\", \"kind\": \"ConfigMap\"}]}";

typedef struct rig {
    plugin_runner_t runner; /* first */
    loop_t *loop;
    fake_kube_t *kube;
    plugin_shared_t shared;
    plugin_manifest_t *manifest;
    watch_hub_t *hub;
    plugin_services_t *services;
    plugin_controller_t *controller;
    fence_t *fence;
    buf_t frame;
    char *version; /* its digits in there */
    size_t jobs, completed;
    uint64_t ctx; /* of the job at hand */
} rig_t;

static void reconcile(plugin_runner_t *runner, const plugin_job_t *job)
{
    rig_t *r = (rig_t *) runner;

    MICRO_REQUIRE(job->object != NULL);
    r->ctx = job->ctx;
    r->jobs++;
}

static const plugin_runner_ops_t ops = {.reconcile = reconcile};

static void on_complete(void *arg, uint64_t ctx, const lh_result_t *result, int64_t at)
{
    rig_t *r = arg;

    r->completed++;
    plugin_controller_completed(r->controller, ctx, result, at);
}

static void on_enqueue(void *arg, uint32_t watch, const char *ns, const char *name)
{
    (void) arg, (void) watch, (void) ns, (void) name;
}

static void on_written(void *arg, const char *method, const char *path, const char *body,
                       size_t len)
{
    (void) arg, (void) method, (void) path, (void) body, (void) len;
}

static void on_idle(void *arg)
{
    (void) arg;
}

static void on_state(void *arg, const char *problem)
{
    (void) arg, (void) problem;
}

static void start_controller(rig_t *r)
{
    r->services =
        plugin_services_create(&r->shared, "micro", NULL, r->manifest,
                               &(plugin_services_hooks_t){on_complete, on_enqueue, on_written, r});
    r->controller = plugin_controller_create(&(plugin_controller_options_t){
        .shared = &r->shared,
        .hub = r->hub,
        .name = "micro",
        .manifest = r->manifest,
        .services = r->services,
        .workers = 1,
        .max_in_flight = 64,
        .log = r->shared.log,
        .on_idle = on_idle,
        .on_state = on_state,
        .arg = r,
    });
    r->fence = fence_create(1, CLOCK_NEVER);
    plugin_services_begin(r->services, r->fence);
    MICRO_REQUIRE(plugin_controller_open(r->controller, &r->runner, r->fence, NULL) == 0);
}

/* An empty list, then a watch. */
static void sync_all(rig_t *r)
{
    loop_turn(r->loop);
    fake_kube_answer_lookups(r->kube);
    for (int turn = 0; turn < 4; turn++)
        loop_turn(r->loop);
    kube_call_t *call = fake_kube_find(r->kube, "watch=1");

    MICRO_REQUIRE(call != NULL);
    fake_kube_head(call);
    MICRO_REQUIRE(fake_kube_data(
        call, "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\","
              "\"metadata\":{\"resourceVersion\":\"5\",\"annotations\":{"
              "\"k8s.io/initial-events-end\":\"true\"}}}}\n"));
    for (int turn = 0; turn < 4; turn++)
        loop_turn(r->loop);
}

static void make_frame(rig_t *r)
{
    static const char key[] = "\"resourceVersion\":\"";

    buf_puts(&r->frame, "{\"type\":\"MODIFIED\",\"object\":");
    micro_object(&r->frame, 0, 1000000, true);
    buf_puts(&r->frame, "}\n");
    r->version = strstr(r->frame.data, key) + sizeof(key) - 1;
}

static void *create(void)
{
    rig_t *r = host_xcalloc(1, sizeof(*r));

    r->runner.ops = &ops;
    MICRO_REQUIRE(loop_create(&r->loop, NULL) == 0);
    r->kube = fake_kube_create();
    r->shared = (plugin_shared_t){.loop = r->loop,
                                  .reads = fake_kube_client(r->kube),
                                  .writes = fake_kube_client(r->kube),
                                  .log = log_create(STDERR_FILENO, LOG_TEXT, LOG_ERROR),
                                  .metrics = metrics_create(),
                                  .health = health_create(),
                                  .identity = "micro",
                                  .next_ctx = 1};
    r->hub = watch_hub_create(&(watch_hub_options_t){.loop = r->loop,
                                                     .client = fake_kube_client(r->kube),
                                                     .discovery = fake_kube_discovery(r->kube),
                                                     .log = r->shared.log,
                                                     .metrics = r->shared.metrics});
    MICRO_REQUIRE(plugin_manifest_parse(manifest, strlen(manifest), &r->manifest, NULL) == 0);
    make_frame(r);
    start_controller(r);
    sync_all(r);
    return r;
}

/* The version is the only thing that is new each time. */
static void next_version(const rig_t *r)
{
    char *digit = r->version + strspn(r->version, "0123456789") - 1;

    while (*digit == '9')
        *digit-- = '0';
    ++*digit;
}

static void run(void *state, size_t n)
{
    static const lh_result_t done = {.struct_size = sizeof(done), .action = LH_DONE};
    rig_t *r = state;
    const plugin_backend_t backend = plugin_services_backend(r->services);
    kube_call_t *call = fake_kube_find(r->kube, "watch=1");

    for (size_t i = 0; i < n; i++) {
        r->jobs = r->completed = 0;
        next_version(r);
        MICRO_REQUIRE(fake_kube_data(call, r->frame.data));
        loop_turn(r->loop); /* hands the key to the runner */
        MICRO_REQUIRE(r->jobs == 1);
        backend.ops->complete(backend.self, (lh_completion_t){r->ctx}, &done);
        plugin_controller_returned(r->controller, r->ctx, true, clock_now(), clock_now());
        loop_turn(r->loop);
        MICRO_REQUIRE(r->completed == 1);
    }
}

static void destroy(void *state)
{
    rig_t *r = state;

    plugin_controller_close(r->controller);
    plugin_controller_destroy(r->controller);
    plugin_services_destroy(r->services);
    fence_unref(r->fence);
    while (fake_kube_open(r->kube) > 0)
        loop_turn(r->loop);
    watch_hub_destroy(r->hub);
    fake_kube_destroy(r->kube);
    plugin_manifest_destroy(r->manifest);
    metrics_destroy(r->shared.metrics);
    health_destroy(r->shared.health);
    log_destroy((log_t *) r->shared.log);
    loop_destroy(r->loop);
    buf_fini(&r->frame);
    free(r);
}

const micro_case_t micro_event = {
    "event", "an event from its bytes to the completed reconcile", create, run, destroy, NULL};
