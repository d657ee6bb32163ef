/* SPDX-License-Identifier: Apache-2.0 */
/* client-go's elector contends for the same Lease: S19. */
#include "chaos/scenario.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HANDOVERS = 50, FREEZES = 10 };

typedef struct contender {
    pid_t pid;
    int in, out; /* of this side: commands, lines */
    char text[256];
    size_t len;
} contender_t;

/* The program that client-go/with_contender has built. */
static contender_t contender_start(const contest_t *c)
{
    const char *program = getenv("LEASEHOLD_TEST_CONTENDER");
    int in[2], out[2];

    REQUIRE_TRUE(program != NULL);
    REQUIRE_TRUE(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execl(program, program, "--kubeconfig", getenv("LEASEHOLD_TEST_KUBECONFIG"), "--namespace",
              c->w->e.ns, "--lease", c->lease, "--lease-duration", "1s", "--renew-deadline",
              "700ms", "--retry-period", "150ms", (char *) NULL);
        _exit(127);
    }
    REQUIRE_TRUE(pid > 0);
    close(in[0]);
    close(out[1]);
    return (contender_t){.pid = pid, .in = in[1], .out = out[0]};
}

static void contender_free(contender_t *g)
{
    kill(g->pid, SIGKILL);
    waitpid(g->pid, NULL, 0);
    close(g->in);
    close(g->out);
}

static void command(const contender_t *g, const char *line)
{
    REQUIRE_INT(write(g->in, line, strlen(line)), (int) strlen(line));
}

/* Waits for its next line, reading the history meanwhile; true when it is this one. */
static bool says(contest_t *c, contender_t *g, const char *line)
{
    const int64_t until = contest_now() + LIMIT * MS;
    char *end;

    while ((end = memchr(g->text, '\n', g->len)) == NULL && contest_now() < until) {
        struct pollfd p = {g->out, POLLIN, 0};
        if (poll(&p, 1, 5) > 0) {
            const ssize_t n = read(g->out, g->text + g->len, sizeof(g->text) - g->len);
            if (n <= 0)
                return false;
            g->len += (size_t) n;
        }
        contest_wait(c, contest_now());
    }
    if (end == NULL)
        return false;
    *end = '\0';
    const bool same = strcmp(g->text, line) == 0;
    const size_t taken = (size_t) (end + 1 - g->text);
    memmove(g->text, end + 1, g->len - taken);
    g->len -= taken;
    return same;
}

static void handovers_in_each_direction(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s19-handover", .sides = 1});
    contender_t g = contender_start(&c);
    double to_us = 0, worst = 0;

    for (int i = 0; i < HANDOVERS; i++) {
        side_t *s = &c.side[0];
        command(&g, "stand\n");
        wait_ms(&c, RP); /* it has seen who leads */
        replica_signal(s->replica, SIGTERM);
        REQUIRE_TRUE(says(&c, &g, "leading"));
        REQUIRE_INT(replica_wait(s->replica, LIMIT), 0);
        side_restart(s);
        REQUIRE_TRUE(replica_answers(s->replica, "/readyz", 200, LIMIT));
        const int64_t then = contest_now();
        command(&g, "release\n");
        REQUIRE_TRUE(contest_writes(&c, -1, LIMIT));
        const double ms = (double) (contest_now() - then) / MS;
        to_us += ms;
        worst = ms > worst ? ms : worst;
        REQUIRE_TRUE(says(&c, &g, "ended"));
    }
    contender_free(&g);
    const verdict_t v = scenario_close(&c);
    tap_note("%d handovers in each direction; from client-go's order to release until a write of "
             "the new leader is seen: mean %.1f ms, worst %.1f ms",
             HANDOVERS, to_us / HANDOVERS, worst);
    EXPECT_INT(v.committed_late, 0);
}

/* A frozen client-go, told to release when it wakes up, empties the record of whoever leads by then: its
 * release tests the holder that it remembers, on the version that it has just read. */
static void its_release_empties_our_record(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s19-release", .sides = 1});
    contender_t g = contender_start(&c);
    int emptied = 0;

    for (int i = 0; i < FREEZES; i++) {
        side_t *s = &c.side[0];
        size_t count, before;
        command(&g, "stand\n");
        wait_ms(&c, RP);
        replica_signal(s->replica, SIGTERM);
        REQUIRE_TRUE(says(&c, &g, "leading"));
        REQUIRE_INT(replica_wait(s->replica, LIMIT), 0);
        side_restart(s);
        REQUIRE_TRUE(replica_answers(s->replica, "/readyz", 200, LIMIT));
        kill(g.pid, SIGSTOP);
        REQUIRE_TRUE(contest_writes(&c, -1, LIMIT));
        command(&g, "release\n");
        history_leases(c.history, &before);
        kill(g.pid, SIGCONT);
        REQUIRE_TRUE(says(&c, &g, "ended"));
        EXPECT_TRUE(contest_writes(&c, -1, LIMIT)); /* still, or again */
        const lease_seen_t *l = history_leases(c.history, &count);
        for (size_t k = before; k < count; k++)
            emptied += l[k].kind == LEASE_EDITED && l[k].holder[0] == '\0';
    }
    contender_free(&g);
    const verdict_t v = scenario_close(&c);
    tap_note("client-go emptied our record in %d of %d freezes; our last write was sent %.1f ms "
             "after that",
             emptied, FREEZES, v.after_edit_ms);
    EXPECT_TRUE(emptied > 0);
    EXPECT_TRUE(v.after_edit_ms < 100);
}

int main(int argc, char **argv)
{
    static const scenario_t all[] = {
        {{"S19: client-go and the host hand over to each other", handovers_in_each_direction},
         ON_CLUSTER},
        {{"S19: client-go's release empties the record of a host that leads",
          its_release_empties_our_record},
         ON_CLUSTER},
    };

    return scenario_main(argc, argv, all, sizeof(all) / sizeof(*all));
}
