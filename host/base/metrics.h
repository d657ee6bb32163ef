/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of metrics, in the Prometheus model. Families are made once, series ("cells") on
 * first use; a cell pointer stays valid until its family's registry is destroyed or it is dropped,
 * and changing it is an atomic operation.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "base/buf.h"

typedef struct metrics metrics_t;         /* the registry */
typedef struct metric metric_t;           /* a family: name, help, label names */
typedef struct metric_cell metric_cell_t; /* one series */

metrics_t *metrics_create(void); /* caller owns, free with metrics_destroy */
void metrics_destroy(metrics_t *m);

/* Families. label_names is an array that ends with NULL, or NULL for none; names and help are
 * copied. Asking again for a name gives the same family. NULL when type or labels differ, or when it
 * would have the name of another one in OpenMetrics, where a counter is called without "_total".
 * Borrowed until metrics_destroy. [any-thread] */
metric_t *metrics_counter(metrics_t *m, const char *name, const char *help,
                          const char *const *label_names);
metric_t *metrics_gauge(metrics_t *m, const char *name, const char *help,
                        const char *const *label_names);
/* buckets: count ascending upper bounds without +Inf; copied. */
metric_t *metrics_histogram(metrics_t *m, const char *name, const char *help,
                            const char *const *label_names, const double *buckets, size_t count);

/* The series with these label values (as many as label names; NULL for none). Made when it is not
 * there. [any-thread] */
metric_cell_t *metric_cell(metric_t *family, const char *const *label_values);
/* The same, but NULL when it is not there. [any-thread] */
metric_cell_t *metric_cell_find(metric_t *family, const char *const *label_values);
/* Removes every series whose label `name` has this value, e.g. of a controller that is gone. No
 * pointer to such a cell may be used after. [any-thread] */
void metrics_drop(metrics_t *m, const char *name, const char *value);

/* The same in one family, for every series whose first `count` label values are these. */
void metric_drop(metric_t *family, const char *const *label_values, size_t count);

void metric_add(metric_cell_t *c, double v);     /* counter, gauge [any-thread] */
void metric_set(metric_cell_t *c, double v);     /* gauge [any-thread] */
void metric_observe(metric_cell_t *c, double v); /* histogram [any-thread] */
double metric_value(metric_cell_t *c);           /* of a histogram: the count [any-thread] */

/* The value of one series of the family of this name; NaN when it is not there. [any-thread] */
double metrics_read(metrics_t *m, const char *family, const char *const *label_values);
/* Calls fn for each series of that family, with its label values. fn must not call the registry.
 * [any-thread] */
void metrics_each(metrics_t *m, const char *family,
                  void (*fn)(void *arg, const char *const *label_values, double value), void *arg);

typedef enum metrics_format {
    METRICS_TEXT,       /* Prometheus text, version 0.0.4 */
    METRICS_OPENMETRICS /* OpenMetrics text, version 1.0.0 */
} metrics_format_t;

/* Appends everything, families by name. 0 or LH_ENOMEM. [any-thread] */
int metrics_render(metrics_t *m, metrics_format_t format, buf_t *out);

#endif
