/* SPDX-License-Identifier: Apache-2.0 */
/* The life of CustomResourceDefinitions and their versions. */
#include "contract/contract.h"

#define ANY                                                                                        \
    "'schema':{'openAPIV3Schema':{'type':'object','x-kubernetes-preserve-unknown-fields':true}}"
/* One version that takes anything; more: "" or ",'subresources':...". */
#define ONE_VERSION(more) "[{'name':'v1','served':true,'storage':true," ANY more "}]"

/* Creates <plural>/<name>; rest: "" or ",'spec':...". */
static api_reply_t make(contract_t *c, const char *group, const char *version, const char *plural,
                        const char *kind, const char *name, const char *rest)
{
    return contract_post_all(c, contract_custom(c, group, version, plural),
                             "{'apiVersion':'%s/%s','kind':'%s','metadata':{'name':'%s'}%s}", group,
                             version, kind, name, rest);
}

static const char *condition(const cJSON *crd, const char *type, const char *field)
{
    const cJSON *each;

    cJSON_ArrayForEach (each, api_at(crd, "/status/conditions")) {
        if (strcmp(api_str(each, "/type"), type) == 0)
            return api_str(each, field);
    }
    return "";
}

/* -- Life -- */

static void a_crd_is_served_soon_after_its_creation(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "things", "Thing", "", ONE_VERSION(""));
    API_REPLY discovery = api_get(c->api, "/apis/%s/v1", group);
    API_REPLY list = api_get(c->api, "%s", contract_custom(c, group, "v1", "things"));

    EXPECT_INT(discovery.status, 200);
    EXPECT_STR(api_str(discovery.json, "/resources/0/name"), "things");
    EXPECT_INT(list.status, 200);
    EXPECT_STR(api_str(list.json, "/kind"), "ThingList");
    EXPECT_STR(api_str(list.json, "/apiVersion"), contract_text("%s/v1", group));
}

static void a_served_crd_says_that_it_is_established(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "states", "State", "", ONE_VERSION(""));
    API_REPLY r = api_get(c->api, CONTRACT_CRDS "/states.%s", group);

    EXPECT_STR(condition(r.json, "NamesAccepted", "/status"), "True");
    EXPECT_STR(condition(r.json, "NamesAccepted", "/reason"), "NoConflicts");
    EXPECT_STR(condition(r.json, "Established", "/status"), "True");
    EXPECT_STR(condition(r.json, "Established", "/reason"), "InitialNamesAccepted");
    EXPECT_STR(api_str(r.json, "/status/storedVersions/0"), "v1");
    EXPECT_STR(api_str(r.json, "/status/acceptedNames/kind"), "State");
    EXPECT_STR(api_str(r.json, "/status/acceptedNames/plural"), "states");
}

static void a_crd_gets_names_it_does_not_say(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "nameds", "Named", "", ONE_VERSION(""));
    API_REPLY r = api_get(c->api, CONTRACT_CRDS "/nameds.%s", group);

    EXPECT_STR(api_str(r.json, "/spec/names/singular"), "named");
    EXPECT_STR(api_str(r.json, "/spec/names/listKind"), "NamedList");
    EXPECT_STR(api_str(r.json, "/spec/conversion/strategy"), "None");
    EXPECT_INT(api_int(r.json, "/metadata/generation"), 1);
}

static void a_crds_short_names_and_categories_are_discovered(void *arg)
{
    contract_t *c = arg;
    const char *group =
        contract_crd(c, "shorts", "Short", ",'shortNames':['sh','sho'],'categories':['all']",
                     ONE_VERSION(",'subresources':{'status':{}}"));
    API_REPLY r = api_get(c->api, "/apis/%s/v1", group);
    const cJSON *one = api_at(r.json, "/resources/0");

    EXPECT_STR(api_str(one, "/name"), "shorts");
    EXPECT_STR(api_str(one, "/singularName"), "short");
    EXPECT_STR(api_str(one, "/namespaced"), "true");
    EXPECT_STR(api_str(one, "/kind"), "Short");
    EXPECT_STR(api_str(one, "/shortNames/0"), "sh");
    EXPECT_STR(api_str(one, "/shortNames/1"), "sho");
    EXPECT_STR(api_str(one, "/categories/0"), "all");
    EXPECT_INT(cJSON_GetArraySize(api_at(one, "/verbs")), 8);
    EXPECT_STR(api_str(r.json, "/resources/1/name"), "shorts/status");
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/resources/1/verbs")), 3);
}

