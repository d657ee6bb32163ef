/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds that are served: a table of built-in ones, and those of CustomResourceDefinitions.
 * A kind has one storage whatever its versions; objects are stored as they were sent, and shown
 * under the apiVersion that is asked for.
 */
#ifndef DEVAPI_KIND_H
#define DEVAPI_KIND_H

#include "devapi/schema.h"
#include "devapi/status.h"

enum {
    DEV_NAMESPACED = 1 << 0,
    DEV_CREATE_ON_PUT = 1 << 1, /* a PUT of a missing object creates it (Lease, ...) */
    DEV_PUT_NEEDS_VERSION =
        1 << 2,              /* a PUT of an existing one must carry a resourceVersion (422) */
    DEV_GENERATION = 1 << 3, /* metadata.generation counts changes outside metadata, status */
    DEV_CUSTOM = 1 << 4,     /* of a CustomResourceDefinition */
    DEV_NO_COLLECTION_DELETE = 1 << 5, /* objects can only be deleted one by one */
    DEV_CREATE_ONLY = 1 << 6,          /* is asked, not stored (SubjectAccessReview, ...) */
};

typedef struct dev_version {
    const char *name; /* "v1" */
    bool status, scale;
    const dev_schema_t *schema; /* of custom kinds; NULL: none */
    const cJSON *openapi;       /* the openAPIV3Schema that it was made of, borrowed; likewise */
    /* of custom kinds with scale; JSON paths such as ".spec.replicas"; NULL: none */
    const char *spec_replicas_path, *status_replicas_path, *label_selector_path;
    /* of custom kinds: additionalPrinterColumns, borrowed; NULL: none */
    const cJSON *columns;
} dev_version_t;

typedef struct dev_kind {
    const char *group; /* "" for core */
    const char *resource, *singular, *kind, *list_kind;
    const char *short_names[4], *categories[4]; /* NULL-terminated unless full */
    unsigned flags;
    dev_version_t versions[8]; /* served, preferred first; name NULL ends */
    /* Fills in what the real server defaults; NULL: nothing. old is NULL on creation. */
    void (*complete)(cJSON *object, const cJSON *old);
    /* Notes mistakes by dev_cause; NULL: nothing to check beyond metadata. */
    void (*validate)(const cJSON *object, const cJSON *old, dev_status_t *st);
    /* Decoding mistakes that are 400, not 422 (a number beyond int32, a string for a number);
     * NULL: none. */
    int (*decode)(const cJSON *object, dev_status_t *st);
} dev_kind_t;

/* The built-in kinds, static; *count of them. */
const dev_kind_t *dev_builtin_kinds(size_t *count);

/* What every object's metadata must obey (names, generateName, labels, annotations' size, finalizer
 * names, owner references), as the real server words it. By kind->kind the name is checked as
 * DNS subdomain, or DNS label (Namespace, Service), or path segment (RBAC). */
void dev_validate_meta(const dev_kind_t *kind, const cJSON *object, dev_status_t *st);

/* Decoding mistakes in a custom object's metadata; kind->decode covers the built-in ones. object has
 * its apiVersion and kind, here as in kind->decode. */
int dev_decode_meta(const cJSON *object, dev_status_t *st);
/* What decoding does to the times of a built-in kind: UTC, with the digits of their type. */
void dev_tidy_times(cJSON *object);
/* What decoding does to metadata: null members go, and empty maps and lists; null labels and
 * annotations become "". */
void dev_tidy_meta(cJSON *object);

/* Converts an object between core/v1 Event and events.k8s.io/v1 Event, in place; the two share one
 * storage, kept in core's form. */
void dev_event_to_core(cJSON *object);
void dev_event_from_core(cJSON *object);

#endif
