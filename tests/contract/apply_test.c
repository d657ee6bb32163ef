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

static void an_apply_of_another_kind_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_patch(c, contract_text("%s/other?fieldManager=one", c->configmaps), "apply",
                       "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'other'}}");

    EXPECT_ERROR(&r, 400, "BadRequest", "invalid object type: /v1, Kind=Secret");
}

static void an_apply_of_an_unknown_field_is_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(
        c, contract_text("%s/unknown?fieldManager=one", c->configmaps), "apply",
        "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'unknown'},'colour':'blue'}");

    EXPECT_INT(r.status, 500);
    EXPECT_STR(api_str(r.json, "/message"),
               "failed to create typed patch object (/unknown; /v1, "
               "Kind=ConfigMap): .colour: field not declared in schema");
}

static void force_is_for_applies_only(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_patch(c, contract_text("%s/none?force=true", c->configmaps), "merge", "{}");

    EXPECT_ERROR(&r, 422, "Invalid", "force: Forbidden: may not be specified for non-apply patch");
}

static void a_long_field_manager_is_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, contract_text("%s?fieldManager=%0129d", c->configmaps, 1), "{}");

    EXPECT_ERROR(&r, 422, "Invalid", "fieldManager: Too long: may not be more than 128 bytes");
}

static void what_nobody_owned_is_owned_before_an_apply(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply(c, "before", "one", "", "'a':'1'");
    EXPECT_INT(first.status, 201);
    API_REPLY cleared = contract_patch(c, contract_path(c->configmaps, "before"), "merge",
                                       "{'metadata':{'managedFields':[]}}");
    EXPECT_INT(cleared.status, 200);
    EXPECT_TRUE(api_at(cleared.json, "/metadata/managedFields") == NULL);
    API_REPLY r = apply(c, "before", "two", "", "'b':'1'");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/1/manager"), "before-first-apply");
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/1/fieldsV1/f:data/f:a") != NULL);
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/1/fieldsV1/f:data/f:b") == NULL);
}

static void the_oldest_of_many_updaters_become_one(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = contract_post(c, contract_text("%s?fieldManager=m00", c->configmaps),
                                   "{'metadata':{'name':'many'},'data':{'k00':''}}");
    EXPECT_INT(made.status, 201);
    for (int i = 1; i < 12; i++) {
        API_REPLY r =
            contract_patch(c, contract_text("%s/many?fieldManager=m%02d", c->configmaps, i),
                           "merge", "{'data':{'k%02d':''}}", i);
        EXPECT_INT(r.status, 200);
    }
    API_REPLY r = api_get(c->api, "%s/many", c->configmaps);

    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/metadata/managedFields")), 10);
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/manager"), "ancient-changes");
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/0/fieldsV1/f:data/f:k00") != NULL);
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/0/fieldsV1/f:data/f:k02") != NULL);
}

static void managed_fields_can_be_written(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply(c, "by-hand", "one", "", "'a':'1'");
    EXPECT_INT(first.status, 201);
    API_REPLY r = contract_patch(
        c, contract_path(c->configmaps, "by-hand"), "merge",
        "{'metadata':{'managedFields':[{'manager':'hand','operation':'Apply','apiVersion':'v1',"
        "'time':'2026-01-01T00:00:00Z','fieldsType':'FieldsV1','fieldsV1':{'f:data':{'f:a':{}}}}]}"
        "}");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/manager"), "hand");
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/time"), "2026-01-01T00:00:00Z");
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/1") == NULL);
}

#define SCALE                                                                                      \
    "{'apiVersion':'autoscaling/v1','kind':'Scale','metadata':{'name':'scaled'},'spec':{"          \
    "'replicas':2}}"

static void an_applied_scale_owns_the_replicas(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply_containers(c, "scaled", "one", "{'name':'c','image':'i'}");
    EXPECT_INT(first.status, 201);
    API_REPLY set = contract_patch(c, contract_text("%s/scaled?fieldManager=two", c->deployments),
                                   "merge", "{'spec':{'replicas':3}}");
    EXPECT_INT(set.status, 200);
    API_REPLY put =
        contract_patch(c, contract_text("%s/scaled/scale?fieldManager=three", c->deployments),
                       "merge", "{'spec':{'replicas':4}}");
    EXPECT_INT(put.status, 200);
    API_REPLY conflict = contract_patch(
        c, contract_text("%s/scaled/scale?fieldManager=one", c->deployments), "apply", SCALE);
    EXPECT_ERROR(&conflict, 409, "Conflict",
                 "conflict with \"three\" with subresource \"scale\" using autoscaling/v1: "
                 ".spec.replicas");
    API_REPLY forced = contract_patch(
        c, contract_text("%s/scaled/scale?fieldManager=one&force=true", c->deployments), "apply",
        SCALE);
    EXPECT_INT(forced.status, 200);
    EXPECT_INT(api_int(forced.json, "/spec/replicas"), 2);
}

