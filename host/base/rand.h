/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers for jitter and identities; from getrandom(2), so without seed and state. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *out, size_t len); /* [any-thread] */
/* Uniform in [0, bound); 0 for a bound below 1. [any-thread] */
int64_t rand_below(int64_t bound);
/* Writes 2*n lower-case hex digits and a NUL. [any-thread] */
void rand_hex(char *out, size_t n);

#endif
