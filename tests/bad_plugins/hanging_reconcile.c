/* SPDX-License-Identifier: Apache-2.0 */
/* Never returns, whatever becomes of its ctx. */
#include "bad.h"

#include <unistd.h>

BAD_MANIFEST("hanging-reconcile");
GOOD_ENTRY;

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    (void) completion;
    lh_logf(self->host, request->ctx, LH_LOG_INFO, "hanging on %s", request->key->name);
    for (;;)
        (void) pause();
}
