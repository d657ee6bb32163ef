/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire between the host and a worker process: messages of fields over a stream socket.
 *
 * A message travels in frames of at most 256 KiB, each with a header of its own; every frame but a
 * message's last is full. Both ends are the same binary on the same machine, so numbers go as they
 * lie in memory; but what comes from a worker may be anything, so the receiving side checks every
 * length, and a message that does not keep the rules ends the connection.
 *
 * Memory is bounded on both sides. What waits to be sent holds references, not copies. The host takes
 * no message of a worker while more than PLUGIN_WIRE_WINDOW bytes wait for that worker to read;
 * threads of a worker wait before they add to as much. A worker has credit for so many open
 * requests and bytes of their bodies, given back with each answer.
 */
#ifndef PLUGIN_WIRE_H
#define PLUGIN_WIRE_H

#include "base/buf.h"
#include "base/list.h"

#include <leasehold/error.h>

#define PLUGIN_WIRE_FRAME (256u * 1024u)            /* bytes of a frame after its header */
#define PLUGIN_WIRE_WINDOW (1024u * 1024u)          /* bytes that may wait to be sent */
#define PLUGIN_WIRE_REQUESTS 128u                   /* credit of a worker: open requests */
#define PLUGIN_WIRE_BODIES (16u * 1024u * 1024u)    /* credit of a worker: bytes of their bodies */
#define PLUGIN_WIRE_TO_HOST (4u * 1024u * 1024u)    /* largest message of a worker */
#define PLUGIN_WIRE_TO_WORKER (64u * 1024u * 1024u) /* largest message of the host */
#define PLUGIN_WIRE_ANSWERS (64u * 1024u * 1024u) /* bytes of answers that may wait for a worker */

enum plugin_wire_type {
    /* host to worker */
    PLUGIN_WIRE_START = 1, /* path, digest, name, config, workers; the first message */
    PLUGIN_WIRE_ACTIVATE,  /* id: the ctx */
    PLUGIN_WIRE_RECONCILE, /* id: the ctx; a job */
    PLUGIN_WIRE_CANCEL,
    PLUGIN_WIRE_DEACTIVATE,
    PLUGIN_WIRE_DESTROY,
    PLUGIN_WIRE_REPLY,  /* id: of the call; an error, then by the call when that is 0 */
    PLUGIN_WIRE_ANSWER, /* id: of the REQUEST call; an error, then status and text when it is 0 */
    PLUGIN_WIRE_TAKE_BACK,

    /* worker to host: reports */
    PLUGIN_WIRE_CREATED = 64, /* an error */
    PLUGIN_WIRE_ACTIVATED,    /* an error */
    PLUGIN_WIRE_DEACTIVATED,
    PLUGIN_WIRE_DESTROYED,
    PLUGIN_WIRE_RETURNED, /* id: the ctx; ran, entered */
    PLUGIN_WIRE_COMPLETE, /* id: the completion; a result */
    PLUGIN_WIRE_LOG,      /* id: the ctx; level, text */
    PLUGIN_WIRE_SET_READY,
    PLUGIN_WIRE_CURSOR_FREE, /* id: the cursor */
    PLUGIN_WIRE_LOADED,      /* create() is about to be entered */

    /* worker to host: calls; id: of the call, never used twice. A REPLY comes to each */
    PLUGIN_WIRE_CTX_STATE = 128,
    PLUGIN_WIRE_REQUEST, /* an ANSWER comes too unless the REPLY is an error; before it, maybe */
    PLUGIN_WIRE_CACHE_GET,
    PLUGIN_WIRE_CACHE_LIST, /* reply: objects, an absent one, the cursor (0: nothing is left of it),
                              * whether the walk is over with these objects */
    PLUGIN_WIRE_CURSOR_NEXT, /* the cursor, how many objects of the last batch were taken: the walk goes
                              * back to the first that was not. Reply: the same */
    PLUGIN_WIRE_ENQUEUE,
    PLUGIN_WIRE_EVENT,
    PLUGIN_WIRE_METRIC
};

/* -- Messages to send: each by one thread at a time -- [any-thread] */

typedef struct plugin_message plugin_message_t;

/* Caller owns the result until plugin_wire_send. Puts that do not fit into memory are remembered
 * and end the connection when the message is sent. */
