/* SPDX-License-Identifier: Apache-2.0 */
/* The Lease object as the elector sees it, and the bodies that it sends. */
#ifndef LEASE_RECORD_H
#define LEASE_RECORD_H

#include "base/buf.h"

#include <leasehold/error.h>

#define LEASE_ANNOTATION_SEQ "leasehold.dev/seq"
#define LEASE_ANNOTATION_RELEASED "leasehold.dev/released"

/* One state of the Lease. `object` keeps the whole document, so that foreign labels, annotations
 * and spec fields survive our writes. */
typedef struct lease_record {
    char *uid, *resource_version;
    char *holder;           /* "" when empty or absent */
    int64_t duration;       /* leaseDurationSeconds in ns; 0 when absent */
    int64_t transitions;    /* 0 when absent */
    bool was_held;          /* renewTime is there */
    char *seq;              /* annotation leasehold.dev/seq, "" when absent */
    char *released;         /* annotation leasehold.dev/released, "" when absent */
    void *object;           /* cJSON */
} lease_record_t;

/* Parses a Lease. Caller owns *out, free with lease_record_destroy. LH_EPARSE when it is not one. */
HOST_MUST_USE int lease_record_parse(const char *text, size_t len, lease_record_t **out,
                                     lh_error_t *err);
void lease_record_destroy(lease_record_t *r); /* NULL is allowed */

/* The parts of a seq annotation "<counter>/<instance>/<name>". */
typedef struct lease_seq {
    uint64_t counter;
    char instance[33];
    const char *name; /* borrowed from the text */
} lease_seq_t;
bool lease_seq_parse(const char *text, lease_seq_t *out); /* false when it is not of Leasehold */

/* What an own write puts into the Lease. */
typedef struct lease_write {
    const char *namespace, *name; /* of the Lease; for a create */
    const char *holder;           /* "" for a release */
    const char *seq;              /* "<counter>/<instance>/<name>" */
    int64_t duration;             /* ns, whole seconds */
    int64_t transitions;
    int64_t wall;                 /* renewTime, clock_wall() ns */
    bool acquire;                 /* sets acquireTime too */
    bool release;                 /* marks leasehold.dev/released; otherwise it is removed */
} lease_write_t;
/* Appends the body of a POST (base NULL) or of a PUT that changes base and carries its uid and
 * resourceVersion. 0 or LH_ENOMEM. */
HOST_MUST_USE int lease_record_format(const lease_record_t *base, const lease_write_t *w,
                                      buf_t *out);

#endif
