/* SPDX-License-Identifier: Apache-2.0 */
/* The API server in memory. */
#include "fake.h"

#include <inttypes.h>
#include <leasehold/selector.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define get cJSON_GetObjectItemCaseSensitive

static fake_answer_t answer(int status, const cJSON *tree)
{
    return (fake_answer_t){status, cJSON_PrintUnformatted(tree)};
}

fake_answer_t fake_status(int status, const char *reason, const char *format, ...)
{
    cJSON *tree = cJSON_CreateObject();
    char *message = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        fake_die("out of memory");
    va_end(args);
    cJSON_AddStringToObject(tree, "kind", "Status");
    cJSON_AddStringToObject(tree, "apiVersion", "v1");
    cJSON_AddStringToObject(tree, "status", status < 300 ? "Success" : "Failure");
    cJSON_AddStringToObject(tree, "message", message);
    cJSON_AddStringToObject(tree, "reason", reason);
    cJSON_AddNumberToObject(tree, "code", status);
    const fake_answer_t result = answer(status, tree);
    cJSON_Delete(tree);
    free(message);
    return result;
}

/* -- Metadata -- */

static cJSON *meta_of(cJSON *object)
{
    cJSON *meta = get(object, "metadata");

    return cJSON_IsObject(meta) ? meta : cJSON_AddObjectToObject(object, "metadata");
}

static const char *meta_text(const cJSON *object, const char *key)
{
    const cJSON *item = get(get(object, "metadata"), key);

    return cJSON_IsString(item) ? item->valuestring : "";
}

static void set(cJSON *object, const char *key, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    if (value != NULL)
        cJSON_AddItemToObject(object, key, value);
}

static void set_text(cJSON *object, const char *key, const char *value)
{
    set(object, key, cJSON_CreateString(value));
}

static void set_version(lh_fake_t *f, cJSON *object)
{
    char text[24];

    (void) snprintf(text, sizeof(text), "%" PRIu64, ++f->version);
    set_text(meta_of(object), "resourceVersion", text);
}

/* Fields that only the server sets, for a new object. */
static void set_birth(lh_fake_t *f, cJSON *object)
{
    cJSON *meta = meta_of(object);
    char uid[40];

    (void) snprintf(uid, sizeof(uid), "00000000-0000-4000-8000-%012" PRIu64, ++f->uids);
    if (get(meta, "uid") == NULL)
        set_text(meta, "uid", uid);
    if (get(meta, "creationTimestamp") == NULL)
        set_text(meta, "creationTimestamp", "2026-01-02T03:04:05Z");
    if (get(object, "spec") != NULL && get(meta, "generation") == NULL)
        cJSON_AddNumberToObject(meta, "generation", 1);
}

/* -- Objects -- */

fake_object_t *fake_find_last(lh_fake_t *f, const char *path)
{
    for (size_t i = 0; i < f->objects.count; i++) {
        fake_object_t *o = f->objects.items[i];
        if (strcmp(o->path, path) == 0)
            return o;
    }
    return NULL;
}

fake_object_t *fake_find(lh_fake_t *f, const char *path)
{
    fake_object_t *o = fake_find_last(f, path);

    return o != NULL && !o->gone ? o : NULL;
}

static void store(lh_fake_t *f, const char *path, const cJSON *object)
{
    fake_object_t *o = fake_find_last(f, path);

    if (o == NULL) {
        o = fake_alloc(sizeof(*o));
        o->path = fake_dup(path);
        if (!fake_path_parse(path, &o->at))
            fake_die("'%s' is no path of an object", path);
        fake_push(&f->objects, o);
    }
    o->text = fake_keep(f, cJSON_PrintUnformatted(object));
    o->gone = false;
}

void fake_put_object(lh_fake_t *f, const char *collection, cJSON *object)
{
    fake_path_t at;

    if (!fake_path_parse(collection, &at))
        fake_die("'%s' is no path of a collection", collection);
    if (meta_text(object, "name")[0] == '\0')
        fake_die("an object without metadata.name");
    char *path = fake_path_text(&at, meta_text(object, "name"));
    set_birth(f, object);
    set_version(f, object);
    store(f, path, object);
    free(path);
    fake_path_free(&at);
    cJSON_Delete(object);
}

