/* SPDX-License-Identifier: Apache-2.0 */
/* What the registry and its rendering share; for metrics*.c only. */
#ifndef BASE_METRICS_INTERNAL_H
#define BASE_METRICS_INTERNAL_H

#include "base/list.h"
#include "base/metrics.h"

#include <pthread.h>
#include <stdatomic.h>

typedef enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM } metric_type_t;

struct metric_cell {
    const metric_t *family;
    char **label_values;     /* family->label_count of them */
    _Atomic double value;    /* of a histogram: the sum */
    _Atomic uint64_t hits[]; /* of a histogram: per bucket, the last one is +Inf; not cumulated */
};

struct metric {
    metrics_t *registry;
    metric_type_t type;
    char *name, *help;
    char **label_names;
    size_t label_count;
    double *buckets;
    size_t bucket_count;
    metric_cell_t **cells; /* sorted by label values */
    size_t cell_count, cell_cap;
};

struct metrics {
    pthread_mutex_t lock; /* guards the arrays, not the values */
    metric_t **families;  /* sorted by name */
    size_t family_count, family_cap;
};

/* How much of a family's name OpenMetrics has, if it is a counter's: it ends before "_total". */
size_t metrics_base_length(const char *name);

#endif
