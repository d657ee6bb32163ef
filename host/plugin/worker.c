/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/worker.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

/* -- Sending -- */

static void wake(plugin_worker_t *w)
{
    const uint64_t one = 1;

    while (write(w->wake, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

static void wait_for_room(plugin_worker_t *w)
{
    pthread_mutex_lock(&w->lock);
    w->blocked++;
    while (plugin_wire_waiting(w->wire) > PLUGIN_WIRE_WINDOW) {
        pthread_cond_wait(&w->room, &w->lock);
    }
    w->blocked--;
    pthread_mutex_unlock(&w->lock);
}

/* Something may have been sent. */
static void tell_room(plugin_worker_t *w)
{
    pthread_mutex_lock(&w->lock);
    if (w->blocked > 0)
        pthread_cond_broadcast(&w->room);
    pthread_mutex_unlock(&w->lock);
}

void plugin_worker_send(plugin_worker_t *w, plugin_message_t *m)
{
    if (!pthread_equal(pthread_self(), w->main))
        wait_for_room(w);
    plugin_wire_send(w->wire, m);
    /* At once, on this thread: a turn of the main thread would cost more than the message. */
    if (plugin_wire_flush(w->wire) < 0 || plugin_wire_waiting(w->wire) > 0)
        wake(w);
    tell_room(w);
}

/* -- Reports of the runner -- [any-thread] */

static void report_code(plugin_worker_t *w, enum plugin_wire_type type, int code,
                        const lh_error_t *err)
{
    plugin_message_t *m = plugin_message_new(type, 0);

    plugin_message_error(m, code, err);
    plugin_worker_send(w, m);
}

static void sink_loaded(void *arg)
{
    plugin_worker_send(arg, plugin_message_new(PLUGIN_WIRE_LOADED, 0));
}

static void sink_created(void *arg, int code, const lh_error_t *err)
{
    report_code(arg, PLUGIN_WIRE_CREATED, code, err);
}

static void sink_activated(void *arg, int code, const lh_error_t *err)
{
    report_code(arg, PLUGIN_WIRE_ACTIVATED, code, err);
}

static void sink_deactivated(void *arg)
{
    plugin_worker_send(arg, plugin_message_new(PLUGIN_WIRE_DEACTIVATED, 0));
}

static void sink_returned(void *arg, uint64_t ctx, bool ran, int64_t entered)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_RETURNED, ctx);

    plugin_message_u32(m, ran);
    plugin_message_u64(m, (uint64_t) entered); /* one clock for all processes of a machine */
    if (ran)
        plugin_worker_ctx_returned(arg, ctx);
    else
        plugin_worker_ctx_end(arg, ctx);
    plugin_worker_send(arg, m);
}

static void sink_destroyed(void *arg)
{
    plugin_worker_t *w = arg;

    plugin_worker_send(w, plugin_message_new(PLUGIN_WIRE_DESTROYED, 0));
    pthread_mutex_lock(&w->lock);
    w->ended = true;
    wake(w); /* under the lock: the main thread, once it has seen `ended`, takes all of this down */
    pthread_mutex_unlock(&w->lock);
}

static void sink_died(void *arg, const char *reason)
{
    (void) arg;
    (void) reason; /* a local runner does not die alone */
}

/* -- Orders of the host -- main thread */

static int malformed(const plugin_incoming_t *in, lh_error_t *err)
{
    return host_fail(err, LH_EPARSE, "a malformed message of type %u", in->type);
}

static int on_start(plugin_worker_t *w, plugin_incoming_t *in, lh_error_t *err)
{
    plugin_runner_options_t o = {
        .backend = plugin_worker_backend(w),
        .table = &w->table,
        .sink = {.on_loaded = sink_loaded,
                 .on_created = sink_created,
                 .on_activated = sink_activated,
                 .on_deactivated = sink_deactivated,
                 .on_returned = sink_returned,
                 .on_destroyed = sink_destroyed,
                 .on_died = sink_died,
                 .arg = w},
    };

    o.path = plugin_incoming_string(in);
    o.digest = plugin_incoming_string(in);
    o.name = plugin_incoming_string(in);
    o.config = plugin_incoming_string(in);
    o.workers = plugin_incoming_u32(in);
    if (!plugin_incoming_done(in) || o.path == NULL || o.name == NULL || o.config == NULL)
        return malformed(in, err);
    return plugin_local_create(&o, &w->runner, err);
}

static int on_reconcile(plugin_worker_t *w, plugin_incoming_t *in, lh_error_t *err)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *now = NULL, *before = NULL;
    plugin_text_t object, last;
    plugin_job_t job;
    int ret = 0;

    if (!plugin_take_job(in, &job, &object, &last))
        return malformed(in, err);
    if (object.p != NULL)
        ret = watch_snapshot_create(object.p, object.len, NULL, NULL, &now, err);
    if (ret == 0 && last.p != NULL)
        ret = watch_snapshot_create(last.p, last.len, NULL, NULL, &before, err);
    if (ret < 0)
        return ret;
    job.object = now;
    job.last = before;
    plugin_worker_ctx_begin(w, job.ctx);
    plugin_worker_ctx_bring(w, &job);
    w->runner->ops->reconcile(w->runner, &job);
    return 0;
}

