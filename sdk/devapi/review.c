/* SPDX-License-Identifier: Apache-2.0 */
/* Reviews of access and identity: kinds that are asked, not stored. The one user may do everything,
 * everybody else nothing. */
#include "devapi/http_impl.h"
#include "devapi/protobuf.h"
#include "devapi/tree.h"

#include <string.h>

#define AUTHORIZATION "authorization.k8s.io"
#define AUTHENTICATION "authentication.k8s.io"

/* clang-format off */
#define REVIEW(group_, resource_, singular_, kind_, flags_)                                        \
    {.group = (group_), .resource = (resource_), .singular = (singular_), .kind = (kind_),         \
     .list_kind = kind_ "List", .flags = DEV_CREATE_ONLY | (flags_), .versions = {{.name = "v1"}}}
/* clang-format on */

enum { LOCAL_ACCESS, SELF_ACCESS, SELF_RULES, ACCESS, SELF, TOKEN };

static const dev_kind_t kinds[] = {
    [LOCAL_ACCESS] = REVIEW(AUTHORIZATION, "localsubjectaccessreviews", "localsubjectaccessreview",
                            "LocalSubjectAccessReview", DEV_NAMESPACED),
    [SELF_ACCESS] = REVIEW(AUTHORIZATION, "selfsubjectaccessreviews", "selfsubjectaccessreview",
                           "SelfSubjectAccessReview", 0),
    [SELF_RULES] = REVIEW(AUTHORIZATION, "selfsubjectrulesreviews", "selfsubjectrulesreview",
                          "SelfSubjectRulesReview", 0),
    [ACCESS] = REVIEW(AUTHORIZATION, "subjectaccessreviews", "subjectaccessreview",
                      "SubjectAccessReview", 0),
    [SELF] =
        REVIEW(AUTHENTICATION, "selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview", 0),
    [TOKEN] = REVIEW(AUTHENTICATION, "tokenreviews", "tokenreview", "TokenReview", 0),
};

const dev_kind_t *dev_review_kinds(size_t *count)
{
    *count = HOST_LEN(kinds);
    return kinds;
}

static const dev_kind_t *find(const dev_target_t *t)
{
    for (size_t i = 0; i < HOST_LEN(kinds); i++) {
        if (strcmp(kinds[i].resource, t->plural) == 0 && strcmp(kinds[i].group, t->group) == 0 &&
            strcmp(t->version, "v1") == 0 &&
            ((kinds[i].flags & DEV_NAMESPACED) != 0) == (t->ns != NULL))
            return &kinds[i];
    }
    return NULL;
}

bool dev_review_serves(const dev_target_t *t)
{
    return find(t) != NULL && t->name == NULL;
}

/* -- What each of them answers, as JSON of .status -- */

static void note(dev_status_t *st, const char *field, const char *value, const char *text)
{
    dev_cause(st, field, "FieldValueInvalid", "Invalid value: %s: %s", value, text);
}

static void check_attributes(const cJSON *spec, dev_status_t *st)
{
    if ((tree_get(spec, "resourceAttributes") == NULL) ==
        (tree_get(spec, "nonResourceAttributes") == NULL))
        note(st, "spec.resourceAttributes", "null",
             "exactly one of nonResourceAttributes or resourceAttributes must be specified");
}

static const char *review_self_access(const cJSON *spec, dev_status_t *st)
{
    check_attributes(spec, st);
    return "{\"allowed\":true}";
}

static const char *review_access(const cJSON *spec, dev_status_t *st)
{
    const char *user = tree_text(spec, "user");

    check_attributes(spec, st);
    if (user[0] == '\0' && tree_empty(tree_get(spec, "groups")))
        note(st, "spec.user", "\"\"", "at least one of user or group must be specified");
    return strcmp(user, DEV_USER) == 0 || tree_has_text(tree_get(spec, "groups"), "system:masters")
               ? "{\"allowed\":true}"
               : "{\"allowed\":false}";
}

