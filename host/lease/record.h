/* SPDX-License-Identifier: Apache-2.0 */
/* The Lease object as the elector sees it, and the bodies that it sends. */
#ifndef LEASE_RECORD_H
#define LEASE_RECORD_H

#include "base/buf.h"

#include <leasehold/error.h>

/* On every own write: "<counter>/<instance>/<name>". */
#define LEASE_ANNOTATION_SEQ "leasehold.dev/seq"
/* On a release only: equal to its seq. Anything else that empties the holder is not believed. */
#define LEASE_ANNOTATION_RELEASED "leasehold.dev/released"
/* On the writes of a holder that has not led yet: equal to its seq (docs/election.md, "holding"). */
#define LEASE_ANNOTATION_HOLDING "leasehold.dev/holding"

#define LEASE_MAX_TERM INT64_C(2147483647) /* the API refuses more transitions */
#define LEASE_MAX_SIZE ((size_t) 2 << 20)  /* of a Lease's text: above etcd's limit of an object */
#define LEASE_INSTANCE_LEN 32

/* One state of the Lease. `object` keeps the whole document, so that foreign labels, annotations
 * and spec fields survive our writes. */
typedef struct lease_record {
    char *uid, *resource_version;
    char *holder;        /* "" when empty or absent */
    int64_t duration;    /* leaseDurationSeconds in ns; 0 when absent */
    int64_t transitions; /* 0 when absent */
    char *acquired;      /* acquireTime, "" when absent */
    bool was_held;       /* renewTime is there */
    char *seq;           /* annotation leasehold.dev/seq, "" when absent */
    bool let_go;         /* seq is of a release, whoever has taken the Lease since */
    bool released;       /* the same, and still empty */
    bool holding;        /* marked as held by somebody who has not led yet */
    char *spec;          /* text of spec; with seq it tells whether the holder has written */
    void *object;        /* cJSON */
} lease_record_t;

/* Parses a Lease. Caller owns *out, free with lease_record_destroy. LH_EPARSE when it is not one.
 * [any-thread] */
HOST_MUST_USE int lease_record_parse(const char *text, size_t len, lease_record_t **out,
                                     lh_error_t *err);
void lease_record_destroy(lease_record_t *r); /* NULL is allowed [any-thread] */

/* The parts of a seq annotation. */
typedef struct lease_seq {
    uint64_t counter;
    char instance[LEASE_INSTANCE_LEN + 1];
    const char *name; /* borrowed from the text */
} lease_seq_t;

/* False when text is not of Leasehold. [any-thread] */
bool lease_seq_parse(const char *text, lease_seq_t *out);
bool lease_is_instance(const char *text); /* 32 lower-case hex digits [any-thread] */

/* The counter of the own write that r shows; 0 when r does not name identity, or names another
 * process of that name. [any-thread] */
uint64_t lease_record_own(const lease_record_t *r, const char *identity, const char *instance);

/* Below 0, 0 or above 0 as resourceVersion a is older than b, the same, newer. Versions that are no
 * decimal numbers cannot be ordered: a different one counts as newer. [any-thread] */
int lease_version_compare(const char *a, const char *b);

/* What an own write puts into the Lease. */
typedef struct lease_write {
    const char *namespace, *name; /* of the Lease; for a create */
    const char *holder;           /* "" for a release */
    const char *seq;              /* "<counter>/<instance>/<name>" */
    int64_t duration;             /* ns, whole seconds */
    int64_t transitions;
    int64_t wall; /* renewTime, clock_wall() ns */
    bool acquire; /* sets acquireTime too */
    bool release; /* marks leasehold.dev/released; otherwise the mark is removed */
    bool holding; /* marks leasehold.dev/holding; otherwise the mark is removed */
} lease_write_t;

/* Appends the body of a POST (base NULL) or of a PUT that changes base and carries its uid and
 * resourceVersion. 0 or LH_ENOMEM. [any-thread] */
HOST_MUST_USE int lease_record_format(const lease_record_t *base, const lease_write_t *w,
                                      buf_t *out);

#endif
