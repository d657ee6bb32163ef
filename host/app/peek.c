/* SPDX-License-Identifier: Apache-2.0 */
#include "app/peek.h"

#include "app/lease_namespace.h"
#include "base/clock.h"
#include "base/error.h"
#include "kube/client.h"
#include "kube/path.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TIME_LIMIT (10 * CLOCK_S)

/* -- What the Lease says -- */

static const char *text_of(const cJSON *spec, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(spec, key));

    return text != NULL && *text != '\0' ? text : NULL;
}

static double number_of(const cJSON *spec, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(spec, key)); /* or NaN */
}

/* Seconds since a time of the API, "2026-01-02T03:04:05.000006Z"; NaN when it is none. */
static double age_of(const char *text)
{
    struct tm tm = {0};
    const char *rest = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    double fraction = 0;

    if (rest == NULL)
        return (double) NAN;
    if (*rest == '.')
        fraction = strtod(rest, NULL);
    return (double) clock_wall() / (double) CLOCK_S - (double) timegm(&tm) - fraction;
}

static void put_text(buf_t *out, const char *key, const char *text)
{
    buf_printf(out, ",\"%s\":", key);
    if (text != NULL)
        buf_json_string(out, text, strlen(text));
    else
        buf_puts(out, "null");
}

static void put_number(buf_t *out, const char *key, const char *format, double value)
{
    buf_printf(out, ",\"%s\":", key);
    if (isfinite(value))
        buf_printf(out, format, value);
    else
        buf_puts(out, "null");
}

static void put_lease(const cJSON *spec, bool there, buf_t *out)
{
    const char *holder = text_of(spec, "holderIdentity"), *renewed = text_of(spec, "renewTime");
    const double age = age_of(renewed), duration = number_of(spec, "leaseDurationSeconds");

    const bool held = holder != NULL && !(age > duration);

    put_text(out, "state", !there ? "absent" : holder == NULL ? "free" : held ? "held" : "expired");
    put_text(out, "holder", holder);
    put_text(out, "since", holder != NULL ? text_of(spec, "acquireTime") : NULL);
    put_number(out, "term", "%.0f", number_of(spec, "leaseTransitions"));
    put_text(out, "renewTime", renewed);
    put_number(out, "leaseAge", "%.3f", age);
    put_number(out, "leaseDuration", "%.0f", duration);
    put_number(out, "secondsToExpiry", "%.3f", held ? duration - age : (double) NAN);
}

/* -- Asking -- */

typedef struct peek {
    loop_t *loop;
    buf_t *out;
    int code;
    lh_error_t *err;
} peek_t;

static void on_done(void *arg, const kube_result_t *result)
{
    peek_t *p = arg;
    cJSON *lease = result->code == 0 ? cJSON_ParseWithLength(result->body, result->body_len) : NULL;

    if (result->code != 0 && result->status != 404)
        p->code = host_fail(p->err, result->code, "%s", result->error.text);
    else if (result->code == 0 && lease == NULL)
        p->code = host_fail(p->err, LH_EPARSE, "the API server's answer is no JSON");
    else
        put_lease(cJSON_GetObjectItemCaseSensitive(lease, "spec"), lease != NULL, p->out);
    cJSON_Delete(lease);
    loop_stop(p->loop);
}

static int ask(const kube_credentials_t *credentials, const char *path, peek_t *p)
{
    const kube_client_options_t options = {
        .loop = p->loop, .credentials = credentials, .kind = KUBE_CLIENT_READS};
    const kube_request_t request = {
        .method = "GET", .path = path, .timeout = TIME_LIMIT, .on_done = on_done, .arg = p};
    kube_client_t *client = NULL;
    int ret = kube_client_create(&options, &client, p->err);

    if (ret < 0)
        return ret;
    ret = kube_client_send(client, &request, NULL, p->err);
    if (ret == 0) {
        loop_run(p->loop);
        ret = p->code;
    }
    kube_client_destroy(client);
    return ret;
}

static int peek(const config_t *config, const char *const *env,
                const kube_credentials_t *credentials, buf_t *out, lh_error_t *err)
{
    static const kube_gvr_t leases = {"coordination.k8s.io", "v1", "leases"};
    const char *namespace = app_lease_namespace(config, env, credentials, NULL);
    const char *name = config->leader_election.id;
    host_cleanup(buf_fini) buf_t path = BUF_INIT;
    peek_t p = {.out = out, .err = err};
    int ret = kube_path(&path, &leases, namespace, name);

    if (ret < 0)
        return host_fail(err, ret, "the name of the Lease is too long");
    ret = loop_create(&p.loop, err);
    if (ret < 0)
        return ret;
    buf_puts(out, "{\"lease\":");
    buf_json_string(out, name, strlen(name));
    put_text(out, "namespace", namespace);
    ret = ask(credentials, buf_text(&path), &p);
    buf_puts(out, "}");
    loop_destroy(p.loop);
    return ret;
}

int app_peek_lease(const config_t *config, const char *const *env, buf_t *out, lh_error_t *err)
{
    const kube_credentials_source_t source = {
        .path = config->kubeconfig, .context = config->context, .env = env};
    kube_credentials_t *credentials = NULL;
    int ret = kube_credentials_load(&source, &credentials, err);

    if (ret < 0)
        return ret;
    ret = peek(config, env, credentials, out, err);
    kube_credentials_destroy(credentials);
    return ret;
}
