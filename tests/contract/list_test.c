/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: paging, resourceVersion, selectors, tables. */
#include "contract/contract.h"

static void a_list_has_kind_version_and_items(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "kind", 2);
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

    contract_fill(c, "page", 5);
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

    contract_fill(c, "snap", 3);
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

    contract_fill(c, "field", 2);
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

static void a_list_at_a_future_version_times_out(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?resourceVersion=999999999&resourceVersionMatch=NotOlderThan",
                          c->configmaps);

    EXPECT_INT(r.status, 504);
    EXPECT_HAS(r.text, "ResourceVersionTooLarge");
}

/* -- Paging -- */

static void a_page_counts_what_remains(void *arg)
{
    contract_t *c = arg;
    char ns[80];

    /* without a selector: what a selector leaves out is not counted */
    snprintf(ns, sizeof(ns), "%s-pages", c->ns);
    API_REPLY made = contract_post(c, "/api/v1/namespaces", "{'metadata':{'name':'%s'}}", ns);
    const char *path = contract_text("/apis/coordination.k8s.io/v1/namespaces/%s/leases", ns);
    for (int i = 0; i < 3; i++) {
        API_REPLY one = contract_post(c, path, "{'metadata':{'name':'l-%d'}}", i);
        REQUIRE_INT(one.status, 201);
    }
    API_REPLY page = api_get(c->api, "%s?limit=1", path);
    API_REPLY rest =
        api_get(c->api, "%s?limit=5&continue=%s", path, api_str(page.json, "/metadata/continue"));
    API_REPLY gone = api_delete(c->api, "/api/v1/namespaces/%s", ns);
    EXPECT_ITEMS(&page, "l-0");
    EXPECT_INT(api_int(page.json, "/metadata/remainingItemCount"), 2);
    EXPECT_ITEMS(&rest, "l-1,l-2");
    EXPECT_TRUE(api_at(rest.json, "/metadata/continue") == NULL);
    EXPECT_TRUE(api_at(rest.json, "/metadata/remainingItemCount") == NULL);
}

static void a_selected_page_does_not_count_what_remains(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "uncounted", 3);
    API_REPLY r = api_get(c->api, "%s?labelSelector=set=uncounted&limit=1", c->configmaps);
    EXPECT_ITEMS(&r, "uncounted-0");
    EXPECT_TRUE(api_str(r.json, "/metadata/continue")[0] != '\0');
    EXPECT_TRUE(api_at(r.json, "/metadata/remainingItemCount") == NULL);
}

static void a_limit_as_large_as_the_list_gives_no_token(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "exact-fit", 2);
    API_REPLY r = api_get(c->api, "%s?labelSelector=set=exact-fit&limit=500", c->configmaps);
    EXPECT_ITEMS(&r, "exact-fit-0,exact-fit-1");
    EXPECT_TRUE(api_at(r.json, "/metadata/continue") == NULL);
}

static void what_is_created_between_pages_is_not_shown(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "between", 2);
    API_REPLY one = api_get(c->api, "%s?labelSelector=set=between&limit=1", c->configmaps);
    contract_create(c, "between-9", "{\"set\":\"between\"}", "v");
    API_REPLY rest = api_get(c->api, "%s?labelSelector=set=between&limit=9&continue=%s",
                             c->configmaps, api_str(one.json, "/metadata/continue"));
    EXPECT_ITEMS(&rest, "between-1");
    EXPECT_STR(api_str(rest.json, "/metadata/resourceVersion"),
               api_str(one.json, "/metadata/resourceVersion"));
}

