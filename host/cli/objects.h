/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of Kubernetes that a verb prints. */
#ifndef CLI_OBJECTS_H
#define CLI_OBJECTS_H

#include "base/buf.h"

#include <cjson/cJSON.h>

/* Appends object, a JSON object, as YAML. (yaml.c) */
void cli_yaml(buf_t *out, const cJSON *object);

/* Who is granted what: the deployment as `leasehold rbac` sees it. */
typedef struct cli_deployment {
    const char *namespace, *lease; /* of the Lease */
    const char *account;           /* of the host, in namespace */
    const char *base;              /* what the names of roles begin with */
    cJSON *accounts;               /* those of the instances: array of texts */
} cli_deployment_t;

/* Appends an object to list, made of a JSON text in which ' stands for " and ` for '. What is put into
 * it are names of DNS. Borrowed from list. (rbac.c) */
cJSON *cli_objects_add(cJSON *list, const char *format, ...) HOST_PRINTF(2, 3);

/* Appends a RoleBinding of account to the Role `name` in ns; ns NULL: of the cluster, both. (rbac.c) */
void cli_objects_bind(cJSON *list, const cli_deployment_t *d, const char *name, const char *ns,
                      const char *account);

/* Appends the rules of Roles to cluster, as far as they are for kinds without a namespace, and else to
 * in_namespace. (rbac_scope.c) */
void cli_rules_split(const cJSON *rules, cJSON *cluster, cJSON *in_namespace);

/* Appends what `fencing: server` needs beside the plugins' own roles. (rbac_fencing.c) */
void cli_fencing_objects(cJSON *list, const cli_deployment_t *d);

#endif
