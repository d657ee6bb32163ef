/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server for probes and scrapes, on a thread and a loop of its own, so that it answers
 * while every other thread is stuck. It only prints what the registries hold and changes nothing:
 *
 *   /livez /readyz /startupz    "ok" or 500; ?verbose, ?exclude=<check>; /livez/<check> for one
 *   /healthz                    the same as /livez
 *   /leader /status             the document on the board; 503 until there is one
 *   /metrics                    Prometheus text, or OpenMetrics for who prefers it (Accept)
 *
 * GET and HEAD only. Every connection carries one request and is cut 5 s after it was accepted,
 * however busy it is. A client beyond 64 takes the place of the oldest.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "base/health.h"
#include "base/log.h"
#include "base/metrics.h"

#include <leasehold/error.h>
#include <stdint.h>

typedef struct serve serve_t;

typedef struct serve_options {
    const char *address; /* "0.0.0.0:8081", ":8081" (IPv4 and IPv6), "[::1]:8081"; port 0: any */
    health_t *health;    /* these three are borrowed until serve_stop */
    metrics_t *metrics;
    log_t *log;
} serve_options_t;

/* Listens and starts the thread. Caller owns *out, end with serve_stop. On failure nothing is left
 * behind and err names the address; LH_EINVAL or LH_EPERM when no restart will help. [loop-thread] */
HOST_MUST_USE int serve_start(const serve_options_t *options, serve_t **out, lh_error_t *err);

/* The port that it listens on. [any-thread] */
uint16_t serve_port(const serve_t *serve);

/* Cuts all connections, ends the thread and waits for it. NULL is allowed. [loop-thread] */
void serve_stop(serve_t *serve);

#endif