static void what_is_changed_between_pages_is_shown_as_it_was(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "as-was", 2);
    API_REPLY one = api_get(c->api, "%s?labelSelector=set=as-was&limit=1", c->configmaps);
    API_REPLY changed = contract_patch(c, contract_path(c->configmaps, "as-was-1"), "merge",
                                       "{'data':{'k':'new'}}");
    API_REPLY rest = api_get(c->api, "%s?labelSelector=set=as-was&limit=9&continue=%s",
                             c->configmaps, api_str(one.json, "/metadata/continue"));
    EXPECT_ITEMS(&rest, "as-was-1");
    EXPECT_STR(api_str(rest.json, "/items/0/data/k"), "v");
}

static void a_page_may_go_on_with_another_selector(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "switch-0", "{\"set\":\"switch\"}", "v");
    contract_create(c, "switch-1", "{\"set\":\"switch\",\"odd\":\"yes\"}", "v");
    contract_create(c, "switch-2", "{\"set\":\"switch\"}", "v");
    API_REPLY one = api_get(c->api, "%s?labelSelector=set=switch&limit=1", c->configmaps);
    API_REPLY rest = api_get(c->api, "%s?labelSelector=set=switch,!odd&limit=9&continue=%s",
                             c->configmaps, api_str(one.json, "/metadata/continue"));
    EXPECT_ITEMS(&one, "switch-0");
    EXPECT_ITEMS(&rest, "switch-2");
}

static void a_page_may_go_on_with_another_limit(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "limits", 4);
    API_REPLY one = api_get(c->api, "%s?labelSelector=set=limits&limit=1", c->configmaps);
    API_REPLY two = api_get(c->api, "%s?labelSelector=set=limits&limit=2&continue=%s",
                            c->configmaps, api_str(one.json, "/metadata/continue"));
    API_REPLY rest = api_get(c->api, "%s?labelSelector=set=limits&continue=%s", c->configmaps,
                             api_str(two.json, "/metadata/continue"));
    EXPECT_ITEMS(&two, "limits-1,limits-2");
    EXPECT_ITEMS(&rest, "limits-3");
}

static void a_token_with_a_version_is_400(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "token-rv", 2);
    API_REPLY one = api_get(c->api, "%s?labelSelector=set=token-rv&limit=1", c->configmaps);
    API_REPLY r = api_get(c->api, "%s?labelSelector=set=token-rv&resourceVersion=%s&continue=%s",
                          c->configmaps, api_str(one.json, "/metadata/resourceVersion"),
                          api_str(one.json, "/metadata/continue"));
    EXPECT_ERROR(&r, 400, "BadRequest",
                 "specifying resource version is not allowed when using continue");
}

static void a_token_works_twice(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "token-twice", 3);
    API_REPLY one = api_get(c->api, "%s?labelSelector=set=token-twice&limit=1", c->configmaps);
    for (int i = 0; i < 2; i++) {
        API_REPLY r = api_get(c->api, "%s?labelSelector=set=token-twice&limit=1&continue=%s",
                              c->configmaps, api_str(one.json, "/metadata/continue"));
        EXPECT_ITEMS(&r, "token-twice-1");
    }
}

static void a_malformed_limit_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?limit=abc", c->configmaps);

    EXPECT_ERROR(&r, 400, "BadRequest", "strconv.ParseInt: parsing \"abc\": invalid syntax");
}

static void a_list_is_ordered_by_namespace_and_name(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "sorted-b", "{\"set\":\"sorted\"}", "v");
    contract_create(c, "sorted-a.x", "{\"set\":\"sorted\"}", "v");
    contract_create(c, "sorted-a", "{\"set\":\"sorted\"}", "v");
    contract_create(c, "sorted-a-x", "{\"set\":\"sorted\"}", "v");
    API_REPLY r = api_get(c->api, "%s?labelSelector=set=sorted", c->configmaps);
    API_REPLY all = api_get(c->api, "/api/v1/configmaps?labelSelector=set=sorted");
    EXPECT_ITEMS(&r, "sorted-a,sorted-a-x,sorted-a.x,sorted-b");
    EXPECT_ITEMS(&all, "sorted-a,sorted-a-x,sorted-a.x,sorted-b");
}

