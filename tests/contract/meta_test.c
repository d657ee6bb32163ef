/* SPDX-License-Identifier: Apache-2.0 */
/* What metadata may be: names, labels, annotations, finalizers, owner references. */
#include "contract/contract.h"

/* Creates a ConfigMap of this metadata (a body, less its name). */
static api_reply_t create(contract_t *c, const char *name, const char *metadata)
{
    return contract_post_all(c, c->configmaps, "{'metadata':{'name':'%s',%s}}", name, metadata);
}

/* -- Labels and annotations -- */

static void a_label_name_with_a_space_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "label-name", "'labels':{'a b':'x'}");

    EXPECT_ERROR(&r, 422, "Invalid", "metadata.labels: Invalid value: \"a b\": name part must");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.labels");
}

static void a_label_value_with_a_space_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "label-value", "'labels':{'a':'x y'}");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "metadata.labels: Invalid value: \"x y\": a valid label must be an empty string "
                 "or consist of alphanumeric characters, '-', '_' or '.'");
}

static void a_label_value_may_have_63_bytes_and_no_more(void *arg)
{
    contract_t *c = arg;
    API_REPLY fits = create(c, "label-63",
                            "'labels':{'a':'"
                            "012345678901234567890123456789012345678901234567890123456789012'}");
    API_REPLY r = create(c, "label-64",
                         "'labels':{'a':'"
                         "0123456789012345678901234567890123456789012345678901234567890123'}");

    EXPECT_INT(fits.status, 201);
    EXPECT_ERROR(&r, 422, "Invalid", "must be no more than 63 ");
}

static void a_label_value_may_be_empty(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "label-empty", "'labels':{'example.dev/empty':''}");

    EXPECT_INT(r.status, 201);
    EXPECT_TRUE(cJSON_IsString(api_at(r.json, "/metadata/labels/example.dev~1empty")));
}

static void a_label_prefix_must_be_a_dns_name(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "label-prefix", "'labels':{'Bad_/x':'y'}");

    EXPECT_ERROR(&r, 422, "Invalid", "metadata.labels: Invalid value: \"Bad_/x\": prefix part");
}

static void a_label_that_is_a_number_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "label-number", "'labels':{'a':1}");

    EXPECT_ERROR(&r, 400, "BadRequest",
                 "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of "
                 "type string");
}

static void a_null_label_is_an_empty_one(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "label-null", "'labels':{'a':null,'b':'c'}");

    EXPECT_INT(r.status, 201);
    EXPECT_TRUE(cJSON_IsString(api_at(r.json, "/metadata/labels/a")));
    EXPECT_STR(api_str(r.json, "/metadata/labels/b"), "c");
}

static void an_annotation_value_may_be_anything(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "annotation-value", "'annotations':{'a':'x y\\n\\u00e4 {}'}");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/metadata/annotations/a"), "x y\n\u00e4 {}");
}

static void an_annotation_name_is_checked(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "annotation-name", "'annotations':{'a b':'x'}");

    EXPECT_ERROR(&r, 422, "Invalid", "metadata.annotations: Invalid value: \"a b\"");
}

static void annotations_of_more_than_256_kib_are_422(void *arg)
{
    contract_t *c = arg;
    const size_t len = 256 * 1024;
    char *value = malloc(len + 1);

    memset(value, 'x', len);
    value[len] = '\0';
    API_REPLY r =
        contract_post(c, c->configmaps,
                      "{'metadata':{'name':'annotation-large','annotations':{'a':'%s'}}}", value);
    free(value);
    EXPECT_ERROR(&r, 422, "Invalid", "metadata.annotations: Too long: may not be more than 262144");
    EXPECT_CAUSE(&r, "FieldValueTooLong", "metadata.annotations");
}

static void empty_maps_of_metadata_are_not_kept(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "empty-maps", "'labels':{},'annotations':{},'finalizers':[]");

    EXPECT_INT(r.status, 201);
    EXPECT_TRUE(api_at(r.json, "/metadata/labels") == NULL);
    EXPECT_TRUE(api_at(r.json, "/metadata/annotations") == NULL);
    EXPECT_TRUE(api_at(r.json, "/metadata/finalizers") == NULL);
}

