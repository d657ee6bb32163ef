/* SPDX-License-Identifier: Apache-2.0 */
/* Patches: RFC 6902 (JSON Patch), RFC 7386 (merge), and Kubernetes' strategic merge patch for the
 * built-in kinds, with one table of merge keys. */
#ifndef DEVAPI_PATCH_H
#define DEVAPI_PATCH_H

#include "devapi/kind.h"

enum dev_patch { DEV_PATCH_JSON, DEV_PATCH_MERGE, DEV_PATCH_STRATEGIC };

/* Applies body (JSON text) to current; *out is a new object owned by the caller, on success only.
 * Refusals: 400 (no JSON, unknown operation), 422 (failed test, missing path), with the real
 * server's words. kind chooses the merge keys of a strategic patch, which the caller has refused
 * for custom kinds. At most 10,000 operations, depth 100. */
int dev_patch_apply(enum dev_patch type, const dev_kind_t *kind, const cJSON *current,
                    const char *body, size_t len, cJSON **out, dev_status_t *st);

/* "object", "array", "string", "number", "bool". */
const char *dev_json_word(const cJSON *node);
/* Appends a value as Go's %v shows it. */
void dev_go_print(const cJSON *value, buf_t *out);

#endif
