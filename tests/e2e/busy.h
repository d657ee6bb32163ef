/* SPDX-License-Identifier: Apache-2.0 */
/* A leader that writes as fast as it can (plugins/journal.c), and whose Lease is edited. */
#ifndef E2E_BUSY_H
#define E2E_BUSY_H

#include "e2e/e2e.h"

typedef struct busy {
    e2e_t *e;
    replica_t *replica;
    char user[192]; /* in the audit log */
} busy_t;

/* Times are of the audit log, in seconds after the ResponseComplete of the edit; what happened before
 * the server had answered is negative. Only what belongs to the term that the edit ends counts. */
typedef struct busy_edit {
    double writes_end;  /* the last plugin write was received; 0: none after the edit */
    double watches_end; /* the last plugin watch ended */
    int writes;         /* received after the edit */
    int late;           /* of them, more than 100 ms after a watch of ours was told of it */
    int watches;        /* ended */
} busy_edit_t;

/* Starts it and waits until it writes. */
void busy_start(busy_t *b, e2e_t *e);
/* Edits its Lease to another holder, and waits until it leads and writes again. */
busy_edit_t busy_edit(busy_t *b);
void busy_end(busy_t *b);

#endif
