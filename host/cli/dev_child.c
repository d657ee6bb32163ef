/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `leasehold run` as a child of `leasehold dev`: its log is shown line by line, it is started again
 * for a new plugin, and after a crash.
 */
#include "base/child.h"
#include "base/clock.h"
#include "cli/dev.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_TIME (20 * CLOCK_S)  /* for a drain, before it is killed */
#define FIRST_DELAY (2 * CLOCK_S) /* after a crash; doubled each time */
#define LAST_DELAY (60 * CLOCK_S)
#define MAX_LINE 65536
#define MAX_CHUNKS 16            /* read at a time: more than a pipe holds */
#define GOOD_TIME (30 * CLOCK_S) /* one that ran this long begins with the first delay again */

struct dev_child {
    dev_child_options_t o;
    char *state_dir;
    child_t process; /* pid 0: none runs */
    int log_fd;
    struct event *log_event, *end_event;
    buf_t line;
    loop_timer_t timer; /* while it runs: of SIGKILL; else of the next start */
    int64_t started, delay;
    bool wanted;   /* it is to run, or to be started again */
    bool stopping; /* SIGTERM was sent */
};

static void start(dev_child_t *c);

/* -- Its log -- */

static void show_lines(dev_child_t *c)
{
    char *at = c->line.data, *end;

    while (at != NULL && (end = strchr(at, '\n')) != NULL) {
        *end = '\0';
        dev_print_log(c->o.printer, at);
        at = end + 1;
    }
    if (at != NULL && at != c->line.data) {
        c->line.len -= (size_t) (at - c->line.data);
        memmove(c->line.data, at, c->line.len + 1);
    }
}

static void read_log(dev_child_t *c)
{
    char chunk[8192];
    ssize_t n = -1;

    /* One that writes faster than it is shown must not keep the API server from everything else. */
    for (int i = 0; i < MAX_CHUNKS && (n = read(c->log_fd, chunk, sizeof(chunk))) > 0; i++) {
        buf_append(&c->line, chunk, (size_t) n);
        show_lines(c);
        if (c->line.len > MAX_LINE) {
            dev_print_log(c->o.printer, c->line.data);
            buf_clear(&c->line);
        }
    }
    if (n == 0)
        event_del(c->log_event); /* all that had it have ended, or closed it */
}

static void on_log(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    read_log(arg);
}

/* -- Its end -- */

static void free_event(struct event **event)
{
    if (*event != NULL)
        event_free(*event);
    *event = NULL;
}

static void forget(dev_child_t *c)
{
    if (c->log_event != NULL)
        read_log(c);
    if (c->line.len > 0)
        dev_print_log(c->o.printer, c->line.data);
    buf_fini(&c->line);
    free_event(&c->log_event);
    free_event(&c->end_event);
    host_closep(&c->log_fd);
    c->log_fd = -1;
    c->process.pid = 0;
    loop_timer_clear(&c->timer);
}

static void start_later(dev_child_t *c, const char *what, const char *why)
{
    dev_print(c->o.printer, DEV_RED,
              "dev  | the host %s: %s; it is started again when a plugin changes, or in %lld s",
              what, why, (long long) (c->delay / CLOCK_S));
    loop_timer_set(&c->timer, clock_now() + c->delay);
    c->delay = HOST_MIN(2 * c->delay, LAST_DELAY);
}

/* It has ended by itself. */
static void report(dev_child_t *c, int status)
{
    host_cleanup(host_freep) char *how = child_describe(status);

    if (clock_now() - c->started > GOOD_TIME)
        c->delay = FIRST_DELAY;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CLI_USAGE)
        dev_print(c->o.printer, DEV_RED,
                  "dev  | the host has ended: %s (configuration): it is started again when a "
                  "plugin or its configuration file changes",
                  how);
    else
        start_later(c, "has ended", how);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    dev_child_t *c = arg;
    const bool asked = c->stopping;

    (void) fd;
    (void) what;
    const int status = child_reap(&c->process);
    forget(c);
    c->stopping = false;
    if (!c->wanted)
        c->o.stopped(c->o.arg);
    else if (asked)
        start(c);
    else
        report(c, status);
}

/* -- Its start -- */

