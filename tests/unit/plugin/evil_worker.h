/* SPDX-License-Identifier: Apache-2.0 */
/* Worker processes that do not keep the rules: chosen by "evil-..." in the configuration. */
#ifndef UNIT_EVIL_WORKER_H
#define UNIT_EVIL_WORKER_H

#include "plugin/codec.h"
#include "plugin/runner.h"
#include "plugin/wire.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct evil_header {
    uint32_t len;
    uint16_t type, flags;
    uint64_t id;
} evil_header_t;

static bool evil_flush(plugin_wire_t *w, int timeout)
{
    while (plugin_wire_waiting(w) > 0) {
        struct pollfd fd = {plugin_wire_fd(w), POLLOUT, 0};

        if (plugin_wire_flush(w) < 0)
            return false;
        if (plugin_wire_waiting(w) > 0 && poll(&fd, 1, timeout) == 0)
            return false;
    }
    return true;
}

static void evil_send(plugin_wire_t *w, plugin_message_t *m)
{
    plugin_wire_send(w, m);
    evil_flush(w, -1);
}

static void evil_created(plugin_wire_t *w)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_CREATED, 0);

    plugin_message_error(m, 0, NULL);
    evil_send(w, m);
}

/* Asks again and again and never reads a reply; ends when the host takes no more. */
static void evil_ask_and_never_read(plugin_wire_t *w)
{
    for (uint64_t i = 1; i <= 100000; i++) {
        plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_CACHE_GET, i);

        plugin_message_u64(m, 1);
        plugin_message_u32(m, 0);
        plugin_message_string(m, "default");
        plugin_message_string(m, "a");
        plugin_wire_send(w, m);
    }
    _exit(evil_flush(w, 500) ? 8 : 7);
}

static void evil_requests(plugin_wire_t *w, size_t body_len, unsigned count)
{
    char *body = calloc(1, body_len + 1);

    for (unsigned i = 1; i <= count; i++) {
        plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_REQUEST, i);

        plugin_message_u64(m, 1);
        plugin_message_string(m, "POST");
        plugin_message_string(m, "/api/v1/pods");
        plugin_message_string(m, NULL);
        plugin_message_u64(m, 0);
        plugin_message_text(m, body, body_len);
        evil_send(w, m);
    }
    free(body);
}

static void evil_request(plugin_wire_t *w, const char *path)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_REQUEST, 1);

    plugin_message_u64(m, 1);
    plugin_message_string(m, "POST");
    plugin_message_string(m, path);
    plugin_message_string(m, NULL);
    plugin_message_u64(m, 0);
    plugin_message_text(m, NULL, 0);
    evil_send(w, m);
}

/* Claims to have taken more of a walk than it was given. */
static void evil_walk(plugin_wire_t *w)
{
    const lh_query_t query = {.struct_size = sizeof(query)};
    plugin_message_t *list = plugin_message_new(PLUGIN_WIRE_CACHE_LIST, 1);
    plugin_message_t *next = plugin_message_new(PLUGIN_WIRE_CURSOR_NEXT, 2);

    plugin_message_u64(list, 1);
    plugin_put_query(list, &query);
    evil_send(w, list);
    plugin_message_u64(next, 1);
    plugin_message_u32(next, 4);
    evil_send(w, next);
}

static void evil_garbage(int fd)
{
    unsigned seed = 12345;

    for (;;) {
        unsigned char junk[4096];

        for (size_t i = 0; i < sizeof(junk); i++)
            junk[i] = (unsigned char) ((seed = seed * 1103515245u + 12345u) >> 16);
        if (send(fd, junk, sizeof(junk), MSG_NOSIGNAL) < 0 && poll(NULL, 0, 1) < 0)
            return;
    }
}

static void evil_huge(int fd)
{
    const evil_header_t h = {PLUGIN_WIRE_FRAME, PLUGIN_WIRE_LOG, 1, 0};
    char *part = calloc(1, PLUGIN_WIRE_FRAME);

    for (;;) {
        send(fd, &h, sizeof(h), MSG_NOSIGNAL);
        send(fd, part, PLUGIN_WIRE_FRAME, MSG_NOSIGNAL);
    }
}

static void evil_work(const char *how, int fd)
{
    if (strstr(how, "evil-garbage") != NULL)
        evil_garbage(fd);
    if (strstr(how, "evil-huge") != NULL)
        evil_huge(fd);
    plugin_wire_t *w = plugin_wire_create(fd, PLUGIN_WIRE_TO_WORKER, 0);

    if (strstr(how, "evil-early") != NULL)
        evil_send(w, plugin_message_new(PLUGIN_WIRE_DEACTIVATED, 0));
    evil_created(w);
    if (strstr(how, "evil-twice") != NULL)
        evil_created(w);
    if (strstr(how, "evil-type") != NULL)
        evil_send(w, plugin_message_new((enum plugin_wire_type) 77, 0));
    if (strstr(how, "evil-returned") != NULL)
        evil_send(w, plugin_message_new(PLUGIN_WIRE_RETURNED, 12));
    if (strstr(how, "evil-cursor") != NULL)
        evil_send(w, plugin_message_new(PLUGIN_WIRE_CURSOR_FREE, 12));
    if (strstr(how, "evil-walk") != NULL)
        evil_walk(w);
    if (strstr(how, "evil-short") != NULL)
        evil_send(w, plugin_message_new(PLUGIN_WIRE_COMPLETE, 12));
    if (strstr(how, "evil-requests") != NULL)
        evil_requests(w, 10, PLUGIN_WIRE_REQUESTS + 1);
    if (strstr(how, "evil-bodies") != NULL)
        evil_requests(w, 2u << 20, 9);
    if (strstr(how, "evil-path") != NULL)
        evil_request(w, "/api/v1/pods HTTP/1.1\r\nX: y");
    if (strstr(how, "evil-closes") != NULL)
        shutdown(fd, SHUT_RDWR);
    if (strstr(how, "evil-never-reads") != NULL)
        evil_ask_and_never_read(w);
    for (;;)
        pause();
}

/* Looks at the first message without taking it. */
static int evil_or_real_worker(int fd)
{
    char first[4096];
    const ssize_t n = recv(fd, first, sizeof(first), MSG_PEEK);

    for (ssize_t i = 0; i + 5 < n; i++) {
        if (memcmp(first + i, "evil-", 5) == 0)
            evil_work(first + i, fd);
    }
    return plugin_worker_main(fd);
}

#endif
