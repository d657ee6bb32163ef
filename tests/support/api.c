/* SPDX-License-Identifier: Apache-2.0 */
#include "support/api.h"

#include "base/buf.h"
#include "kube/credentials.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct api {
    kube_credentials_t *credentials;
    CURL *easy; /* of api_do; one thread at a time */
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

api_t *api_open(const char *kubeconfig)
{
    const char *path = kubeconfig != NULL ? kubeconfig : getenv("LEASEHOLD_TEST_KUBECONFIG");
    const char *const env[] = {NULL};
    api_t *api = calloc(1, sizeof(*api));
    lh_error_t err = {0};

    if (path == NULL || api == NULL)
        die("api", "LEASEHOLD_TEST_KUBECONFIG is not set; run ./dev test --cluster");
    const kube_credentials_source_t source = {.path = path, .env = env};
    if (kube_credentials_load(&source, &api->credentials, &err) < 0)
        die("api", err.text);
    const kube_credentials_t *c = api->credentials;
    if (c->exec != NULL || c->proxy != NULL || c->impersonate != NULL || c->basic != NULL)
        die("api", "the client of the tests goes straight to the server, with a token or a client "
                   "certificate: give such a kubeconfig");
    api->easy = curl_easy_init();
    return api;
}

void api_close(api_t *api)
{
    if (api == NULL)
        return;
    curl_easy_cleanup(api->easy);
    kube_credentials_destroy(api->credentials);
    free(api);
}

const kube_credentials_t *api_credentials(const api_t *api)
{
    return api->credentials;
}

/* -- One request -- */

static size_t collect(char *data, size_t size, size_t n, void *arg)
{
    const size_t len = size * n;

    if (buf_append(arg, data, len) < 0)
        die("api", "out of memory");
    return len;
}

/* Keeps the value of a header line when its name is this one (with the colon). */
static void keep(char *out, size_t cap, const char *line, const char *name)
{
    const size_t len = strlen(name);

    if (strncasecmp(line, name, len) != 0)
        return;
    const char *value = line + len + strspn(line + len, " ");
    snprintf(out, cap, "%.*s", (int) strcspn(value, "\r\n"), value);
}

static size_t header(char *data, size_t size, size_t n, void *arg)
{
    api_reply_t *r = arg;

    keep(r->retry_after, sizeof(r->retry_after), data, "retry-after:");
    keep(r->warning, sizeof(r->warning), data, "warning:");
    keep(r->type, sizeof(r->type), data, "content-type:");
    return size * n;
}

static void set_blob(CURL *easy, CURLoption option, const char *pem)
{
    struct curl_blob blob = {(void *) pem, strlen(pem), CURL_BLOB_COPY};

    curl_easy_setopt(easy, option, &blob);
}

static void set_identity(const api_t *api, CURL *easy)
{
    const kube_credentials_t *c = api->credentials;

    if (c->ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, c->ca_file);
    if (c->ca_data != NULL)
        set_blob(easy, CURLOPT_CAINFO_BLOB, c->ca_data);
    if (c->client_cert_file != NULL)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, c->client_cert_file);
    if (c->client_cert_data != NULL)
        set_blob(easy, CURLOPT_SSLCERT_BLOB, c->client_cert_data);
    if (c->client_key_file != NULL)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, c->client_key_file);
    if (c->client_key_data != NULL)
        set_blob(easy, CURLOPT_SSLKEY_BLOB, c->client_key_data);
    if (c->token != NULL) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, c->token);
    }
}

static void set_url(const api_t *api, CURL *easy, const char *path)
{
    char *url = NULL;

    if (asprintf(&url, "%s%s", api->credentials->server, path) < 0)
        die("api", "out of memory");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    free(url);
}

/* The identity of a request: the kubeconfig's, another token, or none. */
static void set_request_identity(const api_t *api, CURL *easy, const api_request_t *q)
{
    const kube_credentials_t *c = api->credentials;
    const kube_credentials_t bare = {
        .ca_file = c->ca_file, .ca_data = c->ca_data, .token = (char *) q->token};
    const api_t stranger = {.credentials = (kube_credentials_t *) &bare};

    set_identity(q->anonymous || q->token != NULL ? &stranger : api, easy);
}

static struct curl_slist *headers_of(const api_request_t *q)
{
    char line[1024];

    snprintf(line, sizeof(line), "Content-Type: %s",
             q->content_type != NULL ? q->content_type : "application/json");
    struct curl_slist *headers = curl_slist_append(NULL, line);
    if (q->accept != NULL) {
        snprintf(line, sizeof(line), "Accept: %s", q->accept);
        headers = curl_slist_append(headers, line);
    }
    for (const char *const *h = q->headers; h != NULL && *h != NULL; h++)
        headers = curl_slist_append(headers, *h);
    return headers;
}

