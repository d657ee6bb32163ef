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
    char dir[128];          /* of this run, removed at its end */
    int users;              /* made so far */
    char crd[64];           /* made by this run, deleted with it; "": none */
    struct e2e_text *texts; /* that callers borrow for ever */
} e2e_t;

/* Opens the server, makes the namespace, runs, deletes the namespace. Returns the exit status. */
int e2e_main(int argc, char **argv, const char *program, const tap_test_t *tests, size_t count);
/* The two halves of it, for programs that are no tests. */
void e2e_open(e2e_t *e, const char *program);
void e2e_close(e2e_t *e);

/* -- Objects -- */

/* An empty Lease, so that the first candidate need not wait (docs/election.md). */
void e2e_make_lease(e2e_t *e, const char *name);
/* The holder of a Lease, "" when there is none; borrowed until the next call. */
const char *e2e_holder(e2e_t *e, const char *lease);
bool e2e_wait_holder(e2e_t *e, const char *lease, const char *holder, int ms);
void e2e_make_configmap(e2e_t *e, const char *name, const char *labels_json);
/* Creates `count` ConfigMaps PREFIX-0... in ns, on four connections. */
void e2e_make_many(e2e_t *e, const char *ns, const char *prefix, int count);
/* A namespace beside that of the run, deleted with it; borrowed for ever. */
const char *e2e_make_namespace(e2e_t *e, const char *suffix);
/* Creates the CRD in a YAML file of the source tree unless it is there, and waits until `resource`, its
 * path "/apis/<group>/<version>/<plural>", is served. */
void e2e_make_crd(e2e_t *e, const char *file, const char *resource);
/* Waits until a GET of path answers status. */
bool e2e_wait_status(e2e_t *e, const char *path, int status, int ms);
/* Waits until the string at a JSON Pointer of the object at path is `value`. */
bool e2e_wait_value(e2e_t *e, const char *path, const char *pointer, const char *value, int ms);

/* -- Replicas -- */

/* A replica of the usual shape: hello's plugin unless others are named. */
replica_t *e2e_replica(e2e_t *e, const char *name, const char *lease, const char *const *plugins);
/* The path of a kubeconfig like the run's own; server and token NULL: as there. Borrowed for ever. */
const char *e2e_kubeconfig(e2e_t *e, const char *name, const char *server, const char *token);
/* A service account of the namespace without rights. Returns its kubeconfig, borrowed for ever; NULL on a
 * server that issues no tokens. */
const char *e2e_make_account(e2e_t *e, const char *name);
/* A service account of the namespace with all rights, so that the audit log tells who has asked.
 * Returns its kubeconfig; its name in the log is that of e2e_user_name. Borrowed for ever. */
const char *e2e_make_user(e2e_t *e, const char *name);
/* A new token of a service account, which is made by e2e_make_user unless it is there. Caller owns. */
char *e2e_make_token(e2e_t *e, const char *account);
const char *e2e_user_name(const e2e_t *e, const char *name);

/* -- The server's own hands: tests/cluster only -- */

/* Runs tests/cluster/<script> on the cluster of this run, on devapi its counterpart; arg may be NULL. */
void e2e_script(const char *script, const char *arg);

/* The audit log of tests/cluster, from LEASEHOLD_TEST_CLUSTER_DIR. */
typedef struct e2e_audit {
    char verb[16], resource[64], name[128], user[128], uri[512];
    char holder[128]; /* of a Lease that was sent, "" otherwise */
    bool over;        /* false: a watch has begun */
    int code;
    double received, done; /* seconds since 1970; done: of this entry's stage */
} e2e_audit_t;
/* Entries of the log from byte *at on that are about requests of `user` (NULL: anybody), in the
 * order of the log; *at moves to the end. Caller frees the result. */
e2e_audit_t *e2e_audit(long *at, const char *user, size_t *count);
long e2e_audit_end(void);
bool e2e_is_watch(const e2e_audit_t *a, const char *resource);
/* Waits until the log says that `user` watches a Lease. */
bool e2e_wait_lease_watch(long from, const char *user);
double e2e_now(void); /* as in the audit log */

#endif
