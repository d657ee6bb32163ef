/* SPDX-License-Identifier: Apache-2.0 */
/* The schemas of custom resources: faults, defaults, pruning. */
#include "contract/contract.h"

static const char versions[] =
    "[{'name':'v1','served':true,'storage':true,'schema':{'openAPIV3Schema':{'type':'object',"
    "'properties':{'spec':{'type':'object','required':['size'],'properties':{"
    "'size':{'type':'integer','minimum':0,'maximum':9},"
    "'ratio':{'type':'number','minimum':0,'exclusiveMinimum':true,'multipleOf':0.5},"
    "'on':{'type':'boolean'},"
    "'mode':{'type':'string','enum':['a','b'],'default':'a'},"
    "'code':{'type':'string','pattern':'^[a-z]+$','minLength':2,'maxLength':4},"
    "'when':{'type':'string','format':'date-time'},"
    "'maybe':{'type':'string','nullable':true},"
    "'port':{'x-kubernetes-int-or-string':true},"
    "'free':{'type':'object','x-kubernetes-preserve-unknown-fields':true},"
    "'words':{'type':'array','minItems':1,'maxItems':2,'items':{'type':'string'}},"
    "'map':{'type':'object','maxProperties':2,'additionalProperties':{'type':'integer'}},"
    "'set':{'type':'array','x-kubernetes-list-type':'set','items':{'type':'string'}},"
    "'pairs':{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['name'],"
    "'items':{'type':'object','required':['name'],'properties':{'name':{'type':'string'},'v':{"
    "'type':'integer','default':7}}}},"
    "'parent':{'type':'object','properties':{'child':{'type':'string','default':'c'}}},"
    "'always':{'type':'object','default':{},'properties':{'child':{'type':'string','default':'d'}"
    "}},"
    "'either':{'type':'object','properties':{'x':{'type':'string'},'y':{'type':'string'}},'oneOf':["
    "{'required':['x']},{'required':['y']}]}"
    "}},'status':{'type':'object','properties':{'n':{'type':'integer'}}}}}},'subresources':{"
    "'status':{}}}]";

/* The collection of "shapes", made once. */
static const char *shapes(contract_t *c)
{
    static char path[256];

    if (path[0] == '\0')
        snprintf(
            path, sizeof(path), "%s",
            contract_custom(c, contract_crd(c, "shapes", "Shape", "", versions), "v1", "shapes"));
    return path;
}

/* Creates a shape of this spec.size and more; query: "" or "?name=value". */
static api_reply_t make_at(contract_t *c, const char *query, const char *name, const char *size,
                           const char *more)
{
    return contract_post_all(c, contract_text("%s%s", shapes(c), query),
                             "{'apiVersion':'shapes.%s.example.dev/v1','kind':'Shape','metadata':{"
                             "'name':'%s'},'spec':{'size':%s%s}}",
                             c->id, name, size, more);
}

static api_reply_t make(contract_t *c, const char *name, const char *more)
{
    return make_at(c, "", name, "1", more);
}

static api_reply_t make_sized(contract_t *c, const char *name, const char *size)
{
    return make_at(c, "", name, size, "");
}

/* -- Values -- */

static void a_required_field_must_be_there(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, shapes(c),
                                "{'apiVersion':'shapes.%s.example.dev/v1','kind':'Shape',"
                                "'metadata':{'name':'required'},'spec':{}}",
                                c->id);

    EXPECT_ERROR(&r, 422, "Invalid", "Shape.shapes.");
    EXPECT_HAS(api_str(r.json, "/message"), "\"required\" is invalid: spec.size: Required value");
    EXPECT_CAUSE(&r, "FieldValueRequired", "spec.size");
    EXPECT_STR(api_str(r.json, "/details/group"), contract_text("shapes.%s.example.dev", c->id));
    EXPECT_STR(api_str(r.json, "/details/kind"), "Shape");
    EXPECT_STR(api_str(r.json, "/details/name"), "required");
}

