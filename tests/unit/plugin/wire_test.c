/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/wire.h"

#include "support/expect.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX = 2 << 20, WINDOW = 1 << 20 };

static plugin_wire_t *a, *b;
static int raw; /* b's other end, for tests that write by hand; else -1 */

static void setup(void)
{
    int pair[2];

    cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
    a = plugin_wire_create(pair[0], MAX, 0);
    b = plugin_wire_create(pair[1], MAX, WINDOW);
    raw = pair[0];
}

static void teardown(void)
{
    plugin_wire_destroy(a);
    plugin_wire_destroy(b);
}

TestSuite(wire, .init = setup, .fini = teardown);

/* What came. */
typedef struct seen {
    unsigned count;
    uint16_t type;
    uint64_t id;
    char *text; /* of the message's only field */
    size_t len;
    int code; /* to return */
} seen_t;

static int on_text(void *arg, plugin_incoming_t *in, lh_error_t *err)
{
    seen_t *s = arg;
    size_t len;
    const char *text = plugin_incoming_text(in, &len);

    (void) err;
    s->count++;
    s->type = in->type;
    s->id = in->id;
    free(s->text);
    s->text = text != NULL ? strndup(text, len) : NULL;
    s->len = len;
    cr_expect(plugin_incoming_done(in), "a message of %zu bytes has more than its text", len);
    return s->code;
}

/* Sends everything from a to b, turn by turn as poll would have it. */
static int pump(seen_t *s, lh_error_t *err)
{
    int ret = 0;

    for (unsigned turns = 0; ret == 0 && turns < 10000; turns++) {
        ret = plugin_wire_flush(a);
        if (ret == 0)
            ret = plugin_wire_receive(b, on_text, s, err);
        if (plugin_wire_waiting(a) == 0)
            break;
    }
    return ret == 0 ? plugin_wire_receive(b, on_text, s, err) : ret;
}

static void send_text(const char *text, size_t len, uint64_t id)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_LOG, id);

    plugin_message_text(m, text, len);
    plugin_wire_send(a, m);
}

Test(wire, fields_come_out_as_they_went_in)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_LOG, 7);
    const lh_error_t failure = {.code = LH_ECONFLICT, .status = 409, .text = "try again"};

    plugin_message_u32(m, 42);
    plugin_message_u64(m, UINT64_MAX);
    plugin_message_f64(m, -2.5);
    plugin_message_string(m, "hello");
    plugin_message_string(m, "");
    plugin_message_string(m, NULL);
    plugin_message_text(m, "a\0b", 3);
    plugin_message_error(m, 0, NULL);
    plugin_message_error(m, LH_ECONFLICT, &failure);
    plugin_message_attach(m, "first", 5, NULL, NULL);
    plugin_message_attach(m, NULL, 0, NULL, NULL);
    EXPECT_INT(plugin_message_size(m), 4 + 8 + 8 + 10 + 5 + 4 + 8 + 4 + 4 + 4 + 14 + 10 + 4);
    plugin_wire_send(a, m);
    EXPECT_INT(plugin_wire_flush(a), 0);
    EXPECT_INT(plugin_wire_waiting(a), 0);

    char frame[512];
    const ssize_t n = recv(plugin_wire_fd(b), frame, sizeof(frame), 0);
    plugin_incoming_t in = {.at = frame + 16, .end = frame + n};
    lh_error_t err = {0};
    size_t len;

    EXPECT_INT(plugin_incoming_u32(&in), 42);
    cr_expect(plugin_incoming_u64(&in) == UINT64_MAX, "u64");
    cr_expect(plugin_incoming_f64(&in) == -2.5, "f64");
    EXPECT_STR(plugin_incoming_string(&in), "hello");
    EXPECT_STR(plugin_incoming_string(&in), "");
    cr_expect(plugin_incoming_string(&in) == NULL && !in.bad, "NULL did not stay NULL");
    cr_expect(memcmp(plugin_incoming_text(&in, &len), "a\0b", 4) == 0 && len == 3, "text");
    EXPECT_INT(plugin_incoming_error(&in, &err), 0);
    EXPECT_INT(plugin_incoming_error(&in, &err), LH_ECONFLICT);
    EXPECT_INT(err.status, 409);
    EXPECT_STR(err.text, "try again");
    EXPECT_STR(plugin_incoming_text(&in, &len), "first");
    cr_expect(plugin_incoming_text(&in, &len) == NULL && !in.bad, "no attachment");
    cr_expect(plugin_incoming_done(&in), "something is left");
}

