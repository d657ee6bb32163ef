/* SPDX-License-Identifier: Apache-2.0 */
/* Lists and watches: paging, selectors, order, bookmarks, 410. */
#include "contract/contract.h"

static void fill(contract_t *c, const char *prefix, const char *label, int count)
{
    for (int i = 0; i < count; i++) {
        char name[64], labels[64];
        snprintf(name, sizeof(name), "%s-%d", prefix, i);
        snprintf(labels, sizeof(labels), "{\"set\":\"%s\"}", label);
        contract_create(c, name, labels, "v");
    }
}

static void a_list_has_kind_version_and_items(void *arg)
{
    contract_t *c = arg;

    fill(c, "kind", "kind", 2);
    API_REPLY r = api_get(c->api, "%s?labelSelector=set%%3Dkind", c->configmaps);
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "ConfigMapList");
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/items")), 2);
    EXPECT_TRUE(api_str(r.json, "/metadata/resourceVersion")[0] != '\0');
    EXPECT_STR(api_str(r.json, "/items/0/kind"), "");
    EXPECT_STR(api_str(r.json, "/items/0/metadata/name"), "kind-0");
}

static void an_empty_list_has_items(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?labelSelector=no%%3Dsuch", c->configmaps);

    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(cJSON_IsArray(api_at(r.json, "/items")));
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/items")), 0);
}

static void a_list_is_paged_by_limit_and_continue(void *arg)
{
    contract_t *c = arg;
    int seen = 0, pages = 0;
    char token[2048] = "", version[64] = "";

    fill(c, "page", "page", 5);
    do {
        API_REPLY r = api_get(c->api, "%s?labelSelector=set%%3Dpage&limit=2%s%s", c->configmaps,
                              token[0] != '\0' ? "&continue=" : "", token);
        REQUIRE_INT(r.status, 200);
        seen += cJSON_GetArraySize(api_at(r.json, "/items"));
        if (pages++ == 0)
            snprintf(version, sizeof(version), "%s", api_str(r.json, "/metadata/resourceVersion"));
        EXPECT_STR(api_str(r.json, "/metadata/resourceVersion"), version);
        snprintf(token, sizeof(token), "%s", api_str(r.json, "/metadata/continue"));
    } while (token[0] != '\0' && pages < 10);
    EXPECT_INT(seen, 5);
    EXPECT_INT(pages, 3);
}

static void later_pages_show_the_state_of_the_first(void *arg)
{
    contract_t *c = arg;

    fill(c, "snap", "snap", 3);
    API_REPLY one = api_get(c->api, "%s?labelSelector=set%%3Dsnap&limit=1", c->configmaps);
    API_REPLY gone = api_delete(c->api, "%s/snap-2", c->configmaps);
    REQUIRE_INT(gone.status, 200);
    API_REPLY rest = api_get(c->api, "%s?labelSelector=set%%3Dsnap&limit=10&continue=%s",
                             c->configmaps, api_str(one.json, "/metadata/continue"));
    EXPECT_INT(cJSON_GetArraySize(api_at(rest.json, "/items")), 2);
}

static void a_broken_continue_token_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?limit=1&continue=nonsense", c->configmaps);

    EXPECT_INT(r.status, 400);
}

static void label_selectors_select(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "sel-a", "{\"sel\":\"1\",\"tier\":\"web\"}", "v");
    contract_create(c, "sel-b", "{\"sel\":\"1\",\"tier\":\"db\"}", "v");
    contract_create(c, "sel-c", "{\"sel\":\"1\"}", "v");
    static const struct {
        const char *selector;
        int count;
    } cases[] = {
        {"sel%3D1", 3},
        {"sel%3D1%2Ctier%3Dweb", 1},
        {"sel%3D1%2Ctier%21%3Dweb", 2},
        {"sel%3D1%2Ctier+in+%28web%2Cdb%29", 2},
        {"sel%3D1%2Ctier+notin+%28web%29", 2},
        {"sel%3D1%2Ctier", 2},
        {"sel%3D1%2C%21tier", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        API_REPLY r = api_get(c->api, "%s?labelSelector=%s", c->configmaps, cases[i].selector);
        if (cJSON_GetArraySize(api_at(r.json, "/items")) != cases[i].count)
            tap_fail(__FILE__, __LINE__, "%s selects %d, expected %d", cases[i].selector,
                     cJSON_GetArraySize(api_at(r.json, "/items")), cases[i].count);
    }
}

