/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a byte stream into objects. Every byte is looked at once, whatever the chunks are. */
#include "base/error.h"
#include "json/skim_text.h"

#include <string.h>

#define KEEP_CAP (64u << 10) /* a buffer that has grown beyond this is freed after use */

enum state {
    BETWEEN,     /* frames: white space, then an object */
    OBJECT,      /* inside a frame or an element */
    LIST_OPEN,   /* list: its first byte comes */
    KEY_OR_END,  /* after '{' */
    KEY,         /* after a comma, or inside a key */
    COLON,       /* after a key */
    VALUE,       /* before or inside a value other than "items": [...] */
    VALUE_END,   /* after a value: ',' or '}' */
    ITEM_OR_END, /* after '[' of items */
    ITEM,        /* after a comma of items */
    ITEM_END,    /* after an element: ',' or ']' */
    LIST_CLOSED, /* white space only */
    DEAD
};

struct skim_stream {
    enum skim_mode mode;
    enum state state;
    const skim_handler_t *handler;
    void *arg;
    size_t max;
    uint64_t offset;   /* of the chunk at hand in the stream */
    const char *chunk; /* start of the chunk at hand */
    skim_scan_t scan;  /* the object, key or value at hand */
    size_t line;       /* frames: bytes of NEXT_EVENT that the text ends with */
    buf_t part;        /* begin of an object whose end is in a later chunk */
    buf_t rest;        /* list: the document without its elements */
    size_t key_at;     /* offset in rest of the key at hand, with its quote */
    bool is_items, had_items;
};

int skim_stream_create(enum skim_mode mode, size_t max, const skim_handler_t *handler, void *arg,
                       skim_stream_t **out, lh_error_t *err)
{
    skim_stream_t *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return host_fail(err, LH_ENOMEM, "out of memory");
    s->mode = mode;
    s->state = mode == SKIM_FRAMES ? BETWEEN : LIST_OPEN;
    s->handler = handler;
    s->arg = arg;
    s->max = max;
    *out = s;
    return 0;
}

void skim_stream_destroy(skim_stream_t *s)
{
    if (s == NULL)
        return;
    buf_fini(&s->part);
    buf_fini(&s->rest);
    free(s);
}

static int refuse(const skim_stream_t *s, const char *p, const char *why, lh_error_t *err)
{
    return host_fail(err, LH_EPARSE, "byte %llu: %s",
                     (unsigned long long) (s->offset + (uint64_t) (p - s->chunk)), why);
}

static int append(const skim_stream_t *s, buf_t *b, const char *p, size_t len, lh_error_t *err)
{
    if (len > s->max - b->len)
        return host_fail(err, LH_ETOOBIG, "%s is larger than %zu bytes",
                         b == &s->part ? "an object" : "a list without its items", s->max);
    const int rc = buf_append(b, p, len);

    return rc < 0 ? host_fail(err, rc, "%s", lh_strerror(rc)) : 0;
}

static int hand_on(skim_stream_t *s, const char *text, size_t len, lh_error_t *err)
{
    const int rc = s->handler->on_object(s->arg, text, len, err);

    if (s->part.cap > KEEP_CAP)
        buf_fini(&s->part);
    else
        buf_clear(&s->part);
    s->state = s->mode == SKIM_FRAMES ? BETWEEN : ITEM_END;
    return rc;
}

/* How an event begins in its line; and how no line goes on inside of one, which has no other lines. */
static const char NEXT_EVENT[] = "\n{\"type\":";

/* Where the next frame has begun although the one at hand has not ended: a broken server or proxy has cut
 * it short, and it would swallow all that follow. NULL: it has not. */
static const char *find_next(skim_stream_t *s, const char *p, const char *end)
{
    while (p < end) {
        if (s->line == 0) {
            p = memchr(p, '\n', (size_t) (end - p));
            if (p == NULL)
                return NULL;
        }
        if (*p != NEXT_EVENT[s->line]) {
            s->line = 0;
            continue;
        }
        p++;
        if (++s->line == sizeof(NEXT_EVENT) - 1)
            return p;
    }
    return NULL;
}

/* The next piece of an object. */
static int feed_object(skim_stream_t *s, const char **p, const char *end, lh_error_t *err)
{
    const char *from = *p;
    const size_t room = s->max - s->part.len;
    /* Never looks beyond the limit, so that the answer does not depend on the chunks. */
    const char *to = (size_t) (end - from) > room ? from + room : end;
    const char *after = skim_scan(&s->scan, from, to);
    int rc = 0;

    const char *cut =
        s->mode == SKIM_FRAMES ? find_next(s, from, after != NULL ? after : to) : NULL;
    if (cut != NULL)
        return refuse(s, cut, "the next event begins before this one has ended", err);
    *p = after != NULL ? after : end;
    if (after != NULL && s->part.len == 0)
        return hand_on(s, from, (size_t) (after - from), err);
    rc = append(s, &s->part, from, (size_t) (*p - from), err);
    if (rc == 0 && after != NULL)
        rc = hand_on(s, s->part.data, s->part.len, err);
    return rc;
}

/* The next piece of a key or a value of the list itself, which goes to the rest. */
static int feed_rest(skim_stream_t *s, const char **p, const char *end, enum state next,
                     lh_error_t *err)
{
    const char *after = skim_scan(&s->scan, *p, end);
    const char *to = after != NULL ? after : end;
    const int rc = append(s, &s->rest, *p, (size_t) (to - *p), err);

    *p = to;
    if (after != NULL)
        s->state = next;
    return rc;
}

