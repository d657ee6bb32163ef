/* SPDX-License-Identifier: Apache-2.0 */
/* The ABI's structs as fields of a message. Each is put on one side of the wire and taken on the
 * other; what is taken borrows its texts from the message, and has passed no check but that every
 * string that the struct demands is there. [any-thread] */
#ifndef PLUGIN_CODEC_H
#define PLUGIN_CODEC_H

#include "plugin/runner.h"
#include "plugin/wire.h"

#define PLUGIN_CODEC_LABELS 8u /* of a metric */

/* The job's snapshots are attached; references are taken. */
void plugin_put_job(plugin_message_t *m, const plugin_job_t *job);
/* *object and *last (NULL when there is none) are for the caller to make snapshots from. */
typedef struct plugin_text {
    const char *p;
    size_t len;
} plugin_text_t;
bool plugin_take_job(plugin_incoming_t *in, plugin_job_t *job, plugin_text_t *object,
                     plugin_text_t *last);

void plugin_put_key(plugin_message_t *m, const lh_key_t *key);
bool plugin_take_key(plugin_incoming_t *in, lh_key_t *key);

void plugin_put_query(plugin_message_t *m, const lh_query_t *query);
bool plugin_take_query(plugin_incoming_t *in, lh_query_t *query);

void plugin_put_request(plugin_message_t *m, const lh_api_request_t *request);
bool plugin_take_request(plugin_incoming_t *in, lh_api_request_t *request);

void plugin_put_result(plugin_message_t *m, const lh_result_t *result);
bool plugin_take_result(plugin_incoming_t *in, lh_result_t *result);

/* Of `regarding` goes only what names the object. LH_EPARSE when it is not readable. */
HOST_MUST_USE int plugin_put_event(plugin_message_t *m, const lh_event_t *event, lh_error_t *err);
/* regarding stays NULL: it is to be made from *object. */
bool plugin_take_event(plugin_incoming_t *in, lh_event_t *event, plugin_text_t *object);

/* A metric with room for its labels. */
typedef struct plugin_metric {
    lh_metric_t metric;
    const char *names[PLUGIN_CODEC_LABELS], *values[PLUGIN_CODEC_LABELS];
} plugin_metric_t;
/* LH_EINVAL: more labels than there may be, or one is NULL. */
HOST_MUST_USE int plugin_put_metric(plugin_message_t *m, const lh_metric_t *metric,
                                    lh_error_t *err);
bool plugin_take_metric(plugin_incoming_t *in, plugin_metric_t *out);

#endif
