/* SPDX-License-Identifier: Apache-2.0 */
/* From a body to an object that can be checked: JSON, type, decoding, fieldValidation. */
#include "devapi/core_impl.h"
#include "devapi/message.h"
#include "devapi/protobuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NOTES = 100 };

/* -- Mistakes that are not refused by themselves -- */

void dev_strict_fini(dev_strict_t *s)
{
    cJSON_Delete(s->list);
    s->list = NULL;
}

bool dev_strict_is_full(const dev_strict_t *s)
{
    return cJSON_GetArraySize(s->list) >= MAX_NOTES;
}

void dev_strict_note(dev_strict_t *s, const char *what, const char *path)
{
    host_cleanup(host_freep) char *text = host_xprintf("%s field \"%.1000s\"", what, path);

    if (s->list == NULL)
        s->list = cJSON_CreateArray();
    if (!dev_strict_is_full(s))
        cJSON_AddItemToArray(s->list, cJSON_CreateString(text));
}

static void note_unknown(void *arg, const char *path)
{
    dev_strict_note(arg, "unknown", path);
}

static int judge_strict(const dev_request_t *r, const dev_strict_t *strict, dev_reply_t *reply,
                        dev_status_t *st)
{
    const char *rule = r->field_validation == NULL ? "" : r->field_validation;
    host_cleanup(buf_fini) buf_t all = BUF_INIT;
    const cJSON *item;

    if (strict->list == NULL || strcmp(rule, "Ignore") == 0)
        return 0;
    cJSON_ArrayForEach (item, strict->list) {
        buf_printf(&all, "%s%s", all.len > 0 ? ", " : "", item->valuestring);
        if (strcmp(rule, "Strict") != 0)
            dev_warn(reply, item->valuestring);
    }
    if (strcmp(rule, "Strict") != 0)
        return 0;
    return dev_refuse(st, 400, "BadRequest",
                      "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
                      r->kind->kind, r->version, r->kind->kind, buf_text(&all));
}

/* -- Members that come more than once: the last one counts -- */

/* Where a node stands; its path is only written for a message. */
typedef struct spot {
    const struct spot *above;
    const char *name; /* NULL: an element */
    int index;
} spot_t;

static void put_path(const spot_t *s, buf_t *out)
{
    if (s == NULL)
        return;
    put_path(s->above, out);
    if (s->name != NULL)
        buf_printf(out, "%s%s", out->len > 0 ? "." : "", s->name);
    else
        buf_printf(out, "[%d]", s->index);
}

static void drop_member(cJSON *object, cJSON *item, const spot_t *at, dev_strict_t *strict)
{
    host_cleanup(buf_fini) buf_t path = BUF_INIT;

    if (!dev_strict_is_full(strict)) { /* names in it may be of megabytes */
        put_path(at, &path);
        dev_strict_note(strict, "duplicate", buf_text(&path));
    }
    cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
}

/* Which members come again, by their places; sorting keeps a big map from costing its square. */
static bool *find_repeated(const cJSON *object)
{
    size_t count;
    host_cleanup(host_freep) tree_member_t *members = tree_sort(object, &count);
    bool *again = host_xcalloc(count + 1, sizeof(*again));

    for (size_t i = 0; i + 1 < count; i++)
        again[members[i].place] = strcmp(members[i].item->string, members[i + 1].item->string) == 0;
    return again;
}

/* The reader has bounded the depth. */
static void drop_duplicates(cJSON *node, const spot_t *above, dev_strict_t *strict)
{
    host_cleanup(host_freep) bool *again = cJSON_IsObject(node) ? find_repeated(node) : NULL;
    int place = 0;

    for (cJSON *item = node == NULL ? NULL : node->child, *next; item != NULL; item = next) {
        const spot_t at = {above, item->string, place};

        next = item->next;
        if (again != NULL && again[place])
            drop_member(node, item, &at, strict);
        else if (cJSON_IsObject(item) || cJSON_IsArray(item))
            drop_duplicates(item, &at, strict);
        place++;
    }
}

void dev_drop_duplicates(cJSON *object, dev_strict_t *strict)
{
    drop_duplicates(object, NULL, strict);
}

/* -- Reading -- */

/* How a body is shown in a message: as text when it may be JSON, else in hexadecimal. */
static void summarize(const char *body, size_t len, buf_t *out)
{
    const size_t shown = HOST_MIN(len, (size_t) 30);

    if (body == NULL || len == 0) {
        buf_puts(out, "<empty>");
        return;
    }
    if (body[0] == '{')
        buf_append(out, body, shown);
    for (size_t i = 0; body[0] != '{' && i < shown; i++)
        buf_printf(out, "%02x", (unsigned char) body[i]);
    if (len > shown)
        buf_puts(out, " ...");
}

