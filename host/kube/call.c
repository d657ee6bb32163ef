/* SPDX-License-Identifier: Apache-2.0 */
/* One request: copied, given to libcurl, and what libcurl calls back. */
#include "base/clock.h"
#include "base/error.h"
#include "base/seam.h"
#include "kube/client_internal.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "unknown"
#endif

enum { DEFAULT_MAX_BODY = 16 * 1024 * 1024, MAX_ERROR_BODY = 1024 * 1024, MAX_PATH = 64 * 1024 };

/* -- Copying and checking -- */

/* Texts become parts of the request's head: nothing in them may end a line. */
static bool is_line(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char) *s < ' ' || *s == 0x7f)
            return false;
    }
    return true;
}

static bool is_path(const char *s)
{
    if (*s != '/' || strnlen(s, MAX_PATH + 1) > MAX_PATH)
        return false;
    for (; *s != '\0'; s++) {
        if ((unsigned char) *s <= ' ' || (unsigned char) *s >= 0x7f || *s == '#')
            return false;
    }
    return true;
}

static int check(const kube_client_t *c, const kube_request_t *r, bool write, lh_error_t *err)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    bool known = false;

    for (size_t i = 0; i < HOST_LEN(methods) && !known; i++)
        known = strcmp(r->method, methods[i]) == 0;
    if (!known)
        return host_fail(err, LH_EINVAL, "method '%.20s': not one of GET, POST, PUT, PATCH, DELETE",
                         r->method);
    if (!is_path(r->path))
        return host_fail(err, LH_EINVAL,
                         "path '%.200s': it must begin with '/', be percent-encoded and not "
                         "longer than %d bytes",
                         r->path, MAX_PATH);
    if ((r->content_type != NULL && !is_line(r->content_type)) ||
        (r->accept != NULL && !is_line(r->accept)) || (r->agent != NULL && !is_line(r->agent)))
        return host_fail(err, LH_EINVAL, "%s %.200s: a header holds a control character", r->method,
                         r->path);
    if (r->as != NULL && (!is_line(r->as->user) || !is_line(r->as->holder)))
        return host_fail(err, LH_EINVAL, "%s %.200s: a user or holder holds a control character",
                         r->method, r->path);
    if (write && c->kind == KUBE_CLIENT_READS) /* no fence is tested there, and no cut reaches it */
        return host_fail(err, LH_EINVAL, "%s %.200s: a client for reads sends no writes", r->method,
                         r->path);
    if (write && c->kind == KUBE_CLIENT_WRITES && r->fence == NULL)
        return host_fail(err, LH_EINVAL, "%s %.200s: a write needs the fence of its term",
                         r->method, r->path);
    return 0;
}

static char *put(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *start = *at;

    memcpy(start, text, size);
    *at += size;
    return start;
}

/* Copies everything that request points to into one block. */
static int copy(kube_call_t *call, const kube_request_t *request, lh_error_t *err)
{
    kube_request_t *r = &call->request;

    *r = *request;
    if (call->write && (r->body == NULL || r->body_len == 0)) {
        r->body = "{}";
        r->body_len = 2;
    }
    if (r->content_type == NULL)
        r->content_type = "application/json";
    if (r->accept == NULL)
        r->accept = "application/json";
    if (r->agent == NULL)
        r->agent = "";
    size_t body_len = r->body != NULL ? r->body_len : 0;
    if (r->as != NULL) {
        call->actor = *r->as;
        r->as = &call->actor;
    }
    size_t size = strlen(r->method) + strlen(r->path) + strlen(r->content_type) +
                  strlen(r->accept) + strlen(r->agent) + 5;
    if (r->as != NULL)
        size += strlen(r->as->user) + strlen(r->as->holder) + 2;

    call->texts = malloc(size + body_len);
    if (call->texts == NULL)
        return host_fail(err, LH_ENOMEM, "%s %.200s: out of memory", r->method, r->path);
    char *at = call->texts;
    r->method = put(&at, r->method);
    r->path = put(&at, r->path);
    r->content_type = put(&at, r->content_type);
    r->accept = put(&at, r->accept);
    r->agent = put(&at, r->agent);
    if (r->as != NULL) {
        call->actor.user = put(&at, r->as->user);
        call->actor.holder = put(&at, r->as->holder);
    }
    if (body_len > 0)
        memcpy(at, r->body, body_len);
    r->body = at;
    r->body_len = body_len;
    if (r->max_body == 0)
        r->max_body = DEFAULT_MAX_BODY;
    if (r->fence != NULL)
        fence_ref(r->fence);
    return 0;
}

int kube_call_create(kube_client_t *c, const kube_request_t *request, kube_call_t **out,
                     lh_error_t *err)
{
    bool write = strcmp(request->method, "GET") != 0;
    int ret = check(c, request, write, err);

    if (ret < 0)
        return ret;
    kube_call_t *call = host_xcalloc(1, sizeof(*call));

    list_init(&call->node);
    call->client = c;
    call->write = write;
    call->cuts = atomic_load(&c->cuts);
    call->started_at = clock_now();
    ret = copy(call, request, err);
    if (ret == 0)
        *out = call;
    else
        free(call);
    return ret;
}

