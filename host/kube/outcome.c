/* SPDX-License-Identifier: Apache-2.0 */
/* What a call came to: HTTP answers, transport failures, and what we ended ourselves. */
#include "base/clock.h"
#include "base/error.h"
#include "kube/client_internal.h"
#include "kube/proxy.h"

#include <stdio.h>
#include <string.h>

const char *kube_call_label(const kube_call_t *call, char out[192])
{
    const char *path = call->request.path;

    snprintf(out, 192, "%s %.*s", call->request.method, (int) strcspn(path, "?"), path);
    return out;
}

static void count_lookup(const kube_call_t *call)
{
    long connections = 0;
    curl_off_t microseconds = 0;

    if (call->client->target.connect_to == NULL && /* else an address is connected to */
        curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connections) == CURLE_OK &&
        connections > 0 &&
        curl_easy_getinfo(call->easy, CURLINFO_NAMELOOKUP_TIME_T, &microseconds) == CURLE_OK)
        kube_meters_lookup(&call->client->meters, microseconds * CLOCK_US);
}

void kube_count(kube_call_t *call, int status)
{
    if (status != 0)
        count_lookup(call);
    kube_meters_answer(&call->client->meters, call->request.method, status,
                       clock_now() - call->started_at);
}

/* As client-go does, not of watches, which end at any size. */
static void count_body(const kube_call_t *call)
{
    if (strstr(call->request.path, "watch=") == NULL)
        kube_meters_body(&call->client->meters, call->request.method, call->received);
}

bool kube_call_may_count(const kube_call_t *call)
{
    return call->write && call->sent_at != 0 && call->fed == call->request.body_len;
}

static void fill(kube_call_t *call, kube_result_t *out)
{
    *out = (kube_result_t){.status = call->status,
                           .reason = "",
                           .body = buf_text(&call->in),
                           .body_len = call->in.len,
                           .sent_at = call->sent_at,
                           .retry_after = call->retry_after};
}

/* A server that gave up waiting (5xx) may still commit the write. */
static void note_unknown(kube_call_t *call, const kube_result_t *result)
{
    kube_client_t *c = call->client;

    if (call->write && call->sent_at != 0 && (result->code == LH_EUNKNOWN || result->status >= 500))
        c->last_unknown = HOST_MAX(c->last_unknown, call->sent_at);
}

void kube_outcome_stopped(kube_call_t *call, int code, const char *text, kube_result_t *out)
{
    char label[192];

    fill(call, out);
    out->code = code;
    host_error_set(&out->error, code, "%s: %s", kube_call_label(call, label), text);
    out->error.status = call->status;
    note_unknown(call, out);
    if (call->status == 0 && call->sent_at != 0)
        kube_count(call, 0);
}

static void answered(kube_call_t *call, kube_status_t *status, kube_result_t *out)
{
    char label[192];

    count_body(call);
    out->code = kube_status_code(call->status, "");
    if (out->code == 0)
        return;
    kube_status_parse(out->body, out->body_len, status);
    out->code = kube_status_code(call->status, status->reason);
    out->reason = status->reason;
    out->named_status = status->named;
    if (out->retry_after == 0)
        out->retry_after = status->retry_after;
    const char *reason =
        status->reason[0] != '\0' ? status->reason : kube_status_words(call->status);
    host_error_set(&out->error, out->code, "%s: %d%s%s%s%s", kube_call_label(call, label),
                   call->status, *reason != '\0' ? " " : "", reason,
                   status->message[0] != '\0' ? ": " : "", status->message);
    out->error.status = call->status;
}

static int code_of(CURLcode curl)
{
    switch (curl) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return LH_EUNAVAILABLE;
    case CURLE_OPERATION_TIMEDOUT:
        return LH_ETIMEDOUT;
    case CURLE_OUT_OF_MEMORY:
        return LH_ENOMEM;
    default:
        return LH_EIO;
    }
}

/* The words of libcurl, or better ones where it has only a number. */
static const char *why(const kube_call_t *call, CURLcode curl)
{
    long os_errno = 0;

    curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_errno);
    if (curl == CURLE_COULDNT_CONNECT && os_errno != 0)
        return strerror((int) os_errno);
    return call->curl_text[0] != '\0' ? call->curl_text : curl_easy_strerror(curl);
}

/* Nothing was sent. */
static void not_reached(const kube_call_t *call, CURLcode curl, const char *label,
                        kube_result_t *out)
{
    const kube_target_t *t = &call->client->target;
    const char *proxy = t->credentials->proxy;
    host_cleanup(host_freep) char *by = proxy != NULL ? kube_proxy_label(proxy) : NULL;

    if (proxy != NULL && curl == CURLE_RECV_ERROR) /* the proxy's own refusal */
        out->code = LH_EUNAVAILABLE;
    host_error_set(&out->error, out->code, "%s: cannot reach %s://%s%s%s: %s%s", label,
                   t->tls ? "https" : "http", t->host, proxy != NULL ? " by proxy " : "",
                   proxy != NULL ? by : "",
                   curl == CURLE_SSL_CONNECT_ERROR ? "TLS handshake: " : "", why(call, curl));
}

static void failed(kube_call_t *call, CURLcode curl, kube_result_t *out)
{
    bool unknown = kube_call_may_count(call);
    bool lost = call->second_attempt || curl == CURLE_SEND_FAIL_REWIND;
    char label[192];

    out->code = unknown ? LH_EUNKNOWN : code_of(curl);
    kube_call_label(call, label);
    if (call->sent_at == 0)
        not_reached(call, curl, label, out);
    else
        host_error_set(&out->error, out->code, "%s: %s%s", label,
                       lost ? "the connection was lost before the answer" : why(call, curl),
                       unknown       ? "; the outcome is unknown"
                       : call->write ? "; it was not sent to its end and has no effect"
                                     : "");
    out->error.status = call->status;
    if (call->status == 0)
        kube_count(call, 0);
}

/* Servers say "Unauthorized", TLS says "bad certificate" or nothing at all. */
static void blame_expired(const kube_call_t *call, kube_result_t *out)
{
    host_cleanup(host_freep) char *expired =
        call->client->target.tls ? kube_certs_expired(&call->client->certs) : NULL;
    const size_t len = strlen(out->error.text);

    if (expired != NULL)
        snprintf(out->error.text + len, sizeof(out->error.text) - len, "; %s", expired);
}

void kube_outcome(kube_call_t *call, CURLcode curl, kube_status_t *status, kube_result_t *out)
{
    char label[192];

    fill(call, out);
    if (call->stop_code != 0) {
        out->code = call->stop_code;
        out->error = call->stop_error;
        host_error_wrap(&out->error, out->code, "%s", kube_call_label(call, label));
        out->error.status = call->status;
    } else if (curl == CURLE_OK && call->status != 0) {
        answered(call, status, out);
    } else {
        failed(call, curl == CURLE_OK ? CURLE_GOT_NOTHING : curl, out);
    }
    if (call->status == 401 || (call->status == 0 && call->stop_code == 0))
        blame_expired(call, out);
    note_unknown(call, out);
}
