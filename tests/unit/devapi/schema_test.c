/* SPDX-License-Identifier: Apache-2.0 */
/* The schema and the answers to it were compared with kube-apiserver 1.34. */
#include "content.h"
#include "devapi/schema.h"

#define BODY(path, type, value)                                                                    \
    path ": Invalid value: \"" value "\": " path " in body must be of type " type ": \"" value "\""

static const char big[] =
    "{'type':'object','properties':{'spec':{'type':'object','required':['size'],'properties':{"
    "'size':{'type':'integer','minimum':1,'maximum':10},"
    "'mode':{'type':'string','enum':['a','b'],'default':'a'},"
    "'name':{'type':'string','minLength':2,'maxLength':4,'pattern':'^[a-z]+$'},"
    "'num':{'type':'number','exclusiveMinimum':true,'minimum':0,'multipleOf':0.5},"
    "'when':{'type':'string','format':'date-time'},"
    "'list':{'type':'array','minItems':1,'maxItems':2,'items':{'type':'string'}},"
    "'uniq':{'type':'array','x-kubernetes-list-type':'set','items':{'type':'string'}},"
    "'map':{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['k'],"
    "'items':{'type':'object','required':['k'],'properties':{'k':{'type':'string'},"
    "'v':{'type':'string','default':'dv'}}}},"
    "'ios':{'x-kubernetes-int-or-string':true},"
    "'nul':{'type':'string','nullable':true},'nonnul':{'type':'string'},"
    "'ap':{'type':'object','additionalProperties':{'type':'integer'},'maxProperties':2},"
    "'open':{'type':'object','x-kubernetes-preserve-unknown-fields':true,'properties':{"
    "'in':{'type':'object','properties':{'a':{'type':'string'}}}}},"
    "'emb':{'type':'object','x-kubernetes-embedded-resource':true,"
    "'x-kubernetes-preserve-unknown-fields':true},"
    "'any':{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'string'}},"
    "'anyOf':[{'required':['a']},{'required':['b']}]},"
    "'one':{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'string'}},"
    "'oneOf':[{'required':['a']},{'required':['b']}]},"
    "'not':{'type':'object','properties':{'a':{'type':'string'}},'not':{'required':['a']}}"
    "}}}}";

static dev_schema_t *schema_of(const char *text)
{
    dev_status_t st = {0};
    cJSON *json = json_of(text);
    dev_schema_t *s = dev_schema_create(json, "s", &st);

    EXPECT_CAUSES(&st, "");
    cr_assert_not_null(s);
    cJSON_Delete(json);
    return s;
}

static const struct {
    const char *spec, *causes;
} mistakes[] = {
    {"{'size':1}", ""},
    {"{}", "spec.size: Required value"},
    {"{'size':'x'}", BODY("spec.size", "integer", "string")},
    {"{'size':1.5}", BODY("spec.size", "integer", "number")},
    {"{'size':1.0}", ""},
    {"{'size':0}", "spec.size: Invalid value: 0: spec.size in body should be greater than or equal "
                   "to 1"},
    {"{'size':11}", "spec.size: Invalid value: 11: spec.size in body should be less than or equal "
                    "to 10"},
    {"{'size':1,'mode':'c'}",
     "spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\""},
    {"{'size':1,'name':'a'}",
     "spec.name: Invalid value: \"a\": spec.name in body should be at least 2 chars long"},
    {"{'size':1,'name':'abcde'}", "spec.name: Too long: may not be more than 4 bytes"},
    {"{'size':1,'name':'AB'}",
     "spec.name: Invalid value: \"AB\": spec.name in body should match '^[a-z]+$'"},
    {"{'size':1,'num':0.3}",
     "spec.num: Invalid value: 0.3: spec.num in body should be a multiple of 0.5"},
    {"{'size':1,'when':'x'}", BODY("spec.when", "date-time", "x")},
    {"{'size':1,'list':[]}",
     "spec.list: Invalid value: 0: spec.list in body should have at least 1 items"},
    {"{'size':1,'list':['a','b','c']}", "spec.list: Too many: 3: must have at most 2 items"},
    {"{'size':1,'list':[1]}", BODY("spec.list[0]", "string", "integer")},
    {"{'size':1,'uniq':['a','b','a']}", "spec.uniq[2]: Duplicate value: \"a\""},
    {"{'size':1,'map':[{'k':'a','v':'1'},{'k':'a'}]}",
     "spec.map[1]: Duplicate value: {\"k\":\"a\"}"},
    {"{'size':1,'ios':true}", BODY("spec.ios", "integer,string", "boolean")},
    {"{'size':1,'ap':{'a':'x'}}", BODY("spec.ap.a", "integer", "string")},
    {"{'size':1,'ap':{'a':1,'b':2,'c':3}}", "spec.ap: Too many: 3: must have at most 2 items"},
    {"{'size':1,'emb':{'a':1}}",
     "spec.emb.apiVersion: Required value\nspec.emb.kind: Required value"},
    {"{'size':1,'any':{}}", "<nil>: Invalid value: \"\": \"spec.any\" must validate at least one "
                            "schema (anyOf)\nspec.any.a: Required value"},
    {"{'size':1,'one':{'a':'1','b':'2'}}", "<nil>: Invalid value: \"\": \"spec.one\" must validate "
                                           "one and only one schema (oneOf). Found "
                                           "2 valid alternatives"},
    {"{'size':1,'not':{'a':'1'}}",
     "<nil>: Invalid value: \"\": \"spec.not\" must not validate the schema (not)"},
    {"[]", BODY("spec", "object", "array")},
};