/* For Go leaves a zero out of a Scale. */
static void a_scale_to_nothing_is_nobodys(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply_containers(c, "zero", "one", "{'name':'c','image':'i'}");
    EXPECT_INT(first.status, 201);
    API_REPLY set = contract_patch(c, contract_text("%s/zero?fieldManager=two", c->deployments),
                                   "merge", "{'spec':{'replicas':3}}");
    EXPECT_INT(set.status, 200);
    EXPECT_STR(api_str(set.json, "/metadata/managedFields/1/manager"), "two");
    API_REPLY put =
        contract_patch(c, contract_text("%s/zero/scale?fieldManager=three", c->deployments),
                       "merge", "{'spec':{'replicas':0}}");
    EXPECT_INT(put.status, 200);
    API_REPLY r = api_get(c->api, "%s/zero", c->deployments);

    EXPECT_INT(api_int(r.json, "/spec/replicas"), 0);
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/1") == NULL);
}

static void replicas_that_nobody_owns_are_those_before_an_apply(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply_containers(c, "unscaled", "one", "{'name':'c','image':'i'}");
    EXPECT_INT(first.status, 201);
    API_REPLY conflict = contract_patch(
        c, contract_text("%s/unscaled/scale?fieldManager=two", c->deployments), "apply",
        "{'apiVersion':'autoscaling/v1','kind':'Scale','metadata':{'name':'unscaled'},"
        "'spec':{'replicas':2}}");

    EXPECT_ERROR(&conflict, 409, "Conflict",
                 "conflict with \"before-first-apply\" with subresource \"scale\" using "
                 "autoscaling/v1: .spec.replicas");
    API_REPLY set =
        contract_patch(c, contract_text("%s/unscaled/scale?fieldManager=two", c->deployments),
                       "merge", "{'spec':{'replicas':3}}");
    EXPECT_INT(set.status, 200);
    API_REPLY r = api_get(c->api, "%s/unscaled", c->deployments);
    EXPECT_INT(api_int(r.json, "/spec/replicas"), 3);
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/1") == NULL);
}

static void an_applied_status_leaves_the_spec_alone(void *arg)
{
    contract_t *c = arg;
    API_REPLY first = apply_containers(c, "stated", "one", "{'name':'c','image':'i'}");
    EXPECT_INT(first.status, 201);
    API_REPLY r = contract_patch(
        c, contract_text("%s/stated/status?fieldManager=two", c->deployments), "apply",
        "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'stated'},"
        "'spec':{'replicas':7},'status':{'conditions':[{'type':'Odd','status':'True'}]}}");

    EXPECT_INT(r.status, 200);
    EXPECT_INT(api_int(r.json, "/spec/replicas"), 1);
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/1/subresource"), "status");
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/1/fieldsV1/f:spec") == NULL);
    EXPECT_TRUE(api_at(r.json, "/metadata/managedFields/1/fieldsV1/f:status/f:conditions/"
                               "k:{\"type\":\"Odd\"}/f:status") != NULL);
}

static void kubectl_takes_over_what_it_applied_itself(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = contract_post(
        c, contract_text("%s?fieldManager=kubectl-client-side-apply", c->configmaps),
        "{'metadata':{'name':'taken','annotations':{"
        "'kubectl.kubernetes.io/last-applied-configuration':'{\\'apiVersion\\':\\'v1\\',"
        "\\'kind\\':\\'ConfigMap\\',\\'data\\':{\\'a\\':\\'1\\'}}'}},'data':{'a':'1','b':'1'}}");
    EXPECT_INT(made.status, 201);
    API_REPLY conflict = apply(c, "taken", "kubectl", "", "'a':'2','b':'2'");
    EXPECT_ERROR(&conflict, 409, "Conflict", "Apply failed with 1 conflict: ");
    EXPECT_CAUSE(&conflict, "FieldManagerConflict", ".data.b");
    API_REPLY r = apply(c, "taken", "kubectl", "", "'a':'2'");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/a"), "2");
    EXPECT_HAS(api_str(r.json, "/metadata/annotations/kubectl.kubernetes.io~1"
                               "last-applied-configuration"),
               "\"data\":{\"a\":\"2\"}");
}

