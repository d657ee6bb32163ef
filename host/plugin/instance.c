/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/instance.h"

#include "base/clock.h"
#include "base/error.h"
#include "plugin/controller.h"
#include "plugin/keeper.h"
#include "plugin/state.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define LOAD_TIMEOUT (60 * CLOCK_S) /* until create() is entered */
#define CALL_TIMEOUT (10 * CLOCK_S) /* of create and activate, from when they are entered */
#define LAST_ANSWER (8 * CLOCK_S)   /* leaves activate() time to report it */
#define GRACE (1 * CLOCK_S)         /* for an activate() that is cancelled, to return */
#define RETRY_FIRST (1 * CLOCK_S)
#define RETRY_MOST (300 * CLOCK_S)

/* Ties a runner to its instance. A runner that was given up keeps its link until it is gone; in thread
 * mode the link stays as long as the instance, for the host table in it. */
typedef struct link {
    plugin_instance_t *instance;
    plugin_runner_t *runner;
    bool abandoned, destroying;
    bool gone;       /* under kill_lock: the runner frees itself */
    uint32_t inside; /* calls inside when it was abandoned */
    plugin_table_t table;
    struct link *next; /* of the instance's links that are over */
} link_t;

struct plugin_instance {
    plugin_instance_options_t o;
    char *name, *config;
    log_t *log;
    plugin_services_t *services;
    plugin_controller_t *controller;
    plugin_keeper_t *keeper; /* NULL: it has failed, or is ending */
    health_check_t *check;
    metric_cell_t *restarts, *abandoned_metric;
    plugin_state_gauge_t gauge;

    _Atomic(enum instance_state) state; /* set_state(); read by any thread */
    bool settled, resting, stopping;
    bool loaded;            /* create() of the present runner has been entered */
    bool hurried;           /* activate() has had its time and is cancelled */
    bool held_up;           /* STATE_FAILED because of calls that may return yet */
    link_t *link;           /* the present runner's; NULL without one */
    link_t *over;           /* of earlier runners, kept */
    fence_t *fence;         /* of the term that is on for this instance */
    bool open;              /* the controller is open in this term */
    int64_t born;           /* when the present runner was started */
    int64_t restart_delay;  /* the last before a new runner; reset when one has lived long enough */
    int64_t activate_delay; /* the last before activate() was tried again; reset by a success */
    loop_timer_t timer;     /* the state's own: time limits and delays */
    loop_timer_t deadline;  /* of end and stop */
    uint32_t abandoned;     /* calls inside runners that were given up */
    uint32_t ghosts;        /* such runners */
    uint32_t dying;         /* runners whose process has died and that are just ending */

    /* guards what follows, and the runners of links against their end */
    pthread_mutex_t kill_lock;
    plugin_runner_t *killable;
    bool in_term; /* begun, and something of it may be left */
};

static void start_runner(plugin_instance_t *i);
static uint32_t abandon(plugin_instance_t *i, const char *why);
static void rest(plugin_instance_t *i);

/* -- Telling -- */

static void set_state(plugin_instance_t *i, enum instance_state state)
{
    plugin_state_show(&i->gauge, i->state, state);
    i->state = state;
}

static void tell(plugin_instance_t *i, bool ok, const char *text)
{
    health_set(i->check, ok, text);
}

static void settle(plugin_instance_t *i)
{
    if (i->settled)
        return;
    i->settled = true;
    i->o.on_settled(i->o.arg);
}

static void fail(plugin_instance_t *i, const char *why)
{
    log_error(i->log, "%s; this controller stays off until %s", why,
              i->held_up ? "that is over" : "the host is started again");
    tell(i, false, why);
    loop_timer_clear(&i->timer);
    plugin_keeper_destroy(host_steal(i->keeper));
    set_state(i, STATE_FAILED);
    settle(i);
    rest(i);
}

/* -- Messages from the runner's threads -- */

enum message_kind { LOADED, CREATED, ACTIVATED, DEACTIVATED, DESTROYED, DIED, RETURNED };

typedef struct message {
    loop_task_t task;
    enum message_kind kind;
    link_t *link;
    int code;
    bool ran;
    uint64_t ctx;
    int64_t entered, at;
    char *why; /* of a failure */
} message_t;

static void on_message(loop_task_t *task);

