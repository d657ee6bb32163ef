/* SPDX-License-Identifier: Apache-2.0 */
#include "content.h"
#include "devapi/names.h"

#define SUBDOMAIN                                                                                  \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define QNAME                                                                                      \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "         \
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

static const struct {
    const char *group, *kind, *metadata, *causes;
} rows[] = {
    {"", "ConfigMap", "{'name':'a.b-c.9','namespace':'ns'}", ""},
    {"", "ConfigMap", "{'namespace':'ns'}",
     "metadata.name: Required value: name or generateName is required"},
    {"", "ConfigMap", "{'name':'A','namespace':'ns'}",
     "metadata.name: Invalid value: \"A\": " SUBDOMAIN},
    {"", "ConfigMap", "{'name':'a..b','namespace':'ns'}",
     "metadata.name: Invalid value: \"a..b\": " SUBDOMAIN},
    {"", "ConfigMap", "{'name':'a-b','generateName':'a-','namespace':'ns'}", ""},
    {"", "Namespace", "{'name':'a.b'}",
     "metadata.name: Invalid value: \"a.b\": must not contain dots"},
    {"", "Namespace", "{'name':'a','namespace':'x'}",
     "metadata.namespace: Forbidden: not allowed on this type"},
    {"", "Service", "{'name':'1a','namespace':'ns'}",
     "metadata.name: Invalid value: \"1a\": a DNS-1035 label must consist of lower case "
     "alphanumeric characters or '-', start with an alphabetic character, and end with an "
     "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
     "'[a-z]([-a-z0-9]*[a-z0-9])?')"},
    {"rbac.authorization.k8s.io", "ClusterRole", "{'name':'system:Foo'}", ""},
    {"rbac.authorization.k8s.io", "ClusterRole", "{'name':'a/b%'}",
     "metadata.name: Invalid value: \"a/b%\": may not contain '/'\n"
     "metadata.name: Invalid value: \"a/b%\": may not contain '%'"},
    {"rbac.authorization.k8s.io", "ClusterRole", "{'name':'..'}",
     "metadata.name: Invalid value: \"..\": may not be '..'"},
    {"", "ConfigMap", "{'name':'a','namespace':'ns','labels':{'a b':'c'}}",
     "metadata.labels: Invalid value: \"a b\": name part " QNAME},
    {"", "ConfigMap", "{'name':'a','namespace':'ns','labels':{'/b':'c'}}",
     "metadata.labels: Invalid value: \"/b\": prefix part must be non-empty"},
    {"", "ConfigMap", "{'name':'a','namespace':'ns','labels':{'x/y/z':'c'}}",
     "metadata.labels: Invalid value: \"x/y/z\": a qualified name " QNAME
     " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"},
    {"", "ConfigMap", "{'name':'a','namespace':'ns','annotations':{'A.B/c':'any thing'}}", ""},
    {"", "ConfigMap", "{'name':'a','namespace':'ns','finalizers':['nope']}",
     "metadata.finalizers[0]: Invalid value: \"nope\": name is neither a standard finalizer name "
     "nor is it fully qualified"},
    {"", "ConfigMap", "{'name':'a','namespace':'ns','finalizers':['orphan','foregroundDeletion']}",
     "metadata.finalizers: Invalid value: [\"orphan\",\"foregroundDeletion\"]: finalizer orphan "
     "and foregroundDeletion cannot be both set"},
    {"", "ConfigMap", "{'name':'a','namespace':'ns','ownerReferences':[{}]}",
     "metadata.ownerReferences.apiVersion: Invalid value: \"\": version must not be empty\n"
     "metadata.ownerReferences.kind: Invalid value: \"\": must not be empty\n"
     "metadata.ownerReferences.name: Invalid value: \"\": must not be empty\n"
     "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty"},
    {"", "ConfigMap", "{'name':'a','namespace':'ns','generation':-1}",
     "metadata.generation: Invalid value: -1: must be greater than or equal to 0"},
};

