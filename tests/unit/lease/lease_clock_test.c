/* SPDX-License-Identifier: Apache-2.0 */
/* Rule 15 on the elector's thread: steps of the wall clock. */
#include "owner.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

TestSuite(lease_clock, .init = server_start, .fini = server_stop, .timeout = 60);

/* The wall clock of this process, and the descriptor that tells of its steps: the machine's own is not
 * a test's to set. */
static _Atomic int64_t wall_step;
static _Atomic int clock_fd = -1, clock_flags;
static bool unwatchable; /* the descriptor is one that no loop can wait for */

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int ret = (int) syscall(SYS_clock_gettime, id, ts);

    if (id == CLOCK_REALTIME)
        ts->tv_sec += atomic_load(&wall_step) / CLOCK_S;
    return ret;
}

int timerfd_create(int id, int flags)
{
    if (id != CLOCK_REALTIME)
        return (int) syscall(SYS_timerfd_create, id, flags);
    int fd =
        unwatchable ? memfd_create("clock", MFD_CLOEXEC) : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    atomic_store(&clock_fd, fd);
    return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    if (fd != atomic_load(&clock_fd))
        return (int) syscall(SYS_timerfd_settime, fd, flags, value, old);
    atomic_store(&clock_flags, flags);
    return 0;
}

/* Begins a term whose next renewal is a retry period away, and steps the wall clock. */
static void lead_and_step(owner_t *o, int64_t retry_period, bool tell)
{
    http_lease_do(server, make_empty);
    owner_init(o, "a");
    o->options.lease_duration = S(15);
    o->options.renew_deadline = S(10);
    o->options.retry_period = retry_period;
    owner_start(o);
    cr_assert(await(o, &o->begun, 1, 5000));
    idle(o, 50);
    EXPECT_INT(fence_open(o->fence), true);
    atomic_store(&wall_step, S(5));
    EXPECT_INT(fence_open(o->fence), false); /* at once, whoever asks */
    if (tell)
        cr_assert_eq(eventfd_write(atomic_load(&clock_fd), 1), 0);
}

Test(lease_clock, rule_15_a_step_of_the_wall_clock_is_noticed_between_two_inputs)
{
    owner_t o;

    lead_and_step(&o, S(4), true);
    EXPECT_INT(atomic_load(&clock_flags), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
    idle(&o, 300);
    EXPECT_INT(fence_open(o.fence), true); /* renewed since */
    EXPECT_INT(o.ended, 0);
    owner_fini(&o);
}

Test(lease_clock, rule_15_a_step_that_the_kernel_does_not_tell_is_noticed_by_the_next_renewal)
{
    owner_t o;

    lead_and_step(&o, S(1), false);
    idle(&o, 1500);
    EXPECT_INT(fence_open(o.fence), true);
    EXPECT_INT(o.ended, 0);
    owner_fini(&o);
}

/* The beat took a descriptor that could not be waited for to be one that tells, and came at 5 s. */
Test(lease_clock, rule_15_a_step_is_noticed_after_a_second_when_the_kernel_cannot_tell)
{
    owner_t o;

    unwatchable = true;
    lead_and_step(&o, S(4), false);
    idle(&o, 1500);
    EXPECT_INT(fence_open(o.fence), true);
    EXPECT_INT(o.ended, 0);
    owner_fini(&o);
}
