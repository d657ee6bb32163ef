/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to address 0. (volatile: or the compiler would make something else of it.) */
#include "bad.h"

BAD_MANIFEST("segfault");
GOOD_ENTRY;

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    volatile int *volatile nowhere = NULL;

    (void) request;
    *nowhere = 1;
    lh_done(self->host, completion);
}