static void a_wrong_type_names_field_and_type(void *arg)
{
    API_REPLY r = make(arg, "type", ",'on':'yes'");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "spec.on: Invalid value: \"string\": spec.on in body must be of type boolean: "
                 "\"string\"");
    EXPECT_CAUSE(&r, "FieldValueTypeInvalid", "spec.on");
}

static void an_integer_may_not_have_a_fraction(void *arg)
{
    API_REPLY r = make_sized(arg, "fraction", "1.5");

    EXPECT_ERROR(&r, 422, "Invalid", "spec.size in body must be of type integer: \"number\"");
}

static void an_integer_may_be_written_with_a_zero_fraction(void *arg)
{
    API_REPLY r = make_sized(arg, "zero-fraction", "2.0");

    EXPECT_INT(r.status, 201);
    EXPECT_INT(api_int(r.json, "/spec/size"), 2);
}

static void a_maximum_holds(void *arg)
{
    API_REPLY r = make_sized(arg, "maximum", "10");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "spec.size: Invalid value: 10: spec.size in body should be less than or equal to "
                 "9");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "spec.size");
}

static void a_minimum_holds(void *arg)
{
    API_REPLY r = make_sized(arg, "minimum", "-1");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "spec.size: Invalid value: -1: spec.size in body should be greater than or equal "
                 "to 0");
}

static void an_exclusive_minimum_holds(void *arg)
{
    API_REPLY r = make(arg, "exclusive", ",'ratio':0");

    EXPECT_ERROR(&r, 422, "Invalid", "spec.ratio in body should be greater than 0");
}

static void a_multiple_holds(void *arg)
{
    API_REPLY good = make(arg, "multiple", ",'ratio':1.5");
    API_REPLY r = make(arg, "no-multiple", ",'ratio':1.3");

    EXPECT_INT(good.status, 201);
    EXPECT_ERROR(&r, 422, "Invalid", "spec.ratio in body should be a multiple of 0.5");
}

static void an_enum_lists_its_values(void *arg)
{
    API_REPLY r = make(arg, "enum", ",'mode':'c'");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\"");
    EXPECT_CAUSE(&r, "FieldValueNotSupported", "spec.mode");
}

static void a_pattern_holds(void *arg)
{
    API_REPLY r = make(arg, "pattern", ",'code':'ab1'");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "spec.code: Invalid value: \"ab1\": spec.code in body should match '^[a-z]+$'");
}

static void lengths_of_a_string_hold(void *arg)
{
    API_REPLY shorter = make(arg, "min-length", ",'code':'a'");
    API_REPLY longer = make(arg, "max-length", ",'code':'abcde'");

    EXPECT_ERROR(&shorter, 422, "Invalid", "spec.code in body should be at least 2 chars long");
    EXPECT_ERROR(&longer, 422, "Invalid", "spec.code: Too long: may not be more than 4 bytes");
    EXPECT_CAUSE(&longer, "FieldValueTooLong", "spec.code");
}

static void a_date_time_is_checked(void *arg)
{
    API_REPLY good = make(arg, "date", ",'when':'2026-01-02T03:04:05Z'");
    API_REPLY r = make(arg, "no-date", ",'when':'yesterday'");

    EXPECT_INT(good.status, 201);
    EXPECT_ERROR(&r, 422, "Invalid", "spec.when in body must be of type date-time: \"yesterday\"");
}

static void lengths_of_a_list_hold(void *arg)
{
    API_REPLY none = make(arg, "min-items", ",'words':[]");
    API_REPLY many = make(arg, "max-items", ",'words':['a','b','c']");

    EXPECT_ERROR(&none, 422, "Invalid", "spec.words in body should have at least 1 items");
    EXPECT_ERROR(&many, 422, "Invalid", "spec.words: Too many: 3: must have at most 2 items");
    EXPECT_CAUSE(&many, "FieldValueTooMany", "spec.words");
}

static void a_fault_in_a_list_names_the_index(void *arg)
{
    API_REPLY r = make(arg, "index", ",'words':['a',1]");

    EXPECT_ERROR(&r, 422, "Invalid", "spec.words[1] in body must be of type string: \"integer\"");
    EXPECT_CAUSE(&r, "FieldValueTypeInvalid", "spec.words[1]");
}

