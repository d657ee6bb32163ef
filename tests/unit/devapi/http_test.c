/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP as text, and on connections: what is refused, what is waited for, what is cut. */
#include "devapi/http_impl.h"
#include "server.h"

/* -- Heads -- */

typedef struct head_case {
    const char *text;
    int status;
} head_case_t;

static const head_case_t heads[] = {
    {"GET / HTTP/1.1\r\n\r\n", 0},
    {"GET / HTTP/1.0\r\nHost: x\r\n\r\n", 0},
    {"GET http://host/a?b HTTP/1.1\r\n\r\n", 0},
    {"GET / HTTP/2.0\r\n\r\n", 505},
    {"GET / FTP/1.1\r\n\r\n", 400},
    {"GET /\r\n\r\n", 400},
    {"GET a HTTP/1.1\r\n\r\n", 400},
    {"G(T / HTTP/1.1\r\n\r\n", 400},
    {"GET /%zz HTTP/1.1\r\n\r\n", 400},
    {"GET /%00 HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\na : b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\na: b\r\n folded\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
    {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
};

Test(http, heads_are_taken_or_refused)
{
    for (size_t i = 0; i < HOST_LEN(heads); i++) {
        http_head_t head;
        const int status = http_head_parse(heads[i].text, strlen(heads[i].text), &head);

        cr_expect(status == heads[i].status, "%s: %d, expected %d", heads[i].text, status,
                  heads[i].status);
        http_head_fini(&head);
    }
}

Test(http, a_head_is_taken_apart)
{
    static const char text[] = "POST /a%20b/%C3%A4?x=1#y HTTP/1.1\r\nHost: h\r\nACCEPT:  a/b \r\n"
                               "Connection: Keep-Alive, Close\r\nTransfer-Encoding: Chunked\r\n"
                               "Expect: 100-continue\r\n\r\n";
    http_head_t head;

    EXPECT_INT(http_head_parse(text, sizeof(text) - 1, &head), 0);
    EXPECT_STR(head.method, "POST");
    EXPECT_STR(head.path, "/a b/\xC3\xA4");
    EXPECT_STR(head.query, "x=1");
    EXPECT_STR(http_head_get(&head, "accept"), "a/b");
    cr_expect(head.chunked && head.expects_100 && !head.keep_alive);
    cr_expect_null(http_head_get(&head, "cookie"));
    http_head_fini(&head);
}

Test(http, a_query_is_decoded)
{
    http_query_t q;

    cr_assert(http_query_parse("a=1&b=%2C+x&c&a=2&=z&bad=%q&e=", &q));
    EXPECT_STR(http_query_get(&q, "a"), "1");
    EXPECT_STR(http_query_get(&q, "b"), ", x");
    EXPECT_STR(http_query_get(&q, "c"), "");
    EXPECT_STR(http_query_get(&q, "e"), "");
    cr_expect_null(http_query_get(&q, "bad"));
    cr_expect(http_query_true(&q, "a") && http_query_true(&q, "c") && !http_query_true(&q, "d"));
    http_query_fini(&q);
    cr_assert(http_query_parse("a=false&b=0&c=False", &q));
    cr_expect(!http_query_true(&q, "a") && !http_query_true(&q, "b") && !http_query_true(&q, "c"));
    http_query_fini(&q);
}

/* -- Chunks -- */

/* Feeds text in pieces of this size; the last result. */
static int feed(const char *text, size_t step, buf_t *body)
{
    http_chunks_t chunks = {0};
    buf_t waiting = BUF_INIT;
    int ret = 0;

    for (size_t at = 0, len = strlen(text); ret == 0 && at < len; at += step) {
        size_t taken;

        buf_append(&waiting, text + at, HOST_MIN(step, len - at));
        ret = http_chunks_take(&chunks, waiting.data, waiting.len, &taken, body);
        waiting.len -= taken;
        memmove(waiting.data, waiting.data + taken, waiting.len + 1);
    }
    buf_fini(&waiting);
    return ret;
}

Test(http, chunks_may_come_in_any_pieces)
{
    static const char text[] = "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";

    for (size_t step = 1; step < sizeof(text); step++) {
        buf_t body = BUF_INIT;

        EXPECT_INT(feed(text, step, &body), 1);
        EXPECT_STR(buf_text(&body), "abc0123456789");
        buf_fini(&body);
    }
}

Test(http, bad_chunks_are_refused)
{
    static const char *const bad[] = {"x\r\n",  "\r\n",    "3\r\nabcd\r\n",
                                      "-1\r\n", "3 x\r\n", "fffffffff\r\n"};

    for (size_t i = 0; i < HOST_LEN(bad); i++) {
        buf_t body = BUF_INIT;

        cr_expect(feed(bad[i], 100, &body) == (i == 4 ? 0 : -400), "%s", bad[i]);
        buf_fini(&body);
    }
    buf_t small = BUF_INIT_MAX(2);
    EXPECT_INT(feed("3\r\nabc\r\n", 100, &small), -413);
    buf_fini(&small);
}

/* -- Paths -- */

typedef struct path_case {
    const char *path, *parts; /* "group|version|ns|plural|name|sub" */
} path_case_t;

static const path_case_t paths[] = {
    {"/api/v1/namespaces/a/configmaps/b", "|v1|a|configmaps|b|-"},
    {"/api/v1/namespaces/a/configmaps", "|v1|a|configmaps|-|-"},
    {"/api/v1/namespaces/a/configmaps/", "|v1|a|configmaps|-|-"},
    {"/api/v1/namespaces/a", "|v1|-|namespaces|a|-"},
    {"/api/v1/namespaces/a/status", "|v1|-|namespaces|a|status"},
    {"/api/v1/namespaces/a/finalize", "|v1|-|namespaces|a|finalize"},
    {"/api/v1/namespaces", "|v1|-|namespaces|-|-"},
    {"/apis/apps/v1/namespaces/a/deployments/b/scale", "apps|v1|a|deployments|b|scale"},
    {"/api/v1/watch/namespaces/a/configmaps/b", "|v1|a|configmaps|b|-"},
    {"/apis/apps/v1/deployments", "apps|v1|-|deployments|-|-"},
    {"/apis/apps/v1", "apps|v1|-|-|-|-"},
    {"/apis/apps", "-"},
    {"/api", "-"},
    {"//api/v1/nodes", "-"},
    {"/other/v1/nodes", "-"},
    {"/api/v1/a/b/c/d/e/f/g/h/i/j/k", "-"},
};

static const char *or_dash(const char *text)
{
    return text != NULL ? text : "-";
}

Test(http, paths_name_resources)
{
    for (size_t i = 0; i < HOST_LEN(paths); i++) {
        dev_target_t t;

        dev_target_parse(paths[i].path, &t);
        char *parts = t.resource
                          ? host_xprintf("%s|%s|%s|%s|%s|%s", t.group, t.version, or_dash(t.ns),
                                         or_dash(t.plural), or_dash(t.name), or_dash(t.sub))
                          : host_xstrdup("-");
        cr_expect_str_eq(parts, paths[i].parts, "%s: %s", paths[i].path, parts);
        free(parts);
        dev_target_fini(&t);
    }
}

/* -- Accept -- */

typedef struct accept_case {
    const char *accept;
    int result, shape;
} accept_case_t;

#define META ";v=v1;g=meta.k8s.io"

static const accept_case_t accepts[] = {
    {NULL, DEV_ACCEPT_JSON, DEV_SHAPE_FULL},
    {"", DEV_ACCEPT_JSON, DEV_SHAPE_FULL},
    {"*/*", DEV_ACCEPT_JSON, DEV_SHAPE_FULL},
    {"application/json", DEV_ACCEPT_JSON, DEV_SHAPE_FULL},
    {"application/json;as=Table" META, DEV_ACCEPT_JSON, DEV_SHAPE_TABLE},
    {"application/json; as=PartialObjectMetadata ;g=meta.k8s.io; v=v1", DEV_ACCEPT_JSON,
     DEV_SHAPE_METADATA},
    {"application/json;as=PartialObjectMetadataList" META, DEV_ACCEPT_JSON, DEV_SHAPE_METADATA},
    {"application/json;as=Table;v=v9;g=meta.k8s.io,application/json", DEV_ACCEPT_JSON,
     DEV_SHAPE_FULL},
    {"application/json;as=Table;v=v9;g=meta.k8s.io", DEV_ACCEPT_UNKNOWN_FORM, DEV_SHAPE_FULL},
    {"application/vnd.kubernetes.protobuf, application/json", DEV_ACCEPT_JSON, DEV_SHAPE_FULL},
    {"application/vnd.kubernetes.protobuf;as=Table" META ",application/json;as=Table" META,
     DEV_ACCEPT_JSON, DEV_SHAPE_TABLE},
    {"application/vnd.kubernetes.protobuf", DEV_ACCEPT_UNKNOWN, DEV_SHAPE_FULL},
    {"application/json;q=0", DEV_ACCEPT_UNKNOWN, DEV_SHAPE_FULL},
    {"image/png", DEV_ACCEPT_UNKNOWN, DEV_SHAPE_FULL},
};

Test(http, the_first_form_that_can_be_is_taken)
{
    for (size_t i = 0; i < HOST_LEN(accepts); i++) {
        const dev_accept_t a = dev_accept_parse(accepts[i].accept, false);

        cr_expect((int) a.result == accepts[i].result && (int) a.shape == accepts[i].shape, "%s",
                  or_dash(accepts[i].accept));
    }
}

Test(http, json_is_indented_as_go_does)
{
    static const char json[] = "{\"a\":[],\"b\":{},\"c\":[1,{\"d\":\"x{\\\"[,:\"}]}";
    buf_t out = BUF_INIT;

    dev_pretty(json, sizeof(json) - 1, &out);
    EXPECT_STR(buf_text(&out), "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n      "
                               "\"d\": \"x{\\\"[,:\"\n    }\n  ]\n}");
    buf_fini(&out);
}

/* Depth 900 costs 1,800 blanks an element: gigabytes, for a request of 3 MiB. */
Test(http, indents_are_left_out_when_they_are_too_many)
{
    enum { DEPTH = 900, ELEMENTS = 2000 };
    server_t s = server_start(0);
    buf_t body = BUF_INIT, deep = BUF_INIT;

    buf_puts(&body, "{\"spec\":{\"nonResourceAttributes\":{},\"x\":");
    for (int i = 0; i < DEPTH; i++)
        buf_puts(&deep, "[");
    for (int i = 0; i < ELEMENTS; i++)
        buf_puts(&deep, i > 0 ? ",0" : "0");
    for (int i = 0; i < DEPTH; i++)
        buf_puts(&deep, "]");
    buf_append(&body, deep.data, deep.len);
    buf_puts(&body, "}}");
    EXPECT_ANSWER(&s, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?pretty=true",
                  body.data, deep.data);
    buf_fini(&body);
    buf_fini(&deep);
    server_stop(&s);
}

/* -- Connections -- */

#define CONFIGMAPS "/api/v1/namespaces/default/configmaps"

Test(http, a_connection_carries_many_requests)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    buf_t text = BUF_INIT;

    client_ask(&s, fd, "GET", "/healthz", NULL);
    client_ask(&s, fd, "POST", CONFIGMAPS, "{\"metadata\":{\"name\":\"a\"}}");
    client_ask(&s, fd, "GET", CONFIGMAPS "/a", NULL);
    client_ask(&s, fd, "GET", "/no/such/path", NULL);
    cr_expect(client_await(&s, fd, "404 page not found\n", &text));
    EXPECT_HAS(buf_text(&text), "HTTP/1.1 201 Created\r\n");
    EXPECT_HAS(buf_text(&text), "Audit-Id: ");
    EXPECT_HAS(buf_text(&text), "Cache-Control: no-cache, private\r\n");
    buf_fini(&text);
    close(fd);
    server_stop(&s);
}

Test(http, a_request_may_come_byte_by_byte)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    buf_t text = BUF_INIT;
    char *request = host_xprintf("POST " CONFIGMAPS " HTTP/1.1\r\nAuthorization: bearer %s\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n"
                                 "19\r\n{\"metadata\":{\"name\":\"b\"}}\r\n0\r\n\r\n",
                                 s.token);

    for (size_t i = 0; request[i] != '\0'; i++)
        client_send(&s, fd, request + i, 1);
    cr_expect(client_await(&s, fd, "\"name\":\"b\"", &text), "%s", buf_text(&text));
    EXPECT_HAS(buf_text(&text), "HTTP/1.1 201 Created\r\n");
    free(request);
    buf_fini(&text);
    close(fd);
    server_stop(&s);
}

