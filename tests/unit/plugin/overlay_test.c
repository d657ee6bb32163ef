/* SPDX-License-Identifier: Apache-2.0 */
/* Which answers to a plugin's writes its caches show at once. */
#include "plugin/overlay.h"

#include "support/expect.h"

#include <stdio.h>

/* A ConfigMap cache; the text of ns/out in it afterwards says what was noted. */
typedef struct rig {
    plugin_watch_t watch;
    watch_store_t *store;
    plugin_overlay_target_t target;
} rig_t;

static watch_snapshot_t *snapshot(const char *text)
{
    watch_snapshot_t *s = NULL;
    lh_error_t err = {0};

    ASSERT_OK(watch_snapshot_create(text, strlen(text), NULL, NULL, &s, &err), err);
    return s;
}

#define OBJECT(kind, ns, version, more)                                                            \
    "{\"apiVersion\":\"v1\",\"kind\":\"" kind                                                      \
    "\",\"metadata\":{\"name\":\"out\",\"namespace\":\"" ns                                        \
    "\",\"uid\":\"u1\",\"resourceVersion\":\"" version "\"" more "}}"
#define CM(version) OBJECT("ConfigMap", "ns", version, "")
#define PATH "/api/v1/namespaces/ns/configmaps/out"
#define STATUS(kind, uid)                                                                          \
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\","           \
    "\"details\":{"                                                                                \
    "\"name\":\"out\",\"kind\":\"" kind "\",\"uid\":\"" uid "\"}}"

/* What the watch asks for, of a store that has all or, when it is not narrower, just this. */
static void see(rig_t *r, const watch_spec_t *spec, const watch_spec_t *wider)
{
    lh_error_t err = {0};

    watch_view_unref(r->target.view);
    ASSERT_OK(watch_view_create(spec, &r->target.view, &err), err);
    watch_view_set(r->target.view, wider, r->store);
}

static rig_t rig_create(const char *known)
{
    static char kind[] = "ConfigMap";
    rig_t r = {.watch = {.gvr = {"", "v1", "configmaps"}, .kind = kind}};

    r.store = watch_store_create();
    r.target = (plugin_overlay_target_t){.namespaced = true};
    see(&r, &(const watch_spec_t){0}, &(const watch_spec_t){0});
    watch_store_set_synced(r.store, true);
    if (known != NULL) {
        watch_snapshot_t *s = snapshot(known);
        (void) watch_store_put(r.store, s, NULL);
        watch_snapshot_unref(s);
    }
    return r;
}

static void rig_fini(rig_t *r)
{
    watch_view_unref(r->target.view);
    watch_store_unref(r->store);
}

#define RIG(name, known) host_cleanup(rig_fini) rig_t name = rig_create(known)

/* The resourceVersion of ns/out as readers see it; "none". */
static const char *note(rig_t *r, const char *method, const char *path, const char *body)
{
    static char version[32];
    const plugin_reply_t reply = {method, path, body, strlen(body)};

    r->target.watch = &r->watch;
    plugin_overlay_note(&r->target, &reply);
    watch_snapshot_t *s = watch_store_get(r->store, "ns", "out");
    snprintf(version, sizeof(version), "%s", s != NULL ? watch_snapshot_version(s) : "none");
    watch_snapshot_unref(s);
    return version;
}

Test(overlay, the_object_in_the_answer_is_shown)
{
    RIG(r, NULL);

    EXPECT_STR(note(&r, "POST", "/api/v1/namespaces/ns/configmaps", CM("7")), "7");
    EXPECT_STR(note(&r, "PUT", PATH, CM("8")), "8");
    EXPECT_STR(note(&r, "PATCH", PATH "?fieldManager=x", CM("9")), "9");
    EXPECT_STR(note(&r, "PATCH", PATH "/status", CM("10")), "10");
    EXPECT_STR(note(&r, "PATCH", PATH, CM("9")), "10"); /* an older answer that came late */
}

