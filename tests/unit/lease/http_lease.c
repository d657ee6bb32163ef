/* SPDX-License-Identifier: Apache-2.0 */
#include "http_lease.h"

#include "sim_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct http_lease {
    http_server_t *server;
    pthread_mutex_t lock;
    sim_t sim; /* under lock */
    _Atomic int fail, watch_status, end_code;
    _Atomic unsigned end_count;
};

/* The streams below look for themselves. */
void sim_stream_all(sim_t *s)
{
    (void) s;
}

/* The frame of the first change after *version; NULL: there is none. Caller frees. */
static char *next_frame(http_lease_t *h, uint64_t *version)
{
    char *frame = NULL;

    pthread_mutex_lock(&h->lock);
    for (struct sim_change *c = h->sim.changes; c != NULL && frame == NULL; c = c->next) {
        if (c->version <= *version)
            continue;
        *version = c->version;
        frame = host_xprintf("{\"type\":\"%s\",\"object\":%s}\n",
                             c->deleted ? "DELETED" : "MODIFIED", c->text);
    }
    pthread_mutex_unlock(&h->lock);
    return frame;
}

static void serve_watch(http_lease_t *h, http_exchange_t *x)
{
    const char *at = strstr(http_path(x), "resourceVersion=");
    uint64_t version = at != NULL ? strtoull(at + 16, NULL, 10) : 0;
    unsigned ends = h->end_count;

    if (h->watch_status != 0) {
        http_reply_status(x, h->watch_status, "Forbidden", "no watch for you");
        return;
    }
    if (!http_chunk_begin(x, 200, "application/json"))
        return;
    while (http_sleep(x, 1)) {
        char *frame = ends != h->end_count
                          ? host_xprintf("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\","
                                         "\"code\":%d,\"message\":\"ended\"}}\n",
                                         h->end_code)
                          : next_frame(h, &version);
        bool sent = frame == NULL || http_chunk(x, frame, strlen(frame));

        free(frame);
        if (!sent || ends != h->end_count)
            break;
    }
    http_chunk_end(x);
}

static enum lease_verb verb_of(const char *method)
{
    if (strcmp(method, "POST") == 0)
        return LEASE_CREATE;
    if (strcmp(method, "PUT") == 0)
        return LEASE_UPDATE;
    return strcmp(method, "DELETE") == 0 ? LEASE_DELETE : LEASE_GET;
}

static void answer(void *arg, http_exchange_t *x)
{
    http_lease_t *h = arg;
    host_cleanup(host_freep) char *text = NULL;

    if (h->fail != 0) {
        http_reply_status(x, h->fail, "Failed", "as the test says");
        return;
    }
    if (strstr(http_path(x), "watch=true") != NULL) {
        serve_watch(h, x);
        return;
    }
    pthread_mutex_lock(&h->lock);
    int status = sim_serve(&h->sim, verb_of(http_method(x)),
                           http_body_len(x) > 0 ? http_body(x) : NULL, &text);

    pthread_mutex_unlock(&h->lock);
    if (status == 404)
        http_reply(x, 404, "application/json",
                   "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"code\":404,"
                   "\"reason\":\"NotFound\",\"details\":{\"name\":\"" SIM_LEASE
                   "\",\"kind\":\"leases\"}}");
    else if (text == NULL)
        http_reply_status(x, status, "Conflict", "not as you think");
    else
        http_reply(x, status, "application/json", text);
}

http_lease_t *http_lease_start(void)
{
    http_lease_t *h = host_xcalloc(1, sizeof(*h));

    pthread_mutex_init(&h->lock, NULL);
    h->sim.version = 1000;
    h->sim.changes_tail = &h->sim.changes;
    h->server = http_server_start(&(http_server_options_t){.handler = answer, .arg = h});
    return h;
}

void http_lease_stop(http_lease_t *h)
{
    http_server_stop(h->server);
    for (struct sim_change *c = h->sim.changes; c != NULL;) {
        struct sim_change *next = c->next;

        free(c->text);
        free(c);
        c = next;
    }
    cJSON_Delete(h->sim.lease);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

http_server_t *http_lease_server(http_lease_t *h)
{
    return h->server;
}

void http_lease_do(http_lease_t *h, void (*fn)(sim_t *s))
{
    pthread_mutex_lock(&h->lock);
    fn(&h->sim);
    pthread_mutex_unlock(&h->lock);
}

char *http_lease_text(http_lease_t *h)
{
    pthread_mutex_lock(&h->lock);
    char *text = host_xstrdup(sim_lease(&h->sim));

    pthread_mutex_unlock(&h->lock);
    return text;
}

void http_lease_fail(http_lease_t *h, int status)
{
    h->fail = status;
}

void http_lease_refuse_watch(http_lease_t *h, int status)
{
    h->watch_status = status;
}

void http_lease_end_watches(http_lease_t *h, int code)
{
    h->end_code = code;
    h->end_count++;
}
