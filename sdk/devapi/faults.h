/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults on demand: what a test asks the server to do wrong. Served at /devapi/ when devapi_options_t
 * has faults, to whoever has the token.
 *
 * PUT /devapi/faults sets the rules, GET shows them with what is left of their counts and how often
 * each was hit, DELETE removes them:
 *
 *   {"rules": [{
 *     "verb": "update", "group": "apps", "resource": "deployments", "subresource": "status",
 *     "namespace": "default", "name": "web", "userAgent": "leasehold",   which requests; absent: all
 *     "count": 3,                     the first 3 of them; absent: each
 *     "skip": 1,                      not the first one of them
 *     "latencyBeforeMs": 100,         waits before anything is done
 *     "latencyAfterMs": 100,          waits after the commit, before the answer
 *     "dropReply": true,              commits, then closes the connection
 *     "refuse": true,                 closes the connection, nothing is done
 *     "status": 429, "retryAfter": 1, answers this, nothing is done
 *     "freezeWatch": true,            a watch that sends nothing until it is thawed
 *     "cutWatch": true                a watch whose connection is closed at once
 *   }]}
 *
 * verb is get, list, watch, create, update, patch, delete or deletecollection; resource the plural.
 * The first rule that fits a request is the one that counts. Rules without an effect let requests
 * pass: they shield some from the rules behind them.
 *
 * POST /devapi/faults/compact          forgets the history: older versions get 410
 *      /devapi/faults/cut-watches      closes the connections of open watches
 *      /devapi/faults/freeze-watches   open watches send nothing until
 *      /devapi/faults/thaw-watches     they are thawed; then what they held back
 *      /devapi/faults/bookmarks        sends a bookmark to each watch that allows them
 *      /devapi/faults/clock            {"shiftSeconds": 60}: creationTimestamp and the like
 *
 * Those of watches may have a body with the members of a rule that say which ones. They answer how
 * many watches it was: {"watches": 2}.
 */
#ifndef DEVAPI_FAULTS_H
#define DEVAPI_FAULTS_H

#include "base/buf.h"
#include "devapi/status.h"

typedef struct dev_faults dev_faults_t;

/* What a rule does to one request; zeroed: nothing. */
typedef struct dev_fault {
    int64_t before, after; /* ns */
    bool drop, refuse, freeze, cut;
    int status, retry_after; /* 0: none */
} dev_fault_t;

/* A request, as rules look at it; NULL for what it does not name. Borrowed. */
typedef struct dev_fault_subject {
    const char *verb, *group, *resource, *subresource, *ns, *name, *user_agent;
} dev_fault_subject_t;

dev_faults_t *dev_faults_create(void);
void dev_faults_destroy(dev_faults_t *f); /* NULL is allowed */

/* Replaces all rules; 400 with a text that names the mistake, then nothing is changed. */
int dev_faults_set(dev_faults_t *f, const char *json, size_t len, dev_status_t *st);
void dev_faults_clear(dev_faults_t *f);
void dev_faults_print(const dev_faults_t *f, buf_t *out);

/* The rule for a request, which is counted. False: there is none, *out is zeroed. */
bool dev_faults_match(dev_faults_t *f, const dev_fault_subject_t *subject, dev_fault_t *out);

/* Whether the members of one rule (empty text: all) fit a request: 1, 0, or -400. */
int dev_faults_fits(const char *json, size_t len, const dev_fault_subject_t *subject,
                    dev_status_t *st);

#endif
