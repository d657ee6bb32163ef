/* SPDX-License-Identifier: Apache-2.0 */
#include "documents.h"
#include "json/skim.h"

#include <criterion/criterion.h>
#include <string.h>

#define MAX 65536

/* What a handler has seen. */
struct seen {
    buf_t text; /* objects, each followed by a newline */
    const char *chunk;
    size_t chunk_len;
    int objects, in_place, fail_at;
};

static int on_object(void *arg, const char *text, size_t len, lh_error_t *err)
{
    struct seen *seen = arg;

    if (++seen->objects == seen->fail_at) {
        if (err != NULL)
            err->code = LH_ECANCELED;
        return LH_ECANCELED;
    }
    if (text >= seen->chunk && text + len <= seen->chunk + seen->chunk_len)
        seen->in_place++;
    cr_assert_eq(buf_append(&seen->text, text, len), 0);
    cr_assert_eq(buf_puts(&seen->text, "\n"), 0);
    return 0;
}

static const skim_handler_t handler = {.on_object = on_object};

static skim_stream_t *open_stream(enum skim_mode mode, size_t max, struct seen *seen)
{
    skim_stream_t *s = NULL;

    cr_assert_eq(skim_stream_create(mode, max, &handler, seen, &s, NULL), 0);
    return s;
}

/* Feeds a copy in a block of its own, so that a read beyond the end is seen. */
static int feed(skim_stream_t *s, struct seen *seen, const char *data, size_t len, lh_error_t *err)
{
    char *copy = malloc(len + 1);

    memcpy(copy, data, len);
    seen->chunk = copy;
    seen->chunk_len = len;
    const int rc = skim_stream_feed(s, copy, len, err);

    free(copy);
    return rc;
}

/* The whole text in pieces of at most `piece` bytes after a first one of `first`; returns the first
 * failure or what finish gives; *rest is a copy. */
static int run(enum skim_mode mode, size_t max, const char *text, size_t first, size_t piece,
               struct seen *seen, char **rest, lh_error_t *err)
{
    skim_stream_t *s = open_stream(mode, max, seen);
    const size_t len = strlen(text);
    skim_span_t span = {0};
    int rc = feed(s, seen, text, HOST_MIN(first, len), err);

    for (size_t at = HOST_MIN(first, len); at < len && rc == 0; at += piece) {
        rc = feed(s, seen, text + at, HOST_MIN(piece, len - at), err);
    }
    if (rc == 0)
        rc = skim_stream_finish(s, &span, err);
    if (rest != NULL)
        *rest = span.p != NULL ? strndup(span.p, span.len) : NULL;
    skim_stream_destroy(s);
    return rc;
}

Test(skim_stream, list_is_the_same_at_every_split)
{
    const size_t len = strlen(DOC_LIST);

    for (size_t cut = 0; cut <= len; cut++) {
        struct seen seen = {0};
        char *rest = NULL;
        lh_error_t err = {0};
        const int rc = run(SKIM_LIST, MAX, DOC_LIST, cut, len, &seen, &rest, &err);

        cr_assert_eq(rc, 0, "cut at %zu: %s", cut, err.text);
        cr_expect_str_eq(buf_text(&seen.text), DOC_CONFIG_MAP "\n" DOC_SECOND "\n", "cut %zu", cut);
        cr_expect_str_eq(rest, DOC_LIST_REST, "cut at %zu", cut);
        cr_expect(seen.in_place >= 1, "cut at %zu: at most one object is cut, %d were in place",
                  cut, seen.in_place);
        free(rest);
        buf_fini(&seen.text);
    }
}

Test(skim_stream, list_is_the_same_in_pieces_of_every_size)
{
    for (size_t piece = 1; piece <= 100; piece++) {
        struct seen seen = {0};
        char *rest = NULL;

        cr_assert_eq(run(SKIM_LIST, MAX, DOC_LIST, 0, piece, &seen, &rest, NULL), 0);
        cr_expect_str_eq(buf_text(&seen.text), DOC_CONFIG_MAP "\n" DOC_SECOND "\n");
        cr_expect_str_eq(rest, DOC_LIST_REST, "pieces of %zu", piece);
        free(rest);
        buf_fini(&seen.text);
    }
}

