/* SPDX-License-Identifier: Apache-2.0 */
#include "chaos/scenario.h"

contest_t scenario_open(world_t *w, const contest_options_t *options)
{
    contest_options_t o = *options;
    contest_t c;

    o.sides = o.sides != 0 ? o.sides : 2;
    o.durations = o.durations != NULL ? o.durations : "1s/700ms/150ms";
    o.isolation = "thread";
    REQUIRE_TRUE(contest_open(&c, w, &o));
    contest_wait(&c, contest_now() + RP * MS); /* the others have seen the Lease by now */
    return c;
}

/* The story of a test that has failed. */
static void tell(FILE *trace)
{
    char *line = NULL;
    size_t cap = 0;

    rewind(trace);
    while (getline(&line, &cap, trace) > 0)
        tap_note("%.*s", (int) strcspn(line, "\n"), line);
    free(line);
}

verdict_t scenario_close(contest_t *c)
{
    FILE *trace = tmpfile();
    const verdict_t v = contest_close(c, trace);

    EXPECT_INT(v.sent_late, 0);
    EXPECT_INT(v.under_closed, 0);
    EXPECT_INT(v.unknown_term, 0);
    EXPECT_INT(v.unrecorded, 0);
    EXPECT_INT(v.doubled, 0);
    EXPECT_TRUE(v.committed > 0);
    if (v.sent_late + v.under_closed + v.unknown_term + v.unrecorded + v.doubled > 0)
        tell(trace);
    fclose(trace);
    tap_note("%ld writes sent, %ld committed late, %d transitions", v.sent, v.committed_late,
             v.transitions);
    return v;
}

void wait_ms(contest_t *c, int ms)
{
    contest_wait(c, contest_now() + ms * MS);
}

side_t *leader(contest_t *c)
{
    const int i = contest_leader(c);

    REQUIRE_TRUE(i >= 0);
    return &c->side[i];
}

uint64_t newest(contest_t *c)
{
    size_t count;

    history_read(c->history);
    const lease_seen_t *all = history_leases(c->history, &count);
    return all[count - 1].version;
}

int written_since(contest_t *c, const char *writer, uint64_t version)
{
    size_t count;
    int n = 0;

    history_read(c->history);
    const lease_seen_t *all = history_leases(c->history, &count);
    for (size_t i = 0; i < count; i++)
        n += all[i].version > version && strcmp(all[i].writer, writer) == 0;
    return n;
}

int acquired_since(contest_t *c, uint64_t version)
{
    size_t count;
    int n = 0;

    history_read(c->history);
    const lease_seen_t *all = history_leases(c->history, &count);
    for (size_t i = 1; i < count; i++)
        n += all[i].version > version && all[i].kind == LEASE_HELD &&
             (all[i - 1].kind != LEASE_HELD || all[i - 1].term != all[i].term);
    return n;
}

void edit(contest_t *c, const char *patch)
{
    API_REPLY r = api_patch(c->w->e.api, c->lease_path, "merge", "%s", patch);

    EXPECT_INT(r.status, 200);
}

void keeps_its_term(contest_t *c, uint64_t since)
{
    EXPECT_TRUE(contest_writes(c, -1, LIMIT));
    EXPECT_INT(acquired_since(c, since), 0);
}

int scenario_main(int argc, char **argv, const scenario_t *all, size_t count)
{
    const bool cluster = argc > 1 && strcmp(argv[1], "--cluster") == 0;
    tap_test_t *tests = calloc(count, sizeof(*tests));
    size_t n = 0;
    world_t w;

    for (size_t i = 0; i < count; i++) {
        if (all[i].where == ON_BOTH || (all[i].where == ON_CLUSTER) == cluster)
            tests[n++] = all[i].test;
    }
    argc -= cluster;
    argv += cluster;
    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return tap_main(argc, argv, tests, n, NULL);
    world_open(&w, cluster, false);
    const int status = tap_main(argc, argv, tests, n, &w);
    world_close(&w);
    free(tests);
    return status;
}
