/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a store that was filled before the term is consistent in it. A list is read after the
 * acquisition, past every cache of the API server; the store is when its stream has passed the
 * version of that list, or when it holds just what the list has, by uid and resourceVersion:
 *
 *   many objects:  one object is listed, for the version alone -> the stream passes it
 *                  else the watch is to be opened anew, for a bookmark -> the stream passes it
 *                  else as with few
 *   few, or versions that are no numbers:  the metadata of all is listed and compared
 */
#ifndef WATCH_CONFIRM_H
#define WATCH_CONFIRM_H

#include "watch/store.h"
#include "watch/stream.h"

typedef struct watch_confirm watch_confirm_t;

enum watch_confirmed {
    WATCH_CONFIRMED_VERSION,  /* the stream has passed the list */
    WATCH_CONFIRMED_COMPARED, /* the store holds what the list has */
    WATCH_NOT_CONFIRMED,      /* the stream lags behind for long, or has lost something */
    WATCH_WENT_BACK           /* the list ends before what the stream has seen already */
};

typedef struct watch_confirm_handler {
    /* The stream's next bookmark may be a minute away, that of a watch with a short timeout is not.
     * At most once. [loop-thread] */
    void (*on_hurry)(void *arg);
    /* Exactly once unless ended before. [loop-thread] */
    void (*on_done)(void *arg, enum watch_confirmed result);
    /* A list was refused or broke, and is tried again after a back-off; NULL: one has worked again.
     * [loop-thread] */
    void (*on_problem)(void *arg, const char *problem);
} watch_confirm_handler_t;

/* store, handler and arg are borrowed. Caller owns the result, free with watch_confirm_destroy.
 * [loop-thread] */
watch_confirm_t *watch_confirm_create(loop_t *loop, watch_store_t *store,
                                      const watch_confirm_handler_t *handler, void *arg);
void watch_confirm_destroy(watch_confirm_t *c); /* NULL is allowed */

/* Begins, anew when it is under way. what: the stream's client, resource, namespace and selectors, of
 * which the strings are borrowed until it is over; its version is how far the stream has come. */
void watch_confirm_begin(watch_confirm_t *c, const watch_stream_options_t *what);
/* The stream has come to this version. May be called from within the HTTP client. */
void watch_confirm_passed(watch_confirm_t *c, const char *version);
/* The question is settled otherwise: nothing is called any more. Not from within the HTTP client. */
void watch_confirm_end(watch_confirm_t *c);

#endif
