/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kinds the API server offers. Uses aggregated discovery (one request for /api and one for
 * /apis) where the server has it, else one request per group version. Results are cached; a kind
 * that was not found is looked up again when asked.
 */
#ifndef KUBE_DISCOVERY_H
#define KUBE_DISCOVERY_H

#include "kube/client.h"
#include "kube/path.h"

typedef struct kube_discovery kube_discovery_t;

typedef struct kube_kind {
    char *kind;
    bool namespaced;
    bool watchable; /* offers list and watch */
} kube_kind_t;

/* client is borrowed until kube_discovery_destroy. Caller owns the result. */
kube_discovery_t *kube_discovery_create(kube_client_t *client, const log_t *log);
/* Callbacks of pending lookups are not called. Not from within one. NULL is allowed. */
void kube_discovery_destroy(kube_discovery_t *d);

typedef struct kube_lookup kube_lookup_t;
/* Looks a resource up; calls fn once, never from within. code 0: kind is borrowed until fn returns.
 * LH_ENOTFOUND: the server does not offer it (yet). Anything else: could not be asked, and the server
 * wants to be asked again after retry_after (ns; 0: it did not say). fresh: ask the server even when the
 * answer is cached. *out is borrowed until fn or kube_lookup_cancel. */
HOST_MUST_USE int kube_discovery_lookup(kube_discovery_t *d, const kube_gvr_t *gvr, bool fresh,
                                        void (*fn)(void *arg, int code, const kube_kind_t *kind,
                                                   const lh_error_t *err, int64_t retry_after),
                                        void *arg, kube_lookup_t **out, lh_error_t *err);
void kube_lookup_cancel(kube_lookup_t *l);

/* Of the API server's version 1.34: 34, as it was at the first lookup that has been answered; 0: it did not
 * say. For what costs less, never for what is right: servers are upgraded, one after the other. */
unsigned kube_discovery_minor(const kube_discovery_t *d);

#endif
