/* SPDX-License-Identifier: Apache-2.0 */
/* PATCH as server-side apply: creates or changes an object so that it has what the body says. */
#include "devapi/core_impl.h"
#include "devapi/managed_write.h"
#include "devapi/patch.h"

#include "base/error.h"

#include <string.h>

/* -- The body -- */

/* JSON is YAML, too, and mostly what comes. Caller owns *out. */
static int parse(const dev_core_t *c, const dev_request_t *r, cJSON **out, dev_status_t *st)
{
    host_cleanup(buf_fini) buf_t json = BUF_INIT;
    lh_error_t err = {0};

    *out = r->body_len == 0 ? NULL : cJSON_ParseWithLength(r->body, r->body_len);
    if (*out == NULL && c->o.read_yaml == NULL)
        return dev_refuse(st, 400, "BadRequest", "error decoding YAML: only JSON is read here");
    if (*out == NULL && c->o.read_yaml(r->body, r->body_len, &json, &err) < 0)
        return dev_refuse(st, 400, "BadRequest",
                          "error decoding YAML: error converting YAML to JSON: %s", err.text);
    if (*out == NULL)
        *out = cJSON_ParseWithLength(buf_text(&json), json.len);
    if (cJSON_IsNull(*out)) {
        cJSON_Delete(*out);
        *out = cJSON_CreateObject();
    }
    if (cJSON_IsObject(*out))
        return 0;
    const char *word = dev_json_word(*out);
    cJSON_Delete(*out);
    *out = NULL;
    return dev_refuse(st, 400, "BadRequest",
                      "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: "
                      "cannot unmarshal %s into Go value of type map[string]interface {}",
                      word);
}

/* Members that come twice are all that fieldValidation is about: others must be declared. */
static int read_patch(const dev_core_t *c, const dev_request_t *r, cJSON **out, dev_reply_t *reply,
                      dev_status_t *st)
{
    host_cleanup(dev_strict_fini) dev_strict_t strict = {0};
    const char *rule = r->field_validation == NULL ? "" : r->field_validation;
    const cJSON *item;
    int ret = parse(c, r, out, st);

    if (ret < 0)
        return ret;
    dev_drop_duplicates(*out, &strict);
    cJSON_ArrayForEach (item, strict.list) {
        if (strcmp(rule, "Strict") == 0)
            return dev_refuse(st, 400, "BadRequest", "error strict decoding YAML: %s",
                              item->valuestring);
        if (strcmp(rule, "Ignore") != 0)
            dev_warn(reply, item->valuestring);
    }
    return 0;
}

/* -- Storing -- */

static int create(dev_core_t *c, const dev_request_t *r, cJSON *next, dev_reply_t *reply,
                  dev_status_t *st)
{
    host_cleanup(dev_strict_fini) dev_strict_t strict = {0};
    const char *uid = tree_text(tree_get(next, "metadata"), "uid");
    host_cleanup(host_freep) char *why = host_xprintf(
        "uid mismatch: the provided object specified uid %s, and no existing object was found",
        uid);
    int ret = uid[0] == '\0' ? 0 : dev_conflict(st, r->kind, r->name, why);

    tree_remove(tree_get(next, "metadata"), "resourceVersion");
    if (ret == 0)
        ret = dev_check_type(r, next, st);
    if (ret == 0)
        ret = dev_decode(r, next, &strict, reply, st);
    if (ret == 0)
        ret = dev_check_place(r, next, st);
    if (ret == 0)
        ret = dev_create(c, r, next, reply, st);
    return ret;
}

static int apply(dev_core_t *c, const dev_request_t *r, dev_object_t *old, cJSON *patch,
                 dev_reply_t *reply, dev_status_t *st)
{
    dev_request_t whole = *r;
    cJSON *live = NULL, *next = NULL;
    int ret = 0;

    if (dev_is_sub(r, "scale")) { /* to the object, of which it is one field */
        ret = dev_scale_patch(r, patch, st);
        whole.subresource = NULL;
    }
    if (ret == 0 && old != NULL)
        ret = dev_patch_current(&whole, old, &live, st);
    if (ret == 0)
        ret = managed_apply(c, r, live, patch, &next, st);
    if (ret == 0 && old == NULL)
        ret = create(c, r, next, reply, st);
    else if (ret == 0 && dev_is_sub(r, "scale"))
        ret = dev_put_scaled(c, r, old, next, reply, st);
    else if (ret == 0)
        ret = dev_patch_finish(c, r, old, next, reply, st);
    cJSON_Delete(live);
    cJSON_Delete(next);
    return ret;
}

int dev_verb_apply(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    dev_object_t *old = dev_named_object(c, r);
    cJSON *patch = NULL;
    int ret = dev_check_options(r, "PatchOptions", st);

    if (ret == 0)
        ret = read_patch(c, r, &patch, reply, st);
    if (ret == 0 && old == NULL && r->subresource != NULL)
        ret = dev_not_found(st, r->kind, r->name);
    if (old != NULL)
        dev_object_ref(old);
    if (ret == 0)
        ret = apply(c, r, old, patch, reply, st);
    dev_object_unref(old);
    cJSON_Delete(patch);
    return ret;
}
