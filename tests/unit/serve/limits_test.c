/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that are slow, many, or come when the process has no file descriptors left. */
#include "serve/serve.h"

#include "client.h"
#include "serve/internal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define REQUEST "GET /livez HTTP/1.1\r\n\r\n"

static health_t *health;
static metrics_t *metrics;
static log_t *server_log;
static int log_fd;
static serve_t *serve;

static void start(void)
{
    lh_error_t err = {0};

    health = health_create();
    metrics = metrics_create();
    log_fd = memfd_create("log", MFD_CLOEXEC);
    server_log = log_create(log_fd, LOG_TEXT, LOG_INFO);
    serve_options_t options = {
        .address = "127.0.0.1:0", .health = health, .metrics = metrics, .log = server_log};

    ASSERT_OK(serve_start(&options, &serve, &err), err);
}

static void finish(void)
{
    serve_stop(serve);
    log_destroy(server_log);
    close(log_fd);
    metrics_destroy(metrics);
    health_destroy(health);
}

TestSuite(serve_limits, .init = start, .fini = finish, .timeout = 40);

static void expect_served(void)
{
    host_cleanup(host_freep) char *answer = client_talk(serve_port(serve), REQUEST);

    EXPECT_HAS(answer, "\r\n\r\nok");
}

static bool is_cut(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

/* One sends nothing, one a byte now and then, one has its answer and stays. */
Test(serve_limits, every_connection_is_cut_after_five_seconds_in_all)
{
    int64_t begin = clock_now();
    int idle = client_connect(serve_port(serve));
    int drip = client_connect(serve_port(serve));
    int stays = client_connect(serve_port(serve));
    char answer[1024];
    bool open = true;

    client_send(drip, "GET /livez HTTP/1.1\r\nX: ");
    client_send(stays, REQUEST);
    while (recv(stays, answer, sizeof(answer), 0) > 0)
        ;
    while (open && clock_now() - begin < 9 * CLOCK_S) {
        open = !client_wait(drip, 100);
        if (open)
            send(drip, "x", 1, MSG_NOSIGNAL);
        if (clock_now() - begin < 4 * CLOCK_S)
            cr_assert(!is_cut(idle), "cut early");
    }
    int64_t took = clock_now() - begin;

    cr_expect(took > 4900 * CLOCK_MS && took < 8 * CLOCK_S, "cut after %lld ms",
              (long long) (took / CLOCK_MS));
    cr_expect(client_wait(idle, 1000) && is_cut(idle), "an idle connection is still open");
    EXPECT_INT(poll(&(struct pollfd){.fd = stays}, 1, 1000), 1); /* a reset, without asking */
    expect_served();
    close(idle);
    close(drip);
    close(stays);
}

Test(serve_limits, who_does_not_read_the_answer_is_cut_too)
{
    metric_t *f = metrics_gauge(metrics, "x", "X", (const char *const[]){"i", NULL});

    for (int i = 0; i < 20000; i++) {
        host_cleanup(host_freep) char *value = host_xprintf("%01000d", i);

        metric_cell(f, (const char *const[]){value});
    }
    int fd = client_connect(serve_port(serve));
    struct pollfd p = {.fd = fd, .events = 0};

    client_send(fd, "GET /metrics HTTP/1.1\r\n\r\n");
    EXPECT_INT(poll(&p, 1, 9000), 1); /* no events asked for: only an error or a hang-up */
    expect_served();
    close(fd);
}

Test(serve_limits, a_header_section_may_have_8_kib)
{
    char headers[SERVE_MAX_REQUEST + 1];
    size_t len = strlen("GET /livez HTTP/1.1\r\nX: ");

    memset(headers, 'a', sizeof(headers));
    memcpy(headers, "GET /livez HTTP/1.1\r\nX: ", len);
    memcpy(headers + SERVE_MAX_REQUEST - 4, "\r\n\r\n", 5);
    host_cleanup(host_freep) char *fits = client_talk(serve_port(serve), headers);

    EXPECT_HAS(fits, "HTTP/1.1 200 OK\r\n");
    memset(headers + SERVE_MAX_REQUEST - 4, 'a', 4);
    host_cleanup(host_freep) char *too_long = client_talk(serve_port(serve), headers);

    EXPECT_HAS(too_long, "HTTP/1.1 431 Request Header Fields Too Large\r\n");
}

Test(serve_limits, a_nul_byte_is_a_bad_request)
{
    int fd = client_connect(serve_port(serve));

    EXPECT_INT(send(fd, "GET /livez\0 HTTP/1.1\r\n\r\n", 24, 0), 24);
    host_cleanup(host_freep) char *answer = client_read(fd);

    EXPECT_HAS(answer, "HTTP/1.1 400 Bad Request\r\n");
}

/* Slow clients once kept the kubelet's probe waiting until it failed. */
Test(serve_limits, beyond_the_cap_a_client_takes_the_place_of_the_oldest)
{
    int fds[SERVE_MAX_CONNECTIONS];

    for (int i = 0; i < SERVE_MAX_CONNECTIONS; i++) {
        fds[i] = client_connect(serve_port(serve));
        client_send(fds[i], "GET /livez HTTP/1.1\r\nX: ");
    }
    int64_t begin = clock_now();

    expect_served();
    cr_expect(clock_now() - begin < 2 * CLOCK_S, "served after %lld ms",
              (long long) ((clock_now() - begin) / CLOCK_MS));
    cr_expect(client_wait(fds[0], 1000) && is_cut(fds[0]), "the oldest is still open");
    client_send(fds[5], "y\r\n\r\n"); /* the others are served as ever */
    host_cleanup(host_freep) char *inside = client_read(fds[5]);

    EXPECT_HAS(inside, "\r\n\r\nok");
    for (int i = 0; i < SERVE_MAX_CONNECTIONS; i++) {
        if (i != 5)
            close(fds[i]);
    }
    for (int i = 0; i < 2 * SERVE_MAX_CONNECTIONS; i++)
        expect_served();
}

Test(serve_limits, a_client_that_hangs_up_frees_its_place)
{
    for (int round = 0; round < 3; round++) {
        int fds[SERVE_MAX_CONNECTIONS];

        for (int i = 0; i < SERVE_MAX_CONNECTIONS; i++)
            fds[i] = client_connect(serve_port(serve));
        for (int i = 0; i < SERVE_MAX_CONNECTIONS; i++)
            close(fds[i]);
    }
    int64_t begin = clock_now();

    expect_served();
    cr_expect(clock_now() - begin < 3 * CLOCK_S, "served after %lld ms",
              (long long) ((clock_now() - begin) / CLOCK_MS));
}

Test(serve_limits, without_file_descriptors_clients_are_turned_away_at_once)
{
    const struct rlimit limit = {200, 200};
    int clients[3], fillers[200];
    size_t count = 0;

    for (size_t i = 0; i < HOST_LEN(clients); i++)
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
        fillers[count++] = fd;
    cr_assert(errno == EMFILE && count > 0, "%zu files, %s", count, strerror(errno));

    for (size_t i = 0; i < HOST_LEN(clients); i++) {
        cr_assert_eq(client_connect_fd(clients[i], serve_port(serve)), 0);
        cr_expect(client_wait(clients[i], 3000) && is_cut(clients[i]), "client %zu was left", i);
    }
    while (count > 0)
        close(fillers[--count]);
    expect_served();

    char text[1024] = "";
    const char *warning = "WARN  clients of '127.0.0.1:0' are turned away: Too many open files\n";

    cr_assert(pread(log_fd, text, sizeof(text) - 1, 0) > 0);
    EXPECT_HAS(text, warning);
    EXPECT_INT(strchr(text, '\n')[1], '\0'); /* said once */
    for (size_t i = 0; i < HOST_LEN(clients); i++)
        close(clients[i]);
}

Test(serve_limits, stop_cuts_what_is_open)
{
    int idle = client_connect(serve_port(serve));
    int64_t begin = clock_now();

    expect_served(); /* so the idle one has been accepted */
    serve_stop(serve);
    serve_stop(NULL);
    serve = NULL;
    cr_expect(client_wait(idle, 1000) && is_cut(idle), "still open");
    cr_expect(clock_now() - begin < 3 * CLOCK_S, "stopping took too long");
    close(idle);
}
