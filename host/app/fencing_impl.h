/* SPDX-License-Identifier: Apache-2.0 */
/* What fencing.c (the Fence) and fencing_proof.c (the proofs) share. */
#ifndef APP_FENCING_IMPL_H
#define APP_FENCING_IMPL_H

#include "app/fencing.h"
#include "kube/resolve.h"

enum fencing_step {
    FENCING_IDLE,
    FENCING_READING, /* the Fence */
    FENCING_WRITING,
    FENCING_RESOLVING, /* the API server's name */
    FENCING_LISTING,   /* its endpoints */
    FENCING_PROVING,
    FENCING_DONE
};

/* An API server. */
typedef struct fencing_place {
    char *address;
    kube_client_t *client;
    int64_t heard_at; /* its last answer, or when we began to ask */
} fencing_place_t;

/* What one place has shown for one user. */
typedef struct fencing_proof {
    app_fencing_t *fencing;
    size_t place, user;
    bool refuses; /* another term */
    bool proved;
    kube_call_t *call;
} fencing_proof_t;

struct app_fencing {
    app_fencing_options_t o;
    char *namespace, *name, *identity, *path, *policy;
    health_check_t *check;
    char *said; /* what was logged last in this term; NULL: nothing */
    char **users;
    size_t user_count;
    bool *told; /* by user: on_proved was called */

    enum fencing_step step;
    fence_t *fence;    /* of the present term */
    bool sent;         /* the Fence may hold our term */
    bool proved_all;   /* in this term */
    kube_call_t *call; /* of the Fence or of its endpoints */
    kube_resolve_t *resolve;
    loop_timer_t retry;
    int64_t delay; /* of the next retry */
    int64_t begun_at;

    fencing_place_t *places;
    size_t place_count;
    fencing_proof_t *proofs; /* place_count * user_count */
};

/* -- fencing.c -- */
/* Shows the reason and tries the present step again in a while. */
void fencing_later(app_fencing_t *f, const char *reason);
void fencing_done(app_fencing_t *f);
/* True for a refusal by one of our policies. */
bool fencing_refused(const app_fencing_t *f, const kube_result_t *result);

/* -- fencing_places.c -- */
void fencing_find_places(app_fencing_t *f);
void fencing_list_endpoints(app_fencing_t *f);
void fencing_forget_places(app_fencing_t *f);

/* -- fencing_proof.c -- */
void fencing_prove(app_fencing_t *f);
void fencing_cancel_proofs(app_fencing_t *f);

#endif
