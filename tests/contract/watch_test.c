/* SPDX-License-Identifier: Apache-2.0 */
/* Watches: order, selectors, initial events, bookmarks, ends. */
#include "contract/contract.h"

static void a_watch_shows_added_modified_deleted_in_order(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = contract_watch(c, "order", "");

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
    api_watch_t *w = contract_watch(c, "delrv", "");
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
    api_watch_t *w = contract_watch(c, "enter", "");

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
    api_watch_t *w = contract_watch(c, "leave", "");
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

    contract_fill(c, "synth", 2);
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

    contract_fill(c, "stream", 3);
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

static void a_watch_ends_by_its_own_timeout(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = contract_watch(c, "timeout", "&timeoutSeconds=1");
    API_EVENT e = api_watch_next(w, 5000);

    EXPECT_STR(e.type, "CLOSED");
    EXPECT_INT(e.status, 200);
    api_watch_close(w);
}

/* What a takeover with a warm cache of a quiet kind waits for. */
static void a_short_watch_brings_a_bookmark_of_a_later_list_before_it_ends(void *arg)
{
    contract_t *c = arg;
    const char *const collection = c->configmaps;
    API_REPLY before = api_get(c->api, "%s?limit=1", collection);

    API_REPLY other = contract_post(c, c->secrets, "{'metadata':{'name':'short-watch'}}");
    EXPECT_INT(other.status, 201);
    API_REPLY list = api_get(c->api, "%s?limit=1", collection);
    const char *version = api_str(list.json, "/metadata/resourceVersion");
    api_watch_t *w = api_watch(c->api,
                               "%s?watch=1&allowWatchBookmarks=true&timeoutSeconds=3&"
                               "labelSelector=set%%3Dshort&resourceVersion=%s",
                               collection, api_str(before.json, "/metadata/resourceVersion"));
    API_EVENT e = api_watch_next(w, 3000);

    EXPECT_STR(e.type, "BOOKMARK");
    EXPECT_TRUE(strtoll(api_str(e.object, "/metadata/resourceVersion"), NULL, 10) >=
                strtoll(version, NULL, 10));
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
    api_watch_t *w = contract_watch(c, "again", "");

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

/* -- What a watch begins with -- */

static void a_watch_from_0_begins_with_what_is_there(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "from-0", 2);
    API_REPLY one = api_get(c->api, "%s/from-0-1", c->configmaps);
    API_REPLY settled = api_get(c->api, "%s/from-0-1?resourceVersion=%s", c->configmaps,
                                api_str(one.json, "/metadata/resourceVersion"));
    api_watch_t *w =
        api_watch(c->api, "%s?watch=1&labelSelector=set=from-0&resourceVersion=0", c->configmaps);
    API_EVENT first = contract_next(w);
    API_EVENT second = contract_next(w);
    EXPECT_STR(first.type, "ADDED");
    EXPECT_STR(second.type, "ADDED");
    contract_create(c, "from-0-9", "{\"set\":\"from-0\"}", "v");
    API_EVENT late = contract_next(w);
    EXPECT_STR(api_str(late.object, "/metadata/name"), "from-0-9");
    api_watch_close(w);
}

static void a_watch_from_an_old_version_replays_every_change(void *arg)
{
    contract_t *c = arg;
    const char *before = contract_create(c, "replay", "{\"set\":\"replay\"}", "0");

    for (int i = 1; i < 4; i++) {
        API_REPLY r = contract_patch(c, contract_path(c->configmaps, "replay"), "merge",
                                     "{'data':{'k':'%d'}}", i);
        REQUIRE_INT(r.status, 200);
    }
    API_REPLY gone = api_delete(c->api, "%s/replay", c->configmaps);
    api_watch_t *w = api_watch(c->api, "%s?watch=1&labelSelector=set=replay&resourceVersion=%s",
                               c->configmaps, before);
    for (int i = 1; i < 4; i++) {
        API_EVENT e = contract_next(w);
        EXPECT_STR(e.type, "MODIFIED");
        EXPECT_INT(strtol(api_str(e.object, "/data/k"), NULL, 10), i);
    }
    API_EVENT last = contract_next(w);
    EXPECT_STR(last.type, "DELETED");
    api_watch_close(w);
}

static void versions_of_a_watchs_events_grow(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = contract_watch(c, "grow", "");
    long last = 0;

    contract_fill(c, "grow", 3);
    API_REPLY r =
        contract_patch(c, contract_path(c->configmaps, "grow-0"), "merge", "{'data':{'k':'2'}}");
    API_REPLY gone = api_delete(c->api, "%s/grow-1", c->configmaps);
    for (int i = 0; i < 5; i++) {
        API_EVENT e = contract_next(w);
        const long version = strtol(api_str(e.object, "/metadata/resourceVersion"), NULL, 10);
        EXPECT_TRUE(version > last);
        last = version;
    }
    api_watch_close(w);
}

static void a_watch_event_has_kind_and_version(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = contract_watch(c, "whole", "");

    contract_create(c, "whole", "{\"set\":\"whole\"}", "v");
    API_EVENT e = contract_next(w);
    EXPECT_STR(api_str(e.object, "/kind"), "ConfigMap");
    EXPECT_STR(api_str(e.object, "/apiVersion"), "v1");
    EXPECT_STR(api_str(e.object, "/data/k"), "v");
    api_watch_close(w);
}

static void a_write_without_a_change_is_no_event(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = contract_watch(c, "silent", "");

    contract_create(c, "silent", "{\"set\":\"silent\"}", "v");
    API_REPLY same =
        contract_patch(c, contract_path(c->configmaps, "silent"), "merge", "{'data':{'k':'v'}}");
    API_REPLY real =
        contract_patch(c, contract_path(c->configmaps, "silent"), "merge", "{'data':{'k':'w'}}");
    API_EVENT one = contract_next(w);
    API_EVENT two = contract_next(w);
    EXPECT_STR(one.type, "ADDED");
    EXPECT_STR(two.type, "MODIFIED");
    EXPECT_STR(api_str(two.object, "/data/k"), "w");
    api_watch_close(w);
}

static void a_dry_run_is_no_event(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = contract_watch(c, "dry", "");
    API_REPLY dry = contract_post(c, contract_text("%s?dryRun=All", c->configmaps),
                                  "{'metadata':{'name':'dry','labels':{'set':'dry'}}}");

    contract_create(c, "not-dry", "{\"set\":\"dry\"}", "v");
    API_EVENT e = contract_next(w);
    EXPECT_STR(api_str(e.object, "/metadata/name"), "not-dry");
    api_watch_close(w);
}

/* -- Selectors -- */

static void a_change_outside_of_a_selector_is_no_event(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = contract_watch(c, "inside", "");

    contract_create(c, "outside", NULL, "v");
    API_REPLY r =
        contract_patch(c, contract_path(c->configmaps, "outside"), "merge", "{'data':{'k':'2'}}");
    API_REPLY gone = api_delete(c->api, "%s/outside", c->configmaps);
    contract_create(c, "inside", "{\"set\":\"inside\"}", "v");
    API_EVENT e = contract_next(w);
    EXPECT_STR(api_str(e.object, "/metadata/name"), "inside");
    api_watch_close(w);
}

static void a_label_change_that_still_matches_is_modified(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "relabel", "{\"set\":\"relabel\"}", "v");
    api_watch_t *w = contract_watch(c, "relabel", "");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "relabel"), "merge",
                                 "{'metadata':{'labels':{'more':'yes'}}}");
    API_EVENT e = contract_next(w);
    EXPECT_STR(e.type, "MODIFIED");
    EXPECT_STR(api_str(e.object, "/metadata/labels/more"), "yes");
    api_watch_close(w);
}

