/* SPDX-License-Identifier: Apache-2.0 */
#include "e2e/e2e.h"

#include <time.h>
#include <unistd.h>

static FILE *open_audit(void)
{
    const char *dir = getenv("LEASEHOLD_TEST_CLUSTER_DIR");
    char path[512];

    snprintf(path, sizeof(path), "%s/audit.log", dir != NULL ? dir : ".");
    return fopen(path, "r");
}

long e2e_audit_end(void)
{
    FILE *f = open_audit();
    long end = 0;

    if (f == NULL)
        return 0;
    fseek(f, 0, SEEK_END);
    end = ftell(f);
    fclose(f);
    return end;
}

double e2e_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* "2026-01-02T03:04:05.000006Z" */
static double parse_time(const char *text)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    return rest != NULL ? (double) timegm(&tm) + strtod(rest, NULL) : 0;
}

static void read_entry(const cJSON *json, e2e_audit_t *out)
{
    snprintf(out->verb, sizeof(out->verb), "%s", api_str(json, "/verb"));
    snprintf(out->resource, sizeof(out->resource), "%s", api_str(json, "/objectRef/resource"));
    snprintf(out->name, sizeof(out->name), "%s", api_str(json, "/objectRef/name"));
    snprintf(out->user, sizeof(out->user), "%s", api_str(json, "/user/username"));
    snprintf(out->uri, sizeof(out->uri), "%s", api_str(json, "/requestURI"));
    snprintf(out->holder, sizeof(out->holder), "%s",
             api_str(json, "/requestObject/spec/holderIdentity"));
    out->over = strcmp(api_str(json, "/stage"), "ResponseStarted") != 0;
    out->code = (int) api_int(json, "/responseStatus/code");
    out->received = parse_time(api_str(json, "/requestReceivedTimestamp"));
    out->done = parse_time(api_str(json, "/stageTimestamp"));
}

e2e_audit_t *e2e_audit(long *at, const char *user, size_t *count)
{
    FILE *f = open_audit();
    char *line = NULL, whom[192];
    size_t cap = 0, room = 0;
    e2e_audit_t *all = NULL;

    *count = 0;
    if (f == NULL)
        return NULL;
    snprintf(whom, sizeof(whom), "\"username\":\"%s\"", user != NULL ? user : "");
    fseek(f, *at, SEEK_SET);
    for (ssize_t n; (n = getline(&line, &cap, f)) > 0 && line[n - 1] == '\n'; *at = ftell(f)) {
        if (user != NULL && strstr(line, whom) == NULL)
            continue;
        cJSON *json = cJSON_Parse(line);
        if (*count == room)
            all = realloc(all, (room = 2 * room + 64) * sizeof(*all));
        if (json != NULL)
            read_entry(json, &all[(*count)++]);
        cJSON_Delete(json);
    }
    free(line);
    fclose(f);
    return all;
}

bool e2e_is_watch(const e2e_audit_t *a, const char *resource)
{
    return strcmp(a->verb, "watch") == 0 && strcmp(a->resource, resource) == 0;
}

bool e2e_wait_lease_watch(long from, const char *user)
{
    const int64_t until = replica_now_ms() + 15000;
    bool found = false;

    while (!found && replica_now_ms() < until) {
        size_t count;
        long at = from;
        e2e_audit_t *all = e2e_audit(&at, user, &count);
        for (size_t i = 0; i < count; i++)
            found = found || e2e_is_watch(&all[i], "leases");
        free(all);
        usleep(20000);
    }
    return found;
}
