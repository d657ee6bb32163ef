/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ctx are live as far as the worker knows, and the object that came with the job of each. It
 * answers the first read of the job's key, so that most reconciles need not ask the host: only for
 * a moment, for a call that takes long asks for what has happened meanwhile; and not once the
 * plugin may have seen a newer state, by an answer of the API server or by another read. The host
 * reads and sends it in one turn of its loop: the answer to a write that it does not show yet comes
 * after it.
 */
#include "base/clock.h"
#include "plugin/worker.h"

#include <string.h>

#define FRESH (20 * CLOCK_MS) /* jobs seldom wait that long for their thread (ahead.c) */

static plugin_worker_ctx_t *find(const plugin_worker_t *w, uint64_t id) /* with the lock held */
{
    plugin_worker_ctx_t *c = NULL;

    HASH_FIND(hh, w->live, &id, sizeof(id), c);
    return c;
}

/* With the lock held. Caller owns the result, which may be NULL. */
static watch_snapshot_t *take_object(plugin_worker_ctx_t *c)
{
    list_remove(&c->link);
    return host_steal(c->object);
}

static void ctx_free(plugin_worker_ctx_t *c) /* with the lock held */
{
    watch_snapshot_unref(take_object(c));
    free(c);
}

void plugin_worker_ctx_begin(plugin_worker_t *w, uint64_t ctx)
{
    plugin_worker_ctx_t *c = host_xcalloc(1, sizeof(*c));

    c->id = ctx;
    list_init(&c->link);
    pthread_mutex_lock(&w->lock);
    HASH_ADD(hh, w->live, id, sizeof(c->id), c);
    pthread_mutex_unlock(&w->lock);
}

void plugin_worker_ctx_end(plugin_worker_t *w, uint64_t ctx)
{
    pthread_mutex_lock(&w->lock);
    plugin_worker_ctx_t *c = find(w, ctx);
    if (c != NULL) {
        HASH_DEL(w->live, c);
        ctx_free(c);
    }
    pthread_cond_broadcast(&w->room);
    pthread_mutex_unlock(&w->lock);
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
        c->object = watch_snapshot_ref(job->object);
        c->watch = job->watch;
        c->read_at = job->read_at;
        list_append(&w->brought, &c->link);
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
    if (c != NULL && c->object != NULL && clock_now() - c->read_at <= FRESH && is_of(c, key))
        object = take_object(c);
    pthread_mutex_unlock(&w->lock);
    return object;
}

/* Those of the ctx and those of the key; key NULL: all. */
static void outdate(plugin_worker_t *w, uint64_t ctx, const lh_key_t *key)
{
    pthread_mutex_lock(&w->lock);
    LIST_EACH (&w->brought, it, tmp) {
        plugin_worker_ctx_t *c = LIST_ENTRY(it, plugin_worker_ctx_t, link);
        if (key == NULL || c->id == ctx || is_of(c, key))
            watch_snapshot_unref(take_object(c));
    }
    pthread_mutex_unlock(&w->lock);
}

void plugin_worker_ctx_asked(plugin_worker_t *w, lh_ctx_t ctx, const lh_key_t *key)
{
    outdate(w, ctx.id, key);
}

void plugin_worker_ctx_outdate(plugin_worker_t *w)
{
    outdate(w, 0, NULL);
}

void plugin_worker_ctx_returned(plugin_worker_t *w, uint64_t ctx)
{
    pthread_mutex_lock(&w->lock);
    plugin_worker_ctx_t *c = find(w, ctx);
    if (c != NULL)
        watch_snapshot_unref(take_object(c));
    pthread_mutex_unlock(&w->lock);
}
