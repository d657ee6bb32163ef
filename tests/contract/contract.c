/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/contract.h"

#include "base/rand.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>

/* -- Texts -- */

const char *contract_path(const char *collection, const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *out = paths[next++ % 4];

    snprintf(out, sizeof(paths[0]), "%s/%s", collection, name);
    return out;
}

const char *contract_text(const char *fmt, ...)
{
    static char texts[16][4096];
    static unsigned next;
    char *out = texts[next++ % 16];
    va_list args;

    va_start(args, fmt);
    vsnprintf(out, sizeof(texts[0]), fmt, args);
    va_end(args);
    return out;
}

char *contract_quote(char *text)
{
    for (char *at = text; (at = strchr(at, '\'')) != NULL;)
        *at = '"';
    return text;
}

/* Caller frees. */
static char *body_of(const char *fmt, va_list args)
{
    char *json = contract_quote(strdup(fmt)), *body = NULL;

    if (vasprintf(&body, json, args) < 0)
        abort();
    free(json);
    return body;
}

/* -- Requests -- */

#define BODY(out, fmt)                                                                             \
    do {                                                                                           \
        va_list args_;                                                                             \
        va_start(args_, fmt);                                                                      \
        (out) = body_of(fmt, args_);                                                               \
        va_end(args_);                                                                             \
    } while (0)

api_reply_t contract_post(contract_t *c, const char *path, const char *body_fmt, ...)
{
    char *body;

    BODY(body, body_fmt);
    const api_reply_t r = api_do(c->api, "POST", path, NULL, body);
    free(body);
    return r;
}

api_reply_t contract_post_all(contract_t *c, const char *path, const char *body_fmt, ...)
{
    char *body;

    BODY(body, body_fmt);
    const api_reply_t r = api_do(c->api, "POST", path, NULL, contract_quote(body));
    free(body);
    return r;
}

api_reply_t contract_put(contract_t *c, const char *path, const char *body_fmt, ...)
{
    char *body;

    BODY(body, body_fmt);
    const api_reply_t r = api_do(c->api, "PUT", path, NULL, body);
    free(body);
    return r;
}

api_reply_t contract_patch(contract_t *c, const char *path, const char *kind, const char *body_fmt,
                           ...)
{
    char *body;

    BODY(body, body_fmt);
    const api_reply_t r = api_patch(c->api, path, kind, "%s", body);
    free(body);
    return r;
}

api_reply_t contract_delete(contract_t *c, const char *path, const char *options_fmt, ...)
{
    char *options, *body = NULL;

    BODY(options, options_fmt);
    if (asprintf(&body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",%s}", options) < 0)
        abort();
    const api_reply_t r = api_do(c->api, "DELETE", path, NULL, body);
    free(options);
    free(body);
    return r;
}

api_reply_t contract_accept(contract_t *c, const char *path, const char *accept)
{
    return api_ask(c->api, &(api_request_t){.method = "GET", .path = path, .accept = accept});
}

/* -- Objects -- */

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

void contract_fill(contract_t *c, const char *prefix, int count)
{
    for (int i = 0; i < count; i++)
        contract_create(c, contract_text("%s-%d", prefix, i),
                        contract_text("{\"set\":\"%s\"}", prefix), "v");
}

const char *contract_deploy(contract_t *c, const char *name)
{
    API_REPLY r = contract_post(c, c->deployments,
                                "{'metadata':{'name':'%s'},'spec':" CONTRACT_DEPLOYMENT_SPEC "}",
                                name, name, name);

    REQUIRE_INT(r.status, 201);
    return contract_text("%s/%s", c->deployments, name);
}

const char *contract_crd(contract_t *c, const char *plural, const char *kind, const char *more,
                         const char *versions)
{
    const char *group = contract_text("%s.%s.example.dev", plural, c->id);
    char version[32] = "";
    API_REPLY r = contract_post_all(
        c, CONTRACT_CRDS,
        "{'metadata':{'name':'%s.%s','labels':{'contract':'%s'}},'spec':{'group':'%s','scope':"
        "'Namespaced','names':{'plural':'%s','kind':'%s'%s},'versions':%s}}",
        plural, group, c->id, group, plural, kind, more, versions);

    REQUIRE_INT(r.status, 201);
    c->crds = true;
    const cJSON *v;
    cJSON_ArrayForEach (v, api_at(r.json, "/spec/versions")) {
        if (strcmp(api_str(v, "/served"), "true") == 0)
            snprintf(version, sizeof(version), "%s", api_str(v, "/name"));
    }
    REQUIRE_TRUE(api_until(c->api, contract_custom(c, group, version, plural), 10000,
                           contract_is_served, NULL));
    return group;
}

