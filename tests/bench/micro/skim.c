/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a watch and a list as the host does, in the pieces in which HTTP/2 brings them, beside
 * cJSON's parse of the same text. An operation is one object. */
#include "json/skim.h"
#include "bench/micro/micro.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { PIECE = 16384, MAX = 16 << 20 };

typedef struct text {
    buf_t text;
    size_t objects; /* seen, to be sure that the work was done */
} text_t;

static void *create(void (*make)(buf_t *out))
{
    text_t *t = host_xcalloc(1, sizeof(*t));

    make(&t->text);
    return t;
}

static void *create_frames(void)
{
    return create(micro_frames);
}

static void *create_list(void)
{
    return create(micro_list);
}

static void destroy(void *state)
{
    buf_fini(&((text_t *) state)->text);
    free(state);
}

static size_t bytes(const void *state)
{
    return ((const text_t *) state)->text.len / MICRO_OBJECTS;
}

static int on_frame(void *arg, const char *text, size_t len, lh_error_t *err)
{
    text_t *t = arg;
    skim_event_t event;

    MICRO_REQUIRE(skim_event(text, len, &event, err) == 0 && event.judged);
    t->objects += skim_equal(event.type, "MODIFIED") && event.meta.name.p != NULL;
    return 0;
}

static int on_item(void *arg, const char *text, size_t len, lh_error_t *err)
{
    text_t *t = arg;
    skim_meta_t meta;

    MICRO_REQUIRE(skim_meta(text, len, &meta, err) == 0);
    t->objects += meta.name.p != NULL;
    return 0;
}

static void feed_all(text_t *t, enum skim_mode mode, const skim_handler_t *handler)
{
    skim_stream_t *s = NULL;

    MICRO_REQUIRE(skim_stream_create(mode, MAX, handler, t, &s, NULL) == 0);
    for (size_t at = 0; at < t->text.len; at += PIECE)
        MICRO_REQUIRE(skim_stream_feed(s, t->text.data + at,
                                       HOST_MIN((size_t) PIECE, t->text.len - at), NULL) == 0);
    MICRO_REQUIRE(skim_stream_finish(s, NULL, NULL) == 0);
    skim_stream_destroy(s);
}

static void run_skim(text_t *t, size_t n, enum skim_mode mode, const skim_handler_t *handler)
{
    t->objects = 0;
    for (size_t done = 0; done < n; done += MICRO_OBJECTS)
        feed_all(t, mode, handler);
    MICRO_REQUIRE(t->objects == n);
}

static void run_skim_frames(void *state, size_t n)
{
    static const skim_handler_t handler = {.on_object = on_frame};

    run_skim(state, n, SKIM_FRAMES, &handler);
}

static void run_skim_list(void *state, size_t n)
{
    static const skim_handler_t handler = {.on_object = on_item};

    run_skim(state, n, SKIM_LIST, &handler);
}

static void run_cjson_frames(void *state, size_t n)
{
    const text_t *t = state;

    for (size_t done = 0; done < n; done += MICRO_OBJECTS) {
        const char *end = t->text.data + t->text.len;

        for (const char *at = t->text.data; at < end;) {
            const char *line = memchr(at, '\n', (size_t) (end - at));
            cJSON *json = cJSON_ParseWithLength(at, (size_t) (line - at));

            MICRO_REQUIRE(json != NULL);
            cJSON_Delete(json);
            at = line + 1;
        }
    }
}

static void run_cjson_list(void *state, size_t n)
{
    const text_t *t = state;

    for (size_t done = 0; done < n; done += MICRO_OBJECTS) {
        cJSON *json = cJSON_ParseWithLength(t->text.data, t->text.len);

        MICRO_REQUIRE(json != NULL);
        cJSON_Delete(json);
    }
}

#define CASE(name, what, create, run)                                                              \
    {                                                                                              \
        name, what, create, run, destroy, bytes                                                    \
    }
const micro_case_t micro_skim_frames =
    CASE("skim-frames", "an event of a watch: cut, read", create_frames, run_skim_frames);
const micro_case_t micro_skim_list =
    CASE("skim-list", "an object of a list: cut, read", create_list, run_skim_list);
const micro_case_t micro_cjson_frames =
    CASE("cjson-frames", "the same event as a tree of cJSON", create_frames, run_cjson_frames);
const micro_case_t micro_cjson_list =
    CASE("cjson-list", "the same object as a tree of cJSON", create_list, run_cjson_list);
