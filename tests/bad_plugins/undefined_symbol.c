/* SPDX-License-Identifier: Apache-2.0 */
/* Needs a function that nobody has. */
#include "bad.h"

void nobody_has_this(void);

BAD_MANIFEST("undefined-symbol");
GOOD_ENTRY;

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    (void) request;
    nobody_has_this();
    lh_done(self->host, completion);
}
