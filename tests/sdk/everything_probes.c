/* SPDX-License-Identifier: Apache-2.0 */
#include "everything.h"

#define CONFIG_MAP "/api/v1/namespaces/%s/configmaps/%s"

void outcome_add(outcome_t *o, const char *probe, long long code)
{
    const int len = snprintf(o->data + o->len, sizeof(o->data) - o->len, "%s\"%s\":\"%lld\"",
                             o->len > 0 ? "," : "", probe, code);

    if (len > 0 && (size_t) len < sizeof(o->data) - o->len)
        o->len += (size_t) len;
    else
        o->data[o->len] = '\0';
}

int probe_get(const lh_host_t *host, lh_ctx_t ctx, const outcome_t *o, lh_response_t **out)
{
    return lh_callf(host, ctx, "GET", NULL, out, NULL, CONFIG_MAP, o->ns, o->name);
}

/* 0 when the JSON is that of the outcome's ConfigMap. */
static int is_it(const outcome_t *o, lh_json_t json)
{
    return lh_json_equals(json, "/metadata/name", o->name) ? 0 : LH_EPARSE;
}

static void probe_calls(const run_t *run)
{
    outcome_t *o = run->outcome;
    lh_response_t *response = NULL;
    const int code = probe_get(run->host, run->probed, o, &response);

    outcome_add(o, "call", code);
    if (code == 0) {
        outcome_add(o, "response_status", lh_response_status(run->host, response));
        outcome_add(o, "response_text", is_it(o, lh_response_json(run->host, response)));
    }
    lh_response_release(run->host, response);
    outcome_add(o, "call.write",
                lh_callf(run->host, run->probed, "DELETE", "{}", NULL, NULL, CONFIG_MAP "-absent",
                         o->ns, o->name));
    outcome_add(o, "call.absent",
                lh_callf(run->host, run->probed, "GET", NULL, NULL, NULL, CONFIG_MAP "-absent",
                         o->ns, o->name));
    outcome_add(
        o, "call.bad_method",
        lh_callf(run->host, run->probed, "HEAD", NULL, NULL, NULL, CONFIG_MAP, o->ns, o->name));
    outcome_add(o, "call.bad_path",
                lh_callf(run->host, run->probed, "GET", NULL, NULL, NULL, "/healthz"));
}

static int cache_get(const lh_host_t *host, lh_ctx_t ctx, uint32_t watch, const char *ns,
                     const char *name)
{
    const lh_key_t key = lh_key_of(watch, ns, name);
    lh_snapshot_t *snapshot = NULL;
    const int code = lh_cache_get(host, ctx, &key, &snapshot, NULL);

    lh_snapshot_release(host, snapshot);
    return code;
}

/* Patches the ConfigMap `target` after a walk has begun. 0 when the walk shows it so. */
static int update_during_walk(const run_t *run, const char *target)
{
    const lh_query_t query = {sizeof(query), 0, run->outcome->ns, NULL, NULL};
    lh_cursor_t *cursor = NULL;
    lh_snapshot_t *snapshot = NULL;
    char mark[32];

    (void) snprintf(mark, sizeof(mark), "%lld", (long long) lh_now(run->host));
    char *body = lh_json_printf("{'metadata':{'annotations':{'walked':'%s'}}}", mark);
    int code = lh_cache_list(run->host, run->probed, &query, &cursor, NULL);

    if (code == 0)
        code = lh_callf(run->host, run->probed, "PATCH", body, NULL, NULL, CONFIG_MAP,
                        run->outcome->ns, target);
    free(body);
    int shown = LH_ENOTFOUND;
    while (code == 0 && (code = lh_cursor_next(run->host, cursor, &snapshot, NULL)) == 0 &&
           snapshot != NULL) {
        const lh_json_t json = lh_snapshot_json(run->host, snapshot);

        if (lh_json_equals(json, "/metadata/name", target))
            shown = lh_json_equals(json, "/metadata/annotations/walked", mark) ? 0 : LH_ESTATE;
        lh_snapshot_release(run->host, snapshot);
    }
    lh_cursor_release(run->host, cursor);
    return code < 0 ? code : shown;
}

void probe_kept(run_t *run, const lh_snapshot_t *snapshot, lh_cursor_t *cursor)
{
    lh_snapshot_t *next = NULL;

    outcome_add(run->outcome, "kept.snapshot",
                is_it(run->outcome, lh_snapshot_json(run->host, snapshot)));
    outcome_add(run->outcome, "kept.cursor", lh_cursor_next(run->host, cursor, &next, NULL));
    lh_snapshot_release(run->host, next);
}

