/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker process, shared by worker.c (its life) and worker_backend.c (the backend of its host
 * table, which asks the host). Its main thread reads the socket and never waits for anything else;
 * the plugin's threads send by themselves and wait for replies.
 */
#ifndef PLUGIN_WORKER_H
#define PLUGIN_WORKER_H

#include "plugin/codec.h"

#include <pthread.h>
#include <uthash.h>

/* A call that a thread waits for; on its stack. */
typedef struct plugin_worker_call {
    uint64_t id;
    pthread_cond_t answered;
    bool done;
    char *body; /* the reply; owned */
    plugin_incoming_t reply;
    UT_hash_handle hh;
} plugin_worker_call_t;

/* A request whose answer has not come. */
typedef struct plugin_worker_request {
    uint64_t id;
    size_t size; /* of its body, for the credit */
    bool write;
    plugin_done_fn done;
    void *arg;
    UT_hash_handle hh;
} plugin_worker_request_t;

/* A ctx that is live as far as the worker knows. */
typedef struct plugin_worker_ctx {
    uint64_t id;
    list_t link;              /* in worker->brought, as long as there is an object */
    watch_snapshot_t *object; /* came with the job, may still answer a read; NULL: nothing may */
    uint32_t watch;           /* of object */
    int64_t read_at;          /* by the host */
    UT_hash_handle hh;
} plugin_worker_ctx_t;

typedef struct plugin_worker {
    plugin_wire_t *wire;
    int wake; /* eventfd for the main thread: something waits to be sent, or the end */
    pthread_t main;
    plugin_runner_t *runner;
    plugin_table_t table;

    pthread_mutex_t lock; /* all below */
    pthread_cond_t room;  /* credit has come back, a ctx has died, or what waited has been sent */
    uint32_t blocked;     /* threads that wait for the last */
    uint64_t last_id;
    plugin_worker_call_t *calls;
    plugin_worker_request_t *requests;
    size_t bodies; /* of requests, bytes */
    plugin_worker_ctx_t *live;
    list_t brought; /* of these, those with an object */
    list_t cursors; /* all that are open */
    bool ended;     /* the runner is gone */
} plugin_worker_t;

/* Sends m, which is taken. Waits, except on the main thread, while the host does not read what
 * waits already. [any-thread] */
void plugin_worker_send(plugin_worker_t *w, plugin_message_t *m);

/* The backend that asks the host. [any-thread] */
plugin_backend_t plugin_worker_backend(plugin_worker_t *w);

/* What the host has sent for the backend. False: the host does not keep the rules. Main thread.
 * [plugin-thread] */
bool plugin_worker_on_reply(plugin_worker_t *w, plugin_incoming_t *in);
bool plugin_worker_on_answer(plugin_worker_t *w, plugin_incoming_t *in);

/* -- worker_ctx.c -- [any-thread] */

/* Which ctx need not be asked about. */
void plugin_worker_ctx_begin(plugin_worker_t *w, uint64_t ctx);
void plugin_worker_ctx_end(plugin_worker_t *w, uint64_t ctx);
void plugin_worker_ctx_end_all(plugin_worker_t *w);
bool plugin_worker_ctx_live(const plugin_worker_t *w, lh_ctx_t ctx); /* with the lock held */

/* The job's object, if it has one, may answer the first read of its key by that ctx. */
void plugin_worker_ctx_bring(plugin_worker_t *w, const plugin_job_t *job);
/* That answer; NULL: the host must be asked. Caller owns it. */
watch_snapshot_t *plugin_worker_ctx_object(plugin_worker_t *w, lh_ctx_t ctx, const lh_key_t *key);
/* That ctx has asked the host for key: what came with it is not to be older than what it knows
 * now, nor what came for that key with other jobs. */
void plugin_worker_ctx_asked(plugin_worker_t *w, lh_ctx_t ctx, const lh_key_t *key);
/* The plugin may know newer states of any key than what has come with jobs. */
void plugin_worker_ctx_outdate(plugin_worker_t *w);
/* The call is over, and its object is kept no longer, though it may be completed later. */
void plugin_worker_ctx_returned(plugin_worker_t *w, uint64_t ctx);

#endif
