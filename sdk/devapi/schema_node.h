/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled schema: nodes, and how they are made. Only the schema_*.c files include this. */
#ifndef DEVAPI_SCHEMA_NODE_H
#define DEVAPI_SCHEMA_NODE_H

#include "devapi/field.h"
#include "devapi/schema.h"
#include "devapi/tree.h"

#include <regex.h>
#include <uthash.h>

enum {
    SCHEMA_MAX_DEPTH = 60,
    SCHEMA_MAX_NODES = 50000,
};

/* Types as bits. */
enum {
    SCHEMA_OBJECT = 1 << 0,
    SCHEMA_ARRAY = 1 << 1,
    SCHEMA_STRING = 1 << 2,
    SCHEMA_INTEGER = 1 << 3,
    SCHEMA_NUMBER = 1 << 4, /* integers are numbers, too */
    SCHEMA_BOOLEAN = 1 << 5,
};

enum schema_list { SCHEMA_ATOMIC, SCHEMA_SET, SCHEMA_MAP };

typedef struct schema_node schema_node_t;

typedef struct schema_property {
    const char *name;
    schema_node_t *node;
    UT_hash_handle hh;
} schema_property_t;

typedef struct schema_nodes {
    schema_node_t **at;
    int n;
} schema_nodes_t;

/* Texts and JSON values are borrowed from the schema's copy of its source. */
struct schema_node {
    unsigned types;        /* 0: any */
    const char *type_text; /* as messages say it */
    bool nullable, preserve, embedded, int_or_string;
    const cJSON *minimum, *maximum, *multiple; /* numbers; NULL: none */
    bool exclusive_minimum, exclusive_maximum;
    int64_t min_length, max_length, min_items, max_items, min_members, max_members; /* -1: none */
    const char *pattern, *format;                                                   /* or NULL */
    regex_t *regex;                                    /* owned; NULL: pattern is not checked */
    const cJSON *values, *otherwise, *required, *keys; /* enum, default, ..., list-map-keys */
    enum schema_list list;
    schema_property_t *properties;            /* owned hash */
    schema_node_t *items, *additional, *not ; /* owned */
    schema_nodes_t all, any, one;
};

struct dev_schema {
    cJSON *json; /* the copy */
    schema_node_t *root;
};

/* schema_compile.c */
void schema_node_destroy(schema_node_t *n); /* NULL is allowed */
schema_node_t *schema_property(const schema_node_t *n, const char *name);

/* schema_prune.c: false when pruning would remove something of value. */
bool schema_knows(const schema_node_t *n, const cJSON *value);

/* schema_check.c: notes what a schema must not have; before it is compiled. */
void schema_check(const cJSON *json, const dev_path_t *at, dev_status_t *st);

/* schema_validate.c: fields are named base.at, messages say only at. */
void schema_validate_node(const schema_node_t *n, const cJSON *value, const dev_path_t *base,
                          const dev_path_t *at, dev_status_t *st);

/* schema_format.c: true as well when the format is not known. */
bool schema_format_holds(const char *format, const char *text);

/* schema_pattern.c: a Go regular expression. 0 with *out (caller owns; NULL when it is valid, but
 * cannot be checked here), -1 when it is none, with the reason appended. */
int schema_pattern_compile(const char *pattern, regex_t **out, buf_t *reason);
void schema_pattern_destroy(regex_t *regex); /* NULL is allowed */

#endif
