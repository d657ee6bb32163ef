/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first lookup under /api or /apis asks for the server's version, and then loads all that it offers
 * there, if it aggregates.
 * What is not in the cache afterwards, or is to be asked for again, costs one small request for its
 * group version; lookups that come while one is under way wait for it.
 */
#include "kube/discovery.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/list.h"
#include "config/nearest.h"
#include "kube/client_internal.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

#define TIMEOUT (30 * CLOCK_S)
#define AGGREGATED                                                                                 \
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"                        \
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"                   \
    "application/json"

enum root_state { ROOT_UNKNOWN, ROOT_LOADING, ROOT_AGGREGATED, ROOT_LEGACY };

struct root { /* "/api" or "/apis" */
    const char *path;
    enum root_state state;
    kube_call_t *call; /* while loading */
    list_t waiting;    /* lookups, while loading */
    kube_discovery_t *discovery;
};

struct entry {
    char *key; /* "group/version/resource" */
    kube_kind_t kind;
    UT_hash_handle hh;
};

struct kube_discovery {
    kube_client_t *client;
    const log_t *log;
    struct root roots[2];
    unsigned minor; /* of its version; 0: not known */
    struct entry *cache;
    list_t questions;   /* that are under way */
    list_t ready;       /* lookups whose answer is in the cache */
    loop_timer_t timer; /* delivers them */
};

/* A request for the kinds of one group version. */
struct question {
    list_t node; /* among the discovery's */
    kube_discovery_t *discovery;
    char *group, *version;
    kube_call_t *call;
    list_t waiting; /* lookups; when the last one is cancelled the request ends */
};

struct kube_lookup {
    list_t node;
    struct question *question; /* that it waits for; NULL: none */
    kube_discovery_t *discovery;
    char *group, *version, *resource;
    char *key;
    void (*fn)(void *arg, int code, const kube_kind_t *kind, const lh_error_t *err,
               int64_t retry_after);
    void *arg;
};

/* -- Cache -- */

static void entry_free(kube_discovery_t *d, struct entry *e)
{
    HASH_DEL(d->cache, e);
    free(e->key);
    free(e->kind.kind);
    free(e);
}

static struct entry *entry_find(kube_discovery_t *d, const char *key)
{
    struct entry *e = NULL;

    HASH_FIND_STR(d->cache, key, e);
    return e;
}

static void forget(kube_discovery_t *d, const char *key)
{
    struct entry *e = entry_find(d, key);

    if (e != NULL)
        entry_free(d, e);
}

/* What lookups wait for; it comes back if it is there. */
static void forget_asked(kube_discovery_t *d, const struct question *q)
{
    LIST_EACH (&q->waiting, it, next) {
        forget(d, LIST_ENTRY(it, kube_lookup_t, node)->key);
    }
}

static bool has_verb(const cJSON *verbs, const char *verb)
{
    const cJSON *it;

    cJSON_ArrayForEach (it, verbs) {
        if (cJSON_IsString(it) && strcmp(it->valuestring, verb) == 0)
            return true;
    }
    return false;
}