static const char *expected_kind(const dev_request_t *r)
{
    return dev_is_sub(r, "scale") ? "Scale" : r->kind->kind;
}

static int refuse_unrecognized(const dev_request_t *r, const char *why, dev_status_t *st)
{
    host_cleanup(buf_fini) buf_t shown = BUF_INIT;

    summarize(r->body, r->body_len, &shown);
    return dev_refuse(st, 400, "BadRequest",
                      "the object provided is unrecognized (must be of type %s): %s (%s)",
                      expected_kind(r), why, buf_text(&shown));
}

static int refuse_json(const dev_request_t *r, const cJSON *body, const char *end, dev_status_t *st)
{
    host_cleanup(host_freep) char *why = NULL;
    const char *word = cJSON_IsArray(body)    ? "array"
                       : cJSON_IsString(body) ? "string"
                       : cJSON_IsNumber(body) ? "number"
                                              : "bool";
    const bool cut = end == NULL || (size_t) (end - r->body) >= r->body_len;

    if (body != NULL)
        why = host_xprintf("json: cannot unmarshal %s into Go value of type struct { APIVersion "
                           "string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
                           "\"json:\\\"kind,omitempty\\\"\" }",
                           word);
    else if (cut)
        why = host_xstrdup("unexpected end of JSON input");
    else
        why = host_xprintf("invalid character '%c' looking for beginning of value", *end);
    host_cleanup(host_freep) char *whole =
        host_xprintf("couldn't get version/kind; json parse error: %s", why);
    return refuse_unrecognized(r, whole, st);
}

static bool is_json(const char *type)
{
    return !dev_given(type) || strcmp(type, "application/json") == 0 || strcmp(type, "*/*") == 0;
}

bool dev_is_protobuf(const char *type)
{
    return type != NULL && strcmp(type, "application/vnd.kubernetes.protobuf") == 0;
}

/* The version that a body of the request is expected in. Caller owns the text. */
static char *expected_version(const dev_request_t *r)
{
    return dev_is_sub(r, "scale") ? host_xstrdup("autoscaling/v1")
                                  : dev_api_version(r->kind, r->version);
}

static int read_protobuf(const dev_request_t *r, cJSON **out, dev_status_t *st)
{
    host_cleanup(host_freep) char *version = expected_version(r);
    host_cleanup(buf_fini) buf_t mistake = BUF_INIT;
    host_cleanup(dev_strict_fini) dev_strict_t ignored = {0};
    const int ret =
        dev_protobuf_read(r->body, r->body_len, version, expected_kind(r), out, &mistake);

    if (ret == DEV_PROTOBUF_ENVELOPE)
        return refuse_unrecognized(r, buf_text(&mistake), st);
    if (ret < 0)
        return dev_refuse(st, 400, "BadRequest",
                          "%s in version \"%s\" cannot be handled as a %s: %s", expected_kind(r),
                          r->version, expected_kind(r), buf_text(&mistake));
    dev_drop_duplicates(*out, &ignored);
    return 0;
}

static int refuse_media(const dev_request_t *r, dev_status_t *st)
{
    const bool custom = (r->kind->flags & DEV_CUSTOM) != 0;

    return dev_refuse(st, 415, "UnsupportedMediaType",
                      "the body of the request was in an unknown format - accepted media types "
                      "include: application/json%s",
                      custom ? "" : ", application/vnd.kubernetes.protobuf");
}

int dev_read_body(const dev_request_t *r, cJSON **out, dev_strict_t *strict, dev_status_t *st)
{
    const char *end = NULL;

    if (dev_is_protobuf(r->content_type) && (r->kind->flags & DEV_CUSTOM) == 0)
        return read_protobuf(r, out, st);
    if (!is_json(r->content_type))
        return refuse_media(r, st);
    cJSON *body =
        r->body_len == 0 ? NULL : cJSON_ParseWithLengthOpts(r->body, r->body_len, &end, 0);
    if (!cJSON_IsObject(body)) {
        const int ret = refuse_json(r, body, end, st);
        cJSON_Delete(body);
        return ret;
    }
    dev_drop_duplicates(body, strict);
    *out = body;
    return 0;
}

/* -- Type -- */

