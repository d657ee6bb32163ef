/* SPDX-License-Identifier: Apache-2.0 */
/* A write as the versions see it that managedFields are counted in. */
#ifndef DEVAPI_MANAGED_VIEW_H
#define DEVAPI_MANAGED_VIEW_H

#include "devapi/core_impl.h"
#include "devapi/field_walk.h"
#include "devapi/managed.h"

/* The type of a kind's objects in an apiVersion; false: there is none. */
bool managed_type_of(const dev_kind_t *kind, const char *api_version, field_type_t *out);

/* A stored object as that version has it, in the form in which fields are counted: without
 * managedFields. NULL gives the object that has nothing. Caller owns. */
cJSON *managed_shape(const field_type_t *t, const char *api_version, const cJSON *object);

typedef struct managed_view {
    char *version;
    bool known; /* the kind has it (still) */
    field_type_t type;
    field_changes_t changes;
} managed_view_t;

typedef struct managed_views {
    const dev_request_t *r;
    const cJSON *before, *after; /* stored objects; before NULL: created */
    const char *shaped;          /* both are in the form of this version already; NULL: of none */
    field_set_t reset;           /* what the request cannot set, whoever asks */
    managed_view_t *at;
    size_t n;
} managed_views_t;

managed_views_t managed_views_of(const dev_request_t *r, const cJSON *before, const cJSON *after);
void managed_views_fini(managed_views_t *v);
/* Borrowed until the next call. */
const managed_view_t *managed_view_in(managed_views_t *v, const char *api_version);
/* The fields that requests on this subresource do not set. */
void managed_reset_fields(const dev_request_t *r, field_set_t *out);
/* Takes away what nobody manages: names, versions, what the server alone writes. */
void managed_strip(field_set_t *s);

/* The other managers' fields that the write changes; one entry each, without a field when there is
 * none. self: whose fields are not looked at; NULL: nobody's. Caller frees by managed_fini. */
managed_t managed_conflicts(managed_views_t *v, const managed_t *m, const managed_entry_t *self);
/* Takes from the others what the write changes or removes, and drops entries without fields, and
 * those whose version is unknown. */
void managed_yield(managed_views_t *v, managed_t *m, const managed_entry_t *self);

/* Brings fields into line with a schema that has changed since. */
void managed_reconcile(const dev_kind_t *kind, managed_t *m);

/* Counts the write for a manager as an update. */
void managed_count(managed_views_t *v, managed_t *m, const char *manager, const char *now);

#endif
