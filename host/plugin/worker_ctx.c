/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ctx are live as far as the worker knows, and the object that came with the job of each. It answers
 * the first read of the job's key, so that most reconciles need not ask the host: not later than a moment
 * after it came, for a call that takes long asks for what has happened meanwhile; and not once the plugin
 * may have seen a newer state, by a write of its own or by another read.
 */
#include "base/clock.h"
#include "plugin/worker.h"

#include <string.h>

/* Jobs that wait longer than half of it for their worker thread are taken back. */
#define FRESH (20 * CLOCK_MS)

static plugin_worker_ctx_t *find(const plugin_worker_t *w, uint64_t id) /* with the lock held */
{
    plugin_worker_ctx_t *c = NULL;

    HASH_FIND(hh, w->live, &id, sizeof(id), c);
    return c;
}

static void ctx_free(plugin_worker_ctx_t *c)
{
    watch_snapshot_unref(c->object);
    free(c);
}

void plugin_worker_ctx_begin(plugin_worker_t *w, uint64_t ctx)
{
    plugin_worker_ctx_t *c = host_xcalloc(1, sizeof(*c));

    c->id = ctx;
    pthread_mutex_lock(&w->lock);
    HASH_ADD(hh, w->live, id, sizeof(c->id), c);
    pthread_mutex_unlock(&w->lock);
}

void plugin_worker_ctx_end(plugin_worker_t *w, uint64_t ctx)
{
    pthread_mutex_lock(&w->lock);
    plugin_worker_ctx_t *c = find(w, ctx);
    if (c != NULL)
        HASH_DEL(w->live, c);
    pthread_cond_broadcast(&w->room);
    pthread_mutex_unlock(&w->lock);
    if (c != NULL)
        ctx_free(c);
}

void plugin_worker_ctx_end_all(plugin_worker_t *w)
{
    plugin_worker_ctx_t *c, *next;

    pthread_mutex_lock(&w->lock);
    HASH_ITER (hh, w->live, c, next) {
        HASH_DEL(w->live, c);
        ctx_free(c);
    }
    pthread_cond_broadcast(&w->room);
    pthread_mutex_unlock(&w->lock);
}

bool plugin_worker_ctx_live(const plugin_worker_t *w, lh_ctx_t ctx)
{
    return find(w, ctx.id) != NULL;
}

/* -- Objects -- */

void plugin_worker_ctx_bring(plugin_worker_t *w, const plugin_job_t *job)
{
    pthread_mutex_lock(&w->lock);
    plugin_worker_ctx_t *c = find(w, job->ctx);
    if (c != NULL && job->object != NULL) {
        c->watch = job->watch;
        c->object = watch_snapshot_ref(job->object);
        c->came = clock_now();
    }
    pthread_mutex_unlock(&w->lock);
}

static bool is_of(const plugin_worker_ctx_t *c, const lh_key_t *key)
{
    return c->watch == key->watch && strcmp(watch_snapshot_name(c->object), key->name) == 0 &&
           strcmp(watch_snapshot_ns(c->object), key->ns) == 0;
}

watch_snapshot_t *plugin_worker_ctx_object(plugin_worker_t *w, lh_ctx_t ctx, const lh_key_t *key)
{
    watch_snapshot_t *object = NULL;

    pthread_mutex_lock(&w->lock);
    plugin_worker_ctx_t *c = find(w, ctx.id);
    if (c != NULL && c->object != NULL && clock_now() - c->came <= FRESH && is_of(c, key))
        object = host_steal(c->object);
    pthread_mutex_unlock(&w->lock);
    return object;
}

void plugin_worker_ctx_outdate(plugin_worker_t *w, const lh_key_t *key)
{
    plugin_worker_ctx_t *c, *next;

    pthread_mutex_lock(&w->lock);
    HASH_ITER (hh, w->live, c, next) {
        if (c->object != NULL && (key == NULL || is_of(c, key)))
            watch_snapshot_unref(host_steal(c->object));
    }
    pthread_mutex_unlock(&w->lock);
}

void plugin_worker_ctx_returned(plugin_worker_t *w, uint64_t ctx)
{
    pthread_mutex_lock(&w->lock);
    plugin_worker_ctx_t *c = find(w, ctx);
    if (c != NULL)
        watch_snapshot_unref(host_steal(c->object));
    pthread_mutex_unlock(&w->lock);
}
