/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON types of the built-in kinds' fields, as far as they are checked. */
#ifndef DEVAPI_KIND_TYPES_H
#define DEVAPI_KIND_TYPES_H

#include "devapi/kind.h"

enum kind_value {
    KIND_TEXT,
    KIND_BOOL,
    KIND_INT32,
    KIND_INT64,
    KIND_OBJECT,
    KIND_OBJECTS, /* a list of them */
    KIND_TEXTS,   /* a list of texts */
    KIND_MAP,     /* texts by text */
    KIND_BYTES,   /* base64 by text */
    KIND_TIME,
    KIND_MICROTIME,
    KIND_INT_OR_TEXT,
    KIND_QUANTITIES, /* by text */
    KIND_NUMBER,
    KIND_ANY_LIST,
    KIND_OBJECT_MAP,   /* objects by text */
    KIND_MAYBE_OBJECT, /* or anything else */
};

typedef struct kind_field {
    int of; /* a type */
    const char *name;
    enum kind_value value;
    const char *go; /* Go's name for the value's type; for lists and KIND_OBJECT_MAP that of one
                     * element; NULL: plain */
    int type;       /* of the objects */
} kind_field_t;

/* The type of metadata. */
int kind_type_of_meta(void);
/* The type of the objects of a kind. */
int kind_type_of(const char *group, const char *kind);
/* Go's name of a type; NULL: the kind's own. */
const char *kind_type_name(int type);
/* NULL: not checked. */
const kind_field_t *kind_field_of(int type, const char *name);

#endif