Test(schema, mistakes_are_worded_as_the_real_ones)
{
    dev_schema_t *s = schema_of(big);

    for (size_t i = 0; i < HOST_LEN(mistakes); i++) {
        dev_status_t st = {0};
        cJSON *object = cJSON_CreateObject();

        cJSON_AddItemToObject(object, "spec", json_of(mistakes[i].spec));
        dev_schema_validate(s, object, &st);
        EXPECT_CAUSES(&st, mistakes[i].causes);
        cJSON_Delete(object);
        dev_status_fini(&st);
    }
    dev_schema_destroy(s);
}

static void collect(void *arg, const char *path)
{
    buf_printf(arg, "%s;", path);
}

Test(schema, unknown_fields_are_pruned_and_named)
{
    dev_schema_t *s = schema_of(big);
    buf_t paths = BUF_INIT;
    cJSON *object = json_of(
        "{'apiVersion':'v','kind':'K','metadata':{'name':'n','odd':1},'odd':1,'spec':{'size':1,"
        "'odd':{},'open':{'z':1,'in':{'z':1,'a':'b'}},'map':[{'k':'a','x':1}],'emb':{'apiVersion':"
        "'v1','kind':'Pod','metadata':{'name':'p','odd':1},'any':{}},'ap':{'free':1}}}");

    dev_schema_prune(s, object, collect, &paths);
    EXPECT_JSON(object,
                "{'apiVersion':'v','kind':'K','metadata':{'name':'n','odd':1},'spec':{'size':1,"
                "'open':{'z':1,'in':{'a':'b'}},'map':[{'k':'a'}],'emb':{'apiVersion':'v1','kind':"
                "'Pod','metadata':{'name':'p'},'any':{}},'ap':{'free':1}}}");
    EXPECT_STR(buf_text(&paths),
               "odd;spec.odd;spec.open.in.z;spec.map[0].x;spec.emb.metadata.odd;");
    buf_fini(&paths);
    cJSON_Delete(object);
    dev_schema_destroy(s);
}

Test(schema, defaults_fill_what_is_missing_or_null)
{
    dev_schema_t *s = schema_of(big);
    cJSON *object = json_of("{'spec':{'size':1,'nul':null,'nonnul':null,'mode':null,"
                            "'map':[{'k':'a'},{'k':'b','v':'x'}]}}");

    dev_schema_default(s, object);
    EXPECT_JSON(object, "{'spec':{'size':1,'nul':null,'mode':'a','map':[{'k':'a','v':'dv'},{'k':"
                        "'b','v':'x'}]}}");
    cJSON_Delete(object);
    dev_schema_destroy(s);
}

static const struct {
    const char *schema, *causes;
} unstructural[] = {
    {"{}", "s.type: Required value: must not be empty at the root"},
    {"{'type':'string'}", "s.type: Invalid value: \"string\": must be object at the root"},
    {"{'type':'object','properties':{'a':{}}}",
     "s.properties[a].type: Required value: must not be empty for specified object fields"},
    {"{'type':'object','properties':{'a':{'type':'foo'}}}",
     "s.properties[a].type: Unsupported value: \"foo\": supported values: \"array\", \"boolean\", "
     "\"integer\", \"number\", \"object\", \"string\""},
    {"{'type':'object','properties':{'a':{'type':'array'}}}",
     "s.properties[a].items: Required value: must be specified"},
    {"{'type':'object','properties':{'a':{'type':'object','anyOf':[{'type':'string'}]}}}",
     "s.properties[a].anyOf[0].type: Forbidden: must be empty to be structural"},
    {"{'type':'object','properties':{'a':{'type':'string','default':5}}}",
     "s.properties[a].default: Invalid value: \"integer\":  in body must be of type string: "
     "\"integer\""},
    {"{'type':'object','properties':{'a':{'type':'object','default':{'c':1}}}}",
     "s.properties[a].default: Invalid value: {\"c\":1}: must not have unknown fields"},
    {"{'type':'object','properties':{'a':{'$ref':'#/x','type':'string'}}}",
     "s.properties[a].$ref: Forbidden: $ref is not supported"},
    {"{'type':'object','properties':{'metadata':{'type':'object','minProperties':1}}}",
     "s.properties[metadata]: Forbidden: must not specify anything other than name and "
     "generateName, but metadata is implicitly specified"},
};

