/* SPDX-License-Identifier: Apache-2.0 */
/* What the manifest and the configurations of instances are checked with: the subset of JSON Schema
 * of the manifest's "config", and the rule that unknown fields are errors. */
#ifndef PLUGIN_SCHEMA_H
#define PLUGIN_SCHEMA_H

#include "base/base.h"

#include <cjson/cJSON.h>
#include <leasehold/error.h>

#define PLUGIN_JSON_DEPTH 32u

/* Every member of object is one of known (count of them) and stands there once; else LH_EINVAL with
 * its place (`at`, a path that ends where the member's name goes: "watches[0].") and the nearest
 * known name. [any-thread] */
HOST_MUST_USE int plugin_json_known(const cJSON *object, const char *at, const char *const *known,
                                    size_t count, lh_error_t *err);

/* Is schema within the subset? at: where it stands ("config"). [any-thread] */
HOST_MUST_USE int plugin_schema_check(const cJSON *schema, const char *at, lh_error_t *err);

/* Does value fit schema (which has been checked)? LH_EINVAL names the field. [any-thread] */
HOST_MUST_USE int plugin_schema_match(const cJSON *schema, const cJSON *value, const char *at,
                                      lh_error_t *err);

/* Parses the whole text as one JSON document, not deeper than PLUGIN_JSON_DEPTH. Caller owns *out,
 * free with cJSON_Delete. LH_EPARSE with the place. [any-thread] */
HOST_MUST_USE int plugin_json_parse(const char *text, size_t len, cJSON **out, lh_error_t *err);

static inline void plugin_json_deletep(cJSON **json) /* for host_cleanup [any-thread] */
{
    cJSON_Delete(*json);
}

#endif
