/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which API server to talk to, and as whom. Loaded once at start from a kubeconfig or from the
 * service account of the pod; immutable afterwards, so all threads share it. What changes while
 * the host runs (token files) is re-read by each client for itself.
 */
#ifndef KUBE_CREDENTIALS_H
#define KUBE_CREDENTIALS_H

#include "base/base.h"

#include <leasehold/error.h>

typedef struct kube_credentials {
    char *server;          /* "https://host:port[/prefix]", no slash at the end */
    char *tls_server_name; /* NULL: the server's host */
    char *ca_file;         /* PEM; either this, */
    char *ca_data;         /* or this, or NULL for both: the system's */
    char *client_cert_file, *client_cert_data; /* one of them, or neither */
    char *client_key_file, *client_key_data;
    char *token;      /* static bearer token; NULL: none */
    char *token_file; /* re-read on change and on 401; wins over token */
    char *namespace;  /* of the context or service account; "" when unknown */
    bool in_cluster;  /* those of a pod's service account */
    char *origin;     /* "kubeconfig '/path', context 'x'" or "in-cluster", for messages */
} kube_credentials_t;

/*
 * Where credentials come from, first match: path; $KUBECONFIG (one file); the service account of a
 * pod (KUBERNETES_SERVICE_HOST/PORT and the mounted token); ~/.kube/config. env is "NAME=value",
 * NULL-terminated.
 */
typedef struct kube_credentials_source {
    const char *path;    /* "" or NULL: not given */
    const char *context; /* "" or NULL: current-context */
    const char *const *env;
    const char *service_account_dir; /* NULL: /var/run/secrets/kubernetes.io/serviceaccount */
} kube_credentials_source_t;

/* Loads. What Leasehold cannot honour (exec, auth-provider, proxy-url, impersonation,
 * insecure-skip-tls-verify, basic auth, plain http to another host) is refused with a text that
 * names file, line and field. Relative paths count from the kubeconfig's folder. Caller owns *out,
 * free with kube_credentials_destroy. [any-thread] */
HOST_MUST_USE int kube_credentials_load(const kube_credentials_source_t *source,
                                        kube_credentials_t **out, lh_error_t *err);
void kube_credentials_destroy(kube_credentials_t *c); /* NULL is allowed; wipes secrets */

#endif
