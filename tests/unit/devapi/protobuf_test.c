/* SPDX-License-Identifier: Apache-2.0 */
/* What contract/protobuf_test.c cannot see: the rarer forms of fields, and what a real server would
 * take. 1760 random objects of all kinds were compared with what Go's decoder makes of them. */
#include "content.h"
#include "devapi/protobuf.h"

/* Reads an object of a kind: the bytes of its message. */
static int read_object(const char *version, const char *kind, const char *raw, size_t len,
                       cJSON **out, buf_t *mistake)
{
    buf_t body = BUF_INIT;

    buf_append(&body, "k8s", 4);
    buf_append(&body, "\x12", 1);
    for (size_t rest = len; true; rest >>= 7) {
        const unsigned char byte = (unsigned char) ((rest & 127) | (rest > 127 ? 128 : 0));

        buf_append(&body, &byte, 1);
        if (rest <= 127)
            break;
    }
    buf_append(&body, raw, len);
    *out = NULL;
    const int ret = dev_protobuf_read(buf_text(&body), body.len, version, kind, out, mistake);
    buf_fini(&body);
    return ret;
}

static void expect_read(const char *version, const char *kind, const char *raw, size_t len,
                        const char *json)
{
    buf_t mistake = BUF_INIT;
    cJSON *out;
    const int ret = read_object(version, kind, raw, len, &out, &mistake);

    cr_expect_eq(ret, 0, "%s: %s", json, buf_text(&mistake));
    tree_remove(out, "kind");
    tree_remove(out, "apiVersion");
    expect_json(out, json, kind);
    cJSON_Delete(out);
    buf_fini(&mistake);
}
#define EXPECT_READ(version, kind, raw, json) expect_read(version, kind, raw, sizeof(raw) - 1, json)

static void expect_mistake(const char *kind, const char *raw, size_t len, const char *text)
{
    buf_t mistake = BUF_INIT;
    cJSON *out;
    const int ret = read_object("v1", kind, raw, len, &out, &mistake);

    cr_expect_eq(ret, DEV_PROTOBUF_OBJECT, "%s gives %d", text, ret);
    EXPECT_STR(buf_text(&mistake), text);
    cr_expect_null(out);
    buf_fini(&mistake);
}
#define EXPECT_MISTAKE(kind, raw, text) expect_mistake(kind, raw, sizeof(raw) - 1, text)

#define CRD "apiextensions.k8s.io/v1", "CustomResourceDefinition"
#define EXPECT_CRD(raw, json) expect_read(CRD, raw, sizeof(raw) - 1, json)
/* metadata or spec.versions[0].schema.openAPIV3Schema.<...>; lengths are of what is behind them */
#define SCHEMA(n1, n2, n3, n4) "\x12" n1 "\x3a" n2 "\x22" n3 "\x0a" n4
#define IN_SCHEMA(json) "{'spec':{'versions':[{'schema':{'openAPIV3Schema':" json "}}]}}"

Test(protobuf, schemas_have_values_of_several_types)
{
    /* additionalProperties: false, true, a schema */
    EXPECT_CRD(SCHEMA("\x0b", "\x09", "\x07", "\x05") "\xf2\x01\x02\x08\x00",
               IN_SCHEMA("{'additionalProperties':false}"));
    EXPECT_CRD(SCHEMA("\x0b", "\x09", "\x07", "\x05") "\xf2\x01\x02\x08\x01",
               IN_SCHEMA("{'additionalProperties':true}"));
    EXPECT_CRD(SCHEMA("\x11", "\x0f", "\x0d", "\x0b") "\xf2\x01\x08\x08\x01\x12\x04\x2a\x02in",
               IN_SCHEMA("{'additionalProperties':{'type':'in'}}"));
    /* default: any JSON */
    EXPECT_CRD(SCHEMA("\x10", "\x0e", "\x0c", "\x0a") "\x42\x08\x0a\x06[1,{}]",
               IN_SCHEMA("{'default':[1,{}]}"));
    /* maximum: a double; nullable; properties: a map of schemas */
    EXPECT_CRD(SCHEMA("\x0f", "\x0d", "\x0b", "\x09") "\x49\0\0\0\0\0\0\xf8\x3f",
               IN_SCHEMA("{'maximum':1.5}"));
    EXPECT_CRD(SCHEMA("\x10", "\x0e", "\x0c", "\x0a") "\xea\x01\x07\x0a\x01p\x12\x02\x32\x00",
               IN_SCHEMA("{'properties':{'p':{}}}"));
}

