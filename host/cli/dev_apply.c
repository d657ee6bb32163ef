/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests into the store, as `kubectl apply -f` would put them there. */
#include "base/error.h"
#include "base/file.h"
#include "cli/dev.h"
#include "config/yaml.h"

#include <string.h>
#include <unistd.h>

#define MAX_FILE (64u << 20)
#define MAX_WAIT 200 /* turns of about a millisecond until a new definition is served */

typedef struct apply {
    loop_t *loop; /* NULL: nothing is waited for */
    dev_core_t *core;
    const char *path;
    lh_error_t *err;
} apply_t;

static const char *text_at(const cJSON *object, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return s != NULL ? s : "";
}

/* -- One object -- */

typedef struct search {
    const char *group, *version, *kind;
    const dev_kind_t *found;
} search_t;

static void look(void *arg, const dev_kind_t *k)
{
    search_t *s = arg;

    if (strcmp(k->kind, s->kind) != 0 || strcmp(k->group, s->group) != 0)
        return;
    for (size_t i = 0; i < HOST_LEN(k->versions) && k->versions[i].name != NULL; i++) {
        if (strcmp(k->versions[i].name, s->version) == 0)
            s->found = k;
    }
}

/* "apps/v1" and "Deployment" into the kind; *version borrows from api_version. */
static const dev_kind_t *find_kind(dev_core_t *core, const char *api_version, const char *kind,
                                   const char **version)
{
    const char *slash = strchr(api_version, '/');
    host_cleanup(host_freep) char *group =
        host_xprintf("%.*s", slash != NULL ? (int) (slash - api_version) : 0, api_version);
    search_t s = {.group = group, .kind = kind};

    *version = slash != NULL ? slash + 1 : api_version;
    s.version = *version;
    dev_core_kinds(core, look, &s);
    return s.found;
}

/* Likewise; a definition of a custom resource that was just put there becomes a kind when the loop
 * turns. */
static const dev_kind_t *await_kind(const apply_t *a, const char *api_version, const char *kind,
                                    const char **version)
{
    const dev_kind_t *found = find_kind(a->core, api_version, kind, version);

    for (int i = 0; found == NULL && a->loop != NULL && i < MAX_WAIT; i++) {
        loop_turn(a->loop);
        found = find_kind(a->core, api_version, kind, version);
        if (found == NULL)
            usleep(1000);
    }
    return found;
}

/* The text of a Status. */
static int refused(const apply_t *a, const char *what, const dev_reply_t *reply)
{
    cJSON *status = cJSON_ParseWithLength(buf_text(&reply->body), reply->body.len);
    const int ret =
        host_fail(a->err, LH_EINVAL, "%s: %s: %s", a->path, what, text_at(status, "message"));

    cJSON_Delete(status);
    return ret;
}

static int put(const apply_t *a, dev_request_t *r, const char *name, const char *what)
{
    dev_reply_t reply;
    int ret = 0;

    dev_core_serve(a->core, r, &reply);
    if (reply.code == 409 && r->verb == DEV_CREATE) {
        dev_reply_fini(&reply);
        r->verb = DEV_PATCH;
        r->name = name;
        r->content_type = "application/merge-patch+json";
        dev_core_serve(a->core, r, &reply);
    }
    if (reply.code >= 300)
        ret = refused(a, what, &reply);
    dev_reply_fini(&reply);
    return ret;
}

static int apply_one(const apply_t *a, const cJSON *object)
{
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(object, "metadata");
    const char *api_version = text_at(object, "apiVersion"), *kind = text_at(object, "kind");
    const char *ns = text_at(meta, "namespace"), *version;
    host_cleanup(host_freep) char *what = host_xprintf("%s '%s'", kind, text_at(meta, "name"));
    dev_request_t r = {
        .verb = DEV_CREATE, .content_type = "application/json", .user_agent = "leasehold"};

    if (api_version[0] == '\0' || kind[0] == '\0')
        return host_fail(a->err, LH_EINVAL, "%s: an object has no apiVersion or no kind", a->path);
    r.kind = await_kind(a, api_version, kind, &version);
    if (r.kind == NULL)
        return host_fail(a->err, LH_EINVAL, "%s: %s: no kind '%s' of '%s' is served", a->path, what,
                         kind, api_version);
    char *text = cJSON_PrintUnformatted(object);
    r.version = version;
    if ((r.kind->flags & DEV_NAMESPACED) != 0)
        r.ns = ns[0] != '\0' ? ns : "default";
    r.body = text;
    r.body_len = strlen(text);
    const int ret = put(a, &r, text_at(meta, "name"), what);
    cJSON_free(text);
    return ret;
}

