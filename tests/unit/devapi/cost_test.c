/* SPDX-License-Identifier: Apache-2.0 */
/* What large requests may cost: each of these once took minutes. A cost that grows with the square
 * again runs into the time limit. */
#include "served.h"

TestSuite(cost, .init = served_start, .fini = served_finish, .timeout = 20);

/* {"first":"","1":"","2":"",...}, or backwards. Caller owns the text. */
static char *many_keys(bool backwards, const char *first)
{
    enum { KEYS = 60000 };
    buf_t body = BUF_INIT;

    buf_printf(&body, "{'metadata':{'name':'many'},'data':{'%s':''", first);
    for (int i = 1; i < KEYS; i++)
        buf_printf(&body, ",'%d':''", backwards ? KEYS - i : i);
    buf_puts(&body, "}}");
    return buf_steal(&body);
}

/* The loop stood still for minutes. */
Test(cost, a_map_of_many_keys_does_not_cost_its_square)
{
    host_cleanup(host_freep) char *distinct = many_keys(false, "0");
    host_cleanup(host_freep) char *backwards = many_keys(true, "0");
    host_cleanup(host_freep) char *repeated = many_keys(false, "59999");

    cJSON_Delete(serve_as(201, request_of(DEV_CREATE, CONFIGMAPS, NULL), distinct));
    const int64_t version = dev_core_version(served.core);
    cJSON_Delete(serve_as(200, request_of(DEV_UPDATE, CONFIGMAPS, "many"), backwards));
    EXPECT_INT(dev_core_version(served.core), version); /* it is the same */
    cJSON_Delete(serve_as(200, request_of(DEV_UPDATE, CONFIGMAPS, "many"), repeated));
    EXPECT_INT(dev_core_version(served.core), version + 1);
}

Test(cost, many_owners_do_not_cost_their_square)
{
    enum { OWNERS = 50000 };
    buf_t body = BUF_INIT;
    int code = 0;

    buf_puts(&body, "{'metadata':{'name':'owned','ownerReferences':[{'uid':'0'}");
    for (int i = 1; i < OWNERS; i++)
        buf_printf(&body, ",{'uid':'%d'}", i);
    buf_puts(&body, "]}}");
    cJSON_Delete(serve(request_of(DEV_CREATE, CONFIGMAPS, NULL), buf_text(&body), &code));
    EXPECT_INT(code, 422); /* for they have no names */
    buf_fini(&body);
}

/* Each of the elements had the path of its own, whose names may be of megabytes. */
Test(cost, a_long_name_does_not_cost_its_length_for_each_element)
{
    enum { LENGTH = 1000000, ELEMENTS = 200000 };
    buf_t body = BUF_INIT;

    buf_printf(&body, "{'metadata':{'name':'long'},'%0*d':[{}", LENGTH, 0);
    for (int i = 1; i < ELEMENTS; i++)
        buf_puts(&body, ",{}");
    buf_puts(&body, "]}");
    cJSON_Delete(serve_as(201, request_of(DEV_CREATE, CONFIGMAPS, NULL), buf_text(&body)));
    buf_fini(&body);
}

/* Each of those that come again had its path printed. */
Test(cost, a_long_name_does_not_cost_its_length_for_each_duplicate)
{
    enum { LENGTH = 1000000, MEMBERS = 200000 };
    buf_t body = BUF_INIT;

    buf_printf(&body, "{'metadata':{'name':'twice'},'%0*d':{'a':1", LENGTH, 0);
    for (int i = 1; i < MEMBERS; i++)
        buf_puts(&body, ",'a':1");
    buf_puts(&body, "}}");
    cJSON_Delete(serve_as(201, request_of(DEV_CREATE, CONFIGMAPS, NULL), buf_text(&body)));
    buf_fini(&body);
}

/* {"apiVersion":"v1",...,"data":{"0":"x",...}}. Caller owns the text. */
static char *many_applied(const char *value)
{
    enum { KEYS = 30000 };
    buf_t body = BUF_INIT;

    buf_puts(&body,
             "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"applied\"},"
             "\"data\":{\"0\":\"\"");
    for (int i = KEYS; i > 1; i--)
        buf_printf(&body, ",\"%d\":\"%s\"", i, value);
    buf_puts(&body, "}}");
    return buf_steal(&body);
}

static dev_request_t apply_of(const char *manager)
{
    dev_request_t r = request_of(DEV_PATCH, CONFIGMAPS, "applied");

    r.content_type = "application/apply-patch+yaml";
    r.field_manager = manager;
    return r;
}

Test(cost, applying_many_keys_does_not_cost_their_square)
{
    host_cleanup(host_freep) char *body = many_applied("x");

    cJSON_Delete(serve_as(201, apply_of("one"), body));
    cJSON_Delete(serve_as(200, apply_of("one"), body));
}

Test(cost, many_conflicts_do_not_cost_their_square)
{
    host_cleanup(host_freep) char *first = many_applied("x"), *second = many_applied("y");

    cJSON_Delete(serve_as(201, apply_of("one"), first));
    cJSON *refused = serve_as(409, apply_of("two"), second);
    EXPECT_HAS(tree_text(refused, "message"), "Apply failed with 29999 conflicts: ");
    cJSON_Delete(refused);
}

Test(cost, applying_a_long_list_does_not_cost_its_square)
{
    enum { ITEMS = 20000 };
    buf_t body = BUF_INIT;

    buf_puts(&body,
             "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"applied\","
             "\"finalizers\":[\"a.b/0\"");
    for (int i = 1; i < ITEMS; i++)
        buf_printf(&body, ",\"a.b/%d\"", i * 7919 % ITEMS);
    buf_puts(&body, "]}}");
    cJSON_Delete(serve_as(201, apply_of("one"), buf_text(&body)));
    cJSON_Delete(serve_as(200, apply_of("two"), buf_text(&body)));
    buf_fini(&body);
}
