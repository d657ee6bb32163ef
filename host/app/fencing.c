/* SPDX-License-Identifier: Apache-2.0 */
/* The Fence object: read, written, and read again when a write was refused. */
#include "app/fencing_impl.h"
#include "app/fencing_names.h"
#include "base/clock.h"
#include "base/error.h"
#include "kube/path.h"

#include <cjson/cJSON.h>
#include <string.h>

#define SHORTEST_DELAY (10 * CLOCK_MS)
#define LONGEST_DELAY CLOCK_S
#define TIMEOUT (5 * CLOCK_S)
#define NO_KIND "the kind Fence is not installed: apply what 'leasehold rbac' prints"
#define LAST_TERM INT64_C(2147483647)

static void read_fence(app_fencing_t *f);

/* -- Life -- */

static void on_retry(loop_timer_t *timer)
{
    app_fencing_t *f = HOST_CONTAINER(timer, app_fencing_t, retry);

    switch (f->step) {
    case FENCING_READING:
        read_fence(f);
        break;
    case FENCING_RESOLVING:
        fencing_find_places(f);
        break;
    case FENCING_LISTING:
        fencing_list_endpoints(f);
        break;
    case FENCING_PROVING:
        fencing_prove(f);
        break;
    case FENCING_DONE:
    case FENCING_IDLE:
        fencing_forget_places(f);
        break;
    case FENCING_WRITING:
        break;
    }
}

app_fencing_t *app_fencing_create(const app_fencing_options_t *options)
{
    const kube_gvr_t gvr = {FENCING_GROUP, FENCING_VERSION, FENCING_RESOURCE};
    app_fencing_t *f = host_xcalloc(1, sizeof(*f));
    buf_t path = BUF_INIT;

    f->o = *options;
    f->namespace = host_xstrdup(options->namespace);
    f->name = host_xstrdup(options->name);
    f->identity = host_xstrdup(options->identity);
    f->policy = fencing_policy(options->namespace, options->name);
    if (kube_path(&path, &gvr, options->namespace, options->name) < 0)
        abort();
    f->path = buf_steal(&path);
    f->check = health_add(options->health, "fencing", 0, HEALTH_READYZ);
    health_set(f->check, true, NULL);
    loop_timer_init(&f->retry, options->loop, on_retry);
    return f;
}

void app_fencing_destroy(app_fencing_t *f)
{
    if (f == NULL)
        return;
    app_fencing_end(f);
    fencing_forget_places(f);
    loop_timer_clear(&f->retry);
    health_remove(f->o.health, f->check);
    for (size_t i = 0; i < f->user_count; i++)
        free(f->users[i]);
    free(f->users);
    free(f->told);
    free(f->namespace);
    free(f->name);
    free(f->identity);
    free(f->path);
    free(f->policy);
    free(f->said);
    free(f);
}

void app_fencing_add_user(app_fencing_t *f, const char *user)
{
    const size_t n = f->user_count++;
    char **users = host_xcalloc(n + 1, sizeof(*users));

    for (size_t i = 0; i < n; i++)
        users[i] = f->users[i];
    users[n] = host_xstrdup(user);
    free(f->users);
    f->users = users;
    free(f->told);
    f->told = host_xcalloc(n + 1, sizeof(*f->told));
}

const char *app_fencing_policy(const app_fencing_t *f)
{
    return f->policy;
}

void fencing_later(app_fencing_t *f, const char *reason)
{
    /* At first caches may only be late, and each reason is told once. */
    if (f->delay >= CLOCK_S / 2 && (f->said == NULL || strcmp(f->said, reason) != 0)) {
        log_warn(f->o.log, "fencing: %s", reason);
        free(f->said);
        f->said = host_xstrdup(reason);
    }
    health_set(f->check, false, reason);
    if (f->retry.at != CLOCK_NEVER)
        return; /* another one has failed as well */
    loop_timer_set(&f->retry, clock_now() + f->delay);
    f->delay = HOST_MIN(2 * f->delay, LONGEST_DELAY);
}

bool fencing_refused(const app_fencing_t *f, const kube_result_t *result)
{
    host_cleanup(host_freep) char *quoted =
        host_xprintf("ValidatingAdmissionPolicy '%s", f->policy);

    return result->named_status && strstr(result->body, quoted) != NULL;
}

void fencing_done(app_fencing_t *f)
{
    const bool first = !f->proved_all;

    f->step = FENCING_DONE;
    f->proved_all = true;
    if (first)
        log_info(f->o.log, "fencing: writes of earlier terms are refused, after %.0f ms",
                 (double) (clock_now() - f->begun_at) / (double) CLOCK_MS);
    loop_timer_set(&f->retry, clock_now()); /* the clients may not go from within a callback */
}

/* -- The Fence -- */

static void stop_at_end(app_fencing_t *f, int64_t term)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("the Fence has term %lld, and none comes after it: delete the Fence '%s' and "
                     "the Lease",
                     (long long) term, f->name);

    f->step = FENCING_READING;
    fencing_later(f, text);
}

/* The Fence holds our term. */
static void go_on(app_fencing_t *f)
{
    f->delay = SHORTEST_DELAY;
    if (f->proved_all) {
        fencing_done(f);
        return;
    }
    f->step = FENCING_RESOLVING;
    fencing_find_places(f);
}

