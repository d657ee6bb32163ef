/* SPDX-License-Identifier: Apache-2.0 */
/* Counters with labels. */
#ifndef COMMON_COUNTER_H
#define COMMON_COUNTER_H

#include <leasehold/leasehold.h>

/* One label; lists of them end with a name NULL. Borrowed during the call. */
typedef struct counter_label {
    const char *name, *value;
} counter_label_t;

/* Adds 1 to a series of a counter; name and help as in lh_metric_t. At most 8 labels; what the host
 * refuses is not counted. [any-thread] */
void counter_add(const lh_host_t *host, const char *name, const char *help,
                 const counter_label_t *labels);

#endif