static void several_faults_are_told_at_once(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "Two_faults", "'labels':{'a':'x y'}");

    EXPECT_ERROR(&r, 422, "Invalid", "is invalid: [metadata.name: Invalid value");
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/details/causes")), 2);
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.name");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.labels");
}

/* -- Finalizers -- */

static void a_finalizer_without_a_domain_is_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "finalizer-plain", "'finalizers':['plain']");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "metadata.finalizers[0]: Invalid value: \"plain\": name is neither a standard "
                 "finalizer name nor is it fully qualified");
}

static void a_finalizer_with_bad_characters_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "finalizer-bad", "'finalizers':['example.dev/a b']");

    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.finalizers");
}

static void orphan_and_foreground_finalizers_exclude_each_other(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "finalizer-both", "'finalizers':['orphan','foregroundDeletion']");

    EXPECT_INT(r.status, 422);
    EXPECT_HAS(api_str(r.json, "/message"),
               "finalizer orphan and foregroundDeletion cannot be both set");
}

static void finalizers_keep_their_order(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "finalizer-order", "'finalizers':['b.dev/2','a.dev/1']");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/metadata/finalizers/0"), "b.dev/2");
    EXPECT_STR(api_str(r.json, "/metadata/finalizers/1"), "a.dev/1");
}

/* -- Owner references -- */

#define OWNER_UID "'uid':'11111111-2222-3333-4444-555555555555'"

static void an_owner_reference_needs_all_its_fields(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "owner-empty", "'ownerReferences':[{}]");

    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.ownerReferences.apiVersion");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.ownerReferences.kind");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.ownerReferences.name");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.ownerReferences.uid");
}

static void an_owner_reference_of_two_controllers_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        create(c, "owner-two",
               "'ownerReferences':[{'apiVersion':'v1','kind':'ConfigMap','name':'one',"
               "'controller':true," OWNER_UID "},{'apiVersion':'v1','kind':'ConfigMap','name':"
               "'two','controller':true,'uid':'21111111-2222-3333-4444-555555555555'}]");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "Only one reference can have Controller set to true. Found \"true\" in references "
                 "for ConfigMap/one and ConfigMap/two");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.ownerReferences");
}

static void an_event_cannot_own(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        create(c, "owner-event",
               "'ownerReferences':[{'apiVersion':'v1','kind':'Event','name':'e'," OWNER_UID "}]");

    EXPECT_ERROR(&r, 422, "Invalid", "/v1, Kind=Event is disallowed from being an owner");
}

static void an_owner_reference_given_twice_is_warned_about(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(
        c, "owner-twice",
        "'ownerReferences':[{'apiVersion':'example.dev/v1','kind':'Foo','name':'a'," OWNER_UID
        "},{'apiVersion':'example.dev/v1','kind':'Foo','name':'a'," OWNER_UID "}]");

    EXPECT_INT(r.status, 201);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/metadata/ownerReferences")), 1);
}

static void an_owner_reference_is_kept_as_it_came(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = create(c, "owner-kept",
                         "'ownerReferences':[{'apiVersion':'v1','kind':'Namespace','name':"
                         "'kube-system'," OWNER_UID ",'blockOwnerDeletion':false}]");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/metadata/ownerReferences/0/blockOwnerDeletion"), "false");
    EXPECT_TRUE(api_at(r.json, "/metadata/ownerReferences/0/controller") == NULL);
}

/* -- What belongs to the server -- */

static void a_generation_is_only_taken_at_creation(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = create(c, "generation", "'generation':7");
    API_REPLY r = contract_put(c, contract_path(c->configmaps, "generation"),
                               "{'metadata':{'name':'generation','generation':9}}");

    EXPECT_INT(made.status, 201);
    EXPECT_INT(api_int(made.json, "/metadata/generation"), 7);
    EXPECT_INT(r.status, 200);
    EXPECT_INT(api_int(r.json, "/metadata/generation"), 7);
}

