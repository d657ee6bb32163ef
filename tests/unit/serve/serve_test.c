/* SPDX-License-Identifier: Apache-2.0 */
/* What the server answers; limits_test.c has how it defends itself. */
#include "serve/serve.h"

#include "base/loop.h"
#include "client.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

static health_t *health;
static metrics_t *metrics;
static serve_t *serve;

static void start(void)
{
    lh_error_t err = {0};

    health = health_create();
    metrics = metrics_create();
    serve_options_t options = {
        .address = "127.0.0.1:0", .health = health, .metrics = metrics, .log = NULL};

    ASSERT_OK(serve_start(&options, &serve, &err), err);
}

static void finish(void)
{
    serve_stop(serve);
    metrics_destroy(metrics);
    health_destroy(health);
}

TestSuite(serve, .init = start, .fini = finish, .timeout = 20);

/* Sends a request line with the usual headers; expects this status line and body. */
static void expect_answer(const char *line, const char *status, const char *body)
{
    host_cleanup(host_freep) char *request =
        host_xprintf("%s HTTP/1.1\r\nHost: x\r\nUser-Agent: kube-probe/1.34\r\n\r\n", line);
    host_cleanup(host_freep) char *answer = client_talk(serve_port(serve), request);
    host_cleanup(host_freep) char *start_line = host_xprintf("HTTP/1.1 %s\r\n", status);
    const char *end = strstr(answer, "\r\n\r\n");

    cr_expect(strncmp(answer, start_line, strlen(start_line)) == 0, "%s was answered with %s", line,
              answer);
    cr_assert_not_null(end, "%s was answered with %s", line, answer);
    EXPECT_STR(end + 4, body);
}

Test(serve, health_endpoints_answer_ok)
{
    expect_answer("GET /livez", "200 OK", "ok");
    expect_answer("GET /readyz", "200 OK", "ok");
    expect_answer("GET /startupz", "200 OK", "ok");
    expect_answer("GET /healthz", "200 OK", "ok");
}

Test(serve, a_failing_check_fails_its_endpoints_only)
{
    health_set(health_add(health, "loop", HEALTH_LIVEZ, 0), false, "stuck");

    expect_answer("GET /livez", "500 Internal Server Error",
                  "[-]loop failed: reason withheld\nlivez check failed\n");
    expect_answer("GET /healthz", "500 Internal Server Error",
                  "[-]loop failed: reason withheld\nhealthz check failed\n");
    expect_answer("GET /readyz", "200 OK", "ok");
}

Test(serve, healthz_is_called_by_its_name)
{
    health_set(health_add(health, "loop", HEALTH_LIVEZ, 0), true, NULL);

    expect_answer("GET /healthz?verbose", "200 OK", "[+]loop ok\nhealthz check passed\n");
}

Test(serve, verbose_lists_the_checks)
{
    health_set(health_add(health, "loop", HEALTH_LIVEZ, 0), true, NULL);
    health_set(health_add(health, "elector", 0, HEALTH_LIVEZ), false, "waits");

    expect_answer("GET /livez?verbose", "200 OK",
                  "[+]loop ok\n[-]elector failed: waits (does not count)\nlivez check passed\n");
    expect_answer("GET /livez?verbose=1", "200 OK",
                  "[+]loop ok\n[-]elector failed: waits (does not count)\nlivez check passed\n");
    expect_answer("GET /livez?verbos", "200 OK", "ok");
}

Test(serve, exclude_is_repeatable_and_decoded)
{
    health_set(health_add(health, "a b", HEALTH_LIVEZ, 0), false, "x");
    health_set(health_add(health, "c/d", HEALTH_LIVEZ, 0), false, "y");

    expect_answer("GET /livez?exclude=a+b&exclude=c%2Fd", "200 OK", "ok");
    expect_answer("GET /livez?exclude=a%20b&exclude=c/d&verbose", "200 OK",
                  "[+]a b excluded: ok\n[+]c/d excluded: ok\nlivez check passed\n");
    expect_answer("GET /livez?exclude=a%20b", "500 Internal Server Error",
                  "[+]a b excluded: ok\n[-]c/d failed: reason withheld\nlivez check failed\n");
    expect_answer("GET /livez?exclude=a%20b&&exclude=%zz&exclude=c%2fd&=", "200 OK", "ok");
}