static void values_of_a_map_are_checked(void *arg)
{
    API_REPLY good = make(arg, "map", ",'map':{'any':1}");
    API_REPLY r = make(arg, "no-map", ",'map':{'any':'x'}");
    API_REPLY many = make(arg, "large-map", ",'map':{'a':1,'b':2,'c':3}");

    EXPECT_INT(api_int(good.json, "/spec/map/any"), 1);
    EXPECT_CAUSE(&r, "FieldValueTypeInvalid", "spec.map.any");
    EXPECT_ERROR(&many, 422, "Invalid", "spec.map: Too many: 3: must have at most 2 items");
}

static void int_or_string_takes_both_and_nothing_else(void *arg)
{
    API_REPLY number = make(arg, "port-number", ",'port':80");
    API_REPLY text = make(arg, "port-text", ",'port':'http'");
    API_REPLY r = make(arg, "port-bool", ",'port':true");

    EXPECT_INT(api_int(number.json, "/spec/port"), 80);
    EXPECT_STR(api_str(text.json, "/spec/port"), "http");
    EXPECT_ERROR(&r, 422, "Invalid",
                 "spec.port in body must be of type integer,string: \"boolean\"");
}

static void one_of_must_match_exactly_one(void *arg)
{
    API_REPLY one = make(arg, "either", ",'either':{'x':'1'}");
    API_REPLY r = make(arg, "both", ",'either':{'x':'1','y':'2'}");

    EXPECT_INT(one.status, 201);
    EXPECT_ERROR(&r, 422, "Invalid",
                 "\"spec.either\" must validate one and only one schema (oneOf). Found 2 valid "
                 "alternatives");
}

static void several_schema_faults_are_told_at_once(void *arg)
{
    API_REPLY r = make(arg, "several", ",'on':1,'mode':'c'");

    EXPECT_ERROR(&r, 422, "Invalid", "is invalid: [");
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/details/causes")), 2);
    EXPECT_CAUSE(&r, "FieldValueTypeInvalid", "spec.on");
    EXPECT_CAUSE(&r, "FieldValueNotSupported", "spec.mode");
}

static void a_set_may_not_repeat_a_value(void *arg)
{
    API_REPLY r = make(arg, "set", ",'set':['a','b','a']");

    EXPECT_ERROR(&r, 422, "Invalid", "spec.set[2]: Duplicate value: \"a\"");
    EXPECT_CAUSE(&r, "FieldValueDuplicate", "spec.set[2]");
}

static void a_map_list_may_not_repeat_a_key(void *arg)
{
    API_REPLY r = make(arg, "pairs", ",'pairs':[{'name':'a'},{'name':'b'},{'name':'a'}]");

    EXPECT_ERROR(&r, 422, "Invalid", "spec.pairs[2]: Duplicate value: ");
    EXPECT_CAUSE(&r, "FieldValueDuplicate", "spec.pairs[2]");
}

/* -- Null, defaults, pruning -- */

static void null_is_kept_where_it_is_allowed(void *arg)
{
    API_REPLY r = make(arg, "nullable", ",'maybe':null");

    EXPECT_INT(r.status, 201);
    EXPECT_TRUE(cJSON_IsNull(api_at(r.json, "/spec/maybe")));
}

static void null_is_dropped_where_it_is_not_allowed(void *arg)
{
    API_REPLY r = make(arg, "null", ",'on':null,'parent':null");

    EXPECT_INT(r.status, 201);
    EXPECT_TRUE(api_at(r.json, "/spec/on") == NULL);
    EXPECT_TRUE(api_at(r.json, "/spec/parent") == NULL);
}

static void null_of_a_required_field_is_refused(void *arg)
{
    API_REPLY r = make_sized(arg, "null-required", "null");

    EXPECT_ERROR(&r, 422, "Invalid", "spec.size: Required value");
}

static void null_gives_way_to_a_default(void *arg)
{
    API_REPLY r = make(arg, "null-default", ",'mode':null");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/spec/mode"), "a");
}

