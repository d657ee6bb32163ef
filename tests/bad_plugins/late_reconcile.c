/* SPDX-License-Identifier: Apache-2.0 */
/* Completes 30 s later, whatever becomes of its ctx. */
#include "bad.h"

#include <unistd.h>

BAD_MANIFEST("late-reconcile");
GOOD_ENTRY;

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    (void) request;
    (void) sleep(30);
    lh_done(self->host, completion);
}