static message_t *message(void *arg, enum message_kind kind)
{
    message_t *m = host_xcalloc(1, sizeof(*m));

    m->task.fn = on_message;
    m->kind = kind;
    m->link = arg;
    return m;
}

static void send(message_t *m) /* [any-thread] */
{
    loop_post(m->link->instance->o.shared->loop, &m->task);
}

static void sink_loaded(void *arg)
{
    send(message(arg, LOADED));
}

static void sink_created(void *arg, int code, const lh_error_t *err)
{
    message_t *m = message(arg, CREATED);

    m->code = code;
    if (err != NULL)
        m->why = host_xstrdup(err->text);
    send(m);
}

static void sink_activated(void *arg, int code, const lh_error_t *err)
{
    message_t *m = message(arg, ACTIVATED);

    m->code = code;
    if (err != NULL)
        m->why = host_xstrdup(err->text);
    send(m);
}

static void sink_deactivated(void *arg)
{
    send(message(arg, DEACTIVATED));
}

static void sink_returned(void *arg, uint64_t ctx, bool ran, int64_t entered)
{
    message_t *m = message(arg, RETURNED);

    m->ctx = ctx;
    m->ran = ran;
    m->entered = entered;
    m->at = clock_now();
    plugin_services_tell(m->link->instance->services, &m->task, !ran);
}

static void sink_destroyed(void *arg)
{
    link_t *link = arg;
    plugin_instance_t *i = link->instance;

    pthread_mutex_lock(&i->kill_lock);
    link->gone = true;
    if (i->killable == link->runner)
        i->killable = NULL;
    pthread_mutex_unlock(&i->kill_lock);
    send(message(arg, DESTROYED));
}

static void sink_died(void *arg, const char *reason)
{
    message_t *m = message(arg, DIED);

    m->why = host_xstrdup(reason);
    send(m);
}

/* -- Delays -- */

static void again_later(plugin_instance_t *i, int64_t *delay, const char *why)
{
    set_state(i, STATE_DELAYED);
    *delay = *delay == 0 ? RETRY_FIRST : HOST_MIN(2 * *delay, RETRY_MOST);
    log_error(i->log, "%s; tried again in %lld s", why, (long long) (*delay / CLOCK_S));
    tell(i, false, why);
    loop_timer_set(&i->timer, clock_now() + *delay);
}

static void restart_later(plugin_instance_t *i, const char *why)
{
    if (clock_now() - i->born > RETRY_MOST)
        i->restart_delay = 0;
    again_later(i, &i->restart_delay, why);
}

/* -- The term -- */

static void activate(plugin_instance_t *i)
{
    if (i->fence == NULL || i->resting || i->stopping)
        return;
    set_state(i, STATE_ACTIVATING);
    i->hurried = false;
    plugin_services_begin(i->services, i->fence);
    plugin_services_limit(i->services, clock_now() + LAST_ANSWER);
    loop_timer_set(&i->timer, clock_now() + CALL_TIMEOUT);
    i->link->runner->ops->activate(i->link->runner, plugin_services_open(i->services, NULL));
}

static void open_controller(plugin_instance_t *i)
{
    lh_error_t err = {0};

    set_state(i, STATE_ACTIVE);
    if (i->open) {
        plugin_controller_resume(i->controller, i->link->runner);
        return;
    }
    if (plugin_controller_open(i->controller, i->link->runner, i->fence, &err) == 0) {
        i->open = true;
        return;
    }
    (void) abandon(i, err.text);
    fail(i, err.text);
}

static void deactivate(plugin_instance_t *i)
{
    set_state(i, STATE_DEACTIVATING);
    i->link->runner->ops->deactivate(i->link->runner);
}

static void set_in_term(plugin_instance_t *i, bool in_term)
{
    pthread_mutex_lock(&i->kill_lock);
    i->in_term = in_term;
    pthread_mutex_unlock(&i->kill_lock);
}

/* Leaves nothing of the term. */
static void clear_term(plugin_instance_t *i)
{
    set_in_term(i, false);
    plugin_controller_close(i->controller);
    plugin_controller_forget(i->controller);
    i->open = false;
    plugin_services_end(i->services);
    fence_unref(host_steal(i->fence));
    loop_timer_clear(&i->deadline);
}

