/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before a request is sent again: 800 ms doubled up to 30 s, each plus up to as
 * much again at random; from the start again after 2 min without need. As client-go's reflector. */
#ifndef WATCH_BACKOFF_H
#define WATCH_BACKOFF_H

#include <stdint.h>

typedef struct watch_backoff {
    unsigned step;
    int64_t last; /* when it was needed last */
} watch_backoff_t;

int64_t watch_backoff_next(watch_backoff_t *b, int64_t now); /* ns to wait */

#endif