/* -- Verbs -- */

static fake_answer_t not_found(const fake_path_t *at)
{
    const char *group = strncmp(at->api, "/apis/", 6) == 0 ? at->api + 6 : "";
    const int len = (int) strcspn(group, "/");

    return fake_status(404, "NotFound", "%s%s%.*s \"%s\" not found", at->resource,
                       len > 0 ? "." : "", len, group, at->name);
}

/* Of the field selectors those that every kind has; -1: another one. */
static int field_matches(const char *selector, const cJSON *object)
{
    static const char *const fields[] = {"metadata.name", "metadata.namespace"};

    for (size_t i = 0; i < 2; i++) {
        const size_t len = strlen(fields[i]);
        const char *rest = selector + len;
        if (strncmp(selector, fields[i], len) != 0 || strchr(rest, ',') != NULL)
            continue;
        const bool negated = rest[0] == '!';
        const char *value = rest + negated + strspn(rest + negated, "=");
        return (strcmp(meta_text(object, fields[i] + strlen("metadata.")), value) == 0) != negated;
    }
    return -1;
}

/* 1 when a list shows the object, 0 when not, less than 0 for a selector that is none. */
static int is_listed(const fake_object_t *o, const cJSON *object, const char *labels,
                     const char *fields)
{
    const int matches =
        labels != NULL ? lh_selector_matches(labels, lh_json_text(o->text, strlen(o->text)), NULL)
                       : 1;
    const int fits = fields != NULL && fields[0] != '\0' ? field_matches(fields, object) : 1;

    if (matches < 0 || fits < 0)
        return -1;
    return matches && fits;
}

/* Adds what belongs to the page that begins at `from`; false for a selector that is none. */
static bool fill_page(lh_fake_t *f, const fake_path_t *at, const char *query, cJSON *tree)
{
    char *labels = fake_path_query(query, "labelSelector");
    char *fields = fake_path_query(query, "fieldSelector");
    char *limit = fake_path_query(query, "limit"), *from = fake_path_query(query, "continue");
    const size_t max = limit != NULL ? strtoul(limit, NULL, 10) : 0;
    cJSON *items = get(tree, "items");
    size_t count = 0;
    int listed = 0;

    for (size_t i = from != NULL ? strtoul(from, NULL, 10) : 0; i < f->objects.count; i++) {
        const fake_object_t *o = f->objects.items[i];
        if (o->gone || !fake_path_within(&o->at, at))
            continue;
        cJSON *object = cJSON_Parse(o->text);
        listed = is_listed(o, object, labels, fields);
        if (listed > 0 && max > 0 && count == max) {
            char *next = fake_printf("%zu", i);
            set_text(get(tree, "metadata"), "continue", next);
            free(next);
            i = f->objects.count - 1;
        } else if (listed > 0) {
            cJSON_AddItemToArray(items, object);
            object = NULL;
            count++;
        }
        cJSON_Delete(object);
        if (listed < 0)
            break;
    }
    free(labels);
    free(fields);
    free(limit);
    free(from);
    return listed >= 0;
}

static fake_answer_t list_objects(lh_fake_t *f, const fake_path_t *at, const char *query)
{
    cJSON *tree = cJSON_CreateObject(), *meta = cJSON_AddObjectToObject(tree, "metadata");
    char version[24];

    (void) snprintf(version, sizeof(version), "%" PRIu64, f->version);
    cJSON_AddStringToObject(tree, "kind", "List");
    cJSON_AddStringToObject(tree, "apiVersion", "v1");
    set_text(meta, "resourceVersion", version);
    cJSON_AddArrayToObject(tree, "items");
    const fake_answer_t result =
        fill_page(f, at, query, tree)
            ? answer(200, tree)
            : fake_status(400, "BadRequest",
                          "a selector that is none, or of a field that the fake "
                          "does not know");
    cJSON_Delete(tree);
    return result;
}

