/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation: this struct, the text, then the four names, each with its NUL. Of an object that the
 * store keeps compressed the text is elsewhere, and empty here. */
#include "watch/snapshot.h"

#include "base/error.h"
#include "watch/packed.h"

#include <stdatomic.h>
#include <string.h>

/* A part of the text; len 0: absent. */
struct part {
    uint32_t at, len;
};

struct watch_snapshot {
    _Atomic uint32_t refs;
    uint32_t text_len;
    struct part labels, owners;
    uint32_t ns, name, uid, version; /* offsets in text */
    watch_opened_t *opened;          /* NULL: the text is here */
    char text[];
};

/* -- Making -- */

static int out_of_memory(lh_error_t *err)
{
    return host_fail(err, LH_ENOMEM, "object: out of memory");
}

static int append_member(buf_t *out, const char *key, const char *value)
{
    buf_printf(out, "\"%s\":", key);
    buf_json_string(out, value, strlen(value));
    return buf_puts(out, ",");
}

/* Appends the members that the text lacks, to stand after its opening brace. */
static int missing_type(const skim_meta_t *meta, const char *api_version, const char *kind,
                        buf_t *out)
{
    int ret = 0;

    if (meta->api_version.p == NULL && api_version != NULL)
        ret = append_member(out, "apiVersion", api_version);
    if (ret == 0 && meta->kind.p == NULL && kind != NULL)
        ret = append_member(out, "kind", kind);
    return ret;
}

/* Appends text with the strings at two spans replaced; either may be absent. */
static int replace(const char *text, size_t len, skim_span_t a, const char *with_a, skim_span_t b,
                   const char *with_b, buf_t *out)
{
    const char *from = text;

    if (b.p < a.p)
        return replace(text, len, b, with_b, a, with_a, out);
    if (a.p != NULL) {
        buf_append(out, from, (size_t) (a.p - 1 - from));
        buf_json_string(out, with_a, strlen(with_a));
        from = a.p + a.len + 1;
    }
    if (b.p != NULL) {
        buf_append(out, from, (size_t) (b.p - 1 - from));
        buf_json_string(out, with_b, strlen(with_b));
        from = b.p + b.len + 1;
    }
    return buf_append(out, from, (size_t) (text + len - from));
}

static struct part moved(skim_span_t span, const char *text, const skim_meta_t *meta, size_t added,
                         size_t removed)
{
    if (span.p == NULL)
        return (struct part){0};
    size_t at = (size_t) (span.p - text) + added;

    if (meta->managed_fields.p != NULL && span.p > meta->managed_fields.p)
        at -= removed;
    return (struct part){(uint32_t) at, (uint32_t) span.len};
}

/* The names of an object, unescaped, NULL where absent. */
struct names {
    char *ns, *name, *uid, *version;
};

static void names_free(struct names *n)
{
    free(n->ns);
    free(n->name);
    free(n->uid);
    free(n->version);
}

static int names_take(const skim_meta_t *meta, struct names *n, lh_error_t *err)
{
    n->name = skim_dup(meta->name);
    if (n->name == NULL || *n->name == '\0')
        return host_fail(err, LH_EPARSE, "object: no metadata.name");
    n->ns = skim_dup(meta->ns);
    n->uid = skim_dup(meta->uid);
    n->version = skim_dup(meta->resource_version);
    return 0;
}

/* Copies s (NULL: "") to the end of the strings; returns its offset. */
static uint32_t put_string(watch_snapshot_t *snap, size_t *end, const char *s)
{
    size_t at = *end, size = s != NULL ? strlen(s) + 1 : 1;

    memcpy(snap->text + at, s != NULL ? s : "", size);
    *end += size;
    return (uint32_t) at;
}

static size_t length(const char *s)
{
    return s != NULL ? strlen(s) : 0;
}

static void put_names(watch_snapshot_t *snap, size_t at, const struct names *n)
{
    snap->ns = put_string(snap, &at, n->ns);
    snap->name = put_string(snap, &at, n->name);
    snap->uid = put_string(snap, &at, n->uid);
    snap->version = put_string(snap, &at, n->version);
}

static size_t names_size(const struct names *n)
{
    return length(n->ns) + length(n->name) + length(n->uid) + length(n->version) + 4;
}

/* added: members to stand after body's opening brace. */
static watch_snapshot_t *assemble(const buf_t *added, const buf_t *body, const struct names *n)
{
    size_t len = body->len + added->len;
    watch_snapshot_t *snap = malloc(sizeof(*snap) + len + 1 + names_size(n));

    if (snap == NULL)
        return NULL;
    *snap = (watch_snapshot_t){.text_len = (uint32_t) len};
    atomic_init(&snap->refs, 1);
    snap->text[0] = '{';
    memcpy(snap->text + 1, buf_text(added), added->len);
    memcpy(snap->text + 1 + added->len, body->data + 1, body->len - 1);
    snap->text[len] = '\0';
    put_names(snap, len + 1, n);
    return snap;
}

