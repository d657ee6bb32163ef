/* SPDX-License-Identifier: Apache-2.0 */
/* Words and codes are those that kube-apiserver 1.34 answers. */
#include "content.h"
#include "devapi/selector.h"

#define QNAME                                                                                      \
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "  \
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for " \
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define REQUIREMENT "unable to parse requirement: "

typedef struct refusal {
    const char *text, *message;
} refusal_t;

static const refusal_t label_refusals[] = {
    {"a in b", REQUIREMENT "found 'b' expected: '('"},
    {"a in (b", REQUIREMENT "found '', expected: ',' or ')'"},
    {"a in (!)", REQUIREMENT "found '!', expected: ',', ')' or identifier"},
    {"a in (b=c", REQUIREMENT "found '=', expected: ',' or ')'"},
    {"=a", "found '=', expected: !, identifier, or 'end of string'"},
    {",a", "found ',', expected: !, identifier, or 'end of string'"},
    {"a,", "found '', expected: identifier after ','"},
    {"a===b", REQUIREMENT "found '=', expected: identifier"},
    {"a=(", REQUIREMENT "found '(', expected: identifier"},
    {"!", REQUIREMENT "found '', expected: identifier"},
    {"a b", REQUIREMENT "found 'b', expected: in, notin, =, ==, !=, gt, lt"},
    {"a=1 b", "found 'b', expected: ',' or 'end of string'"},
    {"!a=b", "found '=', expected: ',' or 'end of string'"},
    {"a>b", REQUIREMENT "values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must "
                        "be an integer"},
    {"-a", REQUIREMENT "<nil>: Invalid value: \"-a\": " QNAME},
};

Test(selector, labels_are_refused_in_the_real_words)
{
    const dev_kind_t *pods = kind_of("", "Pod");

    for (size_t i = 0; i < HOST_LEN(label_refusals); i++) {
        dev_status_t st = {0};
        dev_selector_t *s = NULL;

        EXPECT_INT(dev_selector_parse(pods, label_refusals[i].text, NULL, &s, &st), -400);
        EXPECT_STR(st.message, label_refusals[i].message);
        EXPECT_STR(st.reason, "BadRequest");
        dev_status_fini(&st);
    }
}

typedef struct match {
    const char *text, *labels;
    bool matches;
} match_t;

static const match_t matches[] = {
    {"a=1", "{'a':'1'}", true},
    {"a==1", "{'a':'2'}", false},
    {"a=1", "{}", false},
    {"a=", "{'a':''}", true},
    {"a!=1", "{'a':'2'}", true},
    {"a!=1", "{}", true},
    {"a", "{'a':''}", true},
    {"!a", "{}", true},
    {"!a", "{'a':'x'}", false},
    {"a in (x,y)", "{'a':'y'}", true},
    {"a in (z,y,x)", "{'a':'x'}", true},
    {"a in (x,y)", "{'a':'z'}", false},
    {"a in ()", "{'a':''}", true},
    {"a in (,x)", "{'a':''}", true},
    {"a notin (x)", "{}", true},
    {"a notin (x)", "{'a':'x'}", false},
    {"a=in,in=a", "{'a':'in','in':'a'}", true},
    {"a>4", "{'a':'5'}", true},
    {"a>5", "{'a':'5'}", false},
    {"a<10", "{'a':'9'}", true}, /* as numbers, not as texts */
    {"a>4", "{'a':'x'}", false},
    {" a = 1 , b ", "{'a':'1','b':''}", true},
    {"x.dev/a=1,!b,c in (d)", "{'x.dev/a':'1','c':'d'}", true},
    {"x.dev/a=1,b", "{'x.dev/a':'1'}", false},
};

Test(selector, labels_select_as_the_real_one_does)
{
    for (size_t i = 0; i < HOST_LEN(matches); i++) {
        dev_status_t st = {0};
        dev_selector_t *s = NULL;
        cJSON *labels = json_of(matches[i].labels);
        int ret = dev_selector_parse(kind_of("", "Pod"), matches[i].text, "", &s, &st);
        bool got = dev_selector_matches(s, "ns", "name", labels, NULL);

        cr_expect_eq(ret, 0, "'%s' gives %d: %s", matches[i].text, ret, st.message);
        cr_expect_eq(got, matches[i].matches, "'%s' on %s is %d", matches[i].text,
                     matches[i].labels, got);
        cJSON_Delete(labels);
        dev_selector_destroy(s);
        dev_status_fini(&st);
    }
}

