/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/backoff.h"

#include "base/base.h"
#include "base/clock.h"
#include "support/expect.h"

Test(backoff, doubles_from_800_ms_to_30_s_with_jitter_of_up_to_as_much_again)
{
    const int64_t base[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    watch_backoff_t b = {0};

    for (size_t i = 0; i < HOST_LEN(base); i++) {
        int64_t delay = watch_backoff_next(&b, 1000 * CLOCK_S);

        cr_expect(delay >= base[i] * CLOCK_MS && delay < 2 * base[i] * CLOCK_MS,
                  "step %zu waits %lld ms, expected %lld to twice that", i,
                  (long long) (delay / CLOCK_MS), (long long) base[i]);
    }
}

Test(backoff, starts_anew_after_two_minutes_of_calm)
{
    watch_backoff_t b = {0};
    int64_t now = 1000 * CLOCK_S;

    watch_backoff_next(&b, now);
    watch_backoff_next(&b, now);
    int64_t third = watch_backoff_next(&b, now + 120 * CLOCK_S);

    cr_expect(third >= 3200 * CLOCK_MS, "after 120 s: %lld", (long long) third);
    int64_t fresh = watch_backoff_next(&b, now + 241 * CLOCK_S);

    cr_expect(fresh < 1600 * CLOCK_MS, "after 121 s more: %lld", (long long) fresh);
}
