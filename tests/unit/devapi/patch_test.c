/* SPDX-License-Identifier: Apache-2.0 */
/* Codes, words and orders were compared with kube-apiserver 1.34. */
#include "content.h"
#include "devapi/patch.h"

#define REJECTED "the server rejected our request due to an error in our request"

typedef struct row {
    const char *body, *result; /* result: JSON; or the message of a refusal with that code */
    int code;
} row_t;

/* Applies body (with ' for ") to object; expects the row's outcome. */
static void expect_patched(enum dev_patch type, const dev_kind_t *kind, const char *object,
                           const row_t *row)
{
    dev_status_t st = {0};
    cJSON *current = json_of(object), *before = cJSON_Duplicate(current, true), *out = NULL;
    char *body = host_xstrdup(row->body);
    int ret;

    for (char *p = body; *p != '\0'; p++) {
        if (*p == '\'')
            *p = '"';
    }
    ret = dev_patch_apply(type, kind, current, body, strlen(body), &out, &st);
    cr_expect_eq(ret, -row->code, "%s gives %d, expected %d: %s", row->body, ret, -row->code,
                 st.message == NULL ? "" : st.message);
    if (row->code == 0)
        expect_json(out, row->result, row->body);
    else
        EXPECT_STR(st.message, row->result);
    cr_expect(cJSON_Compare(current, before, true), "%s changed its input", row->body);
    cJSON_Delete(current);
    cJSON_Delete(before);
    cJSON_Delete(out);
    free(body);
    dev_status_fini(&st);
}

static const row_t json_rows[] = {
    {"[]", "{'a':{'k':'v','n':1},'l':[1,2]}", 0},
    {"null", "{'a':{'k':'v','n':1},'l':[1,2]}", 0},
    {"[{'op':'add','path':'/a/x','value':'y'}]", "{'a':{'k':'v','n':1,'x':'y'},'l':[1,2]}", 0},
    {"[{'op':'add','path':'/l/1','value':9}]", "{'a':{'k':'v','n':1},'l':[1,9,2]}", 0},
    {"[{'op':'add','path':'/l/-','value':9}]", "{'a':{'k':'v','n':1},'l':[1,2,9]}", 0},
    {"[{'op':'add','path':'/l/2','value':9}]", "{'a':{'k':'v','n':1},'l':[1,2,9]}", 0},
    {"[{'op':'add','path':'/l/-1','value':9}]", "{'a':{'k':'v','n':1},'l':[1,2,9]}", 0},
    {"[{'op':'add','path':'/l/3','value':9}]", REJECTED, 422},
    {"[{'op':'add','path':'/l/x','value':9}]", REJECTED, 422},
    {"[{'op':'add','path':'/no/x','value':9}]", REJECTED, 422},
    {"[{'op':'add','path':'/a/k/x','value':9}]", REJECTED, 422},
    {"[{'op':'add','path':'/a/b~1c~0d','value':9}]", "{'a':{'k':'v','n':1,'b/c~d':9},'l':[1,2]}",
     0},
    {"[{'op':'remove','path':'/l/0'}]", "{'a':{'k':'v','n':1},'l':[2]}", 0},
    {"[{'op':'remove','path':'/a/no'}]", REJECTED, 422},
    {"[{'op':'replace','path':'/l/1','value':'z'}]", "{'a':{'k':'v','n':1},'l':[1,'z']}", 0},
    {"[{'op':'replace','path':'/l/2','value':'z'}]", REJECTED, 422},
    {"[{'op':'replace','path':'/a/no','value':1}]", "{'a':{'k':'v','n':1,'no':1},'l':[1,2]}", 0},
    {"[{'op':'replace','path':'','value':{'z':1}}]", "{'z':1}", 0},
    {"[{'op':'move','from':'/a/k','path':'/l/0'}]", "{'a':{'n':1},'l':['v',1,2]}", 0},
    {"[{'op':'move','from':'/a','path':'/a/b'}]", REJECTED, 422},
    {"[{'op':'copy','from':'/a','path':'/b'}]",
     "{'a':{'k':'v','n':1},'b':{'k':'v','n':1},'l':[1,2]}", 0},
    {"[{'op':'test','path':'/a/k','value':'v'}]", "{'a':{'k':'v','n':1},'l':[1,2]}", 0},
    {"[{'op':'test','path':'/a','value':{'n':1.0,'k':'v'}}]", "{'a':{'k':'v','n':1},'l':[1,2]}", 0},
    {"[{'op':'test','path':'/a/k','value':'w'}]", REJECTED, 422},
    {"[{'op':'test','path':'/a/no','value':null}]", "{'a':{'k':'v','n':1},'l':[1,2]}", 0},
    {"[{'op':'test','path':'/a/no','value':1}]", REJECTED, 422},
    {"[{'op':'odd','path':'/a'}]", REJECTED, 422},
    {"[{'path':'/a'}]", REJECTED, 422},
    {"[null]", REJECTED, 422},
    {"{'op':'x'}",
     "error decoding patch: json: cannot unmarshal object into Go value of type "
     "[]handlers.jsonPatchOp",
     400},
    {"[1]",
     "error decoding patch: json: cannot unmarshal number into Go value of type "
     "handlers.jsonPatchOp",
     400},
    {"[{'op':1}]",
     "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of "
     "type string",
     400},
    {"", "error decoding patch: unexpected end of JSON input", 400},
    {"[{'op'", "error decoding patch: unexpected end of JSON input", 400},
};