/* -- resourceVersion -- */

static void a_list_at_version_0_shows_what_was_written(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "at-zero", 2);
    /* a cache may lag; a list not older than the last write waits for it */
    API_REPLY one = api_get(c->api, "%s/at-zero-1", c->configmaps);
    API_REPLY fresh = api_get(
        c->api, "%s?labelSelector=set=at-zero&resourceVersionMatch=NotOlderThan&resourceVersion=%s",
        c->configmaps, api_str(one.json, "/metadata/resourceVersion"));
    API_REPLY r = api_get(c->api, "%s?labelSelector=set=at-zero&resourceVersion=0", c->configmaps);
    EXPECT_ITEMS(&fresh, "at-zero-0,at-zero-1");
    EXPECT_ITEMS(&r, "at-zero-0,at-zero-1");
}

static void a_list_not_older_than_an_old_version_is_current(void *arg)
{
    contract_t *c = arg;
    const char *before = contract_create(c, "older-0", "{\"set\":\"older\"}", "v");
    const char *after = contract_create(c, "older-1", "{\"set\":\"older\"}", "v");
    API_REPLY wait = api_get(
        c->api, "%s?labelSelector=set=older&resourceVersionMatch=NotOlderThan&resourceVersion=%s",
        c->configmaps, after);
    API_REPLY r = api_get(
        c->api, "%s?labelSelector=set=older&resourceVersionMatch=NotOlderThan&resourceVersion=%s",
        c->configmaps, before);

    EXPECT_ITEMS(&r, "older-0,older-1");
    EXPECT_TRUE(strtol(api_str(r.json, "/metadata/resourceVersion"), NULL, 10) >=
                strtol(after, NULL, 10));
}

static void a_list_at_an_exact_version_says_that_version(void *arg)
{
    contract_t *c = arg;
    const char *before = contract_create(c, "exactly-0", "{\"set\":\"exactly\"}", "v");

    contract_create(c, "exactly-1", "{\"set\":\"exactly\"}", "v");
    API_REPLY r = api_get(
        c->api, "%s?labelSelector=set=exactly&resourceVersionMatch=Exact&resourceVersion=%s",
        c->configmaps, before);
    EXPECT_ITEMS(&r, "exactly-0");
    EXPECT_STR(api_str(r.json, "/metadata/resourceVersion"), before);
}

static void a_page_at_a_bare_version_is_exact(void *arg)
{
    contract_t *c = arg;
    const char *before = contract_create(c, "legacy-0", "{\"set\":\"legacy\"}", "v");

    contract_create(c, "legacy-1", "{\"set\":\"legacy\"}", "v");
    API_REPLY paged = api_get(c->api, "%s?labelSelector=set=legacy&limit=9&resourceVersion=%s",
                              c->configmaps, before);
    EXPECT_ITEMS(&paged, "legacy-0");
    EXPECT_STR(api_str(paged.json, "/metadata/resourceVersion"), before);
}

static void an_exact_list_at_a_future_version_is_504(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        api_get(c->api, "%s?resourceVersion=999999999&resourceVersionMatch=Exact", c->configmaps);

    EXPECT_INT(r.status, 504);
    EXPECT_STR(api_str(r.json, "/reason"), "Timeout");
}

static void a_list_at_a_malformed_version_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?resourceVersion=abc", c->configmaps);

    EXPECT_ERROR(&r, 400, "BadRequest", "invalid resource version: resourceVersion: Invalid value");
}

static void a_match_without_a_version_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?resourceVersionMatch=Exact", c->configmaps);

    EXPECT_ERROR(&r, 422, "Invalid",
                 "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless "
                 "resourceVersion is provided");
    EXPECT_STR(api_str(r.json, "/details/kind"), "ListOptions");
    EXPECT_CAUSE(&r, "FieldValueForbidden", "resourceVersionMatch");
}

