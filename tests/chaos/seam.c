/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of host/base/seam.h in the test build. */
#include "chaos/seam.h"

#include "base/seam.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static struct {
    pthread_once_t once;
    seam_control_t none, *control;
    int sent_fd;
} state = {.once = PTHREAD_ONCE_INIT, .sent_fd = -1};

static int open_file(const char *suffix, int flags)
{
    char path[512];

    snprintf(path, sizeof(path), "%s%s", getenv(SEAM_VARIABLE), suffix);
    return open(path, flags | O_CLOEXEC, 0600);
}

static void open_files(void)
{
    state.control = &state.none;
    if (getenv(SEAM_VARIABLE) == NULL)
        return;
    const int fd = open_file(".control", O_RDWR);
    void *map = fd < 0
                    ? MAP_FAILED
                    : mmap(NULL, sizeof(seam_control_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    state.sent_fd = open_file(".sent", O_WRONLY | O_CREAT | O_APPEND);
    if (map == MAP_FAILED || state.sent_fd < 0)
        abort(); /* a chaos run that records nothing would pass */
    close(fd);
    state.control = map;
}

seam_control_t *seam_control(void)
{
    pthread_once(&state.once, open_files);
    return state.control;
}

/* Not clock_now(): the judge compares times of several processes. */
static int64_t boottime(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

void seam_sending(const fence_t *fence, const char *body, size_t len)
{
    const int64_t checked = seam_last_now();
    char line[512];

    if (atomic_exchange(&seam_control()->stop, 0) != 0)
        raise(SIGSTOP);
    const int n =
        snprintf(line, sizeof(line), "%lld %lld %llu %lld %.*s\n", (long long) checked,
                 (long long) boottime(), (unsigned long long) fence->term,
                 (long long) atomic_load(&fence->deadline_ns), (int) (len < 256 ? len : 256), body);
    if (state.sent_fd >= 0 && write(state.sent_fd, line, (size_t) n) != n)
        abort();
}
