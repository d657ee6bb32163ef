/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where every field of the plugin ABI stands. What is written here is a promise: a line may be added
 * behind the last one of its struct, none may change (docs/abi.md). Plugins for 64-bit machines
 * only.
 */
#include <leasehold/leasehold.h>

#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field)
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)

_Static_assert(sizeof(void *) == 8, "64-bit machines only");

SIZE(lh_error_t, 512);
AT(lh_error_t, code, 0);
AT(lh_error_t, status, 4);
AT(lh_error_t, text, 8);

SIZE(lh_ctx_t, 8);
AT(lh_ctx_t, id, 0);

SIZE(lh_completion_t, 8);
AT(lh_completion_t, id, 0);

SIZE(lh_key_t, 24);
AT(lh_key_t, struct_size, 0);
AT(lh_key_t, watch, 4);
AT(lh_key_t, ns, 8);
AT(lh_key_t, name, 16);

SIZE(lh_request_t, 64);
AT(lh_request_t, struct_size, 0);
AT(lh_request_t, reason, 4);
AT(lh_request_t, ctx, 8);
AT(lh_request_t, key, 16);
AT(lh_request_t, uid, 24);
AT(lh_request_t, object, 32);
AT(lh_request_t, last, 40);
AT(lh_request_t, attempt, 48);
AT(lh_request_t, reserved, 52);
AT(lh_request_t, term, 56);

SIZE(lh_result_t, 24);
AT(lh_result_t, struct_size, 0);
AT(lh_result_t, action, 4);
AT(lh_result_t, after_ns, 8);
AT(lh_result_t, text, 16);

SIZE(lh_api_request_t, 56);
AT(lh_api_request_t, struct_size, 0);
AT(lh_api_request_t, reserved, 4);
AT(lh_api_request_t, method, 8);
AT(lh_api_request_t, path, 16);
AT(lh_api_request_t, content_type, 24);
AT(lh_api_request_t, body, 32);
AT(lh_api_request_t, body_len, 40);
AT(lh_api_request_t, timeout_ns, 48);

SIZE(lh_query_t, 32);
AT(lh_query_t, struct_size, 0);
AT(lh_query_t, watch, 4);
AT(lh_query_t, ns, 8);
AT(lh_query_t, label_selector, 16);
AT(lh_query_t, owner_uid, 24);

SIZE(lh_event_t, 40);
AT(lh_event_t, struct_size, 0);
AT(lh_event_t, type, 4);
AT(lh_event_t, regarding, 8);
AT(lh_event_t, reason, 16);
AT(lh_event_t, action, 24);
AT(lh_event_t, note, 32);

SIZE(lh_metric_t, 56);
AT(lh_metric_t, struct_size, 0);
AT(lh_metric_t, type, 4);
AT(lh_metric_t, name, 8);
AT(lh_metric_t, help, 16);
AT(lh_metric_t, label_names, 24);
AT(lh_metric_t, label_values, 32);
AT(lh_metric_t, label_count, 40);
AT(lh_metric_t, reserved, 44);
AT(lh_metric_t, value, 48);

SIZE(lh_instance_t, 24);
AT(lh_instance_t, struct_size, 0);
AT(lh_instance_t, reserved, 4);
AT(lh_instance_t, name, 8);
AT(lh_instance_t, config, 16);

SIZE(lh_plugin_entry_t, 48);
AT(lh_plugin_entry_t, abi_major, 0);
AT(lh_plugin_entry_t, struct_size, 4);
AT(lh_plugin_entry_t, create, 8);
AT(lh_plugin_entry_t, destroy, 16);
AT(lh_plugin_entry_t, activate, 24);
AT(lh_plugin_entry_t, deactivate, 32);
AT(lh_plugin_entry_t, get_extension, 40);

SIZE(lh_host_t, 184);
AT(lh_host_t, abi_major, 0);
AT(lh_host_t, struct_size, 4);
AT(lh_host_t, complete, 8);
AT(lh_host_t, call, 16);
AT(lh_host_t, request, 24);
AT(lh_host_t, cache_get, 32);
AT(lh_host_t, cache_list, 40);
AT(lh_host_t, cursor_next, 48);
AT(lh_host_t, cursor_release, 56);
AT(lh_host_t, snapshot_text, 64);
AT(lh_host_t, snapshot_retain, 72);
AT(lh_host_t, snapshot_release, 80);
AT(lh_host_t, response_status, 88);
AT(lh_host_t, response_text, 96);
AT(lh_host_t, response_release, 104);
AT(lh_host_t, enqueue, 112);
AT(lh_host_t, event, 120);
AT(lh_host_t, metric, 128);
AT(lh_host_t, log, 136);
AT(lh_host_t, now, 144);
AT(lh_host_t, cancelled, 152);
AT(lh_host_t, set_ready, 160);
AT(lh_host_t, post, 168);
AT(lh_host_t, get_extension, 176);

_Static_assert(LH_ABI_MAJOR == 0u, "");
_Static_assert(LH_REASON_CHANGED == 0 && LH_REASON_GONE == 1 && LH_REASON_LEFT == 2 &&
                   LH_REASON_REQUEUED == 3 && LH_REASON_INITIAL == 4,
               "reasons");
_Static_assert(LH_DONE == 0 && LH_REQUEUE_AFTER == 1 && LH_RETRY == 2 && LH_FAIL == 3, "actions");
_Static_assert(LH_EVENT_NORMAL == 0 && LH_EVENT_WARNING == 1, "event types");
_Static_assert(LH_METRIC_COUNTER == 0 && LH_METRIC_GAUGE == 1 && LH_METRIC_HISTOGRAM == 2,
               "metric types");
_Static_assert(LH_LOG_DEBUG == 0 && LH_LOG_INFO == 1 && LH_LOG_WARN == 2 && LH_LOG_ERROR == 3,
               "log levels");
_Static_assert(LH_EINVAL == -1 && LH_ENOMEM == -2 && LH_EABI == -3 && LH_ENOSYS == -4 &&
                   LH_ECANCELED == -5 && LH_EFENCED == -6 && LH_EUNKNOWN == -7 &&
                   LH_ENOTFOUND == -8 && LH_ECONFLICT == -9 && LH_EEXISTS == -10 &&
                   LH_EFORBIDDEN == -11 && LH_EUNAUTHORIZED == -12,
               "codes");
_Static_assert(LH_EGONE == -13 && LH_ETIMEDOUT == -14 && LH_EUNAVAILABLE == -15 &&
                   LH_ETHROTTLED == -16 && LH_ETOOBIG == -17 && LH_EPARSE == -18 && LH_EIO == -19 &&
                   LH_EPERM == -20 && LH_EBUSY == -21 && LH_ESTATE == -22 && LH_EAPI == -23 &&
                   LH_EPLUGIN == -24,
               "codes");
_Static_assert(sizeof(LH_NOTE_OWNER) == 10 && LH_NOTE_MANIFEST == 1u, "note");

int main(void)
{
    return 0;
}
