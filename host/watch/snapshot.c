/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation: this struct, the text, then the four names, each with its NUL. Of an object that the
 * store keeps compressed the text is elsewhere, and empty here; where it is comes first. */
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
    watch_opened_t *opened;          /* of the same allocation; NULL: the text is here */
    char text[];
};

/* -- Making -- */

/* What the snapshot's text has in the place of a piece of the object's. */
typedef struct edit {
    const char *at;
    size_t removed;
    const char *with;
    size_t len;
} edit_t;

enum { MAX_EDITS = 7 }; /* two members in three pieces each, and managedFields */

/* In the order of their places. */
typedef struct edits {
    edit_t all[MAX_EDITS];
    size_t count;
    char *escaped[2]; /* names of the type with characters that do not stand for themselves */
} edits_t;

static void edits_fini(edits_t *e)
{
    free(e->escaped[0]);
    free(e->escaped[1]);
}

static int out_of_memory(lh_error_t *err)
{
    return host_fail(err, LH_ENOMEM, "object: out of memory");
}

static void add_edit(edits_t *e, const char *at, size_t removed, const char *with)
{
    size_t i = e->count++;

    for (; i > 0 && e->all[i - 1].at > at; i--) {
        e->all[i] = e->all[i - 1];
    }
    e->all[i] = (edit_t){.at = at, .removed = removed, .with = with, .len = strlen(with)};
}

static bool stands_for_itself(const char *s)
{
    while (*s > ' ' && *s < 0x7f && *s != '"' && *s != '\\') {
        s++;
    }
    return *s == '\0';
}

/* *name as it stands between quotes; *escaped owns what had to be made. */
static int escape(const char **name, char **escaped)
{
    buf_t b = BUF_INIT;

    if (*name == NULL || stands_for_itself(*name))
        return 0;
    (void) buf_json_string(&b, *name, strlen(*name));
    *escaped = buf_steal(&b);
    if (*escaped == NULL)
        return LH_ENOMEM;
    (*escaped)[strlen(*escaped) - 1] = '\0';
    *name = *escaped + 1;
    return 0;
}

/* Puts a member of the type in when the text lacks it; replaces it when the text is only a part of the
 * object. name NULL: leaves it. */
static void edit_type(edits_t *e, const char *text, skim_span_t present, bool partial,
                      const char *before, const char *name)
{
    if (name == NULL)
        return;
    if (present.p == NULL) {
        add_edit(e, text + 1, 0, before);
        add_edit(e, text + 1, 0, name);
        add_edit(e, text + 1, 0, "\",");
    } else if (partial) {
        add_edit(e, present.p, present.len, name);
    }
}

static int find_edits(skim_span_t object, const skim_meta_t *meta, const char *api_version,
                      const char *kind, edits_t *e)
{
    const skim_span_t managed = skim_managed(object.p, object.len, meta);
    const bool partial =
        api_version != NULL && kind != NULL && skim_equal(meta->kind, "PartialObjectMetadata");

    if (escape(&api_version, &e->escaped[0]) < 0 || escape(&kind, &e->escaped[1]) < 0)
        return LH_ENOMEM;
    edit_type(e, object.p, meta->api_version, partial, "\"apiVersion\":\"", api_version);
    edit_type(e, object.p, meta->kind, partial, "\"kind\":\"", kind);
    if (managed.p != NULL)
        add_edit(e, managed.p, managed.len, "");
    return 0;
}

/* Bytes that the edits before `at` add. */
static ptrdiff_t shift(const edits_t *e, const char *at)
{
    ptrdiff_t bytes = 0;

    for (size_t i = 0; i < e->count && e->all[i].at <= at; i++) {
        bytes += (ptrdiff_t) e->all[i].len - (ptrdiff_t) e->all[i].removed;
    }
    return bytes;
}

static struct part moved(const edits_t *e, const char *text, skim_span_t span)
{
    if (span.p == NULL)
        return (struct part){0};
    return (struct part){(uint32_t) (span.p - text + shift(e, span.p)), (uint32_t) span.len};
}

static char *append(char *out, const char *from, size_t len)
{
    memcpy(out, from, len);
    return out + len;
}

static char *write_text(char *out, skim_span_t object, const edits_t *e)
{
    const char *from = object.p;

    for (size_t i = 0; i < e->count; i++) {
        const edit_t *edit = &e->all[i];

        out = append(out, from, (size_t) (edit->at - from));
        out = append(out, edit->with, edit->len);
        from = edit->at + edit->removed;
    }
    out = append(out, from, (size_t) (object.p + object.len - from));
    *out = '\0';
    return out + 1;
}

/* Writes a name, "" when it is absent, to *end of the strings; returns its offset. */
static uint32_t write_name(const watch_snapshot_t *snap, char **end, skim_span_t name)
{
    char *at = *end;
    const ssize_t len = skim_copy(name, at);

    if (len < 0)
        *at = '\0';
    *end = at + (len < 0 ? 0 : len) + 1;
    return (uint32_t) (at - snap->text);
}