Test(http, the_body_is_awaited_where_the_client_waits)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    buf_t text = BUF_INIT;
    char *head = host_xprintf("POST " CONFIGMAPS " HTTP/1.1\r\nAuthorization: Bearer %s\r\n"
                              "Content-Length: 25\r\nExpect: 100-continue\r\n\r\n",
                              s.token);

    client_send(&s, fd, head, strlen(head));
    cr_expect(client_await(&s, fd, "HTTP/1.1 100 Continue\r\n\r\n", &text));
    client_send(&s, fd, "{\"metadata\":{\"name\":\"b\"}}", 25);
    cr_expect(client_await(&s, fd, "HTTP/1.1 201 Created\r\n", &text));
    free(head);
    buf_fini(&text);
    close(fd);
    server_stop(&s);
}

typedef struct refusal {
    const char *request, *answer;
} refusal_t;

static const refusal_t refusals[] = {
    {"POST /api HTTP/1.1\r\nContent-Length: 16777217\r\n\r\n", "HTTP/1.1 413 "},
    {"POST /api HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501 "},
    {"GET /api HTTP/3.1\r\n\r\n", "HTTP/1.1 505 "},
    {"nonsense\r\n\r\n", "HTTP/1.1 400 "},
};

Test(http, what_is_no_request_is_refused_and_the_connection_ends)
{
    server_t s = server_start(0);

    for (size_t i = 0; i < HOST_LEN(refusals); i++) {
        const int fd = client_open(&s);
        buf_t text = BUF_INIT;

        client_send(&s, fd, refusals[i].request, strlen(refusals[i].request));
        cr_expect(client_await(&s, fd, NULL, &text), "%s: no end", refusals[i].request);
        EXPECT_HAS(buf_text(&text), refusals[i].answer);
        EXPECT_HAS(buf_text(&text), "Connection: close\r\n");
        EXPECT_HAS(buf_text(&text), "\"kind\":\"Status\"");
        buf_fini(&text);
        close(fd);
    }
    server_stop(&s);
}

