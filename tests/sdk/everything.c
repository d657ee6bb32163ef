/* SPDX-License-Identifier: Apache-2.0 */
#include "everything.h"

#include <time.h>

enum { WAIT_STEP_MS = 10, WAIT_STEPS = 6000 };

struct lh_plugin {
    const lh_host_t *host;
    pthread_mutex_t lock; /* guards all below: reconciles run on workers */
    outcome_t *kept;      /* outcomes without a ctx to write them with */
    outcome_t activated;
    lh_ctx_t term, old_term;   /* id 0: none yet */
    lh_ctx_t last, old_last;   /* some reconcile of the term */
    lh_snapshot_t *old_object; /* kept by "old-key" for later terms, as the next */
    lh_cursor_t *old_walk;
};

/* -- Outcomes -- */

static void count_case(const lh_host_t *host, const outcome_t *o)
{
    const char *names[] = {"case"}, *values[] = {o->test};
    const lh_metric_t metric = {.struct_size = sizeof(metric),
                                .type = LH_METRIC_COUNTER,
                                .name = "everything_cases_total",
                                .label_names = names,
                                .label_values = values,
                                .label_count = 1,
                                .value = 1};

    (void) lh_emit_metric(host, &metric, NULL);
    lh_logf(host, (lh_ctx_t){0}, LH_LOG_INFO, "sdk-suite: %s of %s/%s is over", o->test, o->ns,
            o->name);
}

/* Writes NAME-result: creates it, or replaces the one of an earlier run. */
static int outcome_write(const lh_host_t *host, lh_ctx_t ctx, const outcome_t *o, lh_error_t *err)
{
    char data[sizeof(o->data) + 2], *body;

    (void) snprintf(data, sizeof(data), "{%s}", o->data);
    body = lh_json_printf("{'apiVersion':'v1','kind':'ConfigMap',"
                          "'metadata':{'name':'%s-result'},'data':%s}",
                          o->name, data);
    if (body == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    int ret =
        lh_callf(host, ctx, "POST", body, NULL, err, "/api/v1/namespaces/%s/configmaps", o->ns);
    if (ret == LH_EEXISTS)
        ret = lh_callf(host, ctx, "PUT", body, NULL, err,
                       "/api/v1/namespaces/%s/configmaps/%s-result", o->ns, o->name);
    free(body);
    return ret;
}

static void keep(lh_plugin_t *self, outcome_t *o)
{
    (void) pthread_mutex_lock(&self->lock);
    o->next = self->kept;
    self->kept = o;
    (void) pthread_mutex_unlock(&self->lock);
}

static outcome_t *take_kept(lh_plugin_t *self)
{
    (void) pthread_mutex_lock(&self->lock);
    outcome_t *o = self->kept;
    if (o != NULL)
        self->kept = o->next;
    (void) pthread_mutex_unlock(&self->lock);
    return o;
}

static int write_kept(lh_plugin_t *self, lh_ctx_t ctx, lh_error_t *err)
{
    for (outcome_t *o; (o = take_kept(self)) != NULL; free(o)) {
        const int ret = outcome_write(self->host, ctx, o, err);
        if (ret < 0) {
            keep(self, o);
            return ret;
        }
    }
    return 0;
}

/* -- A run -- */

static void run_free(run_t *run)
{
    lh_snapshot_release(run->host, run->object);
    free(run->outcome);
    free(run);
}

static void run_finish(run_t *run)
{
    lh_error_t err = {0};
    int ret = 0;

    count_case(run->host, run->outcome);
    if (!run->completed)
        ret = outcome_write(run->host, run->ctx, run->outcome, &err);
    if (run->completed || ret < 0) {
        lh_logf(run->host, (lh_ctx_t){0}, LH_LOG_INFO, "sdk-suite: kept of %s: {%s}",
                run->outcome->name, run->outcome->data);
        keep(run->self, run->outcome);
        run->outcome = NULL;
    }
    if (!run->completed)
        lh_done(run->host, run->completion);
    run_free(run);
}

static void on_posted(void *arg)
{
    run_t *run = arg;

    outcome_add(run->outcome, "post.fn", 0);
    run_finish(run);
}

static void on_answer(void *arg, int code, lh_response_t *response, const lh_error_t *err)
{
    run_t *run = arg;

    (void) err;
    outcome_add(run->outcome, "request", 0);
    outcome_add(run->outcome, "request.callback", code);
    lh_response_release(run->host, response);
    outcome_add(run->outcome, "plugin_thread.call",
                probe_get(run->host, run->probed, run->outcome, NULL));
    if (lh_post(run->host, on_posted, run, NULL, NULL) < 0)
        run_finish(run);
}

/* Takes run: it ends here, or on the plugin thread after the answer. */
static void run_probes(run_t *run)
{
    char path[640];
    lh_api_request_t request = {.struct_size = sizeof(request), .method = "GET", .path = path};

    (void) snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps/%s", run->outcome->ns,
                    run->outcome->name);
    probe_all(run);
    const int code = lh_call_async(run->host, run->probed, &request, on_answer, run, NULL);
    if (code == 0)
        return; /* on_answer may have ended the run by now */
    outcome_add(run->outcome, "request", code);
    run_finish(run);
}

/* -- Cases -- */

static void case_self(run_t *run)
{
    run_probes(run);
}

