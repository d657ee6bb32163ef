/* SPDX-License-Identifier: Apache-2.0 */
/* The API server in memory. */
#include "fake.h"

#include <inttypes.h>
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

static fake_answer_t list_objects(lh_fake_t *f, const fake_path_t *at)
{
    cJSON *tree = cJSON_CreateObject(), *meta = cJSON_AddObjectToObject(tree, "metadata");
    cJSON *items = cJSON_AddArrayToObject(tree, "items");
    char version[24];

    (void) snprintf(version, sizeof(version), "%" PRIu64, f->version);
    cJSON_AddStringToObject(tree, "kind", "List");
    cJSON_AddStringToObject(tree, "apiVersion", "v1");
    set_text(meta, "resourceVersion", version);
    for (size_t i = 0; i < f->objects.count; i++) {
        const fake_object_t *o = f->objects.items[i];
        if (!o->gone && fake_path_within(&o->at, at))
            cJSON_AddItemToArray(items, cJSON_Parse(o->text));
    }
    const fake_answer_t result = answer(200, tree);
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

/* Replaces old by next, as far as the path allows. */
static fake_answer_t update(lh_fake_t *f, const fake_path_t *at, fake_object_t *o, const cJSON *old,
                            cJSON *next)
{
    const char *version = meta_text(next, "resourceVersion"), *uid = meta_text(next, "uid");

    if ((version[0] != '\0' && strcmp(version, meta_text(old, "resourceVersion")) != 0) ||
        (uid[0] != '\0' && strcmp(uid, meta_text(old, "uid")) != 0))
        return fake_status(409, "Conflict",
                           "Operation cannot be fulfilled on %s \"%s\": the object has been "
                           "modified; please apply your changes to the latest version",
                           at->resource, at->name);
    protect(at, old, next);
    if (cJSON_Compare(old, next, 1))
        return answer(200, old);
    count_generation(old, next);
    set_version(f, next);
    if (meta_text(next, "deletionTimestamp")[0] != '\0' &&
        cJSON_GetArraySize(get(get(next, "metadata"), "finalizers")) == 0)
        remove_object(o, next, f);
    else
        store(f, o->path, next);
    return answer(200, next);
}

/* RFC 7396. */
static void merge(cJSON *target, const cJSON *patch)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, patch) {
        cJSON *old = get(target, item->string);
        if (cJSON_IsNull(item)) {
            set(target, item->string, NULL);
        } else if (cJSON_IsObject(item)) {
            if (!cJSON_IsObject(old)) {
                set(target, item->string, cJSON_CreateObject());
                old = get(target, item->string);
            }
            merge(old, item);
        } else {
            set(target, item->string, cJSON_Duplicate(item, 1));
        }
    }
}

static fake_answer_t patch(lh_fake_t *f, const fake_path_t *at, fake_object_t *o, const cJSON *old,
                           const cJSON *body, const char *type)
{
    if (type == NULL || strcmp(type, "application/merge-patch+json") != 0)
        return fake_status(415, "UnsupportedMediaType", "the fake knows merge patches, not '%s'",
                           type != NULL ? type : "");
    cJSON *next = cJSON_Duplicate(old, 1);
    merge(next, body);
    const fake_answer_t result = update(f, at, o, old, next);
    cJSON_Delete(next);
    return result;
}

void fake_patch_object(lh_fake_t *f, const char *path, cJSON *body)
{
    fake_object_t *o = fake_find(f, path);

    if (o == NULL)
        fake_die("there is no object '%s'", path);
    cJSON *old = cJSON_Parse(o->text), *next = cJSON_Duplicate(old, 1);
    merge(next, body);
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
        result = update(f, at, o, old, body);
    else if (strcmp(r->method, "PATCH") == 0)
        result = patch(f, at, o, old, body, r->content_type);
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
        return list_objects(f, at);
    if (at->name[0] == '\0' && strcmp(r->method, "POST") == 0)
        return create_object(f, at, body);
    if (at->name[0] == '\0')
        return fake_status(405, "MethodNotAllowed", "a collection is read or added to");

    char *path = fake_path_text(at, at->name);
    fake_object_t *o = fake_find(f, path);
    free(path);
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