/* Everything that belongs to the term is over: tells the owner, once per end. */
static void rest(plugin_instance_t *i)
{
    if (!i->resting)
        return;
    clear_term(i);
    if (i->state == STATE_IDLE)
        tell(i, true, NULL); /* what was wrong with its watches is so no more */
    i->resting = false;
    i->o.on_rested(i->o.arg);
}

/* -- Giving up -- */

static const char slow_activate[] = "activate has not returned after 10 s";

/* Returns how many calls are still inside. */
static uint32_t abandon(plugin_instance_t *i, const char *why)
{
    link_t *link = host_steal(i->link);

    loop_timer_clear(&i->timer);
    plugin_services_end(i->services);
    plugin_controller_forget(i->controller);
    pthread_mutex_lock(&i->kill_lock); /* on_destroyed waits for it, and so does the runner's end */
    if (!link->gone) {
        link->inside = link->runner->ops->inside(link->runner);
        link->runner->ops->abandon(link->runner);
    }
    pthread_mutex_unlock(&i->kill_lock);
    link->abandoned = true;
    i->abandoned += link->inside;
    i->ghosts++;
    metric_set(i->abandoned_metric, i->abandoned);
    log_error(i->log, "%s; given up, %u call(s) have not returned", why, link->inside);
    return link->inside;
}

static void destroy_runner(plugin_instance_t *i)
{
    if (i->link->destroying)
        return;
    i->link->destroying = true;
    i->link->runner->ops->destroy(i->link->runner);
}

/* The term is over for a runner that is not ready for its end: the next one gets a fresh instance,
 * unless what is stuck is the plugin thread itself, or too much of the old ones. */
static void replace(plugin_instance_t *i)
{
    static const char why[] = "not drained and deactivated when the time for it was over";
    const bool deactivating = i->state == STATE_DEACTIVATING; /* no reconcile is inside */
    const uint32_t inside = abandon(i, why);

    i->held_up = true;
    if (!i->o.process && deactivating && inside > 0)
        fail(i,
             "deactivate, or a callback before it, has not returned when the time for it was over");
    else if (!i->o.process && i->abandoned > i->o.workers)
        fail(i, "too many calls never returned");
    else
        start_runner(i);
}

/* A thread that does not return stays, and so does the instance's failure. Of a worker process
 * nothing is left, so it is tried again like one that has crashed. */
static void too_slow(plugin_instance_t *i, const char *why)
{
    (void) abandon(i, why);
    if (!i->o.process) {
        fail(i, why);
        return;
    }
    restart_later(i, why);
    settle(i);
    rest(i);
}

/* A slow API server at a takeover is no reason to give a plugin up: its calls end first, and an
 * activate() that returns then is tried again. */
static void hurry(plugin_instance_t *i)
{
    if (i->hurried) {
        too_slow(i, slow_activate);
        return;
    }
    i->hurried = true;
    plugin_services_cancel(i->services);
    i->link->runner->ops->cancel(i->link->runner);
    loop_timer_set(&i->timer, clock_now() + GRACE);
}

static void on_timer(loop_timer_t *timer)
{
    plugin_instance_t *i = HOST_CONTAINER(timer, plugin_instance_t, timer);

    switch (atomic_load(&i->state)) {
    case STATE_CREATING:
        too_slow(i, i->loaded ? "create has not returned after 10 s"
                              : "the file was not loaded after 60 s");
        break;
    case STATE_ACTIVATING:
        hurry(i);
        break;
    case STATE_DEACTIVATING: /* see activated() */
        too_slow(i, "deactivate has not returned after 10 s");
        break;
    case STATE_DELAYED:
        if (i->link == NULL) {
            start_runner(i);
        } else {
            set_state(i, STATE_IDLE);
            activate(i);
        }
        break;
    default:
        break;
    }
}

static void end_stop(plugin_instance_t *i)
{
    loop_timer_clear(&i->deadline);
    loop_timer_clear(&i->timer);
    set_state(i, STATE_ENDED);
    i->o.on_ended(i->o.arg);
}

static void on_deadline(loop_timer_t *timer)
{
    plugin_instance_t *i = HOST_CONTAINER(timer, plugin_instance_t, deadline);

    if (i->stopping) {
        if (i->link != NULL)
            (void) abandon(i, "not ended when the time for draining was over");
        end_stop(i);
        return;
    }
    replace(i);
    rest(i);
}