static watch_snapshot_t *assemble(skim_span_t object, const skim_meta_t *meta, const edits_t *e)
{
    const size_t len = object.len + (size_t) shift(e, object.p + object.len);
    const size_t names =
        meta->ns.len + meta->name.len + meta->uid.len + meta->resource_version.len + 4;
    watch_snapshot_t *snap = malloc(sizeof(*snap) + len + 1 + names);

    if (snap == NULL)
        return NULL;
    *snap = (watch_snapshot_t){.text_len = (uint32_t) len};
    atomic_init(&snap->refs, 1);
    char *end = write_text(snap->text, object, e);

    snap->ns = write_name(snap, &end, meta->ns);
    snap->name = write_name(snap, &end, meta->name);
    snap->uid = write_name(snap, &end, meta->uid);
    snap->version = write_name(snap, &end, meta->resource_version);
    snap->labels = moved(e, object.p, meta->labels);
    snap->owners = moved(e, object.p, meta->owner_references);
    return snap;
}

static bool is_of_another_kind(const skim_meta_t *meta, const char *api_version, const char *kind)
{
    if (kind == NULL || meta->kind.p == NULL || skim_equal(meta->kind, kind))
        return false;
    return api_version == NULL || !skim_equal(meta->kind, "PartialObjectMetadata");
}

int watch_snapshot_from(skim_span_t object, const skim_meta_t *meta, const char *api_version,
                        const char *kind, watch_snapshot_t **out, lh_error_t *err)
{
    host_cleanup(edits_fini) edits_t edits;
    watch_snapshot_t *snap = NULL;
    skim_meta_t own;

    edits.count = 0;
    edits.escaped[0] = edits.escaped[1] = NULL;
    if (object.len >= INT32_MAX)
        return host_fail(err, LH_ETOOBIG, "object: %zu bytes are too many", object.len);
    const int ret = meta != NULL ? 0 : skim_meta(object.p, object.len, &own, err);

    if (ret < 0)
        return ret;
    if (meta == NULL)
        meta = &own;
    if (is_of_another_kind(meta, api_version, kind))
        return host_fail(err, LH_EPARSE, "object: a %.*s, not a %s",
                         (int) HOST_MIN(meta->kind.len, 40), meta->kind.p, kind);
    if (find_edits(object, meta, api_version, kind, &edits) == 0)
        snap = assemble(object, meta, &edits);
    if (snap == NULL)
        return out_of_memory(err);
    if (*watch_snapshot_name(snap) == '\0') {
        watch_snapshot_unref(snap);
        return host_fail(err, LH_EPARSE, "object: no metadata.name");
    }
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
    for (; len > 0 && is_space(text[0]); len--) {
        text++;
    }
    while (len > 0 && is_space(text[len - 1])) {
        len--;
    }
    return watch_snapshot_from((skim_span_t){.p = text, .len = len}, NULL, api_version, kind, out,
                               err);
}

/* Copies s to *end of the strings; returns its offset. */
static uint32_t put_string(watch_snapshot_t *snap, size_t *end, const char *s)
{
    const size_t at = *end, size = strlen(s) + 1;

    memcpy(snap->text + at, s, size);
    *end += size;
    return (uint32_t) at;
}

watch_snapshot_t *watch_snapshot_of_opened(const watch_opened_t *o, const char *ns,
                                           const char *name, const char *uid, const char *version)
{
    const size_t names = strlen(ns) + strlen(name) + strlen(uid) + strlen(version) + 4;
    _Static_assert(sizeof(watch_opened_t) % _Alignof(watch_snapshot_t) == 0,
                   "one follows the other");
    watch_opened_t *opened = host_xcalloc(1, sizeof(*opened) + sizeof(watch_snapshot_t) + names);
    watch_snapshot_t *snap = (watch_snapshot_t *) (opened + 1);
    size_t end = 0;

    atomic_init(&snap->refs, 1);
    *opened = *o;
    snap->text_len = (uint32_t) o->lazy.len;
    snap->opened = opened;
    snap->ns = put_string(snap, &end, ns);
    snap->name = put_string(snap, &end, name);
    snap->uid = put_string(snap, &end, uid);
    snap->version = put_string(snap, &end, version);
    return snap;
}

bool watch_snapshot_is_of(const watch_snapshot_t *s, const watch_packed_t *packed)
{
    return s->opened != NULL && s->opened->packed == packed;
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
    if (s->opened == NULL) {
        free(s);
        return;
    }
    watch_opened_fini(s->opened);
    free(s->opened);
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

/* A value of metadata; absent when it is none that begins with `open`, as for skim_meta(). */
static skim_span_t span(const watch_snapshot_t *s, struct part part, const char *key, char open)
{
    if (s->opened != NULL) {
        size_t len;
        const char *text = watch_snapshot_text(s, &len);
        const skim_span_t v =
            skim_get(skim_get((skim_span_t){.p = text, .len = len}, "metadata"), key);
        const bool fits = v.p != NULL && v.len > 0 && v.p[0] == open && v.p[-1] != '"';

        return fits ? v : (skim_span_t){0};
    }
    return (skim_span_t){.p = part.len > 0 ? s->text + part.at : NULL, .len = part.len};
}

skim_span_t watch_snapshot_labels(const watch_snapshot_t *s)
{
    return span(s, s->labels, "labels", '{');
}

skim_span_t watch_snapshot_owners(const watch_snapshot_t *s)
{
    return span(s, s->owners, "ownerReferences", '[');
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
