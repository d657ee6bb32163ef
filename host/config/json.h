/* SPDX-License-Identifier: Apache-2.0 */
/* Reads JSON as .NET reads appsettings.json: with comments, and commas behind the last item. */
#ifndef CONFIG_JSON_H
#define CONFIG_JSON_H

#include "config/node.h"

#define CONFIG_JSON_MAX_DEPTH 64 /* .NET's */

/* Parses the one object of text, which may begin with a byte order mark. Same keys are allowed here,
 * NUL characters and what is beyond the bounds are errors. source, *out and errors as with
 * config_yaml_parse. */
HOST_MUST_USE int config_json_parse(const char *source, const char *text, size_t len,
                                    config_node_t *out, lh_error_t *err);

#endif