static void a_broken_label_selector_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?labelSelector=a%%3D%%3D%%3Db%%28", c->configmaps);

    EXPECT_INT(r.status, 400);
}

static void a_field_selector_by_name_selects(void *arg)
{
    contract_t *c = arg;

    fill(c, "field", "field", 2);
    API_REPLY r = api_get(c->api, "%s?fieldSelector=metadata.name%%3Dfield-1", c->configmaps);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/items")), 1);
    EXPECT_STR(api_str(r.json, "/items/0/metadata/name"), "field-1");
}

static void an_unknown_field_selector_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?fieldSelector=data.k%%3Dv", c->configmaps);

    EXPECT_INT(r.status, 400);
}

static void a_list_at_an_exact_old_version_shows_the_old_state(void *arg)
{
    contract_t *c = arg;
    const char *before = contract_create(c, "exact-0", "{\"set\":\"exact\"}", "v");

    contract_create(c, "exact-1", "{\"set\":\"exact\"}", "v");
    API_REPLY r = api_get(c->api,
                          "%s?labelSelector=set%%3Dexact&resourceVersion=%s&"
                          "resourceVersionMatch=Exact",
                          c->configmaps, before);
    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/items")), 1);
}

static api_watch_t *watch_set(contract_t *c, const char *set, const char *more)
{
    API_REPLY list = api_get(c->api, "%s?labelSelector=set%%3D%s", c->configmaps, set);

    REQUIRE_INT(list.status, 200);
    return api_watch(c->api, "%s?watch=1&labelSelector=set%%3D%s&resourceVersion=%s%s",
                     c->configmaps, set, api_str(list.json, "/metadata/resourceVersion"), more);
}

static void a_watch_shows_added_modified_deleted_in_order(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = watch_set(c, "order", "");

    contract_create(c, "order", "{\"set\":\"order\"}", "1");
    API_REPLY changed = api_patch(c->api, contract_path(c->configmaps, "order"), "merge",
                                  "{\"data\":{\"k\":\"2\"}}");
    API_REPLY gone = api_delete(c->api, "%s/order", c->configmaps);
    API_EVENT one = contract_next(w);
    API_EVENT two = contract_next(w);
    API_EVENT three = contract_next(w);
    EXPECT_STR(one.type, "ADDED");
    EXPECT_STR(two.type, "MODIFIED");
    EXPECT_STR(api_str(two.object, "/data/k"), "2");
    EXPECT_STR(three.type, "DELETED");
    EXPECT_STR(api_str(three.object, "/data/k"), "2");
    api_watch_close(w);
}

static void a_deletion_event_carries_a_newer_version(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = watch_set(c, "delrv", "");
    const char *made = contract_create(c, "delrv", "{\"set\":\"delrv\"}", "1");
    API_REPLY gone = api_delete(c->api, "%s/delrv", c->configmaps);
    API_EVENT one = contract_next(w);
    API_EVENT two = contract_next(w);

    EXPECT_TRUE(strtol(api_str(two.object, "/metadata/resourceVersion"), NULL, 10) >
                strtol(made, NULL, 10));
    api_watch_close(w);
}

static void entering_a_selector_arrives_as_added(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = watch_set(c, "enter", "");

    contract_create(c, "enter", NULL, "1");
    API_REPLY r = api_patch(c->api, contract_path(c->configmaps, "enter"), "merge",
                            "{\"metadata\":{\"labels\":{\"set\":\"enter\"}}}");
    API_EVENT e = contract_next(w);
    EXPECT_STR(e.type, "ADDED");
    EXPECT_STR(api_str(e.object, "/metadata/resourceVersion"),
               api_str(r.json, "/metadata/resourceVersion"));
    api_watch_close(w);
}

