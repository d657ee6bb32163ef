/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel still sends for a host that is stopped in the middle of a write. Nobody is there to cut
 * the connection; TCP_USER_TIMEOUT alone ends it. */
#include "base/clock.h"
#include "kube/client.h"
#include "support/expect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BODY = 512 * 1024, LIMIT_S = 20 };

static int listener, connection;
static pid_t host;

/* -- The host, in a process of its own -- */

static void on_done(void *arg, const kube_result_t *result)
{
    (void) arg, (void) result;
}

static void write_for_ever(int port, int64_t user_timeout)
{
    host_cleanup(host_freep) char *url = host_xprintf("http://127.0.0.1:%d", port);
    const kube_credentials_t credentials = {.server = url};
    char *body = malloc(BODY);
    kube_client_t *client = NULL;
    loop_t *loop = NULL;
    lh_error_t err = {0};

    memset(body, 'x', BODY);
    if (loop_create(&loop, &err) < 0 ||
        kube_client_create(&(kube_client_options_t){.loop = loop,
                                                    .credentials = &credentials,
                                                    .kind = KUBE_CLIENT_WRITES,
                                                    .write_user_timeout = user_timeout},
                           &client, &err) < 0 ||
        kube_client_send(client,
                         &(kube_request_t){.method = "PUT",
                                           .path = "/x",
                                           .body = body,
                                           .body_len = BODY,
                                           .fence = fence_create(1, CLOCK_NEVER),
                                           .on_done = on_done},
                         NULL, &err) < 0)
        _exit(1);
    loop_run(loop);
    _exit(1);
}

/* -- The server -- */

static void listen_with_a_small_window(struct sockaddr_in *address)
{
    const int size = 8192;
    socklen_t len = sizeof(*address);

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert_eq(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
    cr_assert_eq(bind(listener, (struct sockaddr *) address, sizeof(*address)), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *) address, &len), 0);
}

/* The sending end of the connection, as the kernel sees it. */
typedef struct sender {
    bool there;
    unsigned long queued; /* not acknowledged, or not sent yet */
} sender_t;

/* The next hexadecimal number behind one more character. */
static unsigned long next_number(char **at)
{
    return strtoul(*at + 1, at, 16);
}

static sender_t look(unsigned port, unsigned peer)
{
    sender_t found = {0};
    char line[256];
    FILE *f = fopen("/proc/net/tcp", "re");

    cr_assert_not_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        /* " 0: 0100007F:PORT 0100007F:PEER STATE QUEUED:..." */
        char *at = strchr(line, ':');

        if (at == NULL)
            continue;
        next_number(&at);
        const unsigned long from = next_number(&at);

        next_number(&at);
        const unsigned long to = next_number(&at), state = next_number(&at);

        if (from == port && to == peer && state == TCP_ESTABLISHED)
            found = (sender_t){.there = true, .queued = next_number(&at)};
    }
    fclose(f);
    return found;
}

static unsigned port_of(int (*ask)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_in address;
    socklen_t len = sizeof(address);

    cr_assert_eq(ask(connection, (struct sockaddr *) &address, &len), 0);
    return ntohs(address.sin_port);
}

/* How much comes, until it is enough. */
static size_t drain(size_t enough)
{
    static char waste[65536];
    const struct timeval patience = {.tv_sec = 3}; /* of a connection that stays open */
    size_t total = 0;
    ssize_t n;

    cr_assert_eq(setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    while (total < enough && (n = recv(connection, waste, sizeof(waste), 0)) > 0)
        total += (size_t) n;
    return total;
}

/* Starts a host that writes, and stops it when its kernel holds most of the body. What it held then. */
static unsigned long freeze_in_a_write(int64_t user_timeout)
{
    struct sockaddr_in address;
    sender_t sender = {0};
    int status;

    listen_with_a_small_window(&address);
    host = fork();
    if (host == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        write_for_ever(ntohs(address.sin_port), user_timeout);
    }
    connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    cr_assert(connection >= 0);
    for (int i = 0; i < LIMIT_S * 200 && sender.queued < BODY / 4; i++) {
        usleep(5000);
        sender = look(port_of(getpeername), port_of(getsockname));
    }
    cr_assert(sender.queued >= BODY / 4, "the kernel holds %lu bytes only", sender.queued);
    cr_assert_eq(kill(host, SIGSTOP), 0);
    cr_assert_eq(waitpid(host, &status, WUNTRACED), host);
    cr_assert(WIFSTOPPED(status));
    return sender.queued;
}

static void finish(void)
{
    kill(host, SIGKILL);
    waitpid(host, NULL, 0);
    close(connection);
    close(listener);
}

TestSuite(frozen, .fini = finish, .timeout = 60);

Test(frozen, a_stopped_hosts_unacknowledged_bytes_die_by_the_user_timeout)
{
    const unsigned long queued = freeze_in_a_write(500 * CLOCK_MS);
    bool there = true;

    for (int i = 0; i < LIMIT_S * 100 && there; i++) {
        usleep(10000);
        there = look(port_of(getpeername), port_of(getsockname)).there;
    }
    EXPECT_INT(there, false);
    const size_t got = drain(queued);

    cr_expect(got < 128 * 1024, "%zu bytes came, of %lu that were queued", got, queued);
}

/* So that the test above can fail. */
Test(frozen, without_it_they_would_arrive_although_the_host_is_stopped)
{
    const unsigned long queued = freeze_in_a_write(0);
    const size_t got = drain(queued);

    cr_expect(got >= queued, "%zu bytes came, of %lu that were queued", got, queued);
}
