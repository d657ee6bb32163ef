/* SPDX-License-Identifier: Apache-2.0 */
/* Kubernetes Events on the Lease: who became leader, who stopped and why. Best effort: nothing waits for
 * them, and what the API server does not take at once is lost. */
#ifndef APP_EVENTS_H
#define APP_EVENTS_H

#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "kube/credentials.h"

typedef struct app_events app_events_t;

typedef struct app_events_options {
    loop_t *loop; /* these four are borrowed until app_events_destroy */
    const kube_credentials_t *credentials;
    const log_t *log;
    metrics_t *metrics;
    const char *namespace, *lease; /* of the Lease; copied */
    const char *identity;          /* copied */
} app_events_options_t;

/* Opens no connection before the first Event. Caller owns the result, free with app_events_destroy.
 * [loop-thread] */
app_events_t *app_events_create(const app_events_options_t *options);
/* What is under way is dropped. NULL is allowed, here and below. [loop-thread] */
void app_events_destroy(app_events_t *e);

/* Records "<identity> <text>" on the Lease with this uid ("": not known). Dropped when several are under
 * way already. [loop-thread] */
void app_events_add(app_events_t *e, const char *uid, const char *text);

#endif