static void a_put_cannot_set_a_deletion_timestamp(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "put-deletion", NULL, "v");
    API_REPLY r = contract_put(c, contract_path(c->configmaps, "put-deletion"),
                               "{'metadata':{'name':'put-deletion','deletionTimestamp':"
                               "'2001-02-03T04:05:06Z'}}");
    EXPECT_ERROR(&r, 422, "Invalid",
                 "metadata.deletionTimestamp: Invalid value: \"2001-02-03T04:05:06Z\": field is "
                 "immutable");
}

static void labels_of_a_put_are_checked(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "put-label", NULL, "v");
    API_REPLY r = contract_put(c, contract_path(c->configmaps, "put-label"),
                               "{'metadata':{'name':'put-label','labels':{'a':'x y'}}}");
    EXPECT_ERROR(&r, 422, "Invalid", "metadata.labels: Invalid value: \"x y\"");
}

static void a_service_name_must_be_a_dns_label(void *arg)
{
    contract_t *c = arg;
    API_REPLY dot =
        contract_post(c, c->services, "{'metadata':{'name':'a.b'},'spec':{'ports':[{'port':80}]}}");
    API_REPLY digit =
        contract_post(c, c->services, "{'metadata':{'name':'1a'},'spec':{'ports':[{'port':80}]}}");

    EXPECT_ERROR(&dot, 422, "Invalid", "metadata.name: Invalid value: \"a.b\": a DNS-1035 label");
    EXPECT_ERROR(&digit, 422, "Invalid", "metadata.name: Invalid value: \"1a\": a DNS-1035 label");
}

static void a_namespace_name_must_be_a_dns_label(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, "/api/v1/namespaces", "{'metadata':{'name':'a.b'}}");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "metadata.name: Invalid value: \"a.b\": must not contain dots");
}

static const tap_test_t tests[] = {
    {"a label name with a space is 422", a_label_name_with_a_space_is_422},
    {"a label value with a space is 422", a_label_value_with_a_space_is_422},
    {"a label value may have 63 bytes and no more", a_label_value_may_have_63_bytes_and_no_more},
    {"a label value may be empty", a_label_value_may_be_empty},
    {"a label prefix must be a DNS name", a_label_prefix_must_be_a_dns_name},
    {"a label that is a number is 400", a_label_that_is_a_number_is_400},
    {"a null label is an empty one", a_null_label_is_an_empty_one},
    {"an annotation value may be anything", an_annotation_value_may_be_anything},
    {"an annotation name is checked", an_annotation_name_is_checked},
    {"annotations of more than 256 KiB are 422", annotations_of_more_than_256_kib_are_422},
    {"empty maps of metadata are not kept", empty_maps_of_metadata_are_not_kept},
    {"several faults are told at once", several_faults_are_told_at_once},
    {"a finalizer without a domain is refused", a_finalizer_without_a_domain_is_refused},
    {"a finalizer with bad characters is 422", a_finalizer_with_bad_characters_is_422},
    {"orphan and foreground finalizers exclude each other",
     orphan_and_foreground_finalizers_exclude_each_other},
    {"finalizers keep their order", finalizers_keep_their_order},
    {"an ownerReference needs all its fields", an_owner_reference_needs_all_its_fields},
    {"an ownerReference of two controllers is 422", an_owner_reference_of_two_controllers_is_422},
    {"an event cannot own", an_event_cannot_own},
    {"an ownerReference given twice is stored once",
     an_owner_reference_given_twice_is_warned_about},
    {"an ownerReference is kept as it came", an_owner_reference_is_kept_as_it_came},
    {"a ConfigMap takes a generation only at its creation", a_generation_is_only_taken_at_creation},
    {"a put cannot set a deletionTimestamp", a_put_cannot_set_a_deletion_timestamp},
    {"labels of a put are checked", labels_of_a_put_are_checked},
    {"a Service name must be a DNS-1035 label", a_service_name_must_be_a_dns_label},
    {"a namespace name must be a DNS-1123 label", a_namespace_name_must_be_a_dns_label},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "meta", tests, sizeof(tests) / sizeof(tests[0]));
}