static int apply_tree(const apply_t *a, const cJSON *object)
{
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(object, "items"), *item;
    const char *kind = text_at(object, "kind");
    const size_t len = strlen(kind);
    int ret = 0;

    if (cJSON_IsNull(object))
        return 0; /* an empty document */
    if (!cJSON_IsObject(object))
        return host_fail(a->err, LH_EPARSE, "%s: a document is no object", a->path);
    if (!cJSON_IsArray(items) || len < 4 || strcmp(kind + len - 4, "List") != 0)
        return apply_one(a, object);
    cJSON_ArrayForEach (item, items) {
        if (ret == 0)
            ret = apply_tree(a, item);
    }
    return ret;
}

/* -- Files -- */

static int apply_json(const apply_t *a, const char *text, size_t len)
{
    cJSON *object = cJSON_ParseWithLength(text, len);
    const int ret = object != NULL ? apply_tree(a, object)
                                   : host_fail(a->err, LH_EPARSE, "%s: not JSON", a->path);

    cJSON_Delete(object);
    return ret;
}

static int read_yaml(const char *source, const char *text, size_t len, buf_t *json, lh_error_t *err)
{
    config_node_t node = {0};
    int ret = config_yaml_parse(source, text, len, &node, err);

    if (ret == 0) {
        ret = config_node_json(&node, json, err);
        if (ret < 0)
            ret = host_error_wrap(err, ret, "%s", source);
    }
    config_node_fini(&node);
    return ret;
}

int dev_read_yaml(const char *text, size_t len, buf_t *json, lh_error_t *err)
{
    return read_yaml("yaml", text, len, json, err);
}

/* One document; lines: those before it, which the text of an error counts as well. */
static int apply_yaml(const apply_t *a, const char *text, size_t len, size_t lines)
{
    host_cleanup(buf_fini) buf_t placed = BUF_INIT, json = BUF_INIT;

    while (lines-- > 0)
        buf_puts(&placed, "\n");
    buf_append(&placed, text, len);
    const int ret = read_yaml(a->path, buf_text(&placed), placed.len, &json, a->err);
    return ret == 0 ? apply_json(a, buf_text(&json), json.len) : ret;
}

/* The marker that begins a document: "---" alone, or with a comment. */
static bool is_marker(const char *line, size_t len)
{
    const size_t blank = len > 3 ? strspn(line + 3, " \t\r") : 0;

    return len >= 3 && strncmp(line, "---", 3) == 0 &&
           (3 + blank >= len || (blank > 0 && line[3 + blank] == '#'));
}

static int apply_documents(const apply_t *a, const char *text)
{
    const char *from = text;
    size_t lines = 0, before = 0;
    int ret = 0;

    for (const char *at = text; ret == 0 && *at != '\0';) {
        const size_t len = strcspn(at, "\n");

        if (is_marker(at, len)) {
            ret = apply_yaml(a, from, (size_t) (at - from), before);
            from = at + len;
            before = lines;
        }
        at += len + (at[len] == '\n');
        lines++;
    }
    return ret == 0 ? apply_yaml(a, from, strlen(from), before) : ret;
}

int dev_apply_file(loop_t *loop, dev_core_t *core, const char *path, lh_error_t *err)
{
    const apply_t a = {loop, core, path, err};
    host_cleanup(buf_fini) buf_t text = BUF_INIT;
    const int ret = file_read(path, MAX_FILE, &text, err);

    if (ret < 0)
        return ret;
    const char *first = buf_text(&text) + strspn(buf_text(&text), " \t\r\n");
    return *first == '{' ? apply_json(&a, buf_text(&text), text.len)
                         : apply_documents(&a, buf_text(&text));
}

/* -- The Lease -- */

void dev_apply_lease(dev_core_t *core, const char *ns, const char *name)
{
    host_cleanup(host_freep) char *body =
        host_xprintf("{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":"
                     "{\"name\":\"%s\"},\"spec\":{\"holderIdentity\":\"\"}}",
                     name);
    lh_error_t err = {0};
    const apply_t a = {NULL, core, "Lease", &err};
    dev_request_t r = {.verb = DEV_CREATE,
                       .version = "v1",
                       .user_agent = "leasehold",
                       .ns = ns,
                       .content_type = "application/json",
                       .body = body,
                       .body_len = strlen(body)};

    r.kind = dev_core_kind(core, "coordination.k8s.io", "v1", "leases");
    (void) put(&a, &r, name, name); /* without it the host leads a little later */
}
