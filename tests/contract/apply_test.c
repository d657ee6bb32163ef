/* SPDX-License-Identifier: Apache-2.0 */
/* Server-side apply and managedFields. */
#include "contract/contract.h"

static void server_side_apply_creates_and_owns(void *arg)
{
    contract_t *c = arg;
    char path[300];

    snprintf(path, sizeof(path), "%s/applied?fieldManager=contract", c->configmaps);
    API_REPLY r = api_patch(c->api, path, "apply",
                            "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                            "\"applied\"},\"data\":{\"k\":\"v\"}}");
    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/operation"), "Apply");
}

static void managed_fields_name_the_field_manager(void *arg)
{
    contract_t *c = arg;
    char path[256];

    snprintf(path, sizeof(path), "%s?fieldManager=contract", c->configmaps);
    API_REPLY r = api_post(c->api, path, "{\"metadata\":{\"name\":\"mf\"},\"data\":{\"k\":\"v\"}}");
    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/manager"), "contract");
}

static const tap_test_t tests[] = {
    {"server-side apply creates and owns", server_side_apply_creates_and_owns},
    {"managedFields name the field manager", managed_fields_name_the_field_manager},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "apply", tests, sizeof(tests) / sizeof(tests[0]));
}
