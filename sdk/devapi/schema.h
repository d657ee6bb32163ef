/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structural schema of a CustomResourceDefinition's version: types, required, enum, pattern,
 * minimum, maximum, lengths, items, properties, additionalProperties, nullable, defaults, pruning,
 * x-kubernetes-int-or-string, -preserve-unknown-fields, -embedded-resource, -list-type,
 * -list-map-keys; allOf/anyOf/oneOf/not in validation. CEL rules (x-kubernetes-validations) are not
 * evaluated.
 */
#ifndef DEVAPI_SCHEMA_H
#define DEVAPI_SCHEMA_H

#include "devapi/status.h"

typedef struct dev_schema dev_schema_t;

/* json is an openAPIV3Schema; it is copied. Mistakes in it are noted by dev_cause under `field`
 * (such as "spec.versions[0].schema.openAPIV3Schema"), and NULL is returned. Caller owns the
 * result, free with dev_schema_destroy. */
dev_schema_t *dev_schema_create(const cJSON *json, const char *field, dev_status_t *st);
void dev_schema_destroy(dev_schema_t *s); /* NULL is allowed */

/* Removes fields that the schema does not know (metadata, apiVersion, kind stay); for each removed
 * path calls unknown(arg, path) unless NULL. */
void dev_schema_prune(const dev_schema_t *s, cJSON *object,
                      void (*unknown)(void *arg, const char *path), void *arg);
void dev_schema_default(const dev_schema_t *s, cJSON *object);
/* Notes each mistake by dev_cause with the real server's words. */
void dev_schema_validate(const dev_schema_t *s, const cJSON *object, dev_status_t *st);
/* The object's status alone, as its subresource is checked: messages begin at the status. */
void dev_schema_validate_status(const dev_schema_t *s, const cJSON *object, dev_status_t *st);

#endif
