/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror.h"

#define ANNOTATION(name) "/metadata/annotations/reflector.v1.k8s.emberstack.com~1" name

static const char *resource_of(const work_t *w)
{
    return w->watch == WATCH_SECRETS ? "secrets" : "configmaps";
}

lh_ref_t ref_of(const work_t *w, const char *ns, const char *name)
{
    return lh_ref_of("v1", resource_of(w), ns, name);
}

static void tell(const work_t *w, const char *action, const object_t *mirror, const char *why)
{
    static const char *const names[] = {"resource", "action"};
    const char *const values[] = {resource_of(w), action};
    const lh_metric_t metric = {sizeof(metric),
                                LH_METRIC_COUNTER,
                                "mirror_writes_total",
                                "Mirrors created, updated and deleted.",
                                names,
                                values,
                                2,
                                0,
                                1};

    lh_logf(w->self->host, w->ctx, LH_LOG_INFO, "%s mirror %s %s/%s: %s", action, resource_of(w),
            mirror->ns, mirror->name, why);
    (void) lh_emit_metric(w->self->host, &metric, NULL);
}

/* A map of the object; {} when it has none. */
static lh_json_t part(lh_json_t object, const char *pointer)
{
    lh_json_t found;

    if (lh_json_at(object, pointer, &found) < 0 || lh_json_type(found) != '{')
        return lh_json_text("{}", 2);
    return found;
}

static void version_of(lh_json_t source, char version[64])
{
    version[0] = '\0';
    (void) lh_json_string(source, "/metadata/resourceVersion", version, 64);
}

/* -- Creating -- */

static char *print_copy(const work_t *w, const object_t *source)
{
    char now[LH_TIME_SIZE], version[64];
    const lh_json_t data = part(source->json, "/data");
    lh_json_t more = part(source->json, "/binaryData");

    lh_time_print(lh_time_now(), now);
    version_of(source->json, version);
    if (w->watch == WATCH_SECRETS && lh_json_at(source->json, "/type", &more) < 0)
        more = lh_json_text("\"Opaque\"", 8);
    return lh_json_printf("{'apiVersion':'v1','kind':'%s','metadata':{'name':'%s','annotations':{"
                          "'" PREFIX "auto-reflects':'True','" PREFIX "reflects':'%s/%s',"
                          "'" PREFIX "reflected-version':'%s','" PREFIX "reflected-at':'%s'}},"
                          "'data':%.*s,'%s':%.*s}",
                          w->watch == WATCH_SECRETS ? "Secret" : "ConfigMap", source->name,
                          source->ns, source->name, version, now, (int) data.len, data.text,
                          w->watch == WATCH_SECRETS ? "type" : "binaryData", (int) more.len,
                          more.text);
}

int copy_create(const work_t *w, const object_t *source, const char *ns, lh_error_t *err)
{
    const object_t mirror = {.ns = ns, .name = source->name};
    const lh_ref_t ref = ref_of(w, ns, source->name);
    char *body = print_copy(w, source);

    if (body == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    const int ret = lh_create(w->self->host, w->ctx, &ref, body, NULL, err);
    free(body);
    if (ret == LH_EEXISTS || ret == LH_ENOTFOUND)
        return 0; /* somebody was faster, or the namespace has gone: their events lead here again */
    if (ret == 0)
        tell(w, "created", &mirror, source->ns);
    return ret;
}

/* -- Updating -- */

/* *text = *text with a value at the pointer; freed and NULL when memory is out. */
static void put(char **text, const char *pointer, lh_json_t value)
{
    char *copy = lh_json_printf("%.*s", (int) value.len, value.text);
    char *next = copy != NULL && *text != NULL
                     ? lh_json_with(lh_json_text(*text, strlen(*text)), pointer, copy)
                     : NULL;

    free(copy);
    free(*text);
    *text = next;
}

static void put_string(char **text, const char *pointer, const char *value)
{
    char *quoted = lh_json_printf("'%s'", value);

    put(text, pointer, quoted != NULL ? lh_json_text(quoted, strlen(quoted)) : (lh_json_t){"", 0});
    free(quoted);
}

static char *print_update(const work_t *w, const object_t *source, const object_t *mirror)
{
    char now[LH_TIME_SIZE], version[64];
    char *text = lh_json_printf("%.*s", (int) mirror->json.len, mirror->json.text);

    lh_time_print(lh_time_now(), now);
    version_of(source->json, version);
    put(&text, "/data", part(source->json, "/data"));
    if (w->watch == WATCH_CONFIG_MAPS)
        put(&text, "/binaryData", part(source->json, "/binaryData"));
    put_string(&text, ANNOTATION("reflected-version"), version);
    put_string(&text, ANNOTATION("reflected-at"), now);
    return text;
}

/* The whole object with its resourceVersion: another's change in between is a conflict, not a loss. */
int copy_update(const work_t *w, const object_t *source, const object_t *mirror, lh_error_t *err)
{
    const lh_ref_t ref = ref_of(w, mirror->ns, mirror->name);

    if (lh_json_same(part(source->json, "/data"), part(mirror->json, "/data")) &&
        lh_json_same(part(source->json, "/binaryData"), part(mirror->json, "/binaryData")))
        return 0;
    char *body = print_update(w, source, mirror);
    if (body == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    const int ret = lh_update(w->self->host, w->ctx, &ref, body, NULL, err);
    free(body);
    if (ret == LH_ECONFLICT || ret == LH_ENOTFOUND)
        return 0; /* its newer state leads here again */
    if (ret == 0)
        tell(w, "updated", mirror, source->ns);
    return ret;
}

/* -- Deleting -- */

int copy_delete(const work_t *w, const object_t *mirror, const char *why, lh_error_t *err)
{
    const lh_ref_t ref = ref_of(w, mirror->ns, mirror->name);
    char uid[64] = "", version[64];

    version_of(mirror->json, version);
    int ret = lh_json_string(mirror->json, "/metadata/uid", uid, sizeof(uid));
    if (ret < 0)
        return lh_errorf(err, ret, "metadata.uid: %s", lh_strerror(ret));
    const lh_delete_options_t options = {uid, version, LH_PROPAGATION_DEFAULT};
    ret = lh_delete(w->self->host, w->ctx, &ref, &options, err);
    if (ret == LH_ECONFLICT || ret == LH_ENOTFOUND)
        return 0;
    if (ret == 0)
        tell(w, "deleted", mirror, why);
    return ret;
}
