/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes copies that nobody uses. Several hosts may share a state directory, so each holds what it
 * uses by a shared lock: on a copy as long as the host may load it, on the directory from before it
 * looks for a copy until it holds that. The kernel drops both with the process.
 */
#include "base/clock.h"
#include "base/error.h"
#include "plugin/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEEP_TIME (24 * 3600 * CLOCK_S) /* for a return to the last version without its probe */

int plugin_copy_hold(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int ret = -1;

    while (fd >= 0 && (ret = flock(fd, LOCK_SH)) < 0 && errno == EINTR)
        continue;
    if (fd >= 0 && ret < 0)
        close(fd); /* no locks here: then nobody removes anything either */
    return ret < 0 ? -1 : fd;
}

static bool is_old(const struct stat *st)
{
    const int64_t then = (int64_t) st->st_mtim.tv_sec * CLOCK_S + st->st_mtim.tv_nsec;

    return S_ISREG(st->st_mode) && clock_wall() - then > KEEP_TIME;
}

/* Behind the digest that a name begins with; NULL when it does not. */
static const char *after_digest(const char *name)
{
    const size_t len = PLUGIN_DIGEST_SIZE - 1;

    return strspn(name, "0123456789abcdef") == len ? name + len : NULL;
}

static void sweep_copy(int dir, const char *name)
{
    const char *rest = after_digest(name);
    struct stat st;

    if (strncmp(name, ".copy-", 6) != 0 && (rest == NULL || strcmp(rest, ".so") != 0))
        return;
    host_cleanup(host_closep) int fd =
        openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd >= 0 && fstat(fd, &st) == 0 && is_old(&st) && flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void) unlinkat(dir, name, 0);
}

/* What is kept beside a copy goes with it. */
static void sweep_verdict(int dir, const char *name)
{
    const char *rest = after_digest(name);
    char copy[PLUGIN_DIGEST_SIZE + 3];
    struct stat st;

    if (rest == NULL || strncmp(rest, ".probe", 6) != 0)
        return;
    snprintf(copy, sizeof(copy), "%.*s.so", (int) (rest - name), name);
    if (fstatat(dir, copy, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT &&
        fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_old(&st))
        (void) unlinkat(dir, name, 0);
}

static void for_each(int dir, void (*fn)(int dir, const char *name))
{
    const int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        fn(dir, e->d_name);
    closedir(d);
}

void plugin_copies_sweep(const char *dir)
{
    host_cleanup(host_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return; /* somebody prepares a file just now: the next start does it */
    for_each(fd, sweep_copy);
    for_each(fd, sweep_verdict);
}
