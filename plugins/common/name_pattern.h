/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions for names of objects, out of annotations: whoever may annotate an object has
 * written them, so what they cost is bounded. */
#ifndef COMMON_NAME_PATTERN_H
#define COMMON_NAME_PATTERN_H

#include <leasehold/error.h>

/* 1 when the pattern, a POSIX extended regular expression, matches the whole name, 0 when it does not.
 * LH_EINVAL: it is none; LH_ETOOBIG: it has back-references, is nested deeper than 32 times, or has more
 * than 500 characters with each repeat ("{3}", "+") written out. err says which. [any-thread] */
int name_pattern_matches(const char *pattern, const char *name, lh_error_t *err);

#endif
