/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the build of tests/chaos looks at the host, and disturbs it. In every other build the calls are
 * empty.
 */
#ifndef BASE_SEAM_H
#define BASE_SEAM_H

#include "base/fence.h"

#include <stddef.h>

#ifdef LEASEHOLD_SEAM
/* The fence was open just now; next libcurl is handed the last byte of this write of a plugin. */
void seam_sending(const fence_t *fence, const char *body, size_t len); /* [any-thread] */
#else
static inline void seam_sending(const fence_t *fence, const char *body, size_t len)
{
    (void) fence;
    (void) body;
    (void) len;
}
#endif

#endif
