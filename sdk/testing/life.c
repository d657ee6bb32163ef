/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an instance on the fake host: create, terms, reconciles, destroy. */
#include "fake.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Contexts and faults -- */

void fake_fault(lh_fake_t *f, const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        fake_die("out of memory");
    va_end(args);
    fake_push(&f->faults, text);
}

int fake_ctx_state(lh_fake_t *f, lh_ctx_t ctx)
{
    if (ctx.id == 0 || ctx.id > f->contexts.count)
        return LH_EINVAL;
    const fake_ctx_t *c = f->contexts.items[ctx.id - 1];
    if (c->term <= f->ended_term)
        return LH_EFENCED;
    return c->dead || f->stepping_down ? LH_ECANCELED : 0;
}

int fake_ctx_check(lh_fake_t *f, lh_ctx_t ctx, lh_error_t *err)
{
    const int code = fake_ctx_state(f, ctx);

    return code < 0 ? lh_errorf(err, code, "ctx: %s", lh_strerror(code)) : 0;
}

lh_ctx_t fake_new_ctx(lh_fake_t *f, bool is_reconcile)
{
    fake_ctx_t *c = fake_alloc(sizeof(*c));

    c->term = f->term;
    c->is_reconcile = is_reconcile;
    c->result.action = LH_FAKE_NONE;
    pthread_mutex_lock(&f->lock);
    fake_push(&f->contexts, c);
    const lh_ctx_t ctx = {f->contexts.count};
    pthread_mutex_unlock(&f->lock);
    return ctx;
}

static int cancelled(const lh_host_t *host, lh_ctx_t ctx)
{
    lh_fake_t *f = fake_of(host);

    pthread_mutex_lock(&f->lock);
    const int code = fake_ctx_state(f, ctx);
    pthread_mutex_unlock(&f->lock);
    return code;
}

static void take_result(lh_fake_t *f, fake_ctx_t *c, const lh_result_t *r)
{
    if (r == NULL || r->struct_size < sizeof(*r)) {
        fake_fault(f, "an lh_result_t without its struct_size");
        c->result.action = LH_FAIL;
        return;
    }
    c->result.action = r->action <= LH_FAIL ? r->action : LH_FAIL;
    c->result.after_ns = r->after_ns > 0 ? r->after_ns : 0;
    (void) snprintf(c->result.text, sizeof(c->result.text), "%s", r->text != NULL ? r->text : "");
}

static void complete(const lh_host_t *host, lh_completion_t completion, const lh_result_t *result)
{
    lh_fake_t *f = fake_of(host);

    pthread_mutex_lock(&f->lock);
    fake_ctx_t *c = completion.id > 0 && completion.id <= f->contexts.count
                        ? f->contexts.items[completion.id - 1]
                        : NULL;
    if (c == NULL || !c->is_reconcile) {
        fake_fault(f, "a completion that is none: %llu", (unsigned long long) completion.id);
    } else if (++c->result.completions > 1) {
        fake_fault(f, "a reconcile was completed %u times", c->result.completions);
    } else {
        take_result(f, c, result);
        c->dead = true;
        pthread_cond_broadcast(&f->changed);
    }
    pthread_mutex_unlock(&f->lock);
}

/* -- Making one -- */

lh_fake_t *lh_fake_create(const char *manifest)
{
    lh_fake_t *f = fake_alloc(sizeof(*f));
    pthread_condattr_t monotonic;

    (void) pthread_mutex_init(&f->lock, NULL);
    (void) pthread_condattr_init(&monotonic);
    (void) pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void) pthread_cond_init(&f->changed, &monotonic);
    (void) pthread_condattr_destroy(&monotonic);
    f->host.abi_major = LH_ABI_MAJOR;
    f->host.struct_size = sizeof(f->host);
    f->host.complete = complete;
    f->host.cancelled = cancelled;
    fake_table_api(&f->host);
    fake_table_cache(&f->host);
    fake_table_handles(&f->host);
    fake_table_report(&f->host);
    fake_table_threads(&f->host);
    f->now = INT64_C(1000000000000);
    f->patience = INT64_C(5000000000);
    f->ready = -1;
    f->version = 100;
    fake_read_manifest(f, manifest);
    return f;
}

const lh_host_t *lh_fake_host(lh_fake_t *f)
{
    return &f->host;
}

static void free_list(fake_list_t *list, void (*fn)(void *item))
{
    for (size_t i = 0; i < list->count; i++)
        fn(list->items[i]);
    free(list->items);
}

static void free_object(void *item)
{
    fake_object_t *o = item;

    fake_path_free(&o->at);
    free(o->path);
    free(o);
}

static void free_key(void *item)
{
    fake_key_t *k = item;

    free(k->ns);
    free(k->name);
    free(k);
}

static void free_metric(void *item)
{
    fake_metric_t *m = item;

    free(m->name);
    free(m->series);
    free(m);
}

size_t lh_fake_destroy(lh_fake_t *f)
{
    if (f == NULL)
        return 0;
    lh_fake_deactivate(f);
    lh_fake_stop(f);
    const size_t faults = lh_fake_faults(f);
    for (size_t i = 0; i < faults; i++)
        (void) fprintf(stderr, "fake host: %s: %s\n", f->manifest_id, lh_fake_fault(f, i));
    free_list(&f->watches, fake_watch_free);
    free_list(&f->objects, free_object);
    free_list(&f->keys, free_key);
    free_list(&f->metrics, free_metric);
    free_list(&f->handles, fake_handle_free);
    fake_list_t *const plain[] = {&f->contexts, &f->scripts,    &f->tasks,  &f->calls,  &f->logs,
                                  &f->events,   &f->extensions, &f->faults, &f->strings};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        free_list(plain[i], free);
    free(f->manifest_id);
    free(f->watches_from);
    (void) pthread_cond_destroy(&f->changed);
    (void) pthread_mutex_destroy(&f->lock);
    free(f);
    return faults;
}

