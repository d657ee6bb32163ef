/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs of the scenarios share: README.md has the scenarios. They run on an embedded API server of
 * their own, or with --cluster on that of LEASEHOLD_TEST_KUBECONFIG.
 */
#ifndef CHAOS_SCENARIO_H
#define CHAOS_SCENARIO_H

#include "chaos/contest.h"

#define MS INT64_C(1000000)

/* Two replicas that take over soon; and two that have time, for what must not cost the lease. */
enum { LD = 1000, RD = 700, RP = 150, LIMIT = 15000 };
enum { SLOW_LD = 2000, SLOW_RD = 1500, SLOW_RP = 300 };
#define SLOW "2s/1500ms/300ms"

/* Not given: two sides at LD/RD/RP. Ends the test when none of them leads. */
contest_t scenario_open(world_t *w, const contest_options_t *options);
/* Expects that nothing was sent late, nothing committed twice and the like. */
verdict_t scenario_close(contest_t *c);

/* What the hosts have said, for a test that fails. */
void scenario_tell_logs(contest_t *c);

void wait_ms(contest_t *c, int ms);
side_t *leader(contest_t *c); /* ends the test when there is none */
/* Merges patch into the Lease. */
void edit(contest_t *c, const char *patch);

uint64_t newest(contest_t *c); /* version of the Lease */
/* Records after `version` that `writer` has written. */
int written_since(contest_t *c, const char *writer, uint64_t version);
/* New terms among the records after `version`. */
int acquired_since(contest_t *c, uint64_t version);
/* Expects that there are none, and that somebody writes. */
void keeps_its_term(contest_t *c, uint64_t since);

typedef struct scenario {
    tap_test_t test;
    enum { ON_BOTH, ON_DEVAPI, ON_CLUSTER } where;
} scenario_t;

int scenario_main(int argc, char **argv, const scenario_t *all, size_t count);

#endif
