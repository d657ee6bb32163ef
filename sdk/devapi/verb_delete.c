/* SPDX-License-Identifier: Apache-2.0 */
/* DELETE of one object and of a collection: options and answers. */
#include "devapi/core_impl.h"
#include "devapi/protobuf.h"

#include <stdio.h>
#include <string.h>

/* -- DeleteOptions: of the body; without one, of the query -- */

static cJSON *parse(const dev_request_t *r, buf_t *mistake)
{
    cJSON *body = NULL;

    if (!dev_is_protobuf(r->content_type))
        return cJSON_ParseWithLength(r->body, r->body_len);
    (void) dev_protobuf_read(r->body, r->body_len, "v1", "DeleteOptions", &body, mistake);
    return body;
}

static int refuse_body(const dev_request_t *r, const cJSON *body, const buf_t *mistake,
                       dev_status_t *st)
{
    if (mistake->len > 0)
        return dev_refuse(st, 500, "", "%s", buf_text(mistake));
    if (body == NULL)
        return dev_refuse(st, 500, "",
                          "couldn't get version/kind; json parse error: invalid character '%c' "
                          "looking for beginning of value",
                          r->body[0]);
    return dev_refuse(st, 500, "",
                      "no kind \"%s\" is registered for version \"%s\" in scheme "
                      "\"pkg/runtime/scheme.go:110\"",
                      tree_text(body, "kind"), tree_text(body, "apiVersion"));
}

static int check_policy(const dev_delete_options_t *o, bool has_orphan, dev_status_t *st)
{
    static const char *const policies[] = {"", "Background", "Foreground", "Orphan"};
    bool known = false;

    for (size_t i = 0; i < HOST_LEN(policies); i++)
        known = known || strcmp(o->policy, policies[i]) == 0;
    if (o->policy[0] != '\0' && has_orphan)
        dev_cause(st, "propagationPolicy", "FieldValueInvalid",
                  "Invalid value: \"%s\": orphanDependents and deletionPropagation cannot be both "
                  "set",
                  o->policy);
    else if (!known)
        dev_cause(st, "propagationPolicy", "FieldValueNotSupported",
                  "Unsupported value: \"%s\": supported values: \"Foreground\", \"Background\", "
                  "\"Orphan\", \"nil\"",
                  o->policy);
    return dev_judge(st, "meta.k8s.io", "DeleteOptions", "");
}

static int from_query(const dev_request_t *r, dev_delete_options_t *o, dev_status_t *st)
{
    int ret = dev_given(r->grace_period) ? dev_parse_number(r->grace_period, &o->grace, st) : 0;

    if (ret == 0)
        ret = dev_check_dry_run(r->dry_run, "DeleteOptions", st);
    o->policy = r->propagation_policy == NULL ? "" : r->propagation_policy;
    o->dry = dev_is_dry(r);
    return ret < 0 ? ret : check_policy(o, false, st);
}

/* *body owns the texts of *o, and is the caller's to delete. */
static int take_options(const dev_request_t *r, cJSON **body, dev_delete_options_t *o,
                        dev_status_t *st)
{
    *o = (dev_delete_options_t){.policy = "", .grace = -1};
    if (r->body_len == 0)
        return from_query(r, o, st);
    host_cleanup(buf_fini) buf_t mistake = BUF_INIT;
    *body = parse(r, &mistake);
    if (!cJSON_IsObject(*body) || (tree_text(*body, "kind")[0] != '\0' &&
                                   strcmp(tree_text(*body, "kind"), "DeleteOptions") != 0))
        return refuse_body(r, *body, &mistake, st);
    const cJSON *dry = tree_list(tree_get(*body, "dryRun")), *item;
    const cJSON *orphan = tree_get(*body, "orphanDependents");
    int ret = 0;
    cJSON_ArrayForEach (item, dry) {
        if (ret == 0)
            ret = dev_check_dry_run(cJSON_IsString(item) ? item->valuestring : "?", "DeleteOptions",
                                    st);
    }
    o->dry = !tree_empty(dry);
    o->policy = tree_text(*body, "propagationPolicy");
    o->uid = tree_text(tree_get(*body, "preconditions"), "uid");
    o->rv = tree_text(tree_get(*body, "preconditions"), "resourceVersion");
    o->grace = (int64_t) tree_number(*body, "gracePeriodSeconds", -1);
    if (ret == 0)
        ret = check_policy(o, orphan != NULL, st);
    if (orphan != NULL)
        o->policy = cJSON_IsTrue(orphan) ? "Orphan" : "Background";
    return ret;
}

