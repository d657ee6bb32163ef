/* SPDX-License-Identifier: Apache-2.0 */
#include "services_rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void on_complete(void *arg, uint64_t ctx, const lh_result_t *result)
{
    rig_t *r = arg;

    r->completed = ctx;
    r->completions++;
    r->result = *result;
    snprintf(r->text, sizeof(r->text), "%s", result->text != NULL ? result->text : "(null)");
}

static void on_enqueue(void *arg, uint32_t watch, const char *ns, const char *name)
{
    rig_t *r = arg;

    r->enqueued++;
    snprintf(r->key, sizeof(r->key), "%u:%s/%s", watch, ns, name);
}

static void on_written(void *arg, const char *method, const char *path, const char *body,
                       size_t len)
{
    (void) method;
    (void) path;
    (void) body;
    (void) len;
    ((rig_t *) arg)->written++;
}

static void on_fenced(void *arg)
{
    ((rig_t *) arg)->fenced++;
}

rig_t *rig_create(void)
{
    static const char manifest[] =
        "{\"abi\":0,\"id\":\"rigged\",\"version\":\"1\",\"watches\":["
        "{\"version\":\"v1\",\"resource\":\"configmaps\",\"kind\":\"ConfigMap\"},"
        "{\"version\":\"v1\",\"resource\":\"secrets\",\"kind\":\"Secret\",\"role\":\"owned\"}]}";
    rig_t *r = host_xcalloc(1, sizeof(*r));
    lh_error_t err = {0};

    ASSERT_OK(loop_create(&r->loop, &err), err);
    ASSERT_OK(plugin_manifest_parse(manifest, strlen(manifest), &r->manifest, &err), err);
    r->kube = fake_kube_create();
    r->log_fd = memfd_create("log", MFD_CLOEXEC);
    r->shared = (plugin_shared_t){.loop = r->loop,
                                  .reads = fake_kube_client(r->kube),
                                  .writes = fake_kube_client(r->kube),
                                  .log = log_create(r->log_fd, LOG_TEXT, LOG_INFO),
                                  .metrics = metrics_create(),
                                  .health = health_create(),
                                  .identity = "replica-1",
                                  .policy = "fencing.x",
                                  .on_fenced = on_fenced,
                                  .fenced_arg = r,
                                  .next_ctx = 1};
    r->services =
        plugin_services_create(&r->shared, "rig", "robot", r->manifest,
                               &(plugin_services_hooks_t){on_complete, on_enqueue, on_written, r});
    const plugin_backend_t backend = plugin_services_backend(r->services);
    plugin_table_init(&r->table, &backend, NULL);
    r->host = &r->table.host;
    rig_begin(r, 1);
    return r;
}

void rig_begin(rig_t *r, uint64_t term)
{
    fence_unref(r->fence);
    r->fence = fence_create(term, CLOCK_NEVER);
    plugin_services_begin(r->services, r->fence);
    r->term = (lh_ctx_t){plugin_services_open(r->services, NULL)};
    r->run = rig_open(r);
}

void rig_destroy(rig_t *r)
{
    plugin_services_end(r->services);
    loop_turn(r->loop); /* what was posted before comes before the end */
    plugin_services_destroy(r->services);
    fence_unref(r->fence);
    fake_kube_destroy(r->kube);
    plugin_manifest_destroy(r->manifest);
    metrics_destroy(r->shared.metrics);
    health_destroy(r->shared.health);
    log_destroy((log_t *) r->shared.log);
    loop_turn(r->loop); /* what was left in its queue would show now */
    loop_destroy(r->loop);
    close(r->log_fd);
    free(r);
}

lh_ctx_t rig_open(rig_t *r)
{
    const lh_key_t key = {sizeof(key), 0, "ns", "one"};

    return (lh_ctx_t){plugin_services_open(r->services, &key)};
}

void rig_complete(rig_t *r, lh_ctx_t ctx)
{
    const lh_result_t done = {.struct_size = sizeof(done)};

    r->host->complete(r->host, (lh_completion_t){ctx.id}, &done);
}

char *rig_log(rig_t *r)
{
    const off_t size = lseek(r->log_fd, 0, SEEK_END);
    char *text = host_xcalloc((size_t) size + 1, 1);

    cr_assert(pread(r->log_fd, text, (size_t) size, 0) == size);
    return text;
}

char *rig_metrics(rig_t *r)
{
    buf_t text = BUF_INIT;

    cr_assert(metrics_render(r->shared.metrics, METRICS_TEXT, &text) == 0);
    return buf_steal(&text);
}

lh_snapshot_t *rig_object(const char *name, const char *ns)
{
    host_cleanup(host_freep) char *text = host_xprintf(
        "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Website\",\"metadata\":{\"name\":\"%s\","
        "\"uid\":\"u1\",\"resourceVersion\":\"7\"%s%s%s}}",
        name, ns != NULL ? ",\"namespace\":\"" : "", ns != NULL ? ns : "", ns != NULL ? "\"" : "");
    watch_snapshot_t *s = NULL;
    lh_error_t err = {0};

    ASSERT_OK(watch_snapshot_create(text, strlen(text), NULL, NULL, &s, &err), err);
    return (lh_snapshot_t *) s;
}

static void on_done(void *arg, int code, plugin_response_t *response, const lh_error_t *err)
{
    rig_request_t *q = arg;

    q->done++;
    q->code = code;
    q->status = response != NULL ? response->status : 0;
    snprintf(q->text, sizeof(q->text), "%s", err != NULL ? err->text : "");
    free(response);
}

int rig_send(rig_t *r, lh_ctx_t ctx, const char *method, const char *path, const char *body,
             rig_request_t *out)
{
    const lh_api_request_t request = {.struct_size = sizeof(request),
                                      .method = method,
                                      .path = path,
                                      .body = body,
                                      .body_len = body != NULL ? strlen(body) : 0};

    *out = (rig_request_t){0};
    return r->table.backend.ops->request(r->table.backend.self, ctx, &request, on_done, out, NULL);
}

watch_view_t *rig_view(watch_store_t *store)
{
    const watch_spec_t all = {0};
    watch_view_t *v = NULL;
    lh_error_t err = {0};

    ASSERT_OK(watch_view_create(&all, &v, &err), err);
    watch_view_set(v, &all, store);
    return v;
}

void rig_set_cache(rig_t *r, const plugin_cache_slot_t *slots, size_t count)
{
    plugin_services_set_cache(r->services, slots, count);
    for (size_t i = 0; i < count; i++)
        watch_view_unref(slots[i].view);
}
