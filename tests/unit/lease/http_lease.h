/* SPDX-License-Identifier: Apache-2.0 */
/* One Lease behind a real socket: the server's half of the simulation, spoken over HTTP/1.1. */
#ifndef UNIT_LEASE_HTTP_LEASE_H
#define UNIT_LEASE_HTTP_LEASE_H

#include "sim.h"
#include "support/http_server.h"

typedef struct http_lease http_lease_t;

http_lease_t *http_lease_start(void);
void http_lease_stop(http_lease_t *h);
http_server_t *http_lease_server(http_lease_t *h);

/* The Lease and hands on it: fn runs while no request is served. */
void http_lease_do(http_lease_t *h, void (*fn)(sim_t *s));
/* "holder/duration/transitions". Caller owns, free with free(). */
char *http_lease_text(http_lease_t *h);
/* Answers everything (watches: only those opened from now on) with this status; 0: no more. */
void http_lease_fail(http_lease_t *h, int status);
void http_lease_refuse_watch(http_lease_t *h, int status);
/* Ends every stream with an ERROR event of this code. */
void http_lease_end_watches(http_lease_t *h, int code);

#endif
