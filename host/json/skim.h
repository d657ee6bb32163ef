/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Skims JSON text without building a tree: finds where objects begin and end in a byte stream, and
 * takes the metadata of a Kubernetes object out of its text in one pass. Nothing is copied; what
 * comes out are spans of the text that went in.
 *
 * Answers for odd input are fixed. Duplicate keys: the last one counts. A field of another type
 * than Kubernetes' (null too): absent. skim_meta() judges an object: depth beyond SKIM_MAX_DEPTH, a
 * truncated text, a syntax error, invalid UTF-8 or a lone surrogate is LH_EPARSE with the byte
 * offset. Streams, skim_event() and the walks only follow brackets and quotes, so that one bad
 * object does not end a stream; they are safe on any text.
 */
#ifndef JSON_SKIM_H
#define JSON_SKIM_H

#include "base/buf.h"

#include <leasehold/error.h>
#include <sys/types.h>

#define SKIM_MAX_DEPTH 512

/* A piece of the text: for strings without the quotes, still escaped when `escaped`. p is NULL when
 * the field is absent. Borrowed from the text. */
typedef struct skim_span {
    const char *p;
    size_t len;
    bool escaped;
} skim_span_t;

/* True when the span, unescaped, equals s. */
bool skim_equal(skim_span_t span, const char *s);
/* Writes the span's string, unescaped, and a NUL to out, which has span.len + 1 bytes. Its length; -1
 * when skim_dup() would give NULL for the span itself (out is undefined then). */
ssize_t skim_copy(skim_span_t span, char *out);
/* The span's string, unescaped. Caller owns, free with free(); NULL when absent, out of memory, or
 * when it is not valid UTF-8 or holds a NUL. */
char *skim_dup(skim_span_t span);

/* metadata of an object, and where things stand in its text. */
typedef struct skim_meta {
    skim_span_t api_version, kind; /* of the object itself; absent inside lists */
    skim_span_t name, ns, uid, resource_version;
    skim_span_t deletion_timestamp;           /* absent: not being deleted */
    skim_span_t labels, annotations;          /* the objects with their braces */
    skim_span_t owner_references, finalizers; /* the arrays with their brackets */
    skim_span_t managed_fields;               /* from the key's quote to the end of the value */
    skim_span_t continue_token;               /* of a list */
    int64_t generation;                       /* 0 when absent */
} skim_meta_t;

/* Skims one complete JSON object. LH_EPARSE when it is not one. [any-thread] */
HOST_MUST_USE int skim_meta(const char *text, size_t len, skim_meta_t *out, lh_error_t *err);

/* One event of a watch: {"type": ..., "object": {...}}. */
typedef struct skim_event {
    skim_span_t type;   /* ADDED, MODIFIED, DELETED, BOOKMARK or ERROR */
    skim_span_t object; /* with its braces */
    bool judged;        /* all of it is JSON, and meta is what skim_meta() gives of the object */
    skim_meta_t meta;
} skim_event_t;
/* Finds type and object, and judges both in the same pass. What is not JSON is read loosely. LH_EPARSE
 * when they are not there. [any-thread] */
HOST_MUST_USE int skim_event(const char *text, size_t len, skim_event_t *out, lh_error_t *err);

/* Walks a JSON object of strings (labels, annotations): gives the next pair, false at the end.
 * *at starts at NULL. */
bool skim_pair_next(skim_span_t object, const char **at, skim_span_t *key, skim_span_t *value);
/* The value of key in a JSON object; .p is NULL when it is not there. Strings come without their
 * quotes, anything else as it stands. */
skim_span_t skim_get(skim_span_t object, const char *key);
/* Walks a JSON array: gives the next element, false at the end. *at starts at NULL. */
bool skim_element_next(skim_span_t array, const char **at, skim_span_t *element);

/* The piece of the object's text to leave out for an object without metadata.managedFields: the member
 * with one comma, the one after it, or, when it is the last, the one before. Absent: there is none. */
skim_span_t skim_managed(const char *text, size_t len, const skim_meta_t *meta);

/* -- Streams -- */

enum skim_mode {
    SKIM_FRAMES, /* objects one after another, white space between: a watch. One that another begins in
                  * (a line with "{\"type\":") was cut short: LH_EPARSE */
    SKIM_LIST    /* one list: each element of "items" (once at most, or null), then the rest */
};

typedef struct skim_stream skim_stream_t;

typedef struct skim_handler {
    /* One complete object: a frame, or an element of "items". text is borrowed until it returns.
     * A code below 0 (with err set) ends the stream. */
    int (*on_object)(void *arg, const char *text, size_t len, lh_error_t *err);
} skim_handler_t;

/* max: bytes of one object, and of a list's rest. Caller owns *out, free with skim_stream_destroy.
 * handler and arg are borrowed until then. */
HOST_MUST_USE int skim_stream_create(enum skim_mode mode, size_t max, const skim_handler_t *handler,
                                     void *arg, skim_stream_t **out, lh_error_t *err);
void skim_stream_destroy(skim_stream_t *s);
/* Takes the next bytes, cut anywhere. An object that lies whole within data is handed on without a
 * copy. LH_EPARSE, LH_ETOOBIG, LH_ENOMEM, or what on_object returned; the stream is dead then. */
HOST_MUST_USE int skim_stream_feed(skim_stream_t *s, const char *data, size_t len, lh_error_t *err);
/* The input has ended. LH_EPARSE when inside an object (or, for a list, before its end). For a list
 * *rest (may be NULL) is the document with "items" emptied; borrowed until destroy. */
HOST_MUST_USE int skim_stream_finish(skim_stream_t *s, skim_span_t *rest, lh_error_t *err);

#endif
