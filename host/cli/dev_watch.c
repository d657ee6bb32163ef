/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of plugins, or with a configuration file in it: a linker that rewrites a file in place, cmake that moves one there, a
 * directory that is removed and made again. */
#include "base/clock.h"
#include "base/error.h"
#include "cli/dev.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define QUIET_TIME (300 * CLOCK_MS) /* a build that writes several files is one change */
#define RETRY_TIME (1 * CLOCK_S)    /* the directory is gone */

struct dev_dir {
    dev_dir_options_t o;
    char *path;
    int fd;
    struct event *readable;
    loop_timer_t timer; /* of the change at hand, or of the next look for the directory */
    bool lost;
    char name[NAME_MAX + 1];
};

static bool is_plugin(const char *name)
{
    const size_t len = strlen(name);

    return name[0] != '.' && len > 3 && strcmp(name + len - 3, ".so") == 0;
}

static bool counts(const dev_dir_t *d, const char *name)
{
    for (const char *const *known = d->o.names; known != NULL && *known != NULL; known++) {
        if (strcmp(name, *known) == 0)
            return true;
    }
    return d->o.names == NULL && is_plugin(name);
}

/* A linker that fails takes its file away. */
static bool is_there(const dev_dir_t *d)
{
    host_cleanup(host_freep) char *path = host_xprintf("%s/%s", d->path, d->name);

    return access(path, R_OK) == 0;
}

static bool add_watch(dev_dir_t *d)
{
    return inotify_add_watch(d->fd, d->path,
                             IN_CLOSE_WRITE | IN_MODIFY | IN_MOVE | IN_CREATE | IN_DELETE |
                                 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR) >= 0;
}

static void on_timer(loop_timer_t *timer)
{
    dev_dir_t *d = HOST_CONTAINER(timer, dev_dir_t, timer);

    if (d->lost && !add_watch(d)) {
        loop_timer_set(timer, clock_now() + RETRY_TIME);
        return;
    }
    d->lost = false;
    d->o.changed(d->o.arg, d->name, is_there(d));
}

static void take_event(dev_dir_t *d, const struct inotify_event *e)
{
    if (e->len > 0 && !counts(d, e->name))
        return;
    if (e->len > 0) {
        snprintf(d->name, sizeof(d->name), "%s", e->name);
    } else if ((e->mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
        if ((e->mask & IN_MOVE_SELF) != 0)
            (void) inotify_rm_watch(d->fd, e->wd);
        d->lost = true;
        d->name[0] = '\0';
    } else {
        return;
    }
    loop_timer_set(&d->timer, clock_now() + QUIET_TIME);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    char buf[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    const ssize_t n = read(fd, buf, sizeof(buf));

    (void) what;
    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *e = (const struct inotify_event *) (buf + at);

        take_event(arg, e);
        at += (ssize_t) (sizeof(*e) + e->len);
    }
}

int dev_dir_watch(const dev_dir_options_t *o, dev_dir_t **out, lh_error_t *err)
{
    dev_dir_t *d = host_xcalloc(1, sizeof(*d));

    d->o = *o;
    d->path = host_xstrdup(o->dir);
    loop_timer_init(&d->timer, o->loop, on_timer);
    d->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    const bool watched = d->fd >= 0 && add_watch(d);
    const int saved = errno;
    if (watched)
        d->readable = event_new(loop_base(o->loop), d->fd, EV_READ | EV_PERSIST, on_readable, d);
    if (d->readable == NULL || event_add(d->readable, NULL) < 0) {
        dev_dir_destroy(d);
        return host_fail(err, saved == ENOENT || saved == ENOTDIR ? LH_ENOTFOUND : LH_EIO,
                         "watch '%s': %s", o->dir, strerror(watched ? ENOMEM : saved));
    }
    *out = d;
    return 0;
}

void dev_dir_destroy(dev_dir_t *d)
{
    if (d == NULL)
        return;
    loop_timer_clear(&d->timer);
    if (d->readable != NULL)
        event_free(d->readable);
    host_closep(&d->fd);
    free(d->path);
    free(d);
}
