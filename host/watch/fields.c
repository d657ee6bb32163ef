/* SPDX-License-Identifier: Apache-2.0 */
/* The pointers make a tree of keys; an object is copied along it. */
#include "watch/fields.h"

#include "base/error.h"

#include <string.h>

enum { MAX_DEPTH = 32 };

typedef struct field {
    char *key;
    bool whole; /* all below it too */
    struct field *children, *next;
} field_t;

struct watch_fields {
    field_t root;
};

/* -- Pointers -- */

static void free_children(field_t *f)
{
    for (field_t *c = f->children, *next; c != NULL; c = next) {
        next = c->next;
        free_children(c); /* as deep as pointers are */
        free(c->key);
        free(c);
    }
}

/* The next step of a pointer, which begins with '/': unescaped, NULL when that cannot be. */
static char *take_step(const char **at, const char *end)
{
    const char *p = *at + 1;
    char *key = host_xcalloc(1, (size_t) (end - p) + 1), *out = key;

    for (; p < end && *p != '/'; p++) {
        if (*p == '~' && (p + 1 == end || (p[1] != '0' && p[1] != '1'))) {
            free(key);
            return NULL;
        }
        *out++ = *p != '~' ? *p : (*++p == '0' ? '~' : '/');
    }
    *at = p;
    return key;
}

static field_t *find(const field_t *f, skim_span_t key)
{
    field_t *c = f->children;

    while (c != NULL && !skim_equal(key, c->key)) {
        c = c->next;
    }
    return c;
}

/* The child of this name, made when it is not there; key is taken over. */
static field_t *child(field_t *f, char *key)
{
    field_t *c = find(f, (skim_span_t){.p = key, .len = strlen(key)});

    if (c != NULL) {
        free(key);
        return c;
    }
    c = host_xcalloc(1, sizeof(*c));
    c->key = key;
    c->next = f->children;
    f->children = c;
    return c;
}

static int add(field_t *root, const char *path, size_t len, lh_error_t *err)
{
    const char *at = path, *end = path + len;
    field_t *f = root;
    int depth = 0;

    if (len < 2 || *path != '/')
        return host_fail(err, LH_EINVAL, "'%.*s' is not a JSON Pointer to a field", (int) len,
                         path);
    while (at < end) {
        char *key = ++depth <= MAX_DEPTH ? take_step(&at, end) : NULL;

        if (key == NULL)
            return host_fail(err, LH_EINVAL, "'%.*s' is not a JSON Pointer of up to %d steps",
                             (int) len, path, MAX_DEPTH);
        f = child(f, key);
    }
    f->whole = true;
    return 0;
}

static void destroyp(watch_fields_t **f)
{
    watch_fields_destroy(*f);
}

int watch_fields_parse(const char *paths, watch_fields_t **out, lh_error_t *err)
{
    static const char *const always[] = {"/apiVersion", "/kind", "/metadata"};
    host_cleanup(destroyp) watch_fields_t *f = host_xcalloc(1, sizeof(*f));
    int ret = 0;

    if (paths == NULL) {
        *out = NULL;
        return 0;
    }
    for (size_t i = 0; i < HOST_LEN(always); i++) {
        (void) add(&f->root, always[i], strlen(always[i]), NULL);
    }
    for (const char *at = paths; ret == 0; at++) {
        const size_t len = strcspn(at, ",");

        ret = add(&f->root, at, len, err);
        at += len;
        if (*at == '\0')
            break;
    }
    if (ret == 0)
        *out = host_steal(f);
    return ret;
}

void watch_fields_destroy(watch_fields_t *f)
{
    if (f == NULL)
        return;
    free_children(&f->root);
    free(f);
}

bool watch_fields_keep(const watch_fields_t *f, const char *path)
{
    const char *at = path, *end = path + strlen(path);
    const field_t *field = f != NULL ? &f->root : NULL;

    while (at < end && field != NULL && !field->whole) {
        host_cleanup(host_freep) char *key = take_step(&at, end);

        field = key != NULL ? find(field, (skim_span_t){.p = key, .len = strlen(key)}) : NULL;
    }
    return f == NULL || (field != NULL && field->whole);
}

/* -- Objects -- */

static void put_value(const field_t *f, skim_span_t value, buf_t *out);

/* The value as it stands: of a string the span begins behind its quote. */
static void put_whole(skim_span_t value, buf_t *out)
{
    const size_t quote = value.p[-1] == '"';

    buf_append(out, value.p - quote, value.len + 2 * quote);
}

static bool is_open(skim_span_t value, char brace)
{
    return value.p[-1] != '"' && value.p[0] == brace;
}

static void put_object(const field_t *f, skim_span_t object, buf_t *out)
{
    const char *between = "{";
    skim_span_t key, value;

    for (const char *at = NULL; skim_pair_next(object, &at, &key, &value);) {
        const field_t *c = find(f, key);

        /* A pointer that goes on behind a scalar leads to nothing. */
        if (c == NULL || (!c->whole && !is_open(value, '{') && !is_open(value, '[')))
            continue;
        buf_puts(out, between);
        put_whole(key, out);
        buf_puts(out, ":");
        put_value(c, value, out);
        between = ",";
    }
    buf_puts(out, *between == '{' ? "{}" : "}");
}

static void put_array(const field_t *f, skim_span_t array, buf_t *out)
{
    const char *between = "[";
    skim_span_t value;

    for (const char *at = NULL; skim_element_next(array, &at, &value);) {
        buf_puts(out, between);
        put_value(f, value, out);
        between = ",";
    }
    buf_puts(out, *between == '[' ? "[]" : "]");
}

/* As deep as the text is, which skim_meta has limited. */
static void put_value(const field_t *f, skim_span_t value, buf_t *out)
{
    if (!f->whole && is_open(value, '{'))
        put_object(f, value, out);
    else if (!f->whole && is_open(value, '['))
        put_array(f, value, out);
    else
        put_whole(value, out); /* an element that is no object keeps the places of the others */
}

int watch_fields_snapshot(const watch_fields_t *f, const char *text, size_t len,
                          const char *api_version, const char *kind, watch_snapshot_t **out,
                          lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t kept = BUF_INIT;
    skim_meta_t meta;

    if (f == NULL)
        return watch_snapshot_create(text, len, api_version, kind, out, err);
    /* An object that is broken in what is left out is broken all the same. */
    const int ret = skim_meta(text, len, &meta, err);

    if (ret < 0)
        return ret;
    put_object(&f->root, (skim_span_t){.p = text, .len = len}, &kept);
    if (kept.failed)
        return host_fail(err, LH_ENOMEM, "object: out of memory");
    return watch_snapshot_create(kept.data, kept.len, api_version, kind, out, err);
}
