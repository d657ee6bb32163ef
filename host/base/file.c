/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int code_of(int saved_errno)
{
    switch (saved_errno) {
    case ENOENT:
    case ENOTDIR:
        return LH_ENOTFOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return LH_EPERM;
    case ENOMEM:
        return LH_ENOMEM;
    default:
        return LH_EIO;
    }
}

static int fail(lh_error_t *err, const char *what, const char *path)
{
    int saved = errno;

    return host_fail(err, code_of(saved), "%s '%s': %s", what, path, strerror(saved));
}

static int read_all(int fd, const char *path, size_t max, buf_t *out, lh_error_t *err)
{
    char chunk[16384];

    /* Until the end, not st_size bytes: files of /proc and /sys have none. */
    for (size_t total = 0;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(err, "read", path);
        if (n == 0)
            return 0;
        total += (size_t) n;
        if (total > max)
            return host_fail(err, LH_ETOOBIG, "read '%s': larger than %zu bytes", path, max);
        int ret = buf_append(out, chunk, (size_t) n);

        if (ret < 0)
            return host_fail(err, ret, "read '%s': %s", path, lh_strerror(ret));
    }
}

int file_read(const char *path, size_t max, buf_t *out, lh_error_t *err)
{
    /* Not blocking, else opening a FIFO waits for its other end. */
    host_cleanup(host_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0)
        return fail(err, "open", path);
    if (fstat(fd, &st) < 0)
        return fail(err, "stat", path);
    if (!S_ISREG(st.st_mode))
        return host_fail(err, LH_EINVAL, "open '%s': not a regular file", path);
    size_t before = out->len;
    int ret = read_all(fd, path, max, out, err);

    if (ret < 0 && out->data != NULL) {
        out->len = before;
        out->data[before] = '\0';
    }
    return ret;
}

int file_write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += n;
        len -= (size_t) n;
    }
    return 0;
}

bool file_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The folder that path stands in. Caller owns the result, free with free(). */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t) (slash - path));
}

static int sync_folder(const char *path, lh_error_t *err)
{
    host_cleanup(host_freep) char *dir = folder_of(path);

    if (dir == NULL)
        return host_fail(err, LH_ENOMEM, "sync '%s': out of memory", path);
    host_cleanup(host_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return fail(err, "sync", dir);
    return 0;
}

int file_write_atomic(const char *path, const void *data, size_t len, unsigned mode,
                      lh_error_t *err)
{
    host_cleanup(host_freep) char *tmp = NULL;

    if (asprintf(&tmp, "%s.tmp-XXXXXX", path) < 0) {
        tmp = NULL;
        return host_fail(err, LH_ENOMEM, "write '%s': out of memory", path);
    }
    host_cleanup(host_closep) int fd = mkostemp(tmp, O_CLOEXEC);

    if (fd < 0)
        return fail(err, "create", tmp);
    if (file_write_all(fd, data, len) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0 ||
        rename(tmp, path) < 0) {
        int ret = fail(err, "write", path);

        unlink(tmp);
        return ret;
    }
    return sync_folder(path, err);
}

int file_make_dirs(const char *dir, unsigned mode, lh_error_t *err)
{
    host_cleanup(host_freep) char *path = strdup(dir);
    struct stat st;

    if (path == NULL)
        return host_fail(err, LH_ENOMEM, "make directory '%s': out of memory", dir);
    for (char *end = path; *end != '\0';) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char sep = *end;

        *end = '\0';
        /* EEXIST may be a file, and a read-only parent says EROFS although path is there. */
        if (mkdir(path, mode) < 0) {
            int saved = errno;

            if (stat(path, &st) < 0) {
                errno = saved;
                return fail(err, "make directory", path);
            }
            if (!S_ISDIR(st.st_mode))
                return host_fail(err, LH_EEXISTS, "make directory '%s': '%s' is not a directory",
                                 dir, path);
        }
        *end = sep;
    }
    return 0;
}
