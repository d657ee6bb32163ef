/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and filling in JSON objects. Every node may be NULL or of an unexpected type: reading then
 * gives nothing, filling in does nothing. */
#ifndef DEVAPI_TREE_H
#define DEVAPI_TREE_H

#include "base/base.h"

#include <cjson/cJSON.h>

/* The member of an object; NULL when absent or null. Borrowed. */
cJSON *tree_get(const cJSON *object, const char *key);
/* The member that a path such as "spec.template.metadata" leads to. Borrowed. */
cJSON *tree_at(const cJSON *object, const char *path);
/* node itself when it is an object (array), else NULL: for walks that need names (elements). */
const cJSON *tree_map(const cJSON *node);
const cJSON *tree_list(const cJSON *node);
/* The string member; "" when absent or of another type. Borrowed. */
const char *tree_text(const cJSON *object, const char *key);
/* The number member, or otherwise. */
double tree_number(const cJSON *object, const char *key, double otherwise);
bool tree_true(const cJSON *object, const char *key);
/* True for an object or array without members, and for what is absent. */
bool tree_empty(const cJSON *node);
typedef struct tree_member {
    cJSON *item;
    size_t place;
} tree_member_t;
/* The members of an object by name, equal ones by place; *count of them. Large objects are walked
 * through it, for a look-up of each member would cost their square. Caller owns, free with free(). */
tree_member_t *tree_sort(const cJSON *object, size_t *count);
/* Puts the members of every object in order of their names. */
void tree_sort_deep(cJSON *node);
/* Deep equality as the API sees it: numbers by value, members in any order, an absent or null member
 * equals an empty object or array. */
bool tree_same(const cJSON *a, const cJSON *b);
/* True when an array of strings has this one. */
bool tree_has_text(const cJSON *array, const char *text);

/* The member object (array), made when absent or null; NULL when object is none. Borrowed. */
cJSON *tree_object(cJSON *object, const char *key);
cJSON *tree_array(cJSON *object, const char *key);
/* Sets a member, in the place of the old one; item is taken (freed when object is none). */
void tree_set(cJSON *object, const char *key, cJSON *item);
void tree_set_text(cJSON *object, const char *key, const char *text);
/* Fill in a member that is absent, null or (text) "". */
void tree_default_text(cJSON *object, const char *key, const char *text);
void tree_default_number(cJSON *object, const char *key, double number);
void tree_default_bool(cJSON *object, const char *key, bool value);
/* Takes item into the array, before the one at that index, at the end when there is none.
 * (cJSON_InsertItemInArray of Debian 12 inserts at the beginning only.) */
void tree_insert(cJSON *array, int at, cJSON *item);
/* Defaults as a table: each row's path ("spec.strategy.type") leads to a member that gets the JSON
 * value unless it is there; objects on the way are made. */
typedef struct tree_default {
    const char *path, *json;
} tree_default_t;
void tree_fill(cJSON *object, const tree_default_t *rows, size_t n);
void tree_remove(cJSON *object, const char *key);

#endif
