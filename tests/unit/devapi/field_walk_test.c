/* SPDX-License-Identifier: Apache-2.0 */
/* Outcomes were compared with kube-apiserver 1.34. */
#include "content.h"
#include "devapi/field_fill.h"
#include "devapi/field_walk.h"

static const char schema[] =
    "{'type':'object','properties':{"
    "'text':{'type':'string'},'number':{'type':'integer'},'flag':{'type':'boolean'},"
    "'set':{'type':'array','x-kubernetes-list-type':'set','items':{'type':'string'}},"
    "'map':{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['k','p'],"
    "'items':{'type':'object','properties':{'k':{'type':'string'},'p':{'type':'string',"
    "'default':'TCP'},'v':{'type':'string'}}}},"
    "'list':{'type':'array','items':{'type':'integer'}},"
    "'one':{'type':'object','x-kubernetes-map-type':'atomic','properties':{'x':{'type':'string'}}},"
    "'named':{'type':'object','properties':{'x':{'type':'string'},'y':{'type':'string'}}},"
    "'texts':{'type':'object','additionalProperties':{'type':'string'}},"
    "'free':{'x-kubernetes-preserve-unknown-fields':true}}}";

static cJSON *schema_json;
static field_type_t type;

static void start(void)
{
    schema_json = json_of(schema);
    type = (field_type_t){.source = FIELD_OF_SCHEMA, .schema = schema_json, .whole = true};
}

static void finish(void)
{
    cJSON_Delete(schema_json);
}

TestSuite(field_walk, .init = start, .fini = finish);

static void expect_set(const field_set_t *s, const char *json, const char *what)
{
    cJSON *tree = field_set_json(s);

    expect_json(tree, json, what);
    cJSON_Delete(tree);
}

typedef struct row {
    const char *value, *expected;
} row_t;

