/* SPDX-License-Identifier: Apache-2.0 */
/* How host code makes and enriches errors; the codes are those of the SDK. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/base.h"

#include <leasehold/error.h>

/* Fills err (NULL is allowed) with code and text; longer texts are cut. [any-thread] */
void host_error_set(lh_error_t *err, int code, const char *fmt, ...) HOST_PRINTF(3, 4);

/*
 * The value is the code, so that compiler and analyzer see a negative constant:
 *   return host_fail(err, LH_EIO, "open '%s': %s", path, strerror(errno));
 */
#define host_fail(err, code, ...)                                                                  \
    __extension__({                                                                                \
        const int code_ = (code);                                                                  \
        host_error_set((err), code_, __VA_ARGS__);                                                 \
        code_;                                                                                     \
    })

/* Puts "context: " before the text of err; returns code. Once per layer. [any-thread] */
int host_error_wrap(lh_error_t *err, int code, const char *fmt, ...) HOST_PRINTF(3, 4);

#endif
