/* SPDX-License-Identifier: Apache-2.0 */
#include "janitor.h"

#include "counter.h"

/* Timers run on a clock that the administrator cannot set; the end of a TTL is on one that he can. */
#define LOOK_AGAIN LH_HOUR

struct lh_plugin {
    const lh_host_t *host;
    settings_t settings;
};

/* One reconcile. */
typedef struct work {
    lh_plugin_t *self;
    const lh_request_t *request;
    const kind_t *kind;
    lh_json_t object;
} work_t;

static void complain(void *arg, const char *text)
{
    const work_t *w = arg;

    lh_log(w->self->host, w->request->ctx, LH_LOG_WARN, text);
}

static void count(const work_t *w, const verdict_t *verdict)
{
    const counter_label_t labels[] = {{"resource", w->kind->resource},
                                      {"reason", verdict->label},
                                      {"dry_run", w->self->settings.dry_run ? "true" : "false"},
                                      {NULL, NULL}};

    counter_add(w->self->host, "deletions_total",
                "Objects deleted, or in a dry run that would have been.", labels);
}

/* The object as it was judged, and no later state of it: whoever takes the annotation away in the last
 * moment has the object. */
static int delete_object(const work_t *w, const verdict_t *verdict, lh_error_t *err)
{
    const lh_key_t *key = w->request->key;
    const lh_ref_t ref = lh_ref_of(w->kind->api_version, w->kind->resource, key->ns, key->name);
    char version[64];
    int ret = lh_json_string(w->object, "/metadata/resourceVersion", version, sizeof(version));

    if (ret < 0)
        return lh_errorf(err, ret, "metadata.resourceVersion: %s", lh_strerror(ret));
    const lh_delete_options_t options = {w->request->uid, version, LH_PROPAGATION_BACKGROUND};
    ret = lh_delete(w->self->host, w->request->ctx, &ref, &options, err);
    if (ret == LH_ENOTFOUND || ret == LH_ECONFLICT)
        return 0; /* somebody was faster; a newer state leads to the next reconcile */
    if (ret < 0)
        return ret;
    lh_logf(w->self->host, w->request->ctx, LH_LOG_INFO, "%s %s", w->kind->kind, verdict->note);
    (void) lh_emit_event(w->self->host, w->request->ctx, w->request->object, LH_EVENT_NORMAL,
                         verdict->reason, verdict->note, NULL);
    count(w, verdict);
    return 0;
}

static int expire(const work_t *w, const verdict_t *verdict, lh_error_t *err)
{
    if (!w->self->settings.dry_run)
        return delete_object(w, verdict, err);
    lh_logf(w->self->host, w->request->ctx, LH_LOG_INFO, "dry run: %s would be %s", w->kind->kind,
            verdict->note);
    count(w, verdict);
    return 0;
}

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    work_t w = {.self = self, .request = request};
    verdict_t verdict;
    lh_json_t going;

    if (request->object == NULL)
        return 0;
    w.kind = &self->settings.kinds[request->key->watch];
    w.object = lh_snapshot_json(self->host, request->object);
    if (!is_in_scope(&self->settings, w.kind, request->key->ns, request->key->name) ||
        lh_json_at(w.object, "/metadata/deletionTimestamp", &going) == 0)
        return 0;
    judge(&self->settings, w.kind, w.object, &verdict, complain, &w);
    if (verdict.at == JANITOR_FOREVER)
        return 0;
    const int64_t left = verdict.at - lh_time_now();
    if (left <= 0)
        return expire(&w, &verdict, err);
    return lh_again(result, left < LOOK_AGAIN ? left : LOOK_AGAIN);
}

LH_SYNC(reconcile, host)

/* -- Life -- */

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = calloc(1, sizeof(*self));

    if (self == NULL) {
        lh_errorf(err, LH_ENOMEM, "out of memory");
        return NULL;
    }
    self->host = host;
    if (settings_init(&self->settings, instance->config, err) < 0) {
        free(self);
        return NULL;
    }
    if (self->settings.kind_count == 0) /* it may be there for its neighbours' sake only */
        lh_log(host, (lh_ctx_t){0}, LH_LOG_INFO,
               "idle: its configuration names no kinds, so nothing is deleted");
    return self;
}

static void destroy(lh_plugin_t *self)
{
    settings_fini(&self->settings);
    free(self);
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
};
