/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mutation: a fence that is always open, and that cuts nothing when it falls. The linker puts these in the
 * place of the functions of the same names. With it the judge must find writes that were sent late, or it is
 * blind.
 */
#include "base/clock.h"
#include "kube/client.h"

bool __wrap_fence_open(const fence_t *f);
bool __wrap_fence_lives(const fence_t *f);
bool __wrap_fence_admits(const fence_t *f);
void __wrap_kube_client_cut(kube_client_t *c);

bool __wrap_fence_open(const fence_t *f)
{
    (void) f;
    (void) clock_now(); /* the seam records when it was asked */
    return true;
}

bool __wrap_fence_lives(const fence_t *f)
{
    (void) f;
    return true;
}

bool __wrap_fence_admits(const fence_t *f)
{
    return !fence_gate_closed(f);
}

void __wrap_kube_client_cut(kube_client_t *c)
{
    (void) c;
}