static int on_activate(plugin_worker_t *w, plugin_incoming_t *in, lh_error_t *err)
{
    (void) err;
    plugin_worker_ctx_begin(w, in->id);
    w->runner->ops->activate(w->runner, in->id);
    return 0;
}

static int on_cancel(plugin_worker_t *w, plugin_incoming_t *in, lh_error_t *err)
{
    (void) in;
    (void) err;
    plugin_worker_ctx_end_all(w);
    w->runner->ops->cancel(w->runner);
    return 0;
}

static int on_take_back(plugin_worker_t *w, plugin_incoming_t *in, lh_error_t *err)
{
    (void) in;
    (void) err;
    w->runner->ops->take_back(w->runner);
    return 0;
}

static int on_deactivate(plugin_worker_t *w, plugin_incoming_t *in, lh_error_t *err)
{
    (void) in;
    (void) err;
    plugin_worker_ctx_end_all(w);
    w->runner->ops->deactivate(w->runner);
    return 0;
}

static int on_destroy(plugin_worker_t *w, plugin_incoming_t *in, lh_error_t *err)
{
    (void) in;
    (void) err;
    w->runner->ops->destroy(w->runner);
    return 0;
}

static int on_reply(plugin_worker_t *w, plugin_incoming_t *in, lh_error_t *err)
{
    return plugin_worker_on_reply(w, in) ? 0 : malformed(in, err);
}

static int on_answer(plugin_worker_t *w, plugin_incoming_t *in, lh_error_t *err)
{
    return plugin_worker_on_answer(w, in) ? 0 : malformed(in, err);
}

static int on_message(void *arg, plugin_incoming_t *in, lh_error_t *err)
{
    static int (*const orders[])(plugin_worker_t *, plugin_incoming_t *, lh_error_t *) = {
        [PLUGIN_WIRE_START] = on_start,           [PLUGIN_WIRE_ACTIVATE] = on_activate,
        [PLUGIN_WIRE_RECONCILE] = on_reconcile,   [PLUGIN_WIRE_CANCEL] = on_cancel,
        [PLUGIN_WIRE_DEACTIVATE] = on_deactivate, [PLUGIN_WIRE_DESTROY] = on_destroy,
        [PLUGIN_WIRE_REPLY] = on_reply,           [PLUGIN_WIRE_ANSWER] = on_answer,
        [PLUGIN_WIRE_TAKE_BACK] = on_take_back,
    };
    plugin_worker_t *w = arg;

    if (in->type >= HOST_LEN(orders) || orders[in->type] == NULL)
        return malformed(in, err);
    if ((in->type == PLUGIN_WIRE_START) != (w->runner == NULL))
        return malformed(in, err);
    return orders[in->type](w, in, err);
}

/* -- The process -- */

static bool has_ended(plugin_worker_t *w)
{
    pthread_mutex_lock(&w->lock);
    const bool ended = w->ended;
    pthread_mutex_unlock(&w->lock);
    return ended;
}

/* Until the runner has ended and all has been sent; below 0: the host is gone. */
static int serve(plugin_worker_t *w, lh_error_t *err)
{
    struct pollfd fds[] = {{plugin_wire_fd(w->wire), 0, 0}, {w->wake, POLLIN, 0}};

    for (;;) {
        const bool ended = has_ended(w);

        if (ended && plugin_wire_waiting(w->wire) == 0)
            return 0;
        fds[0].events = plugin_wire_events(w->wire);
        if (poll(fds, HOST_LEN(fds), -1) < 0)
            continue; /* EINTR */
        if (fds[1].revents != 0) {
            uint64_t count;

            if (read(w->wake, &count, sizeof(count)) < 0 && errno != EINTR && errno != EAGAIN)
                return host_fail(err, LH_EIO, "eventfd: %s", strerror(errno));
        }
        int ret = plugin_wire_flush(w->wire);

        if (ret == 0) {
            tell_room(w);
            ret = plugin_wire_receive(w->wire, on_message, w, err);
        }
        if (ret < 0)
            return ret;
    }
}

int plugin_worker_main(int fd)
{
    plugin_worker_t w = {.main = pthread_self(),
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .room = PTHREAD_COND_INITIALIZER};
    lh_error_t err = {0};

    /* The end of the host ends the socket too; this is for a worker that is stopped. */
    (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void) signal(SIGPIPE, SIG_IGN); /* as in the host */
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return 2; /* not started by a host */
    list_init(&w.cursors);
    list_init(&w.brought);
    w.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w.wake < 0)
        return 2;
    w.wire = plugin_wire_create(fd, PLUGIN_WIRE_TO_WORKER, 0);
    if (serve(&w, &err) < 0)
        _exit(1); /* the host is gone; the plugin's threads are not waited for */
    plugin_worker_ctx_end_all(&w);
    plugin_wire_destroy(w.wire);
    host_closep(&w.wake);
    return 0;
}
