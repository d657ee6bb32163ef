/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/contract.h"

#include "base/rand.h"

#include <curl/curl.h>
#include <stdio.h>

const char *contract_path(const char *collection, const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *out = paths[next++ % 4];

    snprintf(out, sizeof(paths[0]), "%s/%s", collection, name);
    return out;
}

const char *contract_create(contract_t *c, const char *name, const char *labels, const char *value)
{
    static char versions[4][32];
    static unsigned next;
    char *out = versions[next++ % 4];
    API_REPLY r = api_post(c->api, c->configmaps,
                           "{\"metadata\":{\"name\":\"%s\",\"labels\":%s},\"data\":{\"k\":\"%s\"}}",
                           name, labels != NULL ? labels : "{}", value);

    REQUIRE_INT(r.status, 201);
    snprintf(out, sizeof(versions[0]), "%s", api_str(r.json, "/metadata/resourceVersion"));
    return out;
}

api_event_t contract_next(api_watch_t *w)
{
    for (;;) {
        api_event_t e = api_watch_next(w, 5000);
        if (strcmp(e.type, "BOOKMARK") != 0)
            return e;
        api_event_fini(&e);
    }
}

int contract_main(int argc, char **argv, const char *program, const tap_test_t *tests, size_t count)
{
    contract_t c = {0};
    char tail[9];

    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return tap_main(argc, argv, tests, count, NULL);
    curl_global_init(CURL_GLOBAL_ALL);
    c.api = api_open(NULL);
    rand_hex(tail, 4);
    snprintf(c.ns, sizeof(c.ns), "contract-%s-%s", program, tail);
    snprintf(c.configmaps, sizeof(c.configmaps), "/api/v1/namespaces/%s/configmaps", c.ns);
    snprintf(c.leases, sizeof(c.leases), "/apis/coordination.k8s.io/v1/namespaces/%s/leases", c.ns);
    API_REPLY made =
        api_post(c.api, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"%s\"}}", c.ns);
    if (made.status != 201) {
        printf("not ok 1 - a namespace can be made\n# status %d: %.300s\n1..1\n", made.status,
               made.text);
        return 1;
    }
    const int status = tap_main(argc, argv, tests, count, &c);
    API_REPLY gone = api_delete(c.api, "/api/v1/namespaces/%s", c.ns);
    api_close(c.api);
    curl_global_cleanup();
    return status;
}