Test(serve, one_check_has_an_address_of_its_own)
{
    health_set(health_add(health, "good", HEALTH_LIVEZ, 0), true, NULL);
    health_set(health_add(health, "plugin/a b", HEALTH_READYZ, 0), false, "stuck");

    expect_answer("GET /livez/good", "200 OK", "ok");
    expect_answer("GET /healthz/good", "200 OK", "ok");
    expect_answer("GET /readyz/plugin/a%20b", "500 Internal Server Error",
                  "plugin/a b failed: stuck\n");
    expect_answer("GET /readyz/good", "404 Not Found", "no such check\n");
    expect_answer("GET /livez/none", "404 Not Found", "no such check\n");
}

Test(serve, metrics_are_rendered_when_asked_for)
{
    metric_cell_t *c = metric_cell(metrics_counter(metrics, "x_total", "X", NULL), NULL);

    metric_add(c, 1);
    expect_answer("GET /metrics", "200 OK",
                  "# HELP x_total X\n# TYPE x_total counter\nx_total 1\n");
    metric_add(c, 1);
    host_cleanup(host_freep) char *answer =
        client_talk(serve_port(serve), "GET /metrics HTTP/1.1\r\n\r\n");

    EXPECT_HAS(answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    EXPECT_HAS(answer, "\nx_total 2\n");
}

Test(serve, who_prefers_openmetrics_gets_it)
{
    static const char text[] = "text/plain; version=0.0.4; charset=utf-8";
    static const char open[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    static const struct {
        const char *headers, *type;
    } rows[] = {
        {"", text},
        {"Accept: */*\r\n", text},
        /* what Prometheus 2.42 and an agent without OpenMetrics send */
        {"Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
         "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n",
         open},
        {"Accept: text/plain;version=0.0.4;q=1,*/*;q=0.1\r\n", text},
        {"Accept: application/openmetrics-text\r\n", open},
        {"accept:\tAPPLICATION/OpenMetrics-Text ; VERSION=\"1.0.0\"\r\n", open},
        {"X: y\r\nAccept: text/html\r\nAccept: application/openmetrics-text\r\n", open},
        {"Accept: application/openmetrics-text;version=0.0.1\r\n", text},
        {"Accept: application/openmetrics-text;q=0\r\n", text},
        {"Accept: application/openmetrics-text;q=0.4,text/plain;q=0.5\r\n", text},
        {"Accept: application/openmetrics-text;q=0.4,*/*;q=0.41\r\n", text},
        {"Accept: application/openmetrics-text;q=0.5,text/plain;q=0.4,*/*\r\n", open},
        {"Accept: application/openmetrics-texts,;,,;q\r\n", text},
        {"X-Accept: application/openmetrics-text\r\n", text},
    };
    metric_add(metric_cell(metrics_counter(metrics, "x_total", "X", NULL), NULL), 1);

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        host_cleanup(host_freep) char *request =
            host_xprintf("GET /metrics HTTP/1.1\r\n%s\r\n", rows[i].headers);
        host_cleanup(host_freep) char *type =
            host_xprintf("\r\nContent-Type: %s\r\n", rows[i].type);
        host_cleanup(host_freep) char *answer = client_talk(serve_port(serve), request);

        cr_expect(strstr(answer, type) != NULL, "row %zu was answered with %s", i, answer);
        EXPECT_HAS(answer, "\r\nVary: Accept\r\n");
        EXPECT_HAS(answer, rows[i].type == open ? "# TYPE x counter\nx_total 1\n# EOF\n"
                                                : "# TYPE x_total counter\nx_total 1\n");
    }
}

Test(serve, large_answers_arrive_whole)
{
    metric_t *f = metrics_gauge(metrics, "x", "X", (const char *const[]){"i", NULL});
    host_cleanup(buf_fini) buf_t expected = BUF_INIT;

    for (int i = 0; i < 2000; i++) {
        host_cleanup(host_freep) char *value = host_xprintf("%01000d", i);

        metric_cell(f, (const char *const[]){value});
    }
    EXPECT_INT(metrics_render(metrics, METRICS_TEXT, &expected), 0);
    host_cleanup(host_freep) char *answer =
        client_talk(serve_port(serve), "GET /metrics HTTP/1.1\r\n\r\n");
    const char *body = strstr(answer, "\r\n\r\n");

    cr_assert_not_null(body);
    cr_expect(expected.len > 2000000 && strcmp(body + 4, buf_text(&expected)) == 0,
              "%zu bytes came, expected %zu", strlen(body + 4), expected.len);
}

Test(serve, leader_shows_what_was_published)
{
    expect_answer("GET /leader", "503 Service Unavailable", "nothing is known yet\n");
    health_publish(health, "/leader", 503, "{\"leader\":false}");
    expect_answer("GET /leader", "503 Service Unavailable", "{\"leader\":false}");
    health_publish(health, "/leader", 200, "{\"leader\":true}");
    expect_answer("GET /leader", "200 OK", "{\"leader\":true}");
    host_cleanup(host_freep) char *answer =
        client_talk(serve_port(serve), "GET /leader HTTP/1.1\r\n\r\n");

    EXPECT_HAS(answer, "\r\nContent-Type: application/json\r\n");
}

Test(serve, everything_else_is_not_found)
{
    expect_answer("GET /", "404 Not Found", "not found\n");
    expect_answer("GET /livezz", "404 Not Found", "not found\n");
    expect_answer("GET /livez/", "404 Not Found", "not found\n");
    expect_answer("GET /metrics/x", "404 Not Found", "not found\n");
    expect_answer("GET livez", "404 Not Found", "not found\n");
    expect_answer("POST /x", "404 Not Found", "not found\n");
}

Test(serve, other_methods_are_not_allowed)
{
    expect_answer("DELETE /livez", "405 Method Not Allowed", "GET and HEAD only\n");
    expect_answer("get /metrics", "405 Method Not Allowed", "GET and HEAD only\n");
    host_cleanup(host_freep) char *answer =
        client_talk(serve_port(serve), "PUT /leader HTTP/1.1\r\n\r\n");

    EXPECT_HAS(answer, "\r\nAllow: GET, HEAD\r\n");
}

Test(serve, a_body_does_not_cost_the_answer)
{
    int fd = client_connect(serve_port(serve));
    char body[20000];

    memset(body, 'x', sizeof(body) - 1);
    body[sizeof(body) - 1] = '\0';
    client_send(fd, "POST /livez HTTP/1.1\r\nContent-Length: 19999\r\n\r\n");
    client_send(fd, body);
    host_cleanup(host_freep) char *answer = client_read(fd);

    EXPECT_HAS(answer, "HTTP/1.1 405 ");
}

Test(serve, head_is_get_without_the_body)
{
    host_cleanup(host_freep) char *head =
        client_talk(serve_port(serve), "HEAD /livez HTTP/1.1\r\n\r\n");
    host_cleanup(host_freep) char *get =
        client_talk(serve_port(serve), "GET /livez HTTP/1.1\r\n\r\n");

    EXPECT_HAS(head, "\r\nContent-Length: 2\r\n");
    get[strlen(get) - 2] = '\0';
    EXPECT_STR(head, get);
}

Test(serve, old_and_bare_clients_are_served)
{
    host_cleanup(host_freep) char *old =
        client_talk(serve_port(serve), "GET /livez HTTP/1.0\r\n\r\n");
    host_cleanup(host_freep) char *bare = client_talk(serve_port(serve), "GET /livez HTTP/1.1\n\n");

    EXPECT_HAS(old, "\r\n\r\nok");
    EXPECT_HAS(bare, "\r\n\r\nok");
}

Test(serve, what_is_not_http_is_a_bad_request)
{
    static const char *const lines[] = {"GET /livez",
                                        "GET",
                                        "GET /livez HTTP/2.0",
                                        " GET /l HTTP/1.1",
                                        "",
                                        "GET /livez FTP/1.1",
                                        "GET /%zz HTTP/1.1",
                                        "GET /%00 HTTP/1.1"};

    for (size_t i = 0; i < HOST_LEN(lines); i++) {
        host_cleanup(host_freep) char *request = host_xprintf("%s\r\n\r\n", lines[i]);
        host_cleanup(host_freep) char *answer = client_talk(serve_port(serve), request);

        cr_expect(strncmp(answer, "HTTP/1.1 400 ", 13) == 0, "'%s' was answered with %s", lines[i],
                  answer);
    }
}

Test(serve, a_request_in_pieces_is_put_together)
{
    int fd = client_connect(serve_port(serve));
    const char *pieces[] = {"G", "ET /li", "vez HTTP/1.1\r", "\nHost: x\r\n\r", "\n"};

    for (size_t i = 0; i < HOST_LEN(pieces); i++) {
        cr_expect(!client_wait(fd, 20), "an answer came before piece %zu", i);
        client_send(fd, pieces[i]);
    }
    host_cleanup(host_freep) char *answer = client_read(fd);

    EXPECT_HAS(answer, "\r\n\r\nok");
}

/* --- threads --- */

static void *probe(void *arg)
{
    loop_task_t *finished = arg;

    expect_answer("GET /livez", "200 OK", "ok");
    finished->fn(finished);
    return NULL;
}

typedef struct stuck {
    loop_task_t finished;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
    loop_t *loop;
} stuck_t;

static void on_finished(loop_task_t *task)
{
    stuck_t *s = HOST_CONTAINER(task, stuck_t, finished);

    pthread_mutex_lock(&s->lock);
    s->done = true;
    pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->lock);
}

