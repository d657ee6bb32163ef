/* SPDX-License-Identifier: Apache-2.0 */
/* Real worker processes (this program, executed again) with a fake backend behind them. */
#ifndef UNIT_PLUGIN_REMOTE_RIG_H
#define UNIT_PLUGIN_REMOTE_RIG_H

#include "plugin/runner.h"

#include "base/clock.h"
#include "fake_backend.h"

#define REEXEC_WORKER evil_or_real_worker
#include "evil_worker.h"
#include "support/reexec.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static fake_backend_t fake;
static plugin_runner_t *runner;

/* -- The owner of the runner -- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned loaded, created, activated, deactivated, returned, not_ran, died, destroyed;
    uint64_t last; /* that has returned */
    int code;
    char text[600];
} owner;

#define OWNER_LOCKED(...)                                                                          \
    do {                                                                                           \
        pthread_mutex_lock(&owner.lock);                                                           \
        __VA_ARGS__;                                                                               \
        pthread_cond_broadcast(&owner.changed);                                                    \
        pthread_mutex_unlock(&owner.lock);                                                         \
    } while (0)

static inline void keep_outcome(int code, const lh_error_t *err)
{
    owner.code = code;
    snprintf(owner.text, sizeof(owner.text), "%s", err != NULL ? err->text : "");
}

static inline void on_loaded(void *arg)
{
    (void) arg;
    OWNER_LOCKED(owner.loaded += owner.created == 0);
}

static inline void on_created(void *arg, int code, const lh_error_t *err)
{
    (void) arg;
    OWNER_LOCKED(owner.created++; keep_outcome(code, err));
}

static inline void on_activated(void *arg, int code, const lh_error_t *err)
{
    (void) arg;
    OWNER_LOCKED(owner.activated++; keep_outcome(code, err));
}

static inline void on_deactivated(void *arg)
{
    (void) arg;
    OWNER_LOCKED(owner.deactivated++);
}

static inline void on_returned(void *arg, uint64_t ctx, bool ran, int64_t entered)
{
    (void) entered;
    (void) arg;
    OWNER_LOCKED(owner.returned++; owner.last = ctx; owner.not_ran += !ran);
}

static inline void on_destroyed(void *arg)
{
    (void) arg;
    OWNER_LOCKED(owner.destroyed++);
}

static inline void on_died(void *arg, const char *reason)
{
    (void) arg;
    OWNER_LOCKED(owner.died++; snprintf(owner.text, sizeof(owner.text), "%s", reason));
}

/* Waits until *what is at least `expected`; the test fails after 20 s. */
static inline void await(pthread_mutex_t *lock, pthread_cond_t *changed, const unsigned *what,
                         unsigned expected, const char *name)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(lock);
    while (*what < expected) {
        if (pthread_cond_timedwait(changed, lock, &until) != 0)
            break;
    }
    const unsigned now = *what;

    pthread_mutex_unlock(lock);
    cr_assert(now >= expected, "%s is %u after 20 s, expected %u; text: %s", name, now, expected,
              owner.text);
}

#define AWAIT(what, expected)                                                                      \
    await(&owner.lock, &owner.changed, &owner.what, (expected), "owner." #what)
#define AWAIT_FAKE(what, expected)                                                                 \
    await(&fake.lock, &fake.changed, &fake.what, (expected), "fake." #what)

static inline void setup(void)
{
    fake_backend_init(&fake);
    memset(&owner, 0, sizeof(owner));
    pthread_mutex_init(&owner.lock, NULL);
    pthread_cond_init(&owner.changed, NULL);
    runner = NULL;
}

static inline void start(const char *config, uint32_t workers)
{
    const plugin_runner_options_t o = {
        .path = FIXTURES "/by_name.so",
        .name = "by-name",
        .config = config,
        .workers = workers,
        .backend = fake_backend(&fake),
        .sink = {.on_loaded = on_loaded,
                 .on_created = on_created,
                 .on_activated = on_activated,
                 .on_deactivated = on_deactivated,
                 .on_returned = on_returned,
                 .on_destroyed = on_destroyed,
                 .on_died = on_died},
    };
    lh_error_t err = {0};

    ASSERT_OK(plugin_remote_create(&o, &runner, &err), err);
}

static inline void start_active(uint32_t workers)
{
    start("{}", workers);
    AWAIT(created, 1);
    cr_assert(owner.code == 0, "created with %d: %s", owner.code, owner.text);
    runner->ops->activate(runner, 1000);
    AWAIT(activated, 1);
    cr_assert(owner.code == 0, "activated with %d: %s", owner.code, owner.text);
}

static inline void reconcile(uint64_t ctx, const char *name, const watch_snapshot_t *object)
{
    const plugin_job_t job = {.ctx = ctx,
                              .completion = ctx,
                              .reason = LH_REASON_CHANGED,
                              .attempt = 2,
                              .term = 9,
                              .ns = "default",
                              .name = name,
                              .uid = "u0",
                              .object = object,
                              .read_at = clock_now()};

    runner->ops->reconcile(runner, &job);
}

static inline void end_well(void)
{
    runner->ops->deactivate(runner);
    AWAIT(deactivated, 1);
    runner->ops->destroy(runner);
    AWAIT(destroyed, 1);
    EXPECT_INT(owner.died, 0);
    EXPECT_INT(fake.cursors_open, 0);
}

/* After a death: the owner's last call. */
static inline void end_dead(const char *reason)
{
    AWAIT(died, 1);
    EXPECT_HAS(owner.text, reason);
    runner->ops->abandon(runner);
    AWAIT(destroyed, 1);
    EXPECT_INT(owner.died, 1);
    EXPECT_INT(fake.cursors_open, 0);
}

/* Runs one reconcile of this name and expects the text of its result. */
static inline void expect_result(const char *name, const char *text)
{
    const unsigned before = fake.completions;

    reconcile(before + 1, name, NULL);
    AWAIT_FAKE(completions, before + 1);
    AWAIT(returned, before + 1);
    EXPECT_STR(fake.result_text, text);
}

#endif
