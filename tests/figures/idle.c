/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log of an idle minute: a leader and a standby with two plugins. */
#include "figures/figures.h"

#include <unistd.h>

enum { WINDOW_S = 60, LIMIT = 15000, KINDS_MAX = 16 };

typedef struct kind {
    const char *verb, *resource;
    int received, open;
} kind_t;

static kind_t *kind_of(kind_t *kinds, size_t *n, const e2e_audit_t *a)
{
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(kinds[i].verb, a->verb) == 0 && strcmp(kinds[i].resource, a->resource) == 0)
            return &kinds[i];
    }
    REQUIRE_TRUE(*n < KINDS_MAX);
    kinds[*n] = (kind_t){.verb = a->verb, .resource = a->resource};
    return &kinds[(*n)++];
}

static void print_user(e2e_t *e, const char *name, long at, double from, double to)
{
    kind_t kinds[KINDS_MAX];
    size_t count, n = 0;
    e2e_audit_t *all = e2e_audit(&at, e2e_user_name(e, name), &count);

    for (size_t i = 0; i < count; i++) {
        if (!all[i].over)
            continue;
        kind_t *k = kind_of(kinds, &n, &all[i]);
        k->received += all[i].received >= from && all[i].received <= to;
        k->open +=
            strcmp(all[i].verb, "watch") == 0 && all[i].received <= from && all[i].done >= to;
    }
    for (size_t i = 0; i < n; i++) {
        if (kinds[i].received > 0 || kinds[i].open > 0)
            tap_note("%-8s %-8s %-12s received %3d, open all the time %d", name, kinds[i].verb,
                     kinds[i].resource, kinds[i].received, kinds[i].open);
    }
    free(all);
}

void figures_idle(void *arg)
{
    static const char *const names[] = {"leader", "standby"};
    e2e_t *e = arg;
    replica_t *r[2];
    const long start = e2e_audit_end();

    e2e_make_lease(e, "idle");
    for (int i = 0; i < 2; i++) {
        r[i] = replica_start(&(replica_options_t){
            .name = names[i],
            .lease = "idle",
            .ns = e->ns,
            .durations = "15s/10s/2s",
            .kubeconfig = e2e_make_user(e, names[i]),
            .plugins = (const char *const[]){HELLO_PLUGIN, LABELLED_PLUGIN, NULL}});
        REQUIRE_TRUE(replica_answers(r[i], i == 0 ? "/leader" : "/readyz", 200, LIMIT));
        REQUIRE_TRUE(e2e_wait_lease_watch(start, e2e_user_name(e, names[i])));
    }
    REQUIRE_TRUE(replica_logged(r[0], "synced: reconciles begin controller=labelled", LIMIT));
    const double from = e2e_now();
    sleep(WINDOW_S);
    const double to = e2e_now();
    for (int i = 1; i >= 0; i--) { /* the standby first, or it would lead */
        replica_signal(r[i], SIGTERM);
        EXPECT_INT(replica_wait(r[i], LIMIT), 0);
        replica_free(r[i]);
    }
    tap_note("audit log of %d idle seconds at 15 s/10 s/2 s", WINDOW_S);
    for (int i = 0; i < 2; i++)
        print_user(e, names[i], start, from, to);
}
