/* SPDX-License-Identifier: Apache-2.0 */
/* Lists in a strategic merge patch. */
#ifndef DEVAPI_PATCH_LIST_H
#define DEVAPI_PATCH_LIST_H

#include "devapi/patch_parts.h"

/* Merges patch into have, in place; patch NULL only brings have into order. order is a
 * "$setElementOrder" list, NULL: the patch's own order counts. merge is called for two objects with
 * one key. */
int patch_list_merge(cJSON *have, const cJSON *patch, const cJSON *order,
                     const patch_field_t *field,
                     int (*merge)(cJSON *have, cJSON *patch, int type, dev_status_t *st),
                     dev_status_t *st);
/* The patch's elements must be in order, each of them. patch may be NULL. */
int patch_list_check_order(const cJSON *patch, const cJSON *order, const patch_field_t *field,
                           dev_status_t *st);
/* Removes the values (an array) from list; both may be anything. */
void patch_list_without(cJSON *list, const cJSON *values);

/* 500s as the real one's. */
int patch_list_refuse_marker(const cJSON *marker, const cJSON *in, dev_status_t *st);
int patch_list_refuse_array(const cJSON *node, dev_status_t *st);

#endif
