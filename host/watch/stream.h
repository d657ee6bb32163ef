/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One list or watch request: builds its URL, cuts the body into events as it arrives, and says at
 * the end what the end means. What to do about it is the informer's matter.
 */
#ifndef WATCH_STREAM_H
#define WATCH_STREAM_H

#include "base/loop.h"
#include "kube/client.h"
#include "kube/path.h"

typedef struct watch_stream watch_stream_t;

enum watch_stream_mode {
    WATCH_STREAM_PAGE,  /* one page of a list */
    WATCH_STREAM_LIST,  /* a streaming list, which goes on as a watch */
    WATCH_STREAM_EVENTS /* a watch */
};

enum watch_end {
    WATCH_END_DONE,      /* a page is complete, a watch was closed by the server in good order */
    WATCH_END_EXPIRED,   /* 410: the version or the continue token is too old */
    WATCH_END_TOO_LARGE, /* the server does not know the version yet: it went back in time */
    WATCH_END_THROTTLED, /* 429 */
    WATCH_END_MISSING,   /* 404: no such kind */
    WATCH_END_DENIED,    /* 401, 403 */
    WATCH_END_REFUSED,   /* any other 4xx: the server does not understand the request */
    WATCH_END_CUT,       /* no connection, or a broken one */
    WATCH_END_FAILED,    /* 5xx */
    WATCH_END_ERROR,     /* an ERROR event with another code */
    WATCH_END_GARBLED,   /* not the JSON it ought to be */
    WATCH_END_MEMORY,    /* an object found no memory */
    WATCH_END_FROZEN     /* no byte for the idle time */
};

enum watch_news {
    WATCH_NEWS_ADDED /* or part of a page */,
    WATCH_NEWS_MODIFIED,
    WATCH_NEWS_DELETED
};

/* Borrowed until on_end returns. */
typedef struct watch_stream_end {
    enum watch_end why;
    bool lived;          /* the server answered well, for a second or with an event */
    int64_t retry_after; /* ns; 0: the server did not say */
    char *version;       /* of a page: of its list; NULL else */
    char *next;          /* of a page: continue token; NULL or "": the last one */
    lh_error_t error;    /* text for people unless DONE */
} watch_stream_end_t;

/* Requests must be neither started nor ended from on_object and on_bookmark: they run inside the
 * HTTP client. */
typedef struct watch_stream_handler {
    /* One object that is there (or, DELETED: is not any more). text is borrowed until it returns.
     * LH_ENOMEM ends the stream, as what it said is lost. [loop-thread] */
    int (*on_object)(void *arg, enum watch_news news, const char *text, size_t len,
                     lh_error_t *err);
    /* listed: the end of a streaming list's first part. [loop-thread] */
    void (*on_bookmark)(void *arg, const char *version, bool listed);
    /* An event that cannot be read. [loop-thread] */
    void (*on_unreadable)(void *arg, const lh_error_t *err);
    /* Exactly once unless destroyed before; destroy the stream then or later. [loop-thread] */
    void (*on_end)(void *arg, watch_stream_end_t *end);
} watch_stream_handler_t;

typedef struct watch_stream_options {
    loop_t *loop;
    kube_client_t *client;
    enum watch_stream_mode mode;
    kube_gvr_t gvr;
    const char *ns;             /* NULL: all */
    const char *label_selector; /* NULL: none */
    const char *field_selector; /* NULL: none */
    bool metadata_only;
    const char *version; /* of a watch: events after it */
    const char *next;    /* of a page: continue token of the one before; NULL: the first */
    int limit;           /* of a page: objects; 0: all */
    int64_t idle;        /* ns without a byte after which it counts as frozen */
    int seconds;         /* of a watch: until the server closes it; 0: 5 to 10 minutes */
    bool fresh;          /* on a new connection */
} watch_stream_options_t;

/* Sends the request. handler and arg are borrowed; the options are copied. Caller owns *out, free
 * with watch_stream_destroy. [loop-thread] */
HOST_MUST_USE int watch_stream_open(const watch_stream_options_t *options,
                                    const watch_stream_handler_t *handler, void *arg,
                                    watch_stream_t **out, lh_error_t *err);
void watch_stream_set_idle(watch_stream_t *s, int64_t idle);
/* Ends it without on_end. NULL is allowed. Not from on_object and on_bookmark. */
void watch_stream_destroy(watch_stream_t *s);

#endif
