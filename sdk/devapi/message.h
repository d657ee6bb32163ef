/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of the built-in kinds with their numbers in protobuf, as the Go types have them. */
#ifndef DEVAPI_MESSAGE_H
#define DEVAPI_MESSAGE_H

#include "base/base.h"

enum dev_field_type {
    DEV_FIELD_TEXT,
    DEV_FIELD_BOOL,
    DEV_FIELD_INT32,
    DEV_FIELD_INT64,
    DEV_FIELD_DOUBLE,
    DEV_FIELD_BYTES, /* base64 in JSON */
    /* messages whose JSON is no object of their fields */
    DEV_FIELD_TIME,
    DEV_FIELD_MICRO_TIME,
    DEV_FIELD_QUANTITY,
    DEV_FIELD_INT_OR_TEXT,
    DEV_FIELD_RAW,    /* any JSON */
    DEV_FIELD_EITHER, /* the value of one of its fields */
    DEV_FIELD_MESSAGE,
};

enum {
    DEV_FIELD_LIST = 1,
    DEV_FIELD_MAP = 2,     /* by text */
    DEV_FIELD_POINTER = 4, /* given and zero differ */
    DEV_FIELD_INLINE =
        8, /* its fields are members of the object around it in JSON; without a name */
    DEV_FIELD_REQUIRED = 16,
    DEV_FIELD_ALWAYS = 32, /* is in the JSON that Go writes even when it is zero */
    /* For server-side apply, which takes a list as one value unless it is a set or has keys. */
    DEV_FIELD_SET = 64,
    DEV_FIELD_ATOMIC = 128, /* a message, or a map, that is one value; of a list: its elements */
};

typedef struct dev_message dev_message_t;

typedef struct dev_field {
    uint8_t number;
    const char *name; /* in JSON */
    enum dev_field_type type;
    unsigned flags;
    const dev_message_t *of; /* of DEV_FIELD_MESSAGE and DEV_FIELD_EITHER */
    const char *keys; /* of a list's elements, with defaults: "port protocol=TCP"; NULL: none */
} dev_field_t;

struct dev_message {
    const char *name; /* in OpenAPI: "io.k8s.api.core.v1.Pod" */
    const dev_field_t *fields;
    size_t count;
};

/* version: "v1", "apps/v1". NULL: none. kind and apiVersion are no fields of it. */
const dev_message_t *dev_message_of(const char *version, const char *kind);
const dev_message_t *dev_message_of_meta(void); /* ObjectMeta */
/* The field that a member of the JSON is, of the message or one inline in it. NULL: none. */
const dev_field_t *dev_message_field(const dev_message_t *m, const char *name);

#endif
