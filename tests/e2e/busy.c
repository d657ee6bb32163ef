/* SPDX-License-Identifier: Apache-2.0 */
#include "e2e/busy.h"

#include <unistd.h>

enum { LIMIT = 15000, JOURNALS = 4, WRITES = 20 * JOURNALS };

static void make_journals(e2e_t *e)
{
    char name[32];

    for (int i = 0; i < JOURNALS; i++) {
        snprintf(name, sizeof(name), "journal-%d-out", i);
        e2e_make_configmap(e, name, NULL);
        snprintf(name, sizeof(name), "journal-%d", i);
        e2e_make_configmap(e, name, "{\"journal\":\"yes\"}");
    }
}

static bool writes_again(const busy_t *b, long from)
{
    const int64_t until = replica_now_ms() + LIMIT;
    int writes = 0;

    while (writes < WRITES && replica_now_ms() < until) {
        size_t count;
        long at = from;
        e2e_audit_t *all = e2e_audit(&at, b->user, &count);
        writes = 0;
        for (size_t i = 0; i < count; i++)
            writes += strcmp(all[i].verb, "patch") == 0 && all[i].code == 200;
        free(all);
        usleep(50000);
    }
    return writes >= WRITES;
}

/* Edits the Lease; returns when a watch on it has told, for a machine so busy that nobody is told in
 * time. */
static double edit_lease(e2e_t *e)
{
    api_watch_t *w = api_watch(e->api, "%s?watch=1&fieldSelector=metadata.name=busy", e->leases);
    API_EVENT first = api_watch_next(w, LIMIT); /* as it is */
    char path[256];
    double seen = 0;

    snprintf(path, sizeof(path), "%s/busy", e->leases);
    API_REPLY edited = api_patch(e->api, path, "merge",
                                 "{\"spec\":{\"holderIdentity\":\"somebody\","
                                 "\"leaseDurationSeconds\":1}}");
    REQUIRE_INT(edited.status, 200);
    while (seen == 0) {
        API_EVENT event = api_watch_next(w, LIMIT);
        REQUIRE_TRUE(event.object != NULL);
        if (strcmp(api_str(event.object, "/spec/holderIdentity"), "somebody") == 0)
            seen = e2e_now();
    }
    api_watch_close(w);
    return seen;
}

/* Finds the edit, and the next time that the host acquires the Lease. */
static void find_edit(const e2e_audit_t *all, size_t count, const char *user, double *edited,
                      double *next_term)
{
    *edited = 0;
    *next_term = 1e18;
    for (size_t i = 0; i < count; i++) {
        const e2e_audit_t *a = &all[i];
        if (strcmp(a->resource, "leases") != 0 || a->code != 200 || !a->over)
            continue;
        if (*edited == 0 && strcmp(a->holder, "somebody") == 0)
            *edited = a->done;
        else if (*edited > 0 && strcmp(a->verb, "update") == 0 && strcmp(a->user, user) == 0 &&
                 a->received < *next_term)
            *next_term = a->received;
    }
}

static busy_edit_t read_edit(const e2e_audit_t *all, size_t count, const char *user, double seen)
{
    busy_edit_t edit = {.watches_end = -1};
    double edited, next_term;

    find_edit(all, count, user, &edited, &next_term);
    REQUIRE_TRUE(edited > 0);
    const double limit = 0.1 + (seen > edited ? seen - edited : 0);
    for (size_t i = 0; i < count; i++) {
        const e2e_audit_t *a = &all[i];
        const double received = a->received - edited, done = a->done - edited;
        if (strcmp(a->user, user) != 0 || a->received >= next_term)
            continue;
        if (e2e_is_watch(a, "configmaps") && a->over) {
            edit.watches++;
            edit.watches_end = done > edit.watches_end ? done : edit.watches_end;
        } else if (strcmp(a->verb, "patch") == 0) {
            edit.writes += received > 0;
            edit.late += received > limit;
            edit.writes_end = received > edit.writes_end ? received : edit.writes_end;
        }
    }
    return edit;
}

void busy_start(busy_t *b, e2e_t *e)
{
    const long from = e2e_audit_end();

    *b = (busy_t){.e = e};
    make_journals(e);
    e2e_make_lease(e, "busy");
    snprintf(b->user, sizeof(b->user), "%s", e2e_user_name(e, "busy"));
    b->replica =
        replica_start(&(replica_options_t){.name = "busy",
                                           .lease = "busy",
                                           .ns = e->ns,
                                           .kubeconfig = e2e_make_user(e, "busy"),
                                           .plugins = (const char *const[]){JOURNAL_PLUGIN, NULL},
                                           .instances = "    journal: {workers: 4}"});
    REQUIRE_TRUE(replica_answers(b->replica, "/leader", 200, LIMIT));
    REQUIRE_TRUE(writes_again(b, from));
}

busy_edit_t busy_edit(busy_t *b)
{
    size_t count;
    long at = e2e_audit_end();
    const double seen = edit_lease(b->e);

    REQUIRE_TRUE(replica_answers(b->replica, "/leader", 503, 2000));
    const long after = e2e_audit_end();
    REQUIRE_TRUE(replica_answers(b->replica, "/leader", 200, LIMIT));
    REQUIRE_TRUE(writes_again(b, after));
    e2e_audit_t *all = e2e_audit(&at, NULL, &count);
    const busy_edit_t edit = read_edit(all, count, b->user, seen);
    free(all);
    tap_note("edit: %d writes received after it, the last %.1f ms; watch ended %.1f ms after it",
             edit.writes, edit.writes_end * 1e3, edit.watches_end * 1e3);
    return edit;
}

void busy_end(busy_t *b)
{
    replica_free(b->replica);
}