Test(http, a_body_that_is_too_large_is_read_before_it_is_refused)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    buf_t text = BUF_INIT;
    const size_t size = 3145729;
    char *body = host_xcalloc(1, size);

    client_send(&s, fd, "POST /api HTTP/1.1\r\nContent-Length: 3145729\r\n\r\n", 47);
    client_send(&s, fd, body, size - 1);
    server_turn(&s, 20);
    EXPECT_INT(recv(fd, &(char){0}, 1, 0), -1);
    client_send(&s, fd, body, 1);
    cr_expect(client_await(&s, fd, NULL, &text));
    EXPECT_HAS(buf_text(&text), "HTTP/1.1 413 ");
    EXPECT_HAS(buf_text(&text), "limit is 3145728");
    free(body);
    buf_fini(&text);
    close(fd);
    server_stop(&s);
}

Test(http, headers_without_end_are_431)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    buf_t text = BUF_INIT;
    char line[1024];

    memset(line, 'a', sizeof(line));
    memcpy(line, "x: ", 3);
    memcpy(line + sizeof(line) - 2, "\r\n", 2);
    client_send(&s, fd, "GET / HTTP/1.1\r\n", 16);
    for (int i = 0; i < 70; i++)
        client_send(&s, fd, line, sizeof(line));
    cr_expect(client_await(&s, fd, "HTTP/1.1 431 ", &text));
    buf_fini(&text);
    close(fd);
    server_stop(&s);
}

