/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of strings in a configuration. */
#ifndef COMMON_JSON_LIST_H
#define COMMON_JSON_LIST_H

#include <leasehold/json.h>

/* Whether the string is an item of the array. [any-thread] */
int json_list_has(lh_json_t list, const char *text);

#endif
