/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance in a worker process. The loop thread puts messages into the wire; one thread of the
 * instance's own serves the socket and the process until both are gone. Nothing here waits for the
 * worker.
 */
#include "plugin/remote.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_TIME (2 * CLOCK_S) /* from its last word to its end */

enum {
    EXPECT_CREATED = 1,
    EXPECT_ACTIVATED = 2,
    EXPECT_DEACTIVATED = 4,
    EXPECT_DESTROYED = 8,
    EXPECT_LOADED = 16
};

/* -- Sending -- */

void plugin_remote_ref(plugin_remote_t *r)
{
    atomic_fetch_add(&r->refs, 1);
}

void plugin_remote_unref(plugin_remote_t *r)
{
    if (atomic_fetch_sub(&r->refs, 1) != 1)
        return;
    plugin_wire_destroy(r->wire);
    host_closep(&r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r->name);
    free(r);
}

static void wake(plugin_remote_t *r)
{
    const uint64_t one = 1;

    /* EAGAIN only: then the counter says already what this would. */
    while (write(r->wake, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

void plugin_remote_send(plugin_remote_t *r, plugin_message_t *m)
{
    plugin_wire_send(r->wire, m);
    wake(r);
}

static void send_bare(plugin_remote_t *r, enum plugin_wire_type type)
{
    plugin_remote_send(r, plugin_message_new(type, 0));
}

/* -- Reports -- [plugin-thread] */

/* A report that nobody has asked for is a broken rule. */
static bool was_expected(plugin_remote_t *r, uint32_t what)
{
    return (atomic_fetch_and(&r->expected, ~what) & what) != 0;
}

static int on_returned(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    const uint64_t ctx = in->id;
    const bool ran = plugin_incoming_u32(in) != 0;
    const int64_t entered = (int64_t) plugin_incoming_u64(in);
    plugin_remote_job_t *job = NULL;

    pthread_mutex_lock(&r->lock);
    HASH_FIND(hh, r->jobs, &ctx, sizeof(ctx), job);
    if (job != NULL)
        HASH_DEL(r->jobs, job);
    pthread_mutex_unlock(&r->lock);
    if (job == NULL || !plugin_incoming_done(in))
        return host_fail(err, LH_EPARSE, "a report about a reconcile that it does not have");
    free(job);
    r->sink.on_returned(r->sink.arg, ctx, ran, entered);
    return 0;
}

static int on_code(plugin_remote_t *r, plugin_incoming_t *in, uint32_t what, lh_error_t *err)
{
    lh_error_t why = {0};
    const int code = plugin_incoming_error(in, &why);

    if (!plugin_incoming_done(in) || !was_expected(r, what))
        return host_fail(err, LH_EPARSE, "a message of type %u that is malformed or out of turn",
                         in->type);
    (void) was_expected(r, EXPECT_LOADED); /* never after this: a file that cannot be mapped */
    if (what == EXPECT_CREATED)
        r->sink.on_created(r->sink.arg, code, code == 0 ? NULL : &why);
    else
        r->sink.on_activated(r->sink.arg, code, code == 0 ? NULL : &why);
    return 0;
}

static int on_bare(plugin_remote_t *r, plugin_incoming_t *in, uint32_t what, lh_error_t *err)
{
    if (!plugin_incoming_done(in) || !was_expected(r, what))
        return host_fail(err, LH_EPARSE, "a message of type %u that is malformed or out of turn",
                         in->type);
    if (what == EXPECT_DESTROYED)
        r->destroyed = true;
    else if (what == EXPECT_DEACTIVATED)
        r->sink.on_deactivated(r->sink.arg);
    else if (r->sink.on_loaded != NULL)
        r->sink.on_loaded(r->sink.arg);
    return 0;
}

static int on_message(void *arg, plugin_incoming_t *in, lh_error_t *err)
{
    plugin_remote_t *r = arg;

    switch (in->type) {
    case PLUGIN_WIRE_CREATED:
        return on_code(r, in, EXPECT_CREATED, err);
    case PLUGIN_WIRE_ACTIVATED:
        return on_code(r, in, EXPECT_ACTIVATED, err);
    case PLUGIN_WIRE_DEACTIVATED:
        return on_bare(r, in, EXPECT_DEACTIVATED, err);
    case PLUGIN_WIRE_DESTROYED:
        return on_bare(r, in, EXPECT_DESTROYED, err);
    case PLUGIN_WIRE_LOADED:
        return on_bare(r, in, EXPECT_LOADED, err);
    case PLUGIN_WIRE_RETURNED:
        return on_returned(r, in, err);
    default:
        return plugin_remote_call(r, in, err);
    }
}

/* -- The serving thread -- [plugin-thread] */

static void kill_now(plugin_remote_t *r)
{
    pthread_mutex_lock(&r->lock);
    if (r->child.pidfd >= 0)
        child_kill(&r->child);
    pthread_mutex_unlock(&r->lock);
}

/* One round: sends and receives. 0, or a code when the connection is over; a worker that has broken
 * the rules is killed, and why set. */
static int serve_wire(plugin_remote_t *r, lh_error_t *why)
{
    int ret = plugin_wire_flush(r->wire);

    if (ret == 0)
        ret = plugin_wire_receive(r->wire, on_message, r, why);
    if (ret == LH_ENOMEM || ret == LH_EPARSE || ret == LH_ETOOBIG) {
        if (ret == LH_ENOMEM && why->text[0] == '\0')
            host_error_set(why, ret, "out of memory for a message");
        kill_now(r);
    }
    if (ret == LH_EIO)
        why->text[0] = '\0'; /* its end says more */
    return ret;
}

static void drain_wake(plugin_remote_t *r)
{
    uint64_t count;

    while (read(r->wake, &count, sizeof(count)) < 0 && errno == EINTR)
        continue;
}

/* What was sent before the end is taken: a completion counts. Bounded, since a process that the
 * plugin has forked may hold the socket open. */
static void take_rest(plugin_remote_t *r, lh_error_t *why)
{
    lh_error_t end = {0};
    int ret = 0;

    for (unsigned i = 0; ret == 0 && i < 4; i++) {
        ret = plugin_wire_receive(r->wire, on_message, r, &end);
    }
    if (ret < 0 && ret != LH_EIO)
        *why = end;
}

/* Until the process has ended; why stays empty unless it has broken the rules. */
static void serve(plugin_remote_t *r, lh_error_t *why)
{
    struct pollfd fds[] = {
        {r->child.pidfd, POLLIN, 0}, {r->wake, POLLIN, 0}, {plugin_wire_fd(r->wire), 0, 0}};
    int64_t deadline = CLOCK_NEVER;
    bool open = true;

    for (;;) {
        const int64_t left = deadline == CLOCK_NEVER ? 0 : deadline - clock_now();

        fds[2].events = plugin_wire_events(r->wire);
        fds[2].fd = open ? plugin_wire_fd(r->wire) : -1;
        const int timeout = deadline == CLOCK_NEVER ? -1
                            : left > 0              ? (int) (left / CLOCK_MS) + 1
                                                    : 0;
        const int n = poll(fds, HOST_LEN(fds), timeout);

        if (n == 0) {
            kill_now(r); /* its socket is closed, but it does not end */
            deadline = CLOCK_NEVER;
            continue;
        }
        if (n < 0)
            continue; /* EINTR */
        if (fds[1].revents != 0)
            drain_wake(r);
        if (open && serve_wire(r, why) < 0)
            open = false;
        if (fds[0].revents != 0)
            break;
        if (deadline == CLOCK_NEVER && (!open || r->destroyed))
            deadline = clock_now() + EXIT_TIME;
    }
    if (open)
        take_rest(r, why);
}

static int reap(plugin_remote_t *r)
{
    pthread_mutex_lock(&r->lock);
    const int status = child_reap(&r->child); /* it has ended: this does not wait */
    pthread_mutex_unlock(&r->lock);
    return status;
}

/* The owner may be calling right now: the runner must be there until it knows. */
static void await_owner(plugin_remote_t *r)
{
    struct pollfd fd = {r->wake, POLLIN, 0};

    while (!atomic_load(&r->abandoned)) {
        drain_wake(r);
        if (!atomic_load(&r->abandoned))
            (void) poll(&fd, 1, -1);
    }
}

static void report_end(plugin_remote_t *r, int status, const lh_error_t *why)
{
    host_cleanup(host_freep) char *end = child_describe(status);
    host_cleanup(host_freep) char *reason = NULL;

    if (atomic_load(&r->abandoned))
        return;
    if (r->destroyed) {
        if (status != 0)
            log_warn(r->log, "worker process of '%s' %s after it had destroyed its instance",
                     r->name, end);
        return;
    }
    if (why->text[0] != '\0')
        reason = host_xprintf("killed by the host: it sent %s", why->text);
    else if (atomic_load(&r->killed))
        reason = host_xprintf("killed by the host: it had not stopped in time");
    else
        reason = host_steal(end);
    r->sink.on_died(r->sink.arg, reason);
    await_owner(r);
}

static void *serve_main(void *arg)
{
    plugin_remote_t *r = arg;
    plugin_remote_job_t *job, *next;
    lh_error_t why = {0};

    serve(r, &why);
    const int status = reap(r);

    plugin_wire_close(r->wire);
    plugin_remote_drop_walks(r);
    report_end(r, status, &why);
    pthread_mutex_lock(&r->lock);
    HASH_ITER (hh, r->jobs, job, next) {
        HASH_DEL(r->jobs, job);
        free(job);
    }
    pthread_mutex_unlock(&r->lock);
    r->sink.on_destroyed(r->sink.arg);
    plugin_remote_unref(r);
    return NULL;
}

/* -- The runner's functions -- [loop-thread] */

static plugin_remote_t *remote_of(plugin_runner_t *runner)
{
    return (plugin_remote_t *) runner;
}

static void remote_activate(plugin_runner_t *runner, uint64_t ctx)
{
    plugin_remote_t *r = remote_of(runner);

    atomic_fetch_or(&r->expected, EXPECT_ACTIVATED);
    plugin_remote_send(r, plugin_message_new(PLUGIN_WIRE_ACTIVATE, ctx));
}

static void remote_reconcile(plugin_runner_t *runner, const plugin_job_t *job)
{
    plugin_remote_t *r = remote_of(runner);
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_RECONCILE, job->ctx);
    plugin_remote_job_t *given = host_xcalloc(1, sizeof(*given));

    plugin_put_job(m, job);
    given->ctx = job->ctx;
    pthread_mutex_lock(&r->lock);
    HASH_ADD(hh, r->jobs, ctx, sizeof(given->ctx), given);
    pthread_mutex_unlock(&r->lock);
    plugin_remote_send(r, m);
}

static void remote_cancel(plugin_runner_t *runner)
{
    send_bare(remote_of(runner), PLUGIN_WIRE_CANCEL);
}

static void remote_take_back(plugin_runner_t *runner)
{
    send_bare(remote_of(runner), PLUGIN_WIRE_TAKE_BACK);
}

/* Includes the jobs that wait for a worker thread over there. */
static uint32_t remote_inside(plugin_runner_t *runner)
{
    plugin_remote_t *r = remote_of(runner);

    pthread_mutex_lock(&r->lock);
    const uint32_t inside = HASH_COUNT(r->jobs);
    pthread_mutex_unlock(&r->lock);
    return inside;
}

static void remote_deactivate(plugin_runner_t *runner)
{
    plugin_remote_t *r = remote_of(runner);

    atomic_fetch_or(&r->expected, EXPECT_DEACTIVATED);
    send_bare(r, PLUGIN_WIRE_DEACTIVATE);
}

static void remote_destroy(plugin_runner_t *runner)
{
    plugin_remote_t *r = remote_of(runner);

    atomic_fetch_or(&r->expected, EXPECT_DESTROYED);
    send_bare(r, PLUGIN_WIRE_DESTROY);
}

static void remote_abandon(plugin_runner_t *runner)
{
    plugin_remote_t *r = remote_of(runner);

    pthread_mutex_lock(&r->lock);
    if (r->child.pidfd >= 0)
        child_kill(&r->child);
    atomic_store(&r->abandoned, true);
    wake(r);
    pthread_mutex_unlock(&r->lock);
}

static const plugin_runner_ops_t remote_ops = {
    .activate = remote_activate,
    .reconcile = remote_reconcile,
    .cancel = remote_cancel,
    .take_back = remote_take_back,
    .inside = remote_inside,
    .deactivate = remote_deactivate,
    .destroy = remote_destroy,
    .abandon = remote_abandon,
};

void plugin_runner_kill(plugin_runner_t *runner)
{
    if (runner->ops != &remote_ops)
        return;
    plugin_remote_t *r = remote_of(runner);

    atomic_store(&r->killed, true);
    kill_now(r);
}

/* -- Creation -- */

static int start_worker(plugin_remote_t *r, lh_error_t *err)
{
    static const char *const args[] = {"worker", "3", NULL};
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return host_fail(err, LH_EIO, "socketpair: %s", strerror(errno));
    host_cleanup(host_closep) int theirs = pair[1];
    const plugin_spawn_t how = {args, {-1, STDERR_FILENO, STDERR_FILENO, theirs}};

    r->wire = plugin_wire_create(pair[0], PLUGIN_WIRE_TO_HOST, PLUGIN_WIRE_WINDOW);
    r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->wake < 0)
        return host_fail(err, LH_EIO, "eventfd: %s", strerror(errno));
    return plugin_spawn(&how, &r->child, err);
}

static void send_start(plugin_remote_t *r, const plugin_runner_options_t *o)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_START, 0);

    plugin_message_string(m, o->path);
    plugin_message_string(m, o->digest);
    plugin_message_string(m, o->name);
    plugin_message_string(m, o->config);
    plugin_message_u32(m, o->workers);
    atomic_store(&r->expected, EXPECT_LOADED | EXPECT_CREATED);
    plugin_remote_send(r, m);
}

