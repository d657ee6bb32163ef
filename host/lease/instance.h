/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who this process is, and which dead process of the same name it continues: a file that is locked
 * while the process lives and names boot and instance (rule 17 of docs/election.md).
 */
#ifndef LEASE_INSTANCE_H
#define LEASE_INSTANCE_H

#include "base/log.h"
#include "lease/record.h"

typedef struct lease_instance {
    char id[LEASE_INSTANCE_LEN + 1];       /* new in every process */
    char previous[LEASE_INSTANCE_LEN + 1]; /* "": none that is known to be dead */
    char boot[40];                         /* of the machine; "" when it cannot be read */
    int fd;                                /* locked; -1: there is no file */
    bool written;
} lease_instance_t;

/* Makes an id, and takes the file in dir (NULL: there is none) when no other process has it. What
 * goes wrong is logged and costs only the quick restart. End with lease_instance_close.
 * [any-thread] */
void lease_instance_open(lease_instance_t *i, const char *dir, const log_t *log);
/* Writes and syncs the id, once: before the first own write to the Lease. [any-thread] */
void lease_instance_write(lease_instance_t *i, const log_t *log);
void lease_instance_close(lease_instance_t *i); /* [any-thread] */

#endif
