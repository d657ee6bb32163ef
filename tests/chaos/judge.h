/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who wrote when, and whether somebody else might have led by then. A write belongs to the term that its
 * fence names. It was
 *   sent late        when another term had been acquired before, or its own had been released. An edit or a
 *                    deletion by somebody else counts from 100 ms on, and while nothing disturbs the host;
 *   at the seam      when that came between the check of the fence and the send: a pause that no fence
 *                    can know of;
 *   committed late   when it was sent in time and committed after another term had been acquired.
 */
#ifndef CHAOS_JUDGE_H
#define CHAOS_JUDGE_H

#include "chaos/history.h"

#include <stdio.h>

enum { JUDGE_GAPS = 128 };

/* One line of a seam's file. */
typedef struct sent {
    char by[64]; /* replica, process and instance: "a.1234.56789" */
    unsigned long n;
    long term;
    int64_t checked, sent, deadline;
    bool quiet; /* nothing has disturbed the replica */
} sent_t;

typedef struct verdict {
    long sent, committed;
    long sent_late, at_seam, committed_late;
    long after_edit;           /* of a host that was disturbed, 100 ms after the edit or later */
    double after_edit_ms;      /* from an edit to the last write of the term that it ended */
    long under_closed;         /* past its fence's deadline already when the fence was found open */
    long unknown_term;         /* sent in a term that was not seen */
    long doubled;              /* committed twice */
    long unrecorded;           /* committed, and no seam has told of it: the judge is blind */
    long at_seam_committed;    /* of those at the seam */
    int transitions;           /* from one term that wrote to the next */
    double gap_ms[JUDGE_GAPS]; /* without a write, at each of them */
    int handovers;             /* from a marked release to an acquisition, nothing between them */
    double handover_ms[JUDGE_GAPS];
} verdict_t;

/* Reads a seam's file, what there is of it; appends to *all. disturbed: since when something disturbs the
 * replica; INT64_MAX: never. */
void judge_read(const char *path, int64_t disturbed, sent_t **all, size_t *count);

/* trace (may be NULL) gets a line for each write that is not fine. */
verdict_t judge(const history_t *h, sent_t *all, size_t count, FILE *trace);

/* The smallest value that a share q of them does not exceed, 0 when there are none; sorts them. */
double quantile(double *values, size_t count, double q);

#endif
