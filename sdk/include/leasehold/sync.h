/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reconciling as a plain function: sequential code that blocks its worker and returns a result.
 *
 *   struct lh_plugin {
 *       const lh_host_t *host;
 *       ...
 *   };
 *
 *   static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
 *                        lh_error_t *err)
 *   {
 *       ...
 *       return 0;
 *   }
 *   LH_SYNC(reconcile, host) // makes reconcile_async() of it; host: the member of lh_plugin
 *
 * What it returns:
 *   return 0;                                  done
 *   return lh_again(result, 30 * LH_SECOND);   done for now, once more in 30 s
 *   return a negative code, with err set;      failed: once more with back-off
 *   return lh_give_up(result, the same code);  failed: not again until something changes
 * A positive number is a mistake, such as an HTTP status, and fails.
 * err's text goes with a failure into the log.
 */
#ifndef LEASEHOLD_SYNC_H
#define LEASEHOLD_SYNC_H

#include <leasehold/api.h>
#include <leasehold/plugin.h>

/* Brings the world to where the object wants it, and returns as the head of this file says.
 * [worker-thread] */
typedef int (*lh_sync_t)(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                         lh_error_t *err);

/* Asks for the same key once more after so many nanoseconds; returns 0. [worker-thread] */
static inline int lh_again(lh_result_t *result, int64_t after_ns)
{
    result->action = LH_REQUEUE_AFTER;
    result->after_ns = after_ns;
    return 0;
}

/* Says that trying again is useless until something changes; returns code. [worker-thread] */
static inline int lh_give_up(lh_result_t *result, int code)
{
    result->action = LH_FAIL;
    return code;
}

/* Calls fn and completes with what it returned. Used by LH_SYNC. [worker-thread] */
static inline void lh_sync_run(const lh_host_t *host, lh_sync_t fn, lh_plugin_t *plugin,
                               const lh_request_t *request, lh_completion_t completion)
{
    lh_result_t result = {sizeof(result), LH_DONE, 0, NULL};
    lh_error_t err;
    int ret;

    err.code = 0;
    err.status = 0;
    err.text[0] = '\0';
    ret = fn(plugin, request, &result, &err);
    if (ret < 0) {
        if (result.action != LH_FAIL)
            result.action = LH_RETRY;
        if (result.text == NULL)
            result.text = lh_error_reason_(ret, &err);
    } else if (ret > 0) {
        result.action = LH_FAIL;
        result.text = "reconcile returned a positive number, which is no error code";
    }
    lh_complete(host, completion, result.action, result.after_ns, result.text);
}

/* Defines reconcile_async() by a function of the type lh_sync_t and the name of the member of
 * struct lh_plugin that holds the host table. */
#define LH_SYNC(fn, host_member)                                                                   \
    LH_EXPORT void reconcile_async(lh_plugin_t *plugin, const lh_request_t *request,               \
                                   lh_completion_t completion)                                     \
    {                                                                                              \
        lh_sync_run(plugin->host_member, fn, plugin, request, completion);                         \
    }

#endif
