/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of fields, as managedFields has them (FieldsV1). A field is a path of steps: "f:name" a
 * member, "k:{\"name\":\"c\"}" the element of a list with these keys, "v:\"x\"" the element of a
 * set, "i:0" an index. A field may be in the set, or fields below it, or both.
 */
#ifndef DEVAPI_FIELD_SET_H
#define DEVAPI_FIELD_SET_H

#include "base/buf.h"

#include <cjson/cJSON.h>

typedef struct field_node field_node_t;

/* Sorted by step, as the real server sorts them. {0} is the empty set. */
typedef struct field_set {
    field_node_t *nodes;
    size_t n, cap;
} field_set_t;

struct field_node {
    char *step;
    bool member; /* the field itself is in the set */
    field_set_t below;
};

/* A path, as a chain on the stack; NULL is the object itself. */
typedef struct field_path {
    const struct field_path *up;
    const char *step;
} field_path_t;
#define FIELD_STEP(up_, step_) (&(const field_path_t){(up_), (step_)})

void field_set_fini(field_set_t *s); /* leaves it empty */
field_set_t field_set_copy(const field_set_t *s);
bool field_set_is_empty(const field_set_t *s);

/* The object itself is never in a set: a NULL path does nothing. */
void field_set_insert(field_set_t *s, const field_path_t *path);
bool field_set_has(const field_set_t *s, const char *step);
/* What is below a step; the empty set when there is nothing. Borrowed. */
const field_set_t *field_set_below(const field_set_t *s, const char *step);

/* Each changes its first set. */
void field_set_unite(field_set_t *s, const field_set_t *with);
void field_set_intersect(field_set_t *s, const field_set_t *with);
void field_set_subtract(field_set_t *s, const field_set_t *what);
/* Takes away what is below the fields of what, too. */
void field_set_subtract_deep(field_set_t *s, const field_set_t *what);

size_t field_set_size(const field_set_t *s); /* the fields in it */
/* Calls each(arg, path) for the fields in the set, until it returns false; path as
 * ".spec.containers[name=\"c\"].image". */
void field_set_each(const field_set_t *s, bool (*each)(void *arg, const char *path), void *arg);

/* FieldsV1; steps of unknown sorts are left out. 0, or -1 when it is none; *out is then empty. */
int field_set_read(const cJSON *json, field_set_t *out);
cJSON *field_set_json(const field_set_t *s); /* caller owns */

/* Steps of a list's elements; a key is a value with its name in item->string. Appended to out. */
void field_step_keys(cJSON *keys, buf_t *out); /* keys, an object, gets sorted */
void field_step_value(const cJSON *value, buf_t *out);
int field_step_compare(const char *a, const char *b); /* as sets are sorted */
/* Appends "[name=\"c\"]", ".image". */
void field_step_print(const char *step, buf_t *out);

#endif