api_reply_t api_ask(api_t *api, const api_request_t *q)
{
    api_reply_t r = {0};
    buf_t text = BUF_INIT;
    long status = 0;
    CURL *easy = api->easy;

    curl_easy_reset(easy);
    set_request_identity(api, easy, q);
    set_url(api, easy, q->path);
    struct curl_slist *headers = headers_of(q);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, q->method);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    if (q->body != NULL) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, q->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t) (q->body_len > 0 ? q->body_len : strlen(q->body)));
    }
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &text);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &r);
    const CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    r.status = code == CURLE_OK ? (int) status : 0;
    r.text =
        text.data != NULL ? text.data : strdup(code == CURLE_OK ? "" : curl_easy_strerror(code));
    r.json = cJSON_Parse(r.text);
    return r;
}

api_reply_t api_do(api_t *api, const char *method, const char *path, const char *content_type,
                   const char *body)
{
    return api_ask(api,
                   &(api_request_t){
                       .method = method, .path = path, .content_type = content_type, .body = body});
}

void api_reply_fini(api_reply_t *r)
{
    cJSON_Delete(r->json);
    free(r->text);
    *r = (api_reply_t){0};
}

#define FORMAT(out, fmt)                                                                           \
    do {                                                                                           \
        va_list args_;                                                                             \
        va_start(args_, fmt);                                                                      \
        if (vasprintf(&(out), fmt, args_) < 0)                                                     \
            die("api", "out of memory");                                                           \
        va_end(args_);                                                                             \
    } while (0)

api_reply_t api_get(api_t *api, const char *path_fmt, ...)
{
    char *path = NULL;

    FORMAT(path, path_fmt);
    const api_reply_t r = api_do(api, "GET", path, NULL, NULL);
    free(path);
    return r;
}

api_reply_t api_delete(api_t *api, const char *path_fmt, ...)
{
    char *path = NULL;

    FORMAT(path, path_fmt);
    const api_reply_t r = api_do(api, "DELETE", path, NULL, NULL);
    free(path);
    return r;
}

api_reply_t api_post(api_t *api, const char *path, const char *body_fmt, ...)
{
    char *body = NULL;

    FORMAT(body, body_fmt);
    const api_reply_t r = api_do(api, "POST", path, NULL, body);
    free(body);
    return r;
}

api_reply_t api_put(api_t *api, const char *path, const char *body_fmt, ...)
{
    char *body = NULL;

    FORMAT(body, body_fmt);
    const api_reply_t r = api_do(api, "PUT", path, NULL, body);
    free(body);
    return r;
}

api_reply_t api_patch(api_t *api, const char *path, const char *kind, const char *body_fmt, ...)
{
    char *body = NULL, type[64];

    FORMAT(body, body_fmt);
    if (strcmp(kind, "apply") == 0)
        snprintf(type, sizeof(type), "application/apply-patch+yaml");
    else if (strcmp(kind, "strategic") == 0)
        snprintf(type, sizeof(type), "application/strategic-merge-patch+json");
    else
        snprintf(type, sizeof(type), "application/%s-patch+json", kind);
    const api_reply_t r = api_do(api, "PATCH", path, type, body);
    free(body);
    return r;
}

/* -- Looking into JSON -- */

cJSON *api_at(const cJSON *json, const char *pointer)
{
    const cJSON *at = json;

    while (at != NULL && *pointer == '/') {
        char key[256];
        size_t len = 0;
        for (pointer++; *pointer != '\0' && *pointer != '/' && len + 1 < sizeof(key); pointer++) {
            if (*pointer == '~' && pointer[1] != '\0')
                key[len++] = *++pointer == '0' ? '~' : '/';
            else
                key[len++] = *pointer;
        }
        key[len] = '\0';
        at = cJSON_IsArray(at) ? cJSON_GetArrayItem(at, (int) strtol(key, NULL, 10))
                               : cJSON_GetObjectItemCaseSensitive(at, key);
    }
    return (cJSON *) at;
}

const char *api_str(const cJSON *json, const char *pointer)
{
    static char number[32];
    const cJSON *v = api_at(json, pointer);

    if (cJSON_IsString(v))
        return v->valuestring;
    if (cJSON_IsBool(v))
        return cJSON_IsTrue(v) ? "true" : "false";
    if (!cJSON_IsNumber(v))
        return "";
    snprintf(number, sizeof(number), "%.0f", v->valuedouble);
    return number;
}

long api_int(const cJSON *json, const char *pointer)
{
    const cJSON *v = api_at(json, pointer);

    return cJSON_IsNumber(v) ? (long) v->valuedouble : -1;
}

/* -- Watches -- */

typedef struct line {
    struct line *next;
    char *text;
    int64_t came;
} line_t;

struct api_watch {
    api_t api; /* its own easy handle */
    struct curl_slist *headers;
    pthread_t thread;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t cond;
    line_t *first, **last;
    buf_t partial;
    bool closed, stop;
    int status;
};