static void an_object_may_leave_and_enter_a_selector_again(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_path(c->configmaps, "to-and-fro");

    contract_create(c, "to-and-fro", "{\"set\":\"fro\"}", "v");
    api_watch_t *w = contract_watch(c, "fro", "");
    API_REPLY out = contract_patch(c, path, "merge", "{'metadata':{'labels':{'set':null}}}");
    API_REPLY in = contract_patch(c, path, "merge", "{'metadata':{'labels':{'set':'fro'}}}");
    API_EVENT one = contract_next(w);
    API_EVENT two = contract_next(w);
    EXPECT_STR(one.type, "DELETED");
    EXPECT_STR(two.type, "ADDED");
    EXPECT_STR(api_str(two.object, "/metadata/uid"), api_str(one.object, "/metadata/uid"));
    api_watch_close(w);
}

static void deletion_after_leaving_a_selector_is_no_event(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "left", "{\"set\":\"left\"}", "v");
    api_watch_t *w = contract_watch(c, "left", "");
    API_REPLY out = contract_patch(c, contract_path(c->configmaps, "left"), "merge",
                                   "{'metadata':{'labels':{'set':null}}}");
    API_REPLY gone = api_delete(c->api, "%s/left", c->configmaps);
    contract_create(c, "left-next", "{\"set\":\"left\"}", "v");
    API_EVENT one = contract_next(w);
    API_EVENT two = contract_next(w);
    EXPECT_STR(one.type, "DELETED");
    EXPECT_STR(two.type, "ADDED");
    EXPECT_STR(api_str(two.object, "/metadata/name"), "left-next");
    api_watch_close(w);
}

