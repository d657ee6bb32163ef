/* SPDX-License-Identifier: Apache-2.0 */
#include "e2e/e2e.h"

#include "base/rand.h"

#include <curl/curl.h>
#include <time.h>

void e2e_make_lease(e2e_t *e, const char *name)
{
    API_REPLY r = api_post(e->api, e->leases, "{\"metadata\":{\"name\":\"%s\"}}", name);

    REQUIRE_INT(r.status, 201);
}

const char *e2e_holder(e2e_t *e, const char *lease)
{
    static char holder[256];
    API_REPLY r = api_get(e->api, "%s/%s", e->leases, lease);

    snprintf(holder, sizeof(holder), "%s", api_str(r.json, "/spec/holderIdentity"));
    return holder;
}

static bool has_holder(const api_reply_t *r, void *arg)
{
    return strcmp(api_str(r->json, "/spec/holderIdentity"), arg) == 0;
}

bool e2e_wait_holder(e2e_t *e, const char *lease, const char *holder, int ms)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", e->leases, lease);
    return api_until(e->api, path, ms, has_holder, (void *) holder);
}

replica_t *e2e_replica(e2e_t *e, const char *name, const char *lease, const char *const *plugins)
{
    static const char *const hello[] = {HELLO_PLUGIN, NULL};

    return replica_start(&(replica_options_t){
        .name = name, .lease = lease, .ns = e->ns, .plugins = plugins != NULL ? plugins : hello});
}

void e2e_make_configmap(e2e_t *e, const char *name, const char *labels_json)
{
    API_REPLY r = api_post(e->api, e->configmaps,
                           "{\"metadata\":{\"name\":\"%s\",\"labels\":%s},\"data\":{\"k\":\"v\"}}",
                           name, labels_json != NULL ? labels_json : "{}");

    REQUIRE_INT(r.status, 201);
}

/* -- The audit log -- */

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
    snprintf(out->agent, sizeof(out->agent), "%s", api_str(json, "/userAgent"));
    snprintf(out->uri, sizeof(out->uri), "%s", api_str(json, "/requestURI"));
    out->code = (int) api_int(json, "/responseStatus/code");
    out->received = parse_time(api_str(json, "/requestReceivedTimestamp"));
    out->done = parse_time(api_str(json, "/stageTimestamp"));
}

e2e_audit_t *e2e_audit(long *at, const char *agent, size_t *count)
{
    FILE *f = open_audit();
    char *line = NULL;
    size_t cap = 0, room = 0;
    e2e_audit_t *all = NULL;

    *count = 0;
    if (f == NULL)
        return NULL;
    fseek(f, *at, SEEK_SET);
    for (ssize_t n; (n = getline(&line, &cap, f)) > 0 && line[n - 1] == '\n'; *at = ftell(f)) {
        if (strstr(line, agent) == NULL || strstr(line, "\"stage\":\"ResponseComplete\"") == NULL)
            continue;
        cJSON *json = cJSON_Parse(line);
        if (*count == room)
            all = realloc(all, (room = 2 * room + 64) * sizeof(*all));
        if (json != NULL && strstr(api_str(json, "/userAgent"), agent) != NULL)
            read_entry(json, &all[(*count)++]);
        cJSON_Delete(json);
    }
    free(line);
    fclose(f);
    return all;
}

/* -- The program -- */

int e2e_main(int argc, char **argv, const char *program, const tap_test_t *tests, size_t count)
{
    e2e_t e = {0};
    char tail[9];

    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return tap_main(argc, argv, tests, count, NULL);
    curl_global_init(CURL_GLOBAL_ALL);
    e.api = api_open(NULL);
    rand_hex(tail, 4);
    snprintf(e.ns, sizeof(e.ns), "e2e-%s-%s", program, tail);
    snprintf(e.configmaps, sizeof(e.configmaps), "/api/v1/namespaces/%s/configmaps", e.ns);
    snprintf(e.leases, sizeof(e.leases), "/apis/coordination.k8s.io/v1/namespaces/%s/leases", e.ns);
    API_REPLY made = api_post(e.api, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"%s\"}}", e.ns);
    if (made.status != 201) {
        printf("not ok 1 - a namespace can be made\n# status %d: %.300s\n1..1\n", made.status,
               made.text);
        return 1;
    }
    const int status = tap_main(argc, argv, tests, count, &e);
    API_REPLY gone = api_delete(e.api, "/api/v1/namespaces/%s", e.ns);
    api_close(e.api);
    curl_global_cleanup();
    return status;
}
