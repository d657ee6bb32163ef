/* SPDX-License-Identifier: Apache-2.0 */
/* Micro-benchmarks of the path from a watch's bytes to a reconcile. See run. */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include "base/buf.h"

#include <stdio.h>

typedef struct micro_case {
    const char *name;
    const char *what; /* one operation, for the table */
    void *(*create)(void);
    void (*run)(void *state, size_t n); /* n operations */
    void (*destroy)(void *state);
    size_t (*bytes)(const void *state); /* of JSON in one operation; NULL: none to speak of */
} micro_case_t;

extern const micro_case_t micro_skim_frames, micro_skim_list, micro_cjson_frames, micro_cjson_list;
extern const micro_case_t micro_snapshot, micro_store_put, micro_store_get, micro_queue;
extern const micro_case_t micro_store_open, micro_store_again;
extern const micro_case_t micro_event, micro_read, micro_child;

/* Ends the program with what failed. */
#define MICRO_REQUIRE(condition)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* -- corpus.c: the same bytes at every run -- */

enum { MICRO_OBJECTS = 1000 };

/* ConfigMap i as a kube-apiserver sends it: 1 KiB of data as people write settings, managedFields; type
 * says whether with apiVersion and kind, as in a watch but not in a list. */
void micro_object(buf_t *out, unsigned i, unsigned version, bool type);
/* A watch of MICRO_OBJECTS events, and a list of as many objects. */
void micro_frames(buf_t *out);
void micro_list(buf_t *out);

#endif
