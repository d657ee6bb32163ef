/* SPDX-License-Identifier: Apache-2.0 */
#include "app/control.h"

#include "base/clock.h"
#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define TIME_LIMIT (5 * CLOCK_S)
#define RESUME_DELAY (CLOCK_S / 10)

enum { MAX_CLIENTS = 8, MAX_LINE = 128 };

typedef struct client {
    list_t link;
    app_control_t *control;
    int fd;
    struct event *event;
    loop_timer_t limit;
    char line[MAX_LINE];
    size_t len;
    buf_t out;
    size_t sent;
    bool waits; /* for the end of the term */
} client_t;

struct app_control {
    app_control_options_t o;
    char *dir, *path;
    int fd;
    struct event *event;
    loop_timer_t resume;
    list_t clients; /* the oldest first */
    size_t count;
};

/* -- One client -- */

static void client_close(client_t *c)
{
    loop_timer_clear(&c->limit);
    list_remove(&c->link);
    c->control->count--;
    if (c->event != NULL)
        event_free(c->event);
    host_closep(&c->fd);
    buf_fini(&c->out);
    free(c);
}

static void on_limit(loop_timer_t *timer)
{
    client_close(HOST_CONTAINER(timer, client_t, limit));
}

static void on_client(evutil_socket_t fd, short what, void *arg);

static void await(client_t *c, short what)
{
    event_del(c->event);
    event_assign(c->event, loop_base(c->control->o.loop), c->fd, what | EV_PERSIST, on_client, c);
    event_add(c->event, NULL);
}

/* Sends what the socket takes. What is left over waits until it takes more. */
static void flush(client_t *c)
{
    while (c->sent < c->out.len) {
        const ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);

        if (n >= 0) {
            c->sent += (size_t) n;
        } else if (errno == EAGAIN) {
            await(c, EV_WRITE);
            return;
        } else if (errno != EINTR) {
            client_close(c);
            return;
        }
    }
    if (!c->waits) {
        client_close(c);
        return;
    }
    loop_timer_clear(&c->limit);
    await(c, EV_READ); /* it may hang up */
}

static void put_error(client_t *c, const char *text)
{
    buf_puts(&c->out, "{\"error\":");
    buf_json_string(&c->out, text, strlen(text));
    buf_puts(&c->out, "}\n");
}

static void step_down(client_t *c, bool wait)
{
    const app_control_options_t *o = &c->control->o;
    lh_error_t err = {0};
    const int ret = o->step_down(o->arg, &err);

    c->waits = wait && ret > 0;
    if (ret < 0)
        put_error(c, err.text);
    else
        buf_printf(&c->out, "{\"leading\":%s}\n", ret > 0 ? "true" : "false");
}

/* words: what follows the command, "[[PLUGIN ]LEVEL]". */
static void log_level(client_t *c, char *words)
{
    const app_control_options_t *o = &c->control->o;
    char *level = strchr(words, ' ');
    lh_error_t err = {0};

    if (level != NULL)
        *level++ = '\0';
    if (o->log_level(o->arg, level != NULL ? words : NULL, level != NULL ? level : words, &c->out,
                     &err) < 0) {
        put_error(c, err.text);
    } else {
        buf_puts(&c->out, "\n");
    }
}

static void obey(client_t *c)
{
    static const char log_word[] = "log-level";
    const app_control_options_t *o = &c->control->o;
    char *words = c->line + sizeof(log_word) - 1;

    if (strcmp(c->line, "status") == 0) {
        o->status(o->arg, &c->out);
        buf_puts(&c->out, "\n");
    } else if (strcmp(c->line, "step-down") == 0) {
        step_down(c, false);
    } else if (strcmp(c->line, "step-down wait") == 0) {
        step_down(c, true);
    } else if (strncmp(c->line, log_word, sizeof(log_word) - 1) == 0 &&
               (*words == '\0' || *words == ' ')) {
        log_level(c, words + (*words == ' '));
    } else {
        put_error(c, "unknown command; there are status, log-level, step-down and step-down wait");
    }
    flush(c);
}

/* Reads towards the end of the line. */
static void take(client_t *c)
{
    const ssize_t n = read(c->fd, c->line + c->len, sizeof(c->line) - c->len);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || c->waits) { /* hung up, or more than one command */
        client_close(c);
        return;
    }
    c->len += (size_t) n;
    char *end = memchr(c->line, '\n', c->len);

    if (end != NULL) {
        *end = '\0';
        obey(c);
    } else if (c->len == sizeof(c->line)) {
        put_error(c, "the command is too long");
        flush(c);
    }
}

static void on_client(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    if ((what & EV_WRITE) != 0)
        flush(arg);
    else
        take(arg);
}

/* -- Accepting -- */

