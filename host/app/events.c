/* SPDX-License-Identifier: Apache-2.0 */
#include "app/events.h"

#include "base/clock.h"
#include "kube/client.h"
#include "kube/path.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT (10 * CLOCK_S)

enum { MAX_IN_FLIGHT = 4, MAX_INSTANCE = 128, MAX_NOTE = 1024 };

struct app_events {
    app_events_options_t o;
    char *namespace, *lease, *identity;
    kube_client_t *client; /* NULL while nothing is under way: a quiet host keeps no connection */
    size_t in_flight;
    loop_task_t rest;
    bool told; /* that they are not recorded */
};

static void on_rest(loop_task_t *task)
{
    app_events_t *e = HOST_CONTAINER(task, app_events_t, rest);

    if (e->in_flight == 0)
        kube_client_destroy(host_steal(e->client));
}

static void tell(app_events_t *e, const char *why)
{
    if (!e->told)
        log_info(e->o.log, "no Events are recorded on the Lease: %s", why);
    e->told = true;
}

static void on_done(void *arg, const kube_result_t *result)
{
    app_events_t *e = arg;

    e->in_flight--;
    if (result->code != 0)
        tell(e, result->error.text);
    else
        e->told = false;
    loop_post(e->o.loop, &e->rest); /* not from within its own callback */
}

static void put(buf_t *out, const char *key, const char *value, size_t max)
{
    buf_printf(out, ",\"%s\":", key);
    buf_json_string(out, value, strnlen(value, max));
}

/* As client-go's elector words them, in the form of events.k8s.io/v1. */
static void format(const app_events_t *e, const char *uid, const char *text, buf_t *out)
{
    host_cleanup(host_freep) char *note = host_xprintf("%s %s", e->identity, text);
    const int64_t wall = clock_wall();
    char when[32];

    clock_format(wall, when);
    buf_printf(out,
               "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{\"name\":"
               "\"%.200s.%llx\"",
               e->lease, (unsigned long long) wall);
    put(out, "namespace", e->namespace, MAX_NOTE);
    buf_printf(out, "},\"eventTime\":\"%s\",\"type\":\"Normal\"", when);
    put(out, "reason", "LeaderElection", MAX_NOTE);
    put(out, "action", "LeaderElection", MAX_NOTE);
    put(out, "reportingController", "leasehold.dev/host", MAX_NOTE);
    put(out, "reportingInstance", e->identity, MAX_INSTANCE);
    put(out, "note", note, MAX_NOTE);
    buf_puts(out, ",\"regarding\":{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\"");
    put(out, "namespace", e->namespace, MAX_NOTE);
    put(out, "name", e->lease, MAX_NOTE);
    if (uid[0] != '\0')
        put(out, "uid", uid, MAX_NOTE);
    buf_puts(out, "}}");
}

static int send_event(app_events_t *e, const char *path, const buf_t *body, lh_error_t *err)
{
    int ret = 0;

    if (e->client == NULL)
        ret = kube_client_create(&(kube_client_options_t){.loop = e->o.loop,
                                                          .credentials = e->o.credentials,
                                                          .kind = KUBE_CLIENT_LEASE,
                                                          .log = e->o.log,
                                                          .metrics = e->o.metrics},
                                 &e->client, err);
    if (ret == 0)
        ret = kube_client_send(e->client,
                               &(kube_request_t){.method = "POST",
                                                 .path = path,
                                                 .body = body->data,
                                                 .body_len = body->len,
                                                 .timeout = TIMEOUT,
                                                 .on_done = on_done,
                                                 .arg = e},
                               NULL, err);
    return ret;
}

void app_events_add(app_events_t *e, const char *uid, const char *text)
{
    static const kube_gvr_t events = {"events.k8s.io", "v1", "events"};
    host_cleanup(buf_fini) buf_t path = BUF_INIT, body = BUF_INIT;
    lh_error_t err = {0};

    if (e == NULL || e->in_flight == MAX_IN_FLIGHT)
        return;
    format(e, uid, text, &body);
    if (body.failed || kube_path(&path, &events, e->namespace, NULL) < 0)
        return;
    if (send_event(e, buf_text(&path), &body, &err) == 0)
        e->in_flight++;
    else
        tell(e, err.text);
}

app_events_t *app_events_create(const app_events_options_t *options)
{
    app_events_t *e = host_xcalloc(1, sizeof(*e));

    e->o = *options;
    e->namespace = host_xstrdup(options->namespace);
    e->lease = host_xstrdup(options->lease);
    e->identity = host_xstrdup(options->identity);
    e->rest.fn = on_rest;
    return e;
}

void app_events_destroy(app_events_t *e)
{
    if (e == NULL)
        return;
    loop_withdraw(e->o.loop, &e->rest);
    kube_client_destroy(e->client);
    free(e->namespace);
    free(e->lease);
    free(e->identity);
    free(e);
}