/* In the child, after fork: only what is safe there. Does not return. */
static void execute(char **argv, int log_fd, pid_t parent)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    sigaction(SIGPIPE, &usual, NULL);
    setpgid(0, 0); /* the terminal's SIGINT is for the parent, which passes it on in its order */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    if (dup2(null, STDIN_FILENO) >= 0 && dup2(log_fd, STDOUT_FILENO) >= 0 &&
        dup2(log_fd, STDERR_FILENO) >= 0)
        execv("/proc/self/exe", argv);
    _exit(127);
}

static bool spawn(dev_child_t *c, int log_fd)
{
    host_cleanup(dev_argv_freep) char **argv = dev_argv(c->o.args, c->o.kubeconfig, c->state_dir);
    const pid_t self = getpid();

    fflush(NULL);
    c->process.pid = fork();
    if (c->process.pid == 0)
        execute(argv, log_fd, self);
    if (c->process.pid < 0) {
        c->process.pid = 0;
        return false;
    }
    c->process.pidfd = pidfd_open(c->process.pid, 0);
    return true;
}

static bool follow(dev_child_t *c)
{
    struct event_base *base = loop_base(c->o.loop);

    c->log_event = event_new(base, c->log_fd, EV_READ | EV_PERSIST, on_log, c);
    c->end_event = event_new(base, c->process.pidfd, EV_READ, on_end, c);
    return c->process.pidfd >= 0 && c->log_event != NULL && c->end_event != NULL &&
           event_add(c->log_event, NULL) == 0 && event_add(c->end_event, NULL) == 0;
}

/* 0, or the errno for which it could not be started. */
static int try_start(dev_child_t *c)
{
    int pipe_fds[2];

    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return errno;
    c->log_fd = pipe_fds[0];
    c->started = clock_now();
    const bool started = fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK) == 0 && spawn(c, pipe_fds[1]);
    const bool followed = started && follow(c);
    const int saved = errno;
    close(pipe_fds[1]);
    if (followed)
        return 0;
    if (started) {
        kill(c->process.pid, SIGKILL); /* there may be no pidfd */
        (void) child_reap(&c->process);
    }
    forget(c);
    return saved;
}

static void start(dev_child_t *c)
{
    loop_timer_clear(&c->timer); /* a plugin has changed before the delay's end */
    dev_apply_lease(c->o.core, DEV_LEASE_NAMESPACE, DEV_LEASE_NAME);
    const int failure = try_start(c);
    if (failure != 0)
        start_later(c, "cannot be started", strerror(failure));
}

/* -- For the verb -- */

static void on_timer(loop_timer_t *timer)
{
    dev_child_t *c = HOST_CONTAINER(timer, dev_child_t, timer);

    if (c->process.pid == 0) {
        start(c);
        return;
    }
    dev_print(c->o.printer, DEV_RED, "dev  | the host does not end: it is killed");
    child_kill(&c->process);
}

dev_child_t *dev_child_create(const dev_child_options_t *o)
{
    dev_child_t *c = host_xcalloc(1, sizeof(*c));

    c->o = *o;
    c->state_dir = host_xstrdup(o->state_dir);
    c->delay = FIRST_DELAY;
    c->log_fd = -1;
    c->wanted = true;
    loop_timer_init(&c->timer, o->loop, on_timer);
    start(c);
    return c;
}

static void terminate(dev_child_t *c)
{
    if (!c->stopping)
        kill(c->process.pid, SIGTERM);
    else
        child_kill(&c->process);
    c->stopping = true;
    loop_timer_set(&c->timer, clock_now() + STOP_TIME);
}

void dev_child_restart(dev_child_t *c, const char *why)
{
    if (!c->wanted)
        return;
    c->delay = FIRST_DELAY;
    dev_print(c->o.printer, DEV_BOLD, "dev  | %s: the host is %s", why,
              c->process.pid != 0 ? "started again" : "started");
    if (c->process.pid == 0)
        start(c);
    else if (!c->stopping)
        terminate(c);
}

void dev_child_stop(dev_child_t *c)
{
    const bool again = !c->wanted;

    c->wanted = false;
    if (c->process.pid == 0)
        c->o.stopped(c->o.arg);
    else if (!c->stopping || again) /* for a new plugin it hands over already */
        terminate(c);
}

void dev_child_destroy(dev_child_t *c)
{
    if (c == NULL)
        return;
    if (c->process.pid != 0) {
        child_kill(&c->process);
        (void) child_reap(&c->process);
        forget(c);
    }
    loop_timer_clear(&c->timer);
    free(c->state_dir);
    free(c);
}
