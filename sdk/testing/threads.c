/* SPDX-License-Identifier: Apache-2.0 */
/* Work for the plugin thread, and the wait for threads of the plugin. */
#include "fake.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static char *dup_or_null(const char *text)
{
    return text != NULL ? fake_dup(text) : NULL;
}

static int request(const lh_host_t *host, lh_ctx_t ctx, const lh_api_request_t *r,
                   lh_callback_t callback, void *arg, lh_error_t *err)
{
    lh_fake_t *f = fake_of(host);

    if (callback == NULL || r == NULL)
        return lh_errorf(err, LH_EINVAL, "request: callback or request is NULL");
    pthread_mutex_lock(&f->lock);
    int ret = fake_request_check(f, r, err);
    if (ret == 0)
        ret = fake_ctx_check(f, ctx, err);
    if (ret == 0) {
        fake_task_t *t = fake_alloc(sizeof(*t));
        t->callback = callback;
        t->arg = arg;
        t->ctx = ctx;
        t->request = *r;
        t->request.method = fake_dup(r->method);
        t->request.path = fake_dup(r->path);
        t->request.content_type = dup_or_null(r->content_type);
        if (r->body != NULL)
            t->request.body = fake_printf("%.*s", (int) r->body_len, r->body);
        fake_push(&f->tasks, t);
        pthread_cond_broadcast(&f->changed);
    }
    pthread_mutex_unlock(&f->lock);
    return ret;
}

static int post(const lh_host_t *host, void (*fn)(void *arg), void *arg,
                void (*free_arg)(void *arg), lh_error_t *err)
{
    lh_fake_t *f = fake_of(host);

    if (fn == NULL)
        return lh_errorf(err, LH_EINVAL, "post: fn is NULL");
    pthread_mutex_lock(&f->lock);
    if (f->ending) {
        pthread_mutex_unlock(&f->lock);
        return lh_errorf(err, LH_ESTATE, "post: the instance is ending");
    }
    fake_task_t *t = fake_alloc(sizeof(*t));
    t->fn = fn;
    t->arg = arg;
    t->free_arg = free_arg;
    fake_push(&f->tasks, t);
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    return 0;
}

void fake_table_threads(lh_host_t *host)
{
    host->request = request;
    host->post = post;
}

static void free_task(fake_task_t *t)
{
    free((char *) t->request.method);
    free((char *) t->request.path);
    free((char *) t->request.content_type);
    free((char *) t->request.body);
    free(t);
}

/* The oldest task; caller owns. */
static fake_task_t *take_task(lh_fake_t *f)
{
    fake_task_t *t = NULL;

    pthread_mutex_lock(&f->lock);
    if (f->tasks.count > 0) {
        t = f->tasks.items[0];
        f->tasks.count--;
        memmove(f->tasks.items, f->tasks.items + 1, f->tasks.count * sizeof(void *));
    }
    pthread_mutex_unlock(&f->lock);
    return t;
}

static void run_task(lh_fake_t *f, fake_task_t *t)
{
    lh_response_t *response = NULL;
    lh_error_t err = {0};

    if (t->fn != NULL) {
        t->fn(t->arg);
        if (t->free_arg != NULL)
            t->free_arg(t->arg);
        return;
    }
    pthread_mutex_lock(&f->lock);
    const int code = fake_send(f, t->ctx, &t->request, &response, &err);
    pthread_mutex_unlock(&f->lock);
    t->callback(t->arg, code, response, code == 0 ? NULL : &err);
}

void fake_run_tasks(lh_fake_t *f)
{
    for (fake_task_t *t; (t = take_task(f)) != NULL; free_task(t))
        run_task(f, t);
}

/* The instance has ended: callbacks were all called by now, functions are not called any more. */
void fake_drop_tasks(lh_fake_t *f)
{
    for (fake_task_t *t; (t = take_task(f)) != NULL; free_task(t)) {
        if (t->fn != NULL && t->free_arg != NULL)
            t->free_arg(t->arg);
    }
}

void fake_wait(lh_fake_t *f, const fake_ctx_t *ctx)
{
    struct timespec until;

    (void) clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t) (f->patience / 1000000000);
    until.tv_nsec += (long) (f->patience % 1000000000);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    for (int ret = 0; ret == 0;) {
        fake_run_tasks(f);
        pthread_mutex_lock(&f->lock);
        while (ret == 0 && ctx->result.completions == 0 && f->tasks.count == 0)
            ret = pthread_cond_timedwait(&f->changed, &f->lock, &until);
        const bool over = ctx->result.completions > 0 && f->tasks.count == 0;
        pthread_mutex_unlock(&f->lock);
        if (over)
            return;
    }
}
