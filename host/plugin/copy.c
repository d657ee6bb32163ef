/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/copy.h"

#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* -- Opening -- */

static int open_failed(const char *path, int why, lh_error_t *err)
{
    struct stat st;

    if (why == ENOENT && lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        return host_fail(err, LH_ENOTFOUND, "dangling symlink: remove it or bring its target back");
    if (why == ENOENT)
        return host_fail(err, LH_ENOTFOUND, "no such file");
    if (why == ELOOP)
        return host_fail(err, LH_EINVAL, "a symlink that leads to itself: remove it");
    if (why == EACCES)
        return host_fail(err, LH_EPERM,
                         "user %u may not read it: chmod a+r the file, and a+x the "
                         "directories above it",
                         (unsigned) geteuid());
    return host_fail(err, LH_EIO, "open: %s", strerror(why));
}

static int check_kind(const struct stat *st, lh_error_t *err)
{
    if (S_ISDIR(st->st_mode))
        return host_fail(err, LH_EINVAL, "a directory named like a plugin: rename or remove it");
    if (!S_ISREG(st->st_mode))
        return host_fail(err, LH_EINVAL, "not a regular file: remove it");
    return 0;
}

static int check_owner(const struct stat *st, lh_error_t *err)
{
    const uid_t me = geteuid();

    if (st->st_uid != 0 && st->st_uid != me)
        return host_fail(err, LH_EPERM,
                         "owned by user %u, who could change it at any time: chown it "
                         "to root or to user %u, as whom the host runs",
                         (unsigned) st->st_uid, (unsigned) me);
    if ((st->st_mode & S_IWOTH) != 0)
        return host_fail(err, LH_EPERM, "everybody may write to it (mode %04o): chmod go-w",
                         (unsigned) st->st_mode & 07777u);
    if ((st->st_mode & S_IWGRP) != 0)
        return host_fail(err, LH_EPERM, "its group may write to it (mode %04o): chmod go-w",
                         (unsigned) st->st_mode & 07777u);
    return 0;
}

int plugin_file_open(const char *path, lh_error_t *err)
{
    struct stat st;

    /* Asked before the open too: opening a device may do things. */
    if (stat(path, &st) < 0)
        return open_failed(path, errno, err);
    int ret = check_kind(&st, err);

    if (ret < 0)
        return ret;
    host_cleanup(host_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &st) < 0)
        return open_failed(path, errno, err);
    ret = check_kind(&st, err);
    if (ret == 0)
        ret = check_owner(&st, err);
    if (ret == 0 && (uint64_t) st.st_size > PLUGIN_FILE_MAX)
        ret = host_fail(err, LH_ETOOBIG, "larger than 1 GiB: strip its debugging information");
    if (ret < 0)
        return ret;
    const int result = fd;

    fd = -1;
    return result;
}

/* -- Digests -- */