/* With every signal blocked: signals are the loop's. */
static int start_thread(plugin_remote_t *r)
{
    pthread_t thread;
    sigset_t all, before;

    host_thread_signals(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int ret = pthread_create(&thread, NULL, serve_main, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ret == 0)
        pthread_detach(thread);
    return ret;
}

int plugin_remote_create(const plugin_runner_options_t *options, plugin_runner_t **out,
                         lh_error_t *err)
{
    plugin_remote_t *r = host_xcalloc(1, sizeof(*r));

    r->runner.ops = &remote_ops;
    r->sink = options->sink;
    r->backend = options->backend;
    r->log = options->log;
    r->name = host_xstrdup(options->name);
    r->wake = r->child.pidfd = -1;
    atomic_init(&r->refs, 1);
    pthread_mutex_init(&r->lock, NULL);
    int ret = start_worker(r, err);

    if (ret < 0) {
        plugin_remote_unref(r);
        return host_error_wrap(err, ret, "start a worker process");
    }
    log_debug(r->log, "worker process %d runs '%s'", (int) r->child.pid, r->name);
    send_start(r, options);
    ret = start_thread(r);
    if (ret != 0) {
        child_kill(&r->child);
        (void) child_reap(&r->child);
        plugin_remote_unref(r);
        return host_fail(err, LH_EIO, "start a worker process: thread: %s", strerror(ret));
    }
    *out = &r->runner;
    return 0;
}
