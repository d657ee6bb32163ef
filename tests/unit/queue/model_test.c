/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random calls against a model that knows only the promises: a key is never handed out twice at a
 * time, what was asked for is run, nothing is run that was not asked for.
 */
#include "fixture.h"

#include <stdio.h>

enum { KEYS = 40, STEPS = 200000, RUNNING = 8 };

struct model {
    bool wanted[KEYS]; /* an immediate run is due */
    int64_t at[KEYS];  /* a run is due then; CLOCK_NEVER: none */
    int tombs[KEYS];   /* to be delivered */
    int buried;        /* so far: the next uid */
    bool running[KEYS];
    queue_run_t runs[RUNNING];
    int count;
};

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static int index_of(const queue_run_t *run)
{
    return (int) strtol(run->key.name, NULL, 10);
}

static void step_add(fixture_t *f, struct model *m, int i, uint32_t r)
{
    char name[8], uid[16];

    snprintf(name, sizeof(name), "%d", i);
    queue_key_t key = key_of(i % 3 == 0 ? "a" : "b", name);

    switch (r % 4) {
    case 0:
        cr_assert_eq(queue_add(f->q, &key, LH_REASON_CHANGED, QUEUE_LIVE, f->now), 0);
        m->wanted[i] = true;
        break;
    case 1:
        cr_assert_eq(queue_add(f->q, &key, LH_REASON_INITIAL, QUEUE_INITIAL, f->now), 0);
        m->wanted[i] = true;
        break;
    case 2:
        cr_assert_eq(queue_add_at(f->q, &key, f->now + 50, f->now), 0);
        m->at[i] = HOST_MIN(m->at[i], f->now + 50);
        break;
    default:
        if (m->tombs[i] >= 7) /* one more may be handed out: beyond eight they are merged */
            return;
        snprintf(uid, sizeof(uid), "%d", m->buried++);
        cr_assert_eq(queue_add_tombstone(f->q, &key, LH_REASON_GONE, uid, NULL, f->now), 0);
        m->tombs[i]++;
        break;
    }
}

static void step_take(fixture_t *f, struct model *m)
{
    queue_run_t *run = &m->runs[m->count];

    if (m->count == RUNNING || !queue_take(f->q, f->now, run))
        return;
    int i = index_of(run);

    cr_assert(!m->running[i], "key %d was handed out twice", i);
    if (*run->uid != '\0') {
        cr_assert(m->tombs[i] > 0, "key %d: a tombstone that was not asked for", i);
        m->tombs[i]--;
    } else {
        cr_assert(m->wanted[i] || m->at[i] != CLOCK_NEVER, "key %d was not asked for", i);
        cr_assert(m->tombs[i] == 0, "key %d: run before its %d tombstones", i, m->tombs[i]);
        m->wanted[i] = false;
        m->at[i] = CLOCK_NEVER;
    }
    m->running[i] = true;
    m->count++;
}

static void step_finish(fixture_t *f, struct model *m, uint32_t r)
{
    if (m->count == 0)
        return;
    int at = (int) (r % (uint32_t) m->count);
    queue_run_t run = m->runs[at];
    int i = index_of(&run);
    bool tomb = *run.uid != '\0';
    bool again = (r >> 8) % 3 == 0;

    m->runs[at] = m->runs[--m->count];
    m->running[i] = false;
    if (again && tomb)
        m->tombs[i]++;
    else if (again)
        m->at[i] = HOST_MIN(m->at[i], f->now + 10);
    queue_finish(f->q, run.entry, again ? QUEUE_REQUEUE : QUEUE_DONE, 10, f->now);
}

Test(model, random_calls_keep_every_promise)
{
    FIXTURE(f);
    struct model m = {0};
    uint32_t state = 20260102;

    for (int i = 0; i < KEYS; i++) {
        m.at[i] = CLOCK_NEVER;
    }
    for (int step = 0; step < STEPS; step++) {
        uint32_t r = next_random(&state);

        switch (r % 8) {
        case 0:
        case 1:
        case 2:
            step_add(&f, &m, (int) ((r >> 8) % KEYS), r >> 16);
            break;
        case 3:
        case 4:
            step_take(&f, &m);
            break;
        case 5:
        case 6:
            step_finish(&f, &m, r >> 3);
            break;
        default:
            f.now += (r >> 8) % 40;
            break;
        }
    }
    while (m.count > 0) {
        step_finish(&f, &m, 1 << 8); /* done */
    }
    for (int i = 0; i < KEYS * 20; i++) { /* everything that is owed is run in the end */
        f.now += 1000;
        step_take(&f, &m);
        step_finish(&f, &m, 1 << 8);
    }
    EXPECT_INT(queue_ready(f.q) + queue_waiting(f.q) + queue_running(f.q), 0);
    for (int i = 0; i < KEYS; i++) {
        cr_expect(m.tombs[i] == 0, "key %d: %d tombstones were lost", i, m.tombs[i]);
    }
}
