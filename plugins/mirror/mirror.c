/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each object answers for itself: a mirror compares itself with its source, a source looks after its
 * automatic mirrors and queues the others. What was missed, the first look of the next term finds.
 */
#include "mirror.h"

#include "cache_walk.h"

/* -- Mirrors -- */

/* The cache sees the instance's namespaces only: before a mirror is deleted because its source is not
 * there, the server is asked. */
static int follow_missing(const work_t *w, const object_t *mirror, const reflects_t *r,
                          lh_error_t *err)
{
    const lh_ref_t ref = ref_of(w, r->ns, r->name);
    lh_error_t why = {0};
    attempt_t attempt;

    if (!attempt_begin(w, mirror, mirror, CONTENTS_READ, &attempt))
        return 0;
    const int ret = lh_get(w->self->host, w->ctx, &ref, NULL, &why);
    if (ret < 0 && ret != LH_ENOTFOUND)
        return attempt_end(w, &attempt, mirror, ret, &why, err);
    if (ret == LH_ENOTFOUND && r->automatic)
        return copy_delete(w, mirror, "its source is gone", err);
    lh_logf(w->self->host, w->ctx, LH_LOG_WARN, "its source %s/%s is %s", r->ns, r->name,
            ret < 0 ? "not there" : "in a namespace that is not watched");
    return 0;
}

/* Its source is known to have automatic mirrors from now on, also when it has had no turn yet: should it go
 * before that, or ask for them no more, its turn looks after them. */
static int follow(const work_t *w, const object_t *mirror, const reflects_t *r, lh_error_t *err)
{
    const lh_key_t key = lh_key_of(w->watch, r->ns, r->name);
    lh_snapshot_t *snapshot = NULL;
    int ret;

    if (is_excluded(w, r->ns) ||
        (strcmp(r->ns, mirror->ns) == 0 && strcmp(r->name, mirror->name) == 0))
        return 0;
    ret = lh_cache_get(w->self->host, w->ctx, &key, &snapshot, err);
    if (ret == LH_ENOTFOUND)
        return follow_missing(w, mirror, r, err);
    if (ret < 0)
        return ret;
    const object_t source = {r->ns, r->name, lh_snapshot_json(w->self->host, snapshot), snapshot};
    if (r->automatic && sources_add(&w->self->sources, w, &source) < 0)
        ret = lh_errorf(err, LH_ENOMEM, "out of memory");
    else if (permits(w, &source, mirror->ns, r->automatic))
        ret = copy_update(w, &source, mirror, err);
    else if (r->automatic)
        ret = copy_delete(w, mirror, "its source does not permit it any more", err);
    lh_snapshot_release(w->self->host, snapshot);
    return ret;
}

/* -- Sources -- */

static int serve_existing(const work_t *w, const object_t *source, const object_t *mirror,
                          int wanted, lh_error_t *err)
{
    if (!is_mirror_of(mirror->json, source, 1)) {
        if (wanted && !is_mirror_of(mirror->json, source, 0))
            lh_logf(w->self->host, w->ctx, LH_LOG_WARN,
                    "no mirror in namespace %s: it has an object of this name", mirror->ns);
        return 0;
    }
    return wanted ? copy_update(w, source, mirror, err)
                  : copy_delete(w, mirror, "its source does not ask for it any more", err);
}

/* The automatic mirror in one namespace. */
static int serve(const work_t *w, const object_t *source, lh_json_t namespace, lh_error_t *err)
{
    char ns[64];
    lh_json_t going;
    lh_snapshot_t *existing = NULL;
    int ret = lh_json_string(namespace, "/metadata/name", ns, sizeof(ns));

    if (ret < 0 || strcmp(ns, source->ns) == 0 || is_excluded(w, ns) ||
        lh_json_at(namespace, "/metadata/deletionTimestamp", &going) == 0)
        return 0;
    const int wanted = source->json.text != NULL && permits(w, source, ns, 1);
    const lh_key_t key = lh_key_of(w->watch, ns, source->name);
    ret = lh_cache_get(w->self->host, w->ctx, &key, &existing, err);
    if (ret == LH_ENOTFOUND)
        return wanted ? copy_create(w, source, ns, err) : 0;
    if (ret < 0)
        return ret;
    const object_t mirror = {ns, source->name, lh_snapshot_json(w->self->host, existing), existing};
    ret = serve_existing(w, source, &mirror, wanted, err);
    lh_snapshot_release(w->self->host, existing);
    return ret;
}

typedef int (*visit_t)(const work_t *w, const object_t *source, lh_json_t item, lh_error_t *err);

typedef struct walk {
    const work_t *w;
    const object_t *source;
    visit_t visit;
} walk_t;

static int show(void *arg, const lh_snapshot_t *item, lh_error_t *err)
{
    const walk_t *walk = arg;

    return walk->visit(walk->w, walk->source, lh_snapshot_json(walk->w->self->host, item), err);
}