static void defaults_fill_what_is_missing(void *arg)
{
    API_REPLY r = make(arg, "defaults", ",'pairs':[{'name':'a'},{'name':'b','v':1}]");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/spec/mode"), "a");
    EXPECT_INT(api_int(r.json, "/spec/pairs/0/v"), 7);
    EXPECT_INT(api_int(r.json, "/spec/pairs/1/v"), 1);
}

static void a_default_needs_its_parent(void *arg)
{
    API_REPLY without = make(arg, "no-parent", "");
    API_REPLY with = make(arg, "parent", ",'parent':{}");

    EXPECT_TRUE(api_at(without.json, "/spec/parent") == NULL);
    EXPECT_STR(api_str(without.json, "/spec/always/child"), "d");
    EXPECT_STR(api_str(with.json, "/spec/parent/child"), "c");
}

static void a_default_comes_back_when_a_patch_removes_it(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = make(c, "default-again", ",'mode':'b'");
    API_REPLY r = contract_patch(c, contract_path(shapes(c), "default-again"), "merge",
                                 "{'spec':{'mode':null}}");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/spec/mode"), "a");
}

static void unknown_fields_are_pruned_at_every_depth(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = make(c, "pruned", ",'odd':1,'parent':{'odd':2},'pairs':[{'name':'a','odd':3}]");

    EXPECT_INT(r.status, 201);
    EXPECT_TRUE(api_at(r.json, "/spec/odd") == NULL);
    EXPECT_TRUE(api_at(r.json, "/spec/parent/odd") == NULL);
    EXPECT_TRUE(api_at(r.json, "/spec/pairs/0/odd") == NULL);
    EXPECT_STR(api_str(r.json, "/spec/pairs/0/name"), "a");
}

static void unknown_fields_are_kept_where_they_are_allowed(void *arg)
{
    API_REPLY r = make(arg, "free", ",'free':{'any':{'deep':[1,{'x':null}]}}");

    EXPECT_INT(r.status, 201);
    EXPECT_INT(api_int(r.json, "/spec/free/any/deep/0"), 1);
    EXPECT_TRUE(cJSON_IsNull(api_at(r.json, "/spec/free/any/deep/1/x")));
}

static void a_status_is_checked_by_its_own_schema(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = make(c, "status", "");
    const char *path = contract_text("%s/status/status", shapes(c));
    API_REPLY r = contract_patch(c, path, "merge", "{'status':{'n':'x'}}");
    API_REPLY good = contract_patch(c, path, "merge", "{'status':{'n':3,'odd':1}}");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "status.n: Invalid value: \"string\": n in body must be of type integer: "
                 "\"string\"");
    EXPECT_INT(api_int(good.json, "/status/n"), 3);
    EXPECT_TRUE(api_at(good.json, "/status/odd") == NULL);
}

static void a_patch_to_a_fault_changes_nothing(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = make(c, "patched", "");
    API_REPLY r = contract_patch(c, contract_path(shapes(c), "patched"), "json",
                                 "[{'op':'remove','path':'/spec/size'}]");
    API_REPLY after = api_get(c->api, "%s/patched", shapes(c));

    EXPECT_ERROR(&r, 422, "Invalid", "spec.size: Required value");
    EXPECT_STR(api_str(after.json, "/metadata/resourceVersion"),
               api_str(made.json, "/metadata/resourceVersion"));
}

static void metadata_of_a_custom_resource_is_checked(void *arg)
{
    contract_t *c = arg;
    API_REPLY name = make(c, "Bad_Name", "");
    API_REPLY r = contract_post(c, shapes(c),
                                "{'apiVersion':'shapes.%s.example.dev/v1','kind':'Shape',"
                                "'metadata':{'name':'labels','labels':{'a':'x y'},'odd':1},'spec':{"
                                "'size':1}}",
                                c->id);

    EXPECT_CAUSE(&name, "FieldValueInvalid", "metadata.name");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.labels");
}

