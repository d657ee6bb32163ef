/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chaos [--episodes N] [--seed S] [--jobs J] [--cluster] [--fence-off] [--json FILE] [--traces DIR]
 *       [--first I | --episode I]
 * Runs N random episodes, J side by side, and judges them. What is done, and when, follows from seed and
 * episode, so that a long run can be done in parts, each from its --first. With --fence-off the hosts have a fence that is always open. --traces
 * keeps what is not fine, and with --episode I, which runs that one alone, everything.
 * Exit status: 0 nothing was sent late; 1 something was, or the run proves nothing; 2 usage.
 */
#include "chaos/report.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 32 };

typedef struct options {
    int first, episodes, jobs;
    bool keep_all; /* traces */
    uint64_t seed;
    bool cluster, fence_off;
    const char *json, *traces;
} options_t;

/* What a job tells of one episode. */
typedef struct message {
    int episode;
    outcome_t outcome;
} message_t;

/* -- A job: a process with a server of its own -- */

static FILE *open_trace(const options_t *o, int episode, char path[512])
{
    snprintf(path, 512, "%s/episode-%d%s", o->traces != NULL ? o->traces : "/tmp", episode,
             o->fence_off ? "-fence-off" : "");
    return o->traces != NULL ? fopen(path, "w+") : NULL;
}

static bool is_fine(const outcome_t *o)
{
    return o->v.sent_late + o->v.at_seam + o->v.committed_late + o->v.doubled + o->v.unknown_term +
                   o->v.unrecorded ==
               0 &&
           !o->stuck;
}

static void run_one(const options_t *o, world_t *w, int episode, int fd)
{
    const plan_t plan = plan_make(o->seed, episode, o->cluster);
    message_t m = {.episode = episode};
    char path[512];
    FILE *trace = open_trace(o, episode, path);

    m.outcome = episode_run(w, &plan, episode, o->cluster && o->jobs > 1, trace);
    if (trace != NULL)
        fclose(trace);
    if (trace != NULL && !o->keep_all && is_fine(&m.outcome))
        unlink(path);
    if (write(fd, &m, sizeof(m)) != (ssize_t) sizeof(m))
        exit(1);
}

static void run_job(const options_t *o, int job, int fd)
{
    world_t w;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    world_open(&w, o->cluster, o->fence_off);
    for (int i = job; i < o->episodes; i += o->jobs)
        run_one(o, &w, o->first + i, fd);
    world_close(&w);
    exit(0);
}

/* -- All of them -- */

static void print_episode(const message_t *m, const plan_t *p)
{
    const verdict_t *v = &m->outcome.v;

    double gap = 0;

    for (int i = 0; i < v->transitions; i++)
        gap = v->gap_ms[i] > gap ? v->gap_ms[i] : gap;
    printf(
        "%4d  %-14s %-7s %d  %5ld sent, %2d transitions, gap %5.0f ms, %ld late, %ld committed late"
        "%s%s%s |",
        m->episode, p->durations, p->isolation, p->sides, v->sent, v->transitions, gap,
        v->sent_late, v->committed_late, v->at_seam > 0 ? ", at the seam" : "",
        v->doubled > 0 ? ", COMMITTED TWICE" : "", m->outcome.stuck ? ", STUCK" : "");
    for (int i = 0; i < p->acts; i++)
        printf(" %s%s", act_name(p->act[i].kind), i + 1 < p->acts ? "," : "\n");
    fflush(stdout);
}

static void start_jobs(const options_t *o, int fd[2])
{
    fflush(stdout);
    for (int job = 0; job < o->jobs; job++) {
        if (fork() == 0) {
            close(fd[0]);
            run_job(o, job, fd[1]);
        }
    }
    close(fd[1]);
}

static bool wait_for_jobs(void)
{
    bool fine = true;
    int status;

    while (wait(&status) > 0 || errno == EINTR)
        fine = fine && status == 0;
    return fine;
}

static int run(const options_t *o)
{
    report_t *r = report_create();
    message_t m;
    int fd[2];

    if (pipe2(fd, O_CLOEXEC) < 0 ||
        (o->traces != NULL && mkdir(o->traces, 0700) < 0 && errno != EEXIST)) {
        perror("chaos");
        return 1;
    }
    start_jobs(o, fd);
    while (read(fd[0], &m, sizeof(m)) == (ssize_t) sizeof(m)) {
        const plan_t p = plan_make(o->seed, m.episode, o->cluster);
        print_episode(&m, &p);
        report_add(r, &m.outcome);
    }
    const bool ended = wait_for_jobs();
    const bool sound = report_is_sound(r, o->episodes, o->fence_off) && ended;
    report_print(r, stdout);
    const bool written = o->json == NULL || report_write(r, o->json);
    const bool late = report_sent_late(r) > 0;
    if (!sound)
        printf(
            "the run proves nothing: an episode is missing or stuck, or a commit has no record\n");
    if (!written)
        perror(o->json);
    report_free(r);
    return late || !sound || !written ? 1 : 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: chaos [--episodes N] [--seed S] [--jobs J] [--cluster] [--fence-off]\n"
                    "             [--json FILE] [--traces DIR] [--first I | --episode I]\n");
    return 2;
}

static bool parse(int argc, char **argv, options_t *o)
{
    static const struct option known[] = {
        {"episodes", required_argument, NULL, 'n'}, {"seed", required_argument, NULL, 's'},
        {"jobs", required_argument, NULL, 'j'},     {"cluster", no_argument, NULL, 'c'},
        {"fence-off", no_argument, NULL, 'f'},      {"json", required_argument, NULL, 'o'},
        {"traces", required_argument, NULL, 't'},   {"first", required_argument, NULL, 'b'},
        {"episode", required_argument, NULL, 'i'},  {NULL, 0, NULL, 0}};
    char *end = "";

    for (int c; *end == '\0' && (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (c) {
        case 'n':
            o->episodes = (int) strtol(optarg, &end, 10);
            break;
        case 's':
            o->seed = strtoull(optarg, &end, 10);
            break;
        case 'j':
            o->jobs = (int) strtol(optarg, &end, 10);
            break;
        case 'b':
            o->first = (int) strtol(optarg, &end, 10);
            break;
        case 'i':
            o->first = (int) strtol(optarg, &end, 10);
            o->episodes = 1;
            o->jobs = 1;
            o->keep_all = true;
            break;
        case 'c':
            o->cluster = true;
            break;
        case 'f':
            o->fence_off = true;
            break;
        case 'o':
            o->json = optarg;
            break;
        case 't':
            o->traces = optarg;
            break;
        default:
            return false;
        }
    }
    return *end == '\0' && optind == argc && o->first >= 0 && o->episodes > 0 && o->jobs > 0 &&
           o->jobs <= JOBS_MAX;
}

int main(int argc, char **argv)
{
    options_t o = {.episodes = 10, .jobs = 4, .seed = 1};

    return parse(argc, argv, &o) ? run(&o) : usage();
}
