/* SPDX-License-Identifier: Apache-2.0 */
/* The queue's metrics, with the names that client-go and controller-runtime gave them. */
#ifndef QUEUE_METER_H
#define QUEUE_METER_H

#include "queue/entry.h"

typedef struct queue_meter {
    metric_cell_t *depth[QUEUE_PRIORITIES]; /* all NULL: nothing is measured */
    metric_cell_t *adds, *retries, *merged;
    metric_cell_t *waited, *worked;
    metric_cell_t *unfinished, *longest;
    metric_cell_t *poison;
} queue_meter_t;

/* metrics may be NULL; name is the controller's. */
void queue_meter_init(queue_meter_t *m, metrics_t *metrics, const char *name);

void queue_meter_added(const queue_meter_t *m);
void queue_meter_retried(const queue_meter_t *m); /* a key was delayed, for whatever reason */
void queue_meter_merged(const queue_meter_t *m);  /* a tombstone lost its own run */
void queue_meter_taken(const queue_meter_t *m, int64_t waited);
void queue_meter_worked(const queue_meter_t *m, int64_t worked);
void queue_meter_depth(const queue_meter_t *m, const size_t count[QUEUE_PRIORITIES]);
void queue_meter_poison(const queue_meter_t *m, size_t count);
void queue_meter_running(const queue_meter_t *m, int64_t unfinished, int64_t longest);

#endif