Test(wire, every_cut_of_a_body_is_found)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_LOG, 7);

    plugin_message_u64(m, 1);
    plugin_message_string(m, "hello");
    plugin_wire_send(a, m);
    EXPECT_INT(plugin_wire_flush(a), 0);
    char frame[64];
    const ssize_t n = recv(plugin_wire_fd(b), frame, sizeof(frame), 0) - 16;

    for (ssize_t len = 0; len < n; len++) {
        char *cut = malloc((size_t) len + 1); /* at the end of its memory, for ASan */
        memcpy(cut, frame + 16, (size_t) len);
        plugin_incoming_t in = {.at = cut, .end = cut + len};

        plugin_incoming_u64(&in);
        cr_expect(plugin_incoming_string(&in) == NULL || len >= n, "a text from %zd bytes", len);
        cr_expect(!plugin_incoming_done(&in), "%zd of %zd bytes were enough", len, n);
        free(cut);
    }
}

Test(wire, a_string_with_a_nul_inside_or_without_one_behind_is_bad)
{
    const char inside[] = {3, 0, 0, 0, 'a', 0, 'b', 0};
    const char without[] = {3, 0, 0, 0, 'a', 'b', 'c', 'd'};
    plugin_incoming_t in = {.at = inside, .end = inside + sizeof(inside)};

    cr_expect(plugin_incoming_string(&in) == NULL && in.bad, "a NUL inside");
    in = (plugin_incoming_t){.at = without, .end = without + sizeof(without)};
    cr_expect(plugin_incoming_string(&in) == NULL && in.bad, "no NUL behind");
}

Test(wire, a_long_text_travels_in_frames_and_comes_whole)
{
    const size_t len = 3 * PLUGIN_WIRE_FRAME + 12345;
    char *text = malloc(len);
    seen_t s = {0};
    lh_error_t err = {0};

    for (size_t i = 0; i < len; i++)
        text[i] = (char) ('a' + i % 23);
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_REPLY, 99);

    plugin_message_attach(m, text, len, NULL, NULL);
    plugin_wire_send(a, m);
    EXPECT_INT(pump(&s, &err), 0);
    EXPECT_INT(s.count, 1);
    EXPECT_INT(s.type, PLUGIN_WIRE_REPLY);
    EXPECT_INT(s.id, 99);
    EXPECT_INT(s.len, len);
    cr_expect(s.text != NULL && memcmp(s.text, text, len) == 0, "the text changed on its way");
    free(s.text);
    free(text);
}

Test(wire, messages_of_every_length_around_a_frame_come_whole)
{
    static const size_t deltas[] = {0, 1, 4, 5, 6, 16, 21};
    char *text = calloc(1, 2 * PLUGIN_WIRE_FRAME + 32);
    seen_t s = {0};
    lh_error_t err = {0};
    unsigned sent = 0;

    memset(text, 'x', 2 * PLUGIN_WIRE_FRAME + 32);
    for (size_t frames = 0; frames < 3; frames++) {
        for (size_t i = 0; i < HOST_LEN(deltas); i++) {
            for (int sign = -1; sign <= 1; sign += 2) {
                const long len = (long) (frames * PLUGIN_WIRE_FRAME) + sign * (long) deltas[i];

                if (len < 0)
                    continue;
                send_text(text, (size_t) len, ++sent);
                EXPECT_INT(pump(&s, &err), 0);
                EXPECT_INT(s.count, sent);
                EXPECT_INT(s.len, len);
            }
        }
    }
    free(s.text);
    free(text);
}

Test(wire, many_small_messages_keep_their_order)
{
    seen_t s = {0};
    lh_error_t err = {0};

    for (uint64_t i = 1; i <= 50000; i++)
        send_text("x", 1, i);
    EXPECT_INT(pump(&s, &err), 0);
    EXPECT_INT(s.count, 50000);
    EXPECT_INT(s.id, 50000);
    free(s.text);
}

static void count_release(void *owner)
{
    ++*(unsigned *) owner;
}

Test(wire, attached_texts_are_released_when_sent_and_when_dropped)
{
    unsigned released = 0;
    seen_t s = {0};
    lh_error_t err = {0};
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_LOG, 1);

    plugin_message_attach(m, "sent", 4, count_release, &released);
    plugin_wire_send(a, m);
    EXPECT_INT(released, 0);
    EXPECT_INT(pump(&s, &err), 0);
    EXPECT_INT(released, 1);
    m = plugin_message_new(PLUGIN_WIRE_LOG, 2);
    plugin_message_attach(m, "dropped", 7, count_release, &released);
    plugin_wire_send(a, m);
    plugin_wire_close(a);
    EXPECT_INT(released, 2);
    m = plugin_message_new(PLUGIN_WIRE_LOG, 3);
    plugin_message_attach(m, "too late", 8, count_release, &released);
    plugin_wire_send(a, m);
    EXPECT_INT(released, 3);
    EXPECT_INT(plugin_wire_flush(a), LH_EIO);
    free(s.text);
}

/* Answers each message with as much as a window holds. */
static int on_greedy(void *arg, plugin_incoming_t *in, lh_error_t *err)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_REPLY, in->id);
    static const char text[WINDOW];

    (void) err;
    ++*(unsigned *) arg;
    plugin_message_attach(m, text, sizeof(text), NULL, NULL);
    plugin_wire_send(b, m);
    return 0;
}

