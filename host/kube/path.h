/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of the Kubernetes API. */
#ifndef KUBE_PATH_H
#define KUBE_PATH_H

#include "base/buf.h"

/* A resource type, as in a URL. */
typedef struct kube_gvr {
    const char *group; /* "" for the core group */
    const char *version;
    const char *resource; /* plural, lower case */
} kube_gvr_t;

/* Appends "/apis/<group>/<version>[/namespaces/<ns>]/<resource>[/<name>]" ("/api/<version>..." for
 * the core group); ns and name may be NULL or "". Parts are percent-encoded. 0, LH_ENOMEM or
 * LH_ETOOBIG. */
int kube_path(buf_t *out, const kube_gvr_t *gvr, const char *ns, const char *name);
/* Appends "?key=value" or "&key=value" (the first '?' decides), percent-encoded. */
int kube_query(buf_t *out, const char *key, const char *value);

/* Names that the API accepts, so that a bad one is refused with a text before it is sent.
 * (RFC 1123; k8s.io/apimachinery validation) */
bool kube_is_dns_label(const char *s);
bool kube_is_dns_subdomain(const char *s);

#endif