typedef struct stuck_task {
    loop_task_t task;
    stuck_t *stuck;
} stuck_task_t;

/* Holds the main loop until the probe has had its answer. */
static void hang(loop_task_t *task)
{
    stuck_t *s = HOST_CONTAINER(task, stuck_task_t, task)->stuck;

    pthread_mutex_lock(&s->lock);
    while (!s->done)
        pthread_cond_wait(&s->cond, &s->lock);
    pthread_mutex_unlock(&s->lock);
    loop_stop(s->loop);
}

Test(serve, rule_14_livez_answers_while_the_main_loop_hangs)
{
    stuck_t s = {.finished = {.fn = on_finished},
                 .lock = PTHREAD_MUTEX_INITIALIZER,
                 .cond = PTHREAD_COND_INITIALIZER};
    stuck_task_t task = {.task = {.fn = hang}, .stuck = &s};
    lh_error_t err = {0};
    pthread_t prober;

    ASSERT_OK(loop_create(&s.loop, &err), err);
    loop_post(s.loop, &task.task);
    pthread_create(&prober, NULL, probe, &s.finished);
    loop_run(s.loop);
    pthread_join(prober, NULL);
    EXPECT_INT(s.done, true);
    loop_destroy(s.loop);
}

/* The signals that the thread named "serve" blocks. */
static uint64_t blocked_signals(void)
{
    DIR *tasks = opendir("/proc/self/task");
    uint64_t blocked = 0;

    for (struct dirent *d; (d = readdir(tasks)) != NULL;) {
        char path[300], text[4096] = "";

        snprintf(path, sizeof(path), "/proc/self/task/%s/status", d->d_name);
        int fd = open(path, O_RDONLY);

        if (fd < 0)
            continue;
        cr_assert(read(fd, text, sizeof(text) - 1) > 0);
        close(fd);
        if (strncmp(text, "Name:\tserve\n", 12) == 0)
            blocked = strtoull(strstr(text, "SigBlk:") + 7, NULL, 16);
    }
    closedir(tasks);
    return blocked;
}

