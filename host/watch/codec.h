/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd for the objects of the stores, with a dictionary for each kind: objects of one kind have
 * their keys and many of their values in common, and one alone is too short to show it.
 */
#ifndef WATCH_CODEC_H
#define WATCH_CODEC_H

#include "base/base.h"

#include <leasehold/error.h>
#include <stdatomic.h>

/* -- Dictionaries: immutable, shared by reference count -- */

typedef struct watch_dict watch_dict_t;

/* Trains on `count` texts that stand one after another; about 4 ms for a megabyte. Caller owns *out, free
 * with watch_dict_unref. LH_EINVAL when they are too few or have too little in common; LH_ENOMEM.
 * [any-thread] */
HOST_MUST_USE int watch_dict_train(const char *texts, const size_t *sizes, unsigned count,
                                   watch_dict_t **out, lh_error_t *err);
watch_dict_t *watch_dict_ref(watch_dict_t *d); /* NULL is allowed [any-thread] */
void watch_dict_unref(watch_dict_t *d);        /* NULL is allowed [any-thread] */
size_t watch_dict_size(const watch_dict_t *d); /* bytes of memory; 0 for NULL [any-thread] */

/* -- The contexts of zstd, for all stores of a hub -- */

typedef struct watch_codec watch_codec_t;

watch_codec_t *watch_codec_create(void); /* one reference; NULL when memory is out */
watch_codec_t *watch_codec_ref(watch_codec_t *c);
void watch_codec_unref(watch_codec_t *c); /* NULL is allowed [any-thread] */

/* Compresses text, by dict unless that is NULL. The number of bytes at *out, which are borrowed until
 * the next call; 0 when they would not be fewer by an eighth, or when memory is out.
 * [loop-thread] */
size_t watch_codec_compress(watch_codec_t *c, const watch_dict_t *dict, const char *text,
                            size_t len, const char **out);

/* A text that is expanded by the first who reads it. */
typedef struct watch_lazy {
    _Atomic(char *) text; /* NULL until then; NUL-terminated */
    char *room;           /* for it; NULL: no memory is taken yet */
    const char *bytes;    /* as compressed */
    size_t size, len;     /* of the bytes, of the text */
} watch_lazy_t;

/* Takes the memory for the text, so that reading it needs none. LH_ENOMEM. [any-thread] */
HOST_MUST_USE int watch_lazy_reserve(watch_lazy_t *l, watch_codec_t *c);
/* The text, borrowed for the life of l. dict is the one by which it was compressed. Ends the process
 * when memory is out and none was reserved. [any-thread] */
const char *watch_lazy_text(watch_lazy_t *l, watch_codec_t *c, const watch_dict_t *dict);
void watch_lazy_fini(watch_lazy_t *l);

#endif
