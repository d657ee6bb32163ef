/* SPDX-License-Identifier: Apache-2.0 */
/* Goes on completing, on a thread of its own, for half a second after destroy() has returned. It is
 * linked with -z nodelete, so that this code is still there. */
#include "bad.h"

#include <pthread.h>
#include <unistd.h>

BAD_MANIFEST("completion-after-destroy");

static void *complete_late(void *arg)
{
    const lh_plugin_t *late = arg;

    for (int i = 0; i < 500; i++) {
        lh_retry(late->host, late->last, "from beyond");
        (void) usleep(1000);
    }
    free(arg);
    return NULL;
}

static void destroy(lh_plugin_t *self)
{
    pthread_t thread;

    lh_done(self->host, self->last);
    if (pthread_create(&thread, NULL, complete_late, self) == 0)
        (void) pthread_detach(thread);
    else
        free(self);
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = good_create,
    .destroy = destroy,
};

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    (void) request;
    self->last = completion;
    lh_done(self->host, completion);
}
