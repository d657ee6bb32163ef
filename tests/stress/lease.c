/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three electors against one Lease: releases, restarts, and a reader that looks at health, metrics
 * and fences all the time. Fails when two fences are seen open at once, or when nobody ever leads.
 */
#include "lease/lease.h"

#include "base/clock.h"
#include "support/http_server.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RUN (4 * CLOCK_S)

enum { HOSTS = 3 };

/* --- a Lease on a server --- */

typedef struct server {
    http_server_t *http;
    pthread_mutex_t lock;
    cJSON *lease; /* under lock */
    unsigned version;
} server_t;

static const char *text_at(const cJSON *object, const char *key)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(object, "metadata"), key));

    return text != NULL ? text : "";
}

/* Takes body as the next version. Under the lock. */
static void commit(server_t *s, cJSON *body)
{
    cJSON *metadata = cJSON_GetObjectItem(body, "metadata");
    char version[16];

    snprintf(version, sizeof(version), "%u", ++s->version);
    cJSON_DeleteItemFromObject(metadata, "resourceVersion");
    cJSON_AddStringToObject(metadata, "resourceVersion", version);
    cJSON_Delete(s->lease);
    s->lease = body;
}

/* The Lease as text when it is newer than *version. Caller owns, free with free(). */
static char *newer(server_t *s, unsigned *version)
{
    char *text = NULL;

    pthread_mutex_lock(&s->lock);
    if (s->version > *version) {
        *version = s->version;
        text = cJSON_PrintUnformatted(s->lease);
    }
    pthread_mutex_unlock(&s->lock);
    return text;
}

static void watch(server_t *s, http_exchange_t *x)
{
    const char *at = strstr(http_path(x), "resourceVersion=");
    unsigned version = at != NULL ? (unsigned) strtoul(at + 16, NULL, 10) : 0;

    if (!http_chunk_begin(x, 200, "application/json"))
        return;
    while (http_sleep(x, 1)) {
        host_cleanup(host_freep) char *text = newer(s, &version);

        if (text == NULL)
            continue;
        host_cleanup(host_freep) char *frame =
            host_xprintf("{\"type\":\"MODIFIED\",\"object\":%s}\n", text);

        if (!http_chunk(x, frame, strlen(frame)))
            return;
    }
    http_chunk_end(x);
}

static void answer(void *arg, http_exchange_t *x)
{
    server_t *s = arg;
    bool put = strcmp(http_method(x), "PUT") == 0;
    cJSON *body = put ? cJSON_Parse(http_body(x)) : NULL;
    unsigned none = 0;

    if (strstr(http_path(x), "watch=true") != NULL) {
        watch(s, x);
        return;
    }
    pthread_mutex_lock(&s->lock);
    bool conflict =
        put && strcmp(text_at(body, "resourceVersion"), text_at(s->lease, "resourceVersion")) != 0;

    if (put && !conflict)
        commit(s, body);
    pthread_mutex_unlock(&s->lock);
    if (conflict) {
        cJSON_Delete(body);
        http_reply_status(x, 409, "Conflict", "changed");
        return;
    }
    host_cleanup(host_freep) char *text = newer(s, &none);

    http_reply(x, 200, "application/json", text);
}

/* --- hosts --- */

typedef struct world world_t;

typedef struct host {
    world_t *world;
    lease_t *lease;
    char name[8];
    fence_t *_Atomic fence; /* of the term that is on; the reader looks at it under the lock */
} host_t;

struct world {
    loop_t *loop;
    loop_timer_t timer;
    int64_t until;
    unsigned turns;
    server_t server;
    kube_credentials_t credentials;
    metrics_t *metrics;
    health_t *health;
    host_t hosts[HOSTS];
    pthread_mutex_t lock; /* fences are freed under it */
    _Atomic bool stop;
    _Atomic int terms, falls, overlaps;
};

static void set_fence(host_t *h, fence_t *fence)
{
    pthread_mutex_lock(&h->world->lock);
    fence_unref(atomic_exchange(&h->fence, fence));
    pthread_mutex_unlock(&h->world->lock);
}

static void on_begin(void *arg, fence_t *fence)
{
    host_t *h = arg;

    set_fence(h, fence);
    atomic_fetch_add(&h->world->terms, 1);
}

static void on_end(void *arg, enum lease_end end, int64_t until, const char *reason)
{
    host_t *h = arg;

    (void) end, (void) until, (void) reason;
    set_fence(h, NULL);
    lease_rested(h->lease);
}

static void on_fall(void *arg)
{
    host_t *h = arg;

    atomic_fetch_add(&h->world->falls, 1);
}

