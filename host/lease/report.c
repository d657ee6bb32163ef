/* SPDX-License-Identifier: Apache-2.0 */
#include "lease/report.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* A host that calls itself leader for longer than this after its deadline is stuck. */
#define GRACE (2 * CLOCK_S)

static const double latency_buckets[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                         0.25,  0.5,    1,     2.5,  5,     10};

struct lease_report {
    lease_report_options_t o;
    char *namespace, *name, *identity;
    metric_cell_t *master, *slow_paths, *duplicates, *age, *wait, *deadline, *gate, *latency;
    metric_t *failures, *transitions;
    health_check_t *alive, *leading, *unique, *reached;
    _Atomic int64_t beat;          /* of the elector thread */
    _Atomic int64_t last_deadline; /* of the fence of the latest term */
    bool duplicate;                /* as the check says it */
    char *trouble;                 /* likewise */
};

/* --- health --- */

static bool elector_is_alive(void *arg, char *reason, size_t size) /* [serve-thread] */
{
    const lease_report_t *r = arg;
    int64_t silent = clock_now() - atomic_load(&r->beat);

    if (silent <= HOST_MAX(5 * CLOCK_S, 2 * r->o.retry_period))
        return true;
    snprintf(reason, size, "the elector thread has not turned for %.1f s",
             (double) silent / CLOCK_S);
    return false;
}

static bool leadership_is_sound(void *arg, char *reason, size_t size) /* [serve-thread] */
{
    const lease_report_t *r = arg;
    int64_t late = clock_now() - atomic_load(&r->last_deadline);

    if (!lease_mail_acting(r->o.mail) || late <= GRACE)
        return true;
    snprintf(reason, size, "this host still calls itself leader %.1f s after its fence's deadline",
             (double) late / CLOCK_S);
    return false;
}

static void add_checks(lease_report_t *r)
{
    if (r->o.health == NULL)
        return;
    r->alive = health_add_fn(r->o.health, "elector", HEALTH_LIVEZ, elector_is_alive, r);
    r->leading = health_add_fn(r->o.health, "lease", HEALTH_LIVEZ, leadership_is_sound, r);
    r->unique = health_add(r->o.health, "lease-name", 0, HEALTH_LIVEZ | HEALTH_READYZ);
    health_set(r->unique, true, NULL);
    r->reached = health_add(r->o.health, "lease-requests", 0, HEALTH_LIVEZ | HEALTH_READYZ);
    health_set(r->reached, true, NULL);
}

static void show_duplicate(lease_report_t *r, bool duplicate)
{
    char reason[320];

    if (r->unique == NULL || r->duplicate == duplicate)
        return;
    r->duplicate = duplicate;
    snprintf(reason, sizeof(reason), "another live process holds the lease under the name '%s'",
             r->identity);
    health_set(r->unique, !duplicate, reason);
}

static void show_trouble(lease_report_t *r, const char *trouble)
{
    if (r->reached == NULL || strcmp(r->trouble, trouble) == 0)
        return;
    free(r->trouble);
    r->trouble = host_xstrdup(trouble);
    health_set(r->reached, trouble[0] == '\0', trouble);
}

/* --- /leader --- */

static const char *state_word(const lease_status_t *s)
{
    static const char *const words[] = {"standby", "holding", "leading", "stopping"};

    return s->stopping ? words[LEASE_RELEASING] : words[s->state];
}

static void append_string(buf_t *out, const char *key, const char *value)
{
    buf_printf(out, "\"%s\":", key);
    buf_json_string(out, value, strlen(value));
    buf_puts(out, ",");
}

static double seconds(int64_t ns)
{
    return (double) ns / CLOCK_S;
}

static bool leads(const lease_status_t *s, int64_t now)
{
    return s->state == LEASE_LEADING && now < s->deadline;
}

/* How long this candidate has still to wait for leases of others. */
static int64_t wait_of(const lease_status_t *s, int64_t now)
{
    return HOST_MAX(s->wait_until - now, 0);
}

static void append_seconds(buf_t *out, const char *key, int64_t ns, bool known)
{
    if (known)
        buf_printf(out, ",\"%s\":%.3f", key, seconds(ns));
    else
        buf_printf(out, ",\"%s\":null", key);
}

static void publish(lease_report_t *r, const lease_status_t *s, int64_t now)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    const bool leader = leads(s, now), seen = s->observed && s->seen_at != 0;

    if (r->o.health == NULL)
        return;
    buf_puts(&out, "{");
    append_string(&out, "lease", r->name);
    append_string(&out, "namespace", r->namespace);
    append_string(&out, "identity", r->identity);
    append_string(&out, "state", state_word(s));
    append_string(&out, "holder", s->holder);
    if (s->holder[0] != '\0' && s->since[0] != '\0')
        append_string(&out, "since", s->since);
    else
        buf_puts(&out, "\"since\":null,");
    if (seen)
        buf_printf(&out, "\"term\":%lld", (long long) s->term);
    else
        buf_puts(&out, "\"term\":null");
    append_seconds(&out, "leaseAge", now - s->seen_at, seen);
    append_seconds(&out, "leaseDuration", s->duration, s->duration != 0);
    append_seconds(&out, "secondsToWait", wait_of(s, now), s->observed && !leader);
    append_seconds(&out, "secondsToDeadline", s->deadline - now, leader);
    buf_puts(&out, "}\n");
    health_publish(r->o.health, "/leader", leader ? 200 : 503, buf_text(&out));
}

/* --- metrics --- */

static metric_cell_t *gauge(const lease_report_t *r, const char *name, const char *help)
{
    static const char *const labels[] = {"name", NULL};

    return metric_cell(metrics_gauge(r->o.metrics, name, help, labels),
                       (const char *const[]){r->name, NULL});
}

