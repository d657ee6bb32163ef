/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world for electors on the fake clock: one Lease on a server that answers as kube-apiserver
 * does, a network with faults, and any number of hosts. Nothing happens but by sim_run(), so every
 * history can be told to the millisecond.
 *
 *   sim_t *s = sim_create();
 *   sim_host_t *a = sim_start(s, "a");
 *   sim_run(s, 20 * CLOCK_S);
 *   ... a->begun, sim_ops(a) ...
 *   sim_destroy(s);
 *
 * The simulation watches the promise itself: s->overlap is for how long, in all, two fences were
 * open at the same time.
 */
#ifndef UNIT_LEASE_SIM_H
#define UNIT_LEASE_SIM_H

#include "lease/elector.h"
#include "support/expect.h"
#include "support/fake_clock.h"

#include <cjson/cJSON.h>

#define SIM_LEASE "leasehold-leader"
#define SIM_MAX_HOSTS 16
#define SIM_LATENCY CLOCK_MS /* one way */
#define SIM_LIMIT INT64_C(-1)

#define S(n) ((n) *CLOCK_S)
#define MS(n) ((n) *CLOCK_MS)

#define EXPECT_WITHIN(actual, from, to)                                                            \
    do {                                                                                           \
        int64_t actual_ = (actual);                                                                \
        cr_expect(actual_ >= (from) && actual_ <= (to), "%s is %.3f s, expected %.3f to %.3f",     \
                  #actual, (double) actual_ / CLOCK_S, (double) (from) / CLOCK_S,                  \
                  (double) (to) / CLOCK_S);                                                        \
    } while (0)

typedef struct sim sim_t;
typedef struct sim_host sim_host_t;

/* What the network does to a host's requests. All zero: nothing. */
typedef struct sim_net {
    bool cut;          /* nothing arrives, nothing is answered */
    bool lose_replies; /* requests arrive, their answers do not */
    bool lose_write_replies;
    bool refuse;           /* no connection: fails at once */
    int64_t request_delay; /* more than the latency */
    int64_t reply_delay;
    int fail_status; /* of every answer, without touching the Lease; 0: none */
    int fail_verb;   /* only of this one (enum lease_verb); -1: of all */
    int64_t fail_retry_after;
    const char *fail_missing;  /* name in a 404 Status */
    bool old_connections_dead; /* only requests on a fresh connection get through */
    bool freeze_watch;         /* nothing comes, and the stream does not end */
    int watch_status;          /* of every watch that is opened; 0: fine */
} sim_net_t;

struct sim_host {
    sim_t *sim;
    lease_elector_t *elector;
    char *identity;
    char instance[LEASE_INSTANCE_LEN + 1];
    sim_net_t net;
    bool dead, paused;
    int64_t wedged_at;    /* the owner's last turn; CLOCK_NEVER: it turns */
    int64_t teardown;     /* from on_end to rested; CLOCK_NEVER: never; SIM_LIMIT: just after the
                             limit that on_end tells. 10 ms at first */
    int64_t fixed_random; /* what random gives; -1: spread evenly */
    uint64_t random_state;

    /* what it has done */
    int begun, falls, ends, overdues, duplicates, slow_paths, refused_renewals;
    fence_t *fence; /* of the last term */
    int64_t begun_at, fell_at, ended_at, overdue_at;
    uint64_t term;
    enum lease_end end;
    char end_reason[256], observed[256], said[4096], transitions[1024];
    bool observed_mine;
    int observations;
    size_t reads, writes, watches; /* requests sent */
    size_t fresh;                  /* of them on a fresh connection */
    int64_t last_timeout;
    char ops[8192];

    /* the rest is the simulation's */
    uint64_t wake_id, stream_id;
    bool stream_open;
    uint64_t stream_version;
    struct sim_event *backlog, **backlog_tail;
};

struct sim {
    sim_host_t *hosts[SIM_MAX_HOSTS];
    size_t host_count;
    bool unreachable; /* for hosts started from now on: net.refuse */
    int64_t overlap;
    int64_t overlap_since;

    /* the server */
    cJSON *lease; /* NULL: absent */
    uint64_t version;
    unsigned uids;
    struct sim_change *changes, **changes_tail;
    size_t writes; /* that changed the Lease, by anybody */

    struct sim_event *events;
    uint64_t last_event;
};

sim_t *sim_create(void);
void sim_destroy(sim_t *s);

/* A host at 15/10/2 s with the instance id of its number; started. Borrowed until sim_destroy. */
sim_host_t *sim_start(sim_t *s, const char *identity);
/* The same, continuing the dead process `previous` (its instance id; NULL: none). */
sim_host_t *sim_restart(sim_t *s, const char *identity, const char *previous);
/* With other times. */
sim_host_t *sim_start_with(sim_t *s, const char *identity, int64_t duration, int64_t deadline,
                           int64_t period);
void sim_kill(sim_host_t *h);  /* kill -9: its requests on their way still arrive */
void sim_pause(sim_host_t *h); /* SIGSTOP */
void sim_resume(sim_host_t *h);
void sim_release(sim_host_t *h, bool clean, bool stand_back);
void sim_cut_watch(sim_host_t *h, int status, int64_t retry_after);

void sim_run(sim_t *s, int64_t ns);
/* Runs until h leads; the time that it took, -1 when it has not within ns. */
int64_t sim_until_leading(sim_host_t *h, int64_t ns);
bool sim_leads(const sim_host_t *h);
sim_host_t *sim_leader(sim_t *s); /* whose fence is open; NULL: nobody's */

/* What h has asked since the last call: "GET 404, POST 201, PUT 200". "-" stands for no answer. */
const char *sim_ops(sim_host_t *h);

/* -- Somebody else's hands on the Lease -- */
void sim_create_lease(sim_t *s, const char *spec, const char *annotations); /* JSON objects */
void sim_edit(sim_t *s, const char *spec);                                  /* merged into it */
void sim_annotate(sim_t *s, const char *key, const char *value);            /* NULL: removed */
void sim_label(sim_t *s, const char *key, const char *value);
void sim_delete_lease(sim_t *s);
/* "holder/duration/transitions" of the Lease; "absent". Borrowed until the next call. */
const char *sim_lease(sim_t *s);
const char *sim_annotation(sim_t *s, const char *key); /* "" when absent */
const char *sim_spec(sim_t *s, const char *key);       /* a string; "" when absent */

lease_time_t sim_time(const sim_host_t *h);

#endif
