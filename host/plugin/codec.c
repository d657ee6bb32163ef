/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/codec.h"

#include "base/error.h"
#include "json/skim.h"

#include <string.h>

/* -- Jobs -- */

static void unref(void *snapshot)
{
    watch_snapshot_unref(snapshot);
}

static void attach_snapshot(plugin_message_t *m, const watch_snapshot_t *s)
{
    size_t len = 0;
    const char *text = s != NULL ? watch_snapshot_text(s, &len) : NULL;

    plugin_message_attach(m, text, len, s != NULL ? unref : NULL,
                          s != NULL ? watch_snapshot_ref(s) : NULL);
}

void plugin_put_job(plugin_message_t *m, const plugin_job_t *job)
{
    plugin_message_u64(m, job->ctx);
    plugin_message_u64(m, job->completion);
    plugin_message_u32(m, job->reason);
    plugin_message_u32(m, job->attempt);
    plugin_message_u64(m, job->term);
    plugin_message_u32(m, job->watch);
    plugin_message_string(m, job->ns);
    plugin_message_string(m, job->name);
    plugin_message_string(m, job->uid);
    plugin_message_u64(m, (uint64_t) job->read_at); /* one clock for all processes of a machine */
    attach_snapshot(m, job->object);
    attach_snapshot(m, job->last);
}

static bool all_done(const plugin_incoming_t *in, const char *a, const char *b)
{
    return plugin_incoming_done(in) && a != NULL && b != NULL;
}

bool plugin_take_job(plugin_incoming_t *in, plugin_job_t *job, plugin_text_t *object,
                     plugin_text_t *last)
{
    *job = (plugin_job_t){.ctx = plugin_incoming_u64(in)};
    job->completion = plugin_incoming_u64(in);
    job->reason = plugin_incoming_u32(in);
    job->attempt = plugin_incoming_u32(in);
    job->term = plugin_incoming_u64(in);
    job->watch = plugin_incoming_u32(in);
    job->ns = plugin_incoming_string(in);
    job->name = plugin_incoming_string(in);
    job->uid = plugin_incoming_string(in);
    job->read_at = (int64_t) plugin_incoming_u64(in);
    object->p = plugin_incoming_text(in, &object->len);
    last->p = plugin_incoming_text(in, &last->len);
    return all_done(in, job->ns, job->name) && job->uid != NULL;
}

/* -- Keys, queries, requests, results -- */

void plugin_put_key(plugin_message_t *m, const lh_key_t *key)
{
    plugin_message_u32(m, key->watch);
    plugin_message_string(m, key->ns);
    plugin_message_string(m, key->name);
}

bool plugin_take_key(plugin_incoming_t *in, lh_key_t *key)
{
    *key = (lh_key_t){.struct_size = sizeof(*key), .watch = plugin_incoming_u32(in)};
    key->ns = plugin_incoming_string(in);
    key->name = plugin_incoming_string(in);
    return all_done(in, key->ns, key->name);
}

void plugin_put_query(plugin_message_t *m, const lh_query_t *query)
{
    plugin_message_u32(m, query->watch);
    plugin_message_string(m, query->ns);
    plugin_message_string(m, query->label_selector);
    plugin_message_string(m, query->owner_uid);
}

bool plugin_take_query(plugin_incoming_t *in, lh_query_t *query)
{
    *query = (lh_query_t){.struct_size = sizeof(*query), .watch = plugin_incoming_u32(in)};
    query->ns = plugin_incoming_string(in);
    query->label_selector = plugin_incoming_string(in);
    query->owner_uid = plugin_incoming_string(in);
    return plugin_incoming_done(in);
}

void plugin_put_request(plugin_message_t *m, const lh_api_request_t *request)
{
    plugin_message_string(m, request->method);
    plugin_message_string(m, request->path);
    plugin_message_string(m, request->content_type);
    plugin_message_u64(m, (uint64_t) request->timeout_ns);
    plugin_message_text(m, request->body, request->body_len);
}

bool plugin_take_request(plugin_incoming_t *in, lh_api_request_t *request)
{
    size_t len;

    *request = (lh_api_request_t){.struct_size = sizeof(*request)};
    request->method = plugin_incoming_string(in);
    request->path = plugin_incoming_string(in);
    request->content_type = plugin_incoming_string(in);
    request->timeout_ns = (int64_t) plugin_incoming_u64(in);
    request->body = plugin_incoming_text(in, &len);
    request->body_len = len;
    return all_done(in, request->method, request->path);
}