static void on_observed(void *arg, const char *holder, bool mine)
{
    (void) arg, (void) holder, (void) mine;
}

static void start(host_t *h)
{
    world_t *w = h->world;
    lease_options_t o = {.owner = w->loop,
                         .credentials = &w->credentials,
                         .namespace = "default",
                         .name = "stress",
                         .identity = h->name,
                         .lease_duration = 1 * CLOCK_S,
                         .renew_deadline = CLOCK_S / 2,
                         .retry_period = CLOCK_S / 8,
                         .stop_budget = CLOCK_S / 10,
                         .clock_skew = 0.02,
                         .metrics = w->metrics,
                         .health = h == &w->hosts[0] ? w->health : NULL,
                         .events = {.on_begin = on_begin,
                                    .on_end = on_end,
                                    .on_fall = on_fall,
                                    .on_observed = on_observed,
                                    .arg = h}};
    lh_error_t err = {0};

    if (lease_start(&o, &h->lease, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
}

static void on_timer(loop_timer_t *timer)
{
    world_t *w = HOST_CONTAINER(timer, world_t, timer);
    host_t *h = &w->hosts[w->turns % HOSTS];

    if (clock_now() >= w->until) {
        loop_stop(w->loop);
        return;
    }
    if (++w->turns % 20 == 0) { /* as if killed */
        lease_stop(h->lease);
        set_fence(h, NULL);
        start(h);
    } else if (h->fence != NULL) {
        lease_release(h->lease, w->turns % 7 != 0, true);
    }
    loop_timer_set(timer, clock_now() + 30 * CLOCK_MS);
}

/* --- the reader --- */

static int open_fences(world_t *w)
{
    int open = 0;

    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < HOSTS; i++) {
        const fence_t *fence = w->hosts[i].fence;

        open += fence != NULL && fence_open(fence);
    }
    pthread_mutex_unlock(&w->lock);
    return open;
}

static void *read_all(void *arg)
{
    world_t *w = arg;
    buf_t out = BUF_INIT;

    while (!atomic_load(&w->stop)) {
        if (open_fences(w) > 1)
            atomic_fetch_add(&w->overlaps, 1);
        buf_clear(&out);
        health_report(w->health, HEALTH_LIVEZ, NULL, true, NULL, 0, &out);
        health_document(w->health, "/leader", &out);
        (void) metrics_render(w->metrics, METRICS_TEXT, &out);
        usleep(200);
    }
    buf_fini(&out);
    return NULL;
}

int main(void)
{
    world_t w = {0};
    pthread_t reader;
    lh_error_t err = {0};

    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&w.lock, NULL);
    pthread_mutex_init(&w.server.lock, NULL);
    commit(&w.server, cJSON_Parse("{\"kind\":\"Lease\",\"metadata\":{\"name\":\"stress\",\"uid\":"
                                  "\"u\"},\"spec\":{}}"));
    w.server.http =
        http_server_start(&(http_server_options_t){.handler = answer, .arg = &w.server});
    w.credentials = (kube_credentials_t){.server = (char *) http_server_url(w.server.http),
                                         .namespace = (char *) "",
                                         .origin = (char *) "stress"};
    w.metrics = metrics_create();
    w.health = health_create();
    if (loop_create(&w.loop, &err) < 0)
        abort();
    for (int i = 0; i < HOSTS; i++) {
        w.hosts[i].world = &w;
        snprintf(w.hosts[i].name, sizeof(w.hosts[i].name), "h%d", i);
        start(&w.hosts[i]);
    }
    pthread_create(&reader, NULL, read_all, &w);
    w.until = clock_now() + RUN;
    loop_timer_init(&w.timer, w.loop, on_timer);
    loop_timer_set(&w.timer, clock_now() + 30 * CLOCK_MS);
    loop_run(w.loop);

    for (int i = 0; i < HOSTS; i++) {
        lease_stop(w.hosts[i].lease);
        set_fence(&w.hosts[i], NULL);
    }
    atomic_store(&w.stop, true);
    pthread_join(reader, NULL);
    loop_timer_clear(&w.timer);
    loop_destroy(w.loop);
    http_server_stop(w.server.http);
    health_destroy(w.health);
    metrics_destroy(w.metrics);
    cJSON_Delete(w.server.lease);
    pthread_mutex_destroy(&w.server.lock);
    pthread_mutex_destroy(&w.lock);
    printf("%d terms, %d falls, %d overlaps\n", w.terms, w.falls, w.overlaps);
    return w.terms > 3 && w.overlaps == 0 ? 0 : 1;
}