static void case_completed(run_t *run)
{
    lh_done(run->host, run->completion);
    run->completed = 1;
    run_probes(run);
}

static void case_cancelled(run_t *run)
{
    const struct timespec step = {0, WAIT_STEP_MS * 1000000L};
    int steps = 0;

    /* The call is also where a test may cancel. */
    if (lh_callf(run->host, run->ctx, "GET", NULL, NULL, NULL,
                 "/api/v1/namespaces/%s/configmaps/%s-result", run->outcome->ns,
                 run->outcome->name) == 0) {
        lh_done(run->host, run->completion);
        run_free(run);
        return;
    }
    lh_logf(run->host, (lh_ctx_t){0}, LH_LOG_INFO, "sdk-suite: %s waits", run->outcome->name);
    while (lh_cancelled(run->host, run->ctx) == 0 && steps++ < WAIT_STEPS)
        (void) nanosleep(&step, NULL);
    outcome_add(run->outcome, "wait", steps < WAIT_STEPS ? 0 : LH_ETIMEDOUT);
    run_probes(run);
}

static void case_other(run_t *run, lh_ctx_t probed)
{
    run->probed = probed;
    if (probed.id != 0) {
        run_probes(run);
        return;
    }
    outcome_add(run->outcome, "none", 0);
    run_finish(run);
}

static void case_term(run_t *run)
{
    case_other(run, run->self->term);
}

static void case_old_term(run_t *run)
{
    case_other(run, run->self->old_term);
}

/* One key, so never on two threads at a time. */
static void case_old_key(run_t *run)
{
    const lh_query_t query = {sizeof(query), 0, run->outcome->ns, NULL, NULL};
    lh_plugin_t *self = run->self;

    if (self->old_last.id == 0 && self->old_walk == NULL) {
        self->old_object = lh_snapshot_retain(run->host, run->object);
        (void) lh_cache_list(run->host, run->ctx, &query, &self->old_walk, NULL);
    } else if (self->old_last.id != 0 && self->old_walk != NULL) {
        probe_kept(run, self->old_object, self->old_walk);
    }
    case_other(run, run->self->old_last);
}

static void case_unknown(run_t *run)
{
    case_other(run, (lh_ctx_t){UINT64_MAX});
}

static void case_activate(run_t *run)
{
    (void) snprintf(run->outcome->data, sizeof(run->outcome->data), "%s",
                    run->self->activated.data);
    run_finish(run);
}

static const struct {
    const char *name;
    void (*fn)(run_t *run);
} cases[] = {{"live", case_self},           {"term", case_term},
             {"activate", case_activate},   {"completed", case_completed},
             {"cancelled", case_cancelled}, {"old-term", case_old_term},
             {"old-key", case_old_key},     {"unknown", case_unknown}};

static run_t *run_create(lh_plugin_t *self, const lh_request_t *request, lh_completion_t completion)
{
    run_t *run = calloc(1, sizeof(*run));

    if (run == NULL || (run->outcome = calloc(1, sizeof(*run->outcome))) == NULL) {
        free(run);
        return NULL;
    }
    run->self = self;
    run->host = self->host;
    run->ctx = run->probed = request->ctx;
    run->completion = completion;
    run->object = lh_snapshot_retain(self->host, request->object);
    (void) snprintf(run->outcome->ns, sizeof(run->outcome->ns), "%s", request->key->ns);
    (void) snprintf(run->outcome->name, sizeof(run->outcome->name), "%s", request->key->name);
    (void) lh_json_string(lh_snapshot_json(self->host, request->object),
                          "/metadata/labels/sdk-suite", run->outcome->test,
                          sizeof(run->outcome->test));
    return run;
}

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    lh_error_t err = {0};

    if (request->object == NULL) {
        lh_done(self->host, completion);
        return;
    }
    run_t *run = run_create(self, request, completion);
    if (run == NULL || write_kept(self, request->ctx, &err) < 0) {
        lh_retry(self->host, completion, run == NULL ? "out of memory" : err.text);
        if (run != NULL)
            run_free(run);
        return;
    }
    (void) pthread_mutex_lock(&self->lock);
    self->last = request->ctx;
    (void) pthread_mutex_unlock(&self->lock);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, run->outcome->test) == 0) {
            cases[i].fn(run);
            return;
        }
    }
    lh_done(self->host, completion); /* "report" */
    run_free(run);
}

/* -- Life -- */

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = calloc(1, sizeof(*self));

    (void) instance;
    if (self == NULL) {
        lh_errorf(err, LH_ENOMEM, "out of memory");
        return NULL;
    }
    self->host = host;
    (void) pthread_mutex_init(&self->lock, NULL);
    return self;
}

static void destroy(lh_plugin_t *self)
{
    for (outcome_t *o; (o = take_kept(self)) != NULL;)
        free(o);
    lh_snapshot_release(self->host, self->old_object);
    lh_cursor_release(self->host, self->old_walk);
    (void) pthread_mutex_destroy(&self->lock);
    free(self);
}

static int activate(lh_plugin_t *self, lh_ctx_t ctx, lh_error_t *err)
{
    (void) err;
    (void) pthread_mutex_lock(&self->lock);
    self->old_term = self->term;
    self->old_last = self->last;
    self->term = ctx;
    (void) pthread_mutex_unlock(&self->lock);
    self->activated.len = 0;
    probe_activate(self->host, ctx, &self->activated);
    return 0;
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
    .activate = activate,
};
