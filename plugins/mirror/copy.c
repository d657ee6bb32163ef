/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror.h"

#include "counter.h"

#define ANNOTATION(name) "/metadata/annotations/reflector.v1.k8s.emberstack.com~1" name

const char *resource_of(const work_t *w)
{
    return w->watch == WATCH_SECRETS ? "secrets" : "configmaps";
}

lh_ref_t ref_of(const work_t *w, const char *ns, const char *name)
{
    return lh_ref_of("v1", resource_of(w), ns, name);
}

static void tell(const work_t *w, const char *action, const object_t *mirror, const char *why)
{
    const counter_label_t labels[] = {
        {"resource", resource_of(w)}, {"action", action}, {NULL, NULL}};

    lh_logf(w->self->host, w->ctx, LH_LOG_INFO, "%s mirror %s %s/%s: %s", action, resource_of(w),
            mirror->ns, mirror->name, why);
    counter_add(w->self->host, "mirror_writes_total", "Mirrors created, updated and deleted.",
                labels);
}

/* A map of the object; {} when it has none. */
static lh_json_t part(lh_json_t object, const char *pointer)
{
    lh_json_t found;

    if (lh_json_at(object, pointer, &found) < 0 || lh_json_type(found) != '{')
        return lh_json_text("{}", 2);
    return found;
}

void version_of(lh_json_t object, char version[64])
{
    version[0] = '\0';
    (void) lh_json_string(object, "/metadata/resourceVersion", version, 64);
}

uint64_t sum_add(uint64_t sum, lh_json_t text)
{
    for (size_t i = 0; i < text.len; i++)
        sum = (sum ^ (unsigned char) text.text[i]) * 1099511628211U; /* FNV-1a */
    return sum;
}

/* Equal for equal contents. */
static uint64_t contents_of(lh_json_t source)
{
    lh_json_t type = {"", 0};
    uint64_t sum = sum_add(SUM_SEED, part(source, "/data"));

    (void) lh_json_at(source, "/type", &type);
    return sum_add(sum_add(sum, part(source, "/binaryData")), type);
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
    lh_error_t why = {0};
    attempt_t attempt;

    if (!attempt_begin(w, &mirror, source, contents_of(source->json), &attempt))
        return 0;
    char *body = print_copy(w, source);
    if (body == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    const int ret = lh_create(w->self->host, w->ctx, &ref, body, NULL, &why);
    free(body);
    if (ret == LH_EEXISTS || ret == LH_ENOTFOUND)
        return 0; /* somebody was faster, or the namespace has gone: their events lead here again */
    if (ret == 0)
        tell(w, "created", &mirror, source->ns);
    return attempt_end(w, &attempt, source, ret, &why, err);
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
    lh_error_t why = {0};
    attempt_t attempt;

    if (lh_json_same(part(source->json, "/data"), part(mirror->json, "/data")) &&
        lh_json_same(part(source->json, "/binaryData"), part(mirror->json, "/binaryData")))
        return 0;
    if (!attempt_begin(w, mirror, mirror, contents_of(source->json), &attempt))
        return 0;
    char *body = print_update(w, source, mirror);
    if (body == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    const int ret = lh_update(w->self->host, w->ctx, &ref, body, NULL, &why);
    free(body);
    if (ret == LH_ECONFLICT || ret == LH_ENOTFOUND)
        return 0; /* its newer state leads here again */
    if (ret == 0)
        tell(w, "updated", mirror, source->ns);
    return attempt_end(w, &attempt, mirror, ret, &why, err);
}

/* -- Deleting -- */

int copy_delete(const work_t *w, const object_t *mirror, const char *why, lh_error_t *err)
{
    const lh_ref_t ref = ref_of(w, mirror->ns, mirror->name);
    char uid[64] = "";
    lh_error_t failure = {0};
    attempt_t attempt;

    if (!attempt_begin(w, mirror, mirror, CONTENTS_GONE, &attempt))
        return 0;
    int ret = lh_json_string(mirror->json, "/metadata/uid", uid, sizeof(uid));
    if (ret < 0)
        return lh_errorf(err, ret, "metadata.uid: %s", lh_strerror(ret));
    const lh_delete_options_t options = {uid, attempt.version, LH_PROPAGATION_DEFAULT};
    ret = lh_delete(w->self->host, w->ctx, &ref, &options, &failure);
    if (ret == LH_ECONFLICT || ret == LH_ENOTFOUND)
        return 0;
    if (ret == 0)
        tell(w, "deleted", mirror, why);
    return attempt_end(w, &attempt, mirror, ret, &failure, err);
}