static int refuse_type(const dev_request_t *r, const cJSON *object, const char *why,
                       dev_status_t *st)
{
    const char *version = tree_text(object, "apiVersion"), *slash = strrchr(version, '/');

    return dev_refuse(st, 400, "BadRequest", "%s in version \"%s\" cannot be handled as a %s: %s",
                      tree_text(object, "kind"), slash == NULL ? version : slash + 1,
                      expected_kind(r), why);
}

/* Custom objects must say what they are. */
static int check_custom(const dev_request_t *r, const cJSON *object, const char *version,
                        dev_status_t *st)
{
    const char *kind = tree_text(object, "kind"), *given = tree_text(object, "apiVersion");

    if (kind[0] == '\0') {
        host_cleanup(host_freep) char *why = host_xprintf(
            "Object 'Kind' is missing in '%.*s'", (int) HOST_MIN(r->body_len, (size_t) 100000),
            r->body == NULL ? "" : r->body);
        return refuse_unrecognized(r, why, st);
    }
    if (r->verb != DEV_PATCH && strcmp(given, version) != 0)
        return dev_refuse(st, 400, "BadRequest",
                          "the API version in the data (%s) does not match the expected API "
                          "version (%s)",
                          given, version);
    if (strcmp(kind, r->kind->kind) != 0)
        dev_cause(st, "kind", "FieldValueInvalid", "Invalid value: \"%s\": must be %s", kind,
                  r->kind->kind);
    if (strcmp(given, version) != 0)
        dev_cause(st, "apiVersion", "FieldValueInvalid", "Invalid value: \"%s\": must be %s", given,
                  version);
    return dev_judge(st, r->kind->group, kind, tree_text(tree_get(object, "metadata"), "name"));
}

int dev_check_type(const dev_request_t *r, cJSON *object, dev_status_t *st)
{
    const bool scale = dev_is_sub(r, "scale");
    host_cleanup(host_freep) char *expected = expected_version(r);
    const char *want = expected_kind(r);

    if (!scale && (r->kind->flags & DEV_CUSTOM) != 0)
        return check_custom(r, object, expected, st);
    tree_default_text(object, "kind", want);
    tree_default_text(object, "apiVersion", expected);
    const char *kind = tree_text(object, "kind"), *version = tree_text(object, "apiVersion");
    host_cleanup(host_freep) char *why = NULL;
    if (strcmp(version, expected) != 0 || dev_message_of(version, kind) == NULL)
        why = host_xprintf("no kind \"%s\" is registered for version \"%s\" in scheme "
                           "\"pkg/runtime/scheme.go:110\"",
                           kind, version);
    else if (strcmp(kind, want) != 0)
        why = host_xprintf("converting (%s.%s) to (%s.%s): unknown conversion", r->version, kind,
                           r->kind->group[0] == '\0' ? "core" : r->kind->group, want);
    return why == NULL ? 0 : refuse_type(r, object, why, st);
}

/* -- Decoding -- */

static void prune_meta(cJSON *object, dev_strict_t *strict)
{
    static const char *const known[] = {
        "name",       "generateName",  "namespace",         "selfLink",
        "uid",        "generation",    "resourceVersion",   "creationTimestamp",
        "labels",     "annotations",   "deletionTimestamp", "deletionGracePeriodSeconds",
        "finalizers", "managedFields", "ownerReferences"};
    cJSON *meta = tree_get(object, "metadata");

    for (cJSON *item = cJSON_IsObject(meta) ? meta->child : NULL, *next; item != NULL;
         item = next) {
        bool is_known = false;

        next = item->next;
        for (size_t i = 0; i < HOST_LEN(known); i++)
            is_known = is_known || strcmp(item->string, known[i]) == 0;
        if (is_known)
            continue;
        host_cleanup(host_freep) char *path = host_xprintf("metadata.%s", item->string);
        dev_strict_note(strict, "unknown", path);
        cJSON_Delete(cJSON_DetachItemViaPointer(meta, item));
    }
    tree_remove(meta, "selfLink");
}

typedef struct owner {
    char *text; /* its members by name */
    size_t place;
} owner_t;

static char *text_of_owner(const cJSON *owner)
{
    size_t count;
    host_cleanup(host_freep) tree_member_t *members = tree_sort(owner, &count);
    buf_t out = BUF_INIT;

    for (size_t i = 0; i < count; i++) {
        char *value = cJSON_PrintUnformatted(members[i].item);
        buf_printf(&out, "%s:%s\n", members[i].item->string, value != NULL ? value : "");
        cJSON_free(value);
    }
    return buf_steal(&out);
}