/* -- What the runner reports -- */

/* The time of create() begins: reading and mapping the file is not its fault. */
static void loaded(plugin_instance_t *i)
{
    i->loaded = true;
    if (i->state == STATE_CREATING)
        loop_timer_set(&i->timer, clock_now() + CALL_TIMEOUT);
}

static void created(plugin_instance_t *i, const message_t *m)
{
    if (i->stopping)
        return; /* its end is on the way */
    loop_timer_clear(&i->timer);
    if (m->code < 0) {
        destroy_runner(i);
        fail(i, m->why);
        return;
    }
    set_state(i, STATE_IDLE);
    tell(i, true, NULL);
    log_info(i->log, "created: plugin %s %s, %s", i->o.file->manifest->id,
             i->o.file->manifest->version, i->o.process ? "process" : "thread");
    if (i->o.warm)
        plugin_keeper_open(i->keeper);
    settle(i);
    activate(i);
}

static void activated(plugin_instance_t *i, const message_t *m)
{
    if (i->stopping)
        return;
    loop_timer_clear(&i->timer);
    plugin_services_limit(i->services, CLOCK_NEVER);
    if (i->state == STATE_DRAINING) {
        if (m->code == 0) {
            deactivate(i);
        } else {
            set_state(i, STATE_IDLE);
            rest(i);
        }
        return;
    }
    if (m->code == 0 && i->hurried) { /* with a ctx that is cancelled it cannot work */
        deactivate(i);
        loop_timer_set(&i->timer, clock_now() + CALL_TIMEOUT);
        return;
    }
    if (m->code == 0) {
        i->activate_delay = 0;
        open_controller(i);
        return;
    }
    host_cleanup(host_freep) char *why = host_xprintf("activate: %s", m->why);
    plugin_services_end(i->services);
    again_later(i, &i->activate_delay, why);
}

static void deactivated(plugin_instance_t *i)
{
    if (i->stopping)
        return;
    loop_timer_clear(&i->timer);
    if (!i->resting) {
        plugin_services_end(i->services);
        again_later(i, &i->activate_delay, slow_activate);
        return;
    }
    set_state(i, STATE_IDLE);
    rest(i);
}

static void died(plugin_instance_t *i, const message_t *m)
{
    host_cleanup(host_freep) char *why = host_xprintf("the worker process %s", m->why);

    metric_add(i->restarts, 1);
    i->link->runner->ops->abandon(i->link->runner); /* it waits for this last call */
    i->link = NULL;
    i->dying++; /* until its on_destroyed comes */
    plugin_controller_pause(i->controller);
    plugin_services_end(i->services);
    if (i->stopping || i->state == STATE_FAILED)
        return;
    restart_later(i, why);
    settle(i);
    rest(i);
}

static void destroyed(plugin_instance_t *i, link_t *link)
{
    if (link->abandoned) {
        i->abandoned -= link->inside;
        i->ghosts--;
        metric_set(i->abandoned_metric, i->abandoned);
        log_info(i->log, "a runner that was given up has ended after all");
        if (i->state == STATE_FAILED && i->held_up && i->ghosts == 0)
            start_runner(i);
    } else if (link == i->link) {
        i->link = NULL;
    } else {
        i->dying--;
    }
    if (i->o.process) {
        free(link); /* its table was never used */
    } else {
        link->next = i->over;
        i->over = link;
    }
    if (i->state == STATE_DESTROYING && i->link == NULL && i->dying == 0)
        end_stop(i);
}

static void on_message(loop_task_t *task) /* [loop-thread] */
{
    message_t *m = HOST_CONTAINER(task, message_t, task);
    plugin_instance_t *i = m->link->instance;
    const bool present = m->link == i->link;

    if (m->kind == DESTROYED)
        destroyed(i, m->link);
    else if (!present)
        log_debug(i->log, "late news of a runner that was given up");
    else if (m->kind == RETURNED)
        plugin_controller_returned(i->controller, m->ctx, m->ran, m->entered, m->at);
    else if (m->kind == DIED)
        died(i, m);
    else if (m->kind == LOADED)
        loaded(i);
    else if (m->kind == CREATED)
        created(i, m);
    else if (m->kind == ACTIVATED)
        activated(i, m);
    else
        deactivated(i);
    free(m->why);
    free(m);
}

