/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 as text: the head of a request, its query, the chunks of its body. */
#ifndef DEVAPI_HTTP_PARSE_H
#define DEVAPI_HTTP_PARSE_H

#include "base/buf.h"

#define HTTP_MAX_HEAD 65536 /* bytes of request line and headers */

enum { HTTP_MAX_FIELDS = 128 }; /* of headers, and of parameters */

typedef struct http_field {
    const char *name, *value;
} http_field_t;

typedef struct http_head {
    char *text; /* owned; what follows borrows from it */
    const char *method;
    const char *path;  /* decoded */
    const char *query; /* as sent; "" when there is none */
    http_field_t fields[HTTP_MAX_FIELDS];
    size_t count;
    size_t length;    /* of the body; 0 when chunked */
    bool chunked;     /* the body comes in chunks */
    bool keep_alive;  /* the connection may carry another request */
    bool old;         /* HTTP/1.0: knows no chunks */
    bool expects_100; /* sends its body after "100 Continue" only */
} http_head_t;

/* Parses len bytes up to and including the empty line. 0 with *out filled in, free with
 * http_head_fini; or the status that refuses it (400, 414, 431, 501, 505), then *out is empty. */
int http_head_parse(const char *text, size_t len, http_head_t *out);
void http_head_fini(http_head_t *head);
/* The value of the first header of this name, in any case; NULL: absent. */
const char *http_head_get(const http_head_t *head, const char *name);

typedef struct http_query {
    char *text; /* owned; what follows borrows from it */
    http_field_t fields[HTTP_MAX_FIELDS];
    size_t count;
} http_query_t;

/* Decodes "a=b&c=d"; what cannot be decoded is left out, as the real server does. False when it has
 * too many parameters. Free with http_query_fini. */
bool http_query_parse(const char *text, http_query_t *out);
void http_query_fini(http_query_t *query);
/* The first value; NULL: absent. */
const char *http_query_get(const http_query_t *query, const char *name);
/* True when it is there and neither "false" nor "0", as the real server reads booleans. */
bool http_query_true(const http_query_t *query, const char *name);

/* The place inside a chunked body. */
typedef struct http_chunks {
    enum { HTTP_CHUNK_SIZE, HTTP_CHUNK_DATA, HTTP_CHUNK_END, HTTP_CHUNK_TRAILER } at;
    size_t left; /* of the chunk */
} http_chunks_t;

/* Takes what is complete of data (NUL behind data[len]) into body, whose max is obeyed. *taken is
 * how much may be dropped. 1 at the end of the body, 0 when more has to come, or the negative
 * status that refuses it (-400, -413). */
int http_chunks_take(http_chunks_t *chunks, const char *data, size_t len, size_t *taken,
                     buf_t *body);

#endif