static void an_exact_match_of_version_0_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?resourceVersion=0&resourceVersionMatch=Exact", c->configmaps);

    EXPECT_ERROR(&r, 422, "Invalid",
                 "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
}

static void an_unknown_match_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?resourceVersion=5&resourceVersionMatch=Odd", c->configmaps);

    EXPECT_ERROR(&r, 422, "Invalid", "resourceVersionMatch: Unsupported value: \"Odd\"");
    EXPECT_CAUSE(&r, "FieldValueNotSupported", "resourceVersionMatch");
}

static void a_match_with_a_token_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?resourceVersion=5&resourceVersionMatch=Exact&continue=x",
                          c->configmaps);

    EXPECT_ERROR(&r, 422, "Invalid", "resourceVersionMatch is forbidden when continue is provided");
}

static void send_initial_events_on_a_list_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?sendInitialEvents=true", c->configmaps);

    EXPECT_ERROR(&r, 422, "Invalid", "sendInitialEvents is forbidden for list");
    EXPECT_CAUSE(&r, "FieldValueForbidden", "sendInitialEvents");
}

/* -- Label selectors -- */

static void a_selector_of_a_value_not_there_takes_those_without_the_label(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "absent-a", "{\"set\":\"absent\",\"tier\":\"web\"}", "v");
    contract_create(c, "absent-b", "{\"set\":\"absent\"}", "v");
    API_REPLY not = api_get(c->api, "%s?labelSelector=set=absent,tier!=web", c->configmaps);
    API_REPLY notin =
        api_get(c->api, "%s?labelSelector=set=absent,tier+notin+(web)", c->configmaps);
    EXPECT_ITEMS(&not, "absent-b");
    EXPECT_ITEMS(&notin, "absent-b");
}

static void a_selector_may_say_equality_twice_over(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "double-equal", 1);
    API_REPLY r = api_get(c->api, "%s?labelSelector=set==double-equal", c->configmaps);
    EXPECT_ITEMS(&r, "double-equal-0");
}

static void a_selector_compares_numbers(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "number-3", "{\"set\":\"number\",\"n\":\"3\"}", "v");
    contract_create(c, "number-12", "{\"set\":\"number\",\"n\":\"12\"}", "v");
    contract_create(c, "number-x", "{\"set\":\"number\",\"n\":\"x\"}", "v");
    API_REPLY more = api_get(c->api, "%s?labelSelector=set=number,n%%3E3", c->configmaps);
    API_REPLY less = api_get(c->api, "%s?labelSelector=set=number,n%%3C12", c->configmaps);
    EXPECT_ITEMS(&more, "number-12");
    EXPECT_ITEMS(&less, "number-3");
}

static void a_selector_takes_blanks_and_empty_values(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "blank-a", "{\"set\":\"blank\",\"e\":\"\"}", "v");
    contract_create(c, "blank-b", "{\"set\":\"blank\",\"e\":\"x\"}", "v");
    API_REPLY blanks =
        api_get(c->api, "%s?labelSelector=+set+in+(+blank+,+other+)+,+e", c->configmaps);
    API_REPLY empty = api_get(c->api, "%s?labelSelector=set=blank,e=", c->configmaps);
    API_REPLY in = api_get(c->api, "%s?labelSelector=set=blank,e+in+(,y)", c->configmaps);
    EXPECT_ITEMS(&blanks, "blank-a,blank-b");
    EXPECT_ITEMS(&empty, "blank-a");
    EXPECT_ITEMS(&in, "blank-a");
}

static void an_empty_selector_selects_all(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "empty-sel", 1);
    API_REPLY r =
        api_get(c->api, "%s?labelSelector=&fieldSelector=metadata.name=empty-sel-0", c->configmaps);
    EXPECT_ITEMS(&r, "empty-sel-0");
}

