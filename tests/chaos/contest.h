/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replicas that contend for one Lease, each behind a proxy of its own, each writing blindly into one journal
 * as long as it leads (plugins/journal.c), and a client that watches Lease and journal.
 */
#ifndef CHAOS_CONTEST_H
#define CHAOS_CONTEST_H

#include "chaos/history.h"
#include "chaos/judge.h"
#include "chaos/proxy.h"
#include "chaos/seam.h"
#include "chaos/server.h"
#include "e2e/fenced.h"

enum { SIDES_MAX = 6 };

/* What contests that follow each other share. */
typedef struct world {
    e2e_t e;
    server_t *server; /* NULL: a cluster */
    proxies_t *proxies;
    proxy_t *proxy[SIDES_MAX];
    const char *kubeconfig[SIDES_MAX];
    const char *binary; /* of the host */
    int lock;           /* of a cluster that several programs use; -1: none */
} world_t;

/* cluster: that of LEASEHOLD_TEST_KUBECONFIG; else an embedded API server of its own. */
void world_open(world_t *w, bool cluster, bool fence_off);
void world_close(world_t *w);
/* Restarts the API server of tests/cluster, once nobody is making objects; by SIGKILL or by SIGTERM. */
void world_restart_server(world_t *w, bool kill);

typedef struct side {
    char name[8];
    replica_t *replica;
    proxy_t *proxy;
    seam_control_t *control;
    char *seam, *env, *sent_path;
    bool stopped;      /* by SIGSTOP */
    int64_t disturbed; /* since then, BOOTTIME; INT64_MAX: never */
    int stops;
} side_t;

typedef struct contest {
    world_t *w;
    char lease[48], journal[64], lease_path[256];
    int sides;
    side_t side[SIDES_MAX];
    history_t *history;
    fenced_t fenced; /* .e is NULL: no `fencing: server` */
} contest_t;

typedef struct contest_options {
    const char *name;      /* of the Lease, unique in the world */
    int sides;             /* at most SIDES_MAX */
    const char *durations; /* as of replica_options_t */
    const char *isolation; /* "thread" or "process" */
    int every_ms;          /* between writes, five at once; 0: as many as the server bears */
    bool no_lease;         /* the Lease is not made beforehand */
    bool fenced;           /* `fencing: server`, on a cluster only */
    const char *identity;  /* of all of them; NULL: each has its own */
} contest_options_t;

/* Starts them; returns when one of them writes, false: none does. */
bool contest_open(contest_t *c, world_t *w, const contest_options_t *o);
/* Ends the replicas, judges, frees. trace as of judge(). */
verdict_t contest_close(contest_t *c, FILE *trace);

int64_t contest_now(void); /* CLOCK_BOOTTIME, ns */
/* Reads the history until then, at least once. */
void contest_wait(contest_t *c, int64_t until);
/* The side that holds the Lease, -1: none. */
int contest_leader(contest_t *c);
/* Waits until a side other than `not` (-1: any) holds the Lease and a write of it was committed after
 * this call. */
bool contest_writes(contest_t *c, int not, int ms);
/* The term of the newest record, -1: there is none. */
long contest_term(contest_t *c);

/* -- What a side can suffer -- */

/* From now on its writes after somebody else's edit are no fault of the host. */
void side_disturbed(side_t *s);
void side_stop(side_t *s);   /* SIGSTOP */
void side_resume(side_t *s); /* SIGCONT */
/* SIGKILL, or SIGTERM and what it takes. */
void side_kill(side_t *s);
void side_restart(side_t *s);

#endif
