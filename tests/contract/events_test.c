/* SPDX-License-Identifier: Apache-2.0 */
/* Events, seen through both of their groups. */
#include "contract/contract.h"

static void event_v1_can_be_created(void *arg)
{
    contract_t *c = arg;
    char path[256];

    snprintf(path, sizeof(path), "/apis/events.k8s.io/v1/namespaces/%s/events", c->ns);
    API_REPLY r = api_post(
        c->api, path,
        "{\"metadata\":{\"name\":\"e.17ab\",\"namespace\":\"%s\"},\"eventTime\":"
        "\"2026-01-02T03:04:05.000006Z\",\"type\":\"Normal\",\"reason\":\"Tested\",\"action\":"
        "\"Test\",\"reportingController\":\"leasehold.dev/contract\",\"reportingInstance\":\"one\","
        "\"regarding\":{\"kind\":\"ConfigMap\",\"namespace\":\"%s\",\"name\":\"x\"},\"note\":"
        "\"n\"}",
        c->ns, c->ns);
    EXPECT_INT(r.status, 201);
}

static const char *modern(contract_t *c)
{
    return contract_text("/apis/events.k8s.io/v1/namespaces/%s/events", c->ns);
}

static const char *core(contract_t *c)
{
    return contract_text("/api/v1/namespaces/%s/events", c->ns);
}

/* Creates an events.k8s.io/v1 Event about a Pod of that name; more: "" or ",'series':...". */
static api_reply_t make_of(contract_t *c, const char *name, const char *type, const char *note,
                           const char *more)
{
    return contract_post_all(
        c, modern(c),
        "{'metadata':{'name':'%s'},'eventTime':'2026-01-02T03:04:05.000006Z','type':'%s',"
        "'reason':'Tested','action':'Test','reportingController':'leasehold.dev/contract',"
        "'reportingInstance':'one','regarding':{'kind':'Pod','namespace':'%s','name':'%s','uid':"
        "'u-1'},'note':'%s'%s}",
        name, type, c->ns, name, note, more);
}

static api_reply_t make_modern(contract_t *c, const char *name, const char *more)
{
    return make_of(c, name, "Normal", "a note", more);
}

static api_reply_t make_core(contract_t *c, const char *name, const char *reason)
{
    return contract_post(
        c, core(c),
        "{'metadata':{'name':'%s'},'involvedObject':{'kind':'Pod','namespace':'%s','name':'%s'},"
        "'reason':'%s','message':'a message','type':'Warning','count':3,'firstTimestamp':"
        "'2026-01-02T03:04:05Z','lastTimestamp':'2026-01-02T03:05:05Z','source':{'component':"
        "'contract','host':'here'}}",
        name, c->ns, name, reason);
}

static void an_event_is_seen_through_the_core_group(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = make_modern(c, "to-core", "");
    API_REPLY r = api_get(c->api, "%s/to-core", core(c));

    EXPECT_INT(made.status, 201);
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/apiVersion"), "v1");
    EXPECT_STR(api_str(r.json, "/kind"), "Event");
    EXPECT_STR(api_str(r.json, "/message"), "a note");
    EXPECT_STR(api_str(r.json, "/involvedObject/name"), "to-core");
    EXPECT_STR(api_str(r.json, "/involvedObject/uid"), "u-1");
    EXPECT_STR(api_str(r.json, "/reportingComponent"), "leasehold.dev/contract");
    EXPECT_STR(api_str(r.json, "/reportingInstance"), "one");
    EXPECT_STR(api_str(r.json, "/eventTime"), "2026-01-02T03:04:05.000006Z");
    EXPECT_STR(api_str(r.json, "/metadata/uid"), api_str(made.json, "/metadata/uid"));
    EXPECT_TRUE(api_at(r.json, "/note") == NULL);
}

static void a_core_event_is_seen_through_the_events_group(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = make_core(c, "to-modern", "Tested");
    API_REPLY r = api_get(c->api, "%s/to-modern", modern(c));

    EXPECT_INT(made.status, 201);
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/apiVersion"), "events.k8s.io/v1");
    EXPECT_STR(api_str(r.json, "/note"), "a message");
    EXPECT_STR(api_str(r.json, "/regarding/name"), "to-modern");
    EXPECT_INT(api_int(r.json, "/deprecatedCount"), 3);
    EXPECT_STR(api_str(r.json, "/deprecatedFirstTimestamp"), "2026-01-02T03:04:05Z");
    EXPECT_STR(api_str(r.json, "/deprecatedSource/component"), "contract");
    EXPECT_TRUE(cJSON_IsNull(api_at(r.json, "/eventTime")));
}

static void an_event_watch_speaks_the_group_it_was_asked_in(void *arg)
{
    contract_t *c = arg;
    API_REPLY list = api_get(c->api, "%s?limit=1", core(c));
    api_watch_t *w =
        api_watch(c->api, "%s?watch=1&fieldSelector=metadata.name=watched&resourceVersion=%s",
                  core(c), api_str(list.json, "/metadata/resourceVersion"));
    API_REPLY made = make_modern(c, "watched", "");
    API_EVENT e = contract_next(w);

    EXPECT_STR(e.type, "ADDED");
    EXPECT_STR(api_str(e.object, "/apiVersion"), "v1");
    EXPECT_STR(api_str(e.object, "/message"), "a note");
    api_watch_close(w);
}