Test(http, a_request_that_drips_is_cut_after_30_s)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    buf_t text = BUF_INIT;

    client_send(&s, fd, "GET / HTTP/1.1\r\n", 16);
    server_turn(&s, 20);
    for (int i = 0; i < 31; i++) {
        client_send(&s, fd, "a", 1);
        fake_clock_advance(CLOCK_S);
        server_turn(&s, 2);
    }
    cr_expect(client_await(&s, fd, NULL, &text));
    EXPECT_INT(text.len, 0);
    close(fd);
    server_stop(&s);
}

Test(http, a_connection_may_rest_between_requests)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    buf_t text = BUF_INIT;

    client_ask(&s, fd, "GET", "/healthz", NULL);
    cr_expect(client_await(&s, fd, "ok", &text));
    fake_clock_advance(200 * CLOCK_S);
    buf_clear(&text);
    client_ask(&s, fd, "GET", "/healthz", NULL);
    cr_expect(client_await(&s, fd, "ok", &text));
    fake_clock_advance(301 * CLOCK_S);
    cr_expect(client_await(&s, fd, NULL, &text));
    buf_fini(&text);
    close(fd);
    server_stop(&s);
}

Test(http, connections_beyond_the_limit_are_told_so)
{
    server_t s = server_start(2);
    const int one = client_open(&s), two = client_open(&s);
    buf_t text = BUF_INIT;

    server_turn(&s, 10);
    EXPECT_ANSWER(&s, "GET", "/healthz", NULL, "HTTP/1.1 503 ");
    close(one);
    server_turn(&s, 10);
    EXPECT_ANSWER(&s, "GET", "/healthz", NULL, "HTTP/1.1 200 OK");
    client_ask(&s, two, "GET", "/healthz", NULL);
    cr_expect(client_await(&s, two, "HTTP/1.1 200 OK", &text));
    buf_fini(&text);
    close(two);
    server_stop(&s);
}