Test(selector, no_text_selects_everything_without_a_selector)
{
    dev_status_t st = {0};
    dev_selector_t *s = (dev_selector_t *) &st;

    EXPECT_INT(dev_selector_parse(kind_of("", "Pod"), " ", NULL, &s, &st), 0);
    cr_expect_null(s);
    cr_expect(dev_selector_matches(NULL, NULL, "x", NULL, NULL));
}

static const struct {
    const char *group, *kind, *text, *message;
} field_refusals[] = {
    {"", "Pod", "foo=bar", "field label not supported: foo"},
    {"batch", "Job", "foo=bar", "field label \"foo\" not supported for Job"},
    {"", "ConfigMap", "foo=bar",
     "\"foo\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""},
    {"", "Node", "metadata.namespace=x", "field label not supported: metadata.namespace"},
    {"", "Pod", "a", "invalid selector: 'a'; can't understand 'a'"},
    {"", "Pod", "metadata.name=\\q", "invalid field selector: invalid escape sequence: \\q"},
    {"", "Pod", "metadata.name=\\", "invalid field selector: invalid escape sequence: \\"},
    {"", "Pod", "metadata.name=a=b", "invalid field selector: unescaped character in value: 61"},
};

Test(selector, fields_are_refused_in_the_real_words)
{
    for (size_t i = 0; i < HOST_LEN(field_refusals); i++) {
        dev_status_t st = {0};
        dev_selector_t *s = NULL;
        const dev_kind_t *kind = kind_of(field_refusals[i].group, field_refusals[i].kind);

        EXPECT_INT(dev_selector_parse(kind, NULL, field_refusals[i].text, &s, &st), -400);
        EXPECT_STR(st.message, field_refusals[i].message);
        dev_status_fini(&st);
    }
}

Test(selector, a_custom_kind_has_name_and_namespace)
{
    const dev_kind_t custom = {.group = "x.dev", .kind = "Job", .flags = DEV_CUSTOM};
    dev_status_t st = {0};
    dev_selector_t *s = NULL;

    EXPECT_INT(dev_selector_parse(&custom, NULL, "status.successful=1", &s, &st), -400);
    EXPECT_STR(st.message, "field label not supported: status.successful");
    dev_status_fini(&st);
    EXPECT_INT(dev_selector_parse(&custom, NULL, "metadata.name=a\\,b\\\\", &s, &st), 0);
    EXPECT_STR(dev_selector_name(s), "a,b\\");
    EXPECT_INT(dev_selector_needs_object(s), false);
    dev_selector_destroy(s);
}

static const struct {
    const char *group, *kind, *text, *object;
    bool matches;
} field_matches[] = {
    {"", "Pod", "metadata.name=n,metadata.namespace=s", "{}", true},
    {"", "Pod", "metadata.name!=n", "{}", false},
    {"", "Pod", "status.phase=Running", "{'status':{'phase':'Running'}}", true},
    {"", "Pod", "status.phase!=Running", "{}", true},
    {"", "Pod", "spec.nodeName=", "{}", true},
    {"", "Pod", "spec.hostNetwork=false", "{}", true},
    {"", "Node", "spec.unschedulable=true", "{'spec':{'unschedulable':true}}", true},
    {"batch", "Job", "status.successful=3", "{'status':{'succeeded':3}}", true},
    {"batch", "Job", "status.successful=0", "{}", true},
    {"", "Secret", "type=Opaque", "{'type':'x'}", false},
    {"", "Event", "involvedObject.name=a", "{'involvedObject':{'name':'a'}}", true},
    {"events.k8s.io", "Event", "regarding.name=a", "{'involvedObject':{'name':'a'}}", true},
};

Test(selector, fields_select_by_the_stored_object)
{
    for (size_t i = 0; i < HOST_LEN(field_matches); i++) {
        dev_status_t st = {0};
        dev_selector_t *s = NULL;
        cJSON *object = json_of(field_matches[i].object);
        const dev_kind_t *kind = kind_of(field_matches[i].group, field_matches[i].kind);
        int ret = dev_selector_parse(kind, NULL, field_matches[i].text, &s, &st);
        bool got = dev_selector_matches(s, "s", "n", NULL, object);

        cr_expect_eq(ret, 0, "'%s' gives %d", field_matches[i].text, ret);
        cr_expect_eq(got, field_matches[i].matches, "'%s' on %s is %d", field_matches[i].text,
                     field_matches[i].object, got);
        cJSON_Delete(object);
        dev_selector_destroy(s);
    }
}
