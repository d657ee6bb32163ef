/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of an idle pair with hello and website: proportional, private, resident. */
#include "figures/figures.h"

enum { LIMIT = 15000 };

static void print_one(const char *what, pid_t pid)
{
    const long private_kib =
        figures_kib(pid, "Private_Clean:") + figures_kib(pid, "Private_Dirty:");

    tap_note("%-24s PSS %6ld KiB, private %6ld KiB, RSS %6ld KiB", what, figures_kib(pid, "Pss:"),
             private_kib, figures_kib(pid, "Rss:"));
}

static void print_child(pid_t child, void *arg)
{
    print_one(arg, child);
}

static void measure(e2e_t *e, const char *mode)
{
    char lease[32], what[64], instances[96];
    replica_t *r[2];

    snprintf(lease, sizeof(lease), "memory-%s", mode);
    snprintf(instances, sizeof(instances),
             "    hello: {isolation: %s}\n    website: {isolation: %s}", mode, mode);
    e2e_make_lease(e, lease);
    for (int i = 0; i < 2; i++) {
        r[i] = replica_start(&(replica_options_t){
            .name = i == 0 ? "leader" : "standby",
            .lease = lease,
            .ns = e->ns,
            .durations = "15s/10s/2s",
            .instances = instances,
            .plugins = (const char *const[]){HELLO_PLUGIN, WEBSITE_PLUGIN, NULL}});
        REQUIRE_TRUE(replica_answers(r[i], i == 0 ? "/leader" : "/readyz", 200, LIMIT));
    }
    REQUIRE_TRUE(replica_logged(r[0], "synced: reconciles begin controller=website", LIMIT));
    for (int i = 0; i < 2; i++) {
        snprintf(what, sizeof(what), "%s mode, %s", mode, i == 0 ? "leader" : "standby");
        print_one(what, replica_pid(r[i]));
        snprintf(what, sizeof(what), "  a worker of the %s", i == 0 ? "leader" : "standby");
        figures_children(replica_pid(r[i]), print_child, what);
    }
    replica_free(r[0]);
    replica_free(r[1]);
}

void figures_memory(void *arg)
{
    e2e_make_crd(arg, "examples/website/crd.yaml", "/apis/example.leasehold.dev/v1/websites");
    measure(arg, "thread");
    measure(arg, "process");
}