/* Tries to create a CRD that is refused. */
static api_reply_t refused(contract_t *c, const char *name, const char *plural,
                           const char *versions)
{
    return contract_post_all(
        c, CONTRACT_CRDS,
        "{'metadata':{'name':'%s.%s.example.dev'},'spec':{'group':'%s.example.dev','scope':"
        "'Namespaced','names':{'plural':'%s','kind':'Refused'},'versions':%s}}",
        name, c->id, c->id, plural, versions);
}

static void a_crd_is_named_after_plural_and_group(void *arg)
{
    API_REPLY r = refused(arg, "other", "refuseds", ONE_VERSION(""));

    EXPECT_INT(r.status, 422);
    EXPECT_HAS(api_str(r.json, "/message"), "must be spec.names.plural+\".\"+spec.group");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.name");
}

static void a_crd_needs_one_stored_version(void *arg)
{
    API_REPLY none = refused(arg, "refuseds", "refuseds",
                             "[{'name':'v1','served':true,'storage':false," ANY "}]");
    API_REPLY two = refused(arg, "refuseds", "refuseds",
                            "[{'name':'v1','served':true,'storage':true," ANY
                            "},{'name':'v2','served':true,'storage':true," ANY "}]");

    EXPECT_ERROR(&none, 422, "Invalid", "must have exactly one version marked as storage version");
    EXPECT_ERROR(&two, 422, "Invalid", "must have exactly one version marked as storage version");
}

static void a_crd_needs_a_schema(void *arg)
{
    API_REPLY r =
        refused(arg, "refuseds", "refuseds", "[{'name':'v1','served':true,'storage':true}]");

    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueRequired", "spec.versions[0].schema.openAPIV3Schema");
}

static void a_crds_schema_must_be_structural(void *arg)
{
    API_REPLY r = refused(arg, "refuseds", "refuseds",
                          "[{'name':'v1','served':true,'storage':true,'schema':{'openAPIV3Schema':{"
                          "'type':'object','properties':{'spec':{'properties':{'a':{'type':"
                          "'string'}}}}}}}]");

    EXPECT_INT(r.status, 422);
    EXPECT_HAS(api_str(r.json, "/message"), "must not be empty for specified object fields");
    EXPECT_CAUSE(&r, "FieldValueRequired", "spec.validation.openAPIV3Schema.properties[spec].type");
}

static void a_crds_default_must_be_valid(void *arg)
{
    API_REPLY r = refused(arg, "refuseds", "refuseds",
                          "[{'name':'v1','served':true,'storage':true,'schema':{'openAPIV3Schema':{"
                          "'type':'object','properties':{'spec':{'type':'object','properties':{"
                          "'a':{'type':'integer','default':'x'}}}}}}}]");

    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueTypeInvalid",
                 "spec.validation.openAPIV3Schema.properties[spec].properties[a].default");
}

static void a_crd_cannot_change_its_scope(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "scopes", "Scope", "", ONE_VERSION(""));
    API_REPLY r = contract_patch(c, contract_text(CONTRACT_CRDS "/scopes.%s", group), "merge",
                                 "{'spec':{'scope':'Cluster'}}");

    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueInvalid", "spec.scope");
    EXPECT_HAS(api_str(r.json, "/message"), "field is immutable");
}

static bool names_are_refused(const api_reply_t *r, void *arg)
{
    (void) arg;
    return strcmp(condition(r->json, "NamesAccepted", "/status"), "False") == 0;
}