static void probe_list(const run_t *run)
{
    const lh_query_t query = {sizeof(query), 0, run->outcome->ns, NULL, NULL};
    lh_cursor_t *cursor = NULL;
    lh_snapshot_t *snapshot = NULL;
    long long objects = 0;
    char target[254] = "none";
    int code = lh_cache_list(run->host, run->probed, &query, &cursor, NULL);

    outcome_add(run->outcome, "cache_list", code);
    if (code < 0) {
        outcome_add(run->outcome, "walk.update", update_during_walk(run, target));
        return;
    }
    while ((code = lh_cursor_next(run->host, cursor, &snapshot, NULL)) == 0 && snapshot != NULL) {
        const lh_json_t json = lh_snapshot_json(run->host, snapshot);

        objects++;
        if (lh_json_equals(json, "/metadata/labels/sdk-suite", "report"))
            (void) lh_json_string(json, "/metadata/name", target, sizeof(target));
        lh_snapshot_release(run->host, snapshot);
    }
    outcome_add(run->outcome, "cursor_next", code);
    outcome_add(run->outcome, "cursor.objects", objects);
    lh_cursor_release(run->host, cursor);
    outcome_add(run->outcome, "walk.update", update_during_walk(run, target));
}

static int enqueue(const lh_host_t *host, lh_ctx_t ctx, uint32_t watch, const char *ns,
                   const char *name)
{
    const lh_key_t key = lh_key_of(watch, ns, name);

    return lh_enqueue(host, ctx, &key, NULL);
}

static void probe_cache_and_queue(const run_t *run)
{
    outcome_t *o = run->outcome;
    char absent[sizeof(o->name) + 8];

    (void) snprintf(absent, sizeof(absent), "%s-absent", o->name);
    outcome_add(o, "cache_get", cache_get(run->host, run->probed, 0, o->ns, o->name));
    outcome_add(o, "cache_get.absent", cache_get(run->host, run->probed, 0, o->ns, absent));
    outcome_add(o, "cache_get.bad_watch", cache_get(run->host, run->probed, 99, o->ns, o->name));
    probe_list(run);
    outcome_add(o, "snapshot_text", is_it(o, lh_snapshot_json(run->host, run->object)));
    outcome_add(o, "enqueue", enqueue(run->host, run->probed, 0, o->ns, absent));
    outcome_add(o, "enqueue.bad_watch", enqueue(run->host, run->probed, 99, o->ns, absent));
    outcome_add(o, "event",
                lh_emit_event(run->host, run->probed, run->object, LH_EVENT_NORMAL, "Probed",
                              "the SDK suite was here", NULL));
    outcome_add(o, "cancelled", lh_cancelled(run->host, run->probed));
}

static void do_nothing(void *arg)
{
    (void) arg;
}

static void probe_without_ctx(const run_t *run)
{
    outcome_t *o = run->outcome;
    lh_metric_t metric = {.struct_size = sizeof(metric),
                          .type = LH_METRIC_GAUGE,
                          .name = "everything_gauge",
                          .value = 1};
    const int64_t before = lh_now(run->host);
    void *arg = malloc(1);

    outcome_add(o, "metric", lh_emit_metric(run->host, &metric, NULL));
    metric.type = LH_METRIC_COUNTER;
    metric.name = "everything_counter";
    metric.value = -1;
    outcome_add(o, "metric.negative", lh_emit_metric(run->host, &metric, NULL));
    outcome_add(o, "now", before > 0 && lh_now(run->host) >= before ? 0 : LH_EINVAL);
    outcome_add(o, "get_extension", lh_extension(run->host, "lh.none/1") == NULL ? 0 : LH_EINVAL);
    const int code = lh_post(run->host, do_nothing, arg, free, NULL);
    if (code < 0)
        free(arg);
    outcome_add(o, "post", code);
    lh_log(run->host, run->probed, LH_LOG_DEBUG, "sdk-suite: a line");
    lh_set_ready(run->host, 1, "sdk-suite");
}

typedef struct foreign {
    const run_t *run;
    int call, cache;
} foreign_t;

static void *on_foreign_thread(void *arg)
{
    foreign_t *f = arg;
    const outcome_t *o = f->run->outcome;

    f->call = probe_get(f->run->host, f->run->probed, o, NULL);
    f->cache = cache_get(f->run->host, f->run->probed, 0, o->ns, o->name);
    return NULL;
}

static void probe_foreign_thread(const run_t *run)
{
    foreign_t f = {run, 0, 0};
    pthread_t thread;

    if (pthread_create(&thread, NULL, on_foreign_thread, &f) != 0)
        return;
    (void) pthread_join(thread, NULL);
    outcome_add(run->outcome, "foreign_thread.call", f.call);
    outcome_add(run->outcome, "foreign_thread.cache_get", f.cache);
}

void probe_all(run_t *run)
{
    probe_calls(run);
    probe_cache_and_queue(run);
    probe_without_ctx(run);
    probe_foreign_thread(run);
}

void probe_activate(const lh_host_t *host, lh_ctx_t ctx, outcome_t *o)
{
    outcome_add(o, "call",
                lh_callf(host, ctx, "GET", NULL, NULL, NULL,
                         "/api/v1/configmaps?labelSelector=sdk-suite&limit=1"));
    outcome_add(o, "cache_get", cache_get(host, ctx, 0, "default", "sdk-suite-none"));
    outcome_add(o, "cancelled", lh_cancelled(host, ctx));
}