static void strict_refuses_what_would_be_pruned(void *arg)
{
    API_REPLY r =
        make_at(arg, "?fieldValidation=Strict", "strict", "1", ",'odd':1,'parent':{'odd':2}");

    EXPECT_ERROR(&r, 400, "BadRequest",
                 "strict decoding error: unknown field \"spec.odd\", unknown field "
                 "\"spec.parent.odd\"");
}

static void pruning_is_warned_about(void *arg)
{
    API_REPLY r = make(arg, "warned", ",'odd':1");

    EXPECT_INT(r.status, 201);
    EXPECT_HAS(r.warning, "299 - \"unknown field \\\"spec.odd\\\"\"");
}

static void a_dry_run_of_a_custom_resource_is_checked_and_not_stored(void *arg)
{
    contract_t *c = arg;
    API_REPLY bad = make_at(c, "?dryRun=All", "dry-bad", "1", ",'mode':'c'");
    API_REPLY good = make_at(c, "?dryRun=All", "dry", "1", "");
    API_REPLY after = api_get(c->api, "%s/dry", shapes(c));

    EXPECT_INT(bad.status, 422);
    EXPECT_INT(good.status, 201);
    EXPECT_STR(api_str(good.json, "/spec/mode"), "a");
    EXPECT_INT(after.status, 404);
}

static const tap_test_t tests[] = {
    {"a required field must be there", a_required_field_must_be_there},
    {"a wrong type names field and type", a_wrong_type_names_field_and_type},
    {"an integer may not have a fraction", an_integer_may_not_have_a_fraction},
    {"an integer may be written with a zero fraction",
     an_integer_may_be_written_with_a_zero_fraction},
    {"a maximum holds", a_maximum_holds},
    {"a minimum holds", a_minimum_holds},
    {"an exclusive minimum holds", an_exclusive_minimum_holds},
    {"a multiple holds", a_multiple_holds},
    {"an enum lists its values", an_enum_lists_its_values},
    {"a pattern holds", a_pattern_holds},
    {"lengths of a string hold", lengths_of_a_string_hold},
    {"a date-time is checked", a_date_time_is_checked},
    {"lengths of a list hold", lengths_of_a_list_hold},
    {"a fault in a list names the index", a_fault_in_a_list_names_the_index},
    {"values of a map are checked", values_of_a_map_are_checked},
    {"int-or-string takes both and nothing else", int_or_string_takes_both_and_nothing_else},
    {"oneOf must match exactly one", one_of_must_match_exactly_one},
    {"several schema faults are told at once", several_schema_faults_are_told_at_once},
    {"a set may not repeat a value", a_set_may_not_repeat_a_value},
    {"a map list may not repeat a key", a_map_list_may_not_repeat_a_key},
    {"null is kept where it is allowed", null_is_kept_where_it_is_allowed},
    {"null is dropped where it is not allowed", null_is_dropped_where_it_is_not_allowed},
    {"null of a required field is refused", null_of_a_required_field_is_refused},
    {"null gives way to a default", null_gives_way_to_a_default},
    {"defaults fill what is missing", defaults_fill_what_is_missing},
    {"a default needs its parent", a_default_needs_its_parent},
    {"a default comes back when a patch removes it", a_default_comes_back_when_a_patch_removes_it},
    {"unknown fields are pruned at every depth", unknown_fields_are_pruned_at_every_depth},
    {"unknown fields are kept where they are allowed",
     unknown_fields_are_kept_where_they_are_allowed},
    {"a status is checked by its own schema", a_status_is_checked_by_its_own_schema},
    {"a patch to a fault changes nothing", a_patch_to_a_fault_changes_nothing},
    {"metadata of a custom resource is checked", metadata_of_a_custom_resource_is_checked},
    {"fieldValidation Strict refuses what would be pruned", strict_refuses_what_would_be_pruned},
    {"pruning is warned about", pruning_is_warned_about},
    {"a dryRun of a custom resource is checked and not stored",
     a_dry_run_of_a_custom_resource_is_checked_and_not_stored},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "schema", tests, sizeof(tests) / sizeof(tests[0]));
}
