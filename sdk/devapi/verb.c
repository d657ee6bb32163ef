/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs share: refusals, bodies, and GET. */
#include "devapi/core_impl.h"

#include <stdlib.h>
#include <string.h>

void dev_reply_refuse(dev_reply_t *reply, dev_status_t *st)
{
    buf_clear(&reply->body);
    reply->code = st->code;
    reply->retry_after = st->retry_after;
    dev_status_print(st, &reply->body);
}

int dev_not_found(dev_status_t *st, const dev_kind_t *kind, const char *name)
{
    const char *dot = kind->group[0] != '\0' ? "." : "";

    dev_status_about(st, kind->group, kind->resource, name);
    return dev_refuse(st, 404, "NotFound", "%s%s%s \"%s\" not found", kind->resource, dot,
                      kind->group, name);
}

int dev_conflict(dev_status_t *st, const dev_kind_t *kind, const char *name, const char *why)
{
    const char *dot = kind->group[0] != '\0' ? "." : "";

    dev_status_about(st, kind->group, kind->resource, name);
    return dev_refuse(st, 409, "Conflict", "Operation cannot be fulfilled on %s%s%s \"%s\": %s",
                      kind->resource, dot, kind->group, name, why);
}

bool dev_is_dry(const dev_request_t *r)
{
    return r->dry_run != NULL && strcmp(r->dry_run, "All") == 0;
}

static bool is_json_type(const char *type)
{
    return type == NULL || type[0] == '\0' || strcmp(type, "application/json") == 0 ||
           strcmp(type, "*/*") == 0;
}

static int check_type_meta(const dev_request_t *r, const cJSON *body, dev_status_t *st)
{
    const char *kind = tree_text(body, "kind"), *version = tree_text(body, "apiVersion");
    const dev_kind_t *k = r->kind;
    char expected[256];

    snprintf(expected, sizeof(expected), "%s%s%s", k->group, k->group[0] != '\0' ? "/" : "",
             r->version);
    if (r->subresource != NULL && strcmp(r->subresource, "scale") == 0)
        return 0;
    if ((kind[0] != '\0' && strcmp(kind, k->kind) != 0) ||
        (version[0] != '\0' && strcmp(version, expected) != 0))
        return dev_refuse(
            st, 400, "BadRequest",
            "%s in version \"%s\" cannot be handled as a %s: the API version and kind "
            "in the data do not match the expected %s, %s",
            kind[0] != '\0' ? kind : k->kind, version[0] != '\0' ? version : r->version, k->kind,
            expected, k->kind);
    return 0;
}

int dev_take_body(const dev_request_t *r, cJSON **out, dev_status_t *st)
{
    if (!is_json_type(r->content_type))
        return dev_refuse(st, 415, "UnsupportedMediaType",
                          "the body of the request was in an unknown format - accepted media types "
                          "include: application/json");
    cJSON *body = cJSON_ParseWithLength(r->body != NULL ? r->body : "", r->body_len);
    if (!cJSON_IsObject(body)) {
        cJSON_Delete(body);
        return dev_refuse(st, 400, "BadRequest",
                          "the object provided is unrecognized (must be of type %s): couldn't get "
                          "version/kind; json parse error",
                          r->kind->kind);
    }
    const int ret = check_type_meta(r, body, st);
    if (ret < 0) {
        cJSON_Delete(body);
        return ret;
    }
    if (!cJSON_IsObject(tree_get(body, "metadata")))
        tree_set(body, "metadata", cJSON_CreateObject());
    *out = body;
    return 0;
}

/* A version that a get asks for: "not older than". */
static int check_wanted(dev_core_t *c, const dev_request_t *r, dev_status_t *st)
{
    int64_t version;

    if (dev_parse_version(r->resource_version, &version) < 0)
        return dev_refuse(st, 500, "",
                          "resourceVersion: Invalid value: \"%s\": strconv.ParseUint: parsing "
                          "\"%s\": invalid syntax",
                          r->resource_version, r->resource_version);
    return version > dev_store_version(c->store) ? dev_too_new(c, version, st) : 0;
}

int dev_verb_get(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    const dev_object_t *o =
        dev_table_find(dev_core_table(c, r->kind), r->ns != NULL ? r->ns : "", r->name);

    const int ret = check_wanted(c, r, st);

    if (ret < 0)
        return ret;
    if (o == NULL)
        return dev_not_found(st, r->kind, r->name);
    if (r->subresource != NULL && strcmp(r->subresource, "scale") == 0)
        return dev_get_scale(r, o, reply);
    dev_render(&(dev_view_t){r->kind, r->version, r->shape}, o, false, &reply->body);
    return 0;
}