static int64_t objects_of(server_t *s)
{
    dev_core_stats_t stats;

    dev_core_stats(devapi_core(s->api), &stats);
    return stats.objects;
}

/* Caller owns the text. */
static char *large_configmap(const char *name, size_t size)
{
    char *body = host_xprintf("{\"metadata\":{\"name\":\"%s\"},\"data\":{\"k\":\"%*s\"}}", name,
                              (int) size, "x");

    return body;
}

/* Answers are longer than requests: whoever asks without reading could fill the memory. */
Test(http, who_does_not_read_answers_gets_no_more_of_them)
{
    enum { ROUNDS = 32 };
    server_t s = server_start(0);
    const int fd = client_open(&s);
    char *body = large_configmap("large", 800000), *chunk = malloc(1 << 20);
    buf_t requests = BUF_INIT;

    EXPECT_ANSWER(&s, "POST", CONFIGMAPS, body, "201 Created");
    const int64_t before = objects_of(&s);
    for (int i = 0; i < ROUNDS; i++)
        buf_printf(&requests, "GET " CONFIGMAPS " HTTP/1.1\r\nAuthorization: Bearer %s\r\n\r\n",
                   s.token);
    client_send(&s, fd, requests.data, requests.len);
    client_ask(&s, fd, "POST", CONFIGMAPS, "{\"metadata\":{\"name\":\"last\"}}");
    server_turn(&s, 200);
    EXPECT_INT(objects_of(&s), before);
    for (int turns = 0; turns < TURNS && objects_of(&s) == before; turns++) {
        while (recv(fd, chunk, 1 << 20, 0) > 0)
            ;
        loop_turn(s.loop);
    }
    EXPECT_INT(objects_of(&s), before + 1);
    free(body);
    free(chunk);
    buf_fini(&requests);
    close(fd);
    server_stop(&s);
}

Test(http, head_has_no_body)
{
    server_t s = server_start(0);
    char *text = server_ask(&s, "HEAD", CONFIGMAPS, NULL);

    EXPECT_HAS(text, "HTTP/1.1 405 ");
    EXPECT_STR(strstr(text, "\r\n\r\n"), "\r\n\r\n");
    free(text);
    server_stop(&s);
}

/* -- Watches -- */

Test(http, a_watch_is_chunked_and_ends_with_its_time)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    buf_t text = BUF_INIT;

    client_ask(&s, fd, "GET", CONFIGMAPS "?watch=1&timeoutSeconds=5", NULL);
    EXPECT_ANSWER(&s, "POST", CONFIGMAPS, "{\"metadata\":{\"name\":\"w\"}}", "201 Created");
    cr_expect(client_await(&s, fd, "\"name\":\"w\"", &text));
    EXPECT_HAS(buf_text(&text), "Transfer-Encoding: chunked\r\n");
    fake_clock_advance(6 * CLOCK_S);
    cr_expect(client_await(&s, fd, "\r\n0\r\n\r\n", &text));
    client_ask(&s, fd, "GET", "/healthz", NULL);
    cr_expect(client_await(&s, fd, "\r\n\r\nok", &text));
    buf_fini(&text);
    close(fd);
    server_stop(&s);
}

Test(http, a_watch_of_http_1_0_ends_with_the_connection)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    buf_t text = BUF_INIT;
    char *head = host_xprintf("GET " CONFIGMAPS "?watch=1&timeoutSeconds=5 HTTP/1.0\r\n"
                              "Authorization: Bearer %s\r\n\r\n",
                              s.token);

    client_send(&s, fd, head, strlen(head));
    cr_expect(client_await(&s, fd, "Connection: close\r\n", &text));
    fake_clock_advance(6 * CLOCK_S);
    cr_expect(client_await(&s, fd, NULL, &text));
    cr_expect_null(strstr(buf_text(&text), "chunked"));
    free(head);
    buf_fini(&text);
    close(fd);
    server_stop(&s);
}

