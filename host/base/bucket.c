/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bucket.h"

#include "base/base.h"
#include "base/clock.h"

#define LONGEST 1e18 /* ns, which still fits */

void bucket_init(bucket_t *b, double qps, int64_t burst)
{
    *b = (bucket_t){.qps = qps, .burst = (double) burst, .tokens = (double) burst};
}

static double tokens_at(const bucket_t *b, int64_t now)
{
    const double more = (double) HOST_MAX(now - b->at, 0) * b->qps / (double) CLOCK_S;

    return HOST_MIN(b->tokens + more, b->burst);
}

int64_t bucket_wait(const bucket_t *b, int64_t now)
{
    const double tokens = tokens_at(b, now);

    if (b->qps <= 0 || tokens >= 1)
        return 0;
    return (int64_t) HOST_MIN((1 - tokens) / b->qps * (double) CLOCK_S + 0.999, LONGEST);
}

int64_t bucket_take(bucket_t *b, int64_t now)
{
    const int64_t wait = bucket_wait(b, now);

    b->tokens = tokens_at(b, now) - 1;
    b->at = HOST_MAX(b->at, now);
    return wait;
}