Test(meta, mistakes_are_worded_as_the_real_ones)
{
    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        dev_status_t st = {0};
        cJSON *object = cJSON_CreateObject();

        cJSON_AddItemToObject(object, "metadata", json_of(rows[i].metadata));
        dev_validate_meta(kind_of(rows[i].group, rows[i].kind), object, &st);
        EXPECT_CAUSES(&st, rows[i].causes);
        cJSON_Delete(object);
        dev_status_fini(&st);
    }
}

Test(meta, two_controllers_are_one_too_many)
{
    dev_status_t st = {0};
    cJSON *object = json_of("{'metadata':{'name':'a','namespace':'ns','ownerReferences':["
                            "{'apiVersion':'v1','kind':'Pod','name':'x','uid':'1','controller':"
                            "true},{'apiVersion':'v1','kind':'Pod','name':'y','uid':'2',"
                            "'controller':true}]}}");

    dev_validate_meta(kind_of("", "ConfigMap"), object, &st);
    EXPECT_INT(dev_judge(&st, "", "ConfigMap", "a"), -422);
    EXPECT_HAS(st.message, "Only one reference can have Controller set to true. Found \"true\" in "
                           "references for Pod/x and Pod/y");
    cJSON_Delete(object);
    dev_status_fini(&st);
}

Test(meta, annotations_have_256_kib)
{
    dev_status_t st = {0};
    cJSON *object = json_of("{'metadata':{'name':'a','namespace':'ns','annotations':{}}}");
    size_t len = 256 * 1024;
    char *value = host_xcalloc(len + 1, 1);

    memset(value, 'x', len);
    tree_set_text(tree_at(object, "metadata.annotations"), "a", value);
    dev_validate_meta(kind_of("", "ConfigMap"), object, &st);
    EXPECT_CAUSES(&st, "metadata.annotations: Too long: may not be more than 262144 bytes");
    dev_status_fini(&st);
    value[len - 1] = '\0';
    tree_set_text(tree_at(object, "metadata.annotations"), "a", value);
    dev_validate_meta(kind_of("", "ConfigMap"), object, &st);
    EXPECT_CAUSES(&st, "");
    free(value);
    cJSON_Delete(object);
}

Test(meta, tidying_is_what_decoding_does)
{
    cJSON *object = json_of("{'metadata':{'name':'a','labels':{'x':null},'annotations':{},"
                            "'finalizers':[],'ownerReferences':null,'uid':'u'}}");

    dev_tidy_meta(object);
    EXPECT_JSON(object, "{'metadata':{'name':'a','labels':{'x':''},'uid':'u'}}");
    cJSON_Delete(object);
}

Test(status, one_mistake_stands_alone_and_many_in_brackets)
{
    dev_status_t st = {0};
    buf_t out = BUF_INIT;

    dev_cause(&st, "spec.a", "FieldValueRequired", "Required value");
    dev_cause(&st, "spec.a", "FieldValueRequired", "Required value");
    EXPECT_INT(dev_judge(&st, "x.dev", "Foo", "n"), -422);
    EXPECT_STR(st.message, "Foo.x.dev \"n\" is invalid: spec.a: Required value");
    dev_cause(&st, "spec.b", "FieldValueInvalid", "Invalid value: %d", 5);
    EXPECT_INT(dev_judge(&st, "", "Foo", "n"), -422);
    EXPECT_STR(st.message,
               "Foo \"n\" is invalid: [spec.a: Required value, spec.b: Invalid value: 5]");
    dev_status_print(&st, &out);
    EXPECT_HAS(buf_text(&out), "\"reason\":\"Invalid\",\"details\":{\"name\":\"n\"");
    EXPECT_HAS(buf_text(&out), "\"code\":422");
    buf_fini(&out);
    dev_status_fini(&st);
}

Test(status, success_has_no_code)
{
    dev_status_t st = {0};
    buf_t out = BUF_INIT;

    dev_status_about(&st, "apps", "deployments", "d");
    dev_status_print(&st, &out);
    EXPECT_STR(buf_text(&out),
               "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\","
               "\"details\":{\"name\":\"d\",\"group\":\"apps\",\"kind\":\"deployments\"}}");
    buf_fini(&out);
}
