/* SPDX-License-Identifier: Apache-2.0 */
/* Server-side apply and managedFields. */
#include "contract/contract.h"

static void server_side_apply_creates_and_owns(void *arg)
{
    contract_t *c = arg;
    char path[300];

    snprintf(path, sizeof(path), "%s/applied?fieldManager=contract", c->configmaps);
    API_REPLY r = api_patch(c->api, path, "apply",
                            "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                            "\"applied\"},\"data\":{\"k\":\"v\"}}");
    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/operation"), "Apply");
}

static void managed_fields_name_the_field_manager(void *arg)
{
    contract_t *c = arg;
    char path[256];

    snprintf(path, sizeof(path), "%s?fieldManager=contract", c->configmaps);
    API_REPLY r = api_post(c->api, path, "{\"metadata\":{\"name\":\"mf\"},\"data\":{\"k\":\"v\"}}");
    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/manager"), "contract");
}

/* Applies a ConfigMap with this data (an object's inside, with ' for ") as this manager; more: "" or
 * "&name=value...". */
static api_reply_t apply(contract_t *c, const char *name, const char *manager, const char *more,
                         const char *data)
{
    char body[1024];

    snprintf(body, sizeof(body),
             "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'%s'},'data':{%s}}", name,
             data);
    return api_patch(c->api,
                     contract_text("%s/%s?fieldManager=%s%s", c->configmaps, name, manager, more),
                     "apply", "%s", contract_quote(body));
}

static void an_apply_owns_the_fields_it_names(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = apply(c, "owns", "one", "", "'a':'1'");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/manager"), "one");
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/apiVersion"), "v1");
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/fieldsType"), "FieldsV1");
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/0/fieldsV1/f:data/f:a") != NULL);
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/0/fieldsV1/f:metadata") == NULL);
}

static void the_same_apply_keeps_the_version(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply(c, "same", "one", "", "'a':'1'");
    EXPECT_INT(first.status, 201);
    API_REPLY again = apply(c, "same", "one", "", "'a':'1'");

    EXPECT_INT(again.status, 200);
    EXPECT_STR(api_str(again.json, "/metadata/resourceVersion"),
               api_str(first.json, "/metadata/resourceVersion"));
}

static void a_field_no_longer_named_is_removed(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply(c, "removed", "one", "", "'a':'1','b':'2'");
    EXPECT_INT(first.status, 201);
    API_REPLY r = apply(c, "removed", "one", "", "'a':'1'");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/a"), "1");
    EXPECT_TRUE(api_at(r.json, "/data/b") == NULL);
}

static void another_managers_field_is_a_conflict(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply(c, "conflict", "one", "", "'a':'1'");
    EXPECT_INT(first.status, 201);
    API_REPLY r = apply(c, "conflict", "two", "", "'a':'2'");

    EXPECT_ERROR(&r, 409, "Conflict",
                 "Apply failed with 1 conflict: conflict with \"one\": .data.a");
    EXPECT_CAUSE(&r, "FieldManagerConflict", ".data.a");
    EXPECT_STR(api_str(r.json, "/details/causes/0/message"), "conflict with \"one\"");
}

static void force_takes_the_field(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply(c, "force", "one", "", "'a':'1','b':'1'");
    EXPECT_INT(first.status, 201);
    API_REPLY r = apply(c, "force", "two", "&force=true", "'a':'2'");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/a"), "2");
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/manager"), "one");
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/0/fieldsV1/f:data/f:a") == NULL);
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/1/fieldsV1/f:data/f:a") != NULL);
}

static void the_same_value_is_shared(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply(c, "shared", "one", "", "'a':'1'");
    EXPECT_INT(first.status, 201);
    API_REPLY second = apply(c, "shared", "two", "", "'a':'1'");
    EXPECT_INT(second.status, 200);
    EXPECT_TRUE(api_at(second.json, "/metadata/managedFields/1/fieldsV1/f:data/f:a") != NULL);
    API_REPLY r = apply(c, "shared", "one", "", "");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/a"), "1");
}

static void an_update_takes_an_appliers_field(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply(c, "updated", "one", "", "'a':'1'");
    EXPECT_INT(first.status, 201);
    API_REPLY r = contract_patch(c, contract_text("%s/updated?fieldManager=two", c->configmaps),
                                 "merge", "{'data':{'a':'2'}}");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/manager"), "two");
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/operation"), "Update");
    API_REPLY back = apply(c, "updated", "one", "", "'a':'1'");
    EXPECT_ERROR(&back, 409, "Conflict", "conflict with \"two\" using v1");
}

