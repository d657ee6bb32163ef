/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_LEASE_NAMESPACE_H
#define APP_LEASE_NAMESPACE_H

#include "config/config.h"
#include "kube/credentials.h"

/* The configured namespace of the Lease, or who tells it before the credentials do: POD_NAMESPACE. NULL
 * when neither does. env is "NAME=value", NULL-terminated; *origin says whose it is. Borrowed. */
const char *app_lease_namespace_told(const config_t *c, const char *const *env,
                                     const char **origin);

/* The namespace of the Lease, kube-system when nobody names one; origin may be NULL. Borrowed from the
 * arguments. */
const char *app_lease_namespace(const config_t *c, const char *const *env,
                                const kube_credentials_t *credentials, const char **origin);

#endif
