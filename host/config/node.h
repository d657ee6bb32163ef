/* SPDX-License-Identifier: Apache-2.0 */
/* A document of YAML or JSON as a tree of nodes that know their place, within bounds. */
#ifndef CONFIG_NODE_H
#define CONFIG_NODE_H

#include "base/buf.h"

#include <leasehold/error.h>

#define CONFIG_MAX_BYTES (1u << 20)
#define CONFIG_MAX_NODES 65536

enum config_kind { CONFIG_SCALAR, CONFIG_SEQUENCE, CONFIG_MAPPING };

typedef struct config_node {
    enum config_kind kind;
    bool plain;                /* of a scalar: without quotes, so it may be null, a number, ... */
    unsigned line, column;     /* from 1; 0: not from a file */
    char *text;                /* of a scalar */
    struct config_node *items; /* of a mapping: key, value, key, value, ... */
    size_t count;              /* of items */
} config_node_t;

void config_node_fini(config_node_t *node);

/* Appends an empty item. Borrowed until the next one; NULL when memory is out. */
config_node_t *config_node_add(config_node_t *parent);

/* True for the scalars that YAML's core schema reads as null. */
bool config_node_is_null(const config_node_t *node);

/* LH_EPARSE when two keys of a mapping are the same by compare (strcmp, strcasecmp), at the place of
 * the later one; what stands below its values is not looked at. */
HOST_MUST_USE int config_node_check_keys(const char *source, const config_node_t *mapping,
                                         int (*compare)(const char *, const char *),
                                         lh_error_t *err);

/* Appends node as JSON: plain scalars become null, booleans and numbers by the core schema of YAML
 * 1.2, all others strings. .inf and .nan have no JSON form. Error texts begin with line and column. */
HOST_MUST_USE int config_node_json(const config_node_t *node, buf_t *out, lh_error_t *err);

/* A place in a text; columns count characters. */
typedef struct config_mark {
    size_t at;
    unsigned line, column;
} config_mark_t;

#define CONFIG_MARK_INIT ((config_mark_t){.line = 1, .column = 1})

/* Moves mark on to the byte at `at` of its text. */
void config_mark_move(config_mark_t *mark, const char *text, size_t at);

#endif
