/* SPDX-License-Identifier: Apache-2.0 */
/* The scale subresource: autoscaling/v1 Scale over the replicas of an object. */
#include "devapi/core_impl.h"
#include "devapi/managed_write.h"

#include <stdio.h>
#include <string.h>

/* Where the replicas are; paths as tree_at takes them. */
typedef struct places {
    const char *wanted, *actual, *selector; /* selector NULL: none */
} places_t;

static const char *path_or(const char *path, const char *otherwise)
{
    return path == NULL ? otherwise : path + (path[0] == '.');
}

static places_t places_of(const dev_request_t *r)
{
    const dev_version_t *v = dev_kind_version(r->kind, r->version);
    const char *selector = v->label_selector_path;

    return (places_t){path_or(v->spec_replicas_path, "spec.replicas"),
                      path_or(v->status_replicas_path, "status.replicas"),
                      selector == NULL ? NULL : path_or(selector, "")};
}

static char *selector_of(const dev_request_t *r, const cJSON *object, const places_t *p)
{
    if ((r->kind->flags & DEV_CUSTOM) == 0)
        return dev_selector_text(tree_at(object, "spec.selector"));
    const char *text =
        p->selector == NULL ? NULL : cJSON_GetStringValue(tree_at(object, p->selector));
    return host_xstrdup(text == NULL ? "" : text);
}

int dev_scale_of(const dev_request_t *r, const cJSON *object, cJSON **out, dev_status_t *st)
{
    static const char *const shown[] = {"name", "namespace", "uid", "resourceVersion",
                                        "creationTimestamp"};
    const places_t p = places_of(r);
    const cJSON *wanted = tree_at(object, p.wanted), *actual = tree_at(object, p.actual);

    if (wanted == NULL && (r->kind->flags & DEV_CUSTOM) != 0)
        return dev_refuse(st, 500, "InternalError",
                          "Internal error occurred: the spec replicas field \".%s\" does not exist",
                          p.wanted);
    host_cleanup(host_freep) char *selector = selector_of(r, object, &p);
    cJSON *scale = cJSON_CreateObject(), *meta, *spec, *status;
    tree_set_text(scale, "kind", "Scale");
    tree_set_text(scale, "apiVersion", "autoscaling/v1");
    meta = tree_object(scale, "metadata");
    spec = tree_object(scale, "spec");
    status = tree_object(scale, "status");
    for (size_t i = 0; i < HOST_LEN(shown); i++)
        tree_set(meta, shown[i],
                 cJSON_Duplicate(tree_get(tree_get(object, "metadata"), shown[i]), true));
    if (cJSON_IsNumber(wanted) && wanted->valuedouble != 0)
        tree_set(spec, "replicas", cJSON_CreateNumber(wanted->valuedouble));
    tree_set(status, "replicas",
             cJSON_CreateNumber(cJSON_IsNumber(actual) ? actual->valuedouble : 0));
    if (selector[0] != '\0')
        tree_set_text(status, "selector", selector);
    *out = scale;
    return 0;
}

static int render_scale(const dev_request_t *r, const cJSON *object, dev_reply_t *reply,
                        dev_status_t *st)
{
    cJSON *scale = NULL;
    const int ret = dev_scale_of(r, object, &scale, st);

    if (ret == 0)
        dev_render_json(scale, &reply->body);
    cJSON_Delete(scale);
    return ret;
}

int dev_get_scale(const dev_request_t *r, const dev_object_t *o, dev_reply_t *reply,
                  dev_status_t *st)
{
    cJSON *object = dev_object_tree(o);
    const int ret = render_scale(r, object, reply, st);

    cJSON_Delete(object);
    return ret;
}

static int check_replicas(const cJSON *scale, double *out, dev_status_t *st)
{
    const cJSON *replicas = tree_at(scale, "spec.replicas");
    const char *name = tree_text(tree_get(scale, "metadata"), "name");

    *out = cJSON_IsNumber(replicas) ? replicas->valuedouble : 0;
    if (replicas != NULL && (!cJSON_IsNumber(replicas) || *out != (double) (int32_t) *out))
        return dev_refuse(st, 400, "BadRequest",
                          "Scale in version \"v1\" cannot be handled as a Scale: json: cannot "
                          "unmarshal %s into Go struct field ScaleSpec.spec.replicas of type int32",
                          cJSON_IsString(replicas) ? "string" : "number");
    if (*out < 0)
        dev_cause(st, "spec.replicas", "FieldValueInvalid",
                  "Invalid value: %.0f: must be greater than or equal to 0", *out);
    return dev_judge(st, "autoscaling", "Scale", name);
}