static void md_freep(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

int plugin_file_digest(int fd, int to, char out[PLUGIN_DIGEST_SIZE], lh_error_t *err)
{
    host_cleanup(md_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    host_cleanup(host_freep) unsigned char *chunk = malloc(65536);
    unsigned char md[EVP_MAX_MD_SIZE];
    uint64_t total = 0;

    if (ctx == NULL || chunk == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
        return host_fail(err, LH_ENOMEM, "hash: out of memory");
    for (;;) {
        const ssize_t n = read(fd, chunk, 65536);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return host_fail(err, LH_EIO, "read: %s", strerror(errno));
        if (n == 0)
            break;
        total += (uint64_t) n;
        if (total > PLUGIN_FILE_MAX) /* it may grow while it is read */
            return host_fail(err, LH_ETOOBIG, "larger than 1 GiB");
        if (EVP_DigestUpdate(ctx, chunk, (size_t) n) != 1)
            return host_fail(err, LH_EIO, "hash: SHA-256 failed");
        if (to >= 0 && file_write_all(to, chunk, (size_t) n) < 0)
            return host_fail(err, LH_EIO, "write its copy below stateDir: %s", strerror(errno));
    }
    if (EVP_DigestFinal_ex(ctx, md, NULL) != 1)
        return host_fail(err, LH_EIO, "hash: SHA-256 failed");
    for (size_t i = 0; i < 32; i++) {
        snprintf(out + 2 * i, 3, "%02x", md[i]);
    }
    return 0;
}

int plugin_file_verify(const char *path, const char *digest, lh_error_t *err)
{
    host_cleanup(host_closep) int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    char actual[PLUGIN_DIGEST_SIZE];
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return host_fail(err, LH_EIO, "open '%s': %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return host_fail(err, LH_EIO, "'%s' is not a regular file", path);
    const int ret = plugin_file_digest(fd, -1, actual, err);

    if (ret < 0)
        return host_error_wrap(err, ret, "'%s'", path);
    if (strcmp(actual, digest) != 0)
        return host_fail(err, LH_EIO,
                         "'%s' has changed since it was copied: remove it and restart "
                         "the host",
                         path);
    return 0;
}

/* -- The copy -- */

static int sync_dir(const char *dir)
{
    host_cleanup(host_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -1 : fsync(fd);
}

/* Copies from fd to tmp (open at to) and gives it its name. */
static int fill(int fd, int to, const char *tmp, const char *dir, char digest[PLUGIN_DIGEST_SIZE],
                char **copy, lh_error_t *err)
{
    const int ret = plugin_file_digest(fd, to, digest, err);
    host_cleanup(host_freep) char *path = NULL;

    if (ret < 0)
        return ret;
    path = host_xprintf("%s/%s.so", dir, digest);
    if (fchmod(to, 0500) < 0 || fsync(to) < 0 || rename(tmp, path) < 0 || sync_dir(dir) < 0)
        return host_fail(err, LH_EIO, "write '%s': %s", path, strerror(errno));
    *copy = host_steal(path);
    return 0;
}

static int make_copy(int fd, const char *dir, char digest[PLUGIN_DIGEST_SIZE], char **copy,
                     lh_error_t *err)
{
    host_cleanup(host_freep) char *tmp = host_xprintf("%s/.copy-XXXXXX", dir);
    host_cleanup(host_closep) int to = mkostemp(tmp, O_CLOEXEC);

    if (to < 0)
        return host_fail(err, LH_EIO, "create '%s': %s", tmp, strerror(errno));
    const int ret = fill(fd, to, tmp, dir, digest, copy, err);

    if (ret < 0)
        unlink(tmp);
    return ret;
}

static int find_or_make(int fd, const char *dir, char digest[PLUGIN_DIGEST_SIZE], char **copy,
                        lh_error_t *err)
{
    const int ret = plugin_file_digest(fd, -1, digest, err);

    if (ret < 0)
        return ret;
    host_cleanup(host_freep) char *found = host_xprintf("%s/%s.so", dir, digest);

    if (plugin_file_verify(found, digest, NULL) == 0) {
        *copy = host_steal(found);
        return 0;
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return host_fail(err, LH_EIO, "read: %s", strerror(errno));
    return make_copy(fd, dir, digest, copy, err);
}

int plugin_file_copy(const char *path, const char *dir, char digest[PLUGIN_DIGEST_SIZE],
                     char **copy, int *held, lh_error_t *err)
{
    host_cleanup(host_closep) int fd = plugin_file_open(path, err);
    struct statvfs fs;

    if (fd < 0)
        return fd;
    int ret = file_make_dirs(dir, 0700, err);

    if (ret < 0)
        return ret;
    host_cleanup(host_freep) char *full = realpath(dir, NULL); /* the loader wants the whole path */

    if (full == NULL)
        return host_fail(err, LH_EIO, "'%s': %s", dir, strerror(errno));
    if (statvfs(full, &fs) == 0 && (fs.f_flag & ST_NOEXEC) != 0)
        return host_fail(err, LH_EPERM,
                         "the state directory's file system is mounted noexec: set "
                         "stateDir to one that is not (in a pod, an emptyDir)");
    /* Until the copy itself is held, or it could go between the two. */
    int all = plugin_copy_hold(full);

    ret = find_or_make(fd, full, digest, copy, err);
    if (ret == 0)
        *held = plugin_copy_hold(*copy);
    host_closep(&all);
    return ret;
}