static void a_selector_with_a_bad_value_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY two = api_get(c->api, "%s?labelSelector=a=b+c", c->configmaps);
    API_REPLY bad = api_get(c->api, "%s?labelSelector=a=_b", c->configmaps);

    EXPECT_ERROR(&two, 400, "BadRequest", "found 'c', expected: ',' or 'end of string'");
    EXPECT_ERROR(&bad, 400, "BadRequest", "values[0][a]: Invalid value: \"_b\"");
}

static void a_selector_with_a_bad_number_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?labelSelector=n%%3Ex", c->configmaps);

    EXPECT_ERROR(&r, 400, "BadRequest", "for 'Gt', 'Lt' operators, the value must be an integer");
}

static void a_selector_with_an_unknown_operator_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?labelSelector=a+near+(b)", c->configmaps);

    EXPECT_ERROR(&r, 400, "BadRequest", "found 'near', expected: ");
}

/* -- Field selectors -- */

static void a_field_selector_by_namespace_selects(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "by-ns", 1);
    API_REPLY mine = api_get(
        c->api, "/api/v1/configmaps?labelSelector=set=by-ns&fieldSelector=metadata.namespace=%s",
        c->ns);
    API_REPLY other = api_get(
        c->api, "/api/v1/configmaps?labelSelector=set=by-ns&fieldSelector=metadata.namespace=x");
    EXPECT_ITEMS(&mine, "by-ns-0");
    EXPECT_ITEMS(&other, "");
}

static void field_selectors_exclude_and_join(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "by-not", 3);
    API_REPLY r = api_get(c->api,
                          "%s?labelSelector=set=by-not&fieldSelector=metadata.name!=by-not-0,"
                          "metadata.name!=by-not-2",
                          c->configmaps);
    EXPECT_ITEMS(&r, "by-not-1");
}

static void a_secret_is_selected_by_its_type(void *arg)
{
    contract_t *c = arg;
    API_REPLY one = contract_post(
        c, c->secrets, "{'metadata':{'name':'typed-a','labels':{'set':'typed'}},'type':'x.dev/a'}");
    API_REPLY two =
        contract_post(c, c->secrets, "{'metadata':{'name':'typed-b','labels':{'set':'typed'}}}");
    API_REPLY r = api_get(c->api, "%s?fieldSelector=type=x.dev/a", c->secrets);
    API_REPLY opaque =
        api_get(c->api, "%s?labelSelector=set=typed&fieldSelector=type=Opaque", c->secrets);

    EXPECT_ITEMS(&r, "typed-a");
    EXPECT_ITEMS(&opaque, "typed-b");
}

static void a_namespace_is_selected_by_its_phase(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(
        c->api, "/api/v1/namespaces?fieldSelector=status.phase=Active,metadata.name=%s", c->ns);

    EXPECT_ITEMS(&r, c->ns);
}

static void an_unknown_field_selector_says_which(void *arg)
{
    contract_t *c = arg;
    API_REPLY core = api_get(c->api, "%s?fieldSelector=spec.x=1", c->configmaps);
    API_REPLY apps = api_get(c->api, "%s?fieldSelector=spec.replicas=1", c->deployments);

    EXPECT_ERROR(&core, 400, "BadRequest",
                 "\"spec.x\" is not a known field selector: only \"metadata.name\", "
                 "\"metadata.namespace\"");
    EXPECT_ERROR(&apps, 400, "BadRequest", "spec.replicas");
}

static void a_field_selector_without_an_operator_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?fieldSelector=metadata.name", c->configmaps);

    EXPECT_ERROR(&r, 400, "BadRequest", "invalid selector: 'metadata.name'; can't understand");
}

/* -- Other views -- */