static void insert_path(const field_path_t *up, const char *path, field_set_t *out)
{
    const size_t len = strcspn(path, ".");
    host_cleanup(host_freep) char *step = host_xprintf("f:%.*s", (int) len, path);

    if (path[len] == '.')
        insert_path(FIELD_STEP(up, step), path + len + 1, out);
    else
        field_set_insert(out, FIELD_STEP(up, step));
}

field_set_t dev_scale_fields(const dev_request_t *r)
{
    field_set_t replicas = {0};

    insert_path(NULL, places_of(r).wanted, &replicas);
    return replicas;
}

/* Sets the number, which is taken, that a path leads to; objects on the way are made. */
static void set_at(cJSON *object, const char *path, cJSON *number)
{
    char step[128];

    for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        snprintf(step, sizeof(step), "%.*s", (int) (dot - path), path);
        object = tree_object(object, step);
    }
    tree_set(object, path, number);
}

bool dev_scale_is_zero(const dev_request_t *r, const cJSON *object)
{
    const cJSON *replicas = tree_at(object, places_of(r).wanted);

    return !cJSON_IsNumber(replicas) || replicas->valuedouble == 0;
}

bool dev_scale_owned(const dev_request_t *r, const managed_t *m)
{
    field_set_t replicas = dev_scale_fields(r);
    bool owned = false;

    for (size_t i = 0; i < m->n && !owned; i++) {
        field_set_t both = field_set_copy(&replicas);
        field_set_intersect(&both, &m->at[i].fields);
        owned = !field_set_is_empty(&both);
        field_set_fini(&both);
    }
    field_set_fini(&replicas);
    return owned;
}

/* The patch of a Scale becomes one of the object: its replicas. */
int dev_scale_patch(const dev_request_t *r, cJSON *patch, dev_status_t *st)
{
    const field_type_t type = {.source = FIELD_OF_MESSAGE,
                               .message = dev_message_of("autoscaling/v1", "Scale"),
                               .whole = true};
    host_cleanup(host_freep) char *whole = dev_api_version(r->kind, r->version);
    const int ret = managed_check(patch, &type, "autoscaling/v1", "Scale", st);

    if (ret < 0)
        return ret;
    cJSON *wanted = cJSON_Duplicate(tree_at(patch, "spec.replicas"), true);
    tree_set_text(patch, "kind", r->kind->kind);
    tree_set_text(patch, "apiVersion", whole);
    tree_remove(patch, "spec");
    tree_remove(patch, "status");
    if (wanted != NULL)
        set_at(patch, places_of(r).wanted, wanted);
    return 0;
}

static int put_scaled(dev_core_t *c, const dev_request_t *r, dev_object_t *old, cJSON *next,
                      dev_reply_t *reply, dev_status_t *st)
{
    dev_object_t *stored = NULL;
    int ret = dev_replace(c, r, old, next, &stored, st);
    cJSON *shown = ret == 0 && stored != NULL ? dev_object_tree(stored) : NULL;

    if (ret == 0)
        ret = render_scale(r, shown == NULL ? next : shown, reply, st);
    cJSON_Delete(shown);
    dev_object_unref(stored);
    return ret;
}

int dev_put_scaled(dev_core_t *c, const dev_request_t *r, dev_object_t *old, cJSON *next,
                   dev_reply_t *reply, dev_status_t *st)
{
    cJSON *scale = NULL;
    double replicas;
    int ret = dev_scale_of(r, next, &scale, st);

    if (ret == 0)
        ret = check_replicas(scale, &replicas, st);
    cJSON_Delete(scale);
    return ret == 0 ? put_scaled(c, r, old, next, reply, st) : ret;
}

int dev_put_scale(dev_core_t *c, const dev_request_t *r, dev_object_t *old, const cJSON *scale,
                  dev_reply_t *reply, dev_status_t *st)
{
    const places_t p = places_of(r);
    const cJSON *meta = tree_get(scale, "metadata");
    double replicas;
    int ret = check_replicas(scale, &replicas, st);

    if (ret == 0)
        ret = dev_check_uid(r, tree_text(meta, "uid"), old->uid, st);
    if (ret == 0 && tree_text(meta, "resourceVersion")[0] != '\0' &&
        strtoll(tree_text(meta, "resourceVersion"), NULL, 10) != old->version)
        ret = dev_modified(st, r->kind, r->name);
    if (ret < 0)
        return ret;
    cJSON *next = dev_object_tree(old);
    set_at(next, p.wanted, cJSON_CreateNumber(replicas));
    ret = put_scaled(c, r, old, next, reply, st);
    cJSON_Delete(next);
    return ret;
}
