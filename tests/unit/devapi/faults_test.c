/* SPDX-License-Identifier: Apache-2.0 */
/* Faults on demand: rules, and what they do to requests and watches. */
#include "devapi/faults.h"
#include "server.h"

static int set(dev_faults_t *f, const char *json, dev_status_t *st)
{
    return dev_faults_set(f, json, strlen(json), st);
}

/* -- Rules -- */

typedef struct mistake {
    const char *json, *message;
} mistake_t;

static const mistake_t mistakes[] = {
    {"", "{\"rules\": [...]} is expected"},
    {"[]", "{\"rules\": [...]} is expected"},
    {"{}", "{\"rules\": [...]} is expected"},
    {"{\"rules\":[],\"other\":1}", "{\"rules\": [...]} is expected"},
    {"{\"rules\":[1]}", "a rule is an object"},
    {"{\"rules\":[{\"verbs\":\"get\"}]}", "a rule has no 'verbs' (see docs/devapi.md)"},
    {"{\"rules\":[{\"verb\":1}]}", "'verb' is a text"},
    {"{\"rules\":[{\"refuse\":\"yes\"}]}", "'refuse' is a boolean"},
    {"{\"rules\":[{\"count\":-1}]}", "'count' is a number from 0 to 1000000000"},
    {"{\"rules\":[{\"status\":200}]}", "'status' is a number from 400 to 599"},
};

Test(faults, mistakes_are_named)
{
    dev_faults_t *f = dev_faults_create();

    for (size_t i = 0; i < HOST_LEN(mistakes); i++) {
        dev_status_t st = {0};

        EXPECT_INT(set(f, mistakes[i].json, &st), -400);
        EXPECT_STR(st.message, mistakes[i].message);
        dev_status_fini(&st);
    }
    dev_faults_destroy(f);
}

Test(faults, the_first_rule_that_fits_counts)
{
    dev_faults_t *f = dev_faults_create();
    dev_status_t st = {0};
    dev_fault_t fault;
    const dev_fault_subject_t get = {
        .verb = "get", .group = "apps", .resource = "deployments", .user_agent = "x/leasehold"};
    const dev_fault_subject_t put = {.verb = "update", .group = "", .resource = "pods"};

    EXPECT_INT(set(f,
                   "{\"rules\":[{\"verb\":\"get\",\"userAgent\":\"leasehold\",\"skip\":1,"
                   "\"count\":2,\"status\":429,\"retryAfter\":3},"
                   "{\"group\":\"\",\"latencyBeforeMs\":5,\"dropReply\":true}]}",
                   &st),
               0);
    cr_expect(!dev_faults_match(f, &get, &fault));
    for (int i = 0; i < 2; i++) {
        cr_expect(dev_faults_match(f, &get, &fault));
        EXPECT_INT(fault.status, 429);
        EXPECT_INT(fault.retry_after, 3);
    }
    cr_expect(!dev_faults_match(f, &get, &fault));
    EXPECT_INT(fault.status, 0);
    cr_expect(dev_faults_match(f, &put, &fault));
    cr_expect(fault.drop && fault.before == 5 * CLOCK_MS);

    buf_t out = BUF_INIT;
    dev_faults_print(f, &out);
    EXPECT_HAS(buf_text(&out), "\"count\":0,\"hits\":2}");
    EXPECT_HAS(buf_text(&out), "\"dropReply\":true,\"hits\":1}");
    buf_fini(&out);
    dev_faults_destroy(f);
}

/* -- Requests -- */

#define CONFIGMAPS "/api/v1/namespaces/default/configmaps"
#define BODY(name) "{\"metadata\":{\"name\":\"" name "\"}}"

static void rules(server_t *s, const char *json)
{
    EXPECT_ANSWER(s, "PUT", "/devapi/faults", json, "200 OK");
}

Test(faults, a_status_is_answered_and_nothing_done)
{
    server_t s = server_start(0);

    rules(&s, "{\"rules\":[{\"verb\":\"create\",\"count\":1,\"status\":429,\"retryAfter\":7}]}");
    EXPECT_ANSWER(&s, "POST", CONFIGMAPS, BODY("a"), "Retry-After: 7\r\n");
    EXPECT_ANSWER(&s, "GET", CONFIGMAPS "/a", NULL, "404 Not Found");
    EXPECT_ANSWER(&s, "POST", CONFIGMAPS, BODY("a"), "201 Created");
    EXPECT_ANSWER(&s, "GET", "/devapi/faults", NULL, "\"hits\":1");
    EXPECT_ANSWER(&s, "DELETE", "/devapi/faults", NULL, "{\"rules\":[]}");
    EXPECT_ANSWER(&s, "POST", "/devapi/faults", NULL, "405 Method Not Allowed");
    EXPECT_ANSWER(&s, "POST", "/devapi/faults/odd", NULL, "404 Not Found");
    server_stop(&s);
}

Test(faults, a_dropped_reply_is_committed_and_a_refused_request_is_not)
{
    server_t s = server_start(0);

    rules(&s, "{\"rules\":[{\"verb\":\"create\",\"count\":1,\"dropReply\":true},"
              "{\"verb\":\"create\",\"refuse\":true}]}");
    char *dropped = server_ask(&s, "POST", CONFIGMAPS, BODY("dropped"));
    char *refused = server_ask(&s, "POST", CONFIGMAPS, BODY("refused"));
    EXPECT_STR(dropped, "");
    EXPECT_STR(refused, "");
    EXPECT_ANSWER(&s, "GET", CONFIGMAPS "/dropped", NULL, "200 OK");
    EXPECT_ANSWER(&s, "GET", CONFIGMAPS "/refused", NULL, "404 Not Found");
    free(dropped);
    free(refused);
    server_stop(&s);
}

