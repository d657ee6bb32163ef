/* SPDX-License-Identifier: Apache-2.0 */
/* Reads YAML. */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "config/node.h"

#define CONFIG_YAML_MAX_DEPTH 32

/* Parses the one document of text; an empty one gives a null scalar. Anchors, aliases, tags,
 * duplicate keys, keys that are no scalars, NUL characters and what is beyond the bounds are
 * errors. source ("leasehold.yaml") begins the texts of errors, which give line and column too.
 * Caller owns what *out holds, free with config_node_fini; on failure it is empty. */
HOST_MUST_USE int config_yaml_parse(const char *source, const char *text, size_t len,
                                    config_node_t *out, lh_error_t *err);

#endif
