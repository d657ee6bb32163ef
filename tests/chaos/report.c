/* SPDX-License-Identifier: Apache-2.0 */
#include "chaos/report.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

struct report {
    int episodes, stuck, stops, counted; /* counted: of which lease_requests is known */
    verdict_t sum;
    long lease_requests;
    double seconds, counted_seconds;
    double *gaps;
    size_t gap_count;
};

report_t *report_create(void)
{
    return calloc(1, sizeof(report_t));
}

void report_free(report_t *r)
{
    free(r->gaps);
    free(r);
}

void report_add(report_t *r, const outcome_t *o)
{
    const verdict_t *v = &o->v;

    r->episodes++;
    r->stuck += o->stuck;
    r->stops += o->stops;
    r->seconds += o->seconds;
    if (o->lease_requests >= 0) {
        r->counted++;
        r->lease_requests += o->lease_requests;
        r->counted_seconds += o->seconds;
    }
    r->sum.sent += v->sent;
    r->sum.committed += v->committed;
    r->sum.sent_late += v->sent_late;
    r->sum.at_seam += v->at_seam;
    r->sum.committed_late += v->committed_late;
    r->sum.after_edit += v->after_edit;
    r->sum.under_closed += v->under_closed;
    r->sum.unknown_term += v->unknown_term;
    r->sum.doubled += v->doubled;
    r->sum.unrecorded += v->unrecorded;
    r->sum.transitions += v->transitions;
    r->gaps = realloc(r->gaps, (r->gap_count + JUDGE_GAPS) * sizeof(*r->gaps));
    for (int i = 0; i < v->transitions; i++)
        r->gaps[r->gap_count++] = v->gap_ms[i];
}

long report_sent_late(const report_t *r)
{
    return r->sum.sent_late;
}

bool report_is_sound(const report_t *r, int episodes, bool fence_off)
{
    return r->episodes == episodes && r->stuck == 0 && r->sum.unrecorded == 0 &&
           r->sum.unknown_term == 0 && (fence_off || r->sum.under_closed == 0);
}

static double gap(const report_t *r, double q)
{
    return quantile(r->gaps, r->gap_count, q);
}

void report_print(const report_t *r, FILE *f)
{
    const verdict_t *v = &r->sum;

    fprintf(f, "episodes                 %d, %.0f s of them, stuck %d\n", r->episodes, r->seconds,
            r->stuck);
    fprintf(f, "transitions              %d\n", v->transitions);
    fprintf(f, "gaps without a leader    p50 %.0f ms, p99 %.0f ms, worst %.0f ms\n", gap(r, 0.5),
            gap(r, 0.99), gap(r, 1));
    fprintf(f, "writes                   %ld sent, %ld committed, %ld committed twice\n", v->sent,
            v->committed, v->doubled);
    fprintf(f, "sent late                %ld\n", v->sent_late);
    fprintf(f, "  past a stop at the seam %ld of %d stops, counted apart\n", v->at_seam, r->stops);
    fprintf(f, "  after an edit, disturbed %ld, counted apart\n", v->after_edit);
    fprintf(f, "committed late           %ld\n", v->committed_late);
    fprintf(f, "admitted past the deadline %ld; in a term not seen %ld; not recorded %ld\n",
            v->under_closed, v->unknown_term, v->unrecorded);
    if (r->counted > 0)
        fprintf(f, "requests to the Lease    %ld, %.0f a minute\n", r->lease_requests,
                (double) r->lease_requests * 60 / r->counted_seconds);
}

bool report_write(const report_t *r, const char *path)
{
    const verdict_t *v = &r->sum;
    cJSON *json = cJSON_CreateObject();

    cJSON_AddNumberToObject(json, "episodes", r->episodes);
    cJSON_AddNumberToObject(json, "stuck", r->stuck);
    cJSON_AddNumberToObject(json, "transitions", v->transitions);
    cJSON_AddNumberToObject(json, "sent", (double) v->sent);
    cJSON_AddNumberToObject(json, "committed", (double) v->committed);
    cJSON_AddNumberToObject(json, "sent_late", (double) v->sent_late);
    cJSON_AddNumberToObject(json, "at_seam", (double) v->at_seam);
    cJSON_AddNumberToObject(json, "after_edit", (double) v->after_edit);
    cJSON_AddNumberToObject(json, "committed_late", (double) v->committed_late);
    cJSON_AddNumberToObject(json, "doubled", (double) v->doubled);
    if (r->counted > 0)
        cJSON_AddNumberToObject(json, "lease_requests", (double) r->lease_requests);
    cJSON *gaps = cJSON_AddObjectToObject(json, "gap_ms");
    cJSON_AddNumberToObject(gaps, "p50", gap(r, 0.5));
    cJSON_AddNumberToObject(gaps, "p99", gap(r, 0.99));
    cJSON_AddNumberToObject(gaps, "worst", gap(r, 1));
    char *text = cJSON_Print(json);
    FILE *f = fopen(path, "w");
    const bool fine = f != NULL && fprintf(f, "%s\n", text) > 0;

    if (f != NULL)
        fclose(f);
    free(text);
    cJSON_Delete(json);
    return fine;
}
