/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of the type application/vnd.kubernetes.protobuf, as kubectl create and typed clients of
 * client-go send them. */
#include "contract.h"

/* A message on the way; texts and messages of up to 127 bytes. */
typedef struct message {
    char data[512];
    size_t len;
} message_t;

static void add(message_t *m, const void *data, size_t len)
{
    REQUIRE_TRUE(m->len + len <= sizeof(m->data));
    memcpy(m->data + m->len, data, len);
    m->len += len;
}

static void add_number(message_t *m, int field, unsigned char value)
{
    add(m, (const char[]){(char) (field << 3), (char) value}, 2);
}

static void add_part(message_t *m, int field, const void *data, size_t len)
{
    REQUIRE_TRUE(len < 128);
    add(m, (const char[]){(char) (field << 3 | 2), (char) len}, 2);
    add(m, data, len);
}

static void add_text(message_t *m, int field, const char *text)
{
    add_part(m, field, text, strlen(text));
}

static void add_message(message_t *m, int field, const message_t *part)
{
    add_part(m, field, part->data, part->len);
}

static void add_pair(message_t *m, int field, const char *key, const char *value)
{
    message_t pair = {.len = 0};

    add_text(&pair, 1, key);
    add_text(&pair, 2, value);
    add_message(m, field, &pair);
}

/* An object with a name: its metadata is field 1. */
static message_t named(const char *name)
{
    message_t meta = {.len = 0}, object = {.len = 0};

    add_text(&meta, 1, name);
    add_text(&meta, 3, ""); /* the namespace; clients send empty texts too */
    add_message(&object, 1, &meta);
    return object;
}

/* The envelope; "" leaves version and kind empty. */
static message_t wrap(const char *version, const char *kind, const message_t *object)
{
    message_t type = {.len = 0}, body = {.len = 0};

    add_text(&type, 1, version);
    add_text(&type, 2, kind);
    add(&body, "k8s", 4);
    add_message(&body, 1, &type);
    add_message(&body, 2, object);
    add_text(&body, 3, "");
    add_text(&body, 4, "");
    return body;
}

static api_reply_t send(const contract_t *c, const char *method, const char *path,
                        const message_t *body)
{
    return api_ask(c->api, &(api_request_t){.method = method,
                                            .path = path,
                                            .content_type = "application/vnd.kubernetes.protobuf",
                                            .accept = "application/vnd.kubernetes.protobuf;q=0, "
                                                      "application/json",
                                            .body = body->data,
                                            .body_len = body->len});
}

/* -- Objects -- */

static void a_config_map_is_created(void *arg)
{
    contract_t *c = arg;
    message_t object = named("pb-map"), pair = {.len = 0};

    add_pair(&object, 2, "k", "v");
    add_text(&pair, 1, "b");
    add_part(&pair, 2, "\0\1\2", 3);
    add_message(&object, 3, &pair);
    add_number(&object, 4, 0);
    const message_t body = wrap("v1", "ConfigMap", &object);
    API_REPLY r = send(c, "POST", c->configmaps, &body);
    REQUIRE_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/kind"), "ConfigMap");
    EXPECT_STR(api_str(r.json, "/metadata/namespace"), c->ns);
    EXPECT_STR(api_str(r.json, "/data/k"), "v");
    EXPECT_STR(api_str(r.json, "/binaryData/b"), "AAEC");
    EXPECT_STR(api_str(r.json, "/immutable"), "false");
}

static void kind_and_version_may_be_left_empty(void *arg)
{
    contract_t *c = arg;
    const message_t object = named("pb-untyped"), body = wrap("", "", &object);
    API_REPLY r = send(c, "POST", c->configmaps, &body);

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/metadata/name"), "pb-untyped");
}

static void an_unknown_field_is_skipped(void *arg)
{
    contract_t *c = arg;
    message_t object = named("pb-unknown");

    add_text(&object, 15, "what is this");
    const message_t body = wrap("v1", "ConfigMap", &object);
    API_REPLY r = send(c, "POST", c->configmaps, &body);
    EXPECT_INT(r.status, 201);
}

static void a_key_given_twice_has_its_last_value(void *arg)
{
    contract_t *c = arg;
    message_t object = named("pb-twice");

    add_pair(&object, 2, "k", "first");
    add_pair(&object, 2, "k", "last");
    const message_t body = wrap("v1", "ConfigMap", &object);
    const char *path = contract_text("%s?fieldValidation=Strict", c->configmaps);
    API_REPLY r = send(c, "POST", path, &body);
    REQUIRE_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/data/k"), "last");
}

static void an_object_is_put(void *arg)
{
    contract_t *c = arg;
    message_t object = named("pb-put");

    contract_create(c, "pb-put", NULL, "before");
    add_pair(&object, 2, "other", "after");
    const message_t body = wrap("v1", "ConfigMap", &object);
    API_REPLY r = send(c, "PUT", contract_path(c->configmaps, "pb-put"), &body);
    REQUIRE_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/other"), "after");
    EXPECT_STR(api_str(r.json, "/data/k"), "");
}