static void a_kind_that_is_taken_is_not_served_twice(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "firsts", "Taken", "", ONE_VERSION(""));
    const char *crd = contract_text(CONTRACT_CRDS "/seconds.%s", group);
    API_REPLY made = contract_post(
        c, CONTRACT_CRDS,
        "{'metadata':{'name':'seconds.%s','labels':{'contract':'%s'}},'spec':{'group':'%s','scope':"
        "'Namespaced','names':{'plural':'seconds','kind':'Taken','listKind':'Seconds'},'versions'"
        ":" ONE_VERSION("") "}}",
        group, c->id, group);

    REQUIRE_INT(made.status, 201);
    EXPECT_TRUE(api_until(c->api, crd, 10000, names_are_refused, NULL));
    API_REPLY r = api_get(c->api, "%s", crd);
    EXPECT_STR(condition(r.json, "NamesAccepted", "/reason"), "KindConflict");
    EXPECT_HAS(condition(r.json, "NamesAccepted", "/message"), "\"Taken\" is already in use");
    EXPECT_STR(condition(r.json, "Established", "/status"), "False");
    EXPECT_STR(condition(r.json, "Established", "/reason"), "NotAccepted");
    API_REPLY list = api_get(c->api, "%s", contract_custom(c, group, "v1", "seconds"));
    EXPECT_INT(list.status, 404);
}

static void a_deleted_crd_takes_its_objects_and_its_path(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "doomeds", "Doomed", "", ONE_VERSION(""));
    const char *path = contract_custom(c, group, "v1", "doomeds");
    API_REPLY made = make(c, group, "v1", "doomeds", "Doomed", "one", "");
    api_watch_t *w = api_watch(c->api, "%s?watch=1", path);
    API_EVENT there = contract_next(w);
    API_REPLY del = api_delete(c->api, CONTRACT_CRDS "/doomeds.%s", group);
    API_EVENT e = contract_next(w);

    EXPECT_STR(there.type, "ADDED");
    EXPECT_INT(del.status, 200);
    EXPECT_STR(e.type, "DELETED");
    EXPECT_TRUE(api_until(c->api, path, 10000, contract_is_gone, NULL));
    EXPECT_TRUE(api_until(c->api, contract_text("/apis/%s", group), 10000, contract_is_gone, NULL));
    api_watch_close(w);
}

static void the_watches_of_a_deleted_crd_end_after_its_objects(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "watcheds", "Watched", "", ONE_VERSION(""));
    API_REPLY made = make(c, group, "v1", "watcheds", "Watched", "one", "");
    api_watch_t *w = api_watch(c->api, "%s?watch=1", contract_custom(c, group, "v1", "watcheds"));
    API_EVENT there = contract_next(w);
    API_REPLY del = api_delete(c->api, CONTRACT_CRDS "/watcheds.%s", group);
    API_EVENT gone = contract_next(w);
    API_EVENT end = api_watch_next(w, 10000);

    EXPECT_STR(there.type, "ADDED");
    EXPECT_STR(gone.type, "DELETED");
    EXPECT_STR(end.type, "CLOSED");
    api_watch_close(w);
}

static void the_watches_of_a_changed_crd_end(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "shifteds", "Shifted", "", ONE_VERSION(""));
    const char *crd = contract_text(CONTRACT_CRDS "/shifteds.%s", group);
    API_REPLY made = make(c, group, "v1", "shifteds", "Shifted", "one", "");
    api_watch_t *w = api_watch(c->api, "%s?watch=1", contract_custom(c, group, "v1", "shifteds"));
    API_EVENT there = contract_next(w);
    API_REPLY labelled = contract_patch(c, crd, "merge", "{'metadata':{'labels':{'any':'label'}}}");
    API_REPLY second = make(c, group, "v1", "shifteds", "Shifted", "two", "");
    API_EVENT goes_on = contract_next(w);
    API_REPLY changed =
        contract_patch(c, crd, "merge", "{'spec':{'names':{'shortNames':['shf']}}}");
    API_EVENT end = api_watch_next(w, 10000);

    EXPECT_STR(there.type, "ADDED");
    EXPECT_INT(labelled.status, 200);
    EXPECT_STR(goes_on.type, "ADDED");
    EXPECT_INT(changed.status, 200);
    EXPECT_STR(end.type, "CLOSED");
    api_watch_close(w);
}

static void a_deleted_crd_can_be_made_again_without_old_objects(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "agains", "Again", "", ONE_VERSION(""));
    const char *crd = contract_text(CONTRACT_CRDS "/agains.%s", group);
    API_REPLY made = make(c, group, "v1", "agains", "Again", "old", "");
    API_REPLY del = api_delete(c->api, "%s", crd);

    EXPECT_INT(made.status, 201);
    EXPECT_TRUE(api_until(c->api, crd, 10000, contract_is_gone, NULL));
    contract_crd(c, "agains", "Again", "", ONE_VERSION(""));
    API_REPLY list = api_get(c->api, "%s", contract_custom(c, group, "v1", "agains"));
    EXPECT_ITEMS(&list, "");
}

