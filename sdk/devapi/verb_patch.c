/* SPDX-License-Identifier: Apache-2.0 */
/* PATCH: reads what is there, patches, and goes on as an update. */
#include "devapi/core_impl.h"
#include "devapi/managed_write.h"
#include "devapi/patch.h"

#include <string.h>

static int take_type(const dev_request_t *r, enum dev_patch *type, dev_status_t *st)
{
    static const struct {
        const char *media;
        enum dev_patch type;
    } known[] = {{"application/json-patch+json", DEV_PATCH_JSON},
                 {"application/merge-patch+json", DEV_PATCH_MERGE},
                 {"application/strategic-merge-patch+json", DEV_PATCH_STRATEGIC}};
    const char *given = r->content_type == NULL ? "" : r->content_type;
    const bool custom = (r->kind->flags & DEV_CUSTOM) != 0;

    for (size_t i = 0; i < HOST_LEN(known); i++) {
        *type = known[i].type;
        if (strcmp(given, known[i].media) == 0 && !(custom && *type == DEV_PATCH_STRATEGIC))
            return 0;
    }
    if (!custom)
        return dev_refuse(st, 415, "UnsupportedMediaType", "415: Unsupported Media Type");
    return dev_refuse(st, 415, "UnsupportedMediaType",
                      "the body of the request was in an unknown format - accepted media types "
                      "include: application/json-patch+json, application/merge-patch+json, "
                      "application/apply-patch+yaml");
}

int dev_patch_current(const dev_request_t *r, const dev_object_t *old, cJSON **out,
                      dev_status_t *st)
{
    host_cleanup(host_freep) char *version = dev_api_version(r->kind, r->version);
    cJSON *tree = dev_object_tree(old);

    if (dev_is_sub(r, "scale")) {
        const int ret = dev_scale_of(r, tree, out, st);
        cJSON_Delete(tree);
        return ret;
    }
    tree_set_text(tree, "kind", r->kind->kind);
    tree_set_text(tree, "apiVersion", version);
    if (dev_is_kind(r->kind, "events.k8s.io", "Event"))
        dev_event_from_core(tree);
    *out = tree;
    return 0;
}

/* What cannot be decoded after patching is the patch's fault: 400 becomes 422. */
static int blame_patch(const cJSON *next, int ret, dev_status_t *st)
{
    static const char mark[] = "cannot be handled as a ";

    if (ret != -400)
        return ret;
    host_cleanup(host_freep) char *shown = cJSON_PrintUnformatted(next);
    host_cleanup(host_freep) char *why = host_steal(st->message);
    host_cleanup(buf_fini) buf_t quoted = BUF_INIT;
    const char *at = why == NULL ? NULL : strstr(why, mark);
    const char *colon = at == NULL ? NULL : strstr(at, ": ");

    buf_json_string(&quoted, shown == NULL ? "" : shown, shown == NULL ? 0 : strlen(shown));
    dev_cause(st, "patch", "FieldValueInvalid", "Invalid value: %s: %s", buf_text(&quoted),
              colon != NULL ? colon + 2
              : why == NULL ? ""
                            : why);
    return dev_judge(st, "", "", "");
}

int dev_patch_finish(dev_core_t *c, const dev_request_t *r, dev_object_t *old, cJSON *next,
                     dev_reply_t *reply, dev_status_t *st)
{
    host_cleanup(dev_strict_fini) dev_strict_t strict = {0};
    const dev_view_t view = dev_view_of(c, r);
    dev_object_t *stored = NULL;
    int ret = dev_check_type(r, next, st);

    if (ret == 0)
        ret = dev_decode(r, next, &strict, reply, st);
    ret = blame_patch(next, ret, st);
    if (ret == 0)
        ret = dev_check_place(r, next, st);
    if (ret == 0)
        ret = dev_replace(c, r, old, next, &stored, st);
    if (ret == 0 && stored != NULL)
        dev_render(&view, stored, false, &reply->body);
    else if (ret == 0)
        dev_render_tree(&view, next, &reply->body);
    dev_object_unref(stored);
    return ret;
}

static int apply(dev_core_t *c, const dev_request_t *r, dev_object_t *old, enum dev_patch type,
                 dev_reply_t *reply, dev_status_t *st)
{
    cJSON *before = NULL, *next = NULL;
    int ret = dev_patch_current(r, old, &before, st);

    if (ret == 0)
        ret = dev_patch_apply(type, r->kind, before, r->body == NULL ? "" : r->body, r->body_len,
                              &next, st);
    if (ret == 0 && dev_is_sub(r, "scale")) {
        ret = blame_patch(next, dev_check_type(r, next, st), st);
        if (ret == 0)
            ret = dev_check_place(r, next, st);
        if (ret == 0)
            ret = dev_put_scale(c, r, old, next, reply, st);
    } else if (ret == 0) {
        ret = dev_patch_finish(c, r, old, next, reply, st);
    }
    cJSON_Delete(before);
    cJSON_Delete(next);
    return ret;
}

int dev_verb_patch(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    dev_object_t *old = dev_named_object(c, r);
    enum dev_patch type;

    if (managed_is_apply(r))
        return dev_verb_apply(c, r, reply, st);
    int ret = take_type(r, &type, st);
    if (ret == 0)
        ret = dev_check_options(r, "PatchOptions", st);
    if (ret < 0)
        return ret;
    if (old == NULL)
        return dev_not_found(st, r->kind, r->name);
    dev_object_ref(old);
    ret = apply(c, r, old, type, reply, st);
    dev_object_unref(old);
    return ret;
}