static void core_events_are_selected_by_fields(void *arg)
{
    contract_t *c = arg;
    API_REPLY one = make_core(c, "field-a", "FieldA");
    API_REPLY two = make_core(c, "field-b", "FieldB");
    API_REPLY name = api_get(
        c->api, "%s?fieldSelector=involvedObject.name=field-a,involvedObject.kind=Pod", core(c));
    API_REPLY reason = api_get(c->api, "%s?fieldSelector=reason=FieldB,type=Warning", core(c));
    API_REPLY source = api_get(c->api, "%s?fieldSelector=source=contract,reason=FieldA", core(c));

    EXPECT_ITEMS(&name, "field-a");
    EXPECT_ITEMS(&reason, "field-b");
    EXPECT_ITEMS(&source, "field-a");
}

static void events_are_selected_by_what_they_regard(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = make_modern(c, "regarded", "");
    API_REPLY r = api_get(c->api, "%s?fieldSelector=regarding.name=regarded", modern(c));
    API_REPLY wrong = api_get(c->api, "%s?fieldSelector=involvedObject.name=x", modern(c));

    EXPECT_ITEMS(&r, "regarded");
    EXPECT_INT(wrong.status, 400);
}

static void an_event_must_say_who_reports_it(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, modern(c),
                                "{'metadata':{'name':'bare'},'eventTime':"
                                "'2026-01-02T03:04:05.000006Z','regarding':{'kind':'Pod',"
                                "'namespace':'%s','name':'x'}}",
                                c->ns);

    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueRequired", "reportingController");
    EXPECT_CAUSE(&r, "FieldValueRequired", "reportingInstance");
    EXPECT_CAUSE(&r, "FieldValueRequired", "action");
    EXPECT_CAUSE(&r, "FieldValueRequired", "reason");
}

static void an_event_must_have_a_time(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, modern(c),
                                "{'metadata':{'name':'timeless'},'type':'Normal','reason':'R',"
                                "'action':'A','reportingController':'x.dev/c','reportingInstance':"
                                "'i','regarding':{'kind':'Pod','namespace':'%s','name':'x'}}",
                                c->ns);

    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueRequired", "eventTime");
}

static void an_event_must_be_normal_or_a_warning(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = make_of(c, "odd-type", "Odd", "a note", "");

    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueInvalid", "type");
}

static void a_note_may_have_1024_bytes_and_no_more(void *arg)
{
    contract_t *c = arg;
    char note[1026];

    memset(note, 'n', sizeof(note));
    note[1024] = '\0';
    API_REPLY fits = make_of(c, "note-1024", "Normal", note, "");
    note[1024] = 'n';
    note[1025] = '\0';
    API_REPLY r = make_of(c, "note-1025", "Normal", note, "");
    EXPECT_INT(fits.status, 201);
    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueInvalid", "message");
}

static void a_core_event_must_be_in_the_namespace_of_its_object(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, core(c),
                                "{'metadata':{'name':'elsewhere'},'reason':'x','involvedObject':{"
                                "'kind':'Pod','namespace':'other','name':'x'}}");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "involvedObject.namespace: Invalid value: \"other\": does not match "
                 "event.namespace");
}

static void an_event_time_needs_six_digits(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = make_modern(c, "digits",
                              ",'series':{'count':2,'lastObservedTime':"
                              "'2026-01-02T03:04:05Z'}");

    EXPECT_ERROR(&r, 400, "BadRequest", "parsing time \"2026-01-02T03:04:05Z\"");
}

static void an_event_series_is_patched_in_place(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = make_modern(c, "series", "");
    API_REPLY r = contract_patch(c, contract_text("%s/series", modern(c)), "merge",
                                 "{'series':{'count':2,'lastObservedTime':"
                                 "'2026-01-02T03:06:05.000000Z'}}");

    EXPECT_INT(made.status, 201);
    EXPECT_INT(r.status, 200);
    EXPECT_INT(api_int(r.json, "/series/count"), 2);
    EXPECT_STR(api_str(r.json, "/series/lastObservedTime"), "2026-01-02T03:06:05.000000Z");
}

static void the_reason_of_an_event_cannot_change(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = make_modern(c, "fixed", "");
    API_REPLY r =
        contract_patch(c, contract_text("%s/fixed", modern(c)), "merge", "{'reason':'Other'}");

    EXPECT_INT(made.status, 201);
    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueInvalid", "reason");
}

static const tap_test_t tests[] = {
    {"an events.k8s.io/v1 Event can be created", event_v1_can_be_created},
    {"an event is seen through the core group", an_event_is_seen_through_the_core_group},
    {"a core event is seen through the events group",
     a_core_event_is_seen_through_the_events_group},
    {"an event watch speaks the group it was asked in",
     an_event_watch_speaks_the_group_it_was_asked_in},
    {"core events are selected by fields", core_events_are_selected_by_fields},
    {"events are selected by what they regard", events_are_selected_by_what_they_regard},
    {"an event must say who reports it", an_event_must_say_who_reports_it},
    {"an event must have a time", an_event_must_have_a_time},
    {"an event must be normal or a warning", an_event_must_be_normal_or_a_warning},
    {"a note may have 1024 bytes and no more", a_note_may_have_1024_bytes_and_no_more},
    {"a core event must be in the namespace of its object",
     a_core_event_must_be_in_the_namespace_of_its_object},
    {"an event time needs six digits", an_event_time_needs_six_digits},
    {"an event series is patched in place", an_event_series_is_patched_in_place},
    {"the reason of an event cannot change", the_reason_of_an_event_cannot_change},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "events", tests, sizeof(tests) / sizeof(tests[0]));
}