static void a_field_selector_by_name_watches_one_object(void *arg)
{
    contract_t *c = arg;
    const char *version = contract_create(c, "field-a", NULL, "v");
    api_watch_t *w =
        api_watch(c->api, "%s?watch=1&fieldSelector=metadata.name=field-b&resourceVersion=%s",
                  c->configmaps, version);

    contract_create(c, "field-c", NULL, "v");
    contract_create(c, "field-b", NULL, "v");
    API_EVENT e = contract_next(w);
    EXPECT_STR(e.type, "ADDED");
    EXPECT_STR(api_str(e.object, "/metadata/name"), "field-b");
    api_watch_close(w);
}

static void a_watch_of_one_namespace_sees_no_other(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = contract_watch(c, "here", "");
    API_REPLY there =
        contract_post(c, "/api/v1/namespaces/default/configmaps",
                      "{'metadata':{'generateName':'contract-','labels':{'set':'here'}}}");

    REQUIRE_INT(there.status, 201);
    contract_create(c, "here", "{\"set\":\"here\"}", "v");
    API_EVENT e = contract_next(w);
    EXPECT_STR(api_str(e.object, "/metadata/name"), "here");
    api_watch_close(w);
    API_REPLY gone = api_delete(c->api, "/api/v1/namespaces/default/configmaps/%s",
                                api_str(there.json, "/metadata/name"));
}

static void a_watch_of_one_object_by_its_path_works(void *arg)
{
    contract_t *c = arg;
    const char *version = contract_create(c, "by-path", NULL, "v");
    api_watch_t *w =
        api_watch(c->api, "/api/v1/watch/namespaces/%s/configmaps/by-path?resourceVersion=%s",
                  c->ns, version);
    API_REPLY r =
        contract_patch(c, contract_path(c->configmaps, "by-path"), "merge", "{'data':{'k':'2'}}");
    API_EVENT e = contract_next(w);

    EXPECT_STR(e.type, "MODIFIED");
    EXPECT_STR(api_str(e.object, "/data/k"), "2");
    api_watch_close(w);
}

/* -- Deletion -- */

static void a_held_deletion_is_modified_and_then_deleted(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_path(c->configmaps, "held");
    api_watch_t *w = contract_watch(c, "held", "");
    API_REPLY made = contract_post(
        c, c->configmaps,
        "{'metadata':{'name':'held','labels':{'set':'held'},'finalizers':['example.dev/f']}}");
    API_REPLY del = api_delete(c->api, "%s", path);
    API_REPLY last =
        contract_patch(c, path, "merge", "{'metadata':{'finalizers':null},'data':{'k':'last'}}");
    API_EVENT one = contract_next(w);
    API_EVENT two = contract_next(w);
    API_EVENT three = contract_next(w);

    EXPECT_STR(one.type, "ADDED");
    EXPECT_STR(two.type, "MODIFIED");
    EXPECT_HAS(api_str(two.object, "/metadata/deletionTimestamp"), "T");
    EXPECT_STR(three.type, "DELETED");
    EXPECT_STR(api_str(three.object, "/metadata/finalizers/0"), "example.dev/f");
    EXPECT_TRUE(api_at(three.object, "/data") == NULL); /* as it was before the last write */
    EXPECT_HAS(api_str(three.object, "/metadata/deletionTimestamp"), "T");
    EXPECT_TRUE(strtol(api_str(three.object, "/metadata/resourceVersion"), NULL, 10) >
                strtol(api_str(two.object, "/metadata/resourceVersion"), NULL, 10));
    api_watch_close(w);
}

static void delete_collection_is_an_event_for_each(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "swept", 3);
    api_watch_t *w = contract_watch(c, "swept", "");
    API_REPLY r = api_delete(c->api, "%s?labelSelector=set=swept", c->configmaps);
    for (int i = 0; i < 3; i++) {
        API_EVENT e = contract_next(w);
        EXPECT_STR(e.type, "DELETED");
    }
    api_watch_close(w);
}

