/* SPDX-License-Identifier: Apache-2.0 */
/* Owner references, references and conditions: text in, text out. */
#include "support/expect.h"

#include <leasehold/leasehold.h>

static lh_json_t json(const char *text)
{
    return lh_json_text(text, strlen(text));
}

static const char site[] =
    "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Site\",\"metadata\":{\"name\":\"front\","
    "\"namespace\":\"shop\",\"uid\":\"u-1\"}}";
static const char other[] =
    "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Site\",\"metadata\":{\"name\":\"back\","
    "\"namespace\":\"shop\",\"uid\":\"u-2\"}}";
#define REF_1                                                                                      \
    "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Site\",\"name\":\"front\",\"uid\":\"u-1\","     \
    "\"controller\":true,\"blockOwnerDeletion\":true}"

Test(owner, becomes_the_controller)
{
    char *child = lh_json_printf("{'metadata':{'name':'c'}}");
    lh_error_t err = {0};
    lh_json_t controller;

    ASSERT_OK(lh_owner_set_controller(&child, json(site), &err), err);
    EXPECT_STR(child, "{\"metadata\":{\"name\":\"c\",\"ownerReferences\":[" REF_1 "]}}");
    ASSERT_OK(lh_owner_set_controller(&child, json(site), &err), err);
    EXPECT_STR(child, "{\"metadata\":{\"name\":\"c\",\"ownerReferences\":[" REF_1 "]}}");
    cr_expect(lh_owner_controls(json(child), "u-1") && !lh_owner_controls(json(child), "u-2"));
    EXPECT_INT(lh_owner_controller(json(child), &controller), 0);
    cr_expect(lh_json_equals(controller, "/name", "front"));
    free(child);
}

Test(owner, is_refused_as_a_second_controller)
{
    char *child = lh_json_printf("{'metadata':{'name':'c'}}");
    lh_error_t err = {0};

    ASSERT_OK(lh_owner_set_controller(&child, json(site), &err), err);
    char *before = lh_json_printf("%s", child);
    EXPECT_INT(lh_owner_set_controller(&child, json(other), &err), LH_EEXISTS);
    EXPECT_STR(err.text, "the object is controlled by 'front' already");
    EXPECT_STR(child, before);
    ASSERT_OK(lh_owner_add(&child, json(other), &err), err);
    cr_expect(lh_owner_controls(json(child), "u-1"), "%s", child);
    cr_expect(lh_json_equals(json(child), "/metadata/ownerReferences/1/uid", "u-2"), "%s", child);
    free(before);
    free(child);
}

Test(owner, must_be_one)
{
    char *child = lh_json_printf("{'metadata':{'name':'c','namespace':'elsewhere'}}");
    lh_error_t err = {0};

    EXPECT_INT(lh_owner_set_controller(&child, json(site), &err), LH_EINVAL);
    EXPECT_STR(err.text, "the owner is in namespace 'shop', the object in 'elsewhere'");
    EXPECT_INT(lh_owner_set_controller(&child, json("{\"metadata\":{}}"), NULL), LH_EINVAL);
    EXPECT_INT(lh_owner_add(&child, json("{\"metadata\":{\"uid\":\"u\"}}"), NULL), LH_EINVAL);
    free(child);
    child = NULL;
    EXPECT_INT(lh_owner_set_controller(&child, json(site), &err), LH_ENOMEM);
    EXPECT_INT(lh_owner_controller(json("{}"), &(lh_json_t){0}), LH_ENOTFOUND);
}

Test(reference, names_an_object)
{
    char *reference = lh_object_reference(json(site));

    EXPECT_STR(reference, "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Site\","
                          "\"namespace\":\"shop\",\"name\":\"front\",\"uid\":\"u-1\"}");
    free(reference);
    cr_expect_null(lh_object_reference(json("{}")));
}

#define OLD                                                                                        \
    "{\"status\":{\"conditions\":[{\"type\":\"Other\",\"status\":\"True\"},{\"type\":\"Ready\","   \
    "\"status\":\"False\",\"lastTransitionTime\":\"2001-01-01T00:00:00Z\",\"reason\":\"Old\","     \
    "\"message\":\"m\"}]}}"

Test(conditions, move_their_time_with_the_status_only)
{
    lh_condition_t ready = {"Ready", "False", "New", "n", 7};
    char *list = lh_conditions_set(json(OLD), &ready, 1, 0);

    EXPECT_STR(list, "[{\"type\":\"Other\",\"status\":\"True\"},{\"type\":\"Ready\",\"status\":"
                     "\"False\",\"observedGeneration\":7,\"lastTransitionTime\":"
                     "\"2001-01-01T00:00:00Z\",\"reason\":\"New\",\"message\":\"n\"}]");
    free(list);
    ready.status = "True";
    list = lh_conditions_set(json(OLD), &ready, 1, 0);
    EXPECT_STR(list, "[{\"type\":\"Other\",\"status\":\"True\"},{\"type\":\"Ready\",\"status\":"
                     "\"True\",\"observedGeneration\":7,\"lastTransitionTime\":"
                     "\"1970-01-01T00:00:00Z\",\"reason\":\"New\",\"message\":\"n\"}]");
    free(list);
}

Test(conditions, begin_where_there_are_none)
{
    const lh_condition_t two[] = {{"A", "True", "R", NULL, 0}, {"B", "Unknown", "S", "m", 1}};
    char *list = lh_conditions_set(json("{}"), two, 2, LH_SECOND);

    EXPECT_STR(list, "[{\"type\":\"A\",\"status\":\"True\",\"lastTransitionTime\":"
                     "\"1970-01-01T00:00:01Z\",\"reason\":\"R\",\"message\":\"\"},"
                     "{\"type\":\"B\",\"status\":\"Unknown\",\"observedGeneration\":1,"
                     "\"lastTransitionTime\":\"1970-01-01T00:00:01Z\",\"reason\":\"S\","
                     "\"message\":\"m\"}]");
    free(list);
    cr_expect_null(
        lh_conditions_set(json("{}"), &(lh_condition_t){"A", "True", NULL, "m", 0}, 1, 0));
}

Test(conditions, are_found_by_type)
{
    lh_json_t found;

    EXPECT_INT(lh_condition_find(json(OLD), "Ready", &found), 0);
    cr_expect(lh_json_equals(found, "/reason", "Old"));
    EXPECT_INT(lh_condition_find(json(OLD), "None", &found), LH_ENOTFOUND);
    EXPECT_INT(lh_condition_find(json("{}"), "Ready", &found), LH_ENOTFOUND);
    EXPECT_INT(lh_condition_is_true(json(OLD), "Other"), 1);
    EXPECT_INT(lh_condition_is_true(json(OLD), "Ready"), 0);
    EXPECT_INT(lh_condition_is_true(json(OLD), "None"), 0);
}
