/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML document as a tree of nodes that know their place, within bounds. */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "base/buf.h"

#include <leasehold/error.h>

#define CONFIG_YAML_MAX_BYTES (1u << 20)
#define CONFIG_YAML_MAX_DEPTH 32
#define CONFIG_YAML_MAX_NODES 65536

enum config_kind { CONFIG_SCALAR, CONFIG_SEQUENCE, CONFIG_MAPPING };

typedef struct config_node {
    enum config_kind kind;
    bool plain;                /* of a scalar: without quotes, so it may be null, a number, ... */
    unsigned line, column;     /* from 1; 0: not from a file */
    char *text;                /* of a scalar */
    struct config_node *items; /* of a mapping: key, value, key, value, ... */
    size_t count;              /* of items */
} config_node_t;

/* Parses the one document of text; an empty one gives a null scalar. Anchors, aliases, tags,
 * duplicate keys, keys that are no scalars, NUL characters and what is beyond the bounds are
 * errors. source ("leasehold.yaml") begins the texts of errors, which give line and column too.
 * Caller owns what *out holds, free with config_node_fini; on failure it is empty. */
HOST_MUST_USE int config_yaml_parse(const char *source, const char *text, size_t len,
                                    config_node_t *out, lh_error_t *err);
void config_node_fini(config_node_t *node);

/* True for the scalars that YAML's core schema reads as null. */
bool config_node_is_null(const config_node_t *node);

/* Appends node as JSON: plain scalars become null, booleans and numbers by the core schema of YAML
 * 1.2, all others strings. .inf and .nan have no JSON form. Error texts begin with line and column. */
HOST_MUST_USE int config_node_json(const config_node_t *node, buf_t *out, lh_error_t *err);

#endif