static void a_list_of_metadata_has_nothing_else(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "meta-list", 1);
    API_REPLY r = contract_accept(c, contract_text("%s?labelSelector=set=meta-list", c->configmaps),
                                  CONTRACT_METADATA_LIST);
    EXPECT_ITEMS(&r, "meta-list-0");
    EXPECT_STR(api_str(r.json, "/kind"), "PartialObjectMetadataList");
    EXPECT_STR(api_str(r.json, "/apiVersion"), "meta.k8s.io/v1");
    EXPECT_STR(api_str(r.json, "/items/0/kind"), "PartialObjectMetadata");
    EXPECT_STR(api_str(r.json, "/items/0/apiVersion"), "meta.k8s.io/v1");
    EXPECT_STR(api_str(r.json, "/items/0/metadata/labels/set"), "meta-list");
    EXPECT_TRUE(api_at(r.json, "/items/0/data") == NULL);
}

static void an_objects_metadata_can_be_had_alone(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "meta-one", NULL, "v");
    API_REPLY r = contract_accept(c, contract_path(c->configmaps, "meta-one"), CONTRACT_METADATA);
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "PartialObjectMetadata");
    EXPECT_STR(api_str(r.json, "/apiVersion"), "meta.k8s.io/v1");
    EXPECT_STR(api_str(r.json, "/metadata/name"), "meta-one");
    EXPECT_TRUE(api_at(r.json, "/data") == NULL);
}

static void a_table_has_rows_with_metadata(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "in-table", 2);
    API_REPLY r = contract_accept(c, contract_text("%s?labelSelector=set=in-table", c->configmaps),
                                  CONTRACT_TABLE);
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "Table");
    EXPECT_STR(api_str(r.json, "/apiVersion"), "meta.k8s.io/v1");
    EXPECT_TRUE(api_str(r.json, "/metadata/resourceVersion")[0] != '\0');
    EXPECT_STR(api_str(r.json, "/columnDefinitions/0/name"), "Name");
    EXPECT_STR(api_str(r.json, "/columnDefinitions/1/name"), "Data");
    EXPECT_STR(api_str(r.json, "/columnDefinitions/2/name"), "Age");
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/rows")), 2);
    EXPECT_STR(api_str(r.json, "/rows/1/cells/0"), "in-table-1");
    EXPECT_INT(api_int(r.json, "/rows/1/cells/1"), 1);
    EXPECT_STR(api_str(r.json, "/rows/1/object/kind"), "PartialObjectMetadata");
    EXPECT_STR(api_str(r.json, "/rows/1/object/metadata/name"), "in-table-1");
}

static void a_table_may_have_whole_objects_or_none(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "table-objects", 1);
    API_REPLY whole = contract_accept(
        c, contract_text("%s?labelSelector=set=table-objects&includeObject=Object", c->configmaps),
        CONTRACT_TABLE);
    API_REPLY none = contract_accept(
        c, contract_text("%s?labelSelector=set=table-objects&includeObject=None", c->configmaps),
        CONTRACT_TABLE);
    EXPECT_STR(api_str(whole.json, "/rows/0/object/kind"), "ConfigMap");
    EXPECT_STR(api_str(whole.json, "/rows/0/object/data/k"), "v");
    EXPECT_STR(api_str(none.json, "/rows/0/cells/0"), "table-objects-0");
    EXPECT_TRUE(api_at(none.json, "/rows/0/object/metadata") == NULL);
}

static void a_table_of_one_object_has_one_row(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_accept(c, contract_deploy(c, "table-one"), CONTRACT_TABLE);

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/rows")), 1);
    EXPECT_STR(api_str(r.json, "/columnDefinitions/1/name"), "Ready");
    EXPECT_STR(api_str(r.json, "/rows/0/cells/0"), "table-one");
    EXPECT_STR(api_str(r.json, "/rows/0/cells/1"), "0/1");
}

