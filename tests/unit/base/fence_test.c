/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fence.h"

#include "base/base.h"
#include "support/expect.h"
#include "support/fake_clock.h"

#define NOW FAKE_CLOCK_START
#define IN(s) (NOW + (s) *CLOCK_S)

Test(fence, rule_10_is_open_before_its_deadline_and_shut_at_it)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(7, IN(10));

    EXPECT_INT(f->term, 7);
    EXPECT_INT(fence_open(f), true);
    fake_clock_advance(10 * CLOCK_S - 1);
    EXPECT_INT(fence_open(f), true);
    fake_clock_advance(1);
    EXPECT_INT(fence_open(f), false);
}

Test(fence, rule_19_without_election_stays_open)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, CLOCK_NEVER);

    fake_clock_set(CLOCK_NEVER - 1);
    EXPECT_INT(fence_open(f), true);
    EXPECT_INT(fence_extend(f, IN(1)), true);
    EXPECT_INT(fence_open(f), true);
}

Test(fence, is_closed_when_created_without_a_deadline)
{
    host_cleanup(fence_unrefp) fence_t *zero = fence_create(1, 0);
    host_cleanup(fence_unrefp) fence_t *negative = fence_create(1, -5);

    EXPECT_INT(fence_open(zero), false);
    EXPECT_INT(fence_open(negative), false);
    EXPECT_INT(fence_extend(negative, IN(10)), false);
}

Test(fence, extend_moves_the_deadline_forward)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    EXPECT_INT(fence_extend(f, IN(12)), true);
    fake_clock_set(IN(12) - 1);
    EXPECT_INT(fence_open(f), true);
    fake_clock_set(IN(12));
    EXPECT_INT(fence_open(f), false);
}

Test(fence, extend_never_moves_the_deadline_backwards)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    EXPECT_INT(fence_extend(f, IN(5)), true);
    fake_clock_set(IN(10) - 1);
    EXPECT_INT(fence_open(f), true);
}

Test(fence, rule_10_a_late_reply_does_not_open_it_again)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    fake_clock_set(IN(10));
    EXPECT_INT(fence_extend(f, IN(20)), false);
    EXPECT_INT(fence_open(f), false);
    EXPECT_INT(atomic_load(&f->deadline_ns), IN(10));
}

Test(fence, rule_10_close_is_for_ever)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, CLOCK_NEVER);

    fence_close(f);
    EXPECT_INT(fence_open(f), false);
    EXPECT_INT(fence_admits(f), false);
    EXPECT_INT(fence_extend(f, CLOCK_NEVER), false);
    fence_suspend(f);
    EXPECT_INT(fence_extend(f, CLOCK_NEVER), false);
    EXPECT_INT(fence_open(f), false);
}

Test(fence, rule_15_suspension_shuts_it_until_the_next_renewal)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    fence_suspend(f);
    EXPECT_INT(fence_open(f), false);
    EXPECT_INT(fence_admits(f), false);
    EXPECT_INT(fence_extend(f, IN(12)), true);
    EXPECT_INT(fence_open(f), true);
    fake_clock_set(IN(12));
    EXPECT_INT(fence_open(f), false);
}

Test(fence, suspension_is_not_the_end_of_the_term)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    EXPECT_INT(fence_lives(f), true);
    fence_suspend(f);
    EXPECT_INT(fence_lives(f), true);
    fake_clock_set(IN(10));
    EXPECT_INT(fence_lives(f), false);
}

Test(fence, a_second_suspension_does_not_lift_the_first)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    fence_suspend(f);
    fence_suspend(f);
    EXPECT_INT(fence_open(f), false);
    EXPECT_INT(fence_extend(f, IN(11)), true);
    EXPECT_INT(fence_open(f), true);
}

Test(fence, lifting_a_suspension_keeps_the_later_deadline)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    fence_suspend(f);
    EXPECT_INT(fence_extend(f, IN(5)), true);
    EXPECT_INT(atomic_load(&f->deadline_ns), IN(10));
}

Test(fence, the_deadline_passes_during_a_suspension_too)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    fence_suspend(f);
    fake_clock_set(IN(10));
    EXPECT_INT(fence_extend(f, IN(20)), false);
    EXPECT_INT(fence_open(f), false);
}

Test(fence, close_ends_a_suspended_one)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    fence_suspend(f);
    fence_close(f);
    EXPECT_INT(fence_lives(f), false);
    EXPECT_INT(fence_extend(f, IN(20)), false);
    EXPECT_INT(fence_open(f), false);
}

Test(fence, rule_15_is_shut_while_the_wall_clock_is_ahead_of_what_the_elector_has_checked)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    fence_set_offset(f, clock_wall() - clock_now());
    fake_clock_set_wall(clock_wall() + CLOCK_S);
    EXPECT_INT(fence_open(f), true);
    fake_clock_set_wall(clock_wall() + 1);
    EXPECT_INT(fence_open(f), false);
    EXPECT_INT(fence_admits(f), false);
    EXPECT_INT(fence_lives(f), true);
    EXPECT_INT(fence_extend(f, IN(12)),
               true); /* by a reply that the elector took in the meantime */
    EXPECT_INT(fence_open(f), false);
    fence_set_offset(f, clock_wall() - clock_now());
    EXPECT_INT(fence_open(f), true);
    fake_clock_set_wall(0); /* behind is no reason */
    EXPECT_INT(fence_open(f), true);
}

Test(fence, that_was_never_told_of_the_clocks_does_not_compare_them)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, CLOCK_NEVER);

    fake_clock_set_wall(clock_wall() + 1000 * CLOCK_S);
    EXPECT_INT(fence_open(f), true);
}

Test(fence, rule_11_the_gate_stops_new_writes_and_lets_those_in_flight_finish)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    EXPECT_INT(fence_admits(f), true);
    fence_close_gate(f);
    EXPECT_INT(fence_admits(f), false);
    EXPECT_INT(fence_open(f), true);
}

Test(fence, renewals_do_not_open_the_gate)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    fence_close_gate(f);
    EXPECT_INT(fence_extend(f, IN(20)), true);
    EXPECT_INT(fence_open(f), true);
    EXPECT_INT(fence_admits(f), false);
}

Test(fence, admits_nothing_past_its_deadline)
{
    host_cleanup(fence_unrefp) fence_t *f = fence_create(1, IN(10));

    fake_clock_set(IN(10));
    EXPECT_INT(fence_admits(f), false);
}

Test(fence, lives_as_long_as_its_last_reference)
{
    fence_t *f = fence_create(1, IN(10));
    fence_t *second = fence_ref(f);

    EXPECT_INT(atomic_load(&f->refs), 2);
    fence_unref(f);
    EXPECT_INT(atomic_load(&second->refs), 1);
    EXPECT_INT(fence_open(second), true);
    fence_unref(second);
    fence_unref(NULL);
}