static fake_answer_t create_object(lh_fake_t *f, const fake_path_t *at, cJSON *body)
{
    cJSON *meta = meta_of(body);

    if (!cJSON_IsString(get(body, "kind")) || !cJSON_IsString(get(body, "apiVersion")))
        return fake_status(400, "BadRequest", "apiVersion or kind is missing");
    if (meta_text(body, "namespace")[0] != '\0' &&
        strcmp(meta_text(body, "namespace"), at->ns) != 0)
        return fake_status(400, "BadRequest", "the namespace of the object is not the path's");
    if (meta_text(body, "name")[0] == '\0' && meta_text(body, "generateName")[0] != '\0') {
        char *name = fake_printf("%s%05" PRIu64, meta_text(body, "generateName"), f->version);
        set_text(meta, "name", name);
        free(name);
    }
    if (meta_text(body, "name")[0] == '\0')
        return fake_status(422, "Invalid", "metadata.name: Required value");
    if (at->ns[0] != '\0')
        set_text(meta, "namespace", at->ns);
    char *path = fake_path_text(at, meta_text(body, "name"));
    fake_answer_t result;
    if (fake_find(f, path) != NULL) {
        result = fake_status(409, "AlreadyExists", "%s \"%s\" already exists", at->resource,
                             meta_text(body, "name"));
    } else {
        set(body, "status", NULL);
        set(meta, "uid", NULL);
        set(meta, "creationTimestamp", NULL);
        set(meta, "deletionTimestamp", NULL);
        set_birth(f, body);
        set_version(f, body);
        store(f, path, body);
        result = answer(201, body);
    }
    free(path);
    return result;
}

static void remove_object(fake_object_t *o, const cJSON *last, lh_fake_t *f)
{
    o->text = fake_keep(f, cJSON_PrintUnformatted(last));
    o->gone = true;
}

/* Keeps what a writer may not change through this path: server's fields, status or all but it. */
static void protect(const fake_path_t *at, const cJSON *old, cJSON *next)
{
    static const char *const fixed[] = {
        "uid", "creationTimestamp", "deletionTimestamp", "generation", "name", "namespace"};
    cJSON *meta = meta_of(next);

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        set(meta, fixed[i], cJSON_Duplicate(get(get(old, "metadata"), fixed[i]), 1));
    set(meta, "resourceVersion", cJSON_Duplicate(get(get(old, "metadata"), "resourceVersion"), 1));
    if (at->sub[0] == '\0') {
        set(next, "status", cJSON_Duplicate(get(old, "status"), 1));
        return;
    }
    for (const cJSON *item = old->child; item != NULL; item = item->next) {
        if (strcmp(item->string, "status") != 0)
            set(next, item->string, cJSON_Duplicate(item, 1));
    }
}

static void count_generation(const cJSON *old, cJSON *next)
{
    cJSON *generation = get(get(next, "metadata"), "generation");

    if (generation != NULL && !cJSON_Compare(get(old, "spec"), get(next, "spec"), 1))
        cJSON_SetNumberValue(generation, generation->valuedouble + 1);
}

/* A finalizer of next that old, which is being deleted, does not have. */
static bool is_too_late(const cJSON *old, const cJSON *next)
{
    const cJSON *item, *had = get(get(old, "metadata"), "finalizers");

    if (meta_text(old, "deletionTimestamp")[0] == '\0')
        return false;
    cJSON_ArrayForEach (item, get(get(next, "metadata"), "finalizers")) {
        if (fake_list_find(had, NULL, item) == NULL)
            return true;
    }
    return false;
}

static bool is_conflict(const cJSON *old, const cJSON *next, const char *key)
{
    const char *value = meta_text(next, key);

    return value[0] != '\0' && strcmp(value, meta_text(old, key)) != 0;
}

/* Replaces old by next, as far as the path allows; applies: managedFields are those of next. */
static fake_answer_t update(lh_fake_t *f, const fake_path_t *at, fake_object_t *o, const cJSON *old,
                            cJSON *next, bool applies)
{
    cJSON *fields = cJSON_Duplicate(get(get(applies ? next : old, "metadata"), "managedFields"), 1);

    protect(at, old, next);
    set(meta_of(next), "managedFields", fields);
    if (cJSON_Compare(old, next, 1))
        return answer(200, old);
    if (is_too_late(old, next))
        return fake_status(422, "Invalid",
                           "metadata.finalizers: Forbidden: no new finalizers can be added if the "
                           "object is being deleted");
    count_generation(old, next);
    set_version(f, next);
    if (meta_text(next, "deletionTimestamp")[0] != '\0' &&
        cJSON_GetArraySize(get(get(next, "metadata"), "finalizers")) == 0)
        remove_object(o, next, f);
    else
        store(f, o->path, next);
    return answer(200, next);
}

