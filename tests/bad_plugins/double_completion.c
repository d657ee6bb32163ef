/* SPDX-License-Identifier: Apache-2.0 */
/* Completes every reconcile twice, and an id that it has made up. */
#include "bad.h"

BAD_MANIFEST("double-completion");
GOOD_ENTRY;

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    (void) request;
    lh_done(self->host, completion);
    lh_retry(self->host, completion, "and once more");
    lh_done(self->host, (lh_completion_t){UINT64_MAX - 1});
}
