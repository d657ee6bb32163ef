/* SPDX-License-Identifier: Apache-2.0 */
/*
 * managedFields as a store keeps them. Most objects of a kind are written by the same managers with
 * the same fields, so objects share the text of their entries, and each has only the times.
 */
#ifndef DEVAPI_MANAGED_TEXT_H
#define DEVAPI_MANAGED_TEXT_H

#include "base/buf.h"

#include <cjson/cJSON.h>

/* The texts of one store. */
typedef struct managed_texts managed_texts_t;
typedef struct managed_text managed_text_t;

managed_texts_t *managed_texts_create(void);
void managed_texts_destroy(
    managed_texts_t *t); /* texts that are still held stay until they are not */
size_t managed_texts_bytes(const managed_texts_t *t);

/* The text of this array, which has no more than max times; these, in seconds since 1970, are put
 * into times. Caller owns a reference. NULL: it is none that can be shared. */
managed_text_t *managed_text_of(managed_texts_t *t, const cJSON *managed, int64_t *times,
                                size_t max);
void managed_text_unref(managed_text_t *text); /* NULL is allowed */
size_t managed_text_times(const managed_text_t *text);
/* Appends the array with an object's times. */
void managed_text_put(const managed_text_t *text, const int64_t *times, buf_t *out);

#endif