Test(protobuf, extra_values_are_lists)
{
    EXPECT_READ("authorization.k8s.io/v1", "SubjectAccessReview",
                "\x12\x0f\x2a\x0d\x0a\x01k\x12\x08\x0a\x02v1\x0a\x02v2",
                "{'spec':{'extra':{'k':['v1','v2']}}}");
}

/* spec.volumes[0]: name, and the volume's source is a message around emptyDir */
Test(protobuf, inline_messages_are_members_of_their_owner)
{
    EXPECT_READ("v1", "Pod", "\x12\x0b\x0a\x09\x0a\x01v\x12\x04\x12\x02\x0a\x00",
                "{'spec':{'volumes':[{'name':'v','emptyDir':{}}]}}");
}

/* spec.securityContext.supplementalGroups */
Test(protobuf, numbers_of_a_list_may_be_packed)
{
    EXPECT_READ("v1", "Pod", "\x12\x07\x72\x05\x22\x03\x01\xac\x02",
                "{'spec':{'securityContext':{'supplementalGroups':[1,300]}}}");
    EXPECT_READ("v1", "Pod", "\x12\x06\x72\x04\x20\x01\x20\x02",
                "{'spec':{'securityContext':{'supplementalGroups':[1,2]}}}");
}

Test(protobuf, a_message_in_two_parts_is_one)
{
    EXPECT_READ("v1", "ConfigMap", "\x0a\x03\x0a\x01n\x0a\x04\x12\x02g-",
                "{'metadata':{'name':'n','generateName':'g-'}}");
}

Test(protobuf, an_empty_time_is_none)
{
    EXPECT_READ("v1", "ConfigMap", "\x0a\x02\x42\x00", "{}");
    EXPECT_READ("v1", "ConfigMap", "\x0a\x04\x42\x02\x08\x3c",
                "{'metadata':{'creationTimestamp':'1970-01-01T00:01:00Z'}}");
}

Test(protobuf, negative_numbers_have_ten_bytes)
{
    EXPECT_READ("scheduling.k8s.io/v1", "PriorityClass",
                "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "{'value':-1}");
}

Test(protobuf, what_is_no_utf8_is_replaced)
{
    EXPECT_READ("v1", "ConfigMap",
                "\x0a\x04\x0a\x02\xff"
                "a",
                "{'metadata':{'name':'\xef\xbf\xbd"
                "a'}}");
}

Test(protobuf, mistakes_are_told)
{
    EXPECT_MISTAKE("ConfigMap", "\x0a\x03\x0a\x01\0", "a text has a NUL byte");
    EXPECT_MISTAKE("ConfigMap", "\x0a\x05", "unexpected EOF");
    EXPECT_MISTAKE("ConfigMap", "\x0b", "proto: illegal wireType");
    EXPECT_MISTAKE("ConfigMap", "\x02\x00", "proto: illegal tag 0");
    EXPECT_MISTAKE("ConfigMap", "\x08\x01", "proto: wrong wireType = 0 for field metadata");
    EXPECT_MISTAKE("ConfigMap", "\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                   "proto: integer overflow");
    EXPECT_MISTAKE("ConfigMap", "\x0a\x0b\x42\x09\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
                   "Time.MarshalJSON: year outside of range [0,9999]");
}

/* Schemas in schemas ("not"), each with the length of what is in it. */
Test(protobuf, depth_is_bounded)
{
    enum { LEVELS = 200 };
    char body[LEVELS * 8];
    size_t at = sizeof(body);
    buf_t mistake = BUF_INIT;
    cJSON *out;
    static const unsigned char fields[] = {0x12, 0x3a, 0x22, 0x0a};

    for (int i = 0; i < LEVELS + (int) sizeof(fields); i++) {
        const size_t len = sizeof(body) - at;

        body[--at] = (char) (len >> 7);
        body[--at] = (char) ((len & 127) | 128);
        if (i < LEVELS)
            body[--at] = 1;
        body[--at] =
            (char) (i < LEVELS ? 0xe2 : fields[sizeof(fields) - 1 - (size_t) (i - LEVELS)]);
    }
    cr_expect_eq(read_object(CRD, body + at, sizeof(body) - at, &out, &mistake),
                 DEV_PROTOBUF_OBJECT);
    EXPECT_STR(buf_text(&mistake), "exceeded max depth");
    buf_fini(&mistake);
}

Test(protobuf, a_kind_that_is_not_known_is_nothing_but_itself)
{
    buf_t mistake = BUF_INIT;
    cJSON *out;

    cr_expect_eq(read_object("v9", "Nope", "\x0a\x01x", 3, &out, &mistake), 0);
    expect_json(out, "{'kind':'Nope','apiVersion':'v9'}", "Nope");
    cJSON_Delete(out);
    buf_fini(&mistake);
}