Test(skim_stream, watch_is_the_same_at_every_split_and_in_pieces_of_every_size)
{
    const size_t len = strlen(DOC_WATCH);

    for (size_t cut = 0; cut <= len; cut++) {
        struct seen seen = {0};
        const int rc = run(SKIM_FRAMES, MAX, DOC_WATCH, cut, cut % 100 + 1, &seen, NULL, NULL);

        cr_assert_eq(rc, 0, "cut at %zu gives %d", cut, rc);
        cr_expect_str_eq(buf_text(&seen.text), DOC_WATCH, "cut at %zu", cut);
        buf_fini(&seen.text);
    }
}

Test(skim_stream, whole_objects_are_handed_on_in_place)
{
    struct seen seen = {0};

    cr_assert_eq(run(SKIM_FRAMES, MAX, DOC_WATCH, strlen(DOC_WATCH), 1, &seen, NULL, NULL), 0);
    cr_expect_eq(seen.objects, 3, "got %d", seen.objects);
    cr_expect_eq(seen.in_place, 3, "got %d", seen.in_place);
    buf_fini(&seen.text);
}

Test(skim_stream, an_object_is_handed_on_with_its_last_byte)
{
    struct seen seen = {0};
    skim_stream_t *s = open_stream(SKIM_FRAMES, MAX, &seen);

    cr_assert_eq(feed(s, &seen, DOC_FRAME_ADDED, strlen(DOC_FRAME_ADDED), NULL), 0);
    cr_expect_eq(seen.objects, 1, "no newline is needed, got %d", seen.objects);
    skim_stream_destroy(s);
    buf_fini(&seen.text);
}

struct list_row {
    const char *text, *objects, *rest;
};

static const struct list_row lists[] = {
    {"{\"items\":[]}", "", "{\"items\":[]}"},
    {"{\"items\":null,\"kind\":\"L\"}", "", "{\"items\":null,\"kind\":\"L\"}"},
    {"{}", "", "{}"},
    {"{\"kind\":\"Status\",\"code\":500,\"ok\":false}", "",
     "{\"kind\":\"Status\",\"code\":500,\"ok\":false}"},
    {"{\"items\":[{\"a\":1}],\"metadata\":{\"resourceVersion\":\"5\"}}", "{\"a\":1}\n",
     "{\"items\":[],\"metadata\":{\"resourceVersion\":\"5\"}}"},
    {"\t{ \"x\" : {\"items\":[{\"no\":1}]} ,\r\n\"it\\u0065ms\" : [ {\"a\": [ ] } , {} ] , \"y\" : "
     "1 }\n",
     "{\"a\": [ ] }\n{}\n", "{\"x\":{\"items\":[{\"no\":1}]},\"it\\u0065ms\":[],\"y\":1}"},
    {"{\"a\":[{\"items\":[{}]}],\"items\":[{\"items\":[{\"b\":\"]}\"}]}],\"c\":-1.5e3}",
     "{\"items\":[{\"b\":\"]}\"}]}\n", "{\"a\":[{\"items\":[{}]}],\"items\":[],\"c\":-1.5e3}"},
    {"{\"a\":\"items\",\"b\":[\"items\",[]],\"items\":[{}]}", "{}\n",
     "{\"a\":\"items\",\"b\":[\"items\",[]],\"items\":[]}"},
};

Test(skim_stream, lists_of_every_shape_at_every_piece_size)
{
    for (size_t i = 0; i < HOST_LEN(lists); i++) {
        for (size_t piece = 1; piece <= strlen(lists[i].text); piece++) {
            struct seen seen = {0};
            char *rest = NULL;
            lh_error_t err = {0};
            const int rc = run(SKIM_LIST, MAX, lists[i].text, 0, piece, &seen, &rest, &err);

            cr_assert_eq(rc, 0, "%s in pieces of %zu: %s", lists[i].text, piece, err.text);
            cr_expect_str_eq(buf_text(&seen.text), lists[i].objects);
            cr_expect_str_eq(rest, lists[i].rest);
            free(rest);
            buf_fini(&seen.text);
        }
    }
}

