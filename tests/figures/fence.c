/* SPDX-License-Identifier: Apache-2.0 */
/* What one check of the fence costs. Its own program: it needs no server. */
#include "base/fence.h"
#include "base/base.h"
#include "base/clock.h"

#include <stdio.h>

enum { ROUNDS = 9, CALLS = 2000000 };

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

/* Median of several rounds, in ns a call. */
static double cost(bool (*check)(const fence_t *f), const fence_t *f)
{
    double ns[ROUNDS];

    for (int r = 0; r < ROUNDS; r++) {
        const int64_t begun = clock_now();
        long open = 0;

        for (int i = 0; i < CALLS; i++)
            open += check(f);
        ns[r] = (double) (clock_now() - begun) / CALLS;
        if (open != CALLS)
            return -1;
    }
    qsort(ns, ROUNDS, sizeof(ns[0]), by_size);
    return ns[ROUNDS / 2];
}

int main(void)
{
    fence_t *elected = fence_create(1, clock_now() + 3600 * CLOCK_S);
    fence_t *disabled = fence_create(1, CLOCK_NEVER);

    fence_set_offset(elected, clock_wall() - clock_now());
    printf("fence_open: %.1f ns, fence_admits: %.1f ns; without election %.1f ns (median of %d "
           "times %d calls)\n",
           cost(fence_open, elected), cost(fence_admits, elected), cost(fence_open, disabled),
           ROUNDS, CALLS);
    fence_unref(elected);
    fence_unref(disabled);
    return 0;
}
