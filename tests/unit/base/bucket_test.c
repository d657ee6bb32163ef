/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bucket.h"

#include "base/clock.h"
#include "support/expect.h"

#include <criterion/criterion.h>

Test(bucket, gives_its_burst_at_once_and_then_by_its_rate)
{
    bucket_t b;

    bucket_init(&b, 10, 3);
    for (int i = 0; i < 3; i++)
        EXPECT_INT(bucket_take(&b, CLOCK_S), 0);
    EXPECT_INT(bucket_take(&b, CLOCK_S), 100 * CLOCK_MS);
}

Test(bucket, what_is_owed_adds_up)
{
    bucket_t b;

    bucket_init(&b, 10, 1);
    EXPECT_INT(bucket_take(&b, 0), 0);
    for (int i = 1; i <= 50; i++)
        EXPECT_INT(bucket_take(&b, 0), i * 100 * CLOCK_MS);
    EXPECT_INT(bucket_take(&b, 2 * CLOCK_S), 3100 * CLOCK_MS);
}

Test(bucket, is_refilled_up_to_its_burst)
{
    bucket_t b;

    bucket_init(&b, 10, 2);
    EXPECT_INT(bucket_take(&b, 0), 0);
    EXPECT_INT(bucket_take(&b, 3600 * CLOCK_S), 0);
    EXPECT_INT(bucket_take(&b, 3600 * CLOCK_S), 0);
    EXPECT_INT(bucket_take(&b, 3600 * CLOCK_S), 100 * CLOCK_MS);
}

Test(bucket, asking_takes_nothing)
{
    bucket_t b;

    bucket_init(&b, 10, 1);
    for (int i = 0; i < 5; i++)
        EXPECT_INT(bucket_wait(&b, 0), 0);
    EXPECT_INT(bucket_take(&b, 0), 0);
    for (int i = 0; i < 5; i++)
        EXPECT_INT(bucket_wait(&b, 40 * CLOCK_MS), 60 * CLOCK_MS);
}

Test(bucket, a_rate_of_zero_is_no_limit)
{
    bucket_t b;

    bucket_init(&b, 0, 1);
    for (int i = 0; i < 1000; i++)
        EXPECT_INT(bucket_take(&b, 0), 0);
}
