/* SPDX-License-Identifier: Apache-2.0 */
/* Returns at once and never completes. */
#include "bad.h"

BAD_MANIFEST("never-completing");
GOOD_ENTRY;

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    (void) completion;
    lh_logf(self->host, request->ctx, LH_LOG_INFO, "forgetting %s", request->key->name);
}
