/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract: what Leasehold relies on in an API server, one behaviour a test. The same programs
 * run against every server; where two differ, the imitation is wrong. Nothing here touches the host.
 *
 * Each program makes a namespace of its own and leaves its deletion to the server.
 */
#ifndef CONTRACT_CONTRACT_H
#define CONTRACT_CONTRACT_H

#include "support/api.h"
#include "support/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct contract {
    api_t *api;
    char ns[64];          /* "contract-<program>-<random>" */
    char configmaps[128]; /* "/api/v1/namespaces/<ns>/configmaps" */
    char leases[128];
} contract_t;

/* Opens the server, makes the namespace, runs, deletes the namespace. Returns the exit status. */
int contract_main(int argc, char **argv, const char *program, const tap_test_t *tests,
                  size_t count);

/* A format for a path: "<collection>/<name>". Borrowed until the fourth next call. */
const char *contract_path(const char *collection, const char *name);

/* Creates a ConfigMap with these labels (JSON object text or NULL) and data k=value; 201 is
 * required. Returns its resourceVersion in a buffer of the same life as above. */
const char *contract_create(contract_t *c, const char *name, const char *labels, const char *value);

/* A body for a Lease. */
#define LEASE_BODY                                                                                 \
    "{\"apiVersion\":\"coordination.k8s.io/"                                                       \
    "v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"%s\"},"                                      \
    "\"spec\":{\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":15,\"leaseTransitions\":%d}}"

/* The next event that is no bookmark; fails the test when none comes within 5 s. */
api_event_t contract_next(api_watch_t *w);

#endif