static void a_client_that_falls_back_gets_plain_json(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "fallback", 1);
    API_REPLY r = contract_accept(c, contract_text("%s?labelSelector=set=fallback", c->configmaps),
                                  "application/json;as=Odd;v=v1;g=meta.k8s.io,application/json");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "ConfigMapList");
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
    {"a list at a future resourceVersion is 504 ResourceVersionTooLarge",
     a_list_at_a_future_version_times_out},
    {"a page counts what remains", a_page_counts_what_remains},
    {"a selected page does not count what remains", a_selected_page_does_not_count_what_remains},
    {"a limit as large as the list gives no token", a_limit_as_large_as_the_list_gives_no_token},
    {"what is created between pages is not shown", what_is_created_between_pages_is_not_shown},
    {"what is changed between pages is shown as it was",
     what_is_changed_between_pages_is_shown_as_it_was},
    {"a page may go on with another selector", a_page_may_go_on_with_another_selector},
    {"a page may go on with another limit", a_page_may_go_on_with_another_limit},
    {"a continue token with a resourceVersion is 400", a_token_with_a_version_is_400},
    {"a continue token works twice", a_token_works_twice},
    {"a malformed limit is 400", a_malformed_limit_is_400},
    {"a list is ordered by namespace and name", a_list_is_ordered_by_namespace_and_name},
    {"a list at resourceVersion 0 shows what was written",
     a_list_at_version_0_shows_what_was_written},
    {"a list NotOlderThan an old resourceVersion is current",
     a_list_not_older_than_an_old_version_is_current},
    {"a list at an exact resourceVersion says that version",
     a_list_at_an_exact_version_says_that_version},
    {"a limited list at a resourceVersion without a match is exact",
     a_page_at_a_bare_version_is_exact},
    {"an exact list at a future resourceVersion is 504", an_exact_list_at_a_future_version_is_504},
    {"a list at a malformed resourceVersion is 400", a_list_at_a_malformed_version_is_400},
    {"a resourceVersionMatch without a resourceVersion is 422", a_match_without_a_version_is_422},
    {"an exact match of resourceVersion 0 is 422", an_exact_match_of_version_0_is_422},
    {"an unknown resourceVersionMatch is 422", an_unknown_match_is_422},
    {"a resourceVersionMatch with a continue token is 422", a_match_with_a_token_is_422},
    {"sendInitialEvents on a list is 422", send_initial_events_on_a_list_is_422},
    {"a selector of a value not there takes those without the label",
     a_selector_of_a_value_not_there_takes_those_without_the_label},
    {"a selector may say equality twice over", a_selector_may_say_equality_twice_over},
    {"a selector compares numbers", a_selector_compares_numbers},
    {"a selector takes blanks and empty values", a_selector_takes_blanks_and_empty_values},
    {"an empty selector selects all", an_empty_selector_selects_all},
    {"a selector with a bad value is 400", a_selector_with_a_bad_value_is_400},
    {"a selector with a bad number is 400", a_selector_with_a_bad_number_is_400},
    {"a selector with an unknown operator is 400", a_selector_with_an_unknown_operator_is_400},
    {"a field selector by namespace selects", a_field_selector_by_namespace_selects},
    {"field selectors exclude and join", field_selectors_exclude_and_join},
    {"a Secret is selected by its type", a_secret_is_selected_by_its_type},
    {"a namespace is selected by its phase", a_namespace_is_selected_by_its_phase},
    {"an unknown field selector says which", an_unknown_field_selector_says_which},
    {"a field selector without an operator is 400", a_field_selector_without_an_operator_is_400},
    {"a list of metadata has nothing else", a_list_of_metadata_has_nothing_else},
    {"an object's metadata can be had alone", an_objects_metadata_can_be_had_alone},
    {"a Table has rows with metadata", a_table_has_rows_with_metadata},
    {"a Table may have whole objects or none", a_table_may_have_whole_objects_or_none},
    {"a Table of one object has one row", a_table_of_one_object_has_one_row},
    {"a client that falls back gets plain JSON", a_client_that_falls_back_gets_plain_json},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "list", tests, sizeof(tests) / sizeof(tests[0]));
}