static metric_cell_t *counter(const lease_report_t *r, const char *name, const char *help)
{
    static const char *const labels[] = {"name", NULL};

    return metric_cell(metrics_counter(r->o.metrics, name, help, labels),
                       (const char *const[]){r->name, NULL});
}

static void add_metrics(lease_report_t *r)
{
    static const char *const name_only[] = {"name", NULL};
    static const char *const with_cause[] = {"name", "cause", NULL};
    static const char *const with_change[] = {"name", "change", "cause", NULL};

    if (r->o.metrics == NULL)
        return;
    r->master = gauge(r, "leader_election_master_status",
                      "Gauge of if the reporting system is master of the relevant lease, 0 "
                      "indicates backup, 1 indicates master. 'name' is the string used to identify "
                      "the lease. Please make sure to group by name.");
    r->slow_paths = counter(r, "leader_election_slowpath_total",
                            "Total number of slow path exercised in renewing leader leases. 'name' "
                            "is the string used to identify the lease. Please make sure to group "
                            "by name.");
    r->duplicates = counter(r, "leasehold_lease_duplicate_names_total",
                            "How often another live process was seen to use this host's name.");
    r->age = gauge(r, "leasehold_lease_age_seconds",
                   "Time since the holder's last sign of life, as this host sees it.");
    r->wait = gauge(r, "leasehold_lease_wait_seconds",
                    "Time until the leases that this host has seen end unless they are renewed: it "
                    "does not lead before; 0 when nothing is waited for.");
    r->deadline = gauge(r, "leasehold_lease_deadline_seconds",
                        "Time until this host's right to write ends unless it renews; 0 when it "
                        "does not lead.");
    r->gate = gauge(r, "leasehold_lease_gate_open",
                    "1 while new writes of plugins may start, 0 on a standby and while a term is "
                    "being handed over.");
    r->latency =
        metric_cell(metrics_histogram(r->o.metrics, "leasehold_lease_renew_duration_seconds",
                                      "Time from sending a renewal to its "
                                      "acknowledgement.",
                                      name_only, latency_buckets, HOST_LEN(latency_buckets)),
                    (const char *const[]){r->name, NULL});
    r->failures =
        metrics_counter(r->o.metrics, "leasehold_lease_renew_failures_total",
                        "Renewals that were not acknowledged, by what was answered.", with_cause);
    r->transitions = metrics_counter(
        r->o.metrics, "leasehold_lease_transitions_total",
        "Changes between holding the lease and not (change: acquired, ended), by cause.",
        with_change);
}

static void measure(lease_report_t *r, const lease_status_t *s, int64_t now)
{
    const bool leader = leads(s, now);

    if (r->o.metrics == NULL)
        return;
    metric_set(r->master, leader ? 1 : 0);
    metric_set(r->age, s->seen_at != 0 ? seconds(now - s->seen_at) : 0);
    metric_set(r->wait, seconds(wait_of(s, now)));
    metric_set(r->gate, leader && !s->stopping ? 1 : 0);
    metric_set(r->deadline, leader ? seconds(s->deadline - now) : 0);
}

/* --- --- */

void lease_report_update(lease_report_t *r, const lease_status_t *status, int64_t now)
{
    atomic_store(&r->beat, now);
    if (status->deadline != 0)
        atomic_store(&r->last_deadline, status->deadline);
    show_duplicate(r, status->duplicate);
    show_trouble(r, status->trouble);
    publish(r, status, now);
    measure(r, status, now);
}

void lease_report_count(lease_report_t *r, enum lease_count what, const char *cause)
{
    const char *const labels[] = {r->name, cause, NULL};
    const char *const acquired[] = {r->name, "acquired", cause, NULL};
    const char *const ended[] = {r->name, "ended", cause, NULL};

    if (r->o.metrics == NULL)
        return;
    switch (what) {
    case LEASE_COUNT_ACQUIRED:
        metric_add(metric_cell(r->transitions, acquired), 1);
        break;
    case LEASE_COUNT_ENDED:
        metric_add(metric_cell(r->transitions, ended), 1);
        break;
    case LEASE_COUNT_RENEW_FAILURE:
        metric_add(metric_cell(r->failures, labels), 1);
        break;
    case LEASE_COUNT_SLOW_PATH:
        metric_add(r->slow_paths, 1);
        break;
    default:
        metric_add(r->duplicates, 1);
        break;
    }
}

void lease_report_renewed(lease_report_t *r, int64_t latency)
{
    if (r->latency != NULL)
        metric_observe(r->latency, seconds(latency));
}

static const lease_status_t nothing_known = {.uid = "", .holder = "", .since = "", .trouble = ""};

lease_report_t *lease_report_create(const lease_report_options_t *o)
{
    lease_report_t *r = host_xcalloc(1, sizeof(*r));

    r->o = *o;
    r->namespace = host_xstrdup(o->namespace);
    r->name = host_xstrdup(o->name);
    r->identity = host_xstrdup(o->identity);
    r->trouble = host_xstrdup("");
    atomic_init(&r->beat, clock_now());
    add_metrics(r);
    add_checks(r);
    lease_report_update(r, &nothing_known, clock_now());
    return r;
}

void lease_report_destroy(lease_report_t *r)
{
    if (r->o.health != NULL) {
        lease_report_update(r, &nothing_known, clock_now());
        health_remove(r->o.health, r->alive);
        health_remove(r->o.health, r->leading);
        health_remove(r->o.health, r->unique);
        health_remove(r->o.health, r->reached);
    }
    free(r->namespace);
    free(r->name);
    free(r->identity);
    free(r->trouble);
    free(r);
}
