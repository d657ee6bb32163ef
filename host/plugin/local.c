/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance in this process: one plugin thread for everything but reconciles, and `workers`
 * threads for those. All of the state below stands under one lock; the plugin is never called with
 * it held.
 */
#include "plugin/local.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/list.h"
#include "plugin/load.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

enum task_kind { TASK_CALLBACK, TASK_POSTED, TASK_ACTIVATE };

typedef struct task {
    list_t link;
    enum task_kind kind;
    uint64_t ctx;                /* TASK_ACTIVATE */
    void (*fn)(void *);          /* TASK_POSTED */
    void (*free_arg)(void *);    /* TASK_POSTED */
    lh_callback_t callback;      /* TASK_CALLBACK */
    int code;                    /* TASK_CALLBACK */
    plugin_response_t *response; /* TASK_CALLBACK */
    lh_error_t error;            /* TASK_CALLBACK */
    void *arg;
} task_t;

struct plugin_owed {
    plugin_local_t *local;
    task_t task;
};

/* A job with its own copies. */
typedef struct job {
    list_t link;
    plugin_job_t job;
    char text[]; /* ns, name and uid, one after the other */
} job_t;

typedef struct worker {
    plugin_local_t *local;
    pthread_t thread;
    const plugin_job_t *running; /* set and read on its thread alone */
} worker_t;

struct plugin_local {
    plugin_runner_t runner; /* first */
    char *path, *digest, *name, *config;
    plugin_sink_t sink;
    plugin_table_t *table; /* the owner's */
    plugin_blackbox_t *box;
    plugin_blackbox_line_t *line; /* of the plugin thread */

    plugin_module_t *module; /* plugin thread, and workers while active */
    lh_plugin_t *plugin;     /* the same */

    pthread_mutex_t lock;
    pthread_cond_t wake_plugin, wake_workers;
    list_t tasks, jobs;
    uint32_t inside;  /* calls of reconcile_async that have not returned */
    uint32_t pending; /* callbacks owed */
    bool busy;        /* the plugin thread is inside the plugin */
    bool active, want_deactivate, want_destroy, abandoned;
    bool refused; /* create() has: nothing of the plugin may be called any more */
    bool workers_end;
    pthread_t plugin_thread;
    worker_t *workers;
    uint32_t worker_count;
};

/* -- Jobs and workers -- */

static void job_free(job_t *j)
{
    watch_snapshot_unref((watch_snapshot_t *) j->job.object);
    watch_snapshot_unref((watch_snapshot_t *) j->job.last);
    free(j);
}

static job_t *job_copy(const plugin_job_t *from)
{
    size_t ns = strlen(from->ns) + 1, name = strlen(from->name) + 1, uid = strlen(from->uid) + 1;
    job_t *j = host_xcalloc(1, sizeof(*j) + ns + name + uid);

    j->job = *from;
    j->job.ns = memcpy(j->text, from->ns, ns);
    j->job.name = memcpy(j->text + ns, from->name, name);
    j->job.uid = memcpy(j->text + ns + name, from->uid, uid);
    if (from->object != NULL)
        j->job.object = watch_snapshot_ref(from->object);
    if (from->last != NULL)
        j->job.last = watch_snapshot_ref(from->last);
    return j;
}

static void run_job(worker_t *w, const job_t *j, plugin_blackbox_line_t *line) /* [worker-thread] */
{
    const plugin_local_t *l = w->local;
    const lh_key_t key = {sizeof(key), j->job.watch, j->job.ns, j->job.name};
    const lh_request_t request = {
        .struct_size = sizeof(request),
        .reason = j->job.reason,
        .ctx = {j->job.ctx},
        .key = &key,
        .uid = j->job.uid,
        .object = (const lh_snapshot_t *) j->job.object,
        .last = (const lh_snapshot_t *) j->job.last,
        .attempt = j->job.attempt,
        .term = j->job.term,
    };

    w->running = &j->job;
    plugin_blackbox_enter(line, "reconcile", j->job.ns, j->job.name);
    l->module->reconcile(l->plugin, &request, (lh_completion_t){j->job.completion});
    plugin_blackbox_leave(line);
    w->running = NULL;
}

