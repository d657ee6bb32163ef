/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of the benchmark: what a client on libcurl (HTTP/2, TLS) must pay to receive what a
 * controller receives, when it does nothing with it. It streams the list and then the watch of
 * BENCH_RESOURCE from BENCH_SERVER with BENCH_TOKEN, and follows the contract (README.md) as far as
 * that goes: a "reconcile" is an event received, and there are no latencies. Certificates are not
 * checked: for loopback only.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOKMARK "{\"type\":\"BOOKMARK\""

typedef struct stream {
    atomic_long events, told; /* received; of these, counted in the last stats */
    bool synced;
    char head[sizeof(BOOKMARK) - 1]; /* the beginning of the line that is being received */
    size_t head_len;
} stream_t;

/* The first bookmark is the end of the list. */
static void end_line(stream_t *s)
{
    if (s->head_len < sizeof(s->head) || memcmp(s->head, BOOKMARK, sizeof(s->head)) != 0) {
        (void) atomic_fetch_add(&s->events, 1);
    } else if (!s->synced) {
        s->synced = true;
        (void) printf("{\"event\":\"synced\",\"objects\":%ld}\n", atomic_load(&s->events));
    }
    s->head_len = 0;
}

static size_t receive(char *data, size_t size, size_t n, void *arg)
{
    stream_t *s = arg;
    const char *p = data, *const end = data + size * n;

    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t) (end - p));
        const size_t len = (size_t) ((newline != NULL ? newline : end) - p);
        const size_t room = sizeof(s->head) - s->head_len;
        memcpy(s->head + s->head_len, p, len < room ? len : room);
        s->head_len += len < room ? len : room;
        if (newline != NULL)
            end_line(s);
        p += len + (newline != NULL);
    }
    return size * n;
}

static void *answer_signals(void *arg)
{
    stream_t *s = arg;
    sigset_t set;
    int received;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    while (sigwait(&set, &received) == 0) {
        const long events = atomic_load(&s->events), before = atomic_exchange(&s->told, events);
        (void) printf("{\"event\":\"stats\",\"reconciles\":%ld,\"measured\":%ld}\n", events,
                      events - before);
    }
    return NULL;
}

static const char *env(const char *name)
{
    const char *value = getenv(name);

    if (value != NULL)
        return value;
    (void) fprintf(stderr, "floor: %s is not set\n", name);
    exit(2);
}

static void set_up(CURL *easy, stream_t *s, struct curl_slist *headers)
{
    const bool widgets = strcmp(env("BENCH_RESOURCE"), "widgets") == 0;
    char url[1024];

    (void) snprintf(url, sizeof(url),
                    "%s/%s?watch=1&sendInitialEvents=true&allowWatchBookmarks=true"
                    "&resourceVersionMatch=NotOlderThan",
                    env("BENCH_SERVER"),
                    widgets ? "apis/bench.example.com/v1/widgets" : "api/v1/configmaps");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 512L * 1024);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, s);
}

int main(void)
{
    stream_t s = {.synced = false};
    char header[4096];
    pthread_t signals;
    sigset_t set;

    (void) setvbuf(stdout, NULL, _IOLBF, 0);
    (void) printf("{\"event\":\"start\"}\n");
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    (void) pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (pthread_create(&signals, NULL, answer_signals, &s) != 0)
        return 1;
    (void) snprintf(header, sizeof(header), "Authorization: Bearer %s", env("BENCH_TOKEN"));
    curl_global_init(CURL_GLOBAL_ALL);
    CURL *easy = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, header);
    set_up(easy, &s, headers);
    const CURLcode code = curl_easy_perform(easy); /* until the server ends it, or a signal this */
    (void) fprintf(stderr, "floor: %s\n", curl_easy_strerror(code));
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    return 1;
}