static void leaving_a_selector_arrives_as_deleted_with_the_last_match(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "leave", "{\"set\":\"leave\"}", "1");
    api_watch_t *w = watch_set(c, "leave", "");
    API_REPLY r =
        api_patch(c->api, contract_path(c->configmaps, "leave"), "merge",
                  "{\"metadata\":{\"labels\":{\"set\":\"other\"}},\"data\":{\"k\":\"2\"}}");
    API_EVENT e = contract_next(w);
    EXPECT_STR(e.type, "DELETED");
    EXPECT_STR(api_str(e.object, "/data/k"), "1");
    EXPECT_STR(api_str(e.object, "/metadata/resourceVersion"),
               api_str(r.json, "/metadata/resourceVersion"));
    api_watch_close(w);
}

static void a_watch_without_a_version_begins_with_what_is_there(void *arg)
{
    contract_t *c = arg;

    fill(c, "synth", "synth", 2);
    api_watch_t *w = api_watch(c->api, "%s?watch=1&labelSelector=set%%3Dsynth", c->configmaps);
    API_EVENT one = contract_next(w);
    API_EVENT two = contract_next(w);
    EXPECT_STR(one.type, "ADDED");
    EXPECT_STR(two.type, "ADDED");
    api_watch_close(w);
}

static void a_streaming_list_ends_with_a_marked_bookmark(void *arg)
{
    contract_t *c = arg;
    int added = 0;

    fill(c, "stream", "stream", 3);
    api_watch_t *w = api_watch(c->api,
                               "%s?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&"
                               "resourceVersionMatch=NotOlderThan&labelSelector=set%%3D"
                               "stream",
                               c->configmaps);
    for (;;) {
        API_EVENT e = api_watch_next(w, 5000);
        if (strcmp(e.type, "ADDED") == 0) {
            added++;
            continue;
        }
        EXPECT_STR(e.type, "BOOKMARK");
        EXPECT_STR(api_str(e.object, "/metadata/annotations/k8s.io~1initial-events-end"), "true");
        EXPECT_TRUE(api_str(e.object, "/metadata/resourceVersion")[0] != '\0');
        break;
    }
    EXPECT_INT(added, 3);
    contract_create(c, "stream-late", "{\"set\":\"stream\"}", "v");
    API_EVENT late = contract_next(w);
    EXPECT_STR(late.type, "ADDED");
    EXPECT_STR(api_str(late.object, "/metadata/name"), "stream-late");
    api_watch_close(w);
}

static void initial_events_without_bookmarks_are_refused(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = api_watch(c->api, "%s?watch=1&sendInitialEvents=true", c->configmaps);
    API_EVENT e = api_watch_next(w, 5000);

    EXPECT_STR(api_str(e.object, "/kind"), "Status");
    EXPECT_INT(api_int(e.object, "/code"), 422);
    api_watch_close(w);
}

static void a_list_at_a_future_version_times_out(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?resourceVersion=999999999&resourceVersionMatch=NotOlderThan",
                          c->configmaps);

    EXPECT_INT(r.status, 504);
    EXPECT_HAS(r.text, "ResourceVersionTooLarge");
}

static void a_watch_ends_by_its_own_timeout(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = watch_set(c, "timeout", "&timeoutSeconds=1");
    API_EVENT e = api_watch_next(w, 5000);

    EXPECT_STR(e.type, "CLOSED");
    EXPECT_INT(e.status, 200);
    api_watch_close(w);
}

static void a_watch_across_namespaces_sees_them_all(void *arg)
{
    contract_t *c = arg;
    API_REPLY list = api_get(c->api, "/api/v1/configmaps?labelSelector=set%%3Dacross&limit=1");
    api_watch_t *w = api_watch(c->api,
                               "/api/v1/configmaps?watch=1&labelSelector=set%%3Dacross&"
                               "resourceVersion=%s",
                               api_str(list.json, "/metadata/resourceVersion"));

    contract_create(c, "across", "{\"set\":\"across\"}", "v");
    API_EVENT e = contract_next(w);
    EXPECT_STR(e.type, "ADDED");
    EXPECT_STR(api_str(e.object, "/metadata/namespace"), c->ns);
    api_watch_close(w);
}

