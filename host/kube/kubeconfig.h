/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one kubeconfig file. */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include "kube/credentials.h"

enum { KUBE_MAX_PEM = 1024 * 1024 };

/* Credentials of context ("" or NULL: current-context) in the file at path. Caller owns *out, free
 * with kube_credentials_destroy. [any-thread] */
HOST_MUST_USE int kube_kubeconfig_load(const char *path, const char *context,
                                       kube_credentials_t **out, lh_error_t *err);

#endif