/* port 80 on a named port, and 81 on a numbered one */
static void numbers_or_texts_are_either(void *arg)
{
    contract_t *c = arg;
    message_t object = named("pb-service"), spec = {.len = 0};

    for (int i = 0; i < 2; i++) {
        message_t port = {.len = 0}, target = {.len = 0};

        add_number(&target, 1, i == 0);
        add_number(&target, 2, i == 0 ? 0 : 99);
        add_text(&target, 3, i == 0 ? "http" : "");
        add_text(&port, 1, i == 0 ? "a" : "b");
        add_number(&port, 3, (unsigned char) (80 + i));
        add_message(&port, 4, &target);
        add_message(&spec, 1, &port);
    }
    add_message(&object, 2, &spec);
    const message_t body = wrap("v1", "Service", &object);
    API_REPLY r = send(c, "POST", c->services, &body);
    REQUIRE_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/spec/ports/0/targetPort"), "http");
    EXPECT_INT(api_int(r.json, "/spec/ports/1/targetPort"), 99);
    EXPECT_STR(api_str(r.json, "/spec/ports/1/protocol"), "TCP");
}

static void a_micro_time_keeps_its_microseconds(void *arg)
{
    contract_t *c = arg;
    message_t object = named("pb-lease"), spec = {.len = 0}, time = {.len = 0};

    add_number(&time, 1, 90);          /* seconds */
    add(&time, "\x10\xc0\xc4\x07", 4); /* 123,456 ns in field 2 */
    add_text(&spec, 1, "me");
    add_number(&spec, 2, 15);
    add_message(&spec, 4, &time);
    add_message(&object, 2, &spec);
    const message_t body = wrap("coordination.k8s.io/v1", "Lease", &object);
    API_REPLY r = send(c, "POST", c->leases, &body);
    REQUIRE_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/spec/renewTime"), "1970-01-01T00:01:30.000123Z");
    EXPECT_STR(api_str(r.json, "/spec/acquireTime"), "");
    EXPECT_INT(api_int(r.json, "/spec/leaseDurationSeconds"), 15);
}

/* Field 1 of its spec is a pointer, field 4 (minReadySeconds) is a plain number. */
static void a_zero_is_kept_where_it_means_something(void *arg)
{
    contract_t *c = arg;
    message_t object = named("pb-deploy"), spec = {.len = 0}, selector = {.len = 0},
              meta = {.len = 0}, template = {.len = 0}, pod = {.len = 0}, container = {.len = 0};

    add_pair(&selector, 1, "app", "x");
    add_pair(&meta, 11, "app", "x");
    add_text(&container, 1, "c");
    add_text(&container, 2, "i");
    add_message(&pod, 2, &container);
    add_message(&template, 1, &meta);
    add_message(&template, 2, &pod);
    add_number(&spec, 1, 0);
    add_message(&spec, 2, &selector);
    add_message(&spec, 3, &template);
    add_number(&spec, 5, 0);
    add_message(&object, 2, &spec);
    const message_t body = wrap("apps/v1", "Deployment", &object);
    API_REPLY r = send(c, "POST", c->deployments, &body);
    REQUIRE_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/spec/replicas"), "0");
    EXPECT_TRUE(api_at(r.json, "/spec/minReadySeconds") == NULL);
    EXPECT_STR(api_str(r.json, "/spec/strategy/type"), "RollingUpdate");
    EXPECT_STR(api_str(r.json, "/spec/template/spec/containers/0/image"), "i");
}

static void a_review_is_answered(void *arg)
{
    contract_t *c = arg;
    message_t attributes = {.len = 0}, spec = {.len = 0}, object = {.len = 0};

    add_text(&attributes, 2, "get");
    add_text(&attributes, 5, "pods");
    add_message(&spec, 1, &attributes);
    add_text(&object, 1, "");
    add_message(&object, 2, &spec);
    const message_t body = wrap("authorization.k8s.io/v1", "SelfSubjectAccessReview", &object);
    API_REPLY r = send(c, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &body);
    REQUIRE_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/status/allowed"), "true");
    EXPECT_STR(api_str(r.json, "/spec/resourceAttributes/resource"), "pods");
}

/* -- Options -- */

static void delete_options_are_read(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_path(c->configmaps, "pb-dry");
    message_t options = {.len = 0};

    contract_create(c, "pb-dry", NULL, "v");
    add_text(&options, 5, "All");
    const message_t body = wrap("v1", "DeleteOptions", &options);
    API_REPLY dry = send(c, "DELETE", path, &body);
    EXPECT_INT(dry.status, 200);
    API_REPLY left = api_get(c->api, "%s", path);
    EXPECT_INT(left.status, 200);
    options.len = 0;
    add_text(&options, 5, "Some");
    const message_t bad = wrap("v1", "DeleteOptions", &options);
    API_REPLY r = send(c, "DELETE", path, &bad);
    EXPECT_ERROR(&r, 422, "Invalid", "dryRun: Unsupported value: [\"Some\"]");
}

