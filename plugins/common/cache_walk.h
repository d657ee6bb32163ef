/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over cached objects that one failure does not end. */
#ifndef COMMON_CACHE_WALK_H
#define COMMON_CACHE_WALK_H

#include <leasehold/leasehold.h>

/* Is shown one object, which is borrowed until it returns; 0, or a code with err (may be NULL) set.
 * [worker-thread] */
typedef int (*cache_visit_t)(void *arg, const lh_snapshot_t *object, lh_error_t *err);

/* Shows the objects of a watch in a namespace (NULL: all). The first failure is returned, after all have
 * been shown; only the end of the ctx ends the walk. [worker-thread] */
int cache_walk(const lh_host_t *host, lh_ctx_t ctx, uint32_t watch, const char *ns,
               cache_visit_t visit, void *arg, lh_error_t *err);

#endif
