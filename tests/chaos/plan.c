/* SPDX-License-Identifier: Apache-2.0 */
#include "chaos/plan.h"

#include <stddef.h>

enum where { ANYWHERE, ON_DEVAPI, ON_CLUSTER };

static const struct {
    const char *name;
    int weight;
    enum where where;
} kinds[ACT_KINDS] = {
    [ACT_STOP] = {"stop", 8, ANYWHERE},
    [ACT_STOP_AT_SEAM] = {"stop at the seam", 6, ANYWHERE},
    [ACT_STOP_AND_TERM] = {"stop and SIGTERM", 2, ANYWHERE},
    [ACT_KILL] = {"kill", 2, ANYWHERE},
    [ACT_TERM] = {"SIGTERM", 3, ANYWHERE},
    [ACT_KILL_AT_ONCE] = {"kill and restart", 2, ANYWHERE},
    [ACT_LATENCY] = {"latency", 2, ANYWHERE},
    [ACT_REPLY_LATENCY] = {"reply latency", 3, ANYWHERE},
    [ACT_REPLIES_LOST] = {"replies lost", 3, ANYWHERE},
    [ACT_RESET] = {"reset", 2, ANYWHERE},
    [ACT_BLACKHOLE] = {"blackhole", 3, ANYWHERE},
    [ACT_PARTITION_HELD] = {"partition, then all arrives", 3, ANYWHERE},
    [ACT_FLOWS_DROPPED] = {"flows dropped", 2, ANYWHERE},
    [ACT_FLOWS_FROZEN] = {"flows frozen", 2, ANYWHERE},
    [ACT_BANDWIDTH] = {"bandwidth", 1, ANYWHERE},
    [ACT_EDIT_HOLDER] = {"edit to somebody", 2, ANYWHERE},
    [ACT_EDIT_OTHER_NAME] = {"edit to the other's name", 1, ANYWHERE},
    [ACT_EMPTY] = {"emptied", 2, ANYWHERE},
    [ACT_SHORTEN] = {"shortened", 1, ANYWHERE},
    [ACT_ANNOTATE] = {"annotated", 1, ANYWHERE},
    [ACT_DELETE] = {"deleted", 2, ANYWHERE},
    [ACT_WALL_STEP] = {"wall clock step", 2, ANYWHERE},
    [ACT_STORM] = {"storm on leases", 3, ON_DEVAPI},
    [ACT_STORM_ON_ALL] = {"storm on everything", 2, ON_DEVAPI},
    [ACT_COMMIT_NO_REPLY] = {"commits without a reply", 3, ON_DEVAPI},
    [ACT_WATCH_FROZEN] = {"watch frozen, then lagging", 3, ON_DEVAPI},
    [ACT_WATCH_CUT] = {"watch cut", 1, ON_DEVAPI},
    [ACT_SERVER_RESTART] = {"API server restart", 1, ON_CLUSTER},
};

const char *act_name(enum act_kind kind)
{
    return kinds[kind].name;
}

/* splitmix64 */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int below(uint64_t *state, int bound)
{
    return (int) (draw(state) % (uint64_t) bound);
}

static bool is_possible(enum act_kind kind, bool cluster)
{
    return kinds[kind].where == ANYWHERE || kinds[kind].where == (cluster ? ON_CLUSTER : ON_DEVAPI);
}

static enum act_kind draw_kind(uint64_t *state, bool cluster)
{
    int all = 0;

    for (int i = 0; i < ACT_KINDS; i++)
        all += is_possible(i, cluster) ? kinds[i].weight : 0;
    int left = below(state, all);
    for (int i = 0; i < ACT_KINDS; i++) {
        left -= is_possible(i, cluster) ? kinds[i].weight : 0;
        if (left < 0)
            return i;
    }
    return ACT_STOP;
}

/* A pause or a partition tells most when it is about as long as the lease. */
static int draw_length(uint64_t *state, int lease_ms)
{
    return below(state, 3) == 0 ? 50 + below(state, lease_ms)
                                : lease_ms * 3 / 4 + below(state, lease_ms * 3 / 2);
}

plan_t plan_make(uint64_t seed, int episode, bool cluster)
{
    /* The first one with as little between deadline and lease as is allowed. */
    static const struct {
        const char *text;
        int lease_ms;
    } durations[] = {{"1s/850ms/150ms", 1000}, {"2s/1600ms/400ms", 2000}, {"3s/2s/500ms", 3000}};
    uint64_t state = seed * UINT64_C(0x2545f4914f6cdd1d) + (uint64_t) episode;
    const int d = below(&state, 3);
    plan_t p = {.durations = durations[d].text,
                .lease_ms = durations[d].lease_ms,
                .isolation = below(&state, 4) == 0 ? "process" : "thread",
                .sides = below(&state, 4) == 0 ? 3 : 2,
                .acts = 2 + below(&state, 2)};
    int at = 200 + below(&state, 500);

    for (int i = 0; i < p.acts; i++) {
        act_t *a = &p.act[i];
        a->kind = draw_kind(&state, cluster);
        a->target =
            below(&state, 4) == 0 ? (below(&state, 2) == 0 ? ACT_STANDBY : ACT_ALL) : ACT_LEADER;
        a->at_ms = at;
        a->len_ms = draw_length(&state, p.lease_ms);
        a->dice = (uint32_t) draw(&state);
        at += below(&state, 3) == 0 ? below(&state, p.lease_ms) : a->len_ms + below(&state, 500);
    }
    return p;
}