void plugin_put_result(plugin_message_t *m, const lh_result_t *result)
{
    plugin_message_u32(m, result->action);
    plugin_message_u64(m, (uint64_t) result->after_ns);
    plugin_message_text(m, result->text, result->text != NULL ? strnlen(result->text, 1024) : 0);
}

bool plugin_take_result(plugin_incoming_t *in, lh_result_t *result)
{
    *result = (lh_result_t){.struct_size = sizeof(*result), .action = plugin_incoming_u32(in)};
    result->after_ns = (int64_t) plugin_incoming_u64(in);
    result->text = plugin_incoming_string(in);
    return plugin_incoming_done(in);
}

/* -- Events -- */

static void add_member(buf_t *out, const char *name, skim_span_t span)
{
    if (span.p == NULL)
        return;
    /* The span is a JSON string's inside already. */
    (void) buf_printf(out, "%s\"%s\":\"", out->len > 0 && out->data[out->len - 1] != '{' ? "," : "",
                      name);
    (void) buf_append(out, span.p, span.len);
    (void) buf_puts(out, "\"");
}

int plugin_put_event(plugin_message_t *m, const lh_event_t *event, lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t object = BUF_INIT;
    skim_meta_t meta;
    size_t len;
    const char *text = watch_snapshot_text((const watch_snapshot_t *) event->regarding, &len);
    const int ret = skim_meta(text, len, &meta, err);

    if (ret < 0)
        return ret;
    (void) buf_puts(&object, "{");
    add_member(&object, "apiVersion", meta.api_version);
    add_member(&object, "kind", meta.kind);
    (void) buf_puts(&object, object.len > 1 ? ",\"metadata\":{" : "\"metadata\":{");
    add_member(&object, "namespace", meta.ns);
    add_member(&object, "name", meta.name);
    add_member(&object, "uid", meta.uid);
    add_member(&object, "resourceVersion", meta.resource_version);
    if (buf_puts(&object, "}}") < 0)
        return host_fail(err, LH_ENOMEM, "event: out of memory");
    plugin_message_u32(m, event->type);
    plugin_message_string(m, event->reason);
    plugin_message_string(m, event->action);
    plugin_message_text(m, event->note, event->note != NULL ? strnlen(event->note, 1024) : 0);
    plugin_message_text(m, object.data, object.len);
    return 0;
}

bool plugin_take_event(plugin_incoming_t *in, lh_event_t *event, plugin_text_t *object)
{
    *event = (lh_event_t){.struct_size = sizeof(*event), .type = plugin_incoming_u32(in)};
    event->reason = plugin_incoming_string(in);
    event->action = plugin_incoming_string(in);
    event->note = plugin_incoming_string(in);
    object->p = plugin_incoming_text(in, &object->len);
    return all_done(in, event->reason, object->p);
}

/* -- Metrics -- */

int plugin_put_metric(plugin_message_t *m, const lh_metric_t *metric, lh_error_t *err)
{
    if (metric->label_count > PLUGIN_CODEC_LABELS)
        return host_fail(err, LH_EINVAL, "metric: %u labels, at most %u", metric->label_count,
                         PLUGIN_CODEC_LABELS);
    if (metric->label_count > 0 && (metric->label_names == NULL || metric->label_values == NULL))
        return host_fail(err, LH_EINVAL, "metric: label names or values are missing");
    plugin_message_u32(m, metric->type);
    plugin_message_string(m, metric->name);
    plugin_message_string(m, metric->help);
    plugin_message_f64(m, metric->value);
    plugin_message_u32(m, metric->label_count);
    for (uint32_t i = 0; i < metric->label_count; i++) {
        const char *value = metric->label_values[i];

        plugin_message_string(m, metric->label_names[i]);
        plugin_message_text(m, value, value != NULL ? strnlen(value, 128) : 0);
    }
    return 0;
}

bool plugin_take_metric(plugin_incoming_t *in, plugin_metric_t *out)
{
    lh_metric_t *m = &out->metric;

    *m = (lh_metric_t){.struct_size = sizeof(*m), .type = plugin_incoming_u32(in)};
    m->name = plugin_incoming_string(in);
    m->help = plugin_incoming_string(in);
    m->value = plugin_incoming_f64(in);
    m->label_count = plugin_incoming_u32(in);
    if (m->label_count > PLUGIN_CODEC_LABELS)
        return false;
    for (uint32_t i = 0; i < m->label_count; i++) {
        out->names[i] = plugin_incoming_string(in);
        out->values[i] = plugin_incoming_string(in);
    }
    m->label_names = out->names;
    m->label_values = out->values;
    return plugin_incoming_done(in);
}
