/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHAOS_REPORT_H
#define CHAOS_REPORT_H

#include "chaos/episode.h"

typedef struct report report_t;

/* Caller owns the result, free with report_free. */
report_t *report_create(void);
void report_free(report_t *r);
void report_add(report_t *r, const outcome_t *o);

long report_sent_late(const report_t *r);
/* True when the run proves something: nothing is stuck, every commit has its record, every record its term,
 * and no fence was open past its deadline. */
bool report_is_sound(const report_t *r, int episodes, bool fence_off);
void report_print(const report_t *r, FILE *f);
/* As JSON. False: the file cannot be written. */
bool report_write(const report_t *r, const char *path);

#endif