Test(http, a_watch_that_is_not_read_is_cut)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    const size_t size = 700000;
    char *body = malloc(size + 1);
    dev_core_stats_t stats = {.watches = 1};

    client_ask(&s, fd, "GET", CONFIGMAPS "?watch=1", NULL);
    server_turn(&s, 10);
    for (int i = 0; i < 60 && stats.watches > 0; i++) {
        const int n =
            snprintf(body, size, "{\"metadata\":{\"name\":\"large-%d\"},\"data\":{\"k\":\"", i);
        memset(body + n, 'x', size - (size_t) n);
        memcpy(body + size - 3, "\"}}", 4);
        EXPECT_ANSWER(&s, "POST", CONFIGMAPS, body, "201 Created");
        dev_core_stats(devapi_core(s.api), &stats);
    }
    EXPECT_INT(stats.watches, 0);
    free(body);
    close(fd);
    server_stop(&s);
}

/* It was cut before its client could have read anything, and then again and again. */
Test(http, a_watch_may_begin_with_more_than_may_be_left_unread)
{
    enum { OBJECTS = 22, SIZE = 800000 };
    server_t s = server_start(0);
    const int fd = client_open(&s);
    char *chunk = malloc(1 << 20);
    size_t got = 0;

    for (int i = 0; i < OBJECTS; i++) {
        host_cleanup(host_freep) char *name = host_xprintf("large-%d", i);
        host_cleanup(host_freep) char *body = large_configmap(name, SIZE);
        EXPECT_ANSWER(&s, "POST", CONFIGMAPS, body, "201 Created");
    }
    client_ask(&s, fd, "GET", CONFIGMAPS "?watch=1", NULL);
    for (int turns = 0; turns < TURNS && got < (size_t) OBJECTS * SIZE; turns++) {
        for (ssize_t n; (n = recv(fd, chunk, 1 << 20, 0)) > 0;)
            got += (size_t) n;
        loop_turn(s.loop);
    }
    cr_expect(got > (size_t) OBJECTS * SIZE, "%zu bytes of a watch", got);
    free(chunk);
    close(fd);
    server_stop(&s);
}

Test(http, a_client_that_goes_ends_its_watch)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    dev_core_stats_t stats;

    client_ask(&s, fd, "GET", CONFIGMAPS "?watch=1", NULL);
    server_turn(&s, 10);
    dev_core_stats(devapi_core(s.api), &stats);
    EXPECT_INT(stats.watches, 1);
    close(fd);
    server_turn(&s, 10);
    dev_core_stats(devapi_core(s.api), &stats);
    EXPECT_INT(stats.watches, 0);
    server_stop(&s);
}

Test(http, the_server_may_stop_at_any_time)
{
    server_t s = server_start(0);
    const int one = client_open(&s), two = client_open(&s);

    client_ask(&s, one, "GET", CONFIGMAPS "?watch=1", NULL);
    client_send(&s, two, "GET / HT", 8);
    server_turn(&s, 10);
    server_stop(&s);
    close(one);
    close(two);
}

/* -- Who asks -- */

Test(http, strangers_are_401_and_the_nameless_403)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    buf_t text = BUF_INIT;
    static const char nobody[] = "GET /api/v1/nodes HTTP/1.1\r\n\r\n"
                                 "GET /version HTTP/1.1\r\n\r\n"
                                 "GET /version HTTP/1.1\r\nAuthorization: Bearer no\r\n\r\n";

    client_send(&s, fd, nobody, sizeof(nobody) - 1);
    cr_expect(client_await(&s, fd, "\"Unauthorized\"", &text));
    EXPECT_HAS(buf_text(&text),
               "nodes is forbidden: User \\\"system:anonymous\\\" cannot list "
               "resource \\\"nodes\\\" in API group \\\"\\\" at the cluster scope");
    EXPECT_HAS(buf_text(&text), "\"gitVersion\": \"v1.34.0-leasehold-0.0.0\"");
    buf_fini(&text);
    close(fd);
    server_stop(&s);
}
