/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of log lines that belong to a reconcile. */
#ifndef PLUGIN_RUN_LOG_H
#define PLUGIN_RUN_LOG_H

#include "plugin/services.h"

enum { RUN_ID_SIZE = 37 };

/* Writes the reconcileID of a ctx: a UUID, the same one whenever it is asked for. */
void plugin_run_id(const plugin_shared_t *shared, uint64_t ctx, char out[RUN_ID_SIZE]);

/* A child of log with namespace, name, reconcileID and term; ns NULL: of no object, so with the term
 * alone. Caller owns the result, free with log_destroy. [any-thread] */
log_t *plugin_run_log(const log_t *log, const plugin_shared_t *shared, uint64_t ctx, uint64_t term,
                      const char *ns, const char *name);

#endif