/* -- Initial events and bookmarks -- */

static void initial_events_from_0_end_with_a_marked_bookmark(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "init-0", 1);
    API_REPLY one = api_get(c->api, "%s/init-0-0", c->configmaps);
    API_REPLY settled = api_get(c->api, "%s/init-0-0?resourceVersion=%s", c->configmaps,
                                api_str(one.json, "/metadata/resourceVersion"));
    api_watch_t *w = api_watch(c->api,
                               "%s?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&"
                               "resourceVersionMatch=NotOlderThan&resourceVersion=0&labelSelector="
                               "set=init-0",
                               c->configmaps);
    API_EVENT first = api_watch_next(w, 5000);
    API_EVENT mark = api_watch_next(w, 5000);
    EXPECT_STR(first.type, "ADDED");
    EXPECT_STR(mark.type, "BOOKMARK");
    EXPECT_STR(api_str(mark.object, "/metadata/annotations/k8s.io~1initial-events-end"), "true");
    EXPECT_STR(api_str(mark.object, "/kind"), "ConfigMap");
    EXPECT_STR(api_str(mark.object, "/apiVersion"), "v1");
    EXPECT_TRUE(api_at(mark.object, "/metadata/name") == NULL);
    api_watch_close(w);
}

static void initial_events_of_nothing_are_a_bookmark(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = api_watch(c->api,
                               "%s?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&"
                               "resourceVersionMatch=NotOlderThan&labelSelector=set=nothing",
                               c->configmaps);
    API_EVENT mark = api_watch_next(w, 5000);

    EXPECT_STR(mark.type, "BOOKMARK");
    EXPECT_STR(api_str(mark.object, "/metadata/annotations/k8s.io~1initial-events-end"), "true");
    api_watch_close(w);
}

static void the_marked_bookmarks_version_is_a_place_to_go_on(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "go-on", 1);
    api_watch_t *w = api_watch(c->api,
                               "%s?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&"
                               "resourceVersionMatch=NotOlderThan&labelSelector=set=go-on",
                               c->configmaps);
    API_EVENT first = api_watch_next(w, 5000);
    API_EVENT mark = api_watch_next(w, 5000);
    EXPECT_STR(mark.type, "BOOKMARK");
    EXPECT_TRUE(strtol(api_str(mark.object, "/metadata/resourceVersion"), NULL, 10) >=
                strtol(api_str(first.object, "/metadata/resourceVersion"), NULL, 10));
    contract_create(c, "go-on-9", "{\"set\":\"go-on\"}", "v");
    api_watch_t *next = api_watch(c->api, "%s?watch=1&labelSelector=set=go-on&resourceVersion=%s",
                                  c->configmaps, api_str(mark.object, "/metadata/resourceVersion"));
    API_EVENT e = contract_next(next);
    EXPECT_STR(e.type, "ADDED");
    EXPECT_STR(api_str(e.object, "/metadata/name"), "go-on-9");
    api_watch_close(next);
    api_watch_close(w);
}

static void no_initial_events_are_sent_when_they_are_not_wanted(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "unwanted", 1);
    API_REPLY one = api_get(c->api, "%s/unwanted-0", c->configmaps);
    api_watch_t *w = api_watch(c->api,
                               "%s?watch=1&sendInitialEvents=false&resourceVersionMatch="
                               "NotOlderThan&labelSelector=set=unwanted&resourceVersion=%s",
                               c->configmaps, api_str(one.json, "/metadata/resourceVersion"));
    contract_create(c, "unwanted-9", "{\"set\":\"unwanted\"}", "v");
    API_EVENT e = contract_next(w);
    EXPECT_STR(api_str(e.object, "/metadata/name"), "unwanted-9");
    api_watch_close(w);
}

/* -- Ends and refusals -- */

static void a_watch_with_a_match_and_no_initial_events_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?watch=1&resourceVersion=5&resourceVersionMatch=NotOlderThan",
                          c->configmaps);

    EXPECT_ERROR(
        &r, 422, "Invalid",
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
}

static void initial_events_need_the_match_not_older_than(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?watch=1&sendInitialEvents=true&resourceVersionMatch=Exact",
                          c->configmaps);

    EXPECT_ERROR(&r, 422, "Invalid",
                 "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
}

