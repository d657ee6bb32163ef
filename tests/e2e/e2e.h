/* SPDX-License-Identifier: Apache-2.0 */
/* What the end-to-end programs share: the cluster, a namespace of the run, and the audit log. */
#ifndef E2E_E2E_H
#define E2E_E2E_H

#include "support/api.h"
#include "support/replica.h"
#include "support/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct e2e {
    api_t *api;
    char ns[64];
    char configmaps[128]; /* "/api/v1/namespaces/<ns>/configmaps" */
    char leases[128];
} e2e_t;

/* Opens the server, makes the namespace, runs, deletes the namespace. Returns the exit status. */
int e2e_main(int argc, char **argv, const char *program, const tap_test_t *tests, size_t count);

/* An empty Lease, so that the first candidate need not wait (docs/election.md). */
void e2e_make_lease(e2e_t *e, const char *name);
/* The holder of a Lease, "" when there is none; borrowed until the next call. */
const char *e2e_holder(e2e_t *e, const char *lease);
bool e2e_wait_holder(e2e_t *e, const char *lease, const char *holder, int ms);
/* A replica of the usual shape: hello's plugin unless others are named. */
replica_t *e2e_replica(e2e_t *e, const char *name, const char *lease, const char *const *plugins);
void e2e_make_configmap(e2e_t *e, const char *name, const char *labels_json);

/* The audit log of tests/cluster, from LEASEHOLD_TEST_CLUSTER_DIR. */
typedef struct e2e_audit {
    char verb[16], resource[64], name[128], agent[128], uri[512];
    int code;
    double received, done; /* seconds since 1970 */
} e2e_audit_t;
/* Entries of the log from byte *at on whose user agent contains `agent`; *at moves to the end.
 * Caller frees the result. */
e2e_audit_t *e2e_audit(long *at, const char *agent, size_t *count);
long e2e_audit_end(void);

#endif
