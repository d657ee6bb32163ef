/* SPDX-License-Identifier: Apache-2.0 */
/* The three kinds of patches, each in its file; dev_patch_apply chooses. */
#ifndef DEVAPI_PATCH_PARTS_H
#define DEVAPI_PATCH_PARTS_H

#include "devapi/patch.h"

enum {
    PATCH_MAX_DEPTH = 100,
    PATCH_MAX_OPERATIONS = 10000,
    PATCH_MAX_COPIED = 3 * 1024 * 1024, /* bytes that the "copy" operations of one patch make */
    PATCH_MAX_LIST = 10000,             /* elements of a list that is merged by key */
};

/* Each changes *object in place; after a refusal it is in between and of no use. */
int patch_json(cJSON **object, const cJSON *operations, dev_status_t *st);
void patch_merge(cJSON *object, const cJSON *patch);
/* Changes patch, too. */
int patch_strategic(const dev_kind_t *kind, cJSON *object, cJSON *patch, dev_status_t *st);

/* What a patch's value becomes where there was none: without nulls in objects, without directives,
 * without what has a directive of its own. Caller owns it; NULL when nothing is left. */
cJSON *patch_cleaned(const cJSON *value);

/* -- How a strategic patch treats a field -- */

typedef struct patch_field {
    const char *name;
    int type;        /* of the value, or of a list's elements; see patch_field_of */
    bool merge;      /* a list: merged instead of replaced */
    bool replace;    /* an object: replaced instead of merged */
    const char *key; /* a merged list's key; NULL: elements are scalars */
} patch_field_t;

enum { PATCH_ANY_TYPE = 0 }; /* no field of it is special */

/* The type of a kind's objects. */
int patch_type_of(const dev_kind_t *kind);
/* Never NULL: a field that is not in the table is merged as an object and replaced as a list. */
const patch_field_t *patch_field_of(int type, const char *name);

#endif
