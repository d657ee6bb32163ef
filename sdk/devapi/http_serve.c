/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of those who may ask: health, version, discovery, and the resources. */
#include "devapi/http_impl.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#define DEV_ARCH "amd64"
#elif defined(__aarch64__)
#define DEV_ARCH "arm64"
#else
#define DEV_ARCH "unknown"
#endif

static bool is_method(const exchange_t *x, const char *method)
{
    return strcmp(x->head->method, method) == 0;
}

/* -- What is no resource -- */

static bool serve_health(exchange_t *x)
{
    static const char *const paths[] = {"/healthz", "/livez", "/readyz"};
    const char *path = x->head->path;

    for (size_t i = 0; i < HOST_LEN(paths); i++) {
        const size_t len = strlen(paths[i]);

        if (strncmp(path, paths[i], len) != 0 ||
            (path[len] != '\0' && strcmp(path + len, "/ping") != 0))
            continue;
        host_cleanup(host_freep) char *text =
            path[len] == '\0' && http_query_get(&x->query, "verbose") != NULL
                ? host_xprintf("[+]ping ok\n%s check passed\n", paths[i] + 1)
                : host_xstrdup("ok");
        exchange_answer(x, 200, "text/plain; charset=utf-8", "X-Content-Type-Options: nosniff\r\n",
                        text, strlen(text));
        return true;
    }
    return false;
}

static bool serve_version(exchange_t *x)
{
    if (strcmp(x->head->path, "/version") != 0 && strcmp(x->head->path, "/version/") != 0)
        return false;
    if (!is_method(x, "GET")) {
        exchange_no_method(x);
        return true;
    }
    if (dev_accept_parse(http_head_get(x->head, "Accept"), false).result == DEV_ACCEPT_UNKNOWN) {
        exchange_not_acceptable(
            x, "406: Not Acceptable\n\nAvailable representations: application/json");
        return true;
    }
    host_cleanup(host_freep) char *text =
        host_xprintf("{\n  \"major\": \"1\",\n  \"minor\": \"34\",\n"
                     "  \"gitVersion\": \"v1.34.0-leasehold-%s\",\n  \"gitCommit\": \"\",\n"
                     "  \"gitTreeState\": \"\",\n  \"buildDate\": \"1970-01-01T00:00:00Z\",\n"
                     "  \"goVersion\": \"\",\n  \"compiler\": \"cc\",\n"
                     "  \"platform\": \"linux/" DEV_ARCH "\"\n}",
                     x->http->version);
    exchange_answer(x, 200, "application/json", NULL, text, strlen(text));
    return true;
}

static bool serve_discovery(exchange_t *x)
{
    const dev_accept_t accept = dev_accept_parse(http_head_get(x->head, "Accept"), true);
    const char *type = "application/json";
    host_cleanup(host_freep) char *path = host_xstrdup(x->head->path);
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    const size_t len = strlen(path);

    if (len > 1 && path[len - 1] == '/')
        path[len - 1] = '\0';
    const int code = dev_discovery(x->http->o.core, path, accept.aggregated, &out, &type);
    if (code == 0)
        return false;
    if (code == 404)
        exchange_no_resource(x);
    else if (accept.result == DEV_ACCEPT_UNKNOWN)
        exchange_not_acceptable(
            x, "406: Not Acceptable\n\nAvailable representations: application/json");
    else if (accept.result == DEV_ACCEPT_UNKNOWN_FORM)
        exchange_not_acceptable(x, "only the following media types are accepted: application/json");
    else
        exchange_json(x, 200, type, &out);
    return true;
}

/* -- Resources -- */

static bool take_verb(const exchange_t *x, const dev_kind_t *kind, enum dev_verb *verb)
{
    const dev_target_t *t = &x->target;
    const bool one = t->name != NULL, sub = t->sub != NULL;
    const bool final = sub && strcmp(t->sub, "finalize") == 0;
    const bool everywhere = (kind->flags & DEV_NAMESPACED) != 0 && t->ns == NULL;
    const struct {
        const char *method;
        bool fits;
        enum dev_verb verb;
    } verbs[] = {
        {"GET", x->watches && !sub, DEV_WATCH},
        {"GET", one && !final, DEV_GET},
        {"GET", !one, DEV_LIST},
        {"POST", !one && !everywhere, DEV_CREATE},
        {"PUT", one, DEV_UPDATE},
        {"PATCH", one && !final, DEV_PATCH},
        {"DELETE", one && !sub, DEV_DELETE},
        {"DELETE", !one && !everywhere && (kind->flags & DEV_NO_COLLECTION_DELETE) == 0,
         DEV_DELETE_COLLECTION},
    };

    for (size_t i = 0; i < HOST_LEN(verbs); i++) {
        if (verbs[i].fits && is_method(x, verbs[i].method)) {
            *verb = verbs[i].verb;
            return true;
        }
    }
    return false;
}

static bool has_sub(const dev_kind_t *kind, const char *version, const char *sub)
{
    const dev_version_t *v = NULL;

    for (size_t i = 0; i < HOST_LEN(kind->versions) && kind->versions[i].name != NULL; i++) {
        if (strcmp(kind->versions[i].name, version) == 0)
            v = &kind->versions[i];
    }
    if (sub == NULL || v == NULL)
        return v != NULL;
    if (strcmp(sub, "finalize") == 0)
        return kind->group[0] == '\0' && strcmp(kind->resource, "namespaces") == 0;
    return (strcmp(sub, "status") == 0 && v->status) || (strcmp(sub, "scale") == 0 && v->scale);
}

