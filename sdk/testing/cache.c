/* SPDX-License-Identifier: Apache-2.0 */
/* The cache: what the store holds of the manifest's watches. */
#include "fake.h"

#include <leasehold/json.h>

#include <stdlib.h>
#include <string.h>

static fake_watch_t *watch_of(lh_fake_t *f, uint32_t watch, lh_error_t *err)
{
    if (watch < f->watches.count)
        return f->watches.items[watch];
    (void) lh_errorf(err, LH_EINVAL, "cache: watch %u, but the manifest has %zu", watch,
                     f->watches.count);
    return NULL;
}

/* The watch, if the cache may be asked; else NULL with *code set. */
static fake_watch_t *enter(lh_fake_t *f, lh_ctx_t ctx, uint32_t watch, int *code, lh_error_t *err)
{
    fake_watch_t *w = watch_of(f, watch, err);

    *code = w == NULL ? LH_EINVAL : fake_ctx_check(f, ctx, err);
    if (*code < 0)
        return NULL;
    if (!w->synced || f->activating)
        *code = lh_errorf(err, LH_EUNAVAILABLE, "cache: %s has not synced yet", w->resource);
    return *code == 0 ? w : NULL;
}

int fake_key_check(const lh_key_t *key, lh_error_t *err)
{
    if (key == NULL || key->ns == NULL || key->name == NULL || key->name[0] == '\0')
        return lh_errorf(err, LH_EINVAL, "key: ns or name is missing (ns may be \"\")");
    if (strlen(key->ns) > 253 || strlen(key->name) > 253)
        return lh_errorf(err, LH_EINVAL, "key: ns or name is longer than 253 bytes");
    return 0;
}

static int cache_get(const lh_host_t *host, lh_ctx_t ctx, const lh_key_t *key, lh_snapshot_t **out,
                     lh_error_t *err)
{
    lh_fake_t *f = fake_of(host);
    int code = 0;

    if (out == NULL)
        return lh_errorf(err, LH_EINVAL, "cache_get: out is NULL");
    code = fake_key_check(key, err);
    if (code < 0)
        return code;
    pthread_mutex_lock(&f->lock);
    if (key->struct_size < sizeof(*key))
        fake_fault(f, "an lh_key_t without its struct_size");
    const fake_watch_t *w = enter(f, ctx, key->watch, &code, err);
    if (w != NULL) {
        char *path = fake_watch_path(w, key->ns, key->name);
        const fake_object_t *o = fake_find(f, path);
        if (o != NULL)
            *out = (lh_snapshot_t *) fake_handle_create(f, FAKE_SNAPSHOT, o->text);
        else
            code = lh_errorf(err, LH_ENOTFOUND, "cache: no %s '%s%s%s'", w->resource, key->ns,
                             key->ns[0] != '\0' ? "/" : "", key->name);
        free(path);
    }
    pthread_mutex_unlock(&f->lock);
    return code;
}

/* -- Walks -- */

/* One term of a selector, "key", "!key", "key=value", "key!=value", and the object's labels. */
static bool term_matches(const char *term, size_t len, const cJSON *labels)
{
    char *text = fake_printf("%.*s", (int) len, term);
    const bool negated = text[0] == '!' || strstr(text, "!=") != NULL;
    char *key = text + (text[0] == '!' ? 1 : 0), *value = strchr(text, '=');

    if (value != NULL) {
        if (value > text && value[-1] == '!')
            value[-1] = '\0';
        *value++ = '\0';
        if (*value == '=')
            value++;
    }
    const cJSON *label = cJSON_GetObjectItemCaseSensitive(labels, key);
    const bool found =
        cJSON_IsString(label) && (value == NULL || strcmp(label->valuestring, value) == 0);
    free(text);
    return found != negated;
}

static bool labels_match(const char *selector, const cJSON *object)
{
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(object, "metadata");
    const cJSON *labels = cJSON_GetObjectItemCaseSensitive(meta, "labels");

    while (selector != NULL && *selector != '\0') {
        const size_t len = strcspn(selector, ",");
        if (!term_matches(selector, len, labels))
            return false;
        selector += len + (selector[len] == ',' ? 1 : 0);
    }
    return true;
}

static bool owned_by(const char *uid, const cJSON *object)
{
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(object, "metadata");
    const cJSON *owner;

    if (uid == NULL)
        return true;
    cJSON_ArrayForEach (owner, cJSON_GetObjectItemCaseSensitive(meta, "ownerReferences")) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(owner, "uid");
        if (cJSON_IsString(item) && strcmp(item->valuestring, uid) == 0)
            return true;
    }
    return false;
}

static void fix_keys(lh_fake_t *f, const fake_watch_t *w, const lh_query_t *q, fake_handle_t *h)
{
    fake_path_t at;
    char *path = fake_watch_path(w, q->ns != NULL ? q->ns : "", NULL);

    (void) fake_path_parse(path, &at);
    for (size_t i = 0; i < f->objects.count; i++) {
        const fake_object_t *o = f->objects.items[i];
        if (o->gone || !fake_path_within(&o->at, &at))
            continue;
        cJSON *object = cJSON_Parse(o->text);
        if (labels_match(q->label_selector, object) && owned_by(q->owner_uid, object))
            fake_push(&h->keys, fake_dup(o->path));
        cJSON_Delete(object);
    }
    fake_path_free(&at);
    free(path);
}