Test(schema, what_is_not_structural_is_refused)
{
    for (size_t i = 0; i < HOST_LEN(unstructural); i++) {
        dev_status_t st = {0};
        cJSON *json = json_of(unstructural[i].schema);

        cr_expect_null(dev_schema_create(json, "s", &st), "%s", unstructural[i].schema);
        EXPECT_CAUSES(&st, unstructural[i].causes);
        cJSON_Delete(json);
        dev_status_fini(&st);
    }
}

Test(schema, depth_is_bounded)
{
    dev_status_t st = {0};
    cJSON *json = json_of("{'type':'object'}"), *at = json;

    for (int i = 0; i < 100; i++) {
        cJSON *child = json_of("{'type':'object'}");

        cJSON_AddItemToObject(cJSON_AddObjectToObject(at, "properties"), "a", child);
        at = child;
    }
    cr_expect_null(dev_schema_create(json, "s", &st));
    EXPECT_INT(cJSON_GetArraySize(st.causes), 1);
    EXPECT_STR(tree_text(cJSON_GetArrayItem(st.causes, 0), "message"),
               "Forbidden: the schema is too large");
    cJSON_Delete(json);
    dev_status_fini(&st);
}

/* Go's expressions, translated. */
static const struct {
    const char *pattern, *text;
    bool matches;
} patterns[] = {
    {"^\\\\d+(\\\\.\\\\d+)?(Ki|Mi)?$", "1.5Ki", true},
    {"^\\\\d+(\\\\.\\\\d+)?(Ki|Mi)?$", "1.", false},
    {"^(?:v1|v2)-[\\\\w.-]+$", "v2-a_b.c", true},
    {"^[\\\\]\\\\-x]+$", "]-x", true},
    {"^[\\\\]\\\\-x]+$", "]yx", false},
    {"^\\\\S+@\\\\S+\\\\.\\\\w{2,}?$", "a@b.co", true},
    {"^\\\\$\\\\{[A-Z_]+\\\\}$", "${A_B}", true},
    {"^x{$", "x{", true},
    {"(?i)^a$", "B", true}, /* a flag: not checked */
};

Test(schema, patterns_are_those_of_go)
{
    for (size_t i = 0; i < HOST_LEN(patterns); i++) {
        char text[256];
        dev_status_t st = {0};
        dev_schema_t *s;
        cJSON *object = cJSON_CreateObject();

        snprintf(text, sizeof(text),
                 "{'type':'object','properties':{'a':{'type':'string','pattern':'%s'}}}",
                 patterns[i].pattern);
        s = schema_of(text);
        cJSON_AddStringToObject(object, "a", patterns[i].text);
        dev_schema_validate(s, object, &st);
        cr_expect_eq(st.causes == NULL, patterns[i].matches, "'%s' on '%s' is %d",
                     patterns[i].pattern, patterns[i].text, st.causes == NULL);
        dev_schema_destroy(s);
        cJSON_Delete(object);
        dev_status_fini(&st);
    }
}

Test(schema, an_expression_that_is_none_is_refused)
{
    static const char *const wrong[] = {"(", "[a", "a++", "a{2}{3}", "a{1001}"};

    for (size_t i = 0; i < HOST_LEN(wrong); i++) {
        dev_status_t st = {0};
        cJSON *json = json_of("{'type':'object','properties':{'a':{'type':'string'}}}");

        tree_set_text(tree_at(json, "properties.a"), "pattern", wrong[i]);
        cr_expect_null(dev_schema_create(json, "s", &st), "'%s' is accepted", wrong[i]);
        EXPECT_HAS(tree_text(cJSON_GetArrayItem(st.causes, 0), "message"),
                   "must be a valid regular expression, but isn't: error parsing regexp: ");
        cJSON_Delete(json);
        dev_status_fini(&st);
    }
}

/* regcomp unrolls each: without a bound 2^40 copies. */
Test(schema, repetitions_within_repetitions_are_not_unrolled_without_end)
{
    buf_t pattern = BUF_INIT;
    cJSON *json = json_of("{'type':'object','properties':{'a':{'type':'string'}}}");
    dev_status_t st = {0};
    dev_schema_t *s;

    for (int i = 0; i < 40; i++)
        buf_puts(&pattern, "(");
    buf_puts(&pattern, "a");
    for (int i = 0; i < 40; i++)
        buf_puts(&pattern, ")+");
    tree_set_text(tree_at(json, "properties.a"), "pattern", buf_text(&pattern));
    s = dev_schema_create(json, "s", &st);
    cr_expect_not_null(s);
    EXPECT_CAUSES(&st, "");
    dev_schema_destroy(s);
    cJSON_Delete(json);
    buf_fini(&pattern);
}