static int create_from(const char *text, size_t len, const skim_meta_t *meta,
                       const char *api_version, const char *kind, watch_snapshot_t **out,
                       lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t added = BUF_INIT, body = BUF_INIT;
    host_cleanup(names_free) struct names names = {0};
    int ret = names_take(meta, &names, err);

    if (ret < 0)
        return ret;
    if (missing_type(meta, api_version, kind, &added) < 0 || skim_strip(text, len, meta, &body) < 0)
        return out_of_memory(err);
    watch_snapshot_t *snap = assemble(&added, &body, &names);

    if (snap == NULL)
        return out_of_memory(err);
    snap->labels = moved(meta->labels, text, meta, added.len, len - body.len);
    snap->owners = moved(meta->owner_references, text, meta, added.len, len - body.len);
    *out = snap;
    return 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

int watch_snapshot_create(const char *text, size_t len, const char *api_version, const char *kind,
                          watch_snapshot_t **out, lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t replaced = BUF_INIT;
    skim_meta_t meta;

    if (len >= INT32_MAX)
        return host_fail(err, LH_ETOOBIG, "object: %zu bytes are too many", len);
    for (; len > 0 && is_space(text[0]); len--) {
        text++;
    }
    while (len > 0 && is_space(text[len - 1])) {
        len--;
    }
    int ret = skim_meta(text, len, &meta, err);

    if (ret == 0 && kind != NULL && api_version != NULL &&
        skim_equal(meta.kind, "PartialObjectMetadata")) {
        if (replace(text, len, meta.api_version, api_version, meta.kind, kind, &replaced) < 0)
            return out_of_memory(err);
        text = replaced.data;
        len = replaced.len;
        ret = skim_meta(text, len, &meta, err);
    } else if (ret == 0 && kind != NULL && meta.kind.p != NULL && !skim_equal(meta.kind, kind)) {
        ret = host_fail(err, LH_EPARSE, "object: a %.*s, not a %s",
                        (int) HOST_MIN(meta.kind.len, 40), meta.kind.p, kind);
    }
    return ret < 0 ? ret : create_from(text, len, &meta, api_version, kind, out, err);
}

watch_snapshot_t *watch_snapshot_of_opened(watch_opened_t *o, const char *ns, const char *name,
                                           const char *uid, const char *version)
{
    const struct names names = {(char *) ns, (char *) name, (char *) uid, (char *) version};
    watch_snapshot_t *snap = host_xcalloc(1, sizeof(*snap) + names_size(&names));

    atomic_init(&snap->refs, 1);
    snap->text_len = (uint32_t) o->lazy.len;
    snap->opened = o;
    put_names(snap, 0, &names);
    return snap;
}

int watch_snapshot_reserve(const watch_snapshot_t *s)
{
    return s->opened != NULL ? watch_lazy_reserve(&s->opened->lazy, s->opened->codec) : 0;
}

/* -- References -- */

watch_snapshot_t *watch_snapshot_ref(const watch_snapshot_t *s)
{
    watch_snapshot_t *shared = (watch_snapshot_t *) s; /* the count is no part of what is const */

    atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
    return shared;
}

void watch_snapshot_unref(watch_snapshot_t *s)
{
    if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) > 1)
        return;
    watch_opened_free(s->opened);
    free(s);
}

void watch_snapshot_unrefp(watch_snapshot_t **s)
{
    watch_snapshot_unref(*s);
}

/* -- Reading -- */

const char *watch_snapshot_text(const watch_snapshot_t *s, size_t *len)
{
    if (len != NULL)
        *len = s->text_len;
    if (s->opened != NULL)
        return watch_lazy_text(&s->opened->lazy, s->opened->codec, s->opened->dict);
    return s->text;
}

const char *watch_snapshot_ns(const watch_snapshot_t *s)
{
    return s->text + s->ns;
}

const char *watch_snapshot_name(const watch_snapshot_t *s)
{
    return s->text + s->name;
}

const char *watch_snapshot_uid(const watch_snapshot_t *s)
{
    return s->text + s->uid;
}

const char *watch_snapshot_version(const watch_snapshot_t *s)
{
    return s->text + s->version;
}

/* A value of metadata. */
static skim_span_t span(const watch_snapshot_t *s, struct part part, const char *key)
{
    if (s->opened != NULL) {
        size_t len;
        const char *text = watch_snapshot_text(s, &len);

        return skim_get(skim_get((skim_span_t){.p = text, .len = len}, "metadata"), key);
    }
    return (skim_span_t){.p = part.len > 0 ? s->text + part.at : NULL, .len = part.len};
}

skim_span_t watch_snapshot_labels(const watch_snapshot_t *s)
{
    return span(s, s->labels, "labels");
}

skim_span_t watch_snapshot_owners(const watch_snapshot_t *s)
{
    return span(s, s->owners, "ownerReferences");
}

size_t watch_snapshot_size(const watch_snapshot_t *s)
{
    return sizeof(*s) + s->version + strlen(s->text + s->version) + 1;
}

/* -- Versions -- */

/* Digits without a leading zero. */
static bool is_well_formed(const char *version)
{
    return *version >= '1' && *version <= '9' && version[strspn(version, "0123456789")] == '\0';
}

int watch_version_compare(const char *a, const char *b)
{
    if (!is_well_formed(a) || !is_well_formed(b))
        return strcmp(a, b) == 0 ? 0 : 2;
    size_t a_len = strlen(a), b_len = strlen(b);
    int order = a_len != b_len ? (a_len < b_len ? -1 : 1) : strcmp(a, b);

    return (order > 0) - (order < 0);
}