static int by_text(const void *a, const void *b)
{
    const owner_t *x = a, *y = b;
    const int order = strcmp(x->text, y->text);

    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

/* Which owners are named before, by their places. */
static bool *find_equal_owners(const cJSON *owners)
{
    const size_t count = (size_t) cJSON_GetArraySize(owners);
    owner_t *list = host_xcalloc(count + 1, sizeof(*list));
    bool *again = host_xcalloc(count + 1, sizeof(*again));
    const cJSON *item;
    size_t n = 0;

    cJSON_ArrayForEach (item, owners) {
        list[n] = (owner_t){text_of_owner(item), n};
        n++;
    }
    qsort(list, n, sizeof(*list), by_text);
    for (size_t i = 1; i < n; i++)
        again[list[i].place] = strcmp(list[i - 1].text, list[i].text) == 0;
    for (size_t i = 0; i < n; i++)
        free(list[i].text);
    free(list);
    return again;
}

/* Owners are named once each. */
static void drop_equal_owners(cJSON *object, dev_reply_t *reply)
{
    cJSON *owners = tree_at(object, "metadata.ownerReferences");
    host_cleanup(buf_fini) buf_t uids = BUF_INIT;
    host_cleanup(host_freep) bool *again = cJSON_IsArray(owners) ? find_equal_owners(owners) : NULL;
    size_t place = 0;

    for (cJSON *item = again != NULL ? owners->child : NULL, *next; item != NULL; item = next) {
        next = item->next;
        if (!again[place++])
            continue;
        buf_printf(&uids, "%s%s", uids.len > 0 ? ", " : "", tree_text(item, "uid"));
        cJSON_Delete(cJSON_DetachItemViaPointer(owners, item));
    }
    if (uids.len == 0)
        return;
    host_cleanup(host_freep) char *text = host_xprintf(
        "metadata.ownerReferences contains duplicate entries; API server dedups owner references "
        "in 1.20+, and may reject such requests as early as 1.24; please fix your requests; "
        "duplicate UID(s): %s",
        buf_text(&uids));
    dev_warn(reply, text);
}

int dev_decode(const dev_request_t *r, cJSON *object, dev_strict_t *strict, dev_reply_t *reply,
               dev_status_t *st)
{
    const dev_version_t *v = dev_kind_version(r->kind, r->version);
    const bool custom = (r->kind->flags & DEV_CUSTOM) != 0;
    int ret = 0;

    if (tree_get(object, "metadata") == NULL)
        tree_set(object, "metadata", cJSON_CreateObject());
    if (custom)
        ret = dev_decode_meta(object, st);
    else if (r->kind->decode != NULL)
        ret = r->kind->decode(object, st);
    if (ret < 0)
        return ret;
    if (!cJSON_IsObject(tree_get(object, "metadata")))
        return dev_refuse(st, 400, "BadRequest", "metadata is no object");
    prune_meta(object, strict);
    dev_tidy_meta(object);
    if (!custom) {
        dev_tidy_times(object);
        dev_prune_builtin(r, object, strict);
    }
    if (v != NULL && v->schema != NULL) {
        dev_schema_prune(v->schema, object, note_unknown, strict);
        dev_schema_default(v->schema, object);
    }
    drop_equal_owners(object, reply);
    if (dev_is_kind(r->kind, "events.k8s.io", "Event"))
        dev_event_to_core(object);
    return judge_strict(r, strict, reply, st);
}

int dev_check_place(const dev_request_t *r, cJSON *object, dev_status_t *st)
{
    cJSON *meta = tree_get(object, "metadata");
    const char *ns = tree_text(meta, "namespace"), *name = tree_text(meta, "name");

    if (r->ns == NULL) {
        tree_remove(meta, "namespace"); /* a cluster-scoped object has none, whatever it says */
    } else if (ns[0] != '\0' && strcmp(ns, r->ns) != 0) {
        return dev_refuse(st, 400, "BadRequest",
                          "the namespace of the provided object does not match the namespace sent "
                          "on the request");
    }
    if (r->verb == DEV_CREATE)
        return 0;
    if (name[0] == '\0')
        return dev_refuse(st, 400, "BadRequest",
                          "the name of the object (%s based on URL) was undeterminable: name must "
                          "be provided",
                          r->name);
    if (strcmp(name, r->name) != 0)
        return dev_refuse(st, 400, "BadRequest",
                          "the name of the object (%s) does not match the name on the URL (%s)",
                          name, r->name);
    return 0;
}