static const cJSON *field(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text(const cJSON *object, const char *key)
{
    const char *s = cJSON_GetStringValue(field(object, key));
    return s != NULL ? s : "";
}

static void remember(kube_discovery_t *d, const char *group, const char *version,
                     const char *resource, const char *kind, bool namespaced, const cJSON *verbs)
{
    if (resource[0] == '\0' || kind[0] == '\0' || strchr(resource, '/') != NULL)
        return; /* a subresource */
    struct entry *e = host_xcalloc(1, sizeof(*e));

    e->key = host_xprintf("%s/%s/%s", group, version, resource);
    forget(d, e->key);
    e->kind.kind = host_xstrdup(kind);
    e->kind.namespaced = namespaced;
    e->kind.watchable = has_verb(verbs, "list") && has_verb(verbs, "watch");
    HASH_ADD_KEYPTR(hh, d->cache, e->key, strlen(e->key), e);
}

/* An APIGroupDiscoveryList; false when json is none. */
static bool take_aggregated(kube_discovery_t *d, const cJSON *json)
{
    const cJSON *group, *version, *resource;

    if (strcmp(text(json, "kind"), "APIGroupDiscoveryList") != 0)
        return false;
    cJSON_ArrayForEach (group, field(json, "items")) {
        const char *group_name = text(field(group, "metadata"), "name");
        cJSON_ArrayForEach (version, field(group, "versions")) {
            cJSON_ArrayForEach (resource, field(version, "resources")) {
                remember(d, group_name, text(version, "version"), text(resource, "resource"),
                         text(field(resource, "responseKind"), "kind"),
                         strcmp(text(resource, "scope"), "Namespaced") == 0,
                         field(resource, "verbs"));
            }
        }
    }
    return true;
}

/* An APIResourceList; false when json is none. */
static bool take_resources(kube_discovery_t *d, const struct question *q, const cJSON *json)
{
    const cJSON *resource;

    if (strcmp(text(json, "kind"), "APIResourceList") != 0)
        return false;
    forget_asked(d, q);
    cJSON_ArrayForEach (resource, field(json, "resources")) {
        remember(d, q->group, q->version, text(resource, "name"), text(resource, "kind"),
                 cJSON_IsTrue(field(resource, "namespaced")), field(resource, "verbs"));
    }
    return true;
}

/* -- Lookups -- */

static void question_free(struct question *q)
{
    list_remove(&q->node);
    if (q->call != NULL)
        kube_call_cancel(q->call);
    free(q->group);
    free(q->version);
    free(q);
}

static void lookup_free(kube_lookup_t *l)
{
    list_remove(&l->node);
    if (l->question != NULL && list_empty(&l->question->waiting))
        question_free(l->question);
    free(l->group);
    free(l->version);
    free(l->resource);
    free(l->key);
    free(l);
}

static void answer(kube_lookup_t *l, int code, const kube_kind_t *kind, const lh_error_t *err,
                   int64_t retry_after)
{
    l->fn(l->arg, code, kind, err, retry_after);
    lookup_free(l);
}

/* The nearest of what the group version does offer is named: a manifest may hold a slip. */
static int not_offered(const kube_lookup_t *l, lh_error_t *err)
{
    const size_t prefix = strlen(l->key) - strlen(l->resource);
    nearest_t nearest = NEAREST_INIT(l->resource);
    char hint[NEAREST_MAX + 32];
    struct entry *e, *tmp;

    HASH_ITER (hh, l->discovery->cache, e, tmp) {
        if (strncmp(e->key, l->key, prefix) == 0)
            config_nearest_offer(&nearest, e->key + prefix, e->key + prefix);
    }
    return host_fail(err, LH_ENOTFOUND, "resource '%s' (%s%s%s) is not installed%s", l->resource,
                     l->group, l->group[0] != '\0' ? "/" : "", l->version,
                     config_nearest_text(&nearest, hint, sizeof(hint)));
}

/* Unlinks l first, so that fn may cancel or start others. */
static void answer_from_cache(kube_lookup_t *l)
{
    const struct entry *e = entry_find(l->discovery, l->key);
    lh_error_t err;

    list_remove(&l->node);
    if (e != NULL) {
        answer(l, 0, &e->kind, NULL, 0);
        return;
    }
    const int code = not_offered(l, &err);
    answer(l, code, NULL, &err, 0);
}

static void on_ready(loop_timer_t *timer)
{
    kube_discovery_t *d = HOST_CONTAINER(timer, kube_discovery_t, timer);
    list_t now, *node;

    list_init(&now);
    while ((node = list_pop(&d->ready)) != NULL)
        list_append(&now, node);
    while (!list_empty(&now))
        answer_from_cache(LIST_ENTRY(now.next, kube_lookup_t, node));
}

/* What answers in the API server's place, as a proxy's page, says nothing about kinds. */
static int fail_rubbish(const char *expected, lh_error_t *err)
{
    return host_fail(err, LH_EPARSE, "discovery: the answer is not %s", expected);
}

/* The answer is in the cache, or err says why not. Callbacks may cancel other lookups. */
static void end_question(struct question *q, const lh_error_t *err, int64_t retry_after)
{
    list_t waiting, *node;

    list_init(&waiting);
    while ((node = list_pop(&q->waiting)) != NULL) {
        list_append(&waiting, node);
        LIST_ENTRY(node, kube_lookup_t, node)->question = NULL;
    }
    question_free(q);
    while (!list_empty(&waiting)) {
        kube_lookup_t *l = LIST_ENTRY(waiting.next, kube_lookup_t, node);

        if (err == NULL) {
            answer_from_cache(l);
            continue;
        }
        list_remove(&l->node);
        answer(l, err->code, NULL, err, retry_after);
    }
}

static void on_group_version(void *arg, const kube_result_t *result)
{
    struct question *q = arg;
    lh_error_t err;

    q->call = NULL;
    if (result->code == 0) {
        cJSON *json = cJSON_ParseWithLength(result->body, result->body_len);
        bool taken = take_resources(q->discovery, q, json);

        cJSON_Delete(json);
        if (!taken)
            (void) fail_rubbish("an APIResourceList", &err);
        end_question(q, taken ? NULL : &err, 0);
    } else if (result->code == LH_ENOTFOUND) {
        forget_asked(q->discovery, q);
        end_question(q, NULL, 0);
    } else {
        err = result->error;
        end_question(q, &err, result->retry_after);
    }
}

static int send_question(struct question *q, lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t path = BUF_INIT;

    /* A resource's path without the resource. */
    kube_gvr_t gvr = {q->group, q->version, ""};
    int ret = kube_path(&path, &gvr, NULL, NULL);

    if (ret < 0)
        return host_fail(err, ret, "discovery: %s", lh_strerror(ret));
    path.data[--path.len] = '\0'; /* the slash */
    const kube_request_t request = {.method = "GET",
                                    .path = buf_text(&path),
                                    .timeout = TIMEOUT,
                                    .on_done = on_group_version,
                                    .arg = q};

    return kube_client_send(q->discovery->client, &request, &q->call, err);
}

static struct question *find_question(kube_discovery_t *d, const kube_lookup_t *l)
{
    LIST_EACH (&d->questions, it, next) {
        struct question *q = LIST_ENTRY(it, struct question, node);

        if (strcmp(q->group, l->group) == 0 && strcmp(q->version, l->version) == 0)
            return q;
    }
    return NULL;
}

static int ask_group_version(kube_lookup_t *l, lh_error_t *err)
{
    struct question *q = find_question(l->discovery, l);

    if (q == NULL) {
        q = host_xcalloc(1, sizeof(*q));
        q->discovery = l->discovery;
        q->group = host_xstrdup(l->group);
        q->version = host_xstrdup(l->version);
        list_init(&q->waiting);
        list_append(&l->discovery->questions, &q->node);
        const int ret = send_question(q, err);

        if (ret < 0) {
            question_free(q);
            return ret;
        }
    }
    l->question = q;
    list_append(&q->waiting, &l->node);
    return 0;
}

static void ask_or_fail(kube_lookup_t *l)
{
    lh_error_t err;
    int ret = ask_group_version(l, &err);

    if (ret < 0)
        answer(l, ret, NULL, &err, 0);
}

/* ROOT_UNKNOWN, with *err: to be asked again. */
static enum root_state take_root(kube_discovery_t *d, const kube_result_t *result, lh_error_t *err)
{
    if (result->status == 404 || result->status == 406)
        return ROOT_LEGACY;
    if (result->code != 0) {
        *err = result->error;
        return ROOT_UNKNOWN;
    }
    cJSON *json = cJSON_ParseWithLength(result->body, result->body_len);
    const char *kind = text(json, "kind");
    bool legacy = strcmp(kind, "APIVersions") == 0 || strcmp(kind, "APIGroupList") == 0;
    bool aggregated = !legacy && take_aggregated(d, json);

    cJSON_Delete(json);
    if (!legacy && !aggregated)
        (void) fail_rubbish("a list of API groups", err);
    return aggregated ? ROOT_AGGREGATED : legacy ? ROOT_LEGACY : ROOT_UNKNOWN;
}

/* What root has been loaded with is in the cache, or err says why it could not be. */
static void end_root(struct root *root, const lh_error_t *err, int64_t retry_after)
{
    list_t waiting, *node;

    list_init(&waiting);
    while ((node = list_pop(&root->waiting)) != NULL)
        list_append(&waiting, node);
    while (!list_empty(&waiting)) {
        kube_lookup_t *l = LIST_ENTRY(waiting.next, kube_lookup_t, node);
        list_remove(&l->node);
        if (root->state == ROOT_AGGREGATED)
            answer_from_cache(l);
        else if (root->state == ROOT_LEGACY)
            ask_or_fail(l);
        else
            answer(l, err->code, NULL, err, retry_after);
    }
}

static void on_root(void *arg, const kube_result_t *result)
{
    struct root *root = arg;
    lh_error_t err;

    root->call = NULL;
    root->state = take_root(root->discovery, result, &err);
    end_root(root, &err, result->retry_after);
}

/* 34 of "34" and "34+"; 0 of what is no version. */
static unsigned take_minor(const kube_result_t *result)
{
    cJSON *json = result->code == 0 ? cJSON_ParseWithLength(result->body, result->body_len) : NULL;
    const unsigned long minor = strtoul(text(json, "minor"), NULL, 10);
    const bool is_one = strcmp(text(json, "major"), "1") == 0;

    cJSON_Delete(json);
    return is_one && minor < 1000 ? (unsigned) minor : 0;
}

/* A server that does not tell its version is asked for its kinds all the same. */
static void on_version(void *arg, const kube_result_t *result)
{
    struct root *root = arg;
    const kube_request_t request = {.method = "GET",
                                    .path = root->path,
                                    .accept = AGGREGATED,
                                    .timeout = TIMEOUT,
                                    .on_done = on_root,
                                    .arg = root};
    const unsigned minor = take_minor(result);
    lh_error_t err;

    root->call = NULL;
    if (minor != 0)
        root->discovery->minor = minor;
    if (kube_client_send(root->discovery->client, &request, &root->call, &err) < 0) {
        root->state = ROOT_UNKNOWN;
        end_root(root, &err, 0);
    }
}

static int load_root(kube_discovery_t *d, struct root *root, lh_error_t *err)
{
    const kube_request_t request = {.method = "GET",
                                    .path = "/version",
                                    .timeout = TIMEOUT,
                                    .on_done = on_version,
                                    .arg = root};
    int ret = kube_client_send(d->client, &request, &root->call, err);

    if (ret == 0)
        root->state = ROOT_LOADING;
    return ret;
}

int kube_discovery_lookup(kube_discovery_t *d, const kube_gvr_t *gvr, bool fresh,
                          void (*fn)(void *arg, int code, const kube_kind_t *kind,
                                     const lh_error_t *err, int64_t retry_after),
                          void *arg, kube_lookup_t **out, lh_error_t *err)
{
    struct root *root = &d->roots[gvr->group[0] != '\0'];
    kube_lookup_t *l = host_xcalloc(1, sizeof(*l));
    int ret = 0;

    list_init(&l->node);
    l->discovery = d;
    l->group = host_xstrdup(gvr->group);
    l->version = host_xstrdup(gvr->version);
    l->resource = host_xstrdup(gvr->resource);
    l->key = host_xprintf("%s/%s/%s", gvr->group, gvr->version, gvr->resource);
    l->fn = fn;
    l->arg = arg;
    if (!fresh && entry_find(d, l->key) != NULL) {
        list_append(&d->ready, &l->node);
        loop_timer_set(&d->timer, clock_now());
    } else if (root->state == ROOT_AGGREGATED || root->state == ROOT_LEGACY) {
        ret = ask_group_version(l, err);
    } else {
        if (root->state == ROOT_UNKNOWN)
            ret = load_root(d, root, err);
        if (ret == 0)
            list_append(&root->waiting, &l->node);
    }
    if (ret < 0) {
        lookup_free(l);
        return ret;
    }
    if (out != NULL)
        *out = l;
    return 0;
}

void kube_lookup_cancel(kube_lookup_t *l)
{
    lookup_free(l);
}

unsigned kube_discovery_minor(const kube_discovery_t *d)
{
    return d->minor;
}

/* -- Life -- */

kube_discovery_t *kube_discovery_create(kube_client_t *client, const log_t *log)
{
    static const char *const paths[] = {"/api", "/apis"};
    kube_discovery_t *d = host_xcalloc(1, sizeof(*d));

    d->client = client;
    d->log = log;
    list_init(&d->questions);
    list_init(&d->ready);
    loop_timer_init(&d->timer, kube_client_loop(client), on_ready);
    for (size_t i = 0; i < HOST_LEN(d->roots); i++) {
        d->roots[i].path = paths[i];
        d->roots[i].discovery = d;
        list_init(&d->roots[i].waiting);
    }
    return d;
}

static void free_lookups(list_t *list)
{
    while (!list_empty(list))
        lookup_free(LIST_ENTRY(list->next, kube_lookup_t, node));
}

void kube_discovery_destroy(kube_discovery_t *d)
{
    struct entry *e, *tmp;

    if (d == NULL)
        return;
    loop_timer_clear(&d->timer);
    LIST_EACH (&d->questions, it, next) {
        struct question *q = LIST_ENTRY(it, struct question, node);

        LIST_EACH (&q->waiting, at, after) {
            LIST_ENTRY(at, kube_lookup_t, node)->question = NULL;
        }
        free_lookups(&q->waiting);
        question_free(q);
    }
    free_lookups(&d->ready);
    for (size_t i = 0; i < HOST_LEN(d->roots); i++) {
        free_lookups(&d->roots[i].waiting);
        if (d->roots[i].call != NULL)
            kube_call_cancel(d->roots[i].call);
    }
    HASH_ITER (hh, d->cache, e, tmp) {
        entry_free(d, e);
    }
    free(d);
}
