/* SPDX-License-Identifier: Apache-2.0 */
/* One reconcile as the host would call it. */
#include "fake.h"

#include <leasehold/json.h>

#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 20 };

fake_key_t *fake_key(lh_fake_t *f, uint32_t watch, const char *ns, const char *name)
{
    for (size_t i = 0; i < f->keys.count; i++) {
        fake_key_t *k = f->keys.items[i];
        if (k->watch == watch && strcmp(k->ns, ns) == 0 && strcmp(k->name, name) == 0)
            return k;
    }
    fake_key_t *k = fake_alloc(sizeof(*k));
    k->watch = watch;
    k->ns = fake_dup(ns);
    k->name = fake_dup(name);
    fake_push(&f->keys, k);
    return k;
}

/* A snapshot with a reference of the host's own. */
static fake_handle_t *snapshot(lh_fake_t *f, const fake_object_t *o)
{
    return o != NULL ? fake_handle_create(f, FAKE_SNAPSHOT, o->text) : NULL;
}

static void call_plugin(lh_fake_t *f, const lh_request_t *request, const fake_ctx_t *ctx)
{
    f->thread = pthread_self();
    f->in_plugin = true;
    f->reconcile(f->plugin, request, (lh_completion_t){request->ctx.id});
    f->host.snapshot_release(&f->host, (lh_snapshot_t *) request->object);
    f->host.snapshot_release(&f->host, (lh_snapshot_t *) request->last);
    fake_wait(f, ctx);
    f->in_plugin = false;
}

static uint32_t reason_for(const lh_fake_t *f, const fake_key_t *k, const fake_object_t *o)
{
    if (o == NULL || o->gone)
        return LH_REASON_GONE;
    if (k->term != f->term)
        return LH_REASON_INITIAL;
    return k->requeued ? LH_REASON_REQUEUED : LH_REASON_CHANGED;
}

/* reason UINT32_MAX: as things are. */
static lh_fake_result_t run(lh_fake_t *f, uint32_t reason, uint32_t watch, const char *ns,
                            const char *name)
{
    const lh_key_t key = {sizeof(key), watch, ns, name};
    char uid[128] = "", *path = fake_watch_path(fake_watch(f, watch), ns, name);

    if (!f->active)
        fake_die("lh_fake_reconcile: the plugin is not active");
    const lh_ctx_t id = fake_new_ctx(f, true);
    pthread_mutex_lock(&f->lock);
    fake_key_t *k = fake_key(f, watch, ns, name);
    const fake_object_t *o = fake_find_last(f, path);
    lh_request_t request = {.struct_size = sizeof(request),
                            .ctx = id,
                            .key = &key,
                            .uid = uid,
                            .attempt = k->attempt,
                            .term = f->term};
    request.reason = reason != UINT32_MAX ? reason : reason_for(f, k, o);
    const bool away = request.reason == LH_REASON_GONE || request.reason == LH_REASON_LEFT;
    if (o != NULL)
        (void) lh_json_string(lh_json_text(o->text, strlen(o->text)), "/metadata/uid", uid,
                              sizeof(uid));
    request.object = away ? NULL : (const lh_snapshot_t *) snapshot(f, o);
    request.last = away ? (const lh_snapshot_t *) snapshot(f, o) : NULL;
    k->term = f->term;
    fake_ctx_t *ctx = f->contexts.items[id.id - 1];
    pthread_mutex_unlock(&f->lock);
    free(path);

    call_plugin(f, &request, ctx);
    pthread_mutex_lock(&f->lock);
    const lh_fake_result_t result = ctx->result;
    k->attempt = result.action == LH_RETRY ? k->attempt + 1 : 0;
    k->requeued = result.action == LH_RETRY || result.action == LH_REQUEUE_AFTER;
    pthread_mutex_unlock(&f->lock);
    return result;
}

lh_fake_result_t lh_fake_reconcile(lh_fake_t *f, uint32_t watch, const char *ns, const char *name)
{
    return run(f, UINT32_MAX, watch, ns, name);
}

lh_fake_result_t lh_fake_reconcile_as(lh_fake_t *f, uint32_t reason, uint32_t watch, const char *ns,
                                      const char *name)
{
    return run(f, reason, watch, ns, name);
}

lh_fake_result_t lh_fake_settle(lh_fake_t *f, uint32_t watch, const char *ns, const char *name)
{
    lh_fake_result_t result = {.action = LH_FAKE_NONE};

    for (int round = 0; round < ROUNDS_MAX; round++) {
        const size_t writes = lh_fake_writes(f);
        result = lh_fake_reconcile(f, watch, ns, name);
        const bool still = lh_fake_writes(f) == writes && result.action != LH_RETRY;
        if (still || result.action == LH_FAIL || result.action == LH_FAKE_NONE)
            break;
    }
    return result;
}
