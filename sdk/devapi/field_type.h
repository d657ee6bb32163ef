/* SPDX-License-Identifier: Apache-2.0 */
/* The type of a value as server-side apply sees it: what is one value, what is merged, and by which
 * keys. Of built-in kinds by their messages, of custom kinds by their schemas. */
#ifndef DEVAPI_FIELD_TYPE_H
#define DEVAPI_FIELD_TYPE_H

#include "devapi/message.h"

#include "base/buf.h"

#include <cjson/cJSON.h>

enum field_source {
    FIELD_OF_MESSAGE, /* an object with the fields of message */
    FIELD_OF_FIELD,   /* the value of field */
    FIELD_OF_ELEMENT, /* an element of field, a list or a map */
    FIELD_OF_SCHEMA,
    FIELD_DEDUCED, /* maps are merged, lists are one value */
    FIELD_OPAQUE,  /* everything is one value */
};

/* By value; what it points to is borrowed. */
typedef struct field_type {
    enum field_source source;
    const dev_message_t *message;
    const dev_field_t *field;
    const cJSON *schema;
    bool whole;    /* of a whole object, or of an embedded one */
    bool preserve; /* unknown fields are known below here */
} field_type_t;

enum field_form { FIELD_SCALAR, FIELD_LIST, FIELD_MAP };

/* How a value of the type is to be taken; value NULL: any. */
enum field_form field_form_of(const field_type_t *t, const cJSON *value);
/* The list (map) is one value. */
bool field_is_atomic(const field_type_t *t, enum field_form form);

/* What a member of a map is; false: the type has none of that name. *named: by its name, so that it
 * is a field as those of a struct are. */
bool field_member_of(const field_type_t *t, const char *name, field_type_t *out, bool *named);
field_type_t field_element_of(const field_type_t *t); /* of a list */

/* The step of an element of a list that is not atomic. 0, or -1 with the reason in *why, which is a
 * literal, or NULL with the reason appended to step. */
int field_step_of(const field_type_t *list, const cJSON *element, buf_t *step, const char **why);

/* What a scalar must be: "numeric (int or float)", "string", "boolean"; NULL: any scalar. */
const char *field_scalar_of(const field_type_t *t);

#endif