#define MERGED                                                                                     \
    "[{'name':'v1','served':true,'storage':true,'schema':{'openAPIV3Schema':{'type':'object',"     \
    "'properties':{'spec':{'type':'object','properties':{"                                         \
    "'ports':{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['port'," \
    "'protocol'],'items':{'type':'object','required':['port'],'properties':{'port':{'type':"       \
    "'integer'},'protocol':{'type':'string','default':'TCP'},'name':{'type':'string'}}}},"         \
    "'tags':{'type':'array','x-kubernetes-list-type':'set','items':{'type':'string'}},"            \
    "'list':{'type':'array','items':{'type':'string'}},"                                           \
    "'one':{'type':'object','x-kubernetes-map-type':'atomic','additionalProperties':{'type':"      \
    "'string'}},'free':{'type':'object','x-kubernetes-preserve-unknown-fields':true}}}}}}}]"

/* Applies a Merger with this spec. */
static api_reply_t apply_custom(contract_t *c, const char *group, const char *name,
                                const char *manager, const char *spec)
{
    char body[1024];

    snprintf(body, sizeof(body),
             "{'apiVersion':'%s/v1','kind':'Merger','metadata':{'name':'%s'},'spec':{%s}}", group,
             name, spec);
    return api_patch(c->api,
                     contract_text("%s/%s?fieldManager=%s",
                                   contract_custom(c, group, "v1", "mergers"), name, manager),
                     "apply", "%s", contract_quote(body));
}

static void a_custom_resource_is_merged_by_its_schema(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "mergers", "Merger", "", MERGED);
    API_REPLY first =
        apply_custom(c, group, "m", "one",
                     "'ports':[{'port':80,'name':'a'}],'tags':['x'],'list':['a'],'one':{'a':'1'},"
                     "'free':{'a':{'b':'1'}}");
    EXPECT_INT(first.status, 201);
    EXPECT_TRUE(api_at(first.json, "/metadata/managedFields/0/fieldsV1/f:spec/f:ports/"
                                   "k:{\"port\":80,\"protocol\":\"TCP\"}/f:name") != NULL);
    EXPECT_TRUE(api_at(first.json, "/metadata/managedFields/0/fieldsV1/f:spec/f:one/f:a") == NULL);
    API_REPLY r = apply_custom(
        c, group, "m", "two", "'ports':[{'port':80,'protocol':'UDP'}],'tags':['y'],'free':{'c':1}");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/spec/ports/0/protocol"), "TCP");
    EXPECT_STR(api_str(r.json, "/spec/ports/1/protocol"), "UDP");
    EXPECT_STR(api_str(r.json, "/spec/tags/1"), "y");
    EXPECT_STR(api_str(r.json, "/spec/free/a/b"), "1");
    API_REPLY conflict = apply_custom(c, group, "m", "two", "'list':['b'],'one':{'b':'1'}");
    EXPECT_ERROR(&conflict, 409, "Conflict", "Apply failed with 2 conflicts: ");
    EXPECT_CAUSE(&conflict, "FieldManagerConflict", ".spec.list");
    EXPECT_CAUSE(&conflict, "FieldManagerConflict", ".spec.one");
    API_REPLY less = apply_custom(c, group, "m", "one", "'ports':[{'port':80}]");

    EXPECT_INT(less.status, 200);
    EXPECT_TRUE(api_at(less.json, "/spec/ports/0/name") == NULL);
    EXPECT_TRUE(api_at(less.json, "/spec/list") == NULL);
    EXPECT_STR(api_str(less.json, "/spec/tags/0"), "y");
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
    {"an apply of another kind is 400", an_apply_of_another_kind_is_400},
    {"an apply of an unknown field is refused", an_apply_of_an_unknown_field_is_refused},
    {"force is for applies only", force_is_for_applies_only},
    {"a long field manager is refused", a_long_field_manager_is_refused},
    {"what nobody owned is owned before an apply", what_nobody_owned_is_owned_before_an_apply},
    {"the oldest of many updaters become one", the_oldest_of_many_updaters_become_one},
    {"managedFields can be written", managed_fields_can_be_written},
    {"an applied scale owns the replicas", an_applied_scale_owns_the_replicas},
    {"a scale to nothing is nobody's", a_scale_to_nothing_is_nobodys},
    {"replicas that nobody owns are those before an apply",
     replicas_that_nobody_owns_are_those_before_an_apply},
    {"an applied status leaves the spec alone", an_applied_status_leaves_the_spec_alone},
    {"kubectl takes over what it applied itself", kubectl_takes_over_what_it_applied_itself},
    {"a custom resource is merged by its schema", a_custom_resource_is_merged_by_its_schema},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "apply", tests, sizeof(tests) / sizeof(tests[0]));
}