static void versions_of_one_resource_are_growing_integers(void *arg)
{
    contract_t *c = arg;
    const char *a = contract_create(c, "rv-a", NULL, "v");
    const char *b = contract_create(c, "rv-b", NULL, "v");

    EXPECT_INT(strspn(a, "0123456789"), strlen(a));
    EXPECT_TRUE(strtol(b, NULL, 10) > strtol(a, NULL, 10));
}

static void delete_and_create_under_one_name_changes_the_uid(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = watch_set(c, "again", "");

    contract_create(c, "again", "{\"set\":\"again\"}", "1");
    API_REPLY gone = api_delete(c->api, "%s/again", c->configmaps);
    contract_create(c, "again", "{\"set\":\"again\"}", "2");
    API_EVENT one = contract_next(w);
    API_EVENT two = contract_next(w);
    API_EVENT three = contract_next(w);
    EXPECT_STR(three.type, "ADDED");
    EXPECT_TRUE(
        strcmp(api_str(one.object, "/metadata/uid"), api_str(three.object, "/metadata/uid")) != 0);
    api_watch_close(w);
}

static void a_watch_of_a_missing_resource_is_404(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = api_watch(c->api, "/apis/no.such.group/v1/things?watch=1");
    API_EVENT e = api_watch_next(w, 5000);

    API_EVENT end = api_watch_next(w, 5000);
    EXPECT_INT(end.status, 404);
    api_watch_close(w);
}

static const tap_test_t tests[] = {
    {"a list has kind, resourceVersion and items without kinds", a_list_has_kind_version_and_items},
    {"an empty list has an empty items array", an_empty_list_has_items},
    {"a list is paged by limit and continue", a_list_is_paged_by_limit_and_continue},
    {"later pages show the state of the first", later_pages_show_the_state_of_the_first},
    {"a broken continue token is 400", a_broken_continue_token_is_400},
    {"label selectors select", label_selectors_select},
    {"a broken label selector is 400", a_broken_label_selector_is_400},
    {"a field selector by name selects", a_field_selector_by_name_selects},
    {"an unknown field selector is 400", an_unknown_field_selector_is_400},
    {"a list at an exact old resourceVersion shows the old state",
     a_list_at_an_exact_old_version_shows_the_old_state},
    {"a watch shows added, modified, deleted in order",
     a_watch_shows_added_modified_deleted_in_order},
    {"a deletion event carries a newer resourceVersion", a_deletion_event_carries_a_newer_version},
    {"entering a selector arrives as ADDED", entering_a_selector_arrives_as_added},
    {"leaving a selector arrives as DELETED with the last match",
     leaving_a_selector_arrives_as_deleted_with_the_last_match},
    {"a watch without a resourceVersion begins with what is there",
     a_watch_without_a_version_begins_with_what_is_there},
    {"a streaming list ends with a marked bookmark", a_streaming_list_ends_with_a_marked_bookmark},
    {"sendInitialEvents without the match rule is 422",
     initial_events_without_bookmarks_are_refused},
    {"a list at a future resourceVersion is 504 ResourceVersionTooLarge",
     a_list_at_a_future_version_times_out},
    {"a watch ends by its timeoutSeconds", a_watch_ends_by_its_own_timeout},
    {"a watch across namespaces sees them all", a_watch_across_namespaces_sees_them_all},
    {"resourceVersions of one resource are growing integers",
     versions_of_one_resource_are_growing_integers},
    {"delete and create under one name changes the uid",
     delete_and_create_under_one_name_changes_the_uid},
    {"a watch of a missing resource is 404", a_watch_of_a_missing_resource_is_404},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "watch", tests, sizeof(tests) / sizeof(tests[0]));
}