/* The outcome of a write, also an unknown one, is best read. */
static void on_written(void *arg, const kube_result_t *result)
{
    app_fencing_t *f = arg;

    f->call = NULL;
    if (result->code == 0) {
        go_on(f);
        return;
    }
    f->step = FENCING_READING;
    if (result->status == 404)
        fencing_later(f, NO_KIND);
    else
        fencing_later(f, result->error.text);
}

static void send_fence(app_fencing_t *f, const char *method, const cJSON *object)
{
    char *body = cJSON_PrintUnformatted(object);
    host_cleanup(host_freep) char *all = host_xstrdup(f->path);
    lh_error_t err = {0};

    if (method[1] == 'O') /* a POST goes to the collection */
        *strrchr(all, '/') = '\0';
    const kube_request_t request = {.method = method,
                                    .path = all,
                                    .body = body,
                                    .body_len = body != NULL ? strlen(body) : 0,
                                    .timeout = TIMEOUT,
                                    .fence = f->fence,
                                    .on_done = on_written,
                                    .arg = f};

    f->step = FENCING_WRITING;
    f->sent = true;
    if (kube_client_send(f->o.writes, &request, &f->call, &err) < 0) {
        f->step = FENCING_READING;
        fencing_later(f, err.text);
    }
    cJSON_free(body);
}

static void set_term(const app_fencing_t *f, cJSON *object)
{
    cJSON *spec = cJSON_CreateObject();

    cJSON_AddStringToObject(spec, "holderIdentity", f->identity);
    cJSON_AddNumberToObject(spec, "leaseTransitions", (double) f->fence->term);
    cJSON_DeleteItemFromObjectCaseSensitive(object, "spec");
    cJSON_AddItemToObject(object, "spec", spec);
}

static void create_fence(app_fencing_t *f)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *meta = cJSON_AddObjectToObject(object, "metadata");

    cJSON_AddStringToObject(object, "apiVersion", FENCING_GROUP "/" FENCING_VERSION);
    cJSON_AddStringToObject(object, "kind", "Fence");
    cJSON_AddStringToObject(meta, "name", f->name);
    set_term(f, object);
    send_fence(f, "POST", object);
    cJSON_Delete(object);
}

/* Rule 7 of docs/election.md: a number of another holder that is not below ours is a loss. */
static void compare(app_fencing_t *f, cJSON *object)
{
    const cJSON *spec = cJSON_GetObjectItemCaseSensitive(object, "spec");
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(spec, "leaseTransitions");
    const char *holder =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(spec, "holderIdentity"));
    const int64_t own = (int64_t) f->fence->term;

    if (!cJSON_IsNumber(number) || holder == NULL) {
        f->step = FENCING_READING;
        fencing_later(f, "the Fence cannot be read: it has no term");
        return;
    }
    const int64_t seen = (int64_t) number->valuedouble;

    if (seen < own) {
        set_term(f, object);
        send_fence(f, "PUT", object); /* with the resourceVersion that was read */
    } else if (seen == own && f->sent && strcmp(holder, f->identity) == 0) {
        go_on(f);
    } else if (seen >= LAST_TERM) {
        stop_at_end(f, seen);
    } else {
        log_warn(f->o.log, "the Fence has term %lld of '%s', ours is %lld", (long long) seen,
                 holder, (long long) own);
        health_set(f->check, false, "the Fence has a later term");
        f->o.on_outnumbered(f->o.arg, f->fence->term, seen);
    }
}

static void on_read(void *arg, const kube_result_t *result)
{
    app_fencing_t *f = arg;

    f->call = NULL;
    if (result->status == 404 && result->named_status) {
        create_fence(f);
    } else if (result->status == 404) {
        fencing_later(f, NO_KIND);
    } else if (result->code != 0) {
        fencing_later(f, result->error.text);
    } else {
        cJSON *object = cJSON_ParseWithLength(result->body, result->body_len);

        compare(f, object);
        cJSON_Delete(object);
    }
}

static void read_fence(app_fencing_t *f)
{
    const kube_request_t request = {
        .method = "GET", .path = f->path, .timeout = TIMEOUT, .on_done = on_read, .arg = f};
    lh_error_t err = {0};

    f->step = FENCING_READING;
    if (kube_client_send(f->o.reads, &request, &f->call, &err) < 0)
        fencing_later(f, err.text);
}

/* -- The term -- */

void app_fencing_begin(app_fencing_t *f, fence_t *fence)
{
    loop_timer_clear(&f->retry);
    fencing_forget_places(f);
    f->fence = fence_ref(fence);
    f->sent = false;
    f->proved_all = false;
    free(host_steal(f->said));
    f->delay = SHORTEST_DELAY;
    f->begun_at = clock_now();
    if (f->user_count > 0)
        memset(f->told, 0, f->user_count * sizeof(*f->told));
    health_set(f->check, false, "the Fence is being written");
    read_fence(f);
}

void app_fencing_check(app_fencing_t *f)
{
    if (f->step == FENCING_DONE && f->retry.at == CLOCK_NEVER)
        read_fence(f);
}

void app_fencing_end(app_fencing_t *f)
{
    if (f->call != NULL)
        kube_call_cancel(host_steal(f->call));
    kube_resolve_cancel(host_steal(f->resolve));
    fencing_cancel_proofs(f);
    f->step = FENCING_IDLE;
    loop_timer_set(&f->retry, clock_now()); /* as in fencing_done */
    fence_unref(host_steal(f->fence));
    health_set(f->check, true, NULL);
}