Test(overlay, an_answer_about_something_else_is_not)
{
    RIG(r, CM("5"));

    EXPECT_STR(note(&r, "PUT", "/api/v1/namespaces/ns/secrets/out", CM("7")), "5");
    EXPECT_STR(note(&r, "PUT", "/apis/apps/v1/namespaces/ns/configmaps/out", CM("7")), "5");
    EXPECT_STR(note(&r, "PUT", "/api/v1/namespaces/ns/configmapsx/out", CM("7")), "5");
    EXPECT_STR(note(&r, "PUT", "/api/v1/namespaces/ns", CM("7")), "5");
    EXPECT_STR(note(&r, "PUT", "/api/v1/namespaces/configmaps", CM("7")), "5");
    EXPECT_STR(note(&r, "POST", PATH "/scale", OBJECT("Scale", "ns", "7", "")), "5");
    EXPECT_STR(note(&r, "PUT", PATH, "no JSON"), "5");
    EXPECT_STR(note(&r, "PUT", PATH, ""), "5");
    EXPECT_STR(note(&r, "PUT", PATH, "{}"), "5");
    EXPECT_STR(note(&r, "PUT", PATH, "{\"kind\":\"ConfigMap\",\"metadata\":{}}"), "5");
    EXPECT_STR(note(&r, "DELETE", "/api/v1/namespaces/ns/configmaps",
                    "{\"kind\":\"ConfigMapList\",\"metadata\":{},\"items\":[]}"),
               "5");
}

Test(overlay, an_object_outside_the_label_selector_is_not_noted)
{
    static char selector[] = "app=a";
    RIG(r, NULL);

    r.watch.label_selector = selector;
    EXPECT_STR(note(&r, "PUT", PATH, OBJECT("ConfigMap", "ns", "7", ",\"labels\":{\"app\":\"b\"}")),
               "none");
    EXPECT_STR(note(&r, "PUT", PATH, CM("7")), "none");
    EXPECT_STR(note(&r, "PUT", PATH, OBJECT("ConfigMap", "ns", "7", ",\"labels\":{\"app\":\"a\"}")),
               "7");
}

#define LABELLED(version, app)                                                                     \
    OBJECT("ConfigMap", "ns", version, ",\"labels\":{\"app\":\"" app "\"}")

Test(overlay, a_write_that_takes_the_object_out_of_the_selector_hides_it)
{
    static char selector[] = "app=a";
    RIG(r, LABELLED("5", "a"));
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *late = snapshot(LABELLED("6", "a"));
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *back = snapshot(LABELLED("8", "a"));

    r.watch.label_selector = selector;
    EXPECT_STR(note(&r, "PUT", PATH, LABELLED("4", "b")), "5"); /* the cache knows better */
    EXPECT_STR(note(&r, "PUT", PATH, LABELLED("7", "b")), "none");
    EXPECT_INT(watch_store_count(r.store), 0);
    watch_store_put(r.store, late, NULL);
    EXPECT_INT(watch_store_count(r.store), 0);
    watch_store_put(r.store, back, NULL);
    EXPECT_STR(note(&r, "PUT", PATH, LABELLED("7", "b")), "8");
    EXPECT_STR(note(&r, "PUT", PATH, LABELLED("9", "b")), "none");
    watch_snapshot_unref(watch_store_remove(r.store, "ns", "out", "u1", "9"));
    watch_store_passed(r.store, "10");
    EXPECT_STR(note(&r, "PUT", PATH, LABELLED("11", "a")), "11");
}

Test(overlay, a_cache_of_metadata_is_shown_metadata)
{
    RIG(r, NULL);

    const watch_spec_t metadata = {.metadata_only = true};

    r.watch.metadata_only = true;
    see(&r, &metadata, &metadata);
    EXPECT_STR(note(&r, "PUT", PATH,
                    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"out\","
                    "\"namespace\":\"ns\",\"resourceVersion\":\"7\",\"managedFields\":[]},\"data\":"
                    "{\"password\":\"x\"}}"),
               "7");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *s = watch_store_get(r.store, "ns", "out");
    EXPECT_STR(watch_snapshot_text(s, NULL),
               "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"out\","
               "\"namespace\":\"ns\",\"resourceVersion\":\"7\"}}");
}

Test(overlay, of_a_reply_the_fields_that_the_watch_keeps_are_shown)
{
    RIG(r, NULL);

    r.watch.fields = (char[]){"/data/kept"};
    EXPECT_STR(note(&r, "PUT", PATH,
                    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"out\","
                    "\"namespace\":\"ns\",\"resourceVersion\":\"7\"},\"data\":"
                    "{\"password\":\"x\",\"kept\":\"y\"}}"),
               "7");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *s = watch_store_get(r.store, "ns", "out");
    EXPECT_HAS(watch_snapshot_text(s, NULL), "\"data\":{\"kept\":\"y\"}}");
}

