/* SPDX-License-Identifier: Apache-2.0 */
/* What one client sees of a Lease and of its journal, in the order of their resourceVersions. */
#ifndef CHAOS_HISTORY_H
#define CHAOS_HISTORY_H

#include "support/api.h"

typedef struct history history_t;

enum lease_kind {
    LEASE_NEVER_HELD,
    LEASE_HELD,     /* by whom its seq names */
    LEASE_RELEASED, /* emptied by its holder, and marked */
    LEASE_EDITED    /* by somebody else, or deleted */
};

typedef struct lease_seen {
    uint64_t version;
    int64_t came; /* to this client; CLOCK_BOOTTIME, ns */
    enum lease_kind kind;
    bool deleted;
    char uid[48], holder[64];
    char writer[64]; /* that its seq names */
    long term;
} lease_seen_t;

typedef struct commit_seen {
    uint64_t version;
    int64_t came;
    char by[64];
    unsigned long n;
} commit_seen_t;

/* leases and configmaps are the paths of the collections; the journal's objects are those labelled journal=LEASE.
 * Caller owns the result, free with history_close. */
history_t *history_open(api_t *api, const char *leases, const char *lease, const char *configmaps);
void history_close(history_t *h); /* NULL is allowed */

/* Takes up what has come; opens a watch again that has ended, and where the server does not know its
 * version any more, reads what it missed state by state. Those came when they were read. */
void history_read(history_t *h);
/* Borrowed until the next history_read. */
const lease_seen_t *history_leases(const history_t *h, size_t *count);
const commit_seen_t *history_commits(const history_t *h, size_t *count);
/* The holder by now, "" when there is none. Borrowed until the next history_read. */
const char *history_holder(const history_t *h);

#endif