static void *worker_main(void *arg) /* [worker-thread] */
{
    worker_t *w = arg;
    plugin_local_t *l = w->local;
    plugin_blackbox_line_t *line = plugin_blackbox_take(l->box, l->name, l->digest);

    pthread_mutex_lock(&l->lock);
    for (;;) {
        list_t *node = list_pop(&l->jobs);
        if (node == NULL) {
            if (l->workers_end)
                break;
            pthread_cond_wait(&l->wake_workers, &l->lock);
            continue;
        }
        job_t *j = LIST_ENTRY(node, job_t, link);
        l->inside++;
        pthread_mutex_unlock(&l->lock);
        const int64_t entered = clock_now();
        run_job(w, j, line);
        pthread_mutex_lock(&l->lock);
        l->inside--;
        if (l->inside == 0 && (l->want_deactivate || l->want_destroy || l->abandoned))
            pthread_cond_signal(&l->wake_plugin); /* it waits for that */
        pthread_mutex_unlock(&l->lock);
        l->sink.on_returned(l->sink.arg, j->job.ctx, true, entered);
        job_free(j);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    plugin_blackbox_give(line);
    return NULL;
}

/* The latest first: each is put back in front. */
static void drop_jobs(plugin_local_t *l) /* [any-thread] */
{
    list_t dropped;

    list_init(&dropped);
    pthread_mutex_lock(&l->lock);
    for (list_t *n; (n = list_pop(&l->jobs)) != NULL;)
        list_append(dropped.next, n); /* in front */
    pthread_mutex_unlock(&l->lock);
    for (list_t *n; (n = list_pop(&dropped)) != NULL;) {
        job_t *j = LIST_ENTRY(n, job_t, link);
        l->sink.on_returned(l->sink.arg, j->job.ctx, false, 0);
        job_free(j);
    }
}

/* -- Tasks of the plugin thread -- */

static void push_task(plugin_local_t *l, task_t *t) /* with the lock held */
{
    list_append(&l->tasks, &t->link);
    pthread_cond_signal(&l->wake_plugin);
}

plugin_owed_t *plugin_local_owe(plugin_local_t *l, lh_callback_t fn, void *arg)
{
    plugin_owed_t *o = calloc(1, sizeof(*o));

    if (o == NULL)
        return NULL;
    o->local = l;
    o->task = (task_t){.kind = TASK_CALLBACK, .callback = fn, .arg = arg};
    pthread_mutex_lock(&l->lock);
    l->pending++;
    pthread_mutex_unlock(&l->lock);
    return o;
}

void plugin_local_settle(plugin_owed_t *o, int code, plugin_response_t *response,
                         const lh_error_t *err)
{
    plugin_local_t *l = o->local;

    o->task.code = code;
    o->task.response = response;
    if (err != NULL)
        o->task.error = *err;
    pthread_mutex_lock(&l->lock);
    push_task(l, &o->task);
    pthread_mutex_unlock(&l->lock);
}

void plugin_local_cancel_owed(plugin_owed_t *o)
{
    plugin_local_t *l = o->local;

    pthread_mutex_lock(&l->lock);
    l->pending--;
    pthread_cond_signal(&l->wake_plugin);
    pthread_mutex_unlock(&l->lock);
    free(o);
}

int plugin_local_post(plugin_local_t *l, void (*fn)(void *), void *arg, void (*free_arg)(void *),
                      lh_error_t *err)
{
    task_t *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return host_fail(err, LH_ENOMEM, "post: out of memory");
    *t = (task_t){.kind = TASK_POSTED, .fn = fn, .arg = arg, .free_arg = free_arg};
    pthread_mutex_lock(&l->lock);
    const bool ending = l->want_destroy || l->abandoned || l->refused;
    if (!ending)
        push_task(l, t);
    pthread_mutex_unlock(&l->lock);
    if (!ending)
        return 0;
    free(t);
    return host_fail(err, LH_ESTATE, "post: the instance is ending");
}

static void run_activate(plugin_local_t *l, uint64_t ctx) /* [plugin-thread] */
{
    const lh_plugin_entry_t *entry = l->module->entry;
    lh_error_t err = {0};
    int code = 0;

    plugin_blackbox_enter(l->line, "activate", "", "");
    if (LH_HAS_FIELD(entry, activate))
        code = entry->activate(l->plugin, (lh_ctx_t){ctx}, &err);
    plugin_blackbox_leave(l->line);
    err.text[sizeof(err.text) - 1] = '\0';
    if (code > 0)
        code = host_fail(&err, LH_EPLUGIN, "activate returned %d, which is no error code", code);
    else if (code < 0 && err.text[0] == '\0')
        host_error_set(&err, code, "%s", lh_strerror(code));
    pthread_mutex_lock(&l->lock);
    l->active = code == 0;
    pthread_mutex_unlock(&l->lock);
    l->sink.on_activated(l->sink.arg, code, code == 0 ? NULL : &err);
}

/* Runs or only frees a task; the lock is not held. [plugin-thread] */
static void run_task(plugin_local_t *l, task_t *t, bool run)
{
    switch (t->kind) {
    case TASK_CALLBACK:
        /* Owed callbacks are always delivered: their argument is the plugin's to free. */
        plugin_blackbox_enter(l->line, "a request's callback", "", "");
        t->callback(t->arg, t->code, (lh_response_t *) t->response,
                    t->code == 0 ? NULL : &t->error);
        plugin_blackbox_leave(l->line);
        pthread_mutex_lock(&l->lock);
        l->pending--;
        pthread_mutex_unlock(&l->lock);
        free(HOST_CONTAINER(t, plugin_owed_t, task));
        return;
    case TASK_POSTED:
        plugin_blackbox_enter(l->line, "a posted function", "", "");
        if (run)
            t->fn(t->arg);
        if (t->free_arg != NULL)
            t->free_arg(t->arg);
        plugin_blackbox_leave(l->line);
        break;
    case TASK_ACTIVATE:
        if (run)
            run_activate(l, t->ctx);
        break;
    }
    free(t);
}

static void run_deactivate(plugin_local_t *l) /* [plugin-thread] */
{
    const lh_plugin_entry_t *entry = l->module->entry;

    plugin_blackbox_enter(l->line, "deactivate", "", "");
    if (l->active && LH_HAS_FIELD(entry, deactivate))
        entry->deactivate(l->plugin);
    plugin_blackbox_leave(l->line);
}

/* The life of the instance after create(): tasks until destroy is asked for. The lock is held at
 * entry and exit. [plugin-thread] */
static void serve_tasks(plugin_local_t *l)
{
    for (;;) {
        list_t *node = list_pop(&l->tasks);
        if (node != NULL) {
            const bool run = !l->abandoned;
            l->busy = true;
            pthread_mutex_unlock(&l->lock);
            run_task(l, LIST_ENTRY(node, task_t, link), run);
            pthread_mutex_lock(&l->lock);
            continue;
        }
        l->busy = false;
        const bool quiet = l->inside == 0 && l->pending == 0;
        if (quiet && (l->want_deactivate || (l->active && (l->abandoned || l->want_destroy)))) {
            const bool asked = l->want_deactivate;
            l->busy = true;
            pthread_mutex_unlock(&l->lock);
            run_deactivate(l);
            pthread_mutex_lock(&l->lock);
            l->active = l->want_deactivate = l->busy = false;
            if (asked) {
                pthread_mutex_unlock(&l->lock);
                l->sink.on_deactivated(l->sink.arg);
                pthread_mutex_lock(&l->lock);
            }
            continue;
        }
        if (quiet && (l->abandoned || l->want_destroy))
            return;
        pthread_cond_wait(&l->wake_plugin, &l->lock);
    }
}

/* What a refused create() has posted is its own code, which is about to be unmapped. */
static void drop_tasks(plugin_local_t *l) /* [plugin-thread] */
{
    pthread_mutex_lock(&l->lock);
    l->refused = true;
    for (list_t *n; (n = list_pop(&l->tasks)) != NULL;) {
        pthread_mutex_unlock(&l->lock);
        run_task(l, LIST_ENTRY(n, task_t, link), false);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
}

static int create_plugin(plugin_local_t *l, lh_error_t *err) /* [plugin-thread] */
{
    const lh_instance_t instance = {
        .struct_size = sizeof(instance), .name = l->name, .config = l->config};
    lh_error_t why = {0};
    int ret = plugin_module_open(l->path, l->digest[0] != '\0' ? l->digest : NULL, &l->module, err);

    if (ret < 0)
        return ret;
    if (l->sink.on_loaded != NULL)
        l->sink.on_loaded(l->sink.arg);
    l->plugin = l->module->entry->create(&l->table->host, &instance, &why);
    if (l->plugin != NULL)
        return 0;
    drop_tasks(l);
    plugin_module_close(host_steal(l->module));
    why.text[sizeof(why.text) - 1] = '\0';
    return host_fail(err, why.code < 0 ? why.code : LH_EPLUGIN, "create: %s",
                     why.text[0] != '\0' ? why.text : "refused without a reason");
}

static void end_workers(plugin_local_t *l) /* [plugin-thread] */
{
    pthread_mutex_lock(&l->lock);
    l->workers_end = true;
    pthread_cond_broadcast(&l->wake_workers);
    pthread_mutex_unlock(&l->lock);
    for (uint32_t i = 0; i < l->worker_count; i++)
        pthread_join(l->workers[i].thread, NULL);
}

static void local_free(plugin_local_t *l)
{
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->wake_plugin);
    pthread_cond_destroy(&l->wake_workers);
    free(l->workers);
    free(l->path);
    free(l->digest);
    free(l->name);
    free(l->config);
    free(l);
}

static void *plugin_main(void *arg) /* [plugin-thread] */
{
    plugin_local_t *l = arg;
    lh_error_t err = {0};

    l->plugin_thread = pthread_self(); /* workers read it in reconciles only, long after this */
    l->line = plugin_blackbox_take(l->box, l->name, l->digest);
    plugin_blackbox_enter(l->line, "create", "", "");
    const int code = create_plugin(l, &err);
    plugin_blackbox_leave(l->line);
    l->sink.on_created(l->sink.arg, code, code == 0 ? NULL : &err);
    pthread_mutex_lock(&l->lock);
    serve_tasks(l);
    pthread_mutex_unlock(&l->lock);
    end_workers(l);
    plugin_blackbox_enter(l->line, "destroy", "", "");
    if (l->plugin != NULL)
        l->module->entry->destroy(l->plugin);
    plugin_table_end(l->table);
    plugin_module_close(l->module);
    plugin_blackbox_give(l->line);
    OPENSSL_thread_stop(); /* of the digest, at least: who hears of the end may end the process */
    l->sink.on_destroyed(l->sink.arg);
    local_free(l);
    return NULL;
}

/* NULL: this thread is none. [any-thread] */
static const worker_t *own_worker(const plugin_local_t *l)
{
    const pthread_t self = pthread_self();

    for (uint32_t i = 0; i < l->worker_count; i++) {
        if (pthread_equal(self, l->workers[i].thread))
            return &l->workers[i];
    }
    return NULL;
}

bool plugin_local_may_block(plugin_local_t *l)
{
    return pthread_equal(pthread_self(), l->plugin_thread) || own_worker(l) != NULL;
}

const watch_snapshot_t *plugin_local_object(const plugin_local_t *l, const lh_key_t *key)
{
    const worker_t *w = l != NULL ? own_worker(l) : NULL;
    const plugin_job_t *job = w != NULL ? w->running : NULL;

    if (job == NULL || job->watch != key->watch || strcmp(job->name, key->name) != 0 ||
        strcmp(job->ns, key->ns) != 0)
        return NULL;
    return job->object;
}

/* -- The runner's functions -- [loop-thread] */

static void local_activate(plugin_runner_t *r, uint64_t ctx)
{
    plugin_local_t *l = (plugin_local_t *) r;
    task_t *t = host_xcalloc(1, sizeof(*t));

    *t = (task_t){.kind = TASK_ACTIVATE, .ctx = ctx};
    pthread_mutex_lock(&l->lock);
    push_task(l, t);
    pthread_mutex_unlock(&l->lock);
}

static void local_reconcile(plugin_runner_t *r, const plugin_job_t *job)
{
    plugin_local_t *l = (plugin_local_t *) r;
    job_t *j = job_copy(job);

    pthread_mutex_lock(&l->lock);
    list_append(&l->jobs, &j->link);
    pthread_mutex_unlock(&l->lock);
    pthread_cond_signal(&l->wake_workers); /* after the lock: who wakes up wants it */
}

static void local_take_back(plugin_runner_t *r)
{
    drop_jobs((plugin_local_t *) r);
}

static uint32_t local_inside(plugin_runner_t *r)
{
    plugin_local_t *l = (plugin_local_t *) r;

    pthread_mutex_lock(&l->lock);
    const uint32_t inside = l->inside + (l->busy ? 1 : 0);
    pthread_mutex_unlock(&l->lock);
    return inside;
}

static void set_flag(plugin_local_t *l, bool *flag)
{
    pthread_mutex_lock(&l->lock);
    *flag = true;
    pthread_cond_signal(&l->wake_plugin);
    pthread_mutex_unlock(&l->lock);
}

static void local_deactivate(plugin_runner_t *r)
{
    set_flag((plugin_local_t *) r, &((plugin_local_t *) r)->want_deactivate);
}

static void local_destroy(plugin_runner_t *r)
{
    drop_jobs((plugin_local_t *) r);
    set_flag((plugin_local_t *) r, &((plugin_local_t *) r)->want_destroy);
}

static void local_abandon(plugin_runner_t *r)
{
    plugin_local_t *l = (plugin_local_t *) r;

    drop_jobs(l);
    set_flag(l, &l->abandoned);
}

static const plugin_runner_ops_t local_ops = {
    .activate = local_activate,
    .reconcile = local_reconcile,
    .cancel = local_take_back, /* the backend knows the rest */
    .take_back = local_take_back,
    .inside = local_inside,
    .deactivate = local_deactivate,
    .destroy = local_destroy,
    .abandon = local_abandon,
};

/* -- Creation -- */

/* Starts a thread with every signal blocked: signals are the loop's. */
static int start_thread(pthread_t *thread, void *(*fn)(void *), void *arg, bool detached)
{
    sigset_t all, before;
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr,
                                detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
    host_thread_signals(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int ret = pthread_create(thread, &attr, fn, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return ret;
}

static plugin_local_t *local_new(const plugin_runner_options_t *o)
{
    plugin_local_t *l = host_xcalloc(1, sizeof(*l));

    l->runner.ops = &local_ops;
    l->path = host_xstrdup(o->path);
    l->digest = host_xstrdup(o->digest != NULL ? o->digest : "");
    l->name = host_xstrdup(o->name);
    l->config = host_xstrdup(o->config);
    l->sink = o->sink;
    l->workers = host_xcalloc(o->workers, sizeof(*l->workers));
    list_init(&l->tasks);
    list_init(&l->jobs);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->wake_plugin, NULL);
    pthread_cond_init(&l->wake_workers, NULL);
    l->busy = true; /* with create() */
    l->box = o->box;
    l->table = o->table;
    plugin_table_init(l->table, &o->backend, l);
    l->table->strays = o->strays;
    return l;
}

int plugin_local_create(const plugin_runner_options_t *options, plugin_runner_t **out,
                        lh_error_t *err)
{
    plugin_local_t *l = local_new(options);
    pthread_t thread;
    int ret = 0;

    /* The plugin thread comes last: the plugin's code may look at the table of threads. */
    while (ret == 0 && l->worker_count < options->workers) {
        worker_t *w = &l->workers[l->worker_count];

        w->local = l;
        ret = start_thread(&w->thread, worker_main, w, false);
        if (ret == 0)
            l->worker_count++;
    }
    if (ret == 0)
        ret = start_thread(&thread, plugin_main, l, true);
    if (ret == 0) {
        *out = &l->runner;
        return 0;
    }
    end_workers(l);
    local_free(l);
    return host_fail(err, LH_EIO, "start threads: %s", strerror(ret));
}