static const plugin_sink_t sink = {
    .on_loaded = sink_loaded,
    .on_created = sink_created,
    .on_activated = sink_activated,
    .on_deactivated = sink_deactivated,
    .on_returned = sink_returned,
    .on_destroyed = sink_destroyed,
    .on_died = sink_died,
};

static void start_runner(plugin_instance_t *i)
{
    link_t *link = host_xcalloc(1, sizeof(*link));
    lh_error_t err = {0};
    plugin_runner_options_t options = {
        .path = i->o.file->copy,
        .digest = i->o.file->digest,
        .name = i->name,
        .config = i->config,
        .workers = i->o.workers,
        .log = i->log,
        .backend = plugin_services_backend(i->services),
        .box = i->o.shared->box,
        .table = &link->table,
        .strays = plugin_services_strays(i->services),
        .sink = sink,
    };

    link->instance = i;
    options.sink.arg = link;
    i->held_up = false;
    set_state(i, STATE_CREATING);
    i->loaded = false;
    i->born = clock_now();
    i->link = link;
    loop_timer_set(&i->timer, clock_now() + LOAD_TIMEOUT);
    if (i->keeper == NULL)
        i->keeper = plugin_keeper_create(i->o.hub, i->o.manifest, i->o.namespaces, i->log);
    const int ret = i->o.process ? plugin_remote_create(&options, &link->runner, &err)
                                 : plugin_local_create(&options, &link->runner, &err);
    if (ret == 0) {
        pthread_mutex_lock(&i->kill_lock);
        i->killable = link->runner; /* not gone: it ends only when it is told to */
        pthread_mutex_unlock(&i->kill_lock);
        return;
    }
    i->link = NULL;
    free(link);
    restart_later(i, err.text);
    settle(i);
}

/* -- What the controller and the services report -- */

static void controller_idle(void *arg)
{
    plugin_instance_t *i = arg;

    if (i->state == STATE_DRAINING)
        deactivate(i);
}

static void controller_state(void *arg, const char *problem)
{
    plugin_instance_t *i = arg;

    if (i->state == STATE_ACTIVE) /* else there are worse problems than those of its watches */
        tell(i, problem == NULL, problem);
}

static void services_complete(void *arg, uint64_t ctx, const lh_result_t *result, int64_t at)
{
    plugin_controller_completed(((plugin_instance_t *) arg)->controller, ctx, result, at);
}

/* Also while the term begins: activate() may ask for keys before there is a watch. */
static void services_enqueue(void *arg, uint32_t watch, const char *ns, const char *name)
{
    plugin_instance_t *i = arg;

    if (i->fence != NULL && !i->resting)
        plugin_controller_enqueue(i->controller, watch, ns, name);
}

static void services_written(void *arg, const char *method, const char *path, const char *body,
                             size_t len)
{
    plugin_controller_written(((plugin_instance_t *) arg)->controller, method, path, body, len);
}

/* -- The owner's calls -- */

plugin_instance_t *plugin_instance_create(const plugin_instance_options_t *options)
{
    plugin_instance_t *i = host_xcalloc(1, sizeof(*i));
    plugin_shared_t *shared = options->shared;
    const plugin_manifest_t *manifest = options->manifest;

    i->o = *options;
    i->name = host_xstrdup(options->name);
    i->config = host_xstrdup(options->config);
    i->log = log_named(shared->log, "controller", options->name);
    host_cleanup(host_freep) char *check = host_xprintf("plugin-%s", options->name);
    i->check = health_add(shared->health, check, shared->counts, HEALTH_READYZ);
    i->restarts = plugin_state_restarts(shared->metrics, i->name);
    i->abandoned_metric = plugin_state_abandoned(shared->metrics, i->name);
    plugin_state_gauge_init(&i->gauge, shared->metrics, i->name);
    pthread_mutex_init(&i->kill_lock, NULL);
    loop_timer_init(&i->timer, shared->loop, on_timer);
    loop_timer_init(&i->deadline, shared->loop, on_deadline);
    i->services = plugin_services_create(
        shared, i->name, options->user, manifest,
        &(plugin_services_hooks_t){services_complete, services_enqueue, services_written, i});
    plugin_services_set_rate(i->services, options->qps, options->burst);
    i->controller = plugin_controller_create(
        &(plugin_controller_options_t){.shared = shared,
                                       .hub = options->hub,
                                       .name = i->name,
                                       .manifest = manifest,
                                       .services = i->services,
                                       .namespaces = options->namespaces,
                                       .workers = options->workers,
                                       .max_in_flight = options->max_in_flight,
                                       .retry_qps = options->retry_qps,
                                       .retry_burst = options->retry_burst,
                                       .log = i->log,
                                       .on_idle = controller_idle,
                                       .on_state = controller_state,
                                       .arg = i});
    start_runner(i);
    return i;
}

