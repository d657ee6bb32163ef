/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for kube/client.c and kube/discovery.c: requests are kept until the test answers them,
 * lookups until fake_kube_answer_lookups(). Link support_fake_kube before the library that uses
 * the client.
 *
 * As with the real client nothing is called back from within a call, and ending a call from within
 * its own callbacks ends the test.
 */
#ifndef SUPPORT_FAKE_KUBE_H
#define SUPPORT_FAKE_KUBE_H

#include "base/loop.h"
#include "kube/client.h"
#include "kube/discovery.h"

typedef struct fake_kube fake_kube_t;

fake_kube_t *fake_kube_create(void); /* caller owns, free with fake_kube_destroy */
void fake_kube_destroy(fake_kube_t *f);
kube_client_t *fake_kube_client(fake_kube_t *f);
kube_discovery_t *fake_kube_discovery(fake_kube_t *f);

/* What lookups answer from now on; NULL: not installed. At first ConfigMap, namespaced. */
void fake_kube_set_kind(fake_kube_t *f, const kube_kind_t *kind);
/* The same for one resource, in its place; the strings are borrowed until destroy. */
void fake_kube_set_kind_of(fake_kube_t *f, const char *resource, const kube_kind_t *kind);
void fake_kube_set_minor(fake_kube_t *f, unsigned minor); /* of the version; at first not known */
void fake_kube_fail_lookups(fake_kube_t *f, int code, int64_t retry_after); /* 0: no more */
size_t fake_kube_lookups(const fake_kube_t *f);                             /* so far */
size_t fake_kube_fresh_lookups(const fake_kube_t *f); /* of these, past the cache */
void fake_kube_answer_lookups(fake_kube_t *f);

size_t fake_kube_sent(const fake_kube_t *f); /* requests so far */
size_t fake_kube_open(const fake_kube_t *f); /* not yet ended */
/* The URL of the request sent last; "" when there was none. */
const char *fake_kube_last_path(const fake_kube_t *f);
/* The open call whose URL contains part; NULL when there is none. Borrowed until it ends. */
kube_call_t *fake_kube_find(fake_kube_t *f, const char *part);
/* The same, but sent after `before`. */
kube_call_t *fake_kube_next(fake_kube_t *f, kube_call_t *before, const char *part);
const kube_request_t *fake_kube_request(const kube_call_t *call);
size_t fake_kube_number(const kube_call_t *call); /* how many had been sent with it */

void fake_kube_head(kube_call_t *call); /* the head of a 200 has come */
/* Gives body bytes; when the caller of the request ends it, it is ended and false is returned. */
bool fake_kube_data(kube_call_t *call, const char *text);
/* The same, cut into pieces of n bytes. */
bool fake_kube_pieces(kube_call_t *call, const char *text, size_t n);
/* Ends the call: an answer of this status (its body already given when 2xx). */
void fake_kube_end(kube_call_t *call, int status, const char *body);
void fake_kube_end_later(kube_call_t *call, int status, int64_t retry_after);
void fake_kube_cut(kube_call_t *call);    /* the connection broke after the head of the answer */
void fake_kube_refuse(kube_call_t *call); /* there was no connection */

#endif
