/* SPDX-License-Identifier: Apache-2.0 */
/* The status of a replica, of several, and of a Lease, for people. */
#include "cli/verb.h"

#include <stdio.h>
#include <string.h>

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text(const cJSON *object, const char *key)
{
    const cJSON *value = member(object, key);

    return cJSON_IsString(value) && value->valuestring[0] != '\0' ? value->valuestring : "-";
}

/* A number with what follows it, or "-". */
static const char *number(char out[64], const cJSON *value, int digits, const char *unit)
{
    if (cJSON_IsNumber(value))
        snprintf(out, 64, "%.*f%s", digits, value->valuedouble, unit);
    else
        snprintf(out, 64, "-");
    return out;
}

static void put_row(buf_t *out, const char *title, const cJSON *value, int digits, const char *unit)
{
    char word[64];

    buf_printf(out, "%-11s %s\n", title, number(word, value, digits, unit));
}

static size_t widest(const cJSON *rows, const char *key, const char *title)
{
    const cJSON *row;
    size_t width = strlen(title);

    cJSON_ArrayForEach (row, rows)
        width = HOST_MAX(width, strlen(text(row, key)));
    return width;
}

/* -- One replica -- */

static void put_election(const cJSON *election, buf_t *out)
{
    buf_printf(out, "election    %s\n", text(election, "state"));
    if (!cJSON_IsString(member(election, "lease"))) /* it is disabled */
        return;
    buf_printf(out, "lease       %s/%s\n", text(election, "namespace"), text(election, "lease"));
    buf_printf(out, "holder      %s\n", text(election, "holder"));
    buf_printf(out, "since       %s\n", text(election, "since"));
    put_row(out, "term", member(election, "term"), 0, "");
    put_row(out, "lease age", member(election, "leaseAge"), 1, " s");
    put_row(out, "duration", member(election, "leaseDuration"), 0, " s");
    put_row(out, "may lead in", member(election, "secondsToWait"), 1, " s at the earliest");
    put_row(out, "deadline in", member(election, "secondsToDeadline"), 1, " s");
}

static void put_plugins(const cJSON *plugins, buf_t *out)
{
    static const struct {
        const char *title, *key;
    } columns[] = {{"QUEUED", "queued"}, {"RUNNING", "running"},   {"RECONCILES", "reconciles"},
                   {"ERRORS", "errors"}, {"RESTARTS", "restarts"}, {"ABANDONED", "abandonedCalls"}};
    const int width = (int) widest(plugins, "name", "PLUGIN");
    const cJSON *plugin;
    char word[64];

    if (cJSON_GetArraySize(plugins) == 0)
        return;
    buf_printf(out, "\n%-*s  %-12s", width, "PLUGIN", "STATE");
    for (size_t i = 0; i < HOST_LEN(columns); i++)
        buf_printf(out, "  %s", columns[i].title);
    cJSON_ArrayForEach (plugin, plugins) {
        buf_printf(out, "\n%-*s  %-12s", width, text(plugin, "name"), text(plugin, "state"));
        for (size_t i = 0; i < HOST_LEN(columns); i++)
            buf_printf(out, "  %*s", (int) strlen(columns[i].title),
                       number(word, member(plugin, columns[i].key), 0, ""));
    }
    buf_puts(out, "\n");
}

/* What fails again and again, the worst first. */
static void put_poison(const cJSON *plugins, buf_t *out)
{
    const cJSON *plugin, *key;
    char count[64], failures[64];

    cJSON_ArrayForEach (plugin, plugins) {
        if (cJSON_GetNumberValue(member(plugin, "poisonKeys")) > 0)
            buf_printf(out, "\n%s: %s failing again and again\n", text(plugin, "name"),
                       number(count, member(plugin, "poisonKeys"), 0, ""));
        cJSON_ArrayForEach (key, member(plugin, "worst")) {
            const char *ns = text(key, "namespace");
            const bool in = strcmp(ns, "-") != 0;

            buf_printf(out, "%7s  %s %s%s%s: %s\n",
                       number(failures, member(key, "failures"), 0, "x"), text(key, "resource"),
                       in ? ns : "", in ? "/" : "", text(key, "name"), text(key, "error"));
        }
    }
}

/* "configmaps", "deployments.apps". */
static char *kind_of(const cJSON *cache)
{
    const char *group = text(cache, "group");
    const bool core = strcmp(group, "-") == 0;

    return host_xprintf("%s%s%s", text(cache, "resource"), core ? "" : ".", core ? "" : group);
}