static void a_watch_from_a_malformed_version_is_500(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?watch=1&resourceVersion=abc", c->configmaps);

    EXPECT_ERROR(&r, 500, "", "resourceVersion: Invalid value: \"abc\"");
}

static void a_watch_with_a_malformed_timeout_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?watch=1&timeoutSeconds=abc", c->configmaps);

    EXPECT_ERROR(&r, 400, "BadRequest", "strconv.ParseInt: parsing \"abc\": invalid syntax");
}

static void a_watch_with_a_bad_selector_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?watch=1&labelSelector=a+near+(b)", c->configmaps);

    EXPECT_ERROR(&r, 400, "BadRequest", "found 'near'");
}

static void a_watch_from_a_future_version_waits_in_silence(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w =
        api_watch(c->api, "%s?watch=1&resourceVersion=999999999&timeoutSeconds=1", c->configmaps);

    contract_create(c, "not-yet", NULL, "v");
    API_EVENT e = api_watch_next(w, 5000);
    EXPECT_STR(e.type, "CLOSED");
    EXPECT_INT(e.status, 200);
    api_watch_close(w);
}

static void a_watch_is_a_stream_of_json(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        api_get(c->api, "%s?watch=1&timeoutSeconds=1&labelSelector=set=none", c->configmaps);

    EXPECT_INT(r.status, 200);
    EXPECT_HAS(r.type, "application/json");
    EXPECT_STR(r.text, "");
}

/* -- Other views -- */

static void a_watch_of_metadata_has_nothing_else(void *arg)
{
    contract_t *c = arg;
    API_REPLY list = api_get(c->api, "%s?limit=1", c->configmaps);
    api_watch_t *w =
        api_watch_as(c->api, CONTRACT_METADATA,
                     contract_text("%s?watch=1&labelSelector=set=partial&resourceVersion=%s",
                                   c->configmaps, api_str(list.json, "/metadata/resourceVersion")));

    contract_create(c, "partial", "{\"set\":\"partial\"}", "v");
    API_EVENT e = contract_next(w);
    EXPECT_STR(e.type, "ADDED");
    EXPECT_STR(api_str(e.object, "/kind"), "PartialObjectMetadata");
    EXPECT_STR(api_str(e.object, "/apiVersion"), "meta.k8s.io/v1");
    EXPECT_STR(api_str(e.object, "/metadata/name"), "partial");
    EXPECT_TRUE(api_at(e.object, "/data") == NULL);
    api_watch_close(w);
}

static void initial_events_of_metadata_end_with_a_marked_bookmark(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "partial-init", 1);
    api_watch_t *w = api_watch_as(
        c->api, CONTRACT_METADATA,
        contract_text("%s?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&"
                      "resourceVersionMatch=NotOlderThan&labelSelector=set=partial-init",
                      c->configmaps));
    API_EVENT first = api_watch_next(w, 5000);
    API_EVENT mark = api_watch_next(w, 5000);
    EXPECT_STR(api_str(first.object, "/kind"), "PartialObjectMetadata");
    EXPECT_STR(mark.type, "BOOKMARK");
    EXPECT_STR(api_str(mark.object, "/kind"), "PartialObjectMetadata");
    EXPECT_STR(api_str(mark.object, "/metadata/annotations/k8s.io~1initial-events-end"), "true");
    api_watch_close(w);
}

static void a_watched_table_defines_its_columns_once(void *arg)
{
    contract_t *c = arg;
    API_REPLY list = api_get(c->api, "%s?limit=1", c->configmaps);
    api_watch_t *w =
        api_watch_as(c->api, CONTRACT_TABLE,
                     contract_text("%s?watch=1&labelSelector=set=tabled&resourceVersion=%s",
                                   c->configmaps, api_str(list.json, "/metadata/resourceVersion")));

    contract_fill(c, "tabled", 2);
    API_EVENT one = contract_next(w);
    API_EVENT two = contract_next(w);
    EXPECT_STR(one.type, "ADDED");
    EXPECT_STR(api_str(one.object, "/kind"), "Table");
    EXPECT_STR(api_str(one.object, "/columnDefinitions/0/name"), "Name");
    EXPECT_STR(api_str(one.object, "/rows/0/cells/0"), "tabled-0");
    EXPECT_INT(cJSON_GetArraySize(api_at(two.object, "/columnDefinitions")), 0);
    EXPECT_STR(api_str(two.object, "/rows/0/cells/0"), "tabled-1");
    api_watch_close(w);
}

