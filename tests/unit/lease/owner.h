/* SPDX-License-Identifier: Apache-2.0 */
/* A server with one Lease, and owners of a lease_t: a loop each, and what it was told. */
#ifndef UNIT_LEASE_OWNER_H
#define UNIT_LEASE_OWNER_H

#include "http_lease.h"
#include "lease/lease.h"

#include <stdatomic.h>

typedef struct owner {
    lease_t *lease;
    loop_t *loop;
    loop_timer_t alarm;
    bool rang;
    lease_options_t options;
    fence_t *fence;
    int begun, ended, observed;
    enum lease_end end;
    char reason[256], holder[64];
    bool stop_at_begin;
    _Atomic int falls;
    _Atomic int64_t fell_at;
    _Atomic bool open_at_fall;
} owner_t;

/* Of one test. */
extern http_lease_t *server;
extern kube_credentials_t credentials;
void server_start(void);
void server_stop(void);

/* At 2 s, 1 s and 250 ms; options may be changed before owner_start. */
void owner_init(owner_t *o, const char *identity);
void owner_start(owner_t *o);
void owner_fini(owner_t *o); /* stops the elector, too */

/* Turns the owner's loop until *count reaches n; false when it has not within ms. */
bool await(owner_t *o, const int *count, int n, int ms);
void idle(owner_t *o, int ms);

void make_empty(sim_t *s); /* for http_lease_do */

#endif