/* Another plugin sees the store whole. */
Test(overlay, a_view_of_metadata_notes_the_object_whole)
{
    RIG(r, NULL);

    r.watch.metadata_only = true;
    see(&r, &(const watch_spec_t){.metadata_only = true}, &(const watch_spec_t){0});
    EXPECT_STR(note(&r, "PUT", PATH,
                    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"out\","
                    "\"namespace\":\"ns\",\"resourceVersion\":\"7\"},\"data\":{\"k\":\"x\"}}"),
               "7");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *whole =
        watch_store_get(r.store, "ns", "out");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *shown =
        watch_view_get(r.target.view, "ns", "out");
    EXPECT_HAS(watch_snapshot_text(whole, NULL), "\"data\"");
    EXPECT_STR(watch_snapshot_text(shown, NULL),
               "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"out\","
               "\"namespace\":\"ns\",\"resourceVersion\":\"7\"}}");
}

Test(overlay, a_write_that_takes_the_object_out_of_a_view_does_not_hide_it_from_others)
{
    static char selector[] = "app=a";
    RIG(r, LABELLED("5", "a"));

    r.watch.label_selector = selector;
    see(&r, &(const watch_spec_t){.label_selector = selector}, &(const watch_spec_t){0});
    (void) note(&r, "PUT", PATH, LABELLED("7", "b"));
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *others =
        watch_store_get(r.store, "ns", "out");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *own =
        watch_view_get(r.target.view, "ns", "out");
    EXPECT_STR(watch_snapshot_version(others), "7");
    cr_expect(own == NULL, "the plugin's own selector is left");
}

Test(overlay, under_a_field_selector_only_the_server_can_tell)
{
    static char selector[] = "metadata.name=out";
    RIG(r, CM("5"));

    r.watch.field_selector = selector;
    EXPECT_STR(note(&r, "PUT", PATH, CM("7")), "5");
    EXPECT_STR(note(&r, "DELETE", PATH, STATUS("configmaps", "u1")), "none");
}

Test(overlay, an_object_of_another_namespace_is_not_noted)
{
    RIG(r, NULL);

    r.target.ns = "other";
    EXPECT_STR(note(&r, "PUT", PATH, CM("7")), "none");
    r.target.ns = "ns";
    EXPECT_STR(note(&r, "PUT", PATH, CM("7")), "7");
}

Test(overlay, a_completed_deletion_hides_that_object_alone)
{
    RIG(r, CM("5"));

    EXPECT_STR(note(&r, "PUT", PATH, STATUS("configmaps", "u1")), "5");    /* no deletion */
    EXPECT_STR(note(&r, "DELETE", PATH, STATUS("configmaps", "u2")), "5"); /* an earlier namesake */
    EXPECT_STR(note(&r, "DELETE", PATH, STATUS("secrets", "u1")), "5");
    EXPECT_STR(note(&r, "DELETE", PATH, "{\"kind\":\"Status\",\"metadata\":{}}"), "5");
    r.target.ns = "other";
    EXPECT_STR(note(&r, "DELETE", PATH, STATUS("configmaps", "u1")), "5");
    r.target.ns = NULL;
    EXPECT_STR(note(&r, "DELETE", PATH, STATUS("configmaps", "u1")), "none");
}

Test(overlay, a_deletion_that_waits_for_a_finalizer_shows_the_object_as_it_is)
{
    RIG(r, CM("5"));

    EXPECT_STR(
        note(&r, "DELETE", PATH,
             OBJECT("ConfigMap", "ns", "6",
                    ",\"deletionTimestamp\":\"2026-01-02T03:04:05Z\",\"finalizers\":[\"x/y\"]")),
        "6");
}

Test(overlay, a_namespace_is_told_from_what_lives_in_it)
{
    static char kind[] = "Namespace";
    RIG(r, NULL);
    watch_snapshot_t *ns = snapshot("{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"out\","
                                    "\"uid\":\"u1\",\"resourceVersion\":\"5\"}}");

    r.watch = (plugin_watch_t){.gvr = {"", "v1", "namespaces"}, .kind = kind};
    r.target.namespaced = false;
    (void) watch_store_put(r.store, ns, NULL);
    watch_snapshot_unref(ns);
    (void) note(&r, "DELETE", PATH, STATUS("configmaps", "u1"));
    ns = watch_store_get(r.store, "", "out");
    cr_expect(ns != NULL, "the deletion of a ConfigMap was taken for a Namespace's");
    watch_snapshot_unref(ns);
    (void) note(&r, "DELETE", "/api/v1/namespaces/out", STATUS("namespaces", "u1"));
    ns = watch_store_get(r.store, "", "out");
    cr_expect(ns == NULL);
}