const char *contract_custom(contract_t *c, const char *group, const char *version,
                            const char *plural)
{
    return contract_text("/apis/%s/%s/namespaces/%s/%s", group, version, c->ns, plural);
}

/* -- Watches -- */

api_event_t contract_next(api_watch_t *w)
{
    for (;;) {
        api_event_t e = api_watch_next(w, 5000);
        if (strcmp(e.type, "BOOKMARK") != 0)
            return e;
        api_event_fini(&e);
    }
}

api_watch_t *contract_watch(contract_t *c, const char *set, const char *more)
{
    API_REPLY list = api_get(c->api, "%s?labelSelector=set%%3D%s", c->configmaps, set);

    REQUIRE_INT(list.status, 200);
    return api_watch(c->api, "%s?watch=1&labelSelector=set%%3D%s&resourceVersion=%s%s",
                     c->configmaps, set, api_str(list.json, "/metadata/resourceVersion"), more);
}

/* -- Checks -- */

bool contract_is_gone(const api_reply_t *r, void *arg)
{
    (void) arg;
    return r->status == 404;
}

bool contract_is_served(const api_reply_t *r, void *arg)
{
    (void) arg;
    return r->status == 200;
}

void contract_error(const char *file, int line, const api_reply_t *r, int status,
                    const char *reason, const char *part)
{
    tap_int(file, line, "the status", r->status, status);
    tap_str(file, line, "the kind", api_str(r->json, "/kind"), "Status");
    tap_str(file, line, "status.status", api_str(r->json, "/status"), "Failure");
    tap_str(file, line, "status.reason", api_str(r->json, "/reason"), reason);
    tap_int(file, line, "status.code", api_int(r->json, "/code"), status);
    tap_has(file, line, "status.message", api_str(r->json, "/message"), part);
}

void contract_cause(const char *file, int line, const api_reply_t *r, const char *reason,
                    const char *field)
{
    const cJSON *cause;

    cJSON_ArrayForEach (cause, api_at(r->json, "/details/causes")) {
        if (strcmp(api_str(cause, "/reason"), reason) == 0 &&
            strcmp(api_str(cause, "/field"), field) == 0)
            return;
    }
    tap_fail(file, line, "no cause %s of %s in %.900s", reason, field, r->text);
}

void contract_items(const char *file, int line, const api_reply_t *r, const char *names)
{
    char all[4096] = "";
    size_t len = 0;
    const cJSON *item;

    tap_int(file, line, "the status", r->status, 200);
    cJSON_ArrayForEach (item, api_at(r->json, "/items")) {
        len += (size_t) snprintf(all + len, sizeof(all) - len, "%s%s", len > 0 ? "," : "",
                                 api_str(item, "/metadata/name"));
        if (len >= sizeof(all))
            break;
    }
    tap_str(file, line, "the items", all, names);
}

/* -- The program -- */

static void set_paths(contract_t *c, const char *program)
{
    rand_hex(c->id, 4);
    snprintf(c->ns, sizeof(c->ns), "contract-%s-%s", program, c->id);
    snprintf(c->configmaps, sizeof(c->configmaps), "/api/v1/namespaces/%s/configmaps", c->ns);
    snprintf(c->secrets, sizeof(c->secrets), "/api/v1/namespaces/%s/secrets", c->ns);
    snprintf(c->services, sizeof(c->services), "/api/v1/namespaces/%s/services", c->ns);
    snprintf(c->pods, sizeof(c->pods), "/api/v1/namespaces/%s/pods", c->ns);
    snprintf(c->deployments, sizeof(c->deployments), "/apis/apps/v1/namespaces/%s/deployments",
             c->ns);
    snprintf(c->leases, sizeof(c->leases), "/apis/coordination.k8s.io/v1/namespaces/%s/leases",
             c->ns);
}

int contract_main(int argc, char **argv, const char *program, const tap_test_t *tests, size_t count)
{
    contract_t c = {0};

    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return tap_main(argc, argv, tests, count, NULL);
    curl_global_init(CURL_GLOBAL_ALL);
    c.api = api_open(NULL);
    set_paths(&c, program);
    API_REPLY made =
        api_post(c.api, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"%s\"}}", c.ns);
    if (made.status != 201) {
        printf("not ok 1 - a namespace can be made\n# status %d: %.300s\n1..1\n", made.status,
               made.text);
        return 1;
    }
    const int status = tap_main(argc, argv, tests, count, &c);
    API_REPLY gone = api_delete(c.api, "/api/v1/namespaces/%s", c.ns);
    if (c.crds) {
        API_REPLY crds = api_delete(c.api, CONTRACT_CRDS "?labelSelector=contract=%s", c.id);
    }
    api_close(c.api);
    curl_global_cleanup();
    return status;
}
