/* SPDX-License-Identifier: Apache-2.0 */
/* What the end of one request means. */
#include "watch/stream.h"

#include "base/clock.h"
#include "base/error.h"
#include "support/expect.h"
#include "support/fake_clock.h"
#include "support/fake_kube.h"

#include <stdio.h>

typedef struct one {
    loop_t *loop;
    fake_kube_t *kube;
    watch_stream_t *stream;
    int ended; /* enum watch_end; -1: not yet */
    bool lived;
    char version[32], next[32], text[sizeof((lh_error_t){0}.text)];
    int objects;
    bool no_memory;
} one_t;

static int on_object(void *arg, enum watch_news news, const char *text, size_t len, lh_error_t *err)
{
    one_t *o = arg;

    (void) text;
    (void) len;
    (void) news;
    if (o->no_memory)
        return host_fail(err, LH_ENOMEM, "object: out of memory");
    o->objects++;
    return 0;
}

static void on_bookmark(void *arg, const char *version, bool listed)
{
    (void) arg;
    (void) version;
    (void) listed;
}

static void on_unreadable(void *arg, const lh_error_t *err)
{
    (void) arg;
    (void) err;
}

static void on_end(void *arg, watch_stream_end_t *end)
{
    one_t *o = arg;

    cr_expect_eq(o->ended, -1, "on_end came twice");
    o->ended = (int) end->why;
    o->lived = end->lived;
    snprintf(o->version, sizeof(o->version), "%s", end->version != NULL ? end->version : "");
    snprintf(o->next, sizeof(o->next), "%s", end->next != NULL ? end->next : "");
    snprintf(o->text, sizeof(o->text), "%s", end->error.text);
}

static const watch_stream_handler_t handler = {on_object, on_bookmark, on_unreadable, on_end};

static void open_one(one_t *o, enum watch_stream_mode mode)
{
    lh_error_t err;

    *o = (one_t){.ended = -1};
    ASSERT_OK(loop_create(&o->loop, &err), err);
    o->kube = fake_kube_create();
    const watch_stream_options_t options = {
        .loop = o->loop,
        .client = fake_kube_client(o->kube),
        .mode = mode,
        .gvr = {"apps", "v1", "deployments"},
        .version = "7",
        .idle = 90 * CLOCK_S,
    };
    ASSERT_OK(watch_stream_open(&options, &handler, o, &o->stream, &err), err);
}

static void close_one(one_t *o)
{
    watch_stream_destroy(o->stream);
    EXPECT_INT(fake_kube_open(o->kube), 0);
    fake_kube_destroy(o->kube);
    loop_destroy(o->loop);
}

#define OPEN(o, mode)                                                                              \
    host_cleanup(close_one) one_t o;                                                               \
    open_one(&o, mode)
#define CALL(o) fake_kube_find((o)->kube, "/apis/apps/v1/deployments")

static void expect_end(int status, const char *body, enum watch_end why)
{
    OPEN(o, WATCH_STREAM_EVENTS);
    fake_kube_end(CALL(&o), status, body);
    cr_expect_eq(o.ended, (int) why, "%d ended as %d, expected %d", status, o.ended, (int) why);
    EXPECT_INT(o.lived, 0);
}

Test(stream, http_statuses_have_their_meaning)
{
    expect_end(410, "", WATCH_END_EXPIRED);
    expect_end(429, "", WATCH_END_THROTTLED);
    expect_end(404, "", WATCH_END_MISSING);
    expect_end(401, "", WATCH_END_DENIED);
    expect_end(403, "", WATCH_END_DENIED);
    expect_end(400, "", WATCH_END_REFUSED);
    expect_end(422, "", WATCH_END_REFUSED);
    expect_end(500, "", WATCH_END_FAILED);
    expect_end(503, "", WATCH_END_FAILED);
}

Test(stream, an_object_that_finds_no_memory_ends_it)
{
    OPEN(o, WATCH_STREAM_EVENTS);
    o.no_memory = true;
    fake_kube_data(CALL(&o), "{\"type\":\"ADDED\",\"object\":{}}\n");
    cr_expect_eq(o.ended, (int) WATCH_END_MEMORY, "ended as %d", o.ended);
    EXPECT_HAS(o.text, "out of memory");
}

Test(stream, all_three_forms_of_a_version_too_large_are_known)
{
    expect_end(504, "{\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}]}}",
               WATCH_END_TOO_LARGE);
    expect_end(504, "{\"details\":{\"causes\":[{\"message\":\"Too large resource version\"}]}}",
               WATCH_END_TOO_LARGE);
    expect_end(500, "{\"message\":\"Too large resource version: 9, current: 8\"}",
               WATCH_END_TOO_LARGE);
}

