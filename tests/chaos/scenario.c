/* SPDX-License-Identifier: Apache-2.0 */
#include "chaos/scenario.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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
static void tell(const char *text)
{
    for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        tap_note("%.*s", (int) len, text);
    }
}

verdict_t scenario_close(contest_t *c)
{
    char *story = NULL;
    size_t size = 0;
    FILE *trace = open_memstream(&story, &size);
    const verdict_t v = contest_close(c, trace);

    fclose(trace);
    EXPECT_INT(v.sent_late, 0);
    EXPECT_INT(v.under_closed, 0);
    EXPECT_INT(v.unknown_term, 0);
    EXPECT_INT(v.unrecorded, 0);
    EXPECT_INT(v.doubled, 0);
    EXPECT_TRUE(v.committed > 0);
    if (v.sent_late + v.under_closed + v.unknown_term + v.unrecorded + v.doubled > 0)
        tell(story);
    free(story);
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

void scenario_tell_logs(contest_t *c)
{
    for (int i = 0; i < c->sides; i++) {
        char *log = replica_log(c->side[i].replica);
        tap_note("log of %s", c->side[i].name);
        tell(log);
        free(log);
    }
}

void keeps_its_term(contest_t *c, uint64_t since)
{
    EXPECT_TRUE(contest_writes(c, -1, LIMIT));
    if (EXPECT_INT(acquired_since(c, since), 0))
        return;
    scenario_tell_logs(c);
}

/* -- The program: its tests mostly wait, so they run side by side, each worker with a server of its own -- */

enum { WORKERS = 2 };

static int run_tests(int argc, char **argv, const tap_test_t *tests, size_t count, bool cluster)
{
    world_t w;

    world_open(&w, cluster, false);
    const int status = tap_main(argc, argv, tests, count, &w);
    world_close(&w);
    return status;
}

static pid_t start_worker(int argc, char **argv, tap_test_t *tests, size_t count, size_t first,
                          FILE *out)
{
    size_t n = 0;

    fflush(stdout);
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(fileno(out), STDOUT_FILENO);
    for (size_t i = first; i < count; i += WORKERS)
        tests[n++] = tests[i];
    exit(run_tests(argc, argv, tests, n, false));
}

/* Prints a worker's results under numbers of the whole; returns the last one. */
static int pass_on(FILE *from, int number)
{
    char *line = NULL;
    size_t cap = 0;

    rewind(from);
    while (getline(&line, &cap, from) > 0) {
        const char *name = strstr(line, " - ");
        const bool good = strncmp(line, "ok ", 3) == 0;
        if (name != NULL && (good || strncmp(line, "not ok ", 7) == 0))
            printf("%sok %d%s", good ? "" : "not ", ++number, name);
        else if (strncmp(line, "1..", 3) != 0)
            fputs(line, stdout);
    }
    free(line);
    return number;
}

static int run_workers(int argc, char **argv, tap_test_t *tests, size_t count)
{
    FILE *out[WORKERS];
    pid_t pid[WORKERS];
    int number = 0, failed = 0, status;

    for (size_t i = 0; i < WORKERS; i++) {
        out[i] = tmpfile();
        pid[i] = start_worker(argc, argv, tests, count, i, out[i]);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        waitpid(pid[i], &status, 0);
        number = pass_on(out[i], number);
        failed += status != 0;
        if (!WIFEXITED(status))
            printf("not ok %d - a worker runs to its end # signal %d\n", ++number,
                   WTERMSIG(status));
        fclose(out[i]);
    }
    printf("1..%d\n", number);
    return failed > 0 ? 1 : 0;
}

int scenario_main(int argc, char **argv, const scenario_t *all, size_t count)
{
    const bool cluster = argc > 1 && strcmp(argv[1], "--cluster") == 0;
    tap_test_t *tests = calloc(count, sizeof(*tests));
    size_t n = 0;
    int status;

    for (size_t i = 0; i < count; i++) {
        if (all[i].where == ON_BOTH || (all[i].where == ON_CLUSTER) == cluster)
            tests[n++] = all[i].test;
    }
    argc -= cluster;
    argv += cluster;
    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        status = tap_main(argc, argv, tests, n, NULL);
    else if (cluster)
        status = run_tests(argc, argv, tests, n, true);
    else
        status = run_workers(argc, argv, tests, n);
    free(tests);
    return status;
}
