/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which API server to talk to, and as whom. Loaded once at start from kubeconfigs or from the
 * service account of the pod; immutable afterwards, so all threads share it. What changes while
 * the host runs (files of tokens and certificates, what a credential plugin gives) is looked at by
 * each client for itself.
 */
#ifndef KUBE_CREDENTIALS_H
#define KUBE_CREDENTIALS_H

#include "base/log.h"
#include "base/metrics.h"

#include <leasehold/error.h>

struct kube_exec;

typedef struct kube_credentials {
    char *server;          /* "https://host:port[/prefix]", no slash at the end */
    char *tls_server_name; /* NULL: the server's host */
    char *proxy;           /* URL with its port; may hold a password; NULL: none */
    char *ca_file;         /* PEM; either this, */
    char *ca_data;         /* or this, or NULL for both: the system's */
    char *client_cert_file, *client_cert_data; /* one of them, or neither */
    char *client_key_file, *client_key_data;
    char *token;            /* static bearer token; NULL: none */
    char *token_file;       /* re-read on change and on 401; wins over token */
    char *basic;            /* "user:password" in base64; NULL: none */
    struct kube_exec *exec; /* credential plugin, with none of these beside it; NULL: none */
    char **impersonate;     /* header lines, NULL-terminated; NULL: none */
    char *namespace;        /* of the context or service account; "" when unknown */
    bool in_cluster;        /* those of a pod's service account */
    char *origin;           /* "kubeconfig '/path', context 'x'" or "in-cluster", for messages */
} kube_credentials_t;

/*
 * Where credentials come from, first match: path; $KUBECONFIG (files, merged as kubectl does); the
 * service account of a pod (KUBERNETES_SERVICE_HOST/PORT and the mounted token); ~/.kube/config.
 * env is "NAME=value", NULL-terminated; it also names the proxy where the kubeconfig does not, and
 * is what a credential plugin gets.
 */
typedef struct kube_credentials_source {
    const char *path;    /* "" or NULL: not given */
    const char *context; /* "" or NULL: current-context */
    const char *const *env;
    const char *service_account_dir; /* NULL: /var/run/secrets/kubernetes.io/serviceaccount */
    /* Of a credential plugin; borrowed until kube_credentials_destroy; may be NULL. */
    const log_t *log;
    metrics_t *metrics;
} kube_credentials_source_t;

/* Loads. What is not honoured (auth-provider, insecure-skip-tls-verify, a plugin that must ask
 * somebody, plain http to another host), or cannot work (a token with a line break) is refused with
 * a text that names file, line and field. Relative paths count from the folder of the file that
 * they stand in. Caller owns *out, free with kube_credentials_destroy. [any-thread] */
HOST_MUST_USE int kube_credentials_load(const kube_credentials_source_t *source,
                                        kube_credentials_t **out, lh_error_t *err);
void kube_credentials_destroy(kube_credentials_t *c); /* NULL is allowed; wipes secrets */

#endif