static void push_line(api_watch_t *w, const char *data, size_t len)
{
    line_t *l = calloc(1, sizeof(*l));
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    l->came = (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
    l->text = strndup(data, len);
    *w->last = l;
    w->last = &l->next;
    pthread_cond_signal(&w->cond);
}

static size_t watch_data(char *data, size_t size, size_t n, void *arg)
{
    api_watch_t *w = arg;

    pthread_mutex_lock(&w->lock);
    collect(data, size, n, &w->partial);
    char *from = w->partial.data, *end;
    while ((end = strchr(from, '\n')) != NULL) {
        push_line(w, from, (size_t) (end - from));
        from = end + 1;
    }
    w->partial.len = strlen(from);
    memmove(w->partial.data, from, w->partial.len + 1);
    /* An ERROR event comes without a newline, and the stream may stay open behind it. */
    cJSON *whole = w->partial.len > 0 ? cJSON_Parse(w->partial.data) : NULL;
    if (whole != NULL) {
        push_line(w, w->partial.data, w->partial.len);
        w->partial.len = 0;
        cJSON_Delete(whole);
    }
    const bool stop = w->stop;
    pthread_mutex_unlock(&w->lock);
    return stop ? 0 : size * n;
}

static int watch_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    api_watch_t *w = arg;

    (void) a, (void) b, (void) c, (void) d;
    pthread_mutex_lock(&w->lock);
    const bool stop = w->stop;
    pthread_mutex_unlock(&w->lock);
    return stop ? 1 : 0;
}

static void *watch_main(void *arg)
{
    api_watch_t *w = arg;
    long status = 0;

    curl_easy_perform(w->api.easy);
    curl_easy_getinfo(w->api.easy, CURLINFO_RESPONSE_CODE, &status);
    pthread_mutex_lock(&w->lock);
    if (w->partial.len > 0)
        push_line(w, w->partial.data, w->partial.len);
    w->closed = true;
    w->status = (int) status;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

api_watch_t *api_watch(api_t *api, const char *path_fmt, ...)
{
    char *path = NULL;

    FORMAT(path, path_fmt);
    api_watch_t *w = api_watch_as(api, NULL, path);
    free(path);
    return w;
}

api_watch_t *api_watch_as(api_t *api, const char *accept, const char *path)
{
    api_watch_t *w = calloc(1, sizeof(*w));

    if (w == NULL)
        die("api", "out of memory");
    *w = (api_watch_t){.api = {.credentials = api->credentials, .easy = curl_easy_init()},
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .cond = PTHREAD_COND_INITIALIZER};
    w->last = &w->first;
    set_identity(api, w->api.easy);
    set_url(api, w->api.easy, path);
    w->headers = headers_of(&(api_request_t){.accept = accept});
    curl_easy_setopt(w->api.easy, CURLOPT_HTTPHEADER, w->headers);
    curl_easy_setopt(w->api.easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(w->api.easy, CURLOPT_WRITEFUNCTION, watch_data);
    curl_easy_setopt(w->api.easy, CURLOPT_WRITEDATA, w);
    curl_easy_setopt(w->api.easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(w->api.easy, CURLOPT_XFERINFOFUNCTION, watch_progress);
    curl_easy_setopt(w->api.easy, CURLOPT_XFERINFODATA, w);
    if (pthread_create(&w->thread, NULL, watch_main, w) != 0)
        die("api", "no thread");
    return w;
}

api_event_t api_watch_next(api_watch_t *w, int ms)
{
    api_event_t e = {0};
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long) (ms % 1000) * 1000000L;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&w->lock);
    while (w->first == NULL && !w->closed &&
           pthread_cond_timedwait(&w->cond, &w->lock, &until) == 0)
        ;
    line_t *l = w->first;
    e.status = w->status;
    snprintf(e.type, sizeof(e.type), "%s", w->closed ? "CLOSED" : "TIMEOUT");
    if (l != NULL) {
        w->first = l->next;
        if (w->first == NULL)
            w->last = &w->first;
    }
    pthread_mutex_unlock(&w->lock);
    if (l == NULL)
        return e;
    e.came = l->came;
    cJSON *json = cJSON_Parse(l->text);
    snprintf(e.type, sizeof(e.type), "%.15s", api_str(json, "/type"));
    e.object = cJSON_DetachItemFromObjectCaseSensitive(json, "object");
    if (e.object == NULL && json != NULL) { /* a Status instead of a stream */
        snprintf(e.type, sizeof(e.type), "STATUS");
        e.object = json;
    } else {
        cJSON_Delete(json);
    }
    free(l->text);
    free(l);
    return e;
}

void api_event_fini(api_event_t *e)
{
    cJSON_Delete(e->object);
    e->object = NULL;
}

void api_watch_close(api_watch_t *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    for (line_t *l = w->first, *next; l != NULL; l = next) {
        next = l->next;
        free(l->text);
        free(l);
    }
    free(w->partial.data);
    curl_easy_cleanup(w->api.easy);
    curl_slist_free_all(w->headers);
    free(w);
}

bool api_until(api_t *api, const char *path, int ms, bool (*done)(const api_reply_t *r, void *arg),
               void *arg)
{
    struct timespec start, now;

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        api_reply_t r = api_do(api, "GET", path, NULL, NULL);
        const bool yes = done(&r, arg);
        api_reply_fini(&r);
        if (yes)
            return true;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 > ms)
            return false;
        usleep(20000);
    }
}