static void two_watches_see_the_same_order(void *arg)
{
    contract_t *c = arg;
    api_watch_t *a = contract_watch(c, "same", ""), *b = contract_watch(c, "same", "");

    contract_fill(c, "same", 4);
    for (int i = 0; i < 4; i++) {
        API_EVENT one = contract_next(a);
        API_EVENT two = contract_next(b);
        EXPECT_STR(api_str(one.object, "/metadata/name"), contract_text("same-%d", i));
        EXPECT_STR(api_str(one.object, "/metadata/resourceVersion"),
                   api_str(two.object, "/metadata/resourceVersion"));
    }
    api_watch_close(a);
    api_watch_close(b);
}

static const tap_test_t tests[] = {
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
    {"a watch ends by its timeoutSeconds", a_watch_ends_by_its_own_timeout},
    {"a short watch brings a bookmark of a later list before it ends",
     a_short_watch_brings_a_bookmark_of_a_later_list_before_it_ends},
    {"a watch across namespaces sees them all", a_watch_across_namespaces_sees_them_all},
    {"resourceVersions of one resource are growing integers",
     versions_of_one_resource_are_growing_integers},
    {"delete and create under one name changes the uid",
     delete_and_create_under_one_name_changes_the_uid},
    {"a watch of a missing resource is 404", a_watch_of_a_missing_resource_is_404},
    {"a watch from 0 begins with what is there", a_watch_from_0_begins_with_what_is_there},
    {"a watch from an old resourceVersion replays every change",
     a_watch_from_an_old_version_replays_every_change},
    {"the resourceVersions of a watch's events grow", versions_of_a_watchs_events_grow},
    {"a watch event has kind and apiVersion", a_watch_event_has_kind_and_version},
    {"a write without a change is no event", a_write_without_a_change_is_no_event},
    {"a dryRun is no event", a_dry_run_is_no_event},
    {"a change outside of a selector is no event", a_change_outside_of_a_selector_is_no_event},
    {"a label change that still matches is MODIFIED",
     a_label_change_that_still_matches_is_modified},
    {"an object may leave and enter a selector again",
     an_object_may_leave_and_enter_a_selector_again},
    {"deletion after leaving a selector is no event",
     deletion_after_leaving_a_selector_is_no_event},
    {"a field selector by name watches one object", a_field_selector_by_name_watches_one_object},
    {"a watch of one namespace sees no other", a_watch_of_one_namespace_sees_no_other},
    {"a watch of one object by its path works", a_watch_of_one_object_by_its_path_works},
    {"a held deletion is MODIFIED and then DELETED", a_held_deletion_is_modified_and_then_deleted},
    {"deletecollection is an event for each", delete_collection_is_an_event_for_each},
    {"initial events from 0 end with a marked bookmark",
     initial_events_from_0_end_with_a_marked_bookmark},
    {"initial events of nothing are a bookmark", initial_events_of_nothing_are_a_bookmark},
    {"the marked bookmark's resourceVersion is a place to go on",
     the_marked_bookmarks_version_is_a_place_to_go_on},
    {"no initial events are sent when they are not wanted",
     no_initial_events_are_sent_when_they_are_not_wanted},
    {"a watch with a match and no initial events is 422",
     a_watch_with_a_match_and_no_initial_events_is_422},
    {"initial events need the match NotOlderThan", initial_events_need_the_match_not_older_than},
    {"a watch from a malformed resourceVersion is 500", a_watch_from_a_malformed_version_is_500},
    {"a watch with a malformed timeout is 400", a_watch_with_a_malformed_timeout_is_400},
    {"a watch with a bad selector is 400", a_watch_with_a_bad_selector_is_400},
    {"a watch from a future resourceVersion waits in silence",
     a_watch_from_a_future_version_waits_in_silence},
    {"a watch is a stream of JSON", a_watch_is_a_stream_of_json},
    {"a watch of metadata has nothing else", a_watch_of_metadata_has_nothing_else},
    {"initial events of metadata end with a marked bookmark",
     initial_events_of_metadata_end_with_a_marked_bookmark},
    {"a watched Table defines its columns once", a_watched_table_defines_its_columns_once},
    {"two watches see the same order", two_watches_see_the_same_order},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "watch", tests, sizeof(tests) / sizeof(tests[0]));
}
