/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets of a client: made and closed for libcurl here, so that each gets its keepalive and so
 * that another thread can disconnect them. A socket stands in the list from before it is connected
 * until it is closed, and is closed under the mutex: whoever holds it never meets a reused number.
 */
#ifndef KUBE_SOCKETS_H
#define KUBE_SOCKETS_H

#include "base/list.h"

#include <curl/curl.h>
#include <pthread.h>

typedef struct kube_sockets {
    pthread_mutex_t lock;
    list_t list;              /* under lock */
    unsigned user_timeout_ms; /* TCP_USER_TIMEOUT; 0: none */
    bool drop_unsent;
} kube_sockets_t;

/* user_timeout: how long sent data may stay unacknowledged, ns; 0: the system's default.
 * drop_unsent: a socket that is closed takes along what is queued in it. Otherwise the kernel goes
 * on sending it, and no later cut reaches a socket that has left the list. */
void kube_sockets_init(kube_sockets_t *s, int64_t user_timeout, bool drop_unsent);
void kube_sockets_fini(kube_sockets_t *s); /* every socket is closed */
/* Makes the connections of easy use s. */
void kube_sockets_apply(kube_sockets_t *s, CURL *easy);

/* libcurl has stopped watching fd, and may have closed it without a word. */
void kube_sockets_unwatched(kube_sockets_t *s, int fd);

/* Disconnects every socket by connect(AF_UNSPEC): the kernel drops what is queued and sends a
 * reset. A plain close would still deliver megabytes. [any-thread] */
void kube_sockets_cut(kube_sockets_t *s);

#endif
