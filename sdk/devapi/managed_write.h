/* SPDX-License-Identifier: Apache-2.0 */
/* What a write makes of managedFields: updates, and server-side apply. */
#ifndef DEVAPI_MANAGED_WRITE_H
#define DEVAPI_MANAGED_WRITE_H

#include "devapi/core_impl.h"
#include "devapi/field_type.h"

enum { MANAGED_MAX_NAME = 128 }; /* bytes of a field manager */

/* The request is a server-side apply. */
bool managed_is_apply(const dev_request_t *r);

/* after, which replaces before (NULL: it is created), gets its managedFields: of an apply those that
 * managed_apply has put there, which are claimed. Of another request claimed is what it says they
 * are; NULL: nothing. It is taken. */
void managed_write(const dev_core_t *c, const dev_request_t *r, const cJSON *before, cJSON *after,
                   cJSON *claimed);
/* Counts what a chore of the server has changed in an object's status, for the component of the real
 * server that does so. */
void managed_chore(const dev_core_t *c, const dev_kind_t *kind, const char *manager,
                   const cJSON *before, cJSON *after);
/* Of an object that is being created, after dev_complete: what the server alone has put there is
 * nobody's. given is the object as it was before. */
void managed_create(const dev_core_t *c, const dev_request_t *r, const cJSON *given, cJSON *after,
                    cJSON *claimed);
/* A copy for managed_create, caller owns; NULL for kinds that the server adds nothing to. */
cJSON *managed_given(const dev_request_t *r, const cJSON *object);

/* Applies patch, a whole object, to live (NULL: there is none yet); both in the version of the
 * request. *out is the object with its managedFields; caller owns. 409 with the conflicts, 400, 500. */
int managed_apply(const dev_core_t *c, const dev_request_t *r, const cJSON *live,
                  const cJSON *patch, cJSON **out, dev_status_t *st);

/* That an applied object is of this kind, and has what its type has. 400, 500. */
int managed_check(const cJSON *patch, const field_type_t *type, const char *api_version,
                  const char *kind, dev_status_t *st);

/* True when two arrays of managedFields differ in nothing but times. */
bool managed_same_but_times(const cJSON *a, const cJSON *b);

#endif
