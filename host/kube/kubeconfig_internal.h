/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the reading of kubeconfigs: one file for each kind of entry. */
#ifndef KUBE_KUBECONFIG_INTERNAL_H
#define KUBE_KUBECONFIG_INTERNAL_H

#include "base/error.h"
#include "config/yaml.h"
#include "kube/credentials.h"

#include <stdio.h>

/* One entry ("user 'admin'") of one file. */
typedef struct kubeconfig_entry {
    const char *path;
    const char *what, *name;
    const config_node_t *node; /* the mapping */
} kubeconfig_entry_t;

/* What has been found, and what is made of it. */
typedef struct kubeconfig_reading {
    const kube_credentials_source_t *source;
    kubeconfig_entry_t cluster, user; /* user.node NULL: none is named */
    kube_credentials_t *c;
} kubeconfig_reading_t;

/* "path:line: user 'admin': field: text". */
#define kubeconfig_fail(err, entry, where, field, ...)                                             \
    __extension__({                                                                                \
        char text_[320];                                                                           \
        snprintf(text_, sizeof(text_), __VA_ARGS__);                                               \
        host_fail((err), LH_EINVAL, "%s:%u: %s '%s': %s: %s", (entry)->path, (where)->line,        \
                  (entry)->what, (entry)->name, (field), text_);                                   \
    })

/* -- kubeconfig_tree.c -- */
/* The value of key; NULL when map is none, or has no such key, or it is null. */
const config_node_t *kubeconfig_get(const config_node_t *map, const char *key);
/* The scalar at key of the entry in *out, NULL when it is absent or empty. */
HOST_MUST_USE int kubeconfig_text(const kubeconfig_entry_t *entry, const char *key,
                                  const char **out, lh_error_t *err);
/* The list of texts at key, which may be absent: its scalars are valid until the tree is gone. Caller
 * frees *out, an array that ends with NULL. */
HOST_MUST_USE int kubeconfig_texts(const kubeconfig_entry_t *entry, const config_node_t *map,
                                   const char *key, const char ***out, lh_error_t *err);
bool kubeconfig_is_empty(const config_node_t *node);
/* PEM by `key`-data (wins, as in kubectl) or by the file `key`. */
HOST_MUST_USE int kubeconfig_pem(const kubeconfig_entry_t *entry, const char *key, char **file,
                                 char **data, lh_error_t *err);
/* path as seen from the folder of the entry's file. Caller owns the result, free with free(). */
char *kubeconfig_resolve(const kubeconfig_entry_t *entry, const char *path);
bool kubeconfig_is_address(const char *s);

/* -- kubeconfig_cluster.c, kubeconfig_user.c, kubeconfig_exec.c: each fills r->c -- */
HOST_MUST_USE int kubeconfig_read_cluster(const kubeconfig_reading_t *r, lh_error_t *err);
HOST_MUST_USE int kubeconfig_read_user(const kubeconfig_reading_t *r, lh_error_t *err);
HOST_MUST_USE int kubeconfig_read_exec(const kubeconfig_reading_t *r, const config_node_t *exec,
                                       lh_error_t *err);

#endif
