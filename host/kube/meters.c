/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/meters.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const double durations[] = {0.005, 0.025, 0.1, 0.25, 0.5,  1.0,
                                   2.0,   4.0,   8.0, 15.0, 30.0, 60.0};
static const double sizes[] = {64,    256,    512,     1024,    4096,    16384,
                               65536, 262144, 1048576, 4194304, 16777216};

/* client-go's tracer sees lookups only, and an address needs none. */
static char *name_of(const char *host)
{
    struct in_addr address;
    char *name = host_xprintf("%.*s", (int) strcspn(host, ":"), host);

    if (host[0] == '[' || inet_pton(AF_INET, name, &address) == 1) {
        free(name);
        return NULL;
    }
    return name;
}

void kube_meters_init(kube_meters_t *k, metrics_t *m, const char *host)
{
    static const char *const by_verb[] = {"verb", "host", NULL};

    *k = (kube_meters_t){.host = host};
    if (m == NULL)
        return;
    k->name = name_of(host);
    k->requests = metrics_counter(m, "rest_client_requests_total",
                                  "Number of HTTP requests, partitioned by status code, method, "
                                  "and host.",
                                  (const char *const[]){"code", "method", "host", NULL});
    k->retries = metrics_counter(m, "rest_client_request_retries_total",
                                 "Number of request retries, partitioned by status code, verb, and "
                                 "host.",
                                 (const char *const[]){"code", "verb", "host", NULL});
    k->lookups =
        metrics_histogram(m, "rest_client_dns_resolution_duration_seconds",
                          "DNS resolver latency in seconds. Broken down by host.",
                          (const char *const[]){"host", NULL}, durations, HOST_LEN(durations));
#define HISTOGRAM(name, help, buckets)                                                             \
    metrics_histogram(m, name, help, by_verb, buckets, HOST_LEN(buckets))
    k->durations = HISTOGRAM("rest_client_request_duration_seconds",
                             "Time until the head of the answer in seconds. Broken down by verb "
                             "and host.",
                             durations);
    k->waits = HISTOGRAM("rest_client_rate_limiter_duration_seconds",
                         "Time that requests waited in the client in seconds. Broken down by verb "
                         "and host.",
                         durations);
    k->request_sizes = HISTOGRAM("rest_client_request_size_bytes",
                                 "Request size in bytes. Broken down by verb and host.", sizes);
    k->response_sizes = HISTOGRAM("rest_client_response_size_bytes",
                                  "Response size in bytes. Broken down by verb and host.", sizes);
#undef HISTOGRAM
}

void kube_meters_fini(kube_meters_t *k)
{
    free(host_steal(k->name));
}

static double seconds(int64_t ns)
{
    return (double) ns / (double) CLOCK_S;
}

static void observe(const kube_meters_t *k, metric_t *f, const char *method, double value)
{
    if (f != NULL)
        metric_observe(metric_cell(f, (const char *const[]){method, k->host}), value);
}

static void count(const kube_meters_t *k, metric_t *f, const char *method, int status)
{
    char code[16] = "<error>"; /* as client-go says it */

    if (f == NULL)
        return;
    if (status != 0)
        snprintf(code, sizeof(code), "%d", status);
    metric_add(metric_cell(f, (const char *const[]){code, method, k->host}), 1);
}

void kube_meters_answer(const kube_meters_t *k, const char *method, int status, int64_t took)
{
    count(k, k->requests, method, status);
    observe(k, k->durations, method, seconds(took));
}

void kube_meters_lookup(const kube_meters_t *k, int64_t took)
{
    if (k->name != NULL)
        metric_observe(metric_cell(k->lookups, (const char *const[]){k->name}), seconds(took));
}

void kube_meters_start(const kube_meters_t *k, const char *method, int64_t waited, size_t bytes)
{
    observe(k, k->waits, method, seconds(waited));
    observe(k, k->request_sizes, method, (double) bytes);
}

void kube_meters_body(const kube_meters_t *k, const char *method, size_t bytes)
{
    observe(k, k->response_sizes, method, (double) bytes);
}

void kube_meters_retry(const kube_meters_t *k, const char *method, int status)
{
    count(k, k->retries, method, status);
}