Test(serve, the_thread_blocks_all_signals_and_the_caller_keeps_its_own)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE};
    sigset_t mine;

    /* Until a thread really runs, glibc itself keeps its signals blocked. */
    expect_answer("GET /livez", "200 OK", "ok");
    uint64_t blocked = blocked_signals();

    pthread_sigmask(SIG_BLOCK, NULL, &mine);
    for (size_t i = 0; i < HOST_LEN(signals); i++) {
        cr_expect((blocked >> (signals[i] - 1) & 1) == 1, "signal %d is not blocked", signals[i]);
        cr_expect(sigismember(&mine, signals[i]) == 0, "signal %d is blocked here", signals[i]);
    }
}

/* --- addresses --- */

static int start_at(const char *address, serve_t **out, lh_error_t *err)
{
    serve_options_t options = {
        .address = address, .health = health, .metrics = metrics, .log = NULL};

    return serve_start(&options, out, err);
}

Test(serve, a_taken_port_is_named_with_advice)
{
    host_cleanup(host_freep) char *address = host_xprintf("127.0.0.1:%u", serve_port(serve));
    host_cleanup(host_freep) char *expected = host_xprintf(
        "listen on '%s': Address already in use; set health.address (--health) to a free port, "
        "or to \"0\" to serve nothing",
        address);
    serve_t *second = NULL;
    lh_error_t err = {0};

    EXPECT_INT(start_at(address, &second, &err), LH_EIO);
    EXPECT_STR(err.text, expected);
    cr_expect_null(second);
}