static void an_apply_needs_a_field_manager(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "nobody"), "apply",
                                 "{'apiVersion':'v1','kind':'ConfigMap'}");

    EXPECT_ERROR(&r, 422, "Invalid", "fieldManager: Required value: is required for apply patch");
}

static void an_apply_of_managed_fields_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_patch(c, contract_text("%s/managed?fieldManager=one", c->configmaps), "apply",
                       "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'managed',"
                       "'managedFields':[{'manager':'one'}]}}");

    EXPECT_ERROR(&r, 400, "BadRequest", "metadata.managedFields must be nil");
}

static void an_apply_reads_yaml(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        api_patch(c->api, contract_text("%s/yaml?fieldManager=one", c->configmaps), "apply",
                  "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: \"1\"\n");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/data/a"), "1");
}

static void an_apply_in_a_dry_run_creates_nothing(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = apply(c, "dry", "one", "&dryRun=All", "'a':'1'");
    EXPECT_INT(r.status, 201);
    API_REPLY got = api_get(c->api, "%s/dry", c->configmaps);

    EXPECT_INT(got.status, 404);
}

static void an_apply_with_a_uid_creates_nothing(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(
        c, contract_text("%s/by-uid?fieldManager=one", c->configmaps), "apply",
        "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'by-uid','uid':'u'}}");

    EXPECT_ERROR(&r, 409, "Conflict", "uid mismatch");
}

static void an_empty_entry_clears_managed_fields(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply(c, "cleared", "one", "", "'a':'1'");
    EXPECT_INT(first.status, 201);
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "cleared"), "merge",
                                 "{'metadata':{'managedFields':[{}]}}");

    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields") == NULL);
}

/* Applies a Deployment with these containers (an array's inside, with ' for ") as this manager. */
static api_reply_t apply_containers(contract_t *c, const char *name, const char *manager,
                                    const char *containers)
{
    char body[1024];

    snprintf(body, sizeof(body),
             "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'%s'},"
             "'spec':{'selector':{'matchLabels':{'app':'%s'}},'template':{"
             "'metadata':{'labels':{'app':'%s'}},'spec':{'containers':[%s]}}}}",
             name, name, name, containers);
    return api_patch(c->api, contract_text("%s/%s?fieldManager=%s", c->deployments, name, manager),
                     "apply", "%s", contract_quote(body));
}

static void a_list_item_is_owned_by_its_key(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = apply_containers(c, "item", "one", "{'name':'c','image':'i'}");

    EXPECT_INT(r.status, 201);
    const cJSON *item = api_at(r.json, "/metadata/managedFields/0/fieldsV1/f:spec/f:template/"
                                       "f:spec/f:containers/k:{\"name\":\"c\"}");
    EXPECT_TRUE(item != NULL);
    EXPECT_TRUE(api_at(item, "/.") != NULL);
    EXPECT_TRUE(api_at(item, "/f:name") != NULL);
    EXPECT_TRUE(api_at(item, "/f:image") != NULL);
    EXPECT_TRUE(api_at(item, "/f:imagePullPolicy") == NULL);
}

static void appliers_items_of_one_list_are_merged(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply_containers(c, "merged", "one", "{'name':'c','image':'i'}");
    EXPECT_INT(first.status, 201);
    API_REPLY r = apply_containers(c, "merged", "two", "{'name':'d','image':'i'}");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/spec/template/spec/containers/0/name"), "c");
    EXPECT_STR(api_str(r.json, "/spec/template/spec/containers/1/name"), "d");
}

static void an_item_no_longer_named_is_removed(void *arg)
{
    contract_t *c = arg;
    API_REPLY first =
        apply_containers(c, "dropped", "one", "{'name':'c','image':'i'},{'name':'d','image':'i'}");
    EXPECT_INT(first.status, 201);
    API_REPLY r = apply_containers(c, "dropped", "one", "{'name':'d','image':'i'}");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/spec/template/spec/containers/0/name"), "d");
    EXPECT_TRUE(api_at(r.json, "/spec/template/spec/containers/1") == NULL);
}

