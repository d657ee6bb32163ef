/* SPDX-License-Identifier: Apache-2.0 */
/* The mutation: a fence that is always open, in the place of host/base/fence.c. With it the judge must find
 * writes that were sent late, or it is blind. */
#define fence_open checked_open
#define fence_lives checked_lives
#define fence_admits checked_admits
#include "base/fence.c" /* NOLINT(bugprone-suspicious-include) */
#undef fence_open
#undef fence_lives
#undef fence_admits

bool fence_open(const fence_t *f);
bool fence_lives(const fence_t *f);
bool fence_admits(const fence_t *f);

bool fence_open(const fence_t *f)
{
    (void) f;
    (void) clock_now(); /* the seam records when it was asked */
    return true;
}

bool fence_lives(const fence_t *f)
{
    (void) f;
    return true;
}

bool fence_admits(const fence_t *f)
{
    return !fence_gate_closed(f);
}