struct bad_row {
    enum skim_mode mode;
    const char *text, *want;
};

static const struct bad_row bad[] = {
    {SKIM_FRAMES, "{\"a\":1", "byte 6: the text ends early"},
    {SKIM_FRAMES, "{} x", "byte 3: an object is missing"},
    {SKIM_FRAMES, "[]", "byte 0: an object is missing"},
    {SKIM_FRAMES, "{}}", "byte 2: an object is missing"},
    {SKIM_FRAMES, "{\"type\":\"ADDED\",\"object\":{\"a\":\n{\"type\":\"ADDED\",\"object\":{}}\n",
     "byte 39: the next event begins before this one has ended"},
    {SKIM_FRAMES, "{\"type\":\"ADDED\",\"object\":{\"a\":\"b\n{\"type\":\"ADDED\",\"object\":{}}\n",
     "byte 41: the next event begins before this one has ended"},
    {SKIM_FRAMES, "{\"type\":\"A\",\n\n{\"t\n{\"type\":",
     "byte 26: the next event begins before this one has ended"},
    {SKIM_LIST, "", "byte 0: the text ends early"},
    {SKIM_LIST, "[]", "byte 0: an object is missing"},
    {SKIM_LIST, "{\"items\":[{}", "byte 12: the text ends early"},
    {SKIM_LIST, "{\"items\":[{}]", "byte 13: the text ends early"},
    {SKIM_LIST, "{\"items\":{}}", "byte 9: \"items\" is not an array"},
    {SKIM_LIST, "{\"items\":[null]}", "byte 10: an object is missing"},
    {SKIM_LIST, "{\"items\":[{},]}", "byte 13: an object is missing"},
    {SKIM_LIST, "{\"items\":[{}}", "byte 12: ',' or ']' is missing"},
    {SKIM_LIST, "{\"items\":[,]}", "byte 10: an object is missing"},
    {SKIM_LIST, "{\"a\" 1}", "byte 5: ':' is missing"},
    {SKIM_LIST, "{a:1}", "byte 1: a key is missing"},
    {SKIM_LIST, "{\"a\":1 2}", "byte 7: ',' or '}' is missing"},
    {SKIM_LIST, "{\"a\":1,}", "byte 7: a key is missing"},
    {SKIM_LIST, "{\"items\":[]} {}", "byte 13: something follows the list"},
    {SKIM_LIST, "{\"a\":}", "the list without its items: byte 5: a value is missing"},
    {SKIM_LIST, "{\"items\":nope}", "the list without its items: byte 9: a value is missing"},
    {SKIM_LIST, "{\"a\":[}],\"items\":[]}", "byte 7: ',' or '}' is missing"},
    {SKIM_LIST, "{\"a\":\"\xff\"}",
     "the list without its items: byte 6: bad character in a string"},
};

Test(skim_stream, refusals_are_the_same_at_every_piece_size)
{
    for (size_t i = 0; i < HOST_LEN(bad); i++) {
        for (size_t piece = 1; piece <= strlen(bad[i].text) + 1; piece++) {
            struct seen seen = {0};
            lh_error_t err = {0};
            const int rc = run(bad[i].mode, MAX, bad[i].text, 0, piece, &seen, NULL, &err);

            cr_expect_eq(rc, LH_EPARSE, "%s in pieces of %zu gives %d", bad[i].text, piece, rc);
            cr_expect_str_eq(err.text, bad[i].want, "%s in pieces of %zu", bad[i].text, piece);
            buf_fini(&seen.text);
        }
    }
}

Test(skim_stream, a_second_items_is_refused)
{
    struct seen seen = {0};
    lh_error_t err = {0};

    cr_expect_eq(run(SKIM_LIST, MAX, "{\"items\":[{}],\"items\":[{}]}", 0, 3, &seen, NULL, &err),
                 LH_EPARSE);
    cr_expect_str_eq(err.text, "byte 21: a second \"items\" in the list");
    cr_expect_eq(seen.objects, 1);
    buf_fini(&seen.text);
}