/* Shows the objects of a watch and namespace (NULL: all). */
static int each(const work_t *w, uint32_t watch, const char *ns, const object_t *source,
                visit_t visit, lh_error_t *err)
{
    walk_t walk = {w, source, visit};

    return cache_walk(w->self->host, w->ctx, watch, ns, show, &walk, err);
}

static int enqueue(const work_t *w, lh_json_t object, lh_error_t *err)
{
    char ns[64], name[254];

    if (lh_json_string(object, "/metadata/namespace", ns, sizeof(ns)) < 0 ||
        lh_json_string(object, "/metadata/name", name, sizeof(name)) < 0)
        return 0;
    const lh_key_t key = lh_key_of(w->watch, ns, name);
    return lh_enqueue(w->self->host, w->ctx, &key, err);
}

static int enqueue_direct(const work_t *w, const object_t *source, lh_json_t item, lh_error_t *err)
{
    return is_mirror_of(item, source, 0) ? enqueue(w, item, err) : 0;
}

static int enqueue_mirror(const work_t *w, const object_t *source, lh_json_t item, lh_error_t *err)
{
    reflects_t r;

    (void) source;
    return read_reflects(item, &r) ? enqueue(w, item, err) : 0;
}

/* Whether it was a source before is known of this term only; the mirrors of those before have had a look
 * at their sources when it began. */
static int look_after(const work_t *w, const object_t *source, lh_error_t *err)
{
    sources_t *known = &w->self->sources;
    const int automatic = source->json.text != NULL && is_automatic(source->json);
    int ret = 0;

    if (automatic && sources_add(known, w, source) < 0)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    if (automatic || sources_has(known, w, source))
        ret = each(w, WATCH_NAMESPACES, NULL, source, serve, err);
    if (ret == 0 && !automatic)
        sources_drop(known, w, source);
    if (ret == 0 && source->json.text != NULL && is_allowed(source->json))
        ret = each(w, w->watch, NULL, source, enqueue_direct, err);
    return ret;
}

/* -- Reconcile -- */

/* Labels decide where mirrors go. What is here when the term begins is no news: every source sees all of
 * the namespaces then. */
static int change_namespace(work_t *w, const lh_request_t *request, lh_error_t *err)
{
    const object_t none = {0};
    int ret;

    if (request->reason == LH_REASON_INITIAL)
        return 0;
    holds_forgive(&w->self->holds, request->key->name);
    if (request->object == NULL)
        return 0;
    ret = sources_enqueue(&w->self->sources, w, NULL, err);
    for (w->watch = WATCH_CONFIG_MAPS; ret == 0 && w->watch <= WATCH_SECRETS; w->watch++)
        ret = each(w, w->watch, request->key->name, &none, enqueue_mirror, err);
    return ret;
}

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    work_t w = {self, request->ctx, request->key->watch, result};
    object_t object = {
        .ns = request->key->ns, .name = request->key->name, .snapshot = request->object};
    reflects_t reflects;

    if (w.watch == WATCH_NAMESPACES)
        return change_namespace(&w, request, err);
    if (is_excluded(&w, object.ns))
        return 0;
    if (request->object != NULL)
        object.json = lh_snapshot_json(self->host, request->object);
    if (request->object != NULL && read_reflects(object.json, &reflects)) {
        sources_drop(&self->sources, &w, &object);
        return follow(&w, &object, &reflects, err);
    }
    const int ret = look_after(&w, &object, err);
    /* Its name has become free: for a mirror that was deleted, or one that it was in the way of. */
    if (ret == 0 && request->object == NULL)
        return sources_enqueue(&self->sources, &w, object.name, err);
    return ret;
}

LH_SYNC(reconcile, host)

/* -- Life -- */

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = calloc(1, sizeof(*self));

    if (self == NULL || (self->config = strdup(instance->config)) == NULL) {
        free(self);
        lh_errorf(err, LH_ENOMEM, "out of memory");
        return NULL;
    }
    self->host = host;
    self->excluded = lh_json_text("[]", 2);
    (void) lh_json_at(lh_json_text(self->config, strlen(self->config)), "/excludedNamespaces",
                      &self->excluded);
    (void) pthread_mutex_init(&self->sources.lock, NULL);
    (void) pthread_mutex_init(&self->holds.lock, NULL);
    (void) pthread_mutex_init(&self->complaints.lock, NULL);
    return self;
}

static void deactivate(lh_plugin_t *self)
{
    sources_clear(&self->sources);
    holds_clear(&self->holds);
    complaints_clear(&self->complaints);
}

static void destroy(lh_plugin_t *self)
{
    deactivate(self);
    (void) pthread_mutex_destroy(&self->sources.lock);
    (void) pthread_mutex_destroy(&self->holds.lock);
    (void) pthread_mutex_destroy(&self->complaints.lock);
    free(self->config);
    free(self);
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
    .deactivate = deactivate,
};