static fake_answer_t conflict(const fake_path_t *at)
{
    return fake_status(409, "Conflict",
                       "Operation cannot be fulfilled on %s \"%s\": the object has been "
                       "modified; please apply your changes to the latest version",
                       at->resource, at->name);
}

static fake_answer_t put(lh_fake_t *f, const fake_path_t *at, fake_object_t *o, const cJSON *old,
                         cJSON *body)
{
    if (is_conflict(old, body, "resourceVersion") || is_conflict(old, body, "uid"))
        return conflict(at);
    return update(f, at, o, old, body, false);
}

/* The rest of a patch, once next is made. */
static fake_answer_t patched(lh_fake_t *f, const fake_path_t *at, fake_object_t *o,
                             const cJSON *old, cJSON *next, bool applies)
{
    if (is_conflict(old, next, "resourceVersion"))
        return conflict(at);
    if (is_conflict(old, next, "uid"))
        return fake_status(422, "Invalid", "metadata.uid: field is immutable");
    return update(f, at, o, old, next, applies);
}

static bool is_type(const lh_api_request_t *r, const char *type)
{
    return r->content_type != NULL && strcmp(r->content_type, type) == 0;
}

/* Server-side apply to next, which is the object or, when there is none, what is created (o NULL). */
static fake_answer_t apply(lh_fake_t *f, const lh_api_request_t *r, const fake_path_t *at,
                           fake_object_t *o, const cJSON *old, cJSON *next, const cJSON *body)
{
    char *manager = fake_path_query(r->path, "fieldManager");
    char *force = fake_path_query(r->path, "force"), *why = NULL;
    const bool forces = force != NULL && strcmp(force, "true") == 0;
    fake_answer_t result;

    if (manager == NULL || manager[0] == '\0')
        result = fake_status(422, "Invalid",
                             "fieldManager: Required value: is required for apply "
                             "patch");
    else if ((why = fake_apply(next, body, manager, at->sub, forces)) != NULL)
        result = fake_status(409, "Conflict", "%s", why);
    else
        result = o != NULL ? patched(f, at, o, old, next, true) : create_object(f, at, next);
    free(why);
    free(manager);
    free(force);
    return result;
}

static fake_answer_t patch(lh_fake_t *f, const lh_api_request_t *r, const fake_path_t *at,
                           fake_object_t *o, const cJSON *old, const cJSON *body)
{
    cJSON *next = cJSON_Duplicate(old, 1);
    fake_answer_t result;

    if (is_type(r, "application/apply-patch+yaml")) {
        result = apply(f, r, at, o, old, next, body);
    } else if (is_type(r, "application/json-patch+json")) {
        result = fake_json_patch(next, body)
                     ? patched(f, at, o, old, next, false)
                     : fake_status(422, "Invalid", "a step of the patch does not fit");
    } else if (is_type(r, "application/merge-patch+json") ||
               is_type(r, "application/strategic-merge-patch+json")) {
        fake_merge(next, body,
                   is_type(r, "application/merge-patch+json") ? FAKE_MERGE : FAKE_STRATEGIC);
        result = patched(f, at, o, old, next, false);
    } else {
        result = fake_status(415, "UnsupportedMediaType", "no patch of the type '%s'",
                             r->content_type != NULL ? r->content_type : "");
    }
    cJSON_Delete(next);
    return result;
}

void fake_patch_object(lh_fake_t *f, const char *path, cJSON *body)
{
    fake_object_t *o = fake_find(f, path);

    if (o == NULL)
        fake_die("there is no object '%s'", path);
    cJSON *old = cJSON_Parse(o->text), *next = cJSON_Duplicate(old, 1);
    fake_merge(next, body, FAKE_MERGE);
    count_generation(old, next);
    set_version(f, next);
    store(f, path, next);
    cJSON_Delete(old);
    cJSON_Delete(next);
    cJSON_Delete(body);
}

