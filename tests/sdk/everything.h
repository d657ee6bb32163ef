/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that calls every function of the host table and reports what came back. It is driven by
 * ConfigMaps and made for the end-to-end suite, in thread and in process mode; everything_test.c runs
 * it on the fake host.
 *
 * A ConfigMap NAME with the label sdk-suite=CASE runs that case once per reconcile. The outcome is a
 * ConfigMap NAME-result in the same namespace, data {PROBE: CODE}, codes in decimal. Where the case
 * leaves no ctx to report with, the outcome is kept and written by the next reconcile that has one
 * ("report" has no other purpose), and logged, "sdk-suite: kept of NAME: DATA". Each outcome is also
 * counted, everything_cases_total{case=CASE}, and logged, "sdk-suite: CASE of NAMESPACE/NAME is over".
 *
 * CASE        ctx that is probed                                   probes that need a live ctx give
 * live        of this reconcile                                    0 and what the next table says
 * term        of the term, from activate()                         the same
 * activate    of the term, inside activate()                       call: 0; the cache may be unsynced
 * completed   of this reconcile, after completing it               -5 LH_ECANCELED
 * cancelled   of this reconcile, once cancelled() is not 0 any     -5, or -6 after a lost term;
 *             more (waits up to 60 s; then wait is -14)            reported in a later term, and not
 *                                                                  run again once NAME-result exists
 * old-term    of the previous term; "none": "0" in the first term  -6 LH_EFENCED
 * old-key     of a reconcile of the previous term; the same        -6
 * unknown     an id that was never given out                       -1 LH_EINVAL
 * report      none                                                 (writes no outcome of its own)
 *
 * PROBE                    what it does                                             live
 * call                     GET of the ConfigMap itself                                 0
 * call.write               DELETE of NAME-absent                                      -8
 * call.absent              GET of NAME-absent                                         -8
 * call.bad_method          method "HEAD"                                              -1
 * call.bad_path            path "/healthz"                                            -1
 * response_status          of the answer to call; only after a 0                     200
 * response_text            its body is JSON of this object: 0                          0
 * cache_get                the ConfigMap itself                                        0
 * cache_get.absent         NAME-absent                                                -8
 * cache_get.bad_watch      watch 99                                                   -1
 * cache_list, cursor_next  all of the namespace                                     0, 0
 * cursor.objects           how many there were                                 1 or more
 * walk.update              a "report" ConfigMap that is patched when a walk has
 *                          begun is shown as patched; -8 without one               0
 * snapshot_text            of the request's object, retained: JSON of it: 0            0
 * enqueue                  NAME-absent                                                 0
 * enqueue.bad_watch        watch 99                                                   -1
 * event                    about the ConfigMap                                         0
 * cancelled                                                                            0
 * metric, metric.negative  gauge; a counter of -1                                  0, -1
 * now                      is more than 0 and does not go back: 0                      0
 * get_extension            "lh.none/1" is NULL: 0                                      0
 * post                     a function that does nothing                                0
 * request                  GET of the ConfigMap itself                                 0
 * request.callback         its answer; only after a 0                                  0
 * plugin_thread.call       call, inside that callback                                  0
 * post.fn                  a function posted from there has run: 0                     0
 * foreign_thread.call      on a thread of the plugin's own                            -22
 * foreign_thread.cache_get                                                             0
 * kept.snapshot            old-key: the text of the object of the previous term    0
 * kept.cursor              old-key: a walk that was begun then goes on             0
 * metric to post do not depend on a ctx. log() and set_ready() have no result to report.
 */
#ifndef EVERYTHING_H
#define EVERYTHING_H

#include <leasehold/leasehold.h>

#include <pthread.h>

/* Codes by name, as the members of a JSON object. */
typedef struct outcome {
    char ns[254], name[254], test[32];
    char data[4096];
    size_t len;
    struct outcome *next;
} outcome_t;

/* One reconcile under way. */
typedef struct run {
    lh_plugin_t *self;
    const lh_host_t *host;
    lh_ctx_t ctx;    /* of this reconcile */
    lh_ctx_t probed; /* the one that is tried out */
    lh_completion_t completion;
    int completed;         /* by now; then the outcome waits for another reconcile */
    lh_snapshot_t *object; /* retained */
    outcome_t *outcome;
} run_t;

/* probes.c: adds a line; tries out everything that returns at once. */
void outcome_add(outcome_t *o, const char *probe, long long code);
void probe_all(run_t *run);
/* What was kept in an earlier term. Takes nothing. */
void probe_kept(run_t *run, const lh_snapshot_t *snapshot, lh_cursor_t *cursor);
/* The probes that activate() can make; ns and name of nothing that exists. */
void probe_activate(const lh_host_t *host, lh_ctx_t ctx, outcome_t *o);
/* GET of the ConfigMap of the outcome, waiting. */
int probe_get(const lh_host_t *host, lh_ctx_t ctx, const outcome_t *o, lh_response_t **out);

#endif
