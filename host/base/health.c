/* SPDX-License-Identifier: Apache-2.0 */
#include "base/health.h"

#include "base/list.h"
#include "base/utf8.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { MAX_REASON = 512 };

struct health_check {
    list_t link;
    health_t *health;
    char *name;
    unsigned counts, shown;
    bool (*fn)(void *arg, char *reason, size_t size); /* NULL: ok and reason are set by the owner */
    void *arg;
    bool ok;
    char reason[MAX_REASON];
};

typedef struct document {
    list_t link;
    char *path;
    char *body;
    int http_status;
    void (*fn)(void *arg, buf_t *out); /* NULL: body is all of it */
    void *arg;
} document_t;

struct health {
    pthread_mutex_t lock;
    list_t checks; /* in the order of being added */
    list_t documents;
};

health_t *health_create(void)
{
    health_t *h = host_xcalloc(1, sizeof(*h));

    pthread_mutex_init(&h->lock, NULL);
    list_init(&h->checks);
    list_init(&h->documents);
    return h;
}

static void check_free(health_check_t *c)
{
    list_remove(&c->link);
    free(c->name);
    free(c);
}

void health_destroy(health_t *h)
{
    if (h == NULL)
        return;
    LIST_EACH (&h->checks, it, tmp)
        check_free(LIST_ENTRY(it, health_check_t, link));
    LIST_EACH (&h->documents, it, tmp) {
        document_t *d = LIST_ENTRY(it, document_t, link);

        free(d->path);
        free(d->body);
        free(d);
    }
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* Keeps reason to one line, so that it cannot forge the line of another check. */
static void copy_reason(char out[MAX_REASON], const char *reason)
{
    host_cleanup(host_freep) char *text = buf_printable_copy(reason);
    const size_t len = strlen(text);

    snprintf(out, MAX_REASON, "%.*s",
             (int) (len < MAX_REASON ? len : utf8_cut(text, MAX_REASON - 1)), text);
}

static health_check_t *find_check(health_t *h, const char *name)
{
    LIST_EACH (&h->checks, it, tmp) {
        health_check_t *c = LIST_ENTRY(it, health_check_t, link);

        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

static health_check_t *add(health_t *h, const char *name, unsigned counts, unsigned shown,
                           bool (*fn)(void *arg, char *reason, size_t size), void *arg)
{
    health_check_t *c = host_xcalloc(1, sizeof(*c));

    c->health = h;
    c->name = buf_printable_copy(name);
    c->counts = counts;
    c->shown = shown | counts;
    c->fn = fn;
    c->arg = arg;
    copy_reason(c->reason, "not started");
    pthread_mutex_lock(&h->lock);
    list_append(&h->checks, &c->link);
    pthread_mutex_unlock(&h->lock);
    return c;
}

health_check_t *health_add(health_t *h, const char *name, unsigned counts, unsigned shown)
{
    return add(h, name, counts, shown, NULL, NULL);
}

health_check_t *health_add_fn(health_t *h, const char *name, unsigned counts,
                              bool (*fn)(void *arg, char *reason, size_t size), void *arg)
{
    return add(h, name, counts, counts, fn, arg);
}

void health_set(health_check_t *c, bool ok, const char *reason)
{
    pthread_mutex_lock(&c->health->lock);
    c->ok = ok;
    copy_reason(c->reason, reason != NULL ? reason : "");
    pthread_mutex_unlock(&c->health->lock);
}

void health_remove(health_t *h, health_check_t *c)
{
    pthread_mutex_lock(&h->lock);
    check_free(c);
    pthread_mutex_unlock(&h->lock);
}

/* Under the lock. */
static bool evaluate(health_check_t *c, char reason[MAX_REASON])
{
    if (c->fn == NULL) {
        memcpy(reason, c->reason, MAX_REASON);
        return c->ok;
    }
    char text[MAX_REASON] = "";
    bool ok = c->fn(c->arg, text, sizeof(text));

    copy_reason(reason, text);
    return ok;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static const char *endpoint_name(unsigned endpoint)
{
    switch (endpoint) {
    case HEALTH_LIVEZ:
        return "livez";
    case HEALTH_READYZ:
        return "readyz";
    default:
        return "startupz";
    }
}

/* Under the lock. Names that an exclude asks for and that no line was printed for. */
static void warn_unknown(health_t *h, unsigned endpoint, const char *const *exclude, size_t count,
                         buf_t *out)
{
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        const health_check_t *c = find_check(h, exclude[i]);

        if ((c != NULL && (c->shown & endpoint) != 0) || is_among(exclude[i], exclude, i))
            continue;
        buf_puts(out, any ? "," : "warn: some health checks cannot be excluded: no matches for ");
        buf_json_string(out, exclude[i], strlen(exclude[i]));
        any = true;
    }
    if (any)
        buf_puts(out, "\n");
}

bool health_report(health_t *h, unsigned endpoint, const char *title, bool verbose,
                   const char *const *exclude, size_t exclude_count, buf_t *out)
{
    host_cleanup(buf_fini) buf_t lines = BUF_INIT;
    bool passed = true;

    pthread_mutex_lock(&h->lock);
    LIST_EACH (&h->checks, it, tmp) {
        health_check_t *c = LIST_ENTRY(it, health_check_t, link);
        char reason[MAX_REASON];

        if (((verbose ? c->shown : c->counts) & endpoint) == 0)
            continue;
        if (is_among(c->name, exclude, exclude_count)) {
            buf_printf(&lines, "[+]%s excluded: ok\n", c->name);
        } else if (evaluate(c, reason)) {
            buf_printf(&lines, "[+]%s ok\n", c->name);
        } else {
            const bool counts = (c->counts & endpoint) != 0;
            buf_printf(&lines, "[-]%s failed: %s%s\n", c->name,
                       verbose ? reason : "reason withheld", counts ? "" : " (does not count)");
            passed = passed && !counts;
        }
    }
    warn_unknown(h, endpoint, exclude, exclude_count, &lines);
    pthread_mutex_unlock(&h->lock);

    /* As kube-apiserver: a failure is always explained, success only when asked. */
    if (passed && !verbose) {
        buf_puts(out, "ok");
        return true;
    }
    buf_printf(out, "%s%s check %s\n", buf_text(&lines),
               title != NULL ? title : endpoint_name(endpoint), passed ? "passed" : "failed");
    return passed;
}

int health_report_one(health_t *h, unsigned endpoint, const char *name, buf_t *out)
{
    char reason[MAX_REASON];
    int ret = -1;

    pthread_mutex_lock(&h->lock);
    health_check_t *c = find_check(h, name);

    if (c != NULL && (c->shown & endpoint) != 0)
        ret = evaluate(c, reason) ? 1 : 0;
    pthread_mutex_unlock(&h->lock);

    if (ret == 1)
        buf_puts(out, "ok");
    else if (ret == 0)
        buf_printf(out, "%s failed: %s\n", name, reason);
    return ret;
}

void health_list(health_t *h, buf_t *out)
{
    const char *separator = "[";

    pthread_mutex_lock(&h->lock);
    LIST_EACH (&h->checks, it, tmp) {
        health_check_t *c = LIST_ENTRY(it, health_check_t, link);
        char reason[MAX_REASON];
        const bool ok = evaluate(c, reason);

        buf_printf(out, "%s{\"name\":", separator);
        buf_json_string(out, c->name, strlen(c->name));
        buf_printf(out, ",\"ok\":%s,\"reason\":", ok ? "true" : "false");
        if (ok)
            buf_puts(out, "null");
        else
            buf_json_string(out, reason, strlen(reason));
        buf_puts(out, "}");
        separator = ",";
    }
    pthread_mutex_unlock(&h->lock);
    buf_puts(out, separator[0] == '[' ? "[]" : "]");
}

static document_t *find_document(health_t *h, const char *path)
{
    LIST_EACH (&h->documents, it, tmp) {
        document_t *d = LIST_ENTRY(it, document_t, link);

        if (strcmp(d->path, path) == 0)
            return d;
    }
    return NULL;
}

/* The document of path, made when there is none. With the registry's lock held. */
static document_t *get_document(health_t *h, const char *path)
{
    document_t *d = find_document(h, path);

    if (d == NULL) {
        d = host_xcalloc(1, sizeof(*d));
        d->path = host_xstrdup(path);
        list_append(&h->documents, &d->link);
    }
    return d;
}

void health_publish(health_t *h, const char *path, int http_status, const char *body)
{
    char *copy = host_xstrdup(body);

    pthread_mutex_lock(&h->lock);
    document_t *d = get_document(h, path);

    free(d->body);
    d->body = copy;
    d->http_status = http_status;
    pthread_mutex_unlock(&h->lock);
}

void health_publish_fn(health_t *h, const char *path, void (*fn)(void *arg, buf_t *out), void *arg)
{
    pthread_mutex_lock(&h->lock);
    document_t *d = get_document(h, path);

    d->fn = fn;
    d->arg = arg;
    d->http_status = 200;
    pthread_mutex_unlock(&h->lock);
}

int health_document(health_t *h, const char *path, buf_t *out)
{
    void (*fn)(void *arg, buf_t *out) = NULL;
    void *arg = NULL;
    int status = 0;

    pthread_mutex_lock(&h->lock);
    const document_t *d = find_document(h, path);

    if (d != NULL) {
        status = d->http_status;
        buf_puts(out, d->body != NULL ? d->body : "");
        fn = d->fn;
        arg = d->arg;
    }
    pthread_mutex_unlock(&h->lock);
    if (fn != NULL)
        fn(arg, out);
    return status;
}