Test(skim_stream, a_malformed_object_is_handed_on_and_the_stream_lives)
{
    static const char text[] = "{\"a\":tru}\n{\"b\":\"\xff\"}\n{\"c\":01,}\n{\"d\":1}\n";
    struct seen seen = {0};

    cr_assert_eq(run(SKIM_FRAMES, MAX, text, 0, 4, &seen, NULL, NULL), 0);
    cr_expect_str_eq(buf_text(&seen.text), text);
    buf_fini(&seen.text);
}

/* As no API server writes them, but JSON they are. */
Test(skim_stream, events_of_several_lines_are_handed_on)
{
    static const char text[] = "{\n  \"type\": 1,\n \"b\":\n {\"type\": 2}, \"c\":[\n{\"t\":1}]}\n"
                               "{\"type\":\"x\"}\n{\"type\":\"y\"}\n";

    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        struct seen seen = {0};

        cr_expect_eq(run(SKIM_FRAMES, MAX, text, 0, piece, &seen, NULL, NULL), 0, "pieces of %zu",
                     piece);
        cr_expect_eq(seen.objects, 3, "%d objects in pieces of %zu", (int) seen.objects, piece);
        buf_fini(&seen.text);
    }
}

Test(skim_stream, the_limit_of_an_object_is_exact_at_every_piece_size)
{
    static const char text[] = " {\"a\":\"0123456789\"} "; /* 18 bytes */

    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        struct seen seen = {0};
        lh_error_t err = {0};

        cr_expect_eq(run(SKIM_FRAMES, 18, text, 0, piece, &seen, NULL, NULL), 0, "of %zu", piece);
        cr_expect_eq(run(SKIM_FRAMES, 17, text, 0, piece, &seen, NULL, &err), LH_ETOOBIG);
        cr_expect_str_eq(err.text, "an object is larger than 17 bytes");
        cr_expect_eq(seen.objects, 1);
        buf_fini(&seen.text);
    }
}

Test(skim_stream, the_rest_of_a_list_is_limited_too)
{
    struct seen seen = {0};
    lh_error_t err = {0};

    cr_expect_eq(run(SKIM_LIST, 20, "{\"items\":[{\"a\":1},{\"a\":2}],\"kind\":\"much too long\"}",
                     0, 5, &seen, NULL, &err),
                 LH_ETOOBIG);
    cr_expect_str_eq(err.text, "a list without its items is larger than 20 bytes");
    buf_fini(&seen.text);
}

Test(skim_stream, a_handlers_code_ends_the_stream)
{
    struct seen seen = {.fail_at = 2};
    lh_error_t err = {0};
    skim_stream_t *s = open_stream(SKIM_FRAMES, MAX, &seen);

    cr_expect_eq(feed(s, &seen, "{}{}{}", 6, &err), LH_ECANCELED);
    cr_expect_eq(seen.objects, 2);
    cr_expect_eq(feed(s, &seen, "{}", 2, &err), LH_ESTATE);
    cr_expect_str_eq(err.text, "the stream has ended");
    cr_expect_eq(skim_stream_finish(s, NULL, &err), LH_ESTATE);
    skim_stream_destroy(s);
    buf_fini(&seen.text);
}

Test(skim_stream, ten_megabytes_in_one_object)
{
    const size_t size = 10u << 20;
    struct seen seen = {0};
    skim_stream_t *s = open_stream(SKIM_FRAMES, size + 100, &seen);
    char *piece = malloc(16384);
    size_t fed = 0;

    memset(piece, 'x', 16384);
    cr_assert_eq(feed(s, &seen, "{\"data\":\"", 9, NULL), 0);
    for (; fed < size; fed += 16384) {
        cr_assert_eq(feed(s, &seen, piece, 16384, NULL), 0);
    }
    cr_expect_eq(seen.objects, 0);
    cr_assert_eq(feed(s, &seen, "\"}\n{}", 5, NULL), 0);
    cr_assert_eq(skim_stream_finish(s, NULL, NULL), 0);
    cr_expect_eq(seen.objects, 2);
    cr_expect_eq(seen.text.len, size + 11 + 1 + 3, "got %zu", seen.text.len);
    free(piece);
    skim_stream_destroy(s);
    buf_fini(&seen.text);
}

Test(skim_stream, destroy_takes_null)
{
    skim_stream_destroy(NULL);
}