/* -- One -- */

/* Kinds that answer with the object when it is gone; the others answer with a Status. */
static bool shows_gone(const dev_kind_t *kind)
{
    static const struct {
        const char *group, *kind;
    } shown[] = {{"", "Pod"},
                 {"", "PodTemplate"},
                 {"", "Service"},
                 {"", "ServiceAccount"},
                 {"", "ResourceQuota"},
                 {"", "PersistentVolume"},
                 {"", "PersistentVolumeClaim"},
                 {"storage.k8s.io", "StorageClass"}};

    for (size_t i = 0; i < HOST_LEN(shown); i++) {
        if (dev_is_kind(kind, shown[i].group, shown[i].kind))
            return true;
    }
    return false;
}

static void reply_gone(const dev_request_t *r, const dev_object_t *o, dev_reply_t *reply)
{
    dev_status_t st = {.code = 200};

    dev_status_about(&st, r->kind->group, r->kind->resource, o->name);
    snprintf(st.uid, sizeof(st.uid), "%s", o->uid);
    dev_status_print(&st, &reply->body);
    dev_status_fini(&st);
}

static int delete_named(dev_core_t *c, const dev_request_t *r, const dev_delete_options_t *how,
                        dev_reply_t *reply, dev_status_t *st)
{
    dev_object_t *o = dev_named_object(c, r), *left = NULL;
    const dev_view_t view = dev_view_of(c, r);
    bool gone = false;

    if (o == NULL)
        return dev_not_found(st, r->kind, r->name);
    const int ret = dev_delete(c, dev_core_table(c, r->kind), o, how, &left, &gone, st);
    if (ret < 0)
        return ret;
    if (gone && !shows_gone(r->kind))
        reply_gone(r, left, reply);
    else
        dev_render(&view, left, false, &reply->body);
    dev_object_unref(left);
    return 0;
}

int dev_verb_delete(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    dev_delete_options_t how;
    cJSON *body = NULL;
    int ret = take_options(r, &body, &how, st);

    if (ret == 0)
        ret = delete_named(c, r, &how, reply, st);
    cJSON_Delete(body);
    return ret;
}

/* -- All that a list shows -- */

static void delete_listed(dev_core_t *c, const dev_request_t *r, const dev_delete_options_t *how,
                          const cJSON *items)
{
    dev_table_t *t = dev_core_table(c, r->kind);
    const cJSON *item;

    cJSON_ArrayForEach (item, items) {
        const cJSON *meta = tree_get(item, "metadata");
        dev_object_t *left = NULL,
                     *o = dev_table_find(t, tree_text(meta, "namespace"), tree_text(meta, "name"));
        dev_status_t st = {0};
        bool gone = false;

        if (o != NULL)
            (void) dev_delete(c, t, o, how, &left, &gone, &st);
        dev_object_unref(left);
        dev_status_fini(&st);
    }
}

int dev_verb_delete_all(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    dev_request_t list = *r;
    dev_delete_options_t how;
    cJSON *body = NULL;
    int ret = take_options(r, &body, &how, st);

    list.verb = DEV_LIST;
    list.shape = DEV_SHAPE_METADATA;
    if (ret == 0)
        ret = dev_verb_list(c, &list, reply, st);
    cJSON *shown = ret == 0 ? cJSON_ParseWithLength(buf_text(&reply->body), reply->body.len) : NULL;
    if (ret == 0 && r->shape != DEV_SHAPE_METADATA) {
        buf_clear(&reply->body);
        list.shape = r->shape;
        ret = dev_verb_list(c, &list, reply, st);
    }
    if (ret == 0)
        delete_listed(c, r, &how, tree_get(shown, "items"));
    cJSON_Delete(shown);
    cJSON_Delete(body);
    return ret;
}
