/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs share: refusals with the real server's words, options, and GET. */
#include "devapi/core_impl.h"
#include "devapi/managed_write.h"

#include <stdio.h>
#include <string.h>

bool dev_is_dry(const dev_request_t *r)
{
    return dev_given(r->dry_run);
}

bool dev_is_sub(const dev_request_t *r, const char *subresource)
{
    return r->subresource != NULL && strcmp(r->subresource, subresource) == 0;
}

const char *dev_ns(const dev_request_t *r)
{
    return r->ns == NULL ? "" : r->ns;
}

dev_object_t *dev_named_object(dev_core_t *c, const dev_request_t *r)
{
    return dev_table_find(dev_core_table(c, r->kind), dev_ns(r), r->name);
}

void dev_reply_refuse(dev_reply_t *reply, const dev_status_t *st)
{
    buf_clear(&reply->body);
    reply->code = st->code;
    reply->retry_after = st->retry_after;
    dev_status_print(st, &reply->body);
}

void dev_warn(dev_reply_t *reply, const char *text)
{
    char *before = reply->warning;

    reply->warning = before == NULL ? host_xstrdup(text) : host_xprintf("%s\n%s", before, text);
    free(before);
}

bool dev_is_kind(const dev_kind_t *kind, const char *group, const char *name)
{
    return (kind->flags & DEV_CUSTOM) == 0 && strcmp(kind->kind, name) == 0 &&
           strcmp(kind->group, group) == 0;
}

char *dev_resource_text(const dev_kind_t *kind)
{
    return host_xprintf("%s%s%s", kind->resource, kind->group[0] == '\0' ? "" : ".", kind->group);
}

char *dev_api_version(const dev_kind_t *kind, const char *version)
{
    return host_xprintf("%s%s%s", kind->group, kind->group[0] == '\0' ? "" : "/", version);
}

/* -- Refusals -- */

int dev_not_found(dev_status_t *st, const dev_kind_t *kind, const char *name)
{
    host_cleanup(host_freep) char *resource = dev_resource_text(kind);

    dev_status_about(st, kind->group, kind->resource, name);
    return dev_refuse(st, 404, "NotFound", "%s \"%s\" not found", resource, name);
}

int dev_conflict(dev_status_t *st, const dev_kind_t *kind, const char *name, const char *why)
{
    host_cleanup(host_freep) char *resource = dev_resource_text(kind);

    dev_status_about(st, kind->group, kind->resource, name);
    return dev_refuse(st, 409, "Conflict", "Operation cannot be fulfilled on %s \"%s\": %s",
                      resource, name, why);
}

int dev_modified(dev_status_t *st, const dev_kind_t *kind, const char *name)
{
    return dev_conflict(st, kind, name,
                        "the object has been modified; please apply your changes to the latest "
                        "version and try again");
}

int dev_no_method(dev_status_t *st)
{
    return dev_refuse(st, 405, "MethodNotAllowed",
                      "the server does not allow this method on the requested resource");
}

/* -- Options -- */

int dev_check_dry_run(const char *value, const char *options, dev_status_t *st)
{
    if (!dev_given(value) || strcmp(value, "All") == 0)
        return 0;
    dev_cause(st, "dryRun", "FieldValueNotSupported",
              "Unsupported value: [\"%s\"]: supported values: \"All\"", value);
    return dev_judge(st, "meta.k8s.io", options, "");
}

/* Of PatchOptions alone. */
static int check_patch_options(const dev_request_t *r, dev_status_t *st)
{
    const bool apply = managed_is_apply(r);

    if (apply && !dev_given(r->field_manager))
        dev_cause(st, "fieldManager", "FieldValueRequired",
                  "Required value: is required for apply patch");
    else if (!apply && r->verb == DEV_PATCH && dev_given(r->force))
        dev_cause(st, "force", "FieldValueForbidden",
                  "Forbidden: may not be specified for non-apply patch");
    return dev_judge(st, "meta.k8s.io", "PatchOptions", "");
}

