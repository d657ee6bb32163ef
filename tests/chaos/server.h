/* SPDX-License-Identifier: Apache-2.0 */
/* An embedded API server of its own, with faults on demand. */
#ifndef CHAOS_SERVER_H
#define CHAOS_SERVER_H

#include "support/api.h"

typedef struct server server_t;

/* Starts `leasehold dev --faults`; ends the program with a text when it cannot. Caller owns the result, free
 * with server_stop. */
server_t *server_start(void);
void server_stop(server_t *s); /* NULL is allowed */
const char *server_kubeconfig(const server_t *s);

/* Requests of hosts to Leases are answered by this rule from now on; members of a rule as in docs/devapi.md,
 * "": none. everything: all their other requests too. */
void server_rule(server_t *s, api_t *api, const char *members, bool everything);
/* Requests of hosts to Leases since the last call. */
long server_lease_requests(server_t *s, api_t *api);
/* "freeze-watches", "thaw-watches", "cut-watches": those of hosts on `resource`. */
void server_watches(api_t *api, const char *what, const char *resource);

/* Those of hosts on `resource` end and are too old to go on: each has to list again. */
void server_relists(api_t *api, const char *resource);

#endif
