/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP proxies between replicas and their API server, each on a port of its own. What they carry is opaque
 * to them: TLS passes untouched. All of them live on one thread.
 */
#ifndef CHAOS_PROXY_H
#define CHAOS_PROXY_H

#include <stdbool.h>

typedef struct proxies proxies_t; /* the thread */
typedef struct proxy proxy_t;

enum proxy_way { PROXY_UP, PROXY_DOWN, PROXY_WAYS }; /* to the server, to the replica */

/* Zeroed: none. */
typedef struct proxy_fault {
    int delay_ms[PROXY_WAYS];
    int bytes_per_s[PROXY_WAYS]; /* 0: as many as come */
    bool held[PROXY_WAYS];       /* bytes wait until the fault is over, and arrive then */
    bool lost[PROXY_WAYS];       /* bytes are taken and never arrive */
    bool open_flows;             /* all that holds for the connections that are open by now only */
    bool silent;                 /* flows that have lost bytes stay as they are; else they are reset
                                    when the fault is over */
} proxy_fault_t;

/* Caller owns the result, free with proxies_close, which closes each proxy too. Both end the program
 * with a text when they cannot. */
proxies_t *proxies_open(void);
void proxies_close(proxies_t *p); /* NULL is allowed */
/* server: "https://host:port". Borrowed until proxies_close. */
proxy_t *proxy_open(proxies_t *p, const char *server);
int proxy_port(const proxy_t *p); /* on 127.0.0.1 */

/* In the place of the fault before; returns when it is so. */
void proxy_set(proxy_t *p, const proxy_fault_t *fault);
/* Resets every connection that is open. */
void proxy_reset(proxy_t *p);

#endif
