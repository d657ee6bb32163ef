/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/resolve.h"

#include <curl/curl.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_ADDRESSES = 64 };

/* The thread ends when the resolver lets it; who cancels does not wait for that. */
struct kube_resolve {
    loop_t *loop;
    loop_task_t task;
    void (*on_done)(void *arg, const kube_resolve_result_t *result);
    void *arg;
    char *host, *port; /* of the URL; NULL: it has none */

    pthread_mutex_t lock;
    bool cancelled, posted; /* under lock */

    char *addresses[MAX_ADDRESSES];
    size_t count;
    const char *error;
};

static void free_all(kube_resolve_t *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->addresses[i]);
    pthread_mutex_destroy(&r->lock);
    free(r->host);
    free(r->port);
    free(r);
}

static void add(kube_resolve_t *r, const struct addrinfo *a)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (r->count == MAX_ADDRESSES ||
        getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    r->addresses[r->count++] =
        host_xprintf(a->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static void look_up(kube_resolve_t *r)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const int code = r->host != NULL ? getaddrinfo(r->host, r->port, &hints, &found) : EAI_NONAME;

    if (code != 0) {
        r->error = gai_strerror(code);
        return;
    }
    for (const struct addrinfo *a = found; a != NULL; a = a->ai_next)
        add(r, a);
    freeaddrinfo(found);
}

static void *run(void *arg)
{
    kube_resolve_t *r = arg;

    look_up(r);
    pthread_mutex_lock(&r->lock);
    const bool cancelled = r->cancelled;

    r->posted = !cancelled;
    if (!cancelled)
        loop_post(r->loop, &r->task);
    pthread_mutex_unlock(&r->lock);
    if (cancelled)
        free_all(r);
    return NULL;
}

static void deliver(loop_task_t *task) /* [loop-thread] */
{
    kube_resolve_t *r = HOST_CONTAINER(task, kube_resolve_t, task);
    const kube_resolve_result_t result = {(const char *const *) r->addresses, r->count, r->error};

    pthread_mutex_lock(&r->lock); /* the thread has let go of it by then */
    pthread_mutex_unlock(&r->lock);
    r->on_done(r->arg, &result);
    free_all(r);
}

static void parse(kube_resolve_t *r, const char *server)
{
    CURLU *url = curl_url();
    char *host = NULL, *port = NULL;

    if (url != NULL && curl_url_set(url, CURLUPART_URL, server, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        const size_t len = strlen(host);
        const bool brackets = host[0] == '[' && host[len - 1] == ']';

        r->host = brackets ? host_xprintf("%.*s", (int) len - 2, host + 1) : host_xstrdup(host);
        r->port = host_xstrdup(port);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
}

/* A proxy looks the name up by itself. */
static char *authority(const kube_resolve_t *r)
{
    return host_xprintf(strchr(r->host, ':') != NULL ? "[%s]:%s" : "%s:%s", r->host, r->port);
}

kube_resolve_t *kube_resolve_start(loop_t *loop, const kube_credentials_t *credentials,
                                   void (*on_done)(void *arg, const kube_resolve_result_t *result),
                                   void *arg)
{
    kube_resolve_t *r = host_xcalloc(1, sizeof(*r));
    pthread_t thread;

    *r = (kube_resolve_t){.loop = loop, .task = {.fn = deliver}, .on_done = on_done, .arg = arg};
    pthread_mutex_init(&r->lock, NULL);
    parse(r, credentials->server);
    if (credentials->proxy != NULL && r->host != NULL) {
        r->addresses[r->count++] = authority(r);
        r->posted = true;
        loop_post(loop, &r->task);
    } else if (pthread_create(&thread, NULL, run, r) == 0) {
        pthread_detach(thread);
    } else {
        r->error = "no thread can be made";
        r->posted = true;
        loop_post(loop, &r->task);
    }
    return r;
}

void kube_resolve_cancel(kube_resolve_t *r)
{
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    const bool posted = r->posted;

    r->cancelled = true;
    pthread_mutex_unlock(&r->lock);
    if (!posted)
        return;
    loop_withdraw(r->loop, &r->task);
    free_all(r);
}