static const char *review_rules(const cJSON *spec, dev_status_t *st)
{
    if (tree_text(spec, "namespace")[0] == '\0')
        (void) dev_refuse(st, 400, "BadRequest", "no namespace on request");
    return "{\"resourceRules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}],"
           "\"nonResourceRules\":[{\"verbs\":[\"*\"],\"nonResourceURLs\":[\"*\"]}],"
           "\"incomplete\":false}";
}

#define WHO                                                                                        \
    "{\"username\":\"" DEV_USER "\",\"groups\":[\"system:masters\",\"system:authenticated\"]}"

static const char *review_self(const cJSON *spec, dev_status_t *st)
{
    (void) spec;
    (void) st;
    return "{\"userInfo\":" WHO "}";
}

static const char *review(const exchange_t *x, const dev_kind_t *kind, const cJSON *spec,
                          dev_status_t *st)
{
    switch (kind - kinds) {
    case SELF_ACCESS:
        return review_self_access(spec, st);
    case SELF_RULES:
        return review_rules(spec, st);
    case SELF:
        return review_self(spec, st);
    case TOKEN:
        return strcmp(tree_text(spec, "token"), x->http->token) == 0
                   ? "{\"authenticated\":true,\"user\":" WHO "}"
                   : "{\"user\":{},\"error\":\"invalid bearer token\"}";
    default:
        return review_access(spec, st);
    }
}

/* -- The exchange -- */

/* False after an answer. *body is NULL when it is no JSON. */
static bool read_body(exchange_t *x, const dev_kind_t *kind, cJSON **body)
{
    const char *type = http_head_get(x->head, "Content-Type");
    const buf_t *text = http_conn_body(x->conn);
    host_cleanup(host_freep) char *version = host_xprintf("%s/v1", kind->group);
    host_cleanup(buf_fini) buf_t mistake = BUF_INIT;

    if (type == NULL || strncmp(type, "application/json", 16) == 0) {
        *body = cJSON_ParseWithLength(buf_text(text), text->len);
    } else if (strncmp(type, "application/vnd.kubernetes.protobuf", 35) != 0) {
        exchange_fail(x, 415, "UnsupportedMediaType",
                      "the body of the request was in an unknown format - accepted media types "
                      "include: application/json, application/vnd.kubernetes.protobuf");
        return false;
    } else if (dev_protobuf_read(buf_text(text), text->len, version, kind->kind, body, &mistake) <
               0) {
        exchange_fail(x, 400, "BadRequest", buf_text(&mistake));
        return false;
    }
    return true;
}

static void answer(exchange_t *x, const dev_kind_t *kind, cJSON *body, const char *status)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    cJSON *spec = cJSON_DetachItemFromObjectCaseSensitive(body, "spec");
    cJSON *shown = cJSON_CreateObject(), *meta = cJSON_AddObjectToObject(shown, "metadata");

    if (x->target.ns != NULL)
        cJSON_AddStringToObject(meta, "namespace", x->target.ns);
    if (spec != NULL)
        cJSON_AddItemToObject(shown, "spec", spec);
    cJSON_AddRawToObject(shown, "status", status);
    char *text = cJSON_PrintUnformatted(shown);
    buf_printf(&out, "{\"kind\":\"%s\",\"apiVersion\":\"%s/v1\",", kind->kind, kind->group);
    buf_puts(&out, text + 1);
    cJSON_free(text);
    cJSON_Delete(shown);
    exchange_json(x, 201, "application/json", &out);
}

void exchange_review(exchange_t *x)
{
    const dev_kind_t *kind = find(&x->target);
    dev_status_t st = {0};
    cJSON *body = NULL;

    if (strcmp(x->head->method, "POST") != 0) {
        exchange_no_method(x);
        return;
    }
    if (!read_body(x, kind, &body))
        return;
    const char *status = "";
    if (cJSON_IsObject(body))
        status = review(x, kind, tree_get(body, "spec"), &st);
    else
        (void) dev_refuse(&st, 400, "BadRequest", "the object provided is no %s", kind->kind);
    if (st.code == 0)
        (void) dev_judge(&st, kind->group, "", "");
    if (st.code != 0)
        exchange_refuse(x, &st);
    else
        answer(x, kind, body, status);
    cJSON_Delete(body);
}