plugin_message_t *plugin_message_new(enum plugin_wire_type type, uint64_t id);
void plugin_message_destroy(plugin_message_t *m); /* NULL is allowed */
void plugin_message_u32(plugin_message_t *m, uint32_t v);
void plugin_message_u64(plugin_message_t *m, uint64_t v);
void plugin_message_f64(plugin_message_t *m, double v);
/* Copied; NULL stays NULL. */
void plugin_message_text(plugin_message_t *m, const char *p, size_t len);
void plugin_message_string(plugin_message_t *m, const char *s);
void plugin_message_error(plugin_message_t *m, int code, const lh_error_t *err);
/* A text that is not copied, after everything else (two at most): borrowed until release(owner)
 * runs, when it has been sent or dropped, on any thread. */
void plugin_message_attach(plugin_message_t *m, const char *p, size_t len, void (*release)(void *),
                           void *owner);
size_t plugin_message_size(const plugin_message_t *m); /* bytes of the body */
uint64_t plugin_message_id(const plugin_message_t *m);

/* -- Messages received: by the thread that got them -- [any-thread] */

/* A message whose fields are taken in the order in which they were put. A field that is not there
 * sets bad and is 0 or NULL. All texts are borrowed from the message. */
typedef struct plugin_incoming {
    uint16_t type;
    uint64_t id;
    const char *at, *end;
    bool bad;
} plugin_incoming_t;

uint32_t plugin_incoming_u32(plugin_incoming_t *in);
uint64_t plugin_incoming_u64(plugin_incoming_t *in);
double plugin_incoming_f64(plugin_incoming_t *in);
/* Terminated by a NUL that *len does not count; NULL when it was put as NULL. */
const char *plugin_incoming_text(plugin_incoming_t *in, size_t *len);
/* The same, and bad when there is a NUL in it. */
const char *plugin_incoming_string(plugin_incoming_t *in);
/* Returns the code (0, or below 0 with *err set). */
int plugin_incoming_error(plugin_incoming_t *in, lh_error_t *err);
/* True when every field was there and nothing is left. */
bool plugin_incoming_done(const plugin_incoming_t *in);

/* -- Connections -- */

typedef struct plugin_wire plugin_wire_t;

/* Takes a message; below 0, with err set, ends the connection. in is borrowed until it returns. */
typedef int (*plugin_wire_handler)(void *arg, plugin_incoming_t *in, lh_error_t *err);

/* fd: a connected stream socket, taken; made non-blocking. max: bytes of the largest message that
 * may come. window: no message is taken while more bytes than this wait to be sent; 0: no limit, for
 * the side that must go on reading so that the other's bytes do not wait. Caller owns the result,
 * free with plugin_wire_destroy. [any-thread] */
plugin_wire_t *plugin_wire_create(int fd, size_t max, size_t window);
void plugin_wire_destroy(plugin_wire_t *w); /* NULL is allowed */
int plugin_wire_fd(const plugin_wire_t *w); /* to poll for */
short plugin_wire_events(plugin_wire_t *w); /* what to poll for now [any-thread] */

/* Puts a message behind those that wait; m is taken. Dropped when the wire is closed. Sends nothing
 * yet: that is plugin_wire_flush. [any-thread] */
void plugin_wire_send(plugin_wire_t *w, plugin_message_t *m);
/* Sends as much as the socket takes. LH_EIO: the other side is gone; LH_ENOMEM: a message could not
 * be built. [any-thread] */
HOST_MUST_USE int plugin_wire_flush(plugin_wire_t *w);
size_t plugin_wire_waiting(plugin_wire_t *w); /* bytes not yet sent [any-thread] */
/* Reads what is there, for one call of poll; hands whole messages to handler and sends what comes of
 * them. One thread at a time, which polls for plugin_wire_events and flushes first. LH_EIO: the other side has closed or is gone;
 * LH_EPARSE: what came does not keep the rules; LH_ENOMEM; else what handler returned. */
HOST_MUST_USE int plugin_wire_receive(plugin_wire_t *w, plugin_wire_handler handler, void *arg,
                                      lh_error_t *err);
/* Drops what waits and what comes to be sent. [any-thread] */
void plugin_wire_close(plugin_wire_t *w);

#endif