/* What the real server has and this one has not: false after an answer that says so. */
static bool check_served(exchange_t *x, const dev_kind_t *kind)
{
    static const char *const missing[] = {
        "pods/attach",      "pods/binding", "pods/ephemeralcontainers",
        "pods/eviction",    "pods/exec",    "pods/log",
        "pods/portforward", "pods/proxy",   "pods/resize",
        "services/proxy",   "nodes/proxy",  "serviceaccounts/token"};
    host_cleanup(host_freep) char *asked =
        host_xprintf("%s/%s", kind->resource, x->target.sub != NULL ? x->target.sub : "");

    for (size_t i = 0; kind->group[0] == '\0' && i < HOST_LEN(missing); i++) {
        if (strcmp(asked, missing[i]) != 0)
            continue;
        host_cleanup(host_freep) char *text = host_xprintf(
            "the embedded API server of Leasehold does not serve %s (see docs/devapi.md)", asked);
        exchange_fail(x, 501, "NotImplemented", text);
        return false;
    }
    return true;
}

/* False after an answer. */
static bool check_accept(exchange_t *x, const dev_request_t *r, const dev_accept_t *accept)
{
    host_cleanup(host_freep) char *text = NULL;

    if (accept->result == DEV_ACCEPT_UNKNOWN)
        text = host_xstrdup("406: Not Acceptable\n\nAvailable representations: application/json, "
                            "application/json;stream=watch");
    else if (accept->result == DEV_ACCEPT_UNKNOWN_FORM)
        text = host_xstrdup("only the following media types are accepted: application/json");
    else if (accept->list && r->verb == DEV_GET)
        text = host_xprintf("you requested PartialObjectMetadataList, but the requested object is "
                            "not a list (*%.*s.%s)",
                            r->kind->group[0] != '\0' ? (int) strcspn(r->kind->group, ".") : 4,
                            r->kind->group[0] != '\0' ? r->kind->group : "core", r->kind->kind);
    if (text != NULL)
        exchange_not_acceptable(x, text);
    return text == NULL;
}

static void run(exchange_t *x, dev_request_t *r)
{
    host_cleanup(host_freep) char *selector = NULL;
    dev_reply_t reply = {0};

    if (r->verb == DEV_WATCH) {
        if (r->name != NULL) { /* one object, by its path */
            selector =
                host_xprintf("metadata.name=%s%s%s", r->name, r->field_selector != NULL ? "," : "",
                             r->field_selector != NULL ? r->field_selector : "");
            r->field_selector = selector;
            r->name = NULL;
        }
        exchange_watch(x, r);
        return;
    }
    dev_core_serve(x->http->o.core, r, &reply);
    exchange_reply(x, &reply);
}

static void serve_kind(exchange_t *x, const dev_kind_t *kind)
{
    const dev_target_t *t = &x->target;
    const dev_accept_t accept = dev_accept_parse(http_head_get(x->head, "Accept"), false);
    const buf_t *body = http_conn_body(x->conn);
    const char *type = http_head_get(x->head, "Content-Type");
    host_cleanup(host_freep) char *media =
        type != NULL ? host_xprintf("%.*s", (int) strcspn(type, "; "), type) : NULL;
    dev_request_t r = {.kind = kind,
                       .version = t->version,
                       .ns = t->ns,
                       .name = t->name,
                       .subresource = t->sub,
                       .content_type = media,
                       .body = buf_text(body),
                       .body_len = body->len,
                       .shape = accept.shape,
                       .user = DEV_USER,
                       .user_agent = http_head_get(x->head, "User-Agent")};

    exchange_take_options(x, &r);
    if (!check_served(x, kind))
        return;
    if (take_verb(x, kind, &r.verb)) {
        if (check_accept(x, &r, &accept))
            run(x, &r); /* where it is refused when the subresource is unknown */
    } else if (has_sub(kind, t->version, t->sub)) {
        exchange_no_method(x);
    } else {
        exchange_no_resource(x);
    }
}

/* A kind is served where its scope says. */
static bool fits_scope(const dev_kind_t *kind, const dev_target_t *t)
{
    if ((kind->flags & DEV_NAMESPACED) == 0)
        return t->ns == NULL;
    return t->ns != NULL || t->name == NULL;
}

static void serve_resource(exchange_t *x)
{
    const dev_target_t *t = &x->target;
    dev_core_t *core = x->http->o.core;
    const dev_kind_t *kind = dev_core_kind(core, t->group, t->version, t->plural);

    if (dev_review_serves(t))
        exchange_review(x);
    else if (kind != NULL && fits_scope(kind, t) && !t->too_long)
        serve_kind(x, kind);
    else if (dev_discovery_knows(core, t->group, t->version) != DEV_KNOWN_NOTHING)
        exchange_no_resource(x);
    else
        exchange_not_found(x);
}

void exchange_serve(exchange_t *x)
{
    if (serve_health(x) || serve_version(x) || exchange_openapi(x) || serve_discovery(x))
        return;
    if (x->target.resource && x->target.plural != NULL)
        serve_resource(x);
    else
        exchange_not_found(x);
}
