/* SPDX-License-Identifier: Apache-2.0 */
/* "did you mean": the known name that is nearest to what was typed. */
#ifndef CONFIG_NEAREST_H
#define CONFIG_NEAREST_H

#include "base/base.h"

#define NEAREST_MAX 128 /* longer names are near to none */

/* A search: start with NEAREST_INIT(typed), offer every known name, read best. */
typedef struct nearest {
    const char *typed;
    char best[NEAREST_MAX]; /* "": none is near */
    size_t distance;
} nearest_t;

#define NEAREST_INIT(typed_) ((nearest_t){.typed = (typed_)})

/* Offers known, whose nearness counts by `by` (e.g. its last part). At most a third of the letters
 * may differ, whatever their case; of two equally near ones the first stays. */
void config_nearest_offer(nearest_t *n, const char *known, const char *by);

/* "; did you mean 'x'?" or "", into out; returns out. */
const char *config_nearest_text(const nearest_t *n, char *out, size_t size);

#endif