Test(patch, json_patches_follow_rfc_6902_and_the_real_server)
{
    for (size_t i = 0; i < HOST_LEN(json_rows); i++)
        expect_patched(DEV_PATCH_JSON, kind_of("", "ConfigMap"), "{'a':{'k':'v','n':1},'l':[1,2]}",
                       &json_rows[i]);
}

static const row_t merge_rows[] = {
    {"{}", "{'a':{'k':'v'},'l':[1,2]}", 0},
    {"{'a':{'k':null,'x':{'y':null,'z':1}}}", "{'a':{'x':{'z':1}},'l':[1,2]}", 0},
    {"{'a':null,'l':[3]}", "{'l':[3]}", 0},
    {"{'a':'s'}", "{'a':'s','l':[1,2]}", 0},
    {"{'l':{'x':[null]}}", "{'a':{'k':'v'},'l':{'x':[null]}}", 0},
    {"null", "Invalid JSON Patch", 400},
    {"[1]",
     "error decoding patch: json: cannot unmarshal array into Go value of type "
     "map[string]interface {}",
     400},
};

Test(patch, merge_patches_follow_rfc_7386)
{
    for (size_t i = 0; i < HOST_LEN(merge_rows); i++)
        expect_patched(DEV_PATCH_MERGE, kind_of("", "ConfigMap"), "{'a':{'k':'v'},'l':[1,2]}",
                       &merge_rows[i]);
}

#define PORTS(list)                                                                                \
    "{'metadata':{'finalizers':['x/a','x/b']},'spec':{'selector':{'x':'y'},'ports':" list "}}"

static const row_t service_rows[] = {
    /* New elements come first, as on the real one. */
    {"{'spec':{'ports':[{'port':3}]}}", PORTS("[{'port':3},{'port':1,'name':'a'},{'port':2}]"), 0},
    {"{'spec':{'ports':[{'port':1,'nodePort':9}]}}",
     PORTS("[{'port':1,'name':'a','nodePort':9},{'port':2}]"), 0},
    {"{'spec':{'ports':[{'port':1,'name':null}]}}", PORTS("[{'port':1},{'port':2}]"), 0},
    {"{'spec':{'ports':[{'port':1,'$patch':'delete'}]}}", PORTS("[{'port':2}]"), 0},
    {"{'spec':{'ports':[{'port':7},{'$patch':'replace'}]}}", PORTS("[{'port':7}]"), 0},
    {"{'spec':{'$setElementOrder/ports':[{'port':2},{'port':1}]}}",
     PORTS("[{'port':2},{'port':1,'name':'a'}]"), 0},
    {"{'spec':{'$setElementOrder/ports':[{'port':2},{'port':3}],'ports':[{'port':3}]}}",
     PORTS("[{'port':1,'name':'a'},{'port':2},{'port':3}]"), 0},
    {"{'spec':{'$setElementOrder/ports':[{'port':1}],'ports':[{'port':3}]}}",
     "The order in patch list:\n[map[port:3]]\n doesn't match $setElementOrder list:\n[map[port:1]]"
     "\n",
     500},
    {"{'spec':{'ports':[{'name':'c'}]}}",
     "map: map[name:c] does not contain declared merge key: port", 500},
    {"{'spec':{'ports':[{'port':1,'$patch':'merge'}]}}",
     "merging lists cannot yet be specified in the patch", 500},
    {"{'spec':{'ports':[{'port':1,'$patch':'foo'}]}}",
     "unknown patch type: foo in map: map[$patch:foo port:1]", 500},
    {"{'spec':{'ports':[5]}}",
     "list element types are not identical: [[map[name:a port:1] map[port:2]] [5]]", 500},
    {"{'spec':{'selector':{'$patch':'replace','q':'r'}}}",
     "{'metadata':{'finalizers':['x/a','x/b']},'spec':{'selector':{'q':'r'},'ports':[{'port':1,"
     "'name':'a'},{'port':2}]}}",
     0},
    {"{'spec':{'selector':{'$retainKeys':['z'],'z':'1'}}}",
     "{'metadata':{'finalizers':['x/a','x/b']},'spec':{'selector':{'z':'1'},'ports':[{'port':1,"
     "'name':'a'},{'port':2}]}}",
     0},
    {"{'spec':{'selector':{'$retainKeys':['z'],'q':'1'}}}", "invalid patch format of retainKeys",
     400},
    {"{'metadata':{'finalizers':['x/c','x/b']},'spec':{'selector':null,'ports':null}}",
     "{'metadata':{'finalizers':['x/c','x/a','x/b']},'spec':{}}", 0},
    {"{'metadata':{'$deleteFromPrimitiveList/finalizers':['x/a','no']}}",
     "{'metadata':{'finalizers':['x/b']},'spec':{'selector':{'x':'y'},'ports':[{'port':1,'name':"
     "'a'},{'port':2}]}}",
     0},
    {"{'metadata':{'$deleteFromPrimitiveList':['x/a']}}", "invalid patch format of primitive list",
     400},
    {"{'metadata':{'annotations':{'a':'b','n':null}}}",
     "{'metadata':{'finalizers':['x/a','x/b'],'annotations':{'a':'b'}},'spec':{'selector':{'x':"
     "'y'},'ports':[{'port':1,'name':'a'},{'port':2}]}}",
     0},
};

