/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lh_create_or_patch() without waiting: a reconcile begins it and returns, and its worker takes the next
 * key, until `maxInFlight` reconciles (64 unless configured) have begun and not completed.
 *
 *   void reconcile_async(lh_plugin_t *self, const lh_request_t *request, lh_completion_t completion)
 *   {
 *       ...
 *       lh_complete_when_ensured(self->host, request->ctx, &ref, WATCH_CONFIG_MAPS, wanted, completion);
 *       free(wanted);
 *   }
 *
 * What is wanted, what is sent, and the errors are those of ensure.h. Nothing of the arguments is needed
 * after the call: texts are copied.
 */
#ifndef LEASEHOLD_ENSURE_ASYNC_H
#define LEASEHOLD_ENSURE_ASYNC_H

#include <leasehold/ensuring.h>

/* What is to be begun; nobody waits for it yet. [any-thread] */
static inline lh_ensuring_t_ lh_ensuring_of_(const lh_host_t *host, lh_ctx_t ctx,
                                             const lh_ref_t *ref, uint32_t watch,
                                             const char *wanted)
{
    lh_ensuring_t_ how;

    memset(&how, 0, sizeof(how));
    how.host = host;
    how.ctx = ctx;
    how.ref = *ref;
    how.watch = watch;
    how.wanted = wanted;
    return how;
}

/* lh_create_or_patch() (ensure.h), which then calls done (ensuring.h says when and where); all errors come
 * there. Hold no lock that done takes. ctx must live until then: the reconcile is completed in done or later,
 * and several objects are made one after the other. [any-thread] */
static inline void lh_create_or_patch_async(const lh_host_t *host, lh_ctx_t ctx,
                                            const lh_ref_t *ref, uint32_t watch, const char *wanted,
                                            lh_ensured_t done, void *arg)
{
    lh_ensuring_t_ how = lh_ensuring_of_(host, ctx, ref, watch, wanted);

    how.done = done;
    how.arg = arg;
    lh_ensuring_begin_(&how);
}

/* The same as the last act of a reconcile: that is done when the object is as wanted, and tried again with
 * back-off, whatever the error, as long as it is not. Once for each reconcile: its completion ends ctx, and
 * what has not been sent by then is not sent. [any-thread] */
static inline void lh_complete_when_ensured(const lh_host_t *host, lh_ctx_t ctx,
                                            const lh_ref_t *ref, uint32_t watch, const char *wanted,
                                            lh_completion_t completion)
{
    lh_ensuring_t_ how = lh_ensuring_of_(host, ctx, ref, watch, wanted);

    how.completion = completion;
    lh_ensuring_begin_(&how);
}

#endif