/* A byte of punctuation: goes to the rest. */
static int step(skim_stream_t *s, const char **p, enum state next, lh_error_t *err)
{
    s->state = next;
    s->scan = (skim_scan_t){0};
    return append(s, &s->rest, (*p)++, 1, err);
}

/* Whether the key that has just ended is "items"; the list has one of them at most. */
static int judge_key(skim_stream_t *s, const char *p, lh_error_t *err)
{
    skim_span_t key = {
        .p = s->rest.data + s->key_at + 1, .len = s->rest.len - s->key_at - 2, .escaped = true};

    s->is_items = skim_equal(key, "items");
    if (s->is_items && s->had_items)
        return refuse(s, p, "a second \"items\" in the list", err);
    s->had_items |= s->is_items;
    return 0;
}

static int feed_key(skim_stream_t *s, const char **p, const char *end, lh_error_t *err)
{
    if (!s->scan.started) {
        if (**p != '"')
            return refuse(s, *p, "a key is missing", err);
        s->key_at = s->rest.len;
    }
    const int rc = feed_rest(s, p, end, COLON, err);

    return rc < 0 || s->state == KEY ? rc : judge_key(s, *p, err);
}

static int feed_value(skim_stream_t *s, const char **p, const char *end, lh_error_t *err)
{
    if (!s->scan.started && s->is_items) {
        if (**p == '[')
            return step(s, p, ITEM_OR_END, err);
        if (**p != 'n')
            return refuse(s, *p, "\"items\" is not an array", err);
    }
    return feed_rest(s, p, end, VALUE_END, err);
}

static int begin_object(skim_stream_t *s, const char **p, lh_error_t *err)
{
    if (**p != '{')
        return refuse(s, *p, "an object is missing", err);
    s->state = OBJECT;
    s->scan = (skim_scan_t){0};
    s->line = 0;
    return 0;
}

static int feed_end(skim_stream_t *s, const char **p, char close, enum state on_close,
                    enum state on_comma, lh_error_t *err)
{
    if (**p == close)
        return step(s, p, on_close, err);
    if (**p != ',')
        return refuse(s, *p, close == ']' ? "',' or ']' is missing" : "',' or '}' is missing", err);
    if (on_comma == KEY)
        return step(s, p, KEY, err);
    s->state = on_comma;
    ++*p;
    return 0;
}

/* One piece in the state at hand; *p stands on a byte that is no white space, unless inside a
 * value. Takes at least one byte or changes the state. */
static int feed_piece(skim_stream_t *s, const char **p, const char *end, lh_error_t *err)
{
    switch (s->state) {
    case OBJECT:
        return feed_object(s, p, end, err);
    case BETWEEN:
    case ITEM:
        return begin_object(s, p, err);
    case LIST_OPEN:
        return **p == '{' ? step(s, p, KEY_OR_END, err)
                          : refuse(s, *p, "an object is missing", err);
    case KEY_OR_END:
        if (**p == '}')
            return step(s, p, LIST_CLOSED, err);
        s->state = KEY;
        return 0;
    case KEY:
        return feed_key(s, p, end, err);
    case COLON:
        return **p == ':' ? step(s, p, VALUE, err) : refuse(s, *p, "':' is missing", err);
    case VALUE:
        return feed_value(s, p, end, err);
    case VALUE_END:
        return feed_end(s, p, '}', LIST_CLOSED, KEY, err);
    case ITEM_OR_END:
        if (**p == ']')
            return step(s, p, VALUE_END, err);
        s->state = ITEM;
        return 0;
    case ITEM_END:
        return feed_end(s, p, ']', VALUE_END, ITEM, err);
    default:
        return refuse(s, *p, "something follows the list", err);
    }
}

int skim_stream_feed(skim_stream_t *s, const char *data, size_t len, lh_error_t *err)
{
    if (s->state == DEAD)
        return host_fail(err, LH_ESTATE, "the stream has ended");
    if (len == 0)
        return 0;
    const char *p = data, *end = data + len;

    s->chunk = data;
    for (;;) {
        if (!s->scan.started || (s->state != OBJECT && s->state != KEY && s->state != VALUE))
            p = skim_skip_space(p, end);
        if (p == end)
            break;
        const int rc = feed_piece(s, &p, end, err);

        if (rc < 0) {
            s->state = DEAD;
            return rc;
        }
    }
    s->offset += len;
    return 0;
}

int skim_stream_finish(skim_stream_t *s, skim_span_t *rest, lh_error_t *err)
{
    const enum state state = s->state;

    s->state = DEAD;
    if (state == DEAD)
        return host_fail(err, LH_ESTATE, "the stream has ended");
    if (state != BETWEEN && state != LIST_CLOSED)
        return host_fail(err, LH_EPARSE, "byte %llu: the text ends early",
                         (unsigned long long) s->offset);
    if (s->mode == SKIM_LIST) {
        skim_meta_t checked;
        const int rc = skim_meta(s->rest.data, s->rest.len, &checked, err);

        if (rc < 0)
            return host_error_wrap(err, rc, "the list without its items");
    }
    if (rest != NULL)
        *rest = (skim_span_t){.p = s->rest.data, .len = s->rest.len};
    return 0;
}