Test(patch, strategic_patches_merge_lists_by_key)
{
    for (size_t i = 0; i < HOST_LEN(service_rows); i++)
        expect_patched(DEV_PATCH_STRATEGIC, kind_of("", "Service"),
                       PORTS("[{'port':1,'name':'a'},{'port':2}]"), &service_rows[i]);
}

#define TEMPLATE(spec) "{'spec':{'template':{'spec':" spec "}}}"

static const row_t template_rows[] = {
    {TEMPLATE("{'containers':[{'name':'a','image':'n'}]}"),
     TEMPLATE("{'containers':[{'name':'a','image':'n','env':[{'name':'E','value':'1'}]},{'name':"
              "'b'}],'tolerations':[{'key':'k'}]}"),
     0},
    {TEMPLATE("{'containers':[{'name':'a','env':[{'name':'F','value':'2'}]}]}"),
     TEMPLATE("{'containers':[{'name':'a','env':[{'name':'F','value':'2'},{'name':'E','value':"
              "'1'}]},{'name':'b'}],'tolerations':[{'key':'k'}]}"),
     0},
    {TEMPLATE("{'tolerations':[{'key':'z'}]}"),
     TEMPLATE("{'containers':[{'name':'a','env':[{'name':'E','value':'1'}]},{'name':'b'}],"
              "'tolerations':[{'key':'z'}]}"),
     0},
};

static void expect_templates(const char *group, const char *kind)
{
    for (size_t i = 0; i < HOST_LEN(template_rows); i++)
        expect_patched(DEV_PATCH_STRATEGIC, kind_of(group, kind),
                       TEMPLATE("{'containers':[{'name':'a','env':[{'name':'E','value':'1'}]},"
                                "{'name':'b'}],'tolerations':[{'key':'k'}]}"),
                       &template_rows[i]);
}

Test(patch, every_workload_knows_the_keys_of_its_template)
{
    expect_templates("apps", "Deployment");
    expect_templates("apps", "ReplicaSet");
    expect_templates("apps", "StatefulSet");
    expect_templates("apps", "DaemonSet");
    expect_templates("batch", "Job");
    expect_templates("", "ReplicationController");
}

Test(patch, copies_are_bounded)
{
    dev_status_t st = {0};
    cJSON *object = json_of("{'a':{'x':'0123456789'}}"), *out = NULL;
    buf_t body = BUF_INIT;

    /* Each doubles what there is: without a bound 2^40 bytes. */
    buf_puts(&body, "[");
    for (int i = 0; i < 40; i++)
        buf_printf(&body, "%s{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/%d\"}", i ? "," : "",
                   i);
    buf_puts(&body, "]");
    EXPECT_INT(dev_patch_apply(DEV_PATCH_JSON, kind_of("", "ConfigMap"), object, buf_text(&body),
                               body.len, &out, &st),
               -422);
    EXPECT_STR(st.message, REJECTED);
    cJSON_Delete(object);
    buf_fini(&body);
    dev_status_fini(&st);
}

Test(patch, operations_and_depth_are_bounded)
{
    dev_status_t st = {0};
    cJSON *object = json_of("{}"), *out = NULL;
    buf_t body = BUF_INIT;

    buf_puts(&body, "[null");
    for (int i = 0; i < 10000; i++)
        buf_puts(&body, ",null");
    buf_puts(&body, "]");
    EXPECT_INT(dev_patch_apply(DEV_PATCH_JSON, kind_of("", "ConfigMap"), object, buf_text(&body),
                               body.len, &out, &st),
               -413);
    EXPECT_HAS(st.message, "The allowed maximum operations in a JSON patch is 10000, got 10001");
    buf_clear(&body);
    for (int i = 0; i < 200; i++)
        buf_puts(&body, "{\"a\":");
    buf_puts(&body, "1");
    for (int i = 0; i < 200; i++)
        buf_puts(&body, "}");
    EXPECT_INT(dev_patch_apply(DEV_PATCH_MERGE, kind_of("", "ConfigMap"), object, buf_text(&body),
                               body.len, &out, &st),
               -400);
    EXPECT_HAS(st.message, "exceeded max depth");
    buf_fini(&body);
    cJSON_Delete(object);
    dev_status_fini(&st);
}
