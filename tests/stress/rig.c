/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

static void on_settled(void *arg)
{
    ((rig_t *) arg)->settled = true;
}

static void on_rested(void *arg)
{
    ((rig_t *) arg)->rested = true;
}

static void on_ended(void *arg)
{
    ((rig_t *) arg)->ended = true;
}

rig_t *rig_create(hooks_t *hooks, uint32_t workers)
{
    static const char manifest[] =
        "{\"abi\":0,\"id\":\"hooked\",\"version\":\"1.0.0\",\"watches\":[{\"version\":\"v1\","
        "\"resource\":\"configmaps\",\"kind\":\"ConfigMap\"}]}";
    rig_t *r = host_xcalloc(1, sizeof(*r));
    lh_error_t err = {0};

    CHECK(loop_create(&r->loop, &err) == 0, "%s", err.text);
    CHECK(plugin_manifest_parse(manifest, strlen(manifest), &r->file.manifest, &err) == 0, "%s",
          err.text);
    r->file.path = r->file.copy = host_xstrdup(HOOKED);
    r->kube = fake_kube_create();
    r->shared = (plugin_shared_t){.loop = r->loop,
                                  .reads = fake_kube_client(r->kube),
                                  .writes = fake_kube_client(r->kube),
                                  .log = log_create(STDERR_FILENO, LOG_TEXT, LOG_ERROR),
                                  .metrics = metrics_create(),
                                  .health = health_create(),
                                  .identity = "stress",
                                  .next_ctx = 1};
    r->hub = watch_hub_create(&(watch_hub_options_t){.loop = r->loop,
                                                     .client = fake_kube_client(r->kube),
                                                     .discovery = fake_kube_discovery(r->kube),
                                                     .log = r->shared.log,
                                                     .metrics = r->shared.metrics});
    r->config = host_xprintf("{\"hooks\":%llu}", (unsigned long long) (uintptr_t) hooks);
    plugin_manifest_t *own = NULL;
    CHECK(plugin_manifest_for_instance(r->file.manifest, r->config, &own, &err) == 0, "%s",
          err.text);
    r->instance = plugin_instance_create(&(plugin_instance_options_t){.shared = &r->shared,
                                                                      .hub = r->hub,
                                                                      .name = "stress",
                                                                      .file = &r->file,
                                                                      .manifest = own,
                                                                      .config = r->config,
                                                                      .workers = workers,
                                                                      .max_in_flight = 64,
                                                                      .on_settled = on_settled,
                                                                      .on_rested = on_rested,
                                                                      .on_ended = on_ended,
                                                                      .arg = r});
    rig_until(r, &r->settled, "created");
    return r;
}

void rig_destroy(rig_t *r)
{
    plugin_instance_stop(r->instance, clock_now() + 20 * CLOCK_S);
    rig_until(r, &r->ended, "ended");
    CHECK(!plugin_instance_destroy(r->instance), "a thread is still inside");
    CHECK(fake_kube_open(r->kube) == 0, "%zu requests are open", fake_kube_open(r->kube));
    watch_hub_destroy(r->hub);
    fence_unref(r->fence);
    fake_kube_destroy(r->kube);
    plugin_manifest_destroy(r->file.manifest);
    free(r->file.path);
    metrics_destroy(r->shared.metrics);
    health_destroy(r->shared.health);
    log_destroy((log_t *) r->shared.log);
    loop_destroy(r->loop);
    free(r->config);
    free(r);
}

void rig_until(rig_t *r, const bool *flag, const char *what)
{
    const int64_t until = clock_now() + 30 * CLOCK_S;

    for (loop_turn(r->loop); !*flag; loop_turn(r->loop)) {
        CHECK(clock_now() < until, "waited 30 s in vain: %s", what);
        poll(NULL, 0, 1);
    }
}

void rig_turn(rig_t *r, int64_t ns)
{
    const int64_t until = clock_now() + ns;

    while (clock_now() < until) {
        loop_turn(r->loop);
        poll(NULL, 0, 0);
    }
}

static kube_call_t *stream(rig_t *r)
{
    return fake_kube_find(r->kube, "watch=");
}

static void give(rig_t *r, const char *type, const char *metadata)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("{\"type\":\"%s\",\"object\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
                     "\"metadata\":{%s}}}\n",
                     type, metadata);

    CHECK(fake_kube_data(stream(r), text), "the stream has ended");
}

void rig_change(rig_t *r, int key, int version)
{
    host_cleanup(host_freep) char *metadata = host_xprintf(
        "\"name\":\"key-%d\",\"namespace\":\"ns\",\"uid\":\"uid-%d\",\"resourceVersion\":\"%d\"",
        key, key, version);

    give(r, "MODIFIED", metadata);
}

void rig_begin(rig_t *r, uint64_t term, int count)
{
    r->rested = false;
    fence_unref(r->fence);
    r->fence = fence_create(term, CLOCK_NEVER);
    plugin_instance_begin(r->instance, r->fence);
    while (stream(r) == NULL) {
        fake_kube_answer_lookups(r->kube);
        loop_turn(r->loop);
    }
    for (int i = 0; i < count; i++)
        rig_change(r, i, i + 1);
    give(r, "BOOKMARK",
         "\"resourceVersion\":\"1000\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}");
}

void rig_end(rig_t *r, bool forced)
{
    if (forced)
        fence_close(r->fence);
    else
        fence_close_gate(r->fence);
    plugin_instance_end(r->instance, clock_now() + 20 * CLOCK_S);
    rig_until(r, &r->rested, "rested");
}

double rig_metric(rig_t *r, const char *series)
{
    buf_t text = BUF_INIT;

    CHECK(metrics_render(r->shared.metrics, METRICS_TEXT, &text) == 0, "out of memory");
    const char *at = strstr(buf_text(&text), series);
    const double value = at != NULL ? strtod(at + strlen(series), NULL) : -1;
    buf_fini(&text);
    return value;
}
