/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plain, blocking client of an API server for tests: it shares nothing with the host's own
 * transport but the reading of the kubeconfig, so that the two cannot hide each other's mistakes.
 * Anything unexpected below HTTP ends the program with a text.
 */
#ifndef SUPPORT_API_H
#define SUPPORT_API_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct api api_t;

/* Reads the kubeconfig; NULL: of $LEASEHOLD_TEST_KUBECONFIG. Caller owns, free with api_close. */
api_t *api_open(const char *kubeconfig);
void api_close(api_t *api);
/* Where and as whom it asks; borrowed until api_close. */
const struct kube_credentials *api_credentials(const api_t *api);

/* An answer; 0 status: none came. */
typedef struct api_reply {
    int status;
    char *text;           /* never NULL */
    cJSON *json;          /* NULL when the text is none */
    char retry_after[32]; /* header, "" when absent */
    char warning[256];    /* header, "" when absent; the last of several */
    char type[128];       /* the header Content-Type, "" when absent */
} api_reply_t;
void api_reply_fini(api_reply_t *r);
#define API_REPLY __attribute__((cleanup(api_reply_fini), unused)) api_reply_t

/* Sends one request and waits. body NULL: none; content_type NULL: application/json. */
api_reply_t api_do(api_t *api, const char *method, const char *path, const char *content_type,
                   const char *body);
/* A request with what api_do leaves out; what is NULL is not sent. */
typedef struct api_request {
    const char *method, *path;
    const char *content_type, *accept, *body;
    size_t body_len;            /* 0: to its NUL */
    const char *token;          /* in the place of the kubeconfig's identity */
    bool anonymous;             /* no identity at all */
    const char *const *headers; /* further lines; NULL-terminated */
} api_request_t;
api_reply_t api_ask(api_t *api, const api_request_t *request);
/* The same as api_do with the path made from a format. */
api_reply_t api_get(api_t *api, const char *path_fmt, ...) __attribute__((format(printf, 2, 3)));
api_reply_t api_delete(api_t *api, const char *path_fmt, ...) __attribute__((format(printf, 2, 3)));
api_reply_t api_post(api_t *api, const char *path, const char *body_fmt, ...)
    __attribute__((format(printf, 3, 4)));
api_reply_t api_put(api_t *api, const char *path, const char *body_fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* kind: "merge", "json", "strategic" or "apply". */
api_reply_t api_patch(api_t *api, const char *path, const char *kind, const char *body_fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The string at a JSON Pointer ("/metadata/name"), "" when there is none; numbers and booleans as
 * their text. Borrowed until the reply is freed, or for numbers the next call. */
const char *api_str(const cJSON *json, const char *pointer);
/* The number at a JSON Pointer, -1 when there is none. */
long api_int(const cJSON *json, const char *pointer);
cJSON *api_at(const cJSON *json, const char *pointer); /* borrowed; NULL when there is none */

/* -- Watches: a stream on a thread of its own, read event by event -- */

typedef struct api_watch api_watch_t;
typedef struct api_event {
    char type[16]; /* ADDED, MODIFIED, DELETED, BOOKMARK, ERROR; "CLOSED": the stream has ended;
                       "TIMEOUT": nothing came; "STATUS": an answer that is no stream */
    cJSON *object; /* caller frees by api_event_fini */
    int status;    /* of the answer to the watch, for CLOSED */
    int64_t came;  /* on CLOCK_BOOTTIME, ns */
} api_event_t;
void api_event_fini(api_event_t *e);
#define API_EVENT __attribute__((cleanup(api_event_fini), unused)) api_event_t

api_watch_t *api_watch(api_t *api, const char *path_fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same with an Accept header (NULL: none). */
api_watch_t *api_watch_as(api_t *api, const char *accept, const char *path);
/* The next event, waiting at most ms. */
api_event_t api_watch_next(api_watch_t *w, int ms);
void api_watch_close(api_watch_t *w);

/* Asks again and again (every 20 ms) until done(arg, reply) or ms are over; true when done. */
bool api_until(api_t *api, const char *path, int ms, bool (*done)(const api_reply_t *r, void *arg),
               void *arg);

#endif