static bool may_ask(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

/* Beyond the limit a client takes the place of the oldest that does not wait. */
static bool make_room(app_control_t *control)
{
    if (control->count < MAX_CLIENTS)
        return true;
    LIST_EACH (&control->clients, it, tmp) {
        client_t *c = LIST_ENTRY(it, client_t, link);

        if (!c->waits) {
            client_close(c);
            return true;
        }
    }
    return false;
}

static void client_open(app_control_t *control, int fd)
{
    client_t *c = host_xcalloc(1, sizeof(*c));

    c->control = control;
    c->fd = fd;
    list_append(&control->clients, &c->link);
    control->count++;
    loop_timer_init(&c->limit, control->o.loop, on_limit);
    loop_timer_set(&c->limit, clock_now() + TIME_LIMIT);
    c->event = event_new(loop_base(control->o.loop), fd, EV_READ | EV_PERSIST, on_client, c);
    if (c->event == NULL || event_add(c->event, NULL) < 0) {
        client_close(c);
        return;
    }
    if (may_ask(fd))
        return;
    log_warn(control->o.log, "control socket: a command of another user is refused");
    put_error(c, "only root and the user that runs the host may do this");
    flush(c);
}

static void on_resume(loop_timer_t *timer)
{
    event_add(HOST_CONTAINER(timer, app_control_t, resume)->event, NULL);
}

static void on_connection(evutil_socket_t listener, short what, void *arg)
{
    app_control_t *control = arg;
    const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void) what;
    if (fd >= 0 && make_room(control)) {
        client_open(control, fd);
    } else if (fd >= 0) {
        close(fd);
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        event_del(control->event); /* no descriptor is free: it would be told again at once */
        loop_timer_set(&control->resume, clock_now() + RESUME_DELAY);
    }
}

/* -- The socket -- */

pid_t app_control_pid(const char *name)
{
    static const char prefix[] = "control-", suffix[] = ".sock";
    char *end;

    if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
        return 0;
    name += sizeof(prefix) - 1;
    if (name[0] < '1' || name[0] > '9' || strlen(name) > 16)
        return 0;
    const long long pid = strtoll(name, &end, 10);

    return strcmp(end, suffix) == 0 && pid <= INT32_MAX ? (pid_t) pid : 0;
}

/* The address of a socket in dir, which may have a longer path than an address holds. *dir_fd is
 * needed as long as the address is. */
static int address_of(const char *dir, pid_t pid, struct sockaddr_un *address, int *dir_fd)
{
    *dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*dir_fd < 0)
        return -1;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/control-%d.sock",
             *dir_fd, (int) pid);
    return 0;
}

int app_control_connect(const char *dir, pid_t pid)
{
    host_cleanup(host_closep) int dir_fd = -1;
    host_cleanup(host_closep) int fd = -1;
    struct sockaddr_un address;

    if (address_of(dir, pid, &address, &dir_fd) < 0)
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* Towards a host that does not turn the queue may be full: then this must not wait. */
    if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 ||
        fcntl(fd, F_SETFL, 0) < 0)
        return -1;
    const int connected = fd;

    fd = -1;
    return connected;
}

/* Those that a host killed on the spot has left behind. */
static void remove_dead(const char *dir)
{
    DIR *entries = opendir(dir);
    const struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        const pid_t pid = app_control_pid(entry->d_name);
        host_cleanup(host_closep) int fd = pid != 0 ? app_control_connect(dir, pid) : -1;

        if (pid != 0 && fd < 0 && errno == ECONNREFUSED)
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries != NULL)
        closedir(entries);
}

static int listen_at(app_control_t *c, lh_error_t *err)
{
    host_cleanup(host_closep) int dir_fd = -1;
    struct sockaddr_un address;

    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The mode of the descriptor becomes that of the file: it is never open to others. */
    if (c->fd < 0 || fchmod(c->fd, 0600) < 0 ||
        address_of(c->dir, getpid(), &address, &dir_fd) < 0 ||
        bind(c->fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
        return host_fail(err, LH_EIO, "'%s': %s", c->path, strerror(errno));
    if (listen(c->fd, 16) < 0) {
        unlink(c->path);
        return host_fail(err, LH_EIO, "'%s': %s", c->path, strerror(errno));
    }
    return 0;
}

static void control_free(app_control_t *c)
{
    if (c->event != NULL)
        event_free(c->event);
    host_closep(&c->fd);
    free(c->path);
    free(c->dir);
    free(c);
}

int app_control_open(const app_control_options_t *options, app_control_t **out, lh_error_t *err)
{
    app_control_t *c = host_xcalloc(1, sizeof(*c));

    c->o = *options;
    c->dir = host_xstrdup(options->dir);
    c->path = host_xprintf("%s/control-%d.sock", c->dir, (int) getpid());
    c->fd = -1;
    list_init(&c->clients);
    loop_timer_init(&c->resume, c->o.loop, on_resume);
    remove_dead(c->dir);
    int ret = listen_at(c, err);

    if (ret == 0) {
        c->event = event_new(loop_base(c->o.loop), c->fd, EV_READ | EV_PERSIST, on_connection, c);
        if (c->event == NULL || event_add(c->event, NULL) < 0) {
            unlink(c->path);
            ret = host_fail(err, LH_EIO, "'%s' cannot be served", c->path);
        }
    }
    if (ret < 0) {
        control_free(c);
        return ret;
    }
    *out = c;
    return 0;
}

void app_control_ended(app_control_t *control, const char *reason)
{
    if (control == NULL)
        return;
    LIST_EACH (&control->clients, it, tmp) {
        client_t *c = LIST_ENTRY(it, client_t, link);

        if (!c->waits)
            continue;
        c->waits = false;
        buf_puts(&c->out, "{\"ended\":");
        buf_json_string(&c->out, reason, strlen(reason));
        buf_puts(&c->out, "}\n");
        loop_timer_set(&c->limit, clock_now() + TIME_LIMIT);
        flush(c);
    }
}

void app_control_close(app_control_t *c)
{
    if (c == NULL)
        return;
    unlink(c->path);
    LIST_EACH (&c->clients, it, tmp)
        client_close(LIST_ENTRY(it, client_t, link));
    loop_timer_clear(&c->resume);
    control_free(c);
}
