/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two loops in which skimming spends its time, written for what the processor has: SSE2 or AVX2 on
 * x86-64, NEON on arm64, and in plain C for any other. All give the same for any text.
 */
#ifndef JSON_SKIM_OPS_H
#define JSON_SKIM_OPS_H

#include "json/skim_text.h"

typedef struct skim_ops {
    const char *name;
    /* Goes on inside a string, over what is plain and over escapes of two characters, which set
     * *escaped: its closing quote, or the first byte that needs a closer look (not ASCII, a control
     * character, another escape), or end. */
    const char *(*string)(const char *p, const char *end, bool *escaped);
    /* Goes on with an object or array (s->depth > 0): the byte after its last bracket; NULL when
     * that does not come before end. Loose, as skim_scan. */
    const char *(*nested)(skim_scan_t *s, const char *p, const char *end);
} skim_ops_t;

/* The fastest ones of this processor. [any-thread] */
const skim_ops_t *skim_ops(void);
/* For tests: the i-th that this processor can run, plain C first; NULL when there is none more. */
const skim_ops_t *skim_ops_at(size_t i);

/* In plain C (skim_text.c, skim_walk.c). */
const char *skim_string_plain(const char *p, const char *end, bool *escaped);
const char *skim_nested_plain(skim_scan_t *s, const char *p, const char *end);

/* That "\c" is an escape which stands for one character. */
static inline bool skim_is_short_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return true;
    default:
        return false;
    }
}

#endif