Test(serve, an_address_of_another_machine_is_refused)
{
    serve_t *second = NULL;
    lh_error_t err = {0};

    EXPECT_INT(start_at("192.0.2.1:0", &second, &err), LH_EINVAL);
    EXPECT_HAS(err.text, "listen on '192.0.2.1:0': Cannot assign requested address; set ");
}

Test(serve, what_is_no_address_is_refused)
{
    static const char *const addresses[] = {
        "",         "8081",           "127.0.0.1", "127.0.0.1:", ":65536",
        ":-1",      ": 80",           ":8081x",    "[::1]",      "[::1:8081",
        "::1:8081", "localhost:8081", "[]:80",     "1.2.3:80",   ":000080"};

    for (size_t i = 0; i < HOST_LEN(addresses); i++) {
        serve_t *second = NULL;
        lh_error_t err = {0};
        int ret = start_at(addresses[i], &second, &err);
        host_cleanup(host_freep) char *expected =
            host_xprintf("listen on '%s': not an address; write ", addresses[i]);

        cr_expect(ret == LH_EINVAL, "'%s' gave %d", addresses[i], ret);
        EXPECT_HAS(err.text, expected);
    }
}

Test(serve, an_empty_host_is_every_address)
{
    serve_t *second = NULL;
    lh_error_t err = {0};

    ASSERT_OK(start_at(":0", &second, &err), err);
    host_cleanup(host_freep) char *answer =
        client_talk(serve_port(second), "GET /livez HTTP/1.1\r\n\r\n");

    EXPECT_HAS(answer, "\r\n\r\nok");
    serve_stop(second);
}

Test(serve, ipv6_addresses_stand_in_brackets)
{
    serve_t *second = NULL;
    lh_error_t err = {0};
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0) {
        close(fd); /* a machine without IPv6: the error is all that there is to see */
        EXPECT_INT(start_at("[::1]:0", &second, &err), LH_EIO);
        EXPECT_HAS(err.text, "listen on '[::1]:0': ");
        return;
    }
    close(fd);
    ASSERT_OK(start_at("[::1]:0", &second, &err), err);
    address.sin6_port = htons(serve_port(second));
    fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_INT(connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
    client_send(fd, "GET /livez HTTP/1.1\r\n\r\n");
    host_cleanup(host_freep) char *answer = client_read(fd);

    EXPECT_HAS(answer, "\r\n\r\nok");
    serve_stop(second);
}