Test(field_walk, an_object_has_these_fields)
{
    static const row_t rows[] = {
        {"{'text':'a','number':1}", "{'f:text':{},'f:number':{}}"},
        {"{'set':['b','a']}", "{'f:set':{'v:\\'a\\'':{},'v:\\'b\\'':{}}}"},
        {"{'map':[{'k':'1','v':'x'}]}",
         "{'f:map':{'k:{\\'k\\':\\'1\\',\\'p\\':\\'TCP\\'}':{'.':{},'f:k':{},'f:v':{}}}}"},
        {"{'list':[1,2]}", "{'f:list':{}}"},
        {"{'one':{'x':'1'}}", "{'f:one':{}}"},
        {"{'named':{'x':'1'}}", "{'f:named':{'f:x':{}}}"},
        {"{'named':{}}", "{'f:named':{}}"},
        {"{'set':[]}", "{}"},
        {"{'text':null}", "{'f:text':{}}"},
        {"{'texts':{'a':'1'}}", "{'f:texts':{'f:a':{}}}"},
        {"{'free':{'a':{'b':[1]}}}", "{'f:free':{'f:a':{'.':{},'f:b':{}}}}"},
        {"{'free':'x'}", "{'f:free':{}}"},
        {"{'map':[{'k':'1'},{'k':'1'}]}", "{'f:map':{'k:{\\'k\\':\\'1\\',\\'p\\':\\'TCP\\'}':{}}}"},
        {"{'metadata':{'finalizers':['a'],'labels':{'l':'1'}}}",
         "{'f:metadata':{'f:finalizers':{'v:\\'a\\'':{}},'f:labels':{'f:l':{}}}}"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        cJSON *value = json_of(rows[i].value);
        field_set_t s = {0};

        field_set_of(&type, value, &s);
        expect_set(&s, rows[i].expected, rows[i].value);
        field_set_fini(&s);
        cJSON_Delete(value);
    }
}

Test(field_walk, a_comparison_tells_what_was_added_modified_removed)
{
    static const struct {
        const char *before, *after, *added, *modified, *removed;
    } rows[] = {
        {"{}", "{'text':'a'}", "{'f:text':{}}", "{}", "{}"},
        {"{'text':'a'}", "{'text':'b'}", "{}", "{'f:text':{}}", "{}"},
        {"{'text':'a'}", "{}", "{}", "{}", "{'f:text':{}}"},
        {"{}", "{'named':{'x':'1'}}", "{'f:named':{'.':{},'f:x':{}}}", "{}", "{}"},
        {"{'named':{}}", "{'named':{'x':'1'}}", "{'f:named':{'f:x':{}}}", "{}", "{}"},
        {"{'named':{'x':'1'}}", "{}", "{}", "{}", "{'f:named':{'.':{},'f:x':{}}}"},
        {"{'list':[1]}", "{'list':[2]}", "{}", "{'f:list':{}}", "{}"},
        {"{'one':{'x':'1'}}", "{'one':{'x':'2'}}", "{}", "{'f:one':{}}", "{}"},
        {"{'set':['a','b']}", "{'set':['b','c']}", "{'f:set':{'v:\\'c\\'':{}}}", "{}",
         "{'f:set':{'v:\\'a\\'':{}}}"},
        {"{'set':['a','b']}", "{'set':['b','a']}", "{}", "{}", "{}"},
        {"{'map':[{'k':'1','v':'a'}]}", "{'map':[{'p':'TCP','k':'1','v':'b'}]}",
         "{'f:map':{'k:{\\'k\\':\\'1\\',\\'p\\':\\'TCP\\'}':{'f:p':{}}}}",
         "{'f:map':{'k:{\\'k\\':\\'1\\',\\'p\\':\\'TCP\\'}':{'f:v':{}}}}", "{}"},
        {"{'map':[{'k':'1'},{'k':'1'}]}", "{'map':[{'k':'1'}]}",
         "{'f:map':{'k:{\\'k\\':\\'1\\',\\'p\\':\\'TCP\\'}':{'.':{},'f:k':{}}}}", "{}",
         "{'f:map':{'k:{\\'k\\':\\'1\\',\\'p\\':\\'TCP\\'}':{}}}"},
        {"{'free':{'a':'x'}}", "{'free':{'a':{'b':1}}}", "{'f:free':{'f:a':{'f:b':{}}}}",
         "{'f:free':{'f:a':{}}}", "{}"},
        {"{'free':{'a':1}}", "{'free':'x'}", "{}", "{'f:free':{}}", "{'f:free':{'f:a':{}}}"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        cJSON *before = json_of(rows[i].before), *after = json_of(rows[i].after);
        host_cleanup(host_freep) char *what =
            host_xprintf("%s to %s", rows[i].before, rows[i].after);
        field_changes_t changes = {0};

        field_compare(&type, before, after, &changes);
        expect_set(&changes.added, rows[i].added, what);
        expect_set(&changes.modified, rows[i].modified, what);
        expect_set(&changes.removed, rows[i].removed, what);
        field_changes_fini(&changes);
        cJSON_Delete(before);
        cJSON_Delete(after);
    }
}

Test(field_walk, a_merge_keeps_what_the_patch_does_not_name)
{
    static const struct {
        const char *have, *patch, *result;
    } rows[] = {
        {"{'text':'a','number':1}", "{'text':'b'}", "{'text':'b','number':1}"},
        {"{'named':{'x':'1'}}", "{'named':{'y':'2'}}", "{'named':{'x':'1','y':'2'}}"},
        {"{'one':{'x':'1'}}", "{'one':{}}", "{'one':{}}"},
        {"{'list':[1,2]}", "{'list':[3]}", "{'list':[3]}"},
        {"{'set':['a','b']}", "{'set':['c']}", "{'set':['a','b','c']}"},
        {"{'set':['a','b','c']}", "{'set':['c','a']}", "{'set':['b','c','a']}"},
        {"{'set':['a','b','c','d']}", "{'set':['x','c','y']}", "{'set':['a','b','x','c','d','y']}"},
        {"{'map':[{'k':'1','v':'a'},{'k':'2','v':'b'}]}", "{'map':[{'k':'2','v':'c'}]}",
         "{'map':[{'k':'1','v':'a'},{'k':'2','v':'c'}]}"},
        {"{'map':[{'k':'1','v':'a'},{'k':'1','v':'b'}]}", "{'map':[{'k':'1','v':'c'}]}",
         "{'map':[{'k':'1','v':'c'}]}"},
        {"{'map':[{'k':'1','v':'a'},{'k':'1','v':'b'}]}", "{'map':[{'k':'2'}]}",
         "{'map':[{'k':'1','v':'a'},{'k':'1','v':'b'},{'k':'2'}]}"},
        {"{'free':{'a':{'b':1}}}", "{'free':{'a':'x'}}", "{'free':{'a':'x'}}"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        cJSON *have = json_of(rows[i].have), *patch = json_of(rows[i].patch);
        host_cleanup(host_freep) char *what =
            host_xprintf("%s with %s", rows[i].have, rows[i].patch);
        cJSON *result = field_merge(&type, have, patch);

        expect_json(result, rows[i].result, what);
        cJSON_Delete(have);
        cJSON_Delete(patch);
        cJSON_Delete(result);
    }
}

Test(field_walk, fields_are_removed_by_their_paths)
{
    static const struct {
        const char *object, *fields, *result;
    } rows[] = {
        {"{'text':'a','number':1}", "{'f:text':{}}", "{'number':1}"},
        {"{'named':{'x':'1','y':'2'}}", "{'f:named':{'f:x':{}}}", "{'named':{'y':'2'}}"},
        {"{'named':{'x':'1'}}", "{'f:named':{'f:x':{}}}", "{'named':null}"},
        {"{'set':['a','b']}", "{'f:set':{'v:\\'a\\'':{}}}", "{'set':['b']}"},
        {"{'map':[{'k':'1'},{'k':'2','v':'x'}]}",
         "{'f:map':{'k:{\\'k\\':\\'1\\',\\'p\\':\\'TCP\\'}':{},'k:{\\'k\\':\\'2\\',\\'p\\':\\'"
         "TCP\\'}':"
         "{'f:v':{}}}}",
         "{'map':[{'k':'2'}]}"},
        {"{'text':'a'}", "{'f:none':{}}", "{'text':'a'}"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        cJSON *object = json_of(rows[i].object), *fields = json_of(rows[i].fields), *result;
        field_set_t s;

        cr_assert(field_set_read(fields, &s) == 0);
        result = field_remove(&type, object, &s);
        expect_json(result, rows[i].result, rows[i].fields);
        field_set_fini(&s);
        cJSON_Delete(object);
        cJSON_Delete(fields);
        cJSON_Delete(result);
    }
}

Test(field_walk, mistakes_are_named)
{
    static const row_t rows[] = {
        {"{'text':'a','free':[1],'metadata':{'name':'n'}}", ""},
        {"{'text':null}", ""},
        {"{'bogus':1}", ".bogus: field not declared in schema"},
        {"{'metadata':{'bogus':1}}", ".metadata.bogus: field not declared in schema"},
        {"{'number':'x'}", ".number: expected numeric (int or float), got string"},
        {"{'flag':'x'}", ".flag: expected boolean, got &{x}"},
        {"{'text':1}", ".text: expected string, got &value.valueUnstructured{Value:1}"},
        {"{'named':[1]}", ".named: expected map, got &{[1]}"},
        {"{'set':{'a':1}}", ".set: expected list, got &{map[a:1]}"},
        {"{'set':['a','a']}", ".set: duplicate entries for key [=\"a\"]"},
        {"{'map':[{'k':'1'},{'k':'1','p':'TCP'}]}",
         ".map: duplicate entries for key [k=\"1\",p=\"TCP\"]"},
        {"{'map':['x']}",
         ".map: element 0: associative list with keys may not have non-map elements"},
        {"{'set':[null]}",
         ".set: element 0: associative list without keys has an element that's an explicit null"},
        {"{'list':['x']}", ".list[0]: expected numeric (int or float), got string"},
        {"{'number':'x','flag':'y'}",
         "errors:\n  .number: expected numeric (int or float), got string\n  .flag: expected "
         "boolean, got &{y}"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        cJSON *value = json_of(rows[i].value);
        host_cleanup(buf_fini) buf_t mistakes = BUF_INIT;

        field_check(&type, value, &mistakes);
        EXPECT_STR(buf_text(&mistakes), rows[i].expected);
        cJSON_Delete(value);
    }
}

Test(field_walk, a_built_in_kind_is_compared_as_go_writes_it)
{
    const field_type_t service = {
        .source = FIELD_OF_MESSAGE, .message = dev_message_of("v1", "Service"), .whole = true};
    cJSON *before = json_of("{}"),
          *after = json_of("{'metadata':{},'spec':{'ports':[{'port':80},"
                           "{'port':80,'protocol':'UDP'}],'selector':{}}}");
    field_changes_t changes = {0};

    field_fill(service.message, before);
    field_fill(service.message, after);
    EXPECT_JSON(before, "{'metadata':{},'spec':{},'status':{'loadBalancer':{}}}");
    field_compare(&service, before, after, &changes);
    expect_set(
        &changes.added,
        "{'f:spec':{'f:ports':{'.':{},'k:{\\'port\\':80,\\'protocol\\':\\'TCP\\'}':{'.':{},"
        "'f:port':{},'f:targetPort':{}},'k:{\\'port\\':80,\\'protocol\\':\\'UDP\\'}':{'.':{},"
        "'f:port':{},'f:protocol':{},'f:targetPort':{}}}}}",
        "a service");
    field_changes_fini(&changes);
    cJSON_Delete(before);
    cJSON_Delete(after);
}

Test(field_walk, what_has_become_one_value_is_owned_as_one)
{
    cJSON *fields = json_of("{'f:one':{'f:x':{}},'f:named':{'f:x':{}},'f:list':{'i:0':{}}}");
    field_set_t s;

    cr_assert(field_set_read(fields, &s) == 0);
    field_set_reconcile(&type, &s);
    expect_set(&s, "{'f:one':{},'f:named':{'f:x':{}},'f:list':{}}", "reconciled");
    field_set_fini(&s);
    cJSON_Delete(fields);
}

Test(field_walk, a_field_by_its_name_is_owned_with_those_below)
{
    cJSON *fields =
        json_of("{'f:named':{'f:x':{}},'f:texts':{'f:a':{}},'f:free':{'f:a':{'f:b':{}}}}");
    field_set_t s;

    cr_assert(field_set_read(fields, &s) == 0);
    field_set_name(&type, &s);
    expect_set(&s,
               "{'f:named':{'.':{},'f:x':{}},'f:texts':{'.':{},'f:a':{}},'f:free':{'.':{},'f:a':{"
               "'f:b':{}}}}",
               "named");
    field_set_fini(&s);
    cJSON_Delete(fields);
}