void kube_call_free(kube_call_t *call)
{
    kube_call_detach(call);
    fence_unref(call->request.fence);
    buf_fini(&call->in);
    free(call->texts);
    free(call);
}

bool kube_call_fallen(const kube_call_t *call)
{
    return call->cuts != atomic_load(&call->client->cuts) ||
           (call->request.fence != NULL && !fence_open(call->request.fence));
}

bool kube_call_suspended(const kube_call_t *call)
{
    return call->cuts == atomic_load(&call->client->cuts) && call->request.fence != NULL &&
           fence_lives(call->request.fence);
}

/* -- What libcurl calls -- */

static void stop(kube_call_t *call, int code, const char *text)
{
    call->stop_code = code;
    host_error_set(&call->stop_error, code, "%s", text);
}

/* Before each attempt to send, after the connection is there. */
static int on_prereq(void *arg, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
    kube_call_t *call = arg;
    const int64_t now = clock_now(); /* before the fence is looked at, and before any byte */

    (void) peer_ip, (void) own_ip, (void) peer_port, (void) own_port;
    if (call->cancelled && call->attempts == 0)
        return CURL_PREREQFUNC_ABORT;
    if (++call->attempts > 1) { /* the connection died under it: the server may have it */
        call->second_attempt = true;
        return CURL_PREREQFUNC_ABORT;
    }
    if (kube_call_fallen(call)) {
        if (kube_call_suspended(call))
            stop(call, LH_EUNAVAILABLE, KUBE_TEXT_SUSPENDED);
        else
            stop(call, LH_EFENCED, "the term is over; nothing was sent");
        return CURL_PREREQFUNC_ABORT;
    }
    if (call->request.fence != NULL && fence_gate_closed(call->request.fence)) {
        stop(call, LH_ECANCELED, "the term is being given up; nothing was sent");
        return CURL_PREREQFUNC_ABORT;
    }
    if (call->sent_at == 0)
        call->sent_at = now;
    if (call->write)
        call->client->in_flight++;
    return CURL_PREREQFUNC_OK;
}

static size_t on_feed(char *out, size_t size, size_t n, void *arg)
{
    kube_call_t *call = arg;
    size_t len = HOST_MIN(size * n, call->request.body_len - call->fed);

    if (kube_call_fallen(call)) {
        stop(call, LH_EUNKNOWN,
             kube_call_suspended(call)
                 ? "writes were suspended while it was being sent; the outcome is unknown"
                 : "the term ended while it was being sent; the outcome is unknown");
        return CURL_READFUNC_ABORT;
    }
    if (call->client->kind == KUBE_CLIENT_WRITES && call->fed + len == call->request.body_len)
        seam_sending(call->request.fence, call->request.body, call->request.body_len);
    memcpy(out, call->request.body + call->fed, len);
    call->fed += len;
    return len;
}

static void read_retry_after(kube_call_t *call, const char *line, size_t len)
{
    static const char name[] = "Retry-After:";
    int64_t seconds = 0;

    if (len < sizeof(name) || strncasecmp(line, name, sizeof(name) - 1) != 0)
        return;
    line += sizeof(name) - 1;
    line += strspn(line, " ");
    if (*line < '0' || *line > '9') /* a date: not sent by an API server */
        return;
    while (*line >= '0' && *line <= '9' && seconds < 86400)
        seconds = seconds * 10 + (*line++ - '0');
    call->retry_after = HOST_MIN(seconds, INT64_C(86400)) * CLOCK_S;
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
    kube_call_t *call = arg;
    size_t len = size * n;
    long status = 0;

    read_retry_after(call, line, len);
    if (len > 2 || call->status != 0)
        return len;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200) { /* the end of the final answer's head */
        bool good = status < 300;
        call->status = (int) status;
        call->in.max = good ? call->request.max_body : MAX_ERROR_BODY;
        kube_count(call, call->status);
    }
    return len;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    kube_call_t *call = arg;
    size_t len = size * n;
    bool good = call->status < 300;
    int ret;

    call->received += len;
    if (call->cancelled)
        return call->write ? len : 0;
    if (good && call->request.on_data != NULL) {
        ret = call->request.on_data(call->request.arg, data, len, &call->stop_error);
        if (ret < 0)
            call->stop_code = ret;
        return ret < 0 ? 0 : len;
    }
    ret = buf_append(&call->in, data, len);
    if (ret == 0 || !good) /* the beginning of an error page is enough */
        return len;
    stop(call, ret, ret == LH_ETOOBIG ? "the answer is larger than allowed" : lh_strerror(ret));
    return 0;
}

/* -- Giving it to libcurl -- */

static bool add_header(kube_call_t *call, const char *line)
{
    struct curl_slist *list = curl_slist_append(call->headers, line);

    if (list != NULL)
        call->headers = list;
    return list != NULL;
}