static void put_caches(const cJSON *caches, buf_t *out)
{
    const cJSON *cache;
    char word[64];

    if (cJSON_GetArraySize(caches) == 0)
        return;
    buf_puts(out, "\nOBJECTS  CACHE\n");
    cJSON_ArrayForEach (cache, caches) {
        host_cleanup(host_freep) char *kind = kind_of(cache);
        const char *ns = text(cache, "namespace"), *selector = text(cache, "selector");

        buf_printf(out, "%7s  %s", number(word, member(cache, "objects"), 0, ""), kind);
        if (strcmp(ns, "-") != 0)
            buf_printf(out, " in %s", ns);
        if (strcmp(selector, "-") != 0)
            buf_printf(out, ", %s", selector);
        buf_printf(out, "%s\n",
                   strcmp(text(cache, "projection"), "metadata") == 0 ? ", metadata alone" : "");
    }
}

static void put_checks(const cJSON *checks, buf_t *out)
{
    const int width = (int) widest(checks, "name", "");
    const cJSON *check;

    buf_puts(out, "\n");
    cJSON_ArrayForEach (check, checks) {
        const bool ok = cJSON_IsTrue(member(check, "ok"));

        buf_printf(out, "%-*s  %s%s\n", width, text(check, "name"),
                   ok ? "ok" : "failed: ", ok ? "" : text(check, "reason"));
    }
}

void cli_status_show(const cJSON *status, buf_t *out)
{
    char pid[64];

    buf_printf(out, "identity    %s (pid %s, leasehold %s)\n", text(status, "identity"),
               number(pid, member(status, "pid"), 0, ""), text(status, "version"));
    buf_printf(out, "state       %s\n", text(status, "state"));
    put_election(member(status, "election"), out);
    put_plugins(member(status, "plugins"), out);
    put_poison(member(status, "plugins"), out);
    put_caches(member(status, "caches"), out);
    put_checks(member(status, "checks"), out);
}

/* -- Several -- */

static int count_states(const cJSON *status, const char *one, const char *other)
{
    const cJSON *plugin;
    int count = 0;

    cJSON_ArrayForEach (plugin, member(status, "plugins"))
        count +=
            strcmp(text(plugin, "state"), one) == 0 || strcmp(text(plugin, "state"), other) == 0;
    return count;
}

static void put_candidate(const cJSON *replica, int width, buf_t *out)
{
    const cJSON *status = member(replica, "status"), *election = member(status, "election");
    char term[64], age[64], wait[64];

    buf_printf(out, "%-*s  ", width, text(replica, "url"));
    if (status == NULL) {
        buf_printf(out, "no answer: %s\n", text(replica, "error"));
        return;
    }
    buf_printf(out, "%-12s  %-12s  %-12s  %5s  %9s  %9s  %d active, %d failed\n",
               text(status, "identity"), text(status, "state"), text(election, "holder"),
               number(term, member(election, "term"), 0, ""),
               number(age, member(election, "leaseAge"), 1, " s"),
               number(wait, member(election, "secondsToWait"), 1, " s"),
               count_states(status, "active", "active"), count_states(status, "failed", "waiting"));
}

void cli_status_show_all(const cJSON *answer, buf_t *out)
{
    const cJSON *replicas = member(answer, "replicas"), *replica;
    const cJSON *only = member(cJSON_GetArrayItem(replicas, 0), "status");
    const int width = (int) widest(replicas, "url", "REPLICA");

    if (cJSON_GetArraySize(replicas) == 1 && only != NULL) {
        cli_status_show(only, out);
        return;
    }
    buf_printf(out, "%-*s  %-12s  %-12s  %-12s  %5s  %9s  %9s  %s\n", width, "REPLICA", "IDENTITY",
               "STATE", "HOLDER", "TERM", "LEASE AGE", "WAITS", "PLUGINS");
    cJSON_ArrayForEach (replica, replicas)
        put_candidate(replica, width, out);
}

/* -- The Lease -- */

void cli_status_show_lease(const cJSON *lease, buf_t *out)
{
    buf_printf(out, "lease       %s/%s\n", text(lease, "namespace"), text(lease, "lease"));
    buf_printf(out, "state       %s\n", text(lease, "state"));
    buf_printf(out, "holder      %s\n", text(lease, "holder"));
    buf_printf(out, "since       %s\n", text(lease, "since"));
    put_row(out, "term", member(lease, "term"), 0, "");
    put_row(out, "lease age", member(lease, "leaseAge"), 1, " s, by this machine's clock");
    put_row(out, "duration", member(lease, "leaseDuration"), 0, " s");
    put_row(out, "expires in", member(lease, "secondsToExpiry"), 1, " s, unless it is renewed");
    buf_puts(out, "\nA Lease names neither candidates nor plugins: ask replicas by --url.\n");
}