void plugin_instance_begin(plugin_instance_t *i, fence_t *fence)
{
    i->fence = fence_ref(fence);
    set_in_term(i, true);
    if (i->state == STATE_IDLE)
        activate(i);
    else if (i->state == STATE_DELAYED && i->link == NULL)
        start_runner(i); /* a new term does not wait for the delay of the last */
}

/* STATE_DELAYED with a runner: activation failed and waits; without one: a restart is to come. */
void plugin_instance_end(plugin_instance_t *i, int64_t deadline)
{
    if (i->resting) { /* a voluntary end that has become a forced one */
        if (deadline < i->deadline.at)
            loop_timer_set(&i->deadline, deadline);
        return;
    }
    i->resting = true;
    switch (atomic_load(&i->state)) {
    case STATE_ACTIVE:
        loop_timer_set(&i->deadline, deadline);
        set_state(i, STATE_DRAINING);
        plugin_controller_close(i->controller);
        plugin_services_cancel(i->services);
        i->link->runner->ops->cancel(i->link->runner);
        if (plugin_controller_running(i->controller) == 0)
            deactivate(i);
        break;
    case STATE_ACTIVATING:
        loop_timer_set(&i->deadline, deadline);
        set_state(i, STATE_DRAINING);
        plugin_services_cancel(i->services);
        i->link->runner->ops->cancel(i->link->runner); /* a worker process hears of it by this */
        break;
    case STATE_DEACTIVATING: /* after an activate() that took too long */
        loop_timer_clear(&i->timer);
        loop_timer_set(&i->deadline, deadline);
        break;
    case STATE_DELAYED:
        if (i->link != NULL) {
            loop_timer_clear(&i->timer);
            set_state(i, STATE_IDLE);
        }
        rest(i);
        break;
    default:
        rest(i);
        break;
    }
}

void plugin_instance_stop(plugin_instance_t *i, int64_t deadline)
{
    i->stopping = true;
    clear_term(i); /* should one be on */
    plugin_keeper_destroy(host_steal(i->keeper));
    if (i->link == NULL && i->dying == 0) {
        end_stop(i);
        return;
    }
    loop_timer_clear(&i->timer);
    loop_timer_set(&i->deadline, deadline);
    set_state(i, STATE_DESTROYING);
    if (i->link == NULL ||
        i->link->destroying) /* a runner that ends itself may be gone any moment */
        return;
    i->link->runner->ops->cancel(i->link->runner); /* a worker process hears of it by this */
    destroy_runner(i);
}

bool plugin_instance_destroy(plugin_instance_t *i)
{
    if (i == NULL)
        return false;
    if (i->ghosts > 0 || i->dying > 0)
        return true; /* their threads still use all of this */
    plugin_controller_destroy(i->controller);
    plugin_services_destroy(i->services);
    health_remove(i->o.shared->health, i->check);
    metrics_drop(i->o.shared->metrics, "controller", i->name);
    pthread_mutex_destroy(&i->kill_lock);
    log_destroy(i->log);
    for (link_t *link = i->over, *next; link != NULL; link = next) {
        next = link->next;
        free(link);
    }
    plugin_manifest_destroy(i->o.manifest);
    free(i->name);
    free(i->config);
    free(i);
    return false;
}

void plugin_instance_kill(plugin_instance_t *i)
{
    pthread_mutex_lock(&i->kill_lock);
    if (i->in_term && i->killable != NULL)
        plugin_runner_kill(i->killable);
    pthread_mutex_unlock(&i->kill_lock);
}

const char *plugin_instance_state(const plugin_instance_t *i)
{
    return plugin_state_name(i->state);
}

const char *plugin_instance_name(const plugin_instance_t *i)
{
    return i->name;
}
