/* SPDX-License-Identifier: Apache-2.0 */
/* The label half of a selector. */
#ifndef DEVAPI_SELECTOR_LABEL_H
#define DEVAPI_SELECTOR_LABEL_H

#include "devapi/status.h"

typedef struct dev_labels dev_labels_t;

/* text is not empty. *out is owned by the caller, free with dev_labels_destroy. */
int dev_labels_parse(const char *text, dev_labels_t **out, dev_status_t *st);
void dev_labels_destroy(dev_labels_t *l); /* NULL is allowed */
bool dev_labels_match(const dev_labels_t *l, const cJSON *labels);

#endif