static int check_manager(const dev_request_t *r, const char *options, dev_status_t *st)
{
    const char *manager = r->field_manager == NULL ? "" : r->field_manager;

    if (strlen(manager) > MANAGED_MAX_NAME)
        dev_cause(st, "fieldManager", "FieldValueTooLong",
                  "Too long: may not be more than %d bytes", MANAGED_MAX_NAME);
    for (size_t i = 0; manager[i] != '\0'; i++) {
        const unsigned char c = (unsigned char) manager[i];
        host_cleanup(buf_fini) buf_t shown = BUF_INIT;

        if (c >= ' ' && c != 0x7f)
            continue;
        buf_json_string(&shown, manager, strlen(manager));
        dev_cause(st, "fieldManager", "FieldValueInvalid",
                  "Invalid value: %s: invalid character U+%04X (at position %zu)", buf_text(&shown),
                  c, i);
    }
    return dev_judge(st, "meta.k8s.io", options, "");
}

int dev_check_options(const dev_request_t *r, const char *options, dev_status_t *st)
{
    static const char *const rules[] = {"", "Ignore", "Strict", "Warn"};
    const char *rule = r->field_validation == NULL ? "" : r->field_validation;
    bool known = false;
    int ret = check_patch_options(r, st);

    if (ret == 0)
        ret = check_manager(r, options, st);
    if (ret == 0)
        ret = dev_check_dry_run(r->dry_run, options, st);
    for (size_t i = 0; i < HOST_LEN(rules); i++)
        known = known || strcmp(rule, rules[i]) == 0;
    if (ret < 0 || known)
        return ret;
    dev_cause(st, "fieldValidation", "FieldValueNotSupported",
              "Unsupported value: \"%s\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"",
              rule);
    return dev_judge(st, "meta.k8s.io", options, "");
}

/* -- What is served at all -- */

static bool has_sub(const dev_request_t *r)
{
    const dev_version_t *v = dev_kind_version(r->kind, r->version);

    if (dev_is_sub(r, "finalize"))
        return dev_is_kind(r->kind, "", "Namespace");
    return v != NULL &&
           ((dev_is_sub(r, "status") && v->status) || (dev_is_sub(r, "scale") && v->scale));
}

static bool has_verb(const dev_request_t *r)
{
    const bool single = r->verb == DEV_GET || r->verb == DEV_UPDATE || r->verb == DEV_PATCH;

    if (r->subresource != NULL)
        return dev_is_sub(r, "finalize") ? r->verb == DEV_UPDATE : single;
    if (r->verb == DEV_DELETE_COLLECTION && dev_is_kind(r->kind, "", "Namespace"))
        return false;
    /* Across all namespaces there is only list, watch and deletecollection. */
    return (r->kind->flags & DEV_NAMESPACED) == 0 || r->ns != NULL ||
           (r->verb != DEV_CREATE && r->verb != DEV_DELETE && !single);
}

int dev_check_served(const dev_request_t *r, dev_status_t *st)
{
    if (r->subresource != NULL && !has_sub(r))
        return (r->kind->flags & DEV_CUSTOM) != 0
                   ? dev_not_found(st, r->kind, r->name)
                   : dev_refuse(st, 404, "NotFound",
                                "the server could not find the requested resource");
    return has_verb(r) ? 0 : dev_no_method(st);
}

/* -- GET -- */

/* Not older than that. */
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
    const dev_object_t *o = dev_named_object(c, r);
    const dev_view_t view = dev_view_of(c, r);
    const int ret = check_wanted(c, r, st);

    if (ret < 0)
        return ret;
    if (o == NULL)
        return dev_not_found(st, r->kind, r->name);
    if (dev_is_sub(r, "scale"))
        return dev_get_scale(r, o, reply, st);
    dev_render(&view, o, false, &reply->body);
    return 0;
}