/* -- Versions -- */

/* The group of "doubles": versions v1, stored, and v1beta1. Made once. */
static const char *doubles(contract_t *c)
{
    static char group[64];

    if (group[0] == '\0')
        snprintf(group, sizeof(group), "%s",
                 contract_crd(c, "doubles", "Double", "",
                              "[{'name':'v1','served':true,'storage':true," ANY
                              "},{'name':'v1beta1','served':true,'storage':false," ANY "}]"));
    return group;
}

static void an_object_is_served_in_every_version(void *arg)
{
    contract_t *c = arg;
    const char *group = doubles(c);
    API_REPLY made = make(c, group, "v1beta1", "doubles", "Double", "one", ",'spec':{'a':1}");
    API_REPLY v1 = api_get(c->api, "%s/one", contract_custom(c, group, "v1", "doubles"));
    API_REPLY list = api_get(c->api, "%s?fieldSelector=metadata.name=one",
                             contract_custom(c, group, "v1beta1", "doubles"));

    EXPECT_STR(api_str(made.json, "/apiVersion"), contract_text("%s/v1beta1", group));
    EXPECT_STR(api_str(v1.json, "/apiVersion"), contract_text("%s/v1", group));
    EXPECT_INT(api_int(v1.json, "/spec/a"), 1);
    EXPECT_STR(api_str(v1.json, "/metadata/uid"), api_str(made.json, "/metadata/uid"));
    EXPECT_STR(api_str(list.json, "/items/0/apiVersion"), contract_text("%s/v1beta1", group));
}

static void a_watch_speaks_the_version_it_was_asked_in(void *arg)
{
    contract_t *c = arg;
    const char *group = doubles(c);
    api_watch_t *w = api_watch(c->api, "%s?watch=1&fieldSelector=metadata.name=watched",
                               contract_custom(c, group, "v1beta1", "doubles"));
    API_REPLY made = make(c, group, "v1", "doubles", "Double", "watched", "");
    API_EVENT e = contract_next(w);

    EXPECT_STR(e.type, "ADDED");
    EXPECT_STR(api_str(e.object, "/apiVersion"), contract_text("%s/v1beta1", group));
    api_watch_close(w);
}

static void versions_are_discovered_stable_and_high_first(void *arg)
{
    contract_t *c = arg;
    const char *group =
        contract_crd(c, "manys", "Many", "",
                     "[{'name':'v1alpha1','served':true,'storage':false," ANY
                     "},{'name':'v2','served':true,'storage':true," ANY
                     "},{'name':'v10','served':true,'storage':false," ANY
                     "},{'name':'v11beta1','served':true,'storage':false," ANY "}]");
    static const char *const order[] = {"v10", "v2", "v11beta1", "v1alpha1"};
    API_REPLY r = api_get(c->api, "/apis/%s", group);

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "APIGroup");
    EXPECT_STR(api_str(r.json, "/preferredVersion/version"), "v10");
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        EXPECT_STR(api_str(r.json, contract_text("/versions/%zu/version", i)), order[i]);
}

static void an_unserved_version_is_404(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "hiddens", "Hidden", "",
                                     "[{'name':'v1','served':false,'storage':true," ANY
                                     "},{'name':'v2','served':true,'storage':false," ANY "}]");
    API_REPLY v1 = api_get(c->api, "%s", contract_custom(c, group, "v1", "hiddens"));
    API_REPLY v2 = make(c, group, "v2", "hiddens", "Hidden", "one", "");

    EXPECT_INT(v1.status, 404);
    EXPECT_INT(v2.status, 201);
}

