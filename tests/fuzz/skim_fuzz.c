/* SPDX-License-Identifier: Apache-2.0 */
/* skim on any bytes: stays within them, and gives the same at every split and by every processor's way. */
#include "json/skim_ops.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX 4096 /* small, so that the limit is met too */

static void require(bool fine)
{
    if (!fine)
        abort();
}

static void walk(skim_span_t span)
{
    skim_span_t key, value;
    const char *at = NULL;

    while (skim_pair_next(span, &at, &key, &value)) {
        free(skim_dup(key));
        free(skim_dup(value));
    }
    at = NULL;
    while (skim_element_next(span, &at, &value)) {
        free(skim_dup(value));
    }
}

static bool same_span(skim_span_t a, skim_span_t b)
{
    return a.p == b.p && a.len == b.len && a.escaped == b.escaped;
}

/* An event that is JSON throughout has what the loose reader and skim_meta find one after the other. */
static void look_at_event(const char *text, size_t len)
{
    skim_event_t event, loose;
    skim_meta_t meta;

    if (skim_event(text, len, &event, NULL) < 0)
        return;
    require(event.object.p >= text && event.object.p + event.object.len <= text + len);
    if (!event.judged)
        return;
    require(skim_event_loosely(text, len, &loose, NULL) == 0);
    require(same_span(event.type, loose.type) && same_span(event.object, loose.object));
    require(skim_meta(event.object.p, event.object.len, &meta, NULL) == 0);
    require(same_span(event.meta.name, meta.name) && same_span(event.meta.uid, meta.uid) &&
            same_span(event.meta.labels, meta.labels) &&
            same_span(event.meta.managed_fields, meta.managed_fields) &&
            event.meta.generation == meta.generation);
}

/* Every processor's way, beside plain C. */
static void look_at_ops(const char *text, size_t len)
{
    for (size_t i = 0; skim_ops_at(i) != NULL; i++) {
        const skim_ops_t *ops = skim_ops_at(i);
        bool want_escaped = false, got_escaped = false;
        skim_scan_t want = {.started = true, .depth = 1}, got = want;

        require(ops->string(text, text + len, &got_escaped) ==
                skim_string_plain(text, text + len, &want_escaped));
        require(got_escaped == want_escaped);
        require(ops->nested(&got, text, text + len) == skim_nested_plain(&want, text, text + len));
    }
}

/* What skim_meta accepts it accepts without managedFields too. */
static void look_at(const char *text, size_t len)
{
    skim_meta_t meta;

    walk((skim_span_t){.p = text, .len = len});
    look_at_ops(text, len);
    look_at_event(text, len);
    if (skim_meta(text, len, &meta, NULL) < 0)
        return;
    const skim_span_t cut = skim_managed(text, len, &meta);
    const char *from = cut.p != NULL ? cut.p : text + len;
    buf_t out = BUF_INIT;

    walk(meta.labels);
    walk(meta.owner_references);
    require(buf_append(&out, text, (size_t) (from - text)) == 0);
    require(buf_append(&out, from + cut.len, (size_t) (text + len - from) - cut.len) == 0);
    require(skim_meta(out.data, out.len, &meta, NULL) == 0);
    buf_fini(&out);
}

static int on_object(void *arg, const char *text, size_t len, lh_error_t *err)
{
    buf_t *seen = arg;

    (void) err;
    look_at(text, len);
    require(buf_append(seen, text, len) == 0 && buf_puts(seen, "\n") == 0);
    return 0;
}

static const skim_handler_t handler = {.on_object = on_object};

static int run(enum skim_mode mode, const char *data, size_t size, size_t piece, buf_t *seen)
{
    skim_stream_t *s = NULL;
    skim_span_t rest = {0};
    int rc = 0;

    require(skim_stream_create(mode, MAX, &handler, seen, &s, NULL) == 0);
    for (size_t at = 0; at < size && rc == 0; at += piece) {
        const size_t n = HOST_MIN(piece, size - at);
        char *copy = malloc(n);

        require(copy != NULL);
        memcpy(copy, data + at, n);
        rc = skim_stream_feed(s, copy, n, NULL);
        free(copy);
    }
    if (rc == 0)
        rc = skim_stream_finish(s, &rest, NULL);
    if (rest.p != NULL)
        require(buf_append(seen, rest.p, rest.len) == 0);
    skim_stream_destroy(s);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const size_t piece = 1 + data[0];
    const char *text = (const char *) data + 1;

    size--;
    look_at(text, size);
    for (enum skim_mode mode = SKIM_FRAMES; mode <= SKIM_LIST; mode++) {
        buf_t whole = BUF_INIT, pieces = BUF_INIT;
        const int rc = run(mode, text, size, size, &whole);

        require(run(mode, text, size, piece, &pieces) == rc);
        require(strcmp(buf_text(&whole), buf_text(&pieces)) == 0);
        buf_fini(&whole);
        buf_fini(&pieces);
    }
    return 0;
}
