/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fixtures/hooked.so does is decided by the program that loads it: its configuration,
 * {"hooks": ADDRESS}, leads to this table. A NULL function does nothing (reconcile: completes).
 */
#ifndef UNIT_PLUGIN_HOOKS_H
#define UNIT_PLUGIN_HOOKS_H

#include <leasehold/plugin.h>
#include <stdint.h>

typedef struct hooks {
    const lh_host_t *host; /* the latest instance's, set before create */
    int (*create)(struct hooks *h, lh_error_t *err);
    void (*destroy)(struct hooks *h);
    int (*activate)(struct hooks *h, lh_ctx_t ctx, lh_error_t *err);
    void (*deactivate)(struct hooks *h);
    void (*reconcile)(struct hooks *h, const lh_request_t *request, lh_completion_t completion);
    void *arg;
} hooks_t;

#endif