static fake_answer_t delete_object(lh_fake_t *f, const fake_path_t *at, fake_object_t *o,
                                   cJSON *old, const cJSON *options)
{
    static const char *const fields[] = {"uid", "resourceVersion"};
    const cJSON *conditions = get(options, "preconditions");

    for (size_t i = 0; i < 2; i++) {
        const cJSON *want = get(conditions, fields[i]);
        if (cJSON_IsString(want) && strcmp(want->valuestring, meta_text(old, fields[i])) != 0)
            return fake_status(409, "Conflict", "Precondition failed: %s", fields[i]);
    }
    if (cJSON_GetArraySize(get(get(old, "metadata"), "finalizers")) == 0) {
        remove_object(o, old, f);
        return fake_status(200, "", "%s \"%s\" deleted", at->resource, at->name);
    }
    if (meta_text(old, "deletionTimestamp")[0] == '\0') {
        set_text(meta_of(old), "deletionTimestamp", "2026-01-02T04:05:06Z");
        set_version(f, old);
        store(f, o->path, old);
    }
    return answer(200, old);
}

/* A request for one object that exists. */
static fake_answer_t serve_object(lh_fake_t *f, const lh_api_request_t *r, const fake_path_t *at,
                                  fake_object_t *o, cJSON *body)
{
    cJSON *old = cJSON_Parse(o->text);
    fake_answer_t result;

    if (strcmp(r->method, "GET") == 0)
        result = answer(200, old);
    else if (strcmp(r->method, "PUT") == 0 && strcmp(meta_text(body, "name"), at->name) != 0)
        result = fake_status(400, "BadRequest", "the name of the object is not the path's");
    else if (strcmp(r->method, "PUT") == 0)
        result = put(f, at, o, old, body);
    else if (strcmp(r->method, "PATCH") == 0)
        result = patch(f, r, at, o, old, body);
    else if (strcmp(r->method, "DELETE") == 0 && at->sub[0] == '\0')
        result = delete_object(f, at, o, old, body);
    else
        result = fake_status(405, "MethodNotAllowed", "the fake does not know this method here");
    cJSON_Delete(old);
    return result;
}

static fake_answer_t serve(lh_fake_t *f, const lh_api_request_t *r, const fake_path_t *at,
                           cJSON *body)
{
    const bool get_it = strcmp(r->method, "GET") == 0, del = strcmp(r->method, "DELETE") == 0;

    if (body == NULL && !get_it && !del)
        return fake_status(400, "BadRequest", "the body is no JSON");
    if (at->name[0] == '\0' && get_it)
        return list_objects(f, at, r->path);
    if (at->name[0] == '\0' && strcmp(r->method, "POST") == 0)
        return create_object(f, at, body);
    if (at->name[0] == '\0')
        return fake_status(405, "MethodNotAllowed", "a collection is read or added to");

    char *path = fake_path_text(at, at->name);
    fake_object_t *o = fake_find(f, path);
    free(path);
    if (o == NULL && at->sub[0] == '\0' && strcmp(r->method, "PATCH") == 0 &&
        is_type(r, "application/apply-patch+yaml")) {
        cJSON *fresh = cJSON_CreateObject();
        (void) meta_of(fresh);
        const fake_answer_t result = apply(f, r, at, NULL, NULL, fresh, body);
        cJSON_Delete(fresh);
        return result;
    }
    if (o == NULL || (at->sub[0] != '\0' && strcmp(at->sub, "status") != 0))
        return not_found(at);
    return serve_object(f, r, at, o, body);
}

fake_answer_t fake_serve(lh_fake_t *f, const lh_api_request_t *request)
{
    fake_path_t at;

    if (!fake_path_parse(request->path, &at))
        return fake_status(404, "NotFound", "the server could not find the requested resource");
    cJSON *body = request->body != NULL
                      ? cJSON_ParseWithLength(request->body, (size_t) request->body_len)
                      : NULL;
    const fake_answer_t result = serve(f, request, &at, body);
    cJSON_Delete(body);
    fake_path_free(&at);
    return result;
}
