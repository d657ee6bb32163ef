/* SPDX-License-Identifier: Apache-2.0 */
#include "lease/instance.h"

#include "base/file.h"
#include "base/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

enum {
    BOOT_LEN = 36,
    LINE_LEN = BOOT_LEN + 1 + LEASE_INSTANCE_LEN + 1, /* "<boot> <instance>\n" */
    TRIES = 3
};

static void read_boot(lease_instance_t *i)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    if (file_read(BOOT_ID, 64, &text, NULL) == 0 && text.len >= BOOT_LEN)
        memcpy(i->boot, text.data, BOOT_LEN);
}

/* The file at path is still the one that was opened, and a plain one. */
static bool is_still(int fd, const char *path)
{
    struct stat opened, now;

    return fstat(fd, &opened) == 0 && lstat(path, &now) == 0 && S_ISREG(now.st_mode) &&
           opened.st_dev == now.st_dev && opened.st_ino == now.st_ino;
}

/* A locked descriptor of path, or -1 after telling why not. */
static int take(const char *path, const log_t *log)
{
    for (int i = 0; i < TRIES; i++) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0) {
            log_warn(log, "open '%s': %s: a restart will wait for the lease to run out", path,
                     strerror(errno));
            return -1;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            log_error(log,
                      "'%s' is locked: another process with this name runs on this machine; give "
                      "each its "
                      "own (--name)",
                      path);
            host_closep(&fd);
            return -1;
        }
        if (is_still(fd, path))
            return fd;
        host_closep(&fd); /* replaced between open and lock */
    }
    log_warn(log, "'%s' changes all the time: a restart will wait for the lease to run out", path);
    return -1;
}

/* What the last process of this boot has written. */
static void read_previous(lease_instance_t *i)
{
    char line[LINE_LEN + 2] = "";
    ssize_t n = pread(i->fd, line, sizeof(line) - 1, 0);

    if (n != LINE_LEN || i->boot[0] == '\0' || memcmp(line, i->boot, BOOT_LEN) != 0 ||
        line[BOOT_LEN] != ' ' || line[LINE_LEN - 1] != '\n')
        return;
    line[LINE_LEN - 1] = '\0';
    if (lease_is_instance(line + BOOT_LEN + 1))
        memcpy(i->previous, line + BOOT_LEN + 1, sizeof(i->previous));
}

void lease_instance_open(lease_instance_t *i, const char *dir, const log_t *log)
{
    *i = (lease_instance_t){.fd = -1};
    rand_hex(i->id, LEASE_INSTANCE_LEN / 2);
    if (dir == NULL)
        return;
    host_cleanup(host_freep) char *path = host_xprintf("%s/instance", dir);

    read_boot(i);
    i->fd = take(path, log);
    if (i->fd >= 0)
        read_previous(i);
}

void lease_instance_write(lease_instance_t *i, const log_t *log)
{
    char line[LINE_LEN + 1];

    if (i->written || i->fd < 0 || i->boot[0] == '\0')
        return;
    i->written = true;
    snprintf(line, sizeof(line), "%.36s %.32s\n", i->boot, i->id);
    if (pwrite(i->fd, line, LINE_LEN, 0) != LINE_LEN || ftruncate(i->fd, LINE_LEN) < 0 ||
        fsync(i->fd) < 0)
        log_warn(log, "write the instance file: %s: a restart will wait for the lease to run out",
                 strerror(errno));
}

void lease_instance_close(lease_instance_t *i)
{
    host_closep(&i->fd); /* and with it the lock */
    i->fd = -1;
}