Test(faults, latency_is_before_or_after_the_commit)
{
    server_t s = server_start(0);
    const int one = client_open(&s), two = client_open(&s);
    buf_t text = BUF_INIT;

    rules(&s, "{\"rules\":[{\"verb\":\"create\",\"count\":1,\"latencyBeforeMs\":1000},"
              "{\"verb\":\"create\",\"latencyAfterMs\":1000}]}");
    client_ask(&s, one, "POST", CONFIGMAPS, BODY("before"));
    server_turn(&s, 20);
    client_ask(&s, two, "POST", CONFIGMAPS, BODY("after"));
    server_turn(&s, 20);
    EXPECT_ANSWER(&s, "GET", CONFIGMAPS "/before", NULL, "404 Not Found");
    EXPECT_ANSWER(&s, "GET", CONFIGMAPS "/after", NULL, "200 OK");
    EXPECT_INT(recv(two, &(char){0}, 1, 0), -1);
    fake_clock_advance(CLOCK_S);
    cr_expect(client_await(&s, one, "201 Created", &text));
    cr_expect(client_await(&s, two, "\"name\":\"after\"", &text));
    buf_fini(&text);
    close(one);
    close(two);
    server_stop(&s);
}

Test(faults, a_client_may_go_during_a_delay)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);

    rules(&s, "{\"rules\":[{\"verb\":\"create\",\"latencyBeforeMs\":1000}]}");
    client_ask(&s, fd, "POST", CONFIGMAPS, BODY("gone"));
    server_turn(&s, 20);
    close(fd);
    server_turn(&s, 20);
    fake_clock_advance(2 * CLOCK_S);
    EXPECT_ANSWER(&s, "GET", CONFIGMAPS "/gone", NULL, "404 Not Found");
    server_stop(&s);
}

/* -- Watches -- */

Test(faults, a_frozen_watch_holds_back_until_it_is_thawed)
{
    server_t s = server_start(0);
    const int fd = client_open(&s);
    buf_t text = BUF_INIT;

    client_ask(&s, fd, "GET", CONFIGMAPS "?watch=1&allowWatchBookmarks=1", NULL);
    server_turn(&s, 20);
    EXPECT_ANSWER(&s, "POST", "/devapi/faults/bookmarks", NULL, "{\"watches\":1}");
    cr_expect(client_await(&s, fd, "BOOKMARK", &text));
    EXPECT_ANSWER(&s, "POST", "/devapi/faults/freeze-watches", "{\"resource\":\"pods\"}",
                  "{\"watches\":0}");
    EXPECT_ANSWER(&s, "POST", "/devapi/faults/freeze-watches", "{\"resource\":\"configmaps\"}",
                  "{\"watches\":1}");
    EXPECT_ANSWER(&s, "POST", CONFIGMAPS, BODY("held"), "201 Created");
    server_turn(&s, 20);
    EXPECT_INT(recv(fd, &(char){0}, 1, 0), -1);
    EXPECT_ANSWER(&s, "POST", "/devapi/faults/thaw-watches", NULL, "{\"watches\":1}");
    cr_expect(client_await(&s, fd, "\"name\":\"held\"", &text));
    buf_fini(&text);
    close(fd);
    server_stop(&s);
}

Test(faults, watches_are_cut_now_or_when_they_open)
{
    server_t s = server_start(0);
    const int one = client_open(&s), two = client_open(&s);
    buf_t text = BUF_INIT;

    client_ask(&s, one, "GET", CONFIGMAPS "?watch=1", NULL);
    server_turn(&s, 20);
    EXPECT_ANSWER(&s, "POST", "/devapi/faults/cut-watches", NULL, "{\"watches\":1}");
    cr_expect(client_await(&s, one, NULL, &text));
    cr_expect_null(strstr(buf_text(&text), "\r\n0\r\n\r\n"));
    rules(&s, "{\"rules\":[{\"verb\":\"watch\",\"cutWatch\":true}]}");
    client_ask(&s, two, "GET", CONFIGMAPS "?watch=1", NULL);
    cr_expect(client_await(&s, two, NULL, &text));
    buf_fini(&text);
    close(one);
    close(two);
    server_stop(&s);
}

Test(faults, the_history_is_forgotten_and_the_clock_is_moved)
{
    server_t s = server_start(0);

    EXPECT_ANSWER(&s, "POST", CONFIGMAPS, BODY("a"), "201 Created");
    EXPECT_ANSWER(&s, "POST", "/devapi/faults/compact", NULL, "200 OK");
    EXPECT_ANSWER(&s, "GET", CONFIGMAPS "?resourceVersion=1&resourceVersionMatch=Exact", NULL,
                  "410 Gone");
    EXPECT_ANSWER(&s, "POST", "/devapi/faults/clock", "{\"shiftSeconds\":86400}", "200 OK");
    EXPECT_ANSWER(&s, "POST", CONFIGMAPS, BODY("b"), "\"creationTimestamp\":\"2026-01-03T");
    EXPECT_ANSWER(&s, "POST", "/devapi/faults/clock", "{}", "400 Bad Request");
    server_stop(&s);
}
