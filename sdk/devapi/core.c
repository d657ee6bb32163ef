/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/core_impl.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"

#include <string.h>
#include <time.h>

/* What may have happened between the writing of a snapshot and the end of its server. */
enum { VERSIONS_LOST = 1000000 };

/* -- Kinds -- */

const dev_version_t *dev_kind_version(const dev_kind_t *kind, const char *name)
{
    for (size_t i = 0; i < HOST_LEN(kind->versions) && kind->versions[i].name != NULL; i++) {
        if (strcmp(kind->versions[i].name, name) == 0)
            return &kind->versions[i];
    }
    return NULL;
}

/* Calls test(kind, arg) until one is true; that kind, or NULL. */
static const dev_kind_t *find_kind(dev_core_t *c, bool (*test)(const dev_kind_t *, const void *),
                                   const void *arg)
{
    size_t count;
    const dev_kind_t *builtin = dev_builtin_kinds(&count);

    for (size_t i = 0; i < count; i++) {
        if (test(&builtin[i], arg))
            return &builtin[i];
    }
    for (dev_custom_t *k = c->customs; k != NULL; k = k->next) {
        if (k->served && test(&k->kind, arg))
            return &k->kind;
    }
    return NULL;
}

typedef struct names {
    const char *group, *version, *resource, *kind;
} names_t;

static bool has_resource(const dev_kind_t *k, const void *arg)
{
    const names_t *n = arg;

    return strcmp(k->resource, n->resource) == 0 && strcmp(k->group, n->group) == 0 &&
           dev_kind_version(k, n->version) != NULL;
}

const dev_kind_t *dev_core_kind(dev_core_t *c, const char *group, const char *version,
                                const char *resource)
{
    return find_kind(c, has_resource,
                     &(names_t){.group = group, .version = version, .resource = resource});
}

static bool has_kind(const dev_kind_t *k, const void *arg)
{
    const names_t *n = arg;

    return strcmp(k->kind, n->kind) == 0 && strcmp(k->group, n->group) == 0;
}

const dev_kind_t *dev_core_kind_named(dev_core_t *c, const char *group, const char *kind)
{
    return find_kind(c, has_kind, &(names_t){.group = group, .kind = kind});
}

void dev_core_kinds(dev_core_t *c, void (*each)(void *arg, const dev_kind_t *kind), void *arg)
{
    size_t count;
    const dev_kind_t *builtin = dev_builtin_kinds(&count);

    for (size_t i = 0; i < count; i++)
        each(arg, &builtin[i]);
    for (dev_custom_t *k = c->customs; k != NULL; k = k->next) {
        if (k->served)
            each(arg, &k->kind);
    }
}

/* The two kinds of Event are one storage. */
static char *table_key(const dev_kind_t *kind)
{
    const char *group = strcmp(kind->group, "events.k8s.io") == 0 ? "" : kind->group;

    return host_xprintf("%s/%s", group, kind->resource);
}

dev_table_t *dev_core_table(dev_core_t *c, const dev_kind_t *kind)
{
    host_cleanup(host_freep) char *key = table_key(kind);

    return dev_store_table(c->store, key);
}

static bool has_table(const dev_kind_t *k, const void *arg)
{
    host_cleanup(host_freep) char *key = table_key(k);

    return strcmp(key, arg) == 0;
}

const dev_kind_t *dev_core_kind_of(dev_core_t *c, const dev_table_t *t)
{
    return find_kind(c, has_table, dev_table_key(t));
}

/* -- Clock -- */

void dev_core_now(const dev_core_t *c, char out[32])
{
    dev_core_later(c, 0, out);
}