static void a_version_can_be_added_and_taken_away(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "movers", "Mover", "", ONE_VERSION(""));
    const char *crd = contract_text(CONTRACT_CRDS "/movers.%s", group);
    const char *v2 = contract_custom(c, group, "v2", "movers");
    API_REPLY add = contract_patch(c, crd, "json",
                                   "[{'op':'add','path':'/spec/versions/-','value':{'name':'v2',"
                                   "'served':true,'storage':false," ANY "}}]");

    EXPECT_INT(add.status, 200);
    EXPECT_INT(api_int(add.json, "/metadata/generation"), 2);
    EXPECT_TRUE(api_until(c->api, v2, 10000, contract_is_served, NULL));
    API_REPLY away = contract_patch(
        c, crd, "json", "[{'op':'replace','path':'/spec/versions/1/served','value':false}]");
    EXPECT_INT(away.status, 200);
    EXPECT_TRUE(api_until(c->api, v2, 10000, contract_is_gone, NULL));
}

static bool keeps_color(const api_reply_t *r, void *arg)
{
    contract_t *c = arg;
    API_REPLY set =
        contract_patch(c, contract_custom(c, api_str(r->json, "/spec/group"), "v1", "growings/one"),
                       "merge", "{'spec':{'color':'red'}}");

    return strcmp(api_str(set.json, "/spec/color"), "red") == 0;
}

static void a_changed_schema_is_soon_in_force(void *arg)
{
    contract_t *c = arg;
#define OBJECT_OF(properties)                                                                      \
    "{'type':'object','properties':{'spec':{'type':'object','properties':" properties "}}}"
    const char *group = contract_crd(
        c, "growings", "Growing", "",
        "[{'name':'v1','served':true,'storage':true,'schema':{'openAPIV3Schema':" OBJECT_OF(
            "{'a':{'type':'string'}}") "}}]");
    const char *crd = contract_text(CONTRACT_CRDS "/growings.%s", group);
    API_REPLY made = make(c, group, "v1", "growings", "Growing", "one", ",'spec':{'color':'red'}");
    API_REPLY grown = contract_patch(
        c, crd, "json",
        "[{'op':'replace','path':'/spec/versions/0/schema/openAPIV3Schema','value':" OBJECT_OF(
            "{'a':{'type':'string','default':'late'},'color':{'type':'string'}}") "}]");

    EXPECT_INT(made.status, 201);
    EXPECT_TRUE(api_at(made.json, "/spec/color") == NULL);
    EXPECT_INT(grown.status, 200);
    EXPECT_TRUE(api_until(c->api, crd, 10000, keeps_color, c));
    API_REPLY r = api_get(c->api, "%s/one", contract_custom(c, group, "v1", "growings"));
    EXPECT_STR(api_str(r.json, "/spec/a"), "late");
}

static const tap_test_t tests[] = {
    {"a CRD is served soon after its creation", a_crd_is_served_soon_after_its_creation},
    {"a served CRD says that it is established", a_served_crd_says_that_it_is_established},
    {"a CRD gets names it does not say", a_crd_gets_names_it_does_not_say},
    {"a CRD's shortNames and categories are discovered",
     a_crds_short_names_and_categories_are_discovered},
    {"a CRD's name is its plural and group", a_crd_is_named_after_plural_and_group},
    {"a CRD needs one stored version", a_crd_needs_one_stored_version},
    {"a CRD needs a schema", a_crd_needs_a_schema},
    {"a CRD's schema must be structural", a_crds_schema_must_be_structural},
    {"a CRD's default must be valid", a_crds_default_must_be_valid},
    {"a CRD cannot change its scope", a_crd_cannot_change_its_scope},
    {"a kind that is taken is not served twice", a_kind_that_is_taken_is_not_served_twice},
    {"a deleted CRD takes its objects and its path", a_deleted_crd_takes_its_objects_and_its_path},
    {"the watches of a deleted CRD end after its objects",
     the_watches_of_a_deleted_crd_end_after_its_objects},
    {"the watches of a changed CRD end", the_watches_of_a_changed_crd_end},
    {"a deleted CRD can be made again without old objects",
     a_deleted_crd_can_be_made_again_without_old_objects},
    {"an object is served in every version", an_object_is_served_in_every_version},
    {"a watch speaks the version it was asked in", a_watch_speaks_the_version_it_was_asked_in},
    {"versions are discovered stable and high first",
     versions_are_discovered_stable_and_high_first},
    {"an unserved version is 404", an_unserved_version_is_404},
    {"a version can be added and taken away", a_version_can_be_added_and_taken_away},
    {"a changed schema is soon in force", a_changed_schema_is_soon_in_force},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "crd", tests, sizeof(tests) / sizeof(tests[0]));
}
