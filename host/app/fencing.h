/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-side fencing (docs/fencing.md): before anything is activated the Fence gets the term, and
 * every API server that is known proves for each plugin's user that it refuses another term and
 * accepts this one. What is not proved is tried again for as long as the term lasts.
 *
 *   begin -> Fence read, written -> addresses looked up -> dry-run writes -> on_proved for each user
 *
 * All of it is the loop thread's.
 */
#ifndef APP_FENCING_H
#define APP_FENCING_H

#include "base/fence.h"
#include "base/health.h"
#include "base/log.h"
#include "kube/client.h"

typedef struct app_fencing app_fencing_t;

typedef struct app_fencing_options {
    loop_t *loop; /* pointers are borrowed until app_fencing_destroy; texts are copied */
    const kube_credentials_t *credentials;
    kube_client_t *reads, *writes;
    const log_t *log;
    health_t *health;             /* gets the check "fencing" */
    const char *namespace, *name; /* of the Lease and of its Fence */
    const char *identity;
    const char *const
        *addresses;         /* of API servers behind a load balancer; NULL-terminated, or NULL */
    int64_t lease_duration; /* an address that is silent for so long is done without */

    /* The user of this index is fenced: it may write. */
    void (*on_proved)(void *arg, size_t user);
    /* The Fence has a term that is not below ours. */
    void (*on_outnumbered)(void *arg, uint64_t term, int64_t seen);
    void *arg;
} app_fencing_options_t;

app_fencing_t *app_fencing_create(const app_fencing_options_t *options);
void app_fencing_destroy(app_fencing_t *f); /* NULL is allowed */
/* Before the first term; copied. Its index is the number of those before. */
void app_fencing_add_user(app_fencing_t *f, const char *user);
/* The name of the policy that refuses. Borrowed until app_fencing_destroy. */
const char *app_fencing_policy(const app_fencing_t *f);

void app_fencing_begin(app_fencing_t *f, fence_t *fence); /* takes its own reference */
/* A write was refused by a policy: looks whether the Fence is still ours. */
void app_fencing_check(app_fencing_t *f);
/* The term is over, or being given up: no callback follows. */
void app_fencing_end(app_fencing_t *f);

#endif
