/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/ahead.h"

#include "base/clock.h"

#define FOR (200 * CLOCK_US)     /* what is handed over early is done in that time */
#define CALL_TIME_MAX CLOCK_MS   /* longer ones differ in nothing */
#define PATIENCE (10 * CLOCK_MS) /* what has not begun by then is taken back */

enum { AHEAD_MAX = 16 };

void plugin_ahead_init(plugin_ahead_t *a)
{
    *a = (plugin_ahead_t){.count = 1, .call_time = CALL_TIME_MAX};
}

void plugin_ahead_begun(plugin_ahead_t *a, int64_t now)
{
    a->begun_at = now;
}

void plugin_ahead_returned(plugin_ahead_t *a, int64_t took)
{
    a->call_time += (HOST_MIN(took, CALL_TIME_MAX) - a->call_time) / 8;
    const int64_t fit = FOR / HOST_MAX(a->call_time, 1);

    a->count = took >= PATIENCE ? 0 : (uint32_t) HOST_MIN(HOST_MAX(fit, 1), AHEAD_MAX);
}

int64_t plugin_ahead_due(const plugin_ahead_t *a)
{
    return a->count > 0 ? a->begun_at + PATIENCE : CLOCK_NEVER;
}

bool plugin_ahead_is_over(plugin_ahead_t *a, int64_t now)
{
    if (now < plugin_ahead_due(a))
        return false;
    a->count = 0;
    return true;
}
