/* SPDX-License-Identifier: Apache-2.0 */
/* What server-side apply does with values of a type: which fields they have, what differs, merging,
 * taking fields away. The rules are those of the real server's structured merges. */
#ifndef DEVAPI_FIELD_WALK_H
#define DEVAPI_FIELD_WALK_H

#include "devapi/field_set.h"
#include "devapi/field_type.h"

/* No field is in more than one of them. */
typedef struct field_changes {
    field_set_t removed, modified, added;
} field_changes_t;
void field_changes_fini(field_changes_t *c);

/* Each walks a whole object; t is its type. *out must be empty. */
void field_compare(const field_type_t *t, const cJSON *before, const cJSON *after,
                   field_changes_t *out);
void field_set_of(const field_type_t *t, const cJSON *object, field_set_t *out);
/* Adds what has members below it and is a field by its name. */
void field_set_name(const field_type_t *t, field_set_t *s);
/* Fields below what is one value by now, once was not, become that value. */
void field_set_reconcile(const field_type_t *t, field_set_t *s);

/* object with what patch says; caller owns. */
cJSON *field_merge(const field_type_t *t, const cJSON *object, const cJSON *patch);
/* object without these fields; caller owns. */
cJSON *field_remove(const field_type_t *t, const cJSON *object, const field_set_t *fields);

/* Appends what is wrong, ".spec.replicas: expected numeric (int or float), got string", line by
 * line when it is more than one thing. */
void field_check(const field_type_t *t, const cJSON *object, buf_t *mistakes);

/* A list's elements by their steps. */
typedef struct field_item {
    char *step;  /* owned */
    cJSON *node; /* borrowed */
    size_t place;
} field_item_t;
typedef struct field_items {
    field_item_t *at;
    size_t n;
} field_items_t;
/* In the list's order; elements without a step are left out. */
field_items_t field_items_of(const field_type_t *list, const cJSON *node);
void field_items_sort(field_items_t *items); /* by step, then by place */
void field_items_fini(field_items_t *items);

#endif