static bool add_actor(kube_call_t *call, const kube_actor_t *as)
{
    host_cleanup(host_freep) char *user = host_xprintf("Impersonate-User: %s", as->user);
    host_cleanup(host_freep) char *term =
        host_xprintf("Impersonate-Extra-leasehold.dev%%2Fterm: %" PRIu64, as->term);
    host_cleanup(host_freep) char *holder =
        host_xprintf("Impersonate-Extra-leasehold.dev%%2Fholder: %s", as->holder);

    return add_header(call, user) && add_header(call, term) && add_header(call, holder);
}

/* Whom the kubeconfig impersonates, if anybody. */
static bool add_impersonation(kube_call_t *call)
{
    char *const *line = call->client->target.credentials->impersonate;
    bool good = true;

    for (; good && line != NULL && *line != NULL; line++)
        good = add_header(call, *line);
    return good;
}

static int set_headers(kube_call_t *call, lh_error_t *err)
{
    const kube_request_t *r = &call->request;
    kube_client_t *c = call->client;
    host_cleanup(host_freep) char *accept = host_xprintf("Accept: %s", r->accept);
    host_cleanup(host_freep) char *type = host_xprintf("Content-Type: %s", r->content_type);
    host_cleanup(host_freep) char *host = host_xprintf("Host: %s", c->target.host);
    const char *token = NULL;
    int ret = kube_token_get(&c->token, &token, err);

    if (ret < 0)
        return ret;
    call->token_generation = c->token.generation;
    if (!add_header(call, accept) || (call->write && !add_header(call, type)) ||
        (call->write && !add_header(call, "Expect:")) || /* no waiting for 100-continue */
        (c->target.connect_to != NULL && !add_header(call, host)) ||
        (token != NULL && !add_header(call, token)) ||
        !(r->as != NULL ? add_actor(call, r->as) : add_impersonation(call)))
        return host_fail(err, LH_ENOMEM, "out of memory");
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
    return 0;
}

static void set_callbacks(kube_call_t *call)
{
    CURL *easy = call->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_text);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_prereq);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    if (call->write) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L); /* the body comes from on_feed alone */
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->request.method);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t) call->request.body_len);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_feed);
        curl_easy_setopt(easy, CURLOPT_READDATA, call);
    }
}

static int set_up(kube_call_t *call, lh_error_t *err)
{
    const kube_request_t *r = &call->request;
    kube_client_t *c = call->client;
    host_cleanup(host_freep) char *agent = NULL, *url = NULL;

    if (asprintf(&agent, "leasehold/" LEASEHOLD_VERSION " (linux/" ARCH ")%s%s",
                 *r->agent != '\0' ? " " : "", r->agent) < 0)
        agent = NULL;
    if (asprintf(&url, "%s%s", c->target.base, r->path) < 0)
        url = NULL;
    call->easy = curl_easy_init();
    if (agent == NULL || url == NULL || call->easy == NULL)
        return host_fail(err, LH_ENOMEM, "out of memory");
    kube_target_apply(&c->target, call->easy);
    if (c->target.tls)
        kube_certs_apply(&c->certs, call->easy);
    kube_sockets_apply(&c->sockets, call->easy);
    if (curl_easy_setopt(call->easy, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(call->easy, CURLOPT_USERAGENT, agent) != CURLE_OK)
        return host_fail(err, LH_ENOMEM, "out of memory");
    set_callbacks(call);
    return set_headers(call, err);
}

static void count_start(const kube_call_t *call)
{
    const kube_request_t *r = &call->request;
    const int64_t waited = clock_now() - call->started_at + r->waited;

    kube_meters_start(&call->client->meters, r->method, waited, r->body_len);
    if (r->repeated != 0)
        kube_meters_retry(&call->client->meters, r->method, r->repeated);
}

int kube_call_start(kube_call_t *call, kube_lane_t *lane, lh_error_t *err)
{
    char label[192];
    int ret = lane == NULL ? host_fail(err, LH_ENOMEM, "out of memory") : set_up(call, err);

    if (ret == 0) {
        CURLMcode code = curl_multi_add_handle(lane->multi, call->easy);
        if (code == CURLM_OK) {
            call->lane = lane;
            lane->calls++;
            lane->held_reset = false;
            if (call->restarts == 0)
                count_start(call);
            return 0;
        }
        ret = host_fail(err, LH_EIO, "libcurl: %s", curl_multi_strerror(code));
    }
    kube_call_detach(call);
    return host_error_wrap(err, ret, "%s", kube_call_label(call, label));
}

void kube_call_detach(kube_call_t *call)
{
    if (call->lane != NULL) {
        curl_multi_remove_handle(call->lane->multi, call->easy);
        call->lane->calls--;
        call->lane = NULL;
    }
    if (call->easy != NULL)
        curl_easy_cleanup(call->easy);
    call->easy = NULL;
    curl_slist_free_all(call->headers);
    call->headers = NULL;
    if (call->write && call->attempts > 0 && call->sent_at != 0)
        call->client->in_flight--;
    call->attempts = 0;
}