void dev_core_later(const dev_core_t *c, int64_t seconds, char out[32])
{
    const time_t at = (time_t) ((clock_wall() + c->shift) / CLOCK_S + seconds);
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void dev_core_shift_clock(dev_core_t *c, int64_t shift)
{
    c->shift = shift;
}

/* -- Serving -- */

void dev_core_serve(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply)
{
    static int (*const verbs[])(dev_core_t *, const dev_request_t *, dev_reply_t *,
                                dev_status_t *) = {
        [DEV_GET] = dev_verb_get,
        [DEV_LIST] = dev_verb_list,
        [DEV_WATCH] = NULL, /* see dev_watch_open */
        [DEV_CREATE] = dev_verb_create,
        [DEV_UPDATE] = dev_verb_update,
        [DEV_PATCH] = dev_verb_patch,
        [DEV_DELETE] = dev_verb_delete,
        [DEV_DELETE_COLLECTION] = dev_verb_delete_all,
    };
    dev_status_t st = {0};
    int ret = verbs[r->verb] == NULL ? dev_no_method(&st) : dev_check_served(r, &st);

    *reply = (dev_reply_t){.code = 200};
    if (ret == 0)
        ret = verbs[r->verb](c, r, reply, &st);
    if (ret < 0)
        dev_reply_refuse(reply, &st);
    if (dev_is_kind(r->kind, "", "Endpoints"))
        dev_warn(reply, "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 "
                        "EndpointSlice");
    dev_status_fini(&st);
}

void dev_reply_fini(dev_reply_t *r)
{
    buf_fini(&r->body);
    free(r->warning);
    r->warning = NULL;
}

/* -- Hands of the operator -- */

void dev_core_compact(dev_core_t *c)
{
    dev_store_compact(c->store);
}

int64_t dev_core_version(dev_core_t *c)
{
    return dev_store_version(c->store);
}

void dev_core_stats(dev_core_t *c, dev_core_stats_t *out)
{
    dev_store_stats_t s;

    dev_store_stats(c->store, &s);
    *out = (dev_core_stats_t){
        .objects = (int64_t) s.objects, .bytes = (int64_t) s.bytes, .events = (int64_t) s.events};
    LIST_EACH (&c->watches, it, tmp)
        out->watches++;
}

static void save_table(void *arg, dev_table_t *t)
{
    buf_t *out = arg;

    for (size_t i = 0; i < dev_table_count(t); i++) {
        const dev_object_t *o = dev_table_at(t, i);
        buf_puts(out, "{\"table\":");
        buf_json_string(out, dev_table_key(t), strlen(dev_table_key(t)));
        buf_puts(out, ",\"object\":");
        dev_object_put(o, false, out);
        buf_puts(out, "}\n");
    }
}

int dev_core_save(dev_core_t *c, const char *path, lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    dev_store_each_table(c->store, save_table, &out);
    if (out.failed)
        return host_fail(err, LH_ENOMEM, "snapshot: out of memory");
    return file_write_atomic(path, buf_text(&out), out.len, 0600, err);
}

static int load_line(dev_core_t *c, const char *line, size_t len, lh_error_t *err)
{
    cJSON *row = cJSON_ParseWithLength(line, len);
    const char *key = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "table"));
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(row, "object");
    const bool fine = key != NULL && cJSON_IsObject(tree_get(object, "metadata")) &&
                      tree_text(tree_get(object, "metadata"), "name")[0] != '\0';

    if (fine)
        dev_store_restore(c->store, dev_store_table(c->store, key), object);
    cJSON_Delete(row);
    return fine ? 0 : host_fail(err, LH_EPARSE, "not a line of a snapshot");
}

/* CRDs first: the kinds of the others' tables must be known when chores look at them. */
static void register_crds(dev_core_t *c)
{
    dev_table_t *crds = dev_store_table(c->store, "apiextensions.k8s.io/customresourcedefinitions");

    for (size_t i = 0; i < dev_table_count(crds); i++)
        dev_crd_changed(c, &(dev_event_t){.table = crds, .object = dev_table_at(crds, i)});
}

int dev_core_load(dev_core_t *c, const char *path, lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT;
    unsigned line = 0;
    int ret = file_read(path, (size_t) 4 << 30, &text, err);

    /* By its length: what a crash of the machine has left as zeros is no end, but a mistake. */
    const char *end = buf_text(&text) + text.len;
    for (const char *at = buf_text(&text), *next; ret == 0 && at < end; at = next + 1) {
        next = memchr(at, '\n', (size_t) (end - at));
        next = next != NULL ? next : end;
        line++;
        ret = load_line(c, at, (size_t) (next - at), err);
    }
    if (ret < 0)
        return host_error_wrap(err, ret, "snapshot '%s', line %u", path, line);
    dev_store_skip(c->store, VERSIONS_LOST);
    register_crds(c);
    dev_gc_restored(c);
    return 0;
}

/* -- Life -- */

static void tell(dev_core_t *c, const dev_event_t *e)
{
    const dev_kind_t *kind = c->o.on_change != NULL ? dev_core_kind_of(c, e->table) : NULL;

    if (kind == NULL)
        return;
    c->o.on_change(c->o.arg, &(dev_change_t){.what = e->gone             ? "deleted"
                                                     : e->before == NULL ? "created"
                                                                         : "changed",
                                             .kind = kind,
                                             .ns = e->object->ns,
                                             .name = e->object->name});
}

static void on_event(void *arg, const dev_event_t *e)
{
    dev_core_t *c = arg;

    if (strcmp(dev_table_key(e->table), "apiextensions.k8s.io/customresourcedefinitions") == 0)
        dev_crd_changed(c, e);
    dev_watch_event(c, e);
    dev_gc_event(c, e);
    tell(c, e);
}

int dev_core_create(const dev_core_options_t *o, dev_core_t **out, lh_error_t *err)
{
    dev_core_t *c = host_xcalloc(1, sizeof(*c));

    (void) err;
    c->o = *o;
    c->root_ca = o->ca != NULL ? host_xstrdup(o->ca) : NULL;
    c->o.ca = NULL;
    list_init(&c->watches);
    c->store = dev_store_create(&(dev_store_options_t){
        .max_bytes = o->max_bytes > 0 ? o->max_bytes : (size_t) 1 << 30,
        .max_events = o->max_events > 0 ? o->max_events : 20000,
        .on_event = on_event,
        .arg = c,
    });
    dev_gc_start(c);
    *out = c;
    return 0;
}

void dev_core_destroy(dev_core_t *c)
{
    if (c == NULL)
        return;
    dev_watches_end(c);
    dev_gc_destroy(c);
    dev_store_destroy(c->store);
    dev_customs_destroy(c);
    free(c->root_ca);
    free(c);
}
