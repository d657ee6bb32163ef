/* SPDX-License-Identifier: Apache-2.0 */
/* Names that the host and the objects of `leasehold rbac` have to agree upon. (docs/fencing.md) */
#ifndef APP_FENCING_NAMES_H
#define APP_FENCING_NAMES_H

#define FENCING_GROUP "leasehold.dev"
#define FENCING_VERSION "v1"
#define FENCING_RESOURCE "fences"
#define FENCING_TERM "leasehold.dev/term"
#define FENCING_HOLDER "leasehold.dev/holder"

/* The policy that compares the term of a write with that of the Fence, and its binding. The other
 * one, which asks for a term at all, has this name and ".required" after it. Caller owns, free(). */
char *fencing_policy(const char *lease_namespace, const char *lease);

/* The user that an instance's requests are made as. Caller owns, free(). */
char *fencing_user(const char *lease_namespace, const char *service_account);

#endif
