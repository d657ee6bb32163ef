/* SPDX-License-Identifier: Apache-2.0 */
/* Reads kubeconfig files. */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include "kube/credentials.h"

/* Credentials of source's context (else the current-context) in the files at paths, NULL-terminated
 * and at least one. Of several files the first that sets a value wins, and those that do not exist are
 * left out; LH_ENOTFOUND when there is none. Caller owns *out, free with kube_credentials_destroy.
 * [any-thread] */
HOST_MUST_USE int kube_kubeconfig_load(const char *const *paths,
                                       const kube_credentials_source_t *source,
                                       kube_credentials_t **out, lh_error_t *err);

#endif
