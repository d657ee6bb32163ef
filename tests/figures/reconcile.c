/* SPDX-License-Identifier: Apache-2.0 */
/* What a reconcile that does nothing costs (plugins/spin.c). */
#include "figures/figures.h"

#include <unistd.h>

enum { COUNT = 20000, LIMIT = 120000, CALLGRIND_LOW = 1000, CALLGRIND_HIGH = 3000 };

static replica_t *start(const char *ns, const char *mode)
{
    char instances[96];

    snprintf(instances, sizeof(instances), "    spin: {isolation: %s, workers: 4}", mode);
    replica_t *r =
        replica_start(&(replica_options_t){.name = mode,
                                           .lease = NULL,
                                           .ns = ns,
                                           .instances = instances,
                                           .plugins = (const char *const[]){SPIN_PLUGIN, NULL}});
    REQUIRE_TRUE(replica_logged(r, "synced: reconciles begin", LIMIT));
    return r;
}

static void make_spin(e2e_t *e, const char *ns, int i, int count)
{
    char path[256];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps", ns);
    API_REPLY r = api_post(e->api, path,
                           "{\"metadata\":{\"name\":\"spin-%d\",\"labels\":{\"spin\":\"yes\"}},"
                           "\"data\":{\"count\":\"%d\"}}",
                           i, count);
    REQUIRE_INT(r.status, 201);
}

/* Reconciles COUNT times in all, on so many keys at a time. */
static void measure(e2e_t *e, const char *mode, int keys)
{
    char suffix[32], text[64];
    double us = 0;

    snprintf(suffix, sizeof(suffix), "%s-%d", mode, keys);
    const char *ns = e2e_make_namespace(e, suffix);
    replica_t *r = start(ns, mode);
    const double cpu = figures_cpu_us(replica_pid(r));
    for (int i = 0; i < keys; i++)
        make_spin(e, ns, i, COUNT / keys);
    for (int i = 0; i < keys; i++) {
        snprintf(text, sizeof(text), "spin spin-%d: ", i);
        REQUIRE_TRUE(replica_logged(r, text, LIMIT));
        char *log = replica_log(r);
        const double took = strtod(strstr(strstr(log, text), " in ") + 4, NULL);
        us = took > us ? took : us;
        free(log);
    }
    tap_note("%-8s %2d key(s): %7.2f us wall, %7.2f us CPU a reconcile (%d reconciles)", mode, keys,
             us / COUNT, (figures_cpu_us(replica_pid(r)) - cpu) / COUNT, COUNT);
    replica_free(r);
}

/* Instructions of a whole run of the host in thread mode, as callgrind counts them. valgrind 3.19 knows
 * no pidfd, so the plugin has been probed by an earlier process. */
static double instructions(e2e_t *e, int count)
{
    static const char *const callgrind[] = {"valgrind", "--tool=callgrind",
                                            "--callgrind-out-file=/dev/null", NULL};
    char suffix[48];

    snprintf(suffix, sizeof(suffix), "callgrind-%d", count);
    const char *ns = e2e_make_namespace(e, suffix);
    replica_t *r = start(ns, "thread");
    replica_signal(r, SIGTERM);
    REQUIRE_INT(replica_wait(r, LIMIT), 0);
    replica_wrap(r, callgrind);
    replica_restart(r);
    REQUIRE_TRUE(replica_logged(r, "synced: reconciles begin", LIMIT));
    make_spin(e, ns, 0, count);
    REQUIRE_TRUE(replica_logged(r, "spin spin-0: ", LIMIT));
    replica_signal(r, SIGTERM);
    EXPECT_INT(replica_wait(r, LIMIT), 0);
    char *log = replica_log(r), *at = strstr(log, "Collected : ");
    REQUIRE_TRUE(at != NULL);
    const double collected = strtod(at + strlen("Collected : "), NULL);
    free(log);
    replica_free(r);
    return collected;
}

void figures_reconcile(void *arg)
{
    static const char *const modes[] = {"thread", "process"};
    e2e_t *e = arg;

    for (int m = 0; m < 2; m++) {
        measure(e, modes[m], 1);
        measure(e, modes[m], 20);
    }
    if (access("/usr/bin/valgrind", X_OK) != 0) {
        tap_note("no valgrind here: instructions are not counted");
        return;
    }
    const double low = instructions(e, CALLGRIND_LOW);
    const double high = instructions(e, CALLGRIND_HIGH);
    tap_note("thread   %.0f instructions a reconcile (callgrind, which cannot run process mode)",
             (high - low) / (CALLGRIND_HIGH - CALLGRIND_LOW));
}
