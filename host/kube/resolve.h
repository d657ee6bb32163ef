/* SPDX-License-Identifier: Apache-2.0 */
/* All addresses of the API server's name, looked up on a thread of their own: it may block for long.
 * Where a proxy looks it up: the name. */
#ifndef KUBE_RESOLVE_H
#define KUBE_RESOLVE_H

#include "base/loop.h"
#include "kube/credentials.h"

typedef struct kube_resolve kube_resolve_t;

typedef struct kube_resolve_result {
    const char *const *addresses; /* "1.2.3.4:443", "[::1]:443" */
    size_t count;
    const char *error; /* NULL: fine */
} kube_resolve_result_t;

/* on_done is called once unless it is cancelled; the result is borrowed until it returns.
 * [loop's thread] */
kube_resolve_t *kube_resolve_start(loop_t *loop, const kube_credentials_t *credentials,
                                   void (*on_done)(void *arg, const kube_resolve_result_t *result),
                                   void *arg);
/* Before on_done. NULL is allowed. [loop's thread] */
void kube_resolve_cancel(kube_resolve_t *r);

#endif
