/* SPDX-License-Identifier: Apache-2.0 */
/* From the signal to the leader, to the other replica's PUT of the Lease and to its first plugin
 * write, both as the audit log has received them; at the default times 15 s, 10 s, 2 s. */
#include "figures/figures.h"

#include <unistd.h>

enum { RUNS = 5, LIMIT = 30000 };

typedef struct pair {
    e2e_t *e;
    const char *kubeconfig[2];
    char user[2][192];
} pair_t;

static replica_t *start(const pair_t *p, int i, const char *lease)
{
    return replica_start(
        &(replica_options_t){.name = i == 0 ? "first" : "second",
                             .lease = lease,
                             .ns = p->e->ns,
                             .durations = "15s/10s/2s",
                             .kubeconfig = p->kubeconfig[i],
                             .plugins = (const char *const[]){JOURNAL_PLUGIN, NULL},
                             .instances = "    journal: {config: {writes: 1}}"});
}

static bool is_put(const e2e_audit_t *a)
{
    return strcmp(a->verb, "update") == 0 && strcmp(a->resource, "leases") == 0 && a->code == 200;
}

/* When the last renewal of the first replica was received. */
static double renewed(const pair_t *p, long from)
{
    size_t count;
    e2e_audit_t *all = e2e_audit(&from, p->user[0], &count);
    double at = 0;

    for (size_t i = 0; i < count; i++)
        at = is_put(&all[i]) ? all[i].received : at;
    free(all);
    return at;
}

/* When the second replica took the Lease and when it wrote first; false as long as it has not. */
static bool find(const pair_t *p, long at, double *put, double *write)
{
    size_t count;
    e2e_audit_t *all = e2e_audit(&at, p->user[1], &count);

    *put = *write = 0;
    for (size_t i = 0; i < count; i++) {
        if (*put == 0 && is_put(&all[i]))
            *put = all[i].received;
        if (*put != 0 && *write == 0 && strcmp(all[i].verb, "patch") == 0 && all[i].code == 200)
            *write = all[i].received;
    }
    free(all);
    return *write != 0;
}

static void one(const pair_t *p, int signal, const char *name, int run)
{
    char lease[32];
    double put, write;
    const long from = e2e_audit_end();

    snprintf(lease, sizeof(lease), "%s-%d", signal == SIGKILL ? "kill" : "term", run);
    e2e_make_lease(p->e, lease);
    replica_t *a = start(p, 0, lease);
    REQUIRE_TRUE(e2e_wait_holder(p->e, lease, "first", LIMIT));
    replica_t *b = start(p, 1, lease);
    REQUIRE_TRUE(replica_answers(b, "/readyz", 200, LIMIT));
    REQUIRE_TRUE(e2e_wait_lease_watch(from, p->user[1]));
    usleep((unsigned) (run * 379 + 100) * 1000); /* somewhere between two renewals */
    const long at = e2e_audit_end();
    const double told = e2e_now();
    replica_signal(a, signal);
    const int64_t until = replica_now_ms() + LIMIT;
    while (!find(p, at, &put, &write) && replica_now_ms() < until)
        usleep(100000);
    REQUIRE_TRUE(write != 0);
    tap_note("%s %d: PUT after %8.1f ms, %8.1f ms after the last PUT of the other; first plugin "
             "write after %8.1f ms",
             name, run, (put - told) * 1e3, (put - renewed(p, from)) * 1e3, (write - told) * 1e3);
    replica_free(a);
    replica_free(b);
}

void figures_takeover(void *arg)
{
    pair_t p = {.e = arg};
    static const char *const names[] = {"first", "second"};

    e2e_make_configmap(p.e, "takeover-out", NULL);
    e2e_make_configmap(p.e, "takeover", "{\"journal\":\"yes\"}");
    for (int i = 0; i < 2; i++) {
        p.kubeconfig[i] = e2e_make_user(p.e, names[i]);
        snprintf(p.user[i], sizeof(p.user[i]), "%s", e2e_user_name(p.e, names[i]));
    }
    tap_note("takeover at 15 s/10 s/2 s, from the signal, as received by the server");
    for (int run = 1; run <= RUNS; run++)
        one(&p, SIGKILL, "SIGKILL", run);
    for (int run = 1; run <= RUNS; run++)
        one(&p, SIGTERM, "SIGTERM", run);
}
