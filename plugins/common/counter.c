/* SPDX-License-Identifier: Apache-2.0 */
#include "counter.h"

enum { MOST = 8 };

void counter_add(const lh_host_t *host, const char *name, const char *help,
                 const counter_label_t *labels)
{
    const char *names[MOST], *values[MOST];
    lh_metric_t metric = {.struct_size = sizeof(metric),
                          .type = LH_METRIC_COUNTER,
                          .name = name,
                          .help = help,
                          .label_names = names,
                          .label_values = values,
                          .value = 1};

    for (; metric.label_count < MOST && labels->name != NULL; labels++, metric.label_count++) {
        names[metric.label_count] = labels->name;
        values[metric.label_count] = labels->value;
    }
    (void) lh_emit_metric(host, &metric, NULL);
}
