/* SPDX-License-Identifier: Apache-2.0 */
/* Server-side fencing for tests: what `leasehold rbac` prints is applied, and writes are sent as a
 * plugin's user under any term. */
#ifndef E2E_FENCED_H
#define E2E_FENCED_H

#include "e2e/e2e.h"

typedef struct fenced {
    e2e_t *e;
    const char *lease;
    const char *plugin, *id; /* its file, and the name of its instance */
    char fence[256];         /* its path */
    char out[256];           /* the ConfigMap that the journal writes to */
    char file[192];          /* what was applied */
    const char *kubeconfig;  /* of an account with these rights and no others */
    const char *token;
} fenced_t;

/* Makes the Lease, the account, its rights and the policies, for the journal alone. */
void fenced_open(fenced_t *f, e2e_t *e, const char *lease);
/* For another plugin; the strings are borrowed. */
void fenced_open_for(fenced_t *f, e2e_t *e, const char *lease, const char *plugin, const char *id);
/* Takes the rights and policies away; the kind Fence stays until the end of the run. */
void fenced_close(fenced_t *f);

/* A replica with the journal and `fencing: server`. config: more YAML; NULL: none. */
replica_t *fenced_replica(const fenced_t *f, const char *name, const char *kubeconfig,
                          const char *config);
/* Waits until the journal has written under that term or a later one. */
bool fenced_wrote(const fenced_t *f, long term, int ms);
long fenced_term(const fenced_t *f); /* of the Fence; -1: there is none */

/* A second API server on the same etcd; end it by api_close and e2e_script("second", "stop"). */
api_t *fenced_second(e2e_t *e);

/* Patches the ConfigMap as the journal's user; holder NULL: without term and holder. */
api_reply_t fenced_write(const fenced_t *f, api_t *api, const char *holder, long term);
/* Waits until the API server refuses what is written under a term that never was, or no longer does. */
bool fenced_wait_refused(const fenced_t *f, bool refused, int ms);

#endif
