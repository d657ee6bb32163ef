/* SPDX-License-Identifier: Apache-2.0 */
#include "app/lease_namespace.h"

#include <string.h>

const char *app_lease_namespace_told(const config_t *c, const char *const *env, const char **origin)
{
    static const char pod[] = "POD_NAMESPACE=";

    *origin = "leaderElection.namespace";
    if (c->leader_election.namespace[0] != '\0')
        return c->leader_election.namespace;
    *origin = "environment POD_NAMESPACE";
    for (; *env != NULL; env++) {
        if (strncmp(*env, pod, sizeof(pod) - 1) == 0 && (*env)[sizeof(pod) - 1] != '\0')
            return *env + sizeof(pod) - 1;
    }
    return NULL;
}

const char *app_lease_namespace(const config_t *c, const char *const *env,
                                const kube_credentials_t *credentials, const char **origin)
{
    const bool own = credentials->namespace[0] != '\0';
    const char *from, *name = app_lease_namespace_told(c, env, &from);

    if (name == NULL) {
        from = own ? credentials->origin : "default";
        name = own ? credentials->namespace : "kube-system";
    }
    if (origin != NULL)
        *origin = from;
    return name;
}
