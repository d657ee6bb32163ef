/* SPDX-License-Identifier: Apache-2.0 */
/* A server without TLS on a loop that the test turns, and clients that speak plain bytes. */
#ifndef DEVAPI_SERVER_TEST_H
#define DEVAPI_SERVER_TEST_H

#include "base/buf.h"
#include "base/file.h"
#include "devapi/devapi.h"
#include "support/expect.h"
#include "support/fake_clock.h"
#include "support/temp_dir.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#define TURNS 3000 /* of about a millisecond; more than anything here needs */

typedef struct server {
    loop_t *loop;
    devapi_t *api;
    char *dir;
    char token[65];
} server_t;

__attribute__((unused)) static server_t server_start(unsigned max_connections)
{
    server_t s = {.dir = temp_dir_make()};
    lh_error_t err = {0};
    buf_t token = BUF_INIT;

    ASSERT_OK(loop_create(&s.loop, &err), err);
    ASSERT_OK(devapi_start(&(devapi_options_t){.loop = s.loop,
                                               .dir = s.dir,
                                               .plain = true,
                                               .faults = true,
                                               .max_connections = max_connections,
                                               .version = "0.0.0"},
                           &s.api, &err),
              err);
    char *path = host_xprintf("%s/token", s.dir);
    ASSERT_OK(file_read(path, 128, &token, &err), err);
    snprintf(s.token, sizeof(s.token), "%s", buf_text(&token));
    buf_fini(&token);
    free(path);
    return s;
}

__attribute__((unused)) static void server_stop(server_t *s)
{
    devapi_stop(s->api);
    loop_destroy(s->loop);
    temp_dir_remove(s->dir);
}

__attribute__((unused)) static int client_open(const server_t *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t) devapi_port(s->api)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert(fd >= 0 && connect(fd, (const struct sockaddr *) &at, sizeof(at)) == 0, "connect");
    cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

__attribute__((unused)) static void server_turn(server_t *s, int turns)
{
    for (; turns > 0; turns--) {
        loop_turn(s->loop);
        usleep(500);
    }
}

__attribute__((unused)) static void client_send(server_t *s, int fd, const char *data, size_t len)
{
    for (int turns = 0; len > 0 && turns < TURNS; turns++) {
        const ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n > 0) {
            data += n;
            len -= (size_t) n;
        } else if (errno != EAGAIN) {
            return;
        }
        loop_turn(s->loop);
    }
}

/* Sends a request with the token; body may be NULL. */
__attribute__((unused)) static void client_ask(server_t *s, int fd, const char *method,
                                               const char *path, const char *body)
{
    char *text = host_xprintf("%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                              "Content-Length: %zu\r\n\r\n%s",
                              method, path, s->token, body != NULL ? strlen(body) : 0,
                              body != NULL ? body : "");

    client_send(s, fd, text, strlen(text));
    free(text);
}

/* Reads what comes until text has part (NULL: until the end of the connection); false when that does
 * not come. */
__attribute__((unused)) static bool client_await(server_t *s, int fd, const char *part, buf_t *text)
{
    char chunk[65536];

    for (int turns = 0; turns < TURNS; turns++) {
        const ssize_t n = recv(fd, chunk, sizeof(chunk), 0);

        if (n > 0)
            buf_append(text, chunk, (size_t) n);
        if (part != NULL && strstr(buf_text(text), part) != NULL)
            return true;
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return part == NULL;
        if (n < 0)
            server_turn(s, 1);
    }
    return false;
}

/* One whole exchange on a connection of its own. Caller owns the text of the answer. */
__attribute__((unused)) static char *server_ask(server_t *s, const char *method, const char *path,
                                                const char *body)
{
    const int fd = client_open(s);
    buf_t text = BUF_INIT;
    char *head = host_xprintf("%s %s HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"
                              "Content-Length: %zu\r\n\r\n%s",
                              method, path, s->token, body != NULL ? strlen(body) : 0,
                              body != NULL ? body : "");

    client_send(s, fd, head, strlen(head));
    cr_expect(client_await(s, fd, NULL, &text), "%s %s: no end", method, path);
    free(head);
    close(fd);
    return buf_steal(&text) ?: host_xstrdup("");
}

#define EXPECT_ANSWER(s, method, path, body, part)                                                 \
    do {                                                                                           \
        char *text_answer_ = server_ask((s), (method), (path), (body));                            \
        EXPECT_HAS(text_answer_, (part));                                                          \
        free(text_answer_);                                                                        \
    } while (0)

#endif
