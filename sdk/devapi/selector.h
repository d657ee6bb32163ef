/* SPDX-License-Identifier: Apache-2.0 */
/* Label selectors (=, ==, !=, in, notin, exists, !exists) and field selectors (=, ==, !=). */
#ifndef DEVAPI_SELECTOR_H
#define DEVAPI_SELECTOR_H

#include "devapi/kind.h"

typedef struct dev_selector dev_selector_t;

/* Either text may be NULL or "". 400 with the real server's words on a mistake, an unsupported
 * field included: metadata.name and metadata.namespace for all; for Pods, Events, Nodes,
 * Namespaces, Secrets, Jobs, ... those of the real server; a CRD version's selectableFields are not
 * supported. *out (NULL when it selects everything) is owned by the caller. */
int dev_selector_parse(const dev_kind_t *kind, const char *labels, const char *fields,
                       dev_selector_t **out, dev_status_t *st);
void dev_selector_destroy(dev_selector_t *s); /* NULL is allowed */
/* labels: the object's metadata.labels, NULL when it has none; object is parsed only when
 * dev_selector_needs_object. A NULL selector matches everything. */
bool dev_selector_matches(const dev_selector_t *s, const char *ns, const char *name,
                          const cJSON *labels, const cJSON *object);
bool dev_selector_needs_object(const dev_selector_t *s); /* by fields other than name, namespace */
/* The one name that it asks for by metadata.name=; NULL: none. Borrowed. */
const char *dev_selector_name(const dev_selector_t *s);

#endif
