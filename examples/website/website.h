/* SPDX-License-Identifier: Apache-2.0 */
/* Website: a ConfigMap with the page, a Deployment that serves it, a Service in front. */
#ifndef WEBSITE_H
#define WEBSITE_H

#include <leasehold/leasehold.h>

#define WEBSITE_LABEL "'app.kubernetes.io/managed-by':'website'" /* what manifest.json selects */

/* The watches of manifest.json, in its order. */
enum { WATCH_WEBSITES, WATCH_CONFIG_MAPS, WATCH_DEPLOYMENTS, WATCH_SERVICES };

/* One reconcile: where it runs, and what was read from the object. */
typedef struct site {
    const lh_host_t *host;
    lh_ctx_t ctx;
    const lh_snapshot_t *object;
    lh_json_t json; /* the object's text */
    const char *ns, *name;
    char image[256];
    lh_json_t html; /* as the JSON string that it is in the object */
    int64_t generation, replicas;
} site_t;

/* The site itself at the API server. [any-thread] */
static inline lh_ref_t website_ref(const site_t *site)
{
    return lh_ref_of("example.leasehold.dev/v1", "websites", site->ns, site->name);
}

/* children.c: creates what is missing, updates what differs. [worker-thread] */
int children_ensure(const site_t *site, lh_error_t *err);

/* status.c: writes the status if it differs; failure is NULL when all went well. [worker-thread] */
int status_write(const site_t *site, const lh_error_t *failure, lh_error_t *err);

#endif