static void a_conflict_names_the_item(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply_containers(c, "named", "one", "{'name':'c','image':'i'}");
    EXPECT_INT(first.status, 201);
    API_REPLY r = apply_containers(c, "named", "two", "{'name':'c','image':'j'}");

    EXPECT_ERROR(&r, 409, "Conflict", "conflict with \"one\"");
    EXPECT_CAUSE(&r, "FieldManagerConflict", ".spec.template.spec.containers[name=\"c\"].image");
}

static void two_items_with_one_key_are_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        apply_containers(c, "twice", "one", "{'name':'c','image':'i'},{'name':'c','image':'j'}");

    EXPECT_INT(r.status, 500);
    EXPECT_HAS(api_str(r.json, "/message"), "duplicate entries for key [name=\"c\"]");
}

static void a_set_holds_every_appliers_items(void *arg)
{
    contract_t *c = arg;
    const char *body = "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'set',"
                       "'finalizers':['example.dev/%s']}}";
    API_REPLY first = contract_patch(c, contract_text("%s/set?fieldManager=one", c->configmaps),
                                     "apply", body, "a");
    EXPECT_INT(first.status, 201);
    EXPECT_TRUE(api_at(first.json, "/metadata/managedFields/0/fieldsV1/f:metadata/f:finalizers/"
                                   "v:\"example.dev~1a\"") != NULL);
    API_REPLY r = contract_patch(c, contract_text("%s/set?fieldManager=two", c->configmaps),
                                 "apply", body, "b");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/finalizers/1"), "example.dev/b");
    API_REPLY gone = contract_patch(c, contract_path(c->configmaps, "set"), "merge",
                                    "{'metadata':{'finalizers':null}}");
    EXPECT_INT(gone.status, 200);
}

static void a_status_write_is_managed_as_its_own(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply_containers(c, "status", "one", "{'name':'c','image':'i'}");
    EXPECT_INT(first.status, 201);
    API_REPLY r =
        contract_patch(c, contract_text("%s/status/status?fieldManager=one", c->deployments),
                       "merge", "{'status':{'replicas':1}}");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/1/subresource"), "status");
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/1/operation"), "Update");
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/1/fieldsV1/f:status/f:replicas") != NULL);
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/1/fieldsV1/f:spec") == NULL);
}

static void without_a_name_the_user_agent_is_the_manager(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->configmaps, "{'metadata':{'name':'agent'},'data':{'a':'1'}}");

    EXPECT_INT(r.status, 201);
    EXPECT_TRUE(api_str(r.json, "/metadata/managedFields/0/manager")[0] != '\0');
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/operation"), "Update");
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/0/fieldsV1/f:data/.") != NULL);
}

static const tap_test_t tests[] = {
    {"server-side apply creates and owns", server_side_apply_creates_and_owns},
    {"managedFields name the field manager", managed_fields_name_the_field_manager},
    {"an apply owns the fields it names", an_apply_owns_the_fields_it_names},
    {"the same apply keeps the version", the_same_apply_keeps_the_version},
    {"a field no longer named is removed", a_field_no_longer_named_is_removed},
    {"another manager's field is a conflict", another_managers_field_is_a_conflict},
    {"force takes the field", force_takes_the_field},
    {"the same value is shared", the_same_value_is_shared},
    {"an update takes an applier's field", an_update_takes_an_appliers_field},
    {"an apply needs a field manager", an_apply_needs_a_field_manager},
    {"an apply of managedFields is 400", an_apply_of_managed_fields_is_400},
    {"an apply reads YAML", an_apply_reads_yaml},
    {"an apply in a dry run creates nothing", an_apply_in_a_dry_run_creates_nothing},
    {"an apply with a UID creates nothing", an_apply_with_a_uid_creates_nothing},
    {"an empty entry clears managedFields", an_empty_entry_clears_managed_fields},
    {"a list item is owned by its key", a_list_item_is_owned_by_its_key},
    {"appliers' items of one list are merged", appliers_items_of_one_list_are_merged},
    {"an item no longer named is removed", an_item_no_longer_named_is_removed},
    {"a conflict names the item", a_conflict_names_the_item},
    {"two items with one key are refused", two_items_with_one_key_are_refused},
    {"a set holds every applier's items", a_set_holds_every_appliers_items},
    {"a status write is managed as its own", a_status_write_is_managed_as_its_own},
    {"without a name the user agent is the manager", without_a_name_the_user_agent_is_the_manager},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "apply", tests, sizeof(tests) / sizeof(tests[0]));
}
