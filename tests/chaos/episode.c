/* SPDX-License-Identifier: Apache-2.0 */
#include "chaos/episode.h"

#include "chaos/act.h"

#define MS INT64_C(1000000)

enum { HEALED_LIMIT_MS = 30000, AFTER_MS = 300 };

typedef struct step {
    int64_t begin, end;
    bool begun, ended;
    doing_t doing;
} step_t;

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What is due of one act; returns when something is due again. */
static int64_t turn(contest_t *c, step_t *s, const act_t *a, FILE *trace)
{
    if (!s->begun && contest_now() >= s->begin) {
        s->begun = true;
        act_begin(c, &s->doing, a);
        if (trace != NULL)
            fprintf(trace, "%.3f ms: %s on %s%s%s, %d ms\n", (double) contest_now() / MS,
                    act_name(a->kind), s->doing.on[0] ? "a" : "", s->doing.on[1] ? "b" : "",
                    s->doing.on[2] ? "c" : "", a->len_ms);
    }
    if (s->begun && !s->ended && contest_now() >= s->end) {
        s->ended = true;
        act_end(c, &s->doing);
        if (trace != NULL)
            fprintf(trace, "%.3f ms: end of %s\n", (double) contest_now() / MS, act_name(a->kind));
    }
    if (s->begun && !s->ended && contest_now() >= s->doing.next)
        act_again(c, &s->doing);
    if (!s->begun)
        return s->begin;
    return s->ended ? INT64_MAX : earlier(s->end, s->doing.next);
}

static void run_acts(contest_t *c, const plan_t *p, FILE *trace)
{
    const int64_t start = contest_now();
    step_t steps[ACTS_MAX] = {0};
    int64_t next = 0;

    for (int i = 0; i < p->acts; i++) {
        steps[i].begin = start + p->act[i].at_ms * MS;
        steps[i].end = steps[i].begin + p->act[i].len_ms * MS;
    }
    while (next != INT64_MAX) {
        next = INT64_MAX;
        for (int i = 0; i < p->acts; i++)
            next = earlier(next, turn(c, &steps[i], &p->act[i], trace));
        if (next != INT64_MAX)
            contest_wait(c, next);
    }
}

outcome_t episode_run(world_t *w, const plan_t *p, int number, bool shared, FILE *trace)
{
    const int64_t start = contest_now();
    outcome_t out = {.lease_requests = -1};
    contest_t c;
    char name[32];

    snprintf(name, sizeof(name), "e%d", number);
    if (w->server != NULL)
        server_lease_requests(w->server, w->e.api);
    const bool started = contest_open(
        &c, w,
        &(contest_options_t){
            .name = name, .sides = p->sides, .durations = p->durations, .isolation = p->isolation});
    for (int i = 0; i < c.sides && shared; i++)
        side_disturbed(&c.side[i]);
    if (started) {
        run_acts(&c, p, trace);
        act_heal(&c);
    }
    out.stuck = !started || !contest_writes(&c, -1, HEALED_LIMIT_MS);
    contest_wait(&c, contest_now() + AFTER_MS * MS);
    for (int i = 0; i < c.sides; i++)
        out.stops += c.side[i].stops;
    if (w->server != NULL)
        out.lease_requests = server_lease_requests(w->server, w->e.api);
    out.v = contest_close(&c, trace);
    out.seconds = (double) (contest_now() - start) / 1e9;
    return out;
}
