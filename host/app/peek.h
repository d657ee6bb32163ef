/* SPDX-License-Identifier: Apache-2.0 */
/* The Lease, read once, for somebody who runs no host: who leads, as far as the Lease tells. */
#ifndef APP_PEEK_H
#define APP_PEEK_H

#include "base/buf.h"
#include "config/config.h"
#include "kube/credentials.h"

/* Asks the API server that config and env name, and appends {"lease", "namespace", "state", "holder",
 * "since", "term", "renewTime", "leaseAge", "leaseDuration", "secondsToExpiry"}: since and renewTime as
 * they stand there, the rest in seconds (secondsToExpiry of a held one, unless it is renewed), each null
 * when it is absent. state is "held", "expired" (by this machine's clock), "free", or "absent". Makes a
 * loop of its own. [any-thread] */
HOST_MUST_USE int app_peek_lease(const config_t *config, const char *const *env, buf_t *out,
                                 lh_error_t *err);

#endif