/* A selector made of the name of an object, which may be longer than any label's value. */
static bool has_long_value(const char *selector)
{
    for (const char *at = selector; at != NULL && (at = strchr(at, '=')) != NULL;) {
        at += strspn(at, "=");
        if (strcspn(at, ",") > 63)
            return true;
    }
    return false;
}

static int cache_list(const lh_host_t *host, lh_ctx_t ctx, const lh_query_t *query,
                      lh_cursor_t **out, lh_error_t *err)
{
    lh_fake_t *f = fake_of(host);
    int code = 0;

    if (query == NULL || out == NULL)
        return lh_errorf(err, LH_EINVAL, "cache_list: query or out is NULL");
    if (query->label_selector != NULL && strpbrk(query->label_selector, "()") != NULL)
        return lh_errorf(err, LH_EINVAL, "cache_list: the fake does not know sets in selectors");
    if (has_long_value(query->label_selector))
        return lh_errorf(err, LH_EINVAL, "cache_list: a label's value has at most 63 characters");
    pthread_mutex_lock(&f->lock);
    if (query->struct_size < sizeof(*query))
        fake_fault(f, "an lh_query_t without its struct_size");
    const fake_watch_t *w = enter(f, ctx, query->watch, &code, err);
    if (w != NULL) {
        fake_handle_t *h = fake_handle_create(f, FAKE_CURSOR, w->resource);
        h->ctx = ctx;
        fix_keys(f, w, query, h);
        *out = (lh_cursor_t *) h;
    }
    pthread_mutex_unlock(&f->lock);
    return code;
}

static int cursor_next(const lh_host_t *host, lh_cursor_t *cursor, lh_snapshot_t **out,
                       lh_error_t *err)
{
    lh_fake_t *f = fake_of(host);
    fake_handle_t *h = (fake_handle_t *) cursor;

    if (cursor == NULL || out == NULL)
        return lh_errorf(err, LH_EINVAL, "cursor_next: cursor or out is NULL");
    pthread_mutex_lock(&f->lock);
    *out = NULL;
    while (*out == NULL && h->at < h->keys.count) {
        const fake_object_t *o = fake_find(f, h->keys.items[h->at++]);
        if (o != NULL)
            *out = (lh_snapshot_t *) fake_handle_create(f, FAKE_SNAPSHOT, o->text);
    }
    pthread_mutex_unlock(&f->lock);
    return 0;
}

void fake_table_cache(lh_host_t *host)
{
    host->cache_get = cache_get;
    host->cache_list = cache_list;
    host->cursor_next = cursor_next;
}

/* -- The test's side -- */

void lh_fake_put(lh_fake_t *f, uint32_t watch, const char *json)
{
    const fake_watch_t *w = fake_watch(f, watch);
    cJSON *object = fake_parse(json);
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(object, "metadata");
    const cJSON *ns = cJSON_GetObjectItemCaseSensitive(meta, "namespace");
    char *collection = fake_watch_path(w, cJSON_IsString(ns) ? ns->valuestring : "", NULL);

    if (cJSON_GetObjectItemCaseSensitive(object, "apiVersion") == NULL)
        cJSON_AddStringToObject(object, "apiVersion", w->api_version);
    if (cJSON_GetObjectItemCaseSensitive(object, "kind") == NULL)
        cJSON_AddStringToObject(object, "kind", w->kind);
    pthread_mutex_lock(&f->lock);
    fake_put_object(f, collection, object);
    pthread_mutex_unlock(&f->lock);
    free(collection);
}

void lh_fake_put_at(lh_fake_t *f, const char *collection, const char *json)
{
    pthread_mutex_lock(&f->lock);
    fake_put_object(f, collection, fake_parse(json));
    pthread_mutex_unlock(&f->lock);
}

void lh_fake_patch(lh_fake_t *f, const char *path, const char *json)
{
    pthread_mutex_lock(&f->lock);
    fake_patch_object(f, path, fake_parse(json));
    pthread_mutex_unlock(&f->lock);
}

void lh_fake_remove(lh_fake_t *f, uint32_t watch, const char *ns, const char *name)
{
    char *path = fake_watch_path(fake_watch(f, watch), ns, name);

    pthread_mutex_lock(&f->lock);
    fake_object_t *o = fake_find(f, path);
    if (o != NULL)
        o->gone = true;
    pthread_mutex_unlock(&f->lock);
    free(path);
}

const char *lh_fake_object(lh_fake_t *f, const char *path)
{
    pthread_mutex_lock(&f->lock);
    const fake_object_t *o = fake_find(f, path);
    pthread_mutex_unlock(&f->lock);
    return o != NULL ? o->text : NULL;
}

const char *lh_fake_value(lh_fake_t *f, const char *path, const char *pointer)
{
    const char *text = lh_fake_object(f, path);
    lh_json_t value;

    if (text == NULL || lh_json_at(lh_json_text(text, strlen(text)), pointer, &value) < 0)
        return NULL;
    char *copy = fake_alloc(value.len + 1);
    if (lh_json_type(value) != 's' || lh_json_string(value, "", copy, value.len + 1) < 0)
        memcpy(copy, value.text, value.len);
    return fake_keep(f, copy);
}

size_t lh_fake_objects(lh_fake_t *f, const char *prefix)
{
    size_t count = 0;

    for (size_t i = 0; i < f->objects.count; i++) {
        const fake_object_t *o = f->objects.items[i];
        if (!o->gone && strncmp(o->path, prefix, strlen(prefix)) == 0)
            count++;
    }
    return count;
}

void lh_fake_set_synced(lh_fake_t *f, uint32_t watch, int synced)
{
    fake_watch(f, watch)->synced = synced != 0;
}