static void expect_error_event(const char *status, enum watch_end why, const char *text)
{
    OPEN(o, WATCH_STREAM_EVENTS);
    host_cleanup(host_freep) char *event =
        host_xprintf("{\"type\":\"ERROR\",\"object\":%s}", status);

    cr_expect(!fake_kube_data(CALL(&o), event), "an error must end the stream");
    cr_expect_eq(o.ended, (int) why, "%s ended as %d, expected %d", status, o.ended, (int) why);
    EXPECT_HAS(o.text, text);
}

Test(stream, error_events_have_their_meaning)
{
    expect_error_event("{\"code\":410,\"message\":\"too old\"}", WATCH_END_EXPIRED, "410: too old");
    expect_error_event("{\"code\":429,\"message\":\"slow\"}", WATCH_END_THROTTLED, "429: slow");
    expect_error_event("{\"code\":500,\"message\":\"ill\"}", WATCH_END_ERROR, "500: ill");
    expect_error_event("{\"code\":504,\"message\":\"Too large resource version\"}",
                       WATCH_END_TOO_LARGE, "Too large");
    expect_error_event("{\"code\":504,\"message\":\"Timeout\",\"details\":{\"causes\":"
                       "[{\"reason\":\"ResourceVersionTooLarge\"}]}}",
                       WATCH_END_TOO_LARGE, "504: Timeout");
    expect_error_event("{\"code\":504,\"message\":\"Timeout\",\"details\":{\"causes\":"
                       "[{\"message\":\"Too large resource version\"}]}}",
                       WATCH_END_TOO_LARGE, "504: Timeout");
    expect_error_event("{}", WATCH_END_ERROR, "no message");
}

Test(stream, a_page_ends_with_the_version_and_token_of_its_list)
{
    OPEN(o, WATCH_STREAM_PAGE);
    fake_kube_pieces(CALL(&o),
                     "{\"metadata\":{\"resourceVersion\":\"9\",\"continue\":\"t\"},"
                     "\"items\":[{},{}]}",
                     3);
    fake_kube_end(CALL(&o), 200, "");
    EXPECT_INT(o.ended, WATCH_END_DONE);
    EXPECT_INT(o.objects, 2);
    EXPECT_STR(o.version, "9");
    EXPECT_STR(o.next, "t");
}

Test(stream, a_page_without_a_version_is_no_list)
{
    OPEN(o, WATCH_STREAM_PAGE);
    fake_kube_data(CALL(&o), "{\"items\":[]}");
    fake_kube_end(CALL(&o), 200, "");
    EXPECT_INT(o.ended, WATCH_END_GARBLED);
    EXPECT_HAS(o.text, "resourceVersion");
}

Test(stream, text_that_is_no_json_is_garbled)
{
    OPEN(o, WATCH_STREAM_EVENTS);
    cr_expect(!fake_kube_data(CALL(&o), "<html>"), "it must end the stream");
    EXPECT_INT(o.ended, WATCH_END_GARBLED);
}

Test(stream, has_lived_after_a_second_or_an_event)
{
    {
        OPEN(o, WATCH_STREAM_EVENTS);
        fake_clock_advance(CLOCK_S - 1);
        fake_kube_cut(CALL(&o));
        EXPECT_INT(o.lived, 0);
    }
    {
        OPEN(o, WATCH_STREAM_EVENTS);
        fake_clock_advance(CLOCK_S);
        fake_kube_cut(CALL(&o));
        EXPECT_INT(o.lived, 1);
    }
    {
        OPEN(o, WATCH_STREAM_EVENTS);
        fake_kube_data(CALL(&o), "{\"type\":\"ADDED\",\"object\":{}}");
        fake_kube_end(CALL(&o), 200, "");
        EXPECT_INT(o.lived, 1);
    }
}

Test(stream, a_connection_that_never_came_about_has_not_lived)
{
    OPEN(o, WATCH_STREAM_EVENTS);
    fake_clock_advance(30 * CLOCK_S);
    fake_kube_refuse(CALL(&o));
    EXPECT_INT(o.ended, WATCH_END_CUT);
    EXPECT_INT(o.lived, 0);
}

Test(stream, is_frozen_after_the_idle_time_without_a_byte)
{
    OPEN(o, WATCH_STREAM_EVENTS);
    fake_clock_advance(60 * CLOCK_S);
    loop_turn(o.loop);
    fake_kube_data(CALL(&o), " ");
    fake_clock_advance(89 * CLOCK_S);
    loop_turn(o.loop);
    loop_turn(o.loop);
    EXPECT_INT(o.ended, -1);
    fake_clock_advance(CLOCK_S);
    loop_turn(o.loop);
    EXPECT_INT(o.ended, WATCH_END_FROZEN);
}
