/* SPDX-License-Identifier: Apache-2.0 */
/* Calls exit() in a reconcile. */
#include "bad.h"

BAD_MANIFEST("exiting");
GOOD_ENTRY;

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    (void) self;
    (void) request;
    (void) completion;
    exit(0);
}
