/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the simulation share. */
#ifndef UNIT_LEASE_SIM_INTERNAL_H
#define UNIT_LEASE_SIM_INTERNAL_H

#include "sim.h"

/* One change of the Lease, for the watches. */
struct sim_change {
    struct sim_change *next;
    uint64_t version;
    int64_t at;
    bool deleted;
    char *text;
};

/* Answers one request at once; *out is the caller's, free with free(). */
int sim_serve(sim_t *s, enum lease_verb verb, const char *text, char **out);
/* Tells each open stream that there is something to read. */
void sim_stream_all(sim_t *s);

#endif