Test(wire, no_message_is_taken_while_the_window_is_full_and_none_is_forgotten)
{
    unsigned asked = 0;
    seen_t answered = {0};
    lh_error_t err = {0};

    for (uint64_t i = 1; i <= 20; i++)
        send_text("more", 4, i);
    EXPECT_INT(plugin_wire_flush(a), 0);
    EXPECT_INT(plugin_wire_receive(b, on_greedy, &asked, &err), 0);
    EXPECT_INT(plugin_wire_events(b), POLLOUT);
    EXPECT_INT(plugin_wire_receive(b, on_greedy, &asked, &err), 0);
    cr_expect(asked <= 3, "%u messages were taken for nothing that was read", asked);
    for (unsigned turns = 0; turns < 10000 && answered.count < 20; turns++) {
        EXPECT_INT(plugin_wire_receive(a, on_text, &answered, &err), 0);
        struct pollfd fd = {plugin_wire_fd(b), plugin_wire_events(b), 0};

        if (poll(&fd, 1, 0) > 0) {
            EXPECT_INT(plugin_wire_flush(b), 0);
            EXPECT_INT(plugin_wire_receive(b, on_greedy, &asked, &err), 0);
        }
    }
    EXPECT_INT(asked, 20);
    EXPECT_INT(answered.count, 20);
    free(answered.text);
}

Test(wire, the_end_of_the_other_side_is_an_error_on_both_ways)
{
    seen_t s = {0};
    lh_error_t err = {0};

    plugin_wire_destroy(b);
    b = NULL;
    send_text("x", 1, 1);
    EXPECT_INT(plugin_wire_flush(a), LH_EIO);
    EXPECT_INT(plugin_wire_receive(a, on_text, &s, &err), LH_EIO);
    EXPECT_HAS(err.text, "closed the connection");
}

Test(wire, what_the_handler_says_ends_it)
{
    seen_t s = {.code = LH_EPARSE};
    lh_error_t err = {0};

    send_text("x", 1, 1);
    send_text("y", 1, 2);
    EXPECT_INT(pump(&s, &err), LH_EPARSE);
    EXPECT_INT(s.count, 1);
    free(s.text);
}

/* -- By hand -- */

typedef struct raw_header {
    uint32_t len;
    uint16_t type, flags;
    uint64_t id;
} raw_header_t;

static void write_raw(const void *p, size_t len)
{
    cr_assert(send(raw, p, len, 0) == (ssize_t) len, "send");
}

static void expect_broken(const char *why)
{
    seen_t s = {0};
    lh_error_t err = {0};

    EXPECT_INT(plugin_wire_receive(b, on_text, &s, &err), LH_EPARSE);
    EXPECT_HAS(err.text, why);
    EXPECT_INT(s.count, 0);
    free(s.text);
}

Test(wire, a_frame_that_is_too_long_is_refused_by_its_header_alone)
{
    const raw_header_t h = {PLUGIN_WIRE_FRAME + 1, 1, 0, 0};

    write_raw(&h, sizeof(h));
    expect_broken("a frame of 262145 bytes");
}

Test(wire, unknown_flags_and_short_parts_are_refused)
{
    const raw_header_t h = {0, 1, 2, 0}, part = {1, 1, 1, 0};

    write_raw(&h, sizeof(h));
    expect_broken("a frame with flags 0x2");
    teardown();
    setup();
    write_raw(&part, sizeof(part));
    expect_broken("a frame with flags 0x1 and 1 bytes");
}

/* Writes a full part and lets b read it. */
static void write_part(uint16_t type, uint64_t id, int expected, lh_error_t *err)
{
    const raw_header_t h = {PLUGIN_WIRE_FRAME, type, 1, id};
    char *part = calloc(1, PLUGIN_WIRE_FRAME);
    seen_t s = {0};
    int ret = 0;

    write_raw(&h, sizeof(h));
    for (size_t at = 0; ret == 0 && at < PLUGIN_WIRE_FRAME;) {
        const ssize_t n = send(raw, part + at, PLUGIN_WIRE_FRAME - at, MSG_DONTWAIT);

        at += n > 0 ? (size_t) n : 0;
        ret = plugin_wire_receive(b, on_text, &s, err);
    }
    EXPECT_INT(ret, expected);
    free(part);
}

Test(wire, a_message_beyond_its_limit_is_refused_before_it_is_kept)
{
    lh_error_t err = {0};

    for (unsigned i = 0; i < MAX / PLUGIN_WIRE_FRAME; i++)
        write_part(1, 1, 0, &err);
    write_part(1, 1, LH_EPARSE, &err);
    EXPECT_HAS(err.text, "with more than 2097152 bytes");
}

Test(wire, parts_of_two_messages_do_not_mix)
{
    lh_error_t err = {0};

    write_part(1, 1, 0, &err);
    write_part(1, 2, LH_EPARSE, &err);
    EXPECT_HAS(err.text, "inside one of type 1");
}