size_t lh_fake_faults(lh_fake_t *f)
{
    return f->faults.count - f->forgiven;
}

const char *lh_fake_fault(lh_fake_t *f, size_t index)
{
    return index < lh_fake_faults(f) ? f->faults.items[f->forgiven + index] : NULL;
}

void lh_fake_forgive(lh_fake_t *f)
{
    f->forgiven = f->faults.count;
}

void lh_fake_set_patience(lh_fake_t *f, int64_t ns)
{
    f->patience = ns;
}

/* -- Life -- */

/* Plugin code runs between these, on the thread that is worker and plugin thread. */
static void enter(lh_fake_t *f)
{
    f->thread = pthread_self();
    f->in_plugin = true;
}

static void leave(lh_fake_t *f)
{
    f->in_plugin = false;
}

int lh_fake_start(lh_fake_t *f, const lh_plugin_entry_t *entry, lh_fake_reconcile_t reconcile,
                  const char *config, lh_error_t *err)
{
    lh_error_t own = {0};

    if (f->plugin != NULL)
        fake_die("lh_fake_start: there is an instance already");
    if (entry->abi_major != LH_ABI_MAJOR || !LH_HAS_FIELD(entry, create) ||
        !LH_HAS_FIELD(entry, destroy))
        return lh_errorf(err, LH_EABI, "entry: ABI %u, %u bytes, or create or destroy is missing",
                         entry->abi_major, entry->struct_size);
    cJSON *tree = fake_parse(config != NULL ? config : "{}");
    const char *text = fake_keep(f, cJSON_PrintUnformatted(tree));
    fake_read_config(f, tree);
    cJSON_Delete(tree);
    const lh_instance_t instance = {sizeof(instance), 0, f->manifest_id, text};
    f->entry = entry;
    f->reconcile = reconcile;
    enter(f);
    f->plugin = entry->create(&f->host, &instance, &own);
    leave(f);
    if (f->plugin != NULL)
        return 0;
    if (own.code >= 0)
        fake_fault(f, "create() failed without setting err");
    if (err != NULL)
        *err = own;
    return own.code < 0 ? own.code : LH_EPLUGIN;
}

int lh_fake_activate(lh_fake_t *f, lh_error_t *err)
{
    int ret = 0;

    if (f->plugin == NULL || f->active)
        fake_die("lh_fake_activate: no instance, or it is active");
    f->term++;
    f->stepping_down = false;
    const lh_ctx_t ctx = fake_new_ctx(f, false);
    enter(f);
    f->activating = true; /* the host opens watches after activate() */
    if (LH_HAS_FIELD(f->entry, activate))
        ret = f->entry->activate(f->plugin, ctx, err);
    f->activating = false;
    if (ret == 0)
        fake_run_tasks(f);
    leave(f);
    f->active = ret == 0;
    if (ret < 0)
        lh_fake_end_term(f);
    return ret;
}

void lh_fake_run(lh_fake_t *f)
{
    enter(f);
    fake_run_tasks(f);
    leave(f);
}

void lh_fake_deactivate(lh_fake_t *f)
{
    if (!f->active)
        return;
    lh_fake_step_down(f);
    enter(f);
    fake_run_tasks(f);
    if (LH_HAS_FIELD(f->entry, deactivate))
        f->entry->deactivate(f->plugin);
    leave(f);
    f->active = false;
    lh_fake_end_term(f);
}

void lh_fake_stop(lh_fake_t *f)
{
    if (f->plugin == NULL)
        return;
    lh_fake_deactivate(f);
    enter(f);
    pthread_mutex_lock(&f->lock);
    f->ending = true;
    pthread_mutex_unlock(&f->lock);
    fake_drop_tasks(f);
    f->entry->destroy(f->plugin);
    fake_drop_tasks(f);
    leave(f);
    f->plugin = NULL;
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->contexts.count; i++) {
        const fake_ctx_t *c = f->contexts.items[i];
        if (c->is_reconcile && c->result.completions == 0)
            fake_fault(f, "a reconcile was never completed");
    }
    fake_check_leaks(f);
    pthread_mutex_unlock(&f->lock);
}

lh_plugin_t *lh_fake_plugin(lh_fake_t *f)
{
    return f->plugin;
}

lh_fake_t *lh_fake_lead_(const lh_plugin_entry_t *entry, lh_fake_reconcile_t reconcile,
                         const char *config)
{
    lh_fake_t *f = lh_fake_create(NULL);
    lh_error_t err = {0};

    if (lh_fake_start(f, entry, reconcile, config, &err) < 0)
        fake_die("create() failed: %s", err.text);
    if (lh_fake_activate(f, &err) < 0)
        fake_die("activate() failed: %s", err.text);
    return f;
}

void lh_fake_cancel(lh_fake_t *f)
{
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->contexts.count; i++) {
        fake_ctx_t *c = f->contexts.items[i];
        c->dead = c->dead || c->is_reconcile;
    }
    pthread_mutex_unlock(&f->lock);
}

void lh_fake_step_down(lh_fake_t *f)
{
    pthread_mutex_lock(&f->lock);
    f->stepping_down = true;
    pthread_mutex_unlock(&f->lock);
}

void lh_fake_end_term(lh_fake_t *f)
{
    pthread_mutex_lock(&f->lock);
    f->ended_term = f->term;
    pthread_mutex_unlock(&f->lock);
}