/* -- What is refused -- */

static void what_is_no_envelope_is_400(void *arg)
{
    static const struct {
        const char *data;
        size_t len;
        const char *message;
    } bodies[] = {
        {"xx", 2,
         "the object provided is unrecognized (must be of type ConfigMap): provided data does not "
         "appear to be a protobuf message, expected prefix [107 56 115 0] (7878)"},
        {"{\"kind\":\"ConfigMap\"}", 20,
         "expected prefix [107 56 115 0] ({\"kind\":\"ConfigMap\"})"},
        {"k8s", 4, "empty body (6b387300)"},
        {"k8s\0\xff\xff", 6, "unexpected EOF (6b387300ffff)"},
    };
    contract_t *c = arg;

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        message_t body = {.len = 0};

        add(&body, bodies[i].data, bodies[i].len);
        API_REPLY r = send(c, "POST", c->configmaps, &body);
        EXPECT_ERROR(&r, 400, "BadRequest", bodies[i].message);
    }
}

static void a_message_that_is_cut_off_is_400(void *arg)
{
    contract_t *c = arg;
    message_t object = named("pb-cut");

    object.len -= 3;
    const message_t body = wrap("v1", "ConfigMap", &object);
    API_REPLY r = send(c, "POST", c->configmaps, &body);
    EXPECT_ERROR(&r, 400, "BadRequest",
                 "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: unexpected EOF");
}

static void a_field_of_another_wire_type_is_400(void *arg)
{
    contract_t *c = arg;
    message_t object = {.len = 0};

    add_number(&object, 1, 5);
    const message_t body = wrap("v1", "ConfigMap", &object);
    API_REPLY r = send(c, "POST", c->configmaps, &body);
    EXPECT_ERROR(&r, 400, "BadRequest", "proto: wrong wireType = 0 for field ");
}

static void another_kind_is_400(void *arg)
{
    static const struct {
        const char *version, *kind, *why;
    } types[] = {
        {"v1", "Secret",
         "Secret in version \"v1\" cannot be handled as a ConfigMap: converting (v1.Secret) to "
         "(core.ConfigMap): unknown conversion"},
        {"v1", "Nope",
         "Nope in version \"v1\" cannot be handled as a ConfigMap: no kind \"Nope\" is registered "
         "for version \"v1\""},
        {"apps/v1", "ConfigMap", "no kind \"ConfigMap\" is registered for version \"apps/v1\""},
    };
    contract_t *c = arg;
    const message_t object = named("pb-other");

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const message_t body = wrap(types[i].version, types[i].kind, &object);
        API_REPLY r = send(c, "POST", c->configmaps, &body);
        EXPECT_ERROR(&r, 400, "BadRequest", types[i].why);
    }
}

static void a_patch_in_protobuf_is_415(void *arg)
{
    contract_t *c = arg;
    const message_t object = named("pb-patch"), body = wrap("v1", "ConfigMap", &object);

    contract_create(c, "pb-patch", NULL, "v");
    API_REPLY r = send(c, "PATCH", contract_path(c->configmaps, "pb-patch"), &body);
    EXPECT_ERROR(&r, 415, "UnsupportedMediaType", "415: Unsupported Media Type");
}

static const tap_test_t tests[] = {
    {"a ConfigMap in protobuf is created", a_config_map_is_created},
    {"kind and version may be left empty in protobuf", kind_and_version_may_be_left_empty},
    {"an unknown field in protobuf is skipped", an_unknown_field_is_skipped},
    {"a key given twice in protobuf has its last value", a_key_given_twice_has_its_last_value},
    {"an object in protobuf is put", an_object_is_put},
    {"a number or text in protobuf is either", numbers_or_texts_are_either},
    {"a micro time in protobuf keeps its microseconds", a_micro_time_keeps_its_microseconds},
    {"a zero in protobuf is kept where it means something",
     a_zero_is_kept_where_it_means_something},
    {"a review in protobuf is answered", a_review_is_answered},
    {"DeleteOptions in protobuf are read", delete_options_are_read},
    {"a body without protobuf's envelope is 400", what_is_no_envelope_is_400},
    {"a message in protobuf that is cut off is 400", a_message_that_is_cut_off_is_400},
    {"a field in protobuf of another wire type is 400", a_field_of_another_wire_type_is_400},
    {"another kind in protobuf is 400", another_kind_is_400},
    {"a patch in protobuf is 415", a_patch_in_protobuf_is_415},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "protobuf", tests, sizeof(tests) / sizeof(tests[0]));
}
