/* SPDX-License-Identifier: Apache-2.0 */
/* metadata.managedFields: who has set which fields. */
#ifndef DEVAPI_MANAGED_H
#define DEVAPI_MANAGED_H

#include "devapi/field_set.h"

/* An entry. Its fields are counted under name, applied, subresource and (unless applied) version. */
typedef struct managed_entry {
    char *name, *version, *subresource; /* version: an apiVersion */
    char *time;                         /* RFC 3339 in UTC; NULL: none */
    bool applied;                       /* Apply; else Update */
    field_set_t fields;
} managed_entry_t;

typedef struct managed {
    managed_entry_t *at;
    size_t n, cap;
} managed_t;

void managed_fini(managed_t *m); /* leaves it empty */

/* From the JSON array; NULL gives none. 0, or -1 when it is none that this server wrote; *out is
 * then empty. */
int managed_read(const cJSON *json, managed_t *out);
/* In the order of the real server. Caller owns; NULL when there is no entry. */
cJSON *managed_json(managed_t *m);
/* An array of no entries or of one that is empty: who sends it wants to be rid of all. */
bool managed_is_reset(const cJSON *json);

/* The entry that counts under the same as key; NULL: none. Borrowed. */
managed_entry_t *managed_find(const managed_t *m, const managed_entry_t *key);
/* Likewise, made without fields when there is none. Borrowed until the next change. */
managed_entry_t *managed_reach(managed_t *m, const managed_entry_t *key);
void managed_set_time(managed_entry_t *e, const char *time);
void managed_drop(managed_t *m, size_t i);
void managed_drop_empty(managed_t *m); /* entries without fields */
/* More than 10 entries of updates: the oldest of each version become one, "ancient-changes". */
void managed_cap(managed_t *m);

#endif
